/* harness.h - benchmarks in C, run, repeated and interleaved by Google Benchmark. */
#ifndef WEIR_BENCH_HARNESS_H
#define WEIR_BENCH_HARNESS_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One round of a benchmark, which tells what it found by the functions below. */
struct bench_round;

/* The time of one operation. A round that has none counts something else. */
void bench_time(struct bench_round *round, double nanoseconds);

/* A figure that is no time. `name` is static. */
void bench_count(struct bench_round *round, const char *name, double value);

/* The round found a wrong answer: no figure of it counts, and the run fails. `what` is static. */
void bench_wrong(struct bench_round *round, const char *what);

/*
 * A benchmark. `setup` is called before its first round, `teardown` after the last of all rounds
 * (NULL: there is nothing to do). `run` does a whole round, warming up included: how long it takes
 * is its own affair, so that it can leave out of the figure whatever does not belong there.
 */
struct bench {
    const char *name;
    void *(*setup)(void);
    void (*run)(void *subject, struct bench_round *round);
    void (*teardown)(void *subject);
};

/* Whether that flag is among the arguments, from which it is taken out: Google Benchmark, which
 * takes out its own, would not know it. */
bool bench_take_flag(int *argc, char **argv, const char *flag);

/* Runs them all, as the flags of Google Benchmark say, and returns what main should. --progress
 * tells on standard error how far it is. */
int bench_main(int argc, char **argv, const struct bench *benches, size_t count);

#ifdef __cplusplus
}
#endif

#endif
