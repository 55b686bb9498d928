/* rounds.h - timing a pass over a few requests, often, and taking the median. */
#ifndef WEIR_BENCH_ROUNDS_H
#define WEIR_BENCH_ROUNDS_H

#include <stddef.h>
#include <stdint.h>

#include "harness.h"
#include "requests.h"

/* The value, which the compiler must take for one that it cannot know. */
static inline uint64_t rounds_keep(uint64_t value)
{
    __asm__ volatile("" : "+r"(value));
    return value;
}

/* Zero, which the compiler cannot know to be zero: what is added with it is waited for. */
extern volatile uint64_t rounds_zero;

/* Goes over all requests of a chunk. Returns how many are allowed, or 0 if it does not check. */
typedef uint64_t rounds_pass(const struct chunk *chunk);

/* Stages other requests, and makes one pass over them. Returns what it took, in ticks (times.h),
 * and counts it in `wrong` if its answers are not those that the requests expect. */
uint64_t rounds_time(struct requests *requests, rounds_pass *pass, uint64_t *wrong);

/* The same for what another pass is compared with: its instructions are not counted. */
uint64_t rounds_time_beside(struct requests *requests, rounds_pass *pass, uint64_t *wrong);

/* How many chunks a round warms up with, and how many it times. */
struct rounds_effort {
    size_t warm;
    size_t timed;
};

/*
 * Stages one chunk of requests after the other, times the pass over each, and tells the round the
 * median, for one request. If the pass checks, its answers must be those that the requests expect.
 */
void rounds_run(struct requests *requests, struct rounds_effort effort, rounds_pass *pass,
                bool checks, struct bench_round *round);

/* Likewise, and has `prepare` make ready for each chunk, before the clock is read, what the pass
 * needs beside it. */
typedef void rounds_prepare(const struct chunk *chunk);

void rounds_run_prepared(struct requests *requests, struct rounds_effort effort,
                         rounds_prepare *prepare, rounds_pass *pass, bool checks,
                         struct bench_round *round);

/* Like rounds_run for a pass that needs no requests and does `operations` operations. */
void rounds_run_alone(size_t timed, size_t operations, uint64_t (*pass)(void *), void *context,
                      struct bench_round *round);

#endif
