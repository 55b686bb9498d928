/*
 * differential.c - every way to a decision against the naive evaluator, for as long as asked:
 *
 *     differential [DECISIONS [SECONDS [WEIR]]]
 *
 * Ends after so many decisions or seconds, whichever comes first (0: no such end). A decision is an
 * answer of Weir's that was compared; a question is asked in all ways, and the naive evaluator,
 * which is the slowest, once. WEIR is the command's path; without it the command is not asked.
 * WEIR_SEED chooses the first world; each further one has the seed after that.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "differential/command.h"
#include "differential/places.h"
#include "model/images.h"
#include "model/naive.h"
#include "model/report.h"

/* As a test among others. */
#define DECISIONS UINT64_C(2000000)

enum { BATCH = 70, ROUNDS = 4, COMMAND_WORLDS = 16, COMMAND_QUESTIONS = 2000 };

enum way {
    IMAGE_BY_ID,
    IMAGE_BATCH,
    IMAGE_FOUND,
    IMAGE_BY_DIGEST,
    ENGINE_BY_ID,
    ENGINE_BATCH,
    ENGINE_RESOLVED,
    ENGINE_BY_DIGEST,
    FOLLOWER_BY_ID,
    FOLLOWER_BATCH,
    FOLLOWER_RESOLVED,
    COMMAND,
    WAYS
};

static const char *const way_names[WAYS] = {
    "image, by id",    "image, in a batch",    "image, found before", "image, by digest",
    "engine, by id",   "engine, in a batch",   "engine, resolved",    "engine, by digest",
    "follower, by id", "follower, in a batch", "follower, resolved",  "the command"};

/* What was asked for, and what was done. */
static uint64_t decisions_wanted = DECISIONS;
static double seconds_wanted;
static const char *weir;
static uint64_t by_way[WAYS];
static uint64_t by_reason[WEIR_REASON_COUNT];
static uint64_t decisions;
static uint64_t questions_asked;

struct asked {
    const struct places *places;
    const struct weir_question *question;
    const struct naive_answer *expected;
};

static void agree(const struct asked *asked, enum way way, enum weir_reason reason)
{
    by_way[way]++;
    decisions++;
    if (reason == asked->expected->reason) {
        return;
    }
    report_world(asked->places->world, way_names[way]);
    (void)fprintf(stderr, "answered %s, expected %s\n", weir_reason_name(reason),
                  weir_reason_name(asked->expected->reason));
    report_text("token id", asked->question->token_id);
    report_request(&asked->question->request);
    if (asked->expected->token != NULL) {
        report_token(asked->expected->token);
    }
    ck_abort_msg("the reasons differ (see above)");
}

static void ask_image(const struct asked *asked)
{
    const struct weir_image *image = asked->places->image;
    const struct weir_request *request = &asked->question->request;
    const struct weir_instant now = asked->places->world->now;
    const struct weir_token *token = asked->expected->token;

    agree(asked, IMAGE_BY_ID, weir_check(image, asked->question->token_id, request, now).reason);
    agree(asked, IMAGE_FOUND,
          weir_check_token(weir_image_find(image, asked->question->token_id), request, now).reason);
    if (token != NULL && token->has_credential_digest) {
        agree(asked, IMAGE_BY_DIGEST,
              weir_check_token(weir_image_find_by_digest(image, token->credential_digest), request,
                               now)
                  .reason);
    }
}

static void ask_engine(const struct asked *asked, const struct weir_engine *engine)
{
    const struct weir_request *request = &asked->question->request;
    const struct weir_instant now = asked->places->world->now;
    const struct weir_token *token = asked->expected->token;
    struct weir_resolved resolved;

    agree(asked, ENGINE_BY_ID, weir_engine_check(engine, asked->question->token_id, request, now));
    (void)weir_engine_resolve(engine, asked->question->token_id, &resolved);
    agree(asked, ENGINE_RESOLVED, weir_engine_check_resolved(engine, &resolved, request, now));
    if (token != NULL && token->has_credential_digest) {
        (void)weir_engine_resolve_by_digest(engine, token->credential_digest, &resolved);
        agree(asked, ENGINE_BY_DIGEST, weir_engine_check_resolved(engine, &resolved, request, now));
    }
}

static void ask_follower(const struct asked *asked, struct weir_clocks clocks)
{
    const struct weir_follower *follower = asked->places->follower;
    const struct weir_engine *engine = weir_follower_engine(follower, clocks.boot);
    const struct weir_request *request = &asked->question->request;
    struct weir_resolved resolved;

    ck_assert_ptr_nonnull(engine);
    agree(asked, FOLLOWER_BY_ID,
          weir_follower_check(follower, asked->question->token_id, request, clocks));
    (void)weir_engine_resolve(engine, asked->question->token_id, &resolved);
    agree(asked, FOLLOWER_RESOLVED,
          weir_follower_check_resolved(follower, &resolved, request, clocks));
}

/* The answers of the batches, one call each. */
struct batches {
    struct weir_decision image[BATCH];
    enum weir_reason engines[ENGINES][BATCH];
    enum weir_reason follower[BATCH];
};

static void ask_batches(const struct places *places, const struct weir_question *questions,
                        size_t count, struct weir_clocks clocks, struct batches *batches)
{
    memset(batches, 0xff, sizeof *batches);
    weir_check_batch(places->image, questions, count, clocks.wall, batches->image);
    for (size_t i = 0; i < ENGINES; i++) {
        weir_engine_check_batch(places->engines[i], questions, count, clocks.wall,
                                batches->engines[i]);
    }
    weir_follower_check_batch(places->follower, questions, count, clocks, batches->follower);
}

static void ask_in_every_way(const struct asked *asked, const struct batches *batches, size_t at,
                             struct weir_clocks clocks)
{
    agree(asked, IMAGE_BATCH, batches->image[at].reason);
    for (size_t i = 0; i < ENGINES; i++) {
        agree(asked, ENGINE_BATCH, batches->engines[i][at]);
        ask_engine(asked, asked->places->engines[i]);
    }
    agree(asked, FOLLOWER_BATCH, batches->follower[at]);
    ask_image(asked);
    ask_follower(asked, clocks);
}

static void ask_some(const struct places *places, struct world *world)
{
    struct weir_question questions[BATCH];
    struct weir_clocks clocks = places_clocks(places);
    struct batches batches;
    size_t count = dice_between(&world->dice, 1, BATCH);

    for (size_t i = 0; i < count; i++) {
        world_question(world, &questions[i]);
    }
    ask_batches(places, questions, count, clocks, &batches);
    for (size_t i = 0; i < count; i++) {
        const struct naive_answer expected = naive_decide(
            world->tokens, world->count, questions[i].token_id, &questions[i].request, world->now);
        const struct asked asked = {places, &questions[i], &expected};

        ask_in_every_way(&asked, &batches, i, clocks);
        by_reason[expected.reason]++;
        question_fini(&questions[i]);
    }
    questions_asked += count;
}

static void ask_world(uint64_t seed)
{
    struct world *world = world_new(seed);
    const uint64_t until = questions_asked + ROUNDS * world->questions;
    struct places places;

    places_open(&places, world);
    while (questions_asked < until) {
        ask_some(&places, world);
    }
    if (weir != NULL && seed % COMMAND_WORLDS == 0) {
        uint64_t asked = command_expect(weir, world, places.image, COMMAND_QUESTIONS);

        by_way[COMMAND] += asked;
        decisions += asked;
    }
    places_close(&places);
    world_free(world);
}

static double seconds_now(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void print_figures(uint64_t seed, uint64_t worlds, double seconds)
{
    printf("seeds %" PRIu64 " to %" PRIu64 ": %" PRIu64 " decisions, %" PRIu64
           " questions, %.0f s, %.0f decisions a second\n",
           seed, seed + worlds - 1, decisions, questions_asked, seconds,
           (double)decisions / seconds);
    for (unsigned way = 0; way < WAYS; way++) {
        printf("  %-31s %12" PRIu64 " decisions\n", way_names[way], by_way[way]);
    }
    for (unsigned reason = 0; reason < WEIR_REASON_COUNT; reason++) {
        printf("  %-31s %12" PRIu64 " questions\n", weir_reason_name((enum weir_reason)reason),
               by_reason[reason]);
    }
}

START_TEST(every_way_to_a_decision_leads_to_the_naive_one)
{
    const uint64_t seed = model_seed();
    const double start = seconds_now();
    uint64_t worlds = 0;

    do {
        ask_world(seed + worlds++);
    } while ((decisions_wanted == 0 || decisions < decisions_wanted) &&
             (seconds_wanted <= 0 || seconds_now() - start < seconds_wanted));
    print_figures(seed, worlds, seconds_now() - start);
    ck_assert_msg(by_reason[WEIR_ALLOWED] * 10 >= questions_asked, "too few are allowed");
    ck_assert_uint_eq(by_reason[WEIR_STALE], 0);
}
END_TEST

int main(int argc, char **argv)
{
    const TTest *const cases[] = {every_way_to_a_decision_leads_to_the_naive_one};

    decisions_wanted = argc > 1 ? strtoull(argv[1], NULL, 10) : model_amount(DECISIONS);
    seconds_wanted = argc > 2 ? strtod(argv[2], NULL) : 0;
    weir = argc > 3 && argv[3][0] != '\0' ? argv[3] : NULL;
    return run_cases("differential", cases, COUNT_OF(cases));
}
