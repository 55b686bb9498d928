/*
 * latency.c - how long single checks take, each timed by itself.
 *
 * A figure includes reading the clock, which is what is found where nothing is timed, and what
 * interrupts the machine, which is what arithmetic that takes as long as a check finds: it touches
 * no memory, so nothing but the machine could make it take longer at one time than at another.
 */
#include <string.h>

#include "benches.h"
#include "rounds.h"
#include "sides.h"
#include "times.h"

/* A round times so many checks. */
#define CHUNKS 4000
#define CHUNKS_OF_WARMING_UP 400

static const struct {
    const char *name;
    double share;
} percentiles[] = {{"p50_ns", 0.5},  {"p75_ns", 0.75},    {"p90_ns", 0.9},      {"p95_ns", 0.95},
                   {"p99_ns", 0.99}, {"p99_9_ns", 0.999}, {"p99_99_ns", 0.9999}};

static void tell(const struct times *times, struct bench_round *round)
{
    for (size_t i = 0; i < sizeof percentiles / sizeof percentiles[0]; i++) {
        bench_count(round, percentiles[i].name,
                    times_of_ticks(times_percentile(times, percentiles[i].share)));
    }
    bench_count(round, "longest_ns", times_of_ticks((double)times->longest));
}

/* What is timed: checks, or, without a side, multiplications that wait for each other. */
struct subject {
    const struct side *side;
    size_t multiplications;
};

static void multiply(size_t count)
{
    uint64_t product = 3;

    for (size_t i = 0; i < count; i++) {
        product = rounds_keep(product) * UINT64_C(6364136223846793005);
    }
    (void)rounds_keep(product);
}

/* Times each check of a chunk. Returns whether the answers are right. */
static bool time_each(const struct subject *subject, const struct chunk *chunk, struct times *times)
{
    uint64_t allowed = 0;

    for (size_t i = 0; i < CHUNK; i++) {
        uint64_t start = times_ticks();

        if (subject->side != NULL) {
            allowed += side_allows(subject->side, &chunk->questions[i]);
        } else {
            multiply(subject->multiplications);
        }
        times_add(times, times_ticks() - start);
    }
    return subject->side == NULL || allowed == chunk->allowed;
}

/* Times so many chunks. Returns whether the answers are right. */
static bool time_chunks(struct subject subject, struct requests *requests, size_t count,
                        struct times *times)
{
    static struct chunk chunk __attribute__((aligned(64)));
    bool right = true;

    memset(times, 0, sizeof *times);
    for (size_t i = 0; i < count; i++) {
        requests_stage(requests, &chunk);
        right &= time_each(&subject, &chunk, times);
    }
    return right;
}

static void latency_round(struct subject subject, struct requests *requests,
                          struct bench_round *round)
{
    static struct times times;
    bool right = time_chunks(subject, requests, CHUNKS_OF_WARMING_UP, &times) &&
                 time_chunks(subject, requests, CHUNKS, &times);

    tell(&times, round);
    if (!right) {
        bench_wrong(round, "wrong answers");
    }
}

void latency_of_nothing(void *requests, struct bench_round *round)
{
    bench_count(round, "step_of_the_clock_ns", times_of_ticks((double)times_step()));
    latency_round((struct subject){NULL, 0}, requests, round);
}

void latency_of_check(void *requests, struct bench_round *round)
{
    latency_round((struct subject){side_of_engine(), 0}, requests, round);
}

static double median_of(struct subject subject, struct requests *requests)
{
    static struct times times;

    (void)time_chunks(subject, requests, CHUNKS_OF_WARMING_UP, &times);
    return times_percentile(&times, 0.5);
}

/* So many multiplications take as long as a check of these requests. */
static size_t as_long_as_a_check(struct requests *requests)
{
    double nothing = median_of((struct subject){NULL, 0}, requests);
    double thousand = median_of((struct subject){NULL, 1000}, requests) - nothing;
    double check = median_of((struct subject){side_of_engine(), 0}, requests) - nothing;

    return check > 0 ? (size_t)(1000 * check / thousand) : 0;
}

void latency_of_arithmetic(void *requests, struct bench_round *round)
{
    latency_round((struct subject){NULL, as_long_as_a_check(requests)}, requests, round);
}

static void latency_beside_changes(struct side *side, void *requests, struct bench_round *round)
{
    struct writer writer;

    writer_start(&writer, side);
    latency_round((struct subject){side, 0}, requests, round);
    writer_stop(&writer, round);
}

void latency_of_check_beside_changes(void *requests, struct bench_round *round)
{
    latency_beside_changes(side_of_engine(), requests, round);
}

void latency_of_rival_beside_changes(void *requests, struct bench_round *round)
{
    latency_beside_changes(side_of_rival(), requests, round);
}
