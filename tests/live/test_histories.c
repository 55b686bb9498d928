/* After every change of a random history an engine decides as the naive evaluator does of the
 * tokens that are there: by id, in a batch, of tokens found and resolved, by credential. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "live/history.h"
#include "model/images.h"
#include "model/naive.h"
#include "model/report.h"

#define DECISIONS 3000000

enum { BATCH = 40, CREDENTIALS_KEPT = 24 };

/* A credential's token, resolved at some time, and what it stands for. */
struct kept {
    struct weir_resolved resolved;
    struct weir_text id;
    uint64_t number;
    uint8_t digest[WEIR_DIGEST_SIZE];
    bool in_use;
    bool expired; /* it has been seen to be */
};

static struct kept kept[CREDENTIALS_KEPT];
static uint64_t total;
static uint64_t by_reason[WEIR_REASON_COUNT];

static void agree(const struct history *history, const struct weir_token *token,
                  const struct weir_request *request, enum weir_reason expected,
                  enum weir_reason got, const char *way)
{
    total++;
    by_reason[expected]++;
    if (expected != got) {
        fprintf(stderr, "  asked: %s; expected: %s, got: %s\n", way, weir_reason_name(expected),
                weir_reason_name(got));
        history_fail(history, token, request, "the reasons differ");
    }
}

/* Around the token's expiry as often as at the world's instant; long before, long after. */
static struct weir_instant draw_instant(struct history *history, const struct weir_token *token)
{
    const size_t luck = dice_below(&history->dice, 100);

    if (luck < 10 && token != NULL && token->expires) {
        return token->expires_at;
    }
    return luck < 88   ? history->world->now
           : luck < 94 ? (struct weir_instant){WEIR_INSTANT_SECONDS_MIN, 0}
                       : (struct weir_instant){WEIR_INSTANT_SECONDS_MAX, 0};
}

static enum weir_reason reason_of(const struct weir_token *token,
                                  const struct weir_request *request, struct weir_instant now)
{
    return token != NULL ? naive_decide_token(token, request, now).reason : WEIR_UNKNOWN_TOKEN;
}

/*
 * ---- By id ----
 */

static void ask_by_id(struct history *history, size_t i, const struct weir_request *request)
{
    const struct weir_text id = history->ids[i];
    const struct weir_token *token = history_holder_of_id(history, id);
    const struct weir_instant now = draw_instant(history, token);
    const enum weir_reason expected =
        naive_decide(history->held, history->held_count, id, request, now).reason;
    const struct weir_compiled_token *found = NULL;

    agree(history, token, request, expected, weir_engine_check(history->engine, id, request, now),
          "by id");
    agree(history, token, request, expected,
          weir_engine_check_resolved(history->engine, &history->by_id[i], request, now),
          "resolved by id");
    weir_read_begin();
    found = weir_engine_find(history->engine, id);
    agree(history, token, request, expected, weir_check_token(found, request, now).reason,
          "found by id");
    if (found != weir_engine_find_resolved(history->engine, &history->by_id[i])) {
        history_fail(history, token, request, "finding and finding resolved differ");
    }
    if (found != NULL && weir_compiled_token_issue_number(found) != token->issue_number) {
        history_fail(history, token, request, "the issue number differs");
    }
    weir_read_end();
}

/* Questions about the ids of this history, and some about others. */
static void draw_question(struct history *history, struct weir_question *question, size_t *id)
{
    struct dice *dice = &history->dice;
    const struct weir_token *token = NULL;

    *id = dice_below(dice, history->id_count);
    token = history_holder_of_id(history, history->ids[*id]);
    if (token == NULL || dice_chance(dice, 10)) {
        token = &history->world->tokens[dice_below(dice, history->world->count)];
    }
    world_request(history->world, token, &question->request);
    question->token_id = history->ids[*id];
    if (dice_chance(dice, 5)) {
        question->token_id.length -= 1; /* most often nobody's */
    }
}

static void ask_batch(struct history *history)
{
    const size_t count = dice_between(&history->dice, 1, history->steps % 16 == 0 ? BATCH : 6);
    const struct weir_instant now = history->world->now;
    struct weir_question questions[BATCH];
    enum weir_reason reasons[BATCH];
    size_t ids[BATCH];

    for (size_t i = 0; i < count; i++) {
        draw_question(history, &questions[i], &ids[i]);
    }
    memset(reasons, 0xff, sizeof reasons);
    weir_engine_check_batch(history->engine, questions, count, now, reasons);
    for (size_t i = 0; i < count; i++) {
        const struct naive_answer expected = naive_decide(
            history->held, history->held_count, questions[i].token_id, &questions[i].request, now);

        agree(history, expected.token, &questions[i].request, expected.reason, reasons[i],
              "in a batch");
        ask_by_id(history, ids[i], &questions[i].request);
        request_fini(&questions[i].request);
    }
}

/*
 * ---- By credential ----
 */

/* The token that the kept one stands for, if it is that still. */
static const struct weir_token *token_of(const struct history *history, const struct kept *one)
{
    const struct weir_token *token = history_holder_of_id(history, one->id);

    return token != NULL && token->issue_number == one->number && token->has_credential_digest &&
                   memcmp(token->credential_digest, one->digest, WEIR_DIGEST_SIZE) == 0
               ? token
               : NULL;
}

static void ask_kept(struct history *history, struct kept *one)
{
    const struct weir_token *token = token_of(history, one);
    const struct weir_token *about = token != NULL ? token : history->world->tokens;
    const struct weir_instant now = draw_instant(history, token);
    struct weir_request request;
    enum weir_reason expected = WEIR_EXPIRED;
    const struct weir_compiled_token *found = NULL;

    world_request(history->world, about, &request);
    if (!one->expired) {
        expected = reason_of(token, &request, now);
    }
    weir_read_begin();
    found = weir_engine_find_resolved(history->engine, &one->resolved);
    if ((found != NULL) != (token != NULL && !one->expired)) {
        history_fail(history, token, &request, "a credential's token is found, or not, wrongly");
    }
    weir_read_end();
    agree(history, token, &request, expected,
          weir_engine_check_resolved(history->engine, &one->resolved, &request, now),
          "resolved by credential");
    one->expired = expected == WEIR_EXPIRED;
    request_fini(&request);
}

/* Resolves a credential; keeps what it stands for. */
static void ask_by_digest(struct history *history)
{
    struct kept *one = &kept[dice_below(&history->dice, CREDENTIALS_KEPT)];
    const struct weir_token *token = NULL;
    struct weir_request request;
    struct weir_resolved resolved;
    uint8_t digest[WEIR_DIGEST_SIZE];

    history_digest(history, dice_below(&history->dice, history->digest_count), digest);
    token = history_holder_of_digest(history, digest);
    world_request(history->world, token != NULL ? token : history->world->tokens, &request);
    weir_read_begin();
    agree(history, token, &request, reason_of(token, &request, history->world->now),
          weir_check_token(weir_engine_find_by_digest(history->engine, digest), &request,
                           history->world->now)
              .reason,
          "found by credential");
    weir_read_end();
    request_fini(&request);
    if (weir_engine_resolve_by_digest(history->engine, digest, &resolved) != (token != NULL)) {
        history_fail(history, token, NULL, "a credential is resolved, or not, wrongly");
    }
    if (token != NULL && (!one->in_use || dice_chance(&history->dice, 20))) {
        *one = (struct kept){.resolved = resolved, .number = token->issue_number, .in_use = true};
        memcpy(one->digest, digest, sizeof digest);
        for (size_t i = 0; i < history->id_count; i++) {
            if (naive_same(history->ids[i], token->id)) {
                one->id = history->ids[i];
            }
        }
    }
}

/*
 * ---- Everything ----
 */

static void ask_who(struct history *history)
{
    const struct weir_token **able =
        must_allocate((history->held_count + 1) * sizeof(struct weir_token *));
    struct weir_tokens tokens = {NULL, 0};
    struct weir_question question;
    struct weir_error error;
    size_t id = 0;
    size_t count = 0;

    draw_question(history, &question, &id);
    count =
        naive_who(history->held, history->held_count, &question.request, history->world->now, able);
    weir_read_begin();
    must_succeed(weir_engine_who(history->engine, &question.request, history->world->now, NULL,
                                 &tokens, &error),
                 &error, history->world, "asking who");
    if (tokens.count != count) {
        history_fail(history, NULL, &question.request, "there are more or fewer who may");
    }
    for (size_t i = 0; i < count; i++) {
        if (!naive_same(weir_compiled_token_id(tokens.tokens[i]), able[i]->id)) {
            history_fail(history, able[i], &question.request, "others may");
        }
    }
    weir_tokens_free(&tokens, NULL);
    weir_read_end();
    request_fini(&question.request);
    free(able);
}

static void ask_everything(struct history *history)
{
    const struct weir_usage usage = weir_engine_usage(history->engine);

    if (usage.tokens != history->held_count || usage.own_tokens > usage.tokens) {
        history_fail(history, NULL, NULL, "the engine miscounts its tokens");
    }
    ask_batch(history);
    ask_by_digest(history);
    for (size_t i = 0; i < 3; i++) {
        struct kept *one = &kept[dice_below(&history->dice, CREDENTIALS_KEPT)];

        if (one->in_use) {
            ask_kept(history, one);
        }
    }
    if (history->steps % 32 == 0 && history->id_count < 500) {
        ask_who(history);
    }
}

struct plan {
    size_t id_count; /* 0: the ids of the world's tokens */
    size_t steps;
    bool grows;
};

static void live_through(struct world *world, const struct plan *plan, enum beginning beginning)
{
    struct history history;

    memset(kept, 0, sizeof kept);
    history_begin(&history, world, plan->id_count, beginning);
    ask_everything(&history);
    while (history.steps < plan->steps) {
        history_step(&history, plan->grows);
        ask_everything(&history);
    }
    history_end(&history);
}

static void print_counts(uint64_t seed, uint64_t histories)
{
    printf("seed %" PRIu64 ": %" PRIu64 " decisions in %" PRIu64 " histories\n", seed, total,
           histories);
    for (unsigned reason = 0; reason < WEIR_REASON_COUNT; reason++) {
        printf("  %-26s %9" PRIu64 "  %5.1f %%\n", weir_reason_name((enum weir_reason)reason),
               by_reason[reason], 100.0 * (double)by_reason[reason] / (double)total);
    }
}

/* Few ids, so that each is issued again and again; many, so that the second index grows. */
static const struct plan plans[] = {{6, 300, false}, {0, 200, false}, {60, 400, false},
                                    {3, 200, false}, {0, 200, true},  {300, 1000, true}};
static const struct plan large = {4000, 6000, true};

START_TEST(after_every_change_an_engine_decides_as_the_naive_evaluator_does)
{
    const uint64_t seed = model_seed();
    const uint64_t amount = model_amount(DECISIONS);
    uint64_t histories = 0;

    total = 0;
    memset(by_reason, 0, sizeof by_reason);
    for (uint64_t i = 0; total < amount; i++) {
        struct world *world = world_new(seed + i);

        if (world->count > 0) { /* some world has no tokens: nothing to draw from */
            live_through(world, &plans[histories % COUNT_OF(plans)],
                         (enum beginning)(histories / COUNT_OF(plans) % BEGINNINGS));
            histories++;
        }
        world_free(world);
    }
    print_counts(seed, histories);
    ck_assert_uint_eq(by_reason[WEIR_STALE], 0);
    ck_assert_msg(by_reason[WEIR_ALLOWED] * 20 >= total, "too few questions are allowed");
    for (unsigned reason = WEIR_UNKNOWN_TOKEN; reason < WEIR_REASON_COUNT; reason++) {
        ck_assert_msg(by_reason[reason] >= model_amount(5000), "too few questions end in %s",
                      weir_reason_name((enum weir_reason)reason));
    }
}
END_TEST

START_TEST(an_engine_of_thousands_of_tokens_of_its_own_decides_as_the_naive_evaluator_does)
{
    const uint64_t seed = model_seed();
    struct plan plan = large;
    struct world *world = world_new(seed);

    plan.steps = (size_t)model_amount(plan.steps);
    plan.id_count = (size_t)model_amount(plan.id_count);
    live_through(world, &plan, BEGIN_WITH_NOTHING);
    world_free(world);
    world = world_new(seed + 1);
    live_through(world, &plan, BEGIN_WITH_MAPPED_IMAGE);
    world_free(world);
}
END_TEST

int main(void)
{
    const TTest *const cases[] = {
        after_every_change_an_engine_decides_as_the_naive_evaluator_does,
        an_engine_of_thousands_of_tokens_of_its_own_decides_as_the_naive_evaluator_does,
    };

    return run_cases("histories", cases, COUNT_OF(cases));
}
