/*
 * follow_checks.c - asking a follower, and what else its host's loop does when nothing is new.
 *
 * A follower and its own engine are asked in turn, chunk by chunk: what the one costs more than the
 * other is then not what the machine did meanwhile.
 */
#include <weir/follow.h>

#include <string.h>

#include "benches.h"
#include "directories.h"
#include "engines.h"
#include "rounds.h"
#include "times.h"
#include "tokens.h"

/* Requests in a row that a batch takes. */
#define BATCH 32

/* Chunks with which each of the two warms up, and that are timed. */
#define WARM 200
#define TIMED 800

/* What is asked in this round, and when that is. */
static struct weir_follower *asked;
static const struct weir_engine *engine_asked;
static struct weir_clocks instants;

static struct weir_follower *still_follower(void)
{
    static struct weir_follower *follower;

    if (follower == NULL) {
        engines_must(weir_follower_open(directory_still()->path, NULL, &follower, NULL),
                     "following");
    }
    return follower;
}

/* Makes ready for a round: all that the follower has is fresh now. */
static void make_ready(void)
{
    asked = still_follower();
    weir_publisher_heartbeat(directory_still()->publisher);
    instants = (struct weir_clocks){BENCH_NOW, weir_clocks_now().boot};
    engines_must(weir_follower_poll(asked, instants.boot, 0, NULL), "polling");
    engine_asked = weir_follower_engine(asked, instants.boot);
    engines_must(engine_asked != NULL ? WEIR_OK : WEIR_ERROR_IO, "fresh tokens");
}

/*
 * ---- Checks ----
 */

static uint64_t ask_follower_in_a_loop(const struct chunk *chunk)
{
    struct weir_clocks now = instants;
    uint64_t allowed = 0;

    for (size_t i = 0; i < CHUNK; i++) {
        const struct weir_question *question = &chunk->questions[i];

        allowed +=
            weir_follower_check(asked, question->token_id, &question->request, now) == WEIR_ALLOWED;
    }
    return allowed;
}

static uint64_t ask_engine_in_a_loop(const struct chunk *chunk)
{
    struct weir_instant now = instants.wall;
    uint64_t allowed = 0;

    for (size_t i = 0; i < CHUNK; i++) {
        const struct weir_question *question = &chunk->questions[i];

        allowed += weir_engine_check(engine_asked, question->token_id, &question->request, now) ==
                   WEIR_ALLOWED;
    }
    return allowed;
}

static uint64_t ask_follower_one_at_a_time(const struct chunk *chunk)
{
    struct weir_clocks now = instants;
    uint64_t allowed = 0;

    for (size_t i = 0; i < CHUNK; i++) {
        const struct weir_question *question = &chunk->questions[i];

        allowed +=
            weir_follower_check(asked, question->token_id, &question->request, now) == WEIR_ALLOWED;
        times_fence();
    }
    return allowed;
}

static uint64_t ask_engine_one_at_a_time(const struct chunk *chunk)
{
    struct weir_instant now = instants.wall;
    uint64_t allowed = 0;

    for (size_t i = 0; i < CHUNK; i++) {
        const struct weir_question *question = &chunk->questions[i];

        allowed += weir_engine_check(engine_asked, question->token_id, &question->request, now) ==
                   WEIR_ALLOWED;
        times_fence();
    }
    return allowed;
}

static uint64_t count_allowed(const enum weir_reason reasons[BATCH])
{
    uint64_t allowed = 0;

    for (size_t i = 0; i < BATCH; i++) {
        allowed += reasons[i] == WEIR_ALLOWED;
    }
    return allowed;
}

static uint64_t ask_follower_in_batches(const struct chunk *chunk)
{
    uint64_t allowed = 0;

    for (size_t done = 0; done < CHUNK; done += BATCH) {
        enum weir_reason reasons[BATCH];

        weir_follower_check_batch(asked, chunk->questions + done, BATCH, instants, reasons);
        allowed += count_allowed(reasons);
    }
    return allowed;
}

static uint64_t ask_engine_in_batches(const struct chunk *chunk)
{
    uint64_t allowed = 0;

    for (size_t done = 0; done < CHUNK; done += BATCH) {
        enum weir_reason reasons[BATCH];

        weir_engine_check_batch(engine_asked, chunk->questions + done, BATCH, instants.wall,
                                reasons);
        allowed += count_allowed(reasons);
    }
    return allowed;
}

static double median_of(const struct times *times)
{
    return times_between(0, (uint64_t)times_percentile(times, 0.5)) / CHUNK;
}

static void ask_both(rounds_pass *ask_follower, rounds_pass *ask_engine, void *requests,
                     struct bench_round *round)
{
    static struct times follower;
    static struct times engine;
    uint64_t wrong = 0;

    make_ready();
    for (size_t i = 0; i < WARM + TIMED; i++) {
        if (i == 0 || i == WARM) {
            memset(&follower, 0, sizeof follower);
            memset(&engine, 0, sizeof engine);
        }
        times_add(&follower, rounds_time(requests, ask_follower, &wrong));
        times_add(&engine, rounds_time_beside(requests, ask_engine, &wrong));
    }
    bench_time(round, median_of(&follower));
    bench_count(round, "by_its_engine_ns", median_of(&engine));
    if (wrong != 0) {
        bench_wrong(round, "wrong answers");
    }
}

void follower_check_in_a_loop(void *requests, struct bench_round *round)
{
    ask_both(ask_follower_in_a_loop, ask_engine_in_a_loop, requests, round);
}

void follower_check_one_at_a_time(void *requests, struct bench_round *round)
{
    ask_both(ask_follower_one_at_a_time, ask_engine_one_at_a_time, requests, round);
}

void follower_check_in_batches(void *requests, struct bench_round *round)
{
    ask_both(ask_follower_in_batches, ask_engine_in_batches, requests, round);
}

/*
 * ---- The rest of a turn ----
 */

static uint64_t poll_often(void *context)
{
    uint64_t failed = 0;

    (void)context;
    for (size_t i = 0; i < CHUNK; i++) {
        failed += weir_follower_poll(asked, instants.boot, 0, NULL) != WEIR_OK;
    }
    return failed;
}

void poll_nothing_new(void *subject, struct bench_round *round)
{
    (void)subject;
    make_ready();
    rounds_run_alone(TIMED, CHUNK, poll_often, NULL, round);
}

static uint64_t read_clocks(void *context)
{
    uint64_t sum = 0;

    (void)context;
    for (size_t i = 0; i < CHUNK; i++) {
        sum += rounds_keep(weir_clocks_now().boot);
    }
    return sum;
}

void clocks_read(void *subject, struct bench_round *round)
{
    (void)subject;
    rounds_run_alone(TIMED, CHUNK, read_clocks, NULL, round);
}

static uint64_t give_heartbeats(void *publisher)
{
    for (size_t i = 0; i < CHUNK; i++) {
        weir_publisher_heartbeat(publisher);
    }
    return 0;
}

void heartbeat_give(void *subject, struct bench_round *round)
{
    (void)subject;
    rounds_run_alone(TIMED, CHUNK, give_heartbeats, directory_still()->publisher, round);
}
