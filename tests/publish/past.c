#include "publish/past.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/images.h"
#include "model/naive.h"
#include "model/report.h"

/* More of a token's scopes are not taken: compiling them is not what these tests are about. */
#define SCOPES_MOST 24

/*
 * ---- The past ----
 */

void past_begin(struct past *past, struct world *world)
{
    *past = (struct past){.world = world, .dice = {world->seed}};
    for (size_t i = 0; i < world->count; i++) {
        if (world->tokens[i].issue_number > past->last_number) {
            past->last_number = world->tokens[i].issue_number;
        }
    }
}

void past_end(struct past *past)
{
    for (size_t i = 0; i < past->count; i++) {
        free(past->changes[i].all);
        free(past->changes[i].there);
    }
    free(past->changes);
}

static struct past_change *add(struct past *past)
{
    if (past->count == past->room) {
        past->room = past->room == 0 ? 64 : 2 * past->room;
        past->changes = realloc(past->changes, past->room * sizeof *past->changes);
        if (past->changes == NULL) {
            abort();
        }
    }
    past->changes[past->count] = (struct past_change){0};
    return &past->changes[past->count++];
}

void past_put(struct past *past, size_t id, const struct weir_token *token)
{
    struct past_change *change = add(past);

    change->id = id;
    change->token = *token;
}

void past_revoke(struct past *past, size_t id)
{
    struct past_change *change = add(past);

    change->id = id;
    change->revokes = true;
}

static void *copy(const void *from, size_t size)
{
    return memcpy(must_allocate(size), from, size);
}

void past_replace_all(struct past *past, const struct moment *moment)
{
    struct past_change *change = add(past);

    change->all = copy(moment->tokens, past->world->count * sizeof *moment->tokens);
    change->there = copy(moment->there, past->world->count * sizeof *moment->there);
}

struct weir_token past_draw(struct past *past, size_t id)
{
    struct world *world = past->world;
    struct weir_token token = world->tokens[dice_below(&past->dice, world->count)];
    uint64_t credential = dice_below(&past->dice, world->count);

    token.id = world->tokens[id].id;
    if (token.scope_count > SCOPES_MOST) {
        token.scope_count = SCOPES_MOST;
    }
    token.issue_number = ++past->last_number;
    token.has_credential_digest = dice_chance(&past->dice, 50);
    memset(token.credential_digest, 0x5a, sizeof token.credential_digest);
    memcpy(token.credential_digest, &credential, sizeof credential);
    return token;
}

/*
 * ---- Moments ----
 */

void moment_begin(struct moment *moment, const struct past *past)
{
    size_t count = past->world->count;

    *moment = (struct moment){.past = past,
                              .tokens = must_allocate(count * sizeof *moment->tokens),
                              .there = must_allocate(count * sizeof *moment->there)};
    memset(moment->tokens, 0, count * sizeof *moment->tokens);
    memset(moment->there, 0, count * sizeof *moment->there);
}

void moment_end(struct moment *moment)
{
    free(moment->tokens);
    free(moment->there);
}

static void apply(struct moment *moment, const struct past_change *change)
{
    size_t count = moment->past->world->count;

    if (change->all != NULL) {
        memcpy(moment->tokens, change->all, count * sizeof *moment->tokens);
        memcpy(moment->there, change->there, count * sizeof *moment->there);
    } else {
        moment->there[change->id] = !change->revokes;
        moment->tokens[change->id] = change->token;
    }
}

void moment_move(struct moment *moment, uint64_t sequence)
{
    if (sequence < moment->sequence || sequence > moment->past->count) {
        report_world(moment->past->world, "a number that is none");
        ck_abort_msg("from change %" PRIu64 " to %" PRIu64 " of %zu", moment->sequence, sequence,
                     moment->past->count);
    }
    while (moment->sequence < sequence) {
        apply(moment, &moment->past->changes[moment->sequence++]);
    }
}

size_t moment_count(const struct moment *moment)
{
    size_t count = 0;

    for (size_t i = 0; i < moment->past->world->count; i++) {
        count += moment->there[i];
    }
    return count;
}

bool moment_has_digest(const struct moment *moment, const uint8_t *digest, size_t but)
{
    for (size_t i = 0; i < moment->past->world->count; i++) {
        if (i != but && moment->there[i] && moment->tokens[i].has_credential_digest &&
            memcmp(moment->tokens[i].credential_digest, digest, WEIR_DIGEST_SIZE) == 0) {
            return true;
        }
    }
    return false;
}

/*
 * ---- Asking ----
 */

_Noreturn static void disagree(const struct moment *moment, const struct weir_token *token,
                               const struct weir_request *request, const char *who,
                               const char *what)
{
    report_world(moment->past->world, what);
    fprintf(stderr, "  asked: %s, at change %" PRIu64 " of %zu\n", who, moment->sequence,
            moment->past->count);
    if (request != NULL) {
        report_request(request);
    }
    if (token != NULL) {
        report_token(token);
    }
    ck_abort_msg("%s (see above)", what);
    abort();
}

static void check_one(struct moment *moment, const struct weir_engine *engine, struct dice *dice,
                      const char *who)
{
    struct world *world = moment->past->world;
    size_t id = dice_below(dice, world->count);
    const struct weir_token *token = moment->there[id] ? &moment->tokens[id] : NULL;
    struct weir_request request;
    enum weir_reason expected = WEIR_UNKNOWN_TOKEN;

    world_request(world, token != NULL ? token : &world->tokens[id], &request);
    if (token != NULL) {
        expected = naive_decide_token(token, &request, world->now).reason;
    }
    if (weir_engine_check(engine, world->tokens[id].id, &request, world->now) != expected) {
        fprintf(stderr, "  expected: %s\n", weir_reason_name(expected));
        disagree(moment, token, &request, who, "the reasons differ");
    }
    request_fini(&request);
}

/* By id, and by the credential if it has one. */
static void look_up(const struct moment *moment, const struct weir_engine *engine, size_t id,
                    const char *who)
{
    const struct weir_token *token = &moment->tokens[id];
    const struct weir_compiled_token *found = NULL;
    bool right = false;

    weir_read_begin();
    found = weir_engine_find(engine, moment->past->world->tokens[id].id);
    right = (found != NULL) == moment->there[id];
    if (right && found != NULL) {
        right = weir_compiled_token_issue_number(found) == token->issue_number &&
                (!token->has_credential_digest ||
                 weir_engine_find_by_digest(engine, token->credential_digest) == found);
    }
    weir_read_end();
    if (!right) {
        disagree(moment, moment->there[id] ? token : NULL, NULL, who, "another token is found");
    }
}

void moment_check(struct moment *moment, const struct weir_engine *engine, struct dice *dice,
                  unsigned questions, bool all, const char *who)
{
    for (unsigned i = 0; i < questions; i++) {
        check_one(moment, engine, dice, who);
    }
    for (size_t id = 0; all && id < moment->past->world->count; id++) {
        look_up(moment, engine, id, who);
    }
    if (all && weir_engine_usage(engine).tokens != moment_count(moment)) {
        disagree(moment, NULL, NULL, who, "there are more tokens, or fewer");
    }
}
