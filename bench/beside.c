/* beside.c - a reader beside a writer: what the one costs the other. */
#include <pthread.h>

#include "benches.h"
#include "pair.h"
#include "sides.h"
#include "times.h"
#include "tokens.h"

/* Nanoseconds that a round reads. */
#define READING 1e8

/* Passes over the same requests, in the hot rounds. */
#define PASSES 16

/*
 * ---- The reader ----
 */

/* Asks for some time, and returns the nanoseconds of its own that a check took. */
static double read_for_a_while(const struct side *side, struct requests *requests, size_t passes,
                               bool *wrong)
{
    struct chunk chunk __attribute__((aligned(64)));
    double end = times_wall() + READING;
    double spent = 0;
    size_t asked = 0;

    while (times_wall() < end) {
        uint64_t allowed = 0;
        double start = 0;

        side_stage(requests, &chunk);
        start = times_own();
        for (size_t i = 0; i < passes * CHUNK; i++) {
            allowed += side_allows(side, &chunk.questions[i % CHUNK]);
        }
        spent += times_own() - start;
        asked += passes * CHUNK;
        *wrong |= allowed != passes * chunk.allowed;
    }
    return spent / (double)asked;
}

static void read_round(struct side *side, bool disturbed, struct requests *requests, size_t passes,
                       struct bench_round *round)
{
    struct writer writer;
    bool wrong = false;

    if (disturbed) {
        writer_start(&writer, side);
    }
    bench_time(round, read_for_a_while(side, requests, passes, &wrong));
    if (disturbed) {
        writer_stop(&writer, round);
    }
    if (wrong) {
        bench_wrong(round, "wrong answers");
    }
}

void beside_nothing_hot(void *requests, struct bench_round *round)
{
    read_round(side_of_engine(), false, requests, PASSES, round);
}

void beside_changes_hot(void *requests, struct bench_round *round)
{
    read_round(side_of_engine(), true, requests, PASSES, round);
}

void beside_nothing_cold(void *requests, struct bench_round *round)
{
    read_round(side_of_engine(), false, requests, 1, round);
}

void beside_changes_cold(void *requests, struct bench_round *round)
{
    read_round(side_of_engine(), true, requests, 1, round);
}

void rival_beside_nothing_hot(void *requests, struct bench_round *round)
{
    read_round(side_of_rival(), false, requests, PASSES, round);
}

void rival_beside_changes_hot(void *requests, struct bench_round *round)
{
    read_round(side_of_rival(), true, requests, PASSES, round);
}

void rival_beside_nothing_cold(void *requests, struct bench_round *round)
{
    read_round(side_of_rival(), false, requests, 1, round);
}

void rival_beside_changes_cold(void *requests, struct bench_round *round)
{
    read_round(side_of_rival(), true, requests, 1, round);
}

void sleeping_rival_beside_changes_hot(void *requests, struct bench_round *round)
{
    read_round(side_of_sleeping_rival(), true, requests, PASSES, round);
}

/*
 * ---- Two readers ----
 */

struct reader {
    const struct side *side;
    struct requests *requests;
    double spent; /* of its own nanoseconds, for a check */
    bool wrong;
};

static void *read_beside(void *context)
{
    struct reader *reader = context;

    reader->spent = read_for_a_while(reader->side, reader->requests, PASSES, &reader->wrong);
    return NULL;
}

/* Two threads ask the same questions; the figure is the mean of what a check takes each. */
static void two_readers_round(const struct side *side, struct requests *requests,
                              struct bench_round *round)
{
    struct pair pair;
    struct reader other = {.side = side, .requests = requests};
    bool wrong = false;
    double spent = 0;

    pair_start(&pair, read_beside, &other);
    spent = read_for_a_while(side, requests, PASSES, &wrong);
    pair_join(&pair);
    bench_time(round, (spent + other.spent) / 2);
    if (wrong || other.wrong) {
        bench_wrong(round, "wrong answers");
    }
}

void beside_reader(void *requests, struct bench_round *round)
{
    two_readers_round(side_of_engine(), requests, round);
}

void rival_beside_reader(void *requests, struct bench_round *round)
{
    two_readers_round(side_of_rival(), requests, round);
}
