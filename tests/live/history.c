#include "live/history.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weir/compile.h>

#include "model/images.h"
#include "model/naive.h"
#include "model/report.h"

void history_fail(const struct history *history, const struct weir_token *token,
                  const struct weir_request *request, const char *what)
{
    report_world(history->world, what);
    fprintf(stderr,
            "  history: of %zu ids, beginning %d, after step %" PRIu64 " (%s), %zu tokens held\n",
            history->id_count, (int)history->beginning, history->steps, history->last,
            history->held_count);
    if (request != NULL) {
        report_request(request);
    }
    if (token != NULL) {
        report_token(token);
    }
    ck_abort_msg("%s (see above)", what);
    abort();
}

/*
 * ---- The array ----
 */

static struct weir_token *find_id(const struct history *history, struct weir_text id)
{
    for (size_t i = 0; i < history->held_count; i++) {
        if (naive_same(history->held[i].id, id)) {
            return &history->held[i];
        }
    }
    return NULL;
}

const struct weir_token *history_holder_of_id(const struct history *history, struct weir_text id)
{
    return find_id(history, id);
}

const struct weir_token *history_holder_of_digest(const struct history *history,
                                                  const uint8_t *digest)
{
    for (size_t i = 0; i < history->held_count; i++) {
        if (history->held[i].has_credential_digest &&
            memcmp(history->held[i].credential_digest, digest, WEIR_DIGEST_SIZE) == 0) {
            return &history->held[i];
        }
    }
    return NULL;
}

void history_digest(const struct history *history, size_t number, uint8_t *digest)
{
    struct dice dice = {history->world->seed + number};

    for (size_t i = 0; i < WEIR_DIGEST_SIZE; i += 8) {
        uint64_t bits = dice_bits(&dice);

        memcpy(digest + i, &bits, sizeof bits);
    }
}

static void hold(struct history *history, const struct weir_token *token)
{
    struct weir_token *place = find_id(history, token->id);

    if (place == NULL) {
        place = &history->held[history->held_count++];
    }
    *place = *token;
}

static void let_go(struct history *history, struct weir_token *token)
{
    *token = history->held[--history->held_count];
}

/* More of a token's scopes are seldom taken: compiling them is not what these tests are about. */
enum { SCOPES_MOST = 24 };

/* A token for the id: with scopes and the expiry of one of the world's, a credential or none, and
 * mostly a number of its own. */
static struct weir_token draw_token(struct history *history, struct weir_text id)
{
    struct dice *dice = &history->dice;
    const struct weir_token *now = find_id(history, id);
    struct weir_token token = history->world->tokens[dice_below(dice, history->world->count)];

    token.id = id;
    if (token.scope_count > SCOPES_MOST && !dice_chance(dice, 1)) {
        token.scope_count = SCOPES_MOST;
    }
    token.issue_number = dice_chance(dice, 10) ? 0 : ++history->last_number;
    token.has_credential_digest = dice_chance(dice, 60);
    history_digest(history, dice_below(dice, history->digest_count), token.credential_digest);
    if (now != NULL && dice_chance(dice, 25)) {
        token.issue_number = now->issue_number;
        token.has_credential_digest = now->has_credential_digest;
        memcpy(token.credential_digest, now->credential_digest, WEIR_DIGEST_SIZE);
    }
    return token;
}

static bool credential_is_anothers(const struct history *history, const struct weir_token *token)
{
    const struct weir_token *holder =
        token->has_credential_digest ? history_holder_of_digest(history, token->credential_digest)
                                     : NULL;

    return holder != NULL && !naive_same(holder->id, token->id);
}

/* Fills the array with tokens of some of the ids. */
static void hold_some(struct history *history, unsigned percent)
{
    history->held_count = 0;
    for (size_t i = 0; i < history->id_count; i++) {
        struct weir_token token = draw_token(history, history->ids[i]);

        token.has_credential_digest =
            token.has_credential_digest && !credential_is_anothers(history, &token);
        if (dice_chance(&history->dice, percent)) {
            hold(history, &token);
        }
    }
}

/*
 * ---- Beginning and end ----
 */

static struct weir_image *image_of_held(const struct history *history, bool mapped)
{
    struct weir_image *image =
        compile_tokens(history->world, history->held, history->held_count, history->world->seed);

    if (mapped) {
        struct weir_image *opened = save_and_open(history->world, image, WEIR_IMAGE_SHARED);

        weir_image_close(image);
        image = opened;
    }
    return image;
}

static enum weir_status open_on_tokens(struct history *history,
                                       const struct weir_engine_options *options,
                                       struct weir_error *error)
{
    struct weir_image *image = image_of_held(history, false);
    const struct weir_compiled_token **tokens =
        must_allocate(history->held_count * sizeof(struct weir_compiled_token *));
    const struct weir_compiled_token *token = NULL;
    enum weir_status status = WEIR_OK;

    for (size_t i = 0; (token = weir_image_next(image, token)) != NULL; i++) {
        tokens[i] = token;
    }
    status = weir_engine_open_tokens(tokens, history->held_count, options, &history->engine, error);
    free(tokens);
    weir_image_close(image);
    return status;
}

static void open_engine(struct history *history)
{
    static const size_t bounds[] = {0, 1, 3000};
    const struct weir_engine_options options = {
        .retired_max = bounds[dice_below(&history->dice, COUNT_OF(bounds))]};
    struct weir_error error;
    enum weir_status status = WEIR_OK;

    if (history->beginning == BEGIN_WITH_TOKENS) {
        status = open_on_tokens(history, &options, &error);
    } else {
        if (history->beginning != BEGIN_WITH_NOTHING) {
            history->image = image_of_held(history, history->beginning == BEGIN_WITH_MAPPED_IMAGE);
        }
        status = weir_engine_open(history->image, &options, &history->engine, &error);
    }
    must_succeed(status, &error, history->world, "opening an engine");
}

static void make_ids(struct history *history, size_t id_count)
{
    history->id_count = id_count == 0 ? history->world->count : id_count;
    history->ids = must_allocate(history->id_count * sizeof *history->ids);
    history->numbered_ids =
        id_count == 0 ? NULL : must_allocate(id_count * sizeof *history->numbered_ids);
    for (size_t i = 0; i < history->id_count; i++) {
        if (id_count == 0) {
            history->ids[i] = history->world->tokens[i].id;
        } else {
            int length = snprintf(history->numbered_ids[i], sizeof *history->numbered_ids,
                                  "numbered/%zu", i);

            history->ids[i] = (struct weir_text){history->numbered_ids[i], (size_t)length};
        }
    }
}

void history_begin(struct history *history, struct world *world, size_t id_count,
                   enum beginning beginning)
{
    *history = (struct history){.world = world,
                                .dice = {world->seed},
                                .beginning = beginning,
                                .last_number = 1000,
                                .last = "opening"};
    make_ids(history, id_count);
    history->digest_count = history->id_count / 2 + 2;
    history->held = must_allocate(history->id_count * sizeof *history->held);
    hold_some(history, beginning == BEGIN_WITH_NOTHING ? 0 : 50);
    open_engine(history);
    history->by_id = must_allocate(history->id_count * sizeof *history->by_id);
    for (size_t i = 0; i < history->id_count; i++) {
        if (weir_engine_resolve(history->engine, history->ids[i], &history->by_id[i]) !=
            (find_id(history, history->ids[i]) != NULL)) {
            history_fail(history, find_id(history, history->ids[i]), NULL,
                         "resolving says wrongly whether there is a token");
        }
    }
}

void history_end(struct history *history)
{
    weir_engine_close(history->engine);
    weir_image_close(history->image);
    free(history->by_id);
    free(history->held);
    free(history->ids);
    free(history->numbered_ids);
}

/*
 * ---- Changes ----
 */

static void expect_status(const struct history *history, const struct weir_token *token,
                          enum weir_status expected, enum weir_status got)
{
    if (expected != got) {
        fprintf(stderr, "  expected: %s, got: %s\n", weir_status_name(expected),
                weir_status_name(got));
        history_fail(history, token, NULL, "a change was not accepted or refused as it should");
    }
}

static struct weir_text any_id(struct history *history)
{
    return history->ids[dice_below(&history->dice, history->id_count)];
}

enum putting { ISSUE, REPLACE, PUT };

static enum weir_status expected_of(const struct history *history, enum putting how,
                                    const struct weir_token *token)
{
    const bool there = find_id(history, token->id) != NULL;

    return how == ISSUE && there                    ? WEIR_ERROR_DUPLICATE
           : how == REPLACE && !there               ? WEIR_ERROR_NOT_FOUND
           : credential_is_anothers(history, token) ? WEIR_ERROR_DUPLICATE
                                                    : WEIR_OK;
}

static void put_some(struct history *history, enum putting how)
{
    static const char *const names[] = {"issue", "replace", "put"};
    struct weir_token token = draw_token(history, any_id(history));
    const enum weir_status expected = expected_of(history, how, &token);
    size_t size = 0;
    struct weir_compiled_token *compiled = compile_alone(history->world, &token, &size);
    enum weir_status status = WEIR_OK;

    history->last = names[how];
    status = how == ISSUE     ? weir_engine_issue(history->engine, compiled, NULL)
             : how == REPLACE ? weir_engine_replace(history->engine, compiled, NULL)
                              : weir_engine_put(history->engine, compiled, NULL);
    free(compiled);
    expect_status(history, &token, expected, status);
    if (status == WEIR_OK) {
        hold(history, &token);
    }
}

static void revoke_some(struct history *history)
{
    struct weir_text id = any_id(history);
    struct weir_token *token = find_id(history, id);

    history->last = "revoke";
    expect_status(history, token, token != NULL ? WEIR_OK : WEIR_ERROR_NOT_FOUND,
                  weir_engine_revoke(history->engine, id, NULL));
    if (token != NULL) {
        let_go(history, token);
    }
}

/* The old image is closed at once: no reader may need it. */
static void swap_for(struct history *history, struct weir_image *image)
{
    struct weir_error error;

    must_succeed(weir_engine_swap(history->engine, image, &error), &error, history->world,
                 "swapping");
    weir_image_close(history->image);
    history->image = image;
    history->swaps++;
}

static void swap_for_compiled(struct history *history)
{
    history->last = "swap for the same tokens, compiled";
    swap_for(history, image_of_held(history, dice_chance(&history->dice, 50)));
}

static void swap_for_others(struct history *history)
{
    history->last = "swap for other tokens";
    hold_some(history, 40);
    swap_for(history, image_of_held(history, dice_chance(&history->dice, 50)));
}

static void swap_for_nothing(struct history *history)
{
    history->last = "swap for nothing";
    history->held_count = 0;
    swap_for(history, NULL);
}

/* Whether compacting at that instant drops the token. An instant before the year 1 counts as its
 * beginning. */
static bool expired_for_an_hour(const struct weir_token *token, struct weir_instant now)
{
    if (!token->expires || now.seconds < WEIR_INSTANT_SECONDS_MIN + 3600) {
        return false;
    }
    return now.seconds - 3600 > token->expires_at.seconds ||
           (now.seconds - 3600 == token->expires_at.seconds &&
            now.nanoseconds > token->expires_at.nanoseconds);
}

static void swap_for_compacted(struct history *history)
{
    struct weir_instant now = history->world->now;
    struct weir_image *compacted = NULL;
    struct weir_image *compiled = NULL;
    struct weir_error error;
    size_t sizes[2];
    const void *bytes[2];

    history->last = "swap for the compacted image";
    must_succeed(
        weir_engine_compact(history->engine, now, history->world->seed, NULL, &compacted, &error),
        &error, history->world, "compacting");
    for (size_t i = history->held_count; i-- > 0;) {
        if (expired_for_an_hour(&history->held[i], now)) {
            let_go(history, &history->held[i]);
        }
    }
    compiled = image_of_held(history, false);
    bytes[0] = weir_image_bytes(compacted, &sizes[0]);
    bytes[1] = weir_image_bytes(compiled, &sizes[1]);
    if (sizes[0] != sizes[1] || memcmp(bytes[0], bytes[1], sizes[0]) != 0) {
        history_fail(history, NULL, NULL,
                     "compacting does not make the bytes that compiling makes");
    }
    weir_image_close(compiled);
    swap_for(history, compacted);
}

static void reclaim(struct history *history)
{
    history->last = "reclaim";
    expect_status(history, NULL, WEIR_OK, weir_engine_reclaim(history->engine, NULL));
}

void history_step(struct history *history, bool grows)
{
    const size_t luck = dice_below(&history->dice, 1000);
    /* A swap takes time in proportion to the tokens. */
    const size_t swaps = history->id_count > 500 ? 1 : 15;

    history->steps++;
    if (luck < swaps) {
        swap_for_compiled(history);
    } else if (luck < 2 * swaps) {
        swap_for_compacted(history);
    } else if (luck < 3 * swaps && !grows) {
        swap_for_others(history);
    } else if (luck < 3 * swaps + swaps / 3 && !grows) {
        swap_for_nothing(history);
    } else if (luck < 80) {
        reclaim(history);
    } else if (luck < (grows ? 120 : 380)) {
        revoke_some(history);
    } else {
        put_some(history, luck < 600 ? ISSUE : luck < 800 ? REPLACE : PUT);
    }
}
