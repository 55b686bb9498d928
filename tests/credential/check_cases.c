/*
 * From a credential to a decision. A random history of issues, replacements and revocations; the
 * credentials that were ever given are asked by, and texts that were not: the answer is that of the
 * naive evaluator about the token that has the credential, of which a list is kept beside.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <weir/compile.h>

#include "credential/credential_cases.h"
#include "credential/naive_credential.h"
#include "credential/samples.h"
#include "library/support.h"
#include "model/generate.h"
#include "model/naive.h"

enum { IDS = 12, GIVEN = 200, STEPS = 150, QUESTIONS = 20, WORLDS = WORLD_SHAPE_PERIOD };

struct history {
    struct world *world;
    struct dice dice;
    struct weir_image *image; /* what the engine was opened on, or NULL */
    struct weir_engine *engine;
    struct weir_credential given[GIVEN]; /* ever, to whatever token */
    size_t given_count;
    struct holder {
        struct weir_token token;
        size_t credential; /* in `given` */
        bool there;
    } holders[IDS];
    char ids[IDS][8];
    uint64_t last_number;
    uint64_t asked[WEIR_REASON_COUNT];
};

/*
 * ---- Changes ----
 */

/* A token for the id, with scopes and expiry of one of the world's, and a credential of its own. */
static struct holder draw_holder(struct history *history, size_t id)
{
    const struct world *world = history->world;
    struct holder holder = {.there = true, .credential = history->given_count};
    struct weir_credential *credential = &history->given[history->given_count++];

    *credential = credential_of(&history->dice);
    holder.token = world->tokens[dice_below(&history->dice, world->count)];
    holder.token.id = text_of(history->ids[id]);
    if (holder.token.scope_count > 8) {
        holder.token.scope_count = 8;
    }
    holder.token.issue_number = ++history->last_number;
    holder.token.has_credential_digest = true;
    ck_assert(
        weir_credential_digest(text_of_credential(credential), holder.token.credential_digest));
    return holder;
}

static void step(struct history *history)
{
    size_t id = dice_below(&history->dice, IDS);
    struct holder *holder = &history->holders[id];
    enum weir_status status = WEIR_OK;

    if (holder->there && dice_chance(&history->dice, 50)) {
        status = weir_engine_revoke(history->engine, holder->token.id, NULL);
        holder->there = false;
    } else if (history->given_count < GIVEN) {
        struct weir_compiled_token *compiled = NULL;
        size_t size = 0;

        *holder = draw_holder(history, id);
        ck_assert_int_eq(weir_compile_token(&holder->token, NULL, &compiled, &size, NULL), WEIR_OK);
        status = weir_engine_put(history->engine, compiled, NULL);
        free(compiled);
    }
    ck_assert_int_eq(status, WEIR_OK);
}

/*
 * ---- Questions ----
 */

static const struct weir_token *holder_of(const struct history *history, struct weir_text text)
{
    for (size_t i = 0; i < IDS; i++) {
        const struct holder *holder = &history->holders[i];

        if (holder->there &&
            naive_same(text, text_of_credential(&history->given[holder->credential]))) {
            return &holder->token;
        }
    }
    return NULL;
}

/* One that a token has, one that was given at some time, a new one, or one that is damaged. */
static struct weir_credential draw_credential(struct history *history)
{
    struct dice *dice = &history->dice;
    const struct holder *holder = &history->holders[dice_below(dice, IDS)];
    struct weir_credential credential = credential_of(dice);

    if (holder->there && dice_chance(dice, 70)) {
        credential = history->given[holder->credential];
    } else if (history->given_count > 0 && dice_chance(dice, 70)) {
        credential = history->given[dice_below(dice, history->given_count)];
    }
    if (dice_chance(dice, 5)) {
        credential.text[dice_below(dice, WEIR_CREDENTIAL_LENGTH)] ^= 1;
    }
    return credential;
}

static struct weir_instant draw_instant(struct history *history, const struct weir_token *token)
{
    size_t luck = dice_below(&history->dice, 100);

    if (luck < 10 && token != NULL && token->expires) {
        return token->expires_at;
    }
    return luck < 90   ? history->world->now
           : luck < 95 ? (struct weir_instant){WEIR_INSTANT_SECONDS_MIN, 0}
                       : (struct weir_instant){WEIR_INSTANT_SECONDS_MAX, 0};
}

/* The answer by way of what takes a digest. */
static enum weir_reason ask_by_parts(const struct weir_engine *engine, struct weir_text text,
                                     const struct weir_request *request, struct weir_instant now)
{
    uint8_t digest[WEIR_DIGEST_SIZE];
    struct weir_resolved resolved;
    enum weir_reason reason = WEIR_UNKNOWN_TOKEN;

    if (!weir_credential_digest(text, digest)) {
        return WEIR_UNKNOWN_TOKEN;
    }
    weir_read_begin();
    reason = weir_check_token(weir_engine_find_by_digest(engine, digest), request, now).reason;
    weir_read_end();
    weir_engine_resolve_by_digest(engine, digest, &resolved);
    if (weir_engine_check_resolved(engine, &resolved, request, now) != reason) {
        ck_abort_msg("found and resolved by digest, a token answers differently");
    }
    return reason;
}

static void ask(struct history *history)
{
    struct weir_credential credential = draw_credential(history);
    struct weir_text text = text_of_credential(&credential);
    const struct weir_token *token = naive_credential(text) ? holder_of(history, text) : NULL;
    struct weir_instant now = draw_instant(history, token);
    enum weir_reason expected = WEIR_UNKNOWN_TOKEN;
    enum weir_reason got = WEIR_STALE;
    struct weir_request request;

    world_request(history->world, token != NULL ? token : &history->world->tokens[0], &request);
    if (token != NULL) {
        expected = naive_decide_token(token, &request, now).reason;
    }
    got = weir_engine_check_credential(history->engine, text, &request, now);
    if (got != expected || ask_by_parts(history->engine, text, &request, now) != expected) {
        ck_abort_msg("world %" PRIu64 ", after number %" PRIu64 ": %s, expected %s",
                     history->world->seed, history->last_number, weir_reason_name(got),
                     weir_reason_name(expected));
    }
    history->asked[expected]++;
    request_fini(&request);
}

/*
 * ---- The cases ----
 */

/* The image of tokens for half of the ids. */
static struct weir_image *make_image(struct history *history)
{
    struct weir_compiler *compiler = NULL;
    struct weir_image *image = NULL;

    ck_assert_int_eq(weir_compiler_new(NULL, &compiler, NULL), WEIR_OK);
    for (size_t id = 0; id < IDS / 2; id++) {
        history->holders[id] = draw_holder(history, id);
        ck_assert_int_eq(weir_compiler_add(compiler, &history->holders[id].token, 0, NULL),
                         WEIR_OK);
    }
    ck_assert_int_eq(weir_compile(compiler, 0, &image, NULL, NULL), WEIR_OK);
    weir_compiler_free(compiler);
    return image;
}

static void begin(struct history *history, uint64_t seed)
{
    history->world = world_new(seed);
    history->dice = (struct dice){seed};
    history->given_count = 0;
    history->last_number = 0;
    memset(history->holders, 0, sizeof history->holders);
    for (size_t i = 0; i < IDS; i++) {
        /* Of a length that is found quickly, or not. */
        memset(history->ids[i], 'a' + (int)i, sizeof history->ids[i]);
        history->ids[i][i % 2 == 0 ? 1 : 7] = '\0';
    }
    history->image = history->world->count > 0 && seed % 2 == 1 ? make_image(history) : NULL;
    ck_assert_int_eq(weir_engine_open(history->image, NULL, &history->engine, NULL), WEIR_OK);
}

START_TEST(each_credential_is_answered_as_the_token_that_has_it)
{
    static struct history history;

    for (uint64_t seed = 0; seed < WORLDS; seed++) {
        begin(&history, seed);
        for (unsigned i = 0; history.world->count > 0 && i < STEPS; i++) {
            step(&history);
            for (unsigned question = 0; question < QUESTIONS; question++) {
                ask(&history);
            }
        }
        weir_engine_close(history.engine);
        weir_image_close(history.image);
        world_free(history.world);
    }
    for (unsigned reason = 0; reason < WEIR_REASON_COUNT; reason++) {
        if (reason != WEIR_STALE && history.asked[reason] < 100) {
            ck_abort_msg("the reason %s is seldom", weir_reason_name(reason));
        }
    }
}
END_TEST

static void put(struct weir_engine *engine, struct weir_text credential, uint64_t number)
{
    struct weir_scope scope = {.basins = {WEIR_SET_PREFIX, WEIR_TEXT("")},
                               .streams = {WEIR_SET_PREFIX, WEIR_TEXT("")},
                               .ops = WEIR_OPERATIONS_ALL};
    struct weir_token token = {.id = WEIR_TEXT("user-1234"),
                               .scopes = &scope,
                               .scope_count = 1,
                               .expires = true,
                               .expires_at = {1000, 0},
                               .has_credential_digest = true,
                               .issue_number = number};
    struct weir_compiled_token *compiled = NULL;
    size_t size = 0;

    ck_assert(weir_credential_digest(credential, token.credential_digest));
    ck_assert_int_eq(weir_compile_token(&token, NULL, &compiled, &size, NULL), WEIR_OK);
    ck_assert_int_eq(weir_engine_put(engine, compiled, NULL), WEIR_OK);
    free(compiled);
}

static enum weir_reason read_at(const struct weir_engine *engine, struct weir_text credential,
                                int64_t second)
{
    const struct weir_request request = {
        .operation = WEIR_READ, .basin = WEIR_TEXT("acme-prod"), .stream = WEIR_TEXT("inbox")};

    return weir_engine_check_credential(engine, credential, &request,
                                        (struct weir_instant){second, 0});
}

START_TEST(an_id_that_is_issued_again_does_not_answer_to_its_old_credential)
{
    struct dice dice = {5};
    struct weir_credential old = credential_of(&dice);
    struct weir_credential later = credential_of(&dice);
    struct weir_engine *engine = NULL;

    ck_assert_int_eq(weir_engine_open(NULL, NULL, &engine, NULL), WEIR_OK);
    put(engine, text_of_credential(&old), 1);
    ck_assert_int_eq(read_at(engine, text_of_credential(&old), 999), WEIR_ALLOWED);
    ck_assert_int_eq(read_at(engine, text_of_credential(&old), 1000), WEIR_EXPIRED);
    ck_assert_int_eq(weir_engine_revoke(engine, WEIR_TEXT("user-1234"), NULL), WEIR_OK);
    ck_assert_int_eq(read_at(engine, text_of_credential(&old), 999), WEIR_UNKNOWN_TOKEN);
    put(engine, text_of_credential(&later), 2);
    ck_assert_int_eq(read_at(engine, text_of_credential(&old), 999), WEIR_UNKNOWN_TOKEN);
    ck_assert_int_eq(read_at(engine, text_of_credential(&later), 999), WEIR_ALLOWED);
    weir_engine_close(engine);
}
END_TEST

TCase *check_cases(void)
{
    TCase *cases = tcase_create("checks");

    tcase_add_test(cases, each_credential_is_answered_as_the_token_that_has_it);
    tcase_add_test(cases, an_id_that_is_issued_again_does_not_answer_to_its_old_credential);
    return cases;
}
