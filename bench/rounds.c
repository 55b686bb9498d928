#include "rounds.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CHUNKS_MAX 4096

volatile uint64_t rounds_zero = 0;

/* Where passes leave what they found, so that nothing of it is left out. */
static volatile uint64_t rounds_sink;

static double nanoseconds_of(clockid_t clock)
{
    struct timespec now;

    (void)clock_gettime(clock, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

double rounds_own_time(void)
{
    return nanoseconds_of(CLOCK_THREAD_CPUTIME_ID);
}

/* A clock that is cheap enough for a microsecond. Fenced on both sides: nothing moves past it. */
static inline uint64_t ticks(void)
{
#if defined(__x86_64__)
    uint64_t now = 0;

    rounds_fence();
    now = __builtin_ia32_rdtsc();
    rounds_fence();
    return now;
#else
    rounds_fence();
    return (uint64_t)nanoseconds_of(CLOCK_MONOTONIC_RAW);
#endif
}

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

/* What the clock says of itself: how long a tick is, and what reading it twice takes. */
struct tick {
    double nanoseconds;
    double overhead;
};

static struct tick calibrate(void)
{
    double begin = nanoseconds_of(CLOCK_MONOTONIC_RAW);
    uint64_t first = ticks();
    double reads[1001];
    double end = begin;

    while (end - begin < 1e8) {
        end = nanoseconds_of(CLOCK_MONOTONIC_RAW);
    }
    for (size_t i = 0; i < sizeof reads / sizeof reads[0]; i++) {
        uint64_t before = ticks();

        reads[i] = (double)(ticks() - before);
    }
    return (struct tick){(nanoseconds_of(CLOCK_MONOTONIC_RAW) - begin) / (double)(ticks() - first),
                         median(reads, sizeof reads / sizeof reads[0])};
}

static double nanoseconds_since(uint64_t start, uint64_t end)
{
    static struct tick tick;

    if (tick.nanoseconds == 0) {
        tick = calibrate();
    }
    return ((double)(end - start) - tick.overhead) * tick.nanoseconds;
}

void rounds_run(struct requests *requests, struct rounds_effort effort, rounds_pass *pass,
                bool checks, struct bench_round *round)
{
    static double times[CHUNKS_MAX];
    static struct chunk chunk __attribute__((aligned(64)));
    uint64_t wrong = 0;

    for (size_t i = 0; i < effort.warm; i++) {
        requests_stage(requests, &chunk);
        rounds_sink = pass(&chunk);
    }
    for (size_t i = 0; i < effort.timed; i++) {
        uint64_t start = 0;
        uint64_t end = 0;
        uint64_t allowed = 0;

        requests_stage(requests, &chunk);
        start = ticks();
        allowed = pass(&chunk);
        end = ticks();
        wrong += allowed != chunk.allowed;
        rounds_sink = allowed;
        times[i] = nanoseconds_since(start, end) / CHUNK;
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
        uint64_t start = ticks();

        rounds_sink = pass(context);
        times[i] = nanoseconds_since(start, ticks()) / (double)operations;
    }
    bench_time(round, median(times, timed));
}
