#include "rounds.h"

#include <stdlib.h>

#include "instructions.h"
#include "times.h"

#define CHUNKS_MAX 4096

volatile uint64_t rounds_zero = 0;

/* Where passes leave what they found, so that nothing of it is left out. */
static volatile uint64_t rounds_sink;

static int compare_doubles(const void *left, const void *right)
{
    double a = *(const double *)left;
    double b = *(const double *)right;

    return (a > b) - (a < b);
}

static double median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, compare_doubles);
    return count % 2 == 1 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

static struct chunk *stage(struct requests *requests)
{
    static struct chunk chunk __attribute__((aligned(64)));

    requests_stage(requests, &chunk);
    return &chunk;
}

static uint64_t time_pass(const struct chunk *chunk, rounds_pass *pass, uint64_t *wrong)
{
    uint64_t start = times_ticks();
    uint64_t allowed = pass(chunk);
    uint64_t end = times_ticks();

    *wrong += allowed != chunk->allowed;
    rounds_sink = allowed;
    return end - start;
}

static uint64_t time_prepared(struct requests *requests, rounds_prepare *prepare, rounds_pass *pass,
                              uint64_t *wrong)
{
    const struct chunk *chunk = stage(requests);
    uint64_t ticks = 0;

    if (prepare != NULL) {
        prepare(chunk);
    }
    instructions_begin();
    ticks = time_pass(chunk, pass, wrong);
    instructions_end(CHUNK);
    return ticks;
}

uint64_t rounds_time(struct requests *requests, rounds_pass *pass, uint64_t *wrong)
{
    return time_prepared(requests, NULL, pass, wrong);
}

uint64_t rounds_time_beside(struct requests *requests, rounds_pass *pass, uint64_t *wrong)
{
    return time_pass(stage(requests), pass, wrong);
}

void rounds_run(struct requests *requests, struct rounds_effort effort, rounds_pass *pass,
                bool checks, struct bench_round *round)
{
    rounds_run_prepared(requests, effort, NULL, pass, checks, round);
}

void rounds_run_prepared(struct requests *requests, struct rounds_effort effort,
                         rounds_prepare *prepare, rounds_pass *pass, bool checks,
                         struct bench_round *round)
{
    static double times[CHUNKS_MAX];
    uint64_t wrong = 0;

    for (size_t i = 0; i < effort.warm; i++) {
        (void)time_prepared(requests, prepare, pass, &wrong);
    }
    for (size_t i = 0; i < effort.timed; i++) {
        times[i] = times_between(0, time_prepared(requests, prepare, pass, &wrong)) / CHUNK;
    }
    if (checks && wrong != 0) {
        bench_wrong(round, "wrong answers");
        return;
    }
    bench_time(round, median(times, effort.timed));
}

void rounds_run_alone(size_t timed, size_t operations, uint64_t (*pass)(void *), void *context,
                      struct bench_round *round)
{
    static double times[CHUNKS_MAX];

    for (size_t i = 0; i < timed; i++) {
        uint64_t start = 0;
        uint64_t end = 0;

        instructions_begin();
        start = times_ticks();
        rounds_sink = pass(context);
        end = times_ticks();
        instructions_end(operations);
        times[i] = times_between(start, end) / (double)operations;
    }
    bench_time(round, median(times, timed));
}
