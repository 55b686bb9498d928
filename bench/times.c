#include "times.h"

#include <stdlib.h>

static double clock_nanoseconds(clockid_t clock)
{
    struct timespec now;

    (void)clock_gettime(clock, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

double times_wall(void)
{
    return clock_nanoseconds(CLOCK_MONOTONIC);
}

double times_own(void)
{
    return clock_nanoseconds(CLOCK_THREAD_CPUTIME_ID);
}

void times_sleep(double nanoseconds)
{
    struct timespec span = {.tv_sec = (time_t)(nanoseconds / 1e9)};

    span.tv_nsec = (long)(nanoseconds - (double)span.tv_sec * 1e9);
    (void)nanosleep(&span, NULL);
}

/*
 * ---- Ticks ----
 */

static double measure_tick(void)
{
    double begin = clock_nanoseconds(CLOCK_MONOTONIC_RAW);
    uint64_t first = times_ticks();
    double end = begin;

    while (end - begin < 1e8) {
        end = clock_nanoseconds(CLOCK_MONOTONIC_RAW);
    }
    return (end - begin) / (double)(times_ticks() - first);
}

double times_of_ticks(double ticks)
{
    static double tick;

    if (tick == 0) {
        tick = measure_tick();
    }
    return ticks * tick;
}

/* Spans that differ by no more are of one step, rounded up or down. */
#define ROUNDING 2

/* What the spans between readings differ by, at least; 0 if by no more than rounding. */
uint64_t times_step(void)
{
    uint64_t shortest = UINT64_MAX;
    uint64_t last_span = 0;

    for (size_t i = 0; i < 10000; i++) {
        uint64_t before = times_ticks();
        uint64_t span = times_ticks() - before;
        uint64_t difference = span > last_span ? span - last_span : last_span - span;

        shortest = difference > ROUNDING && difference < shortest ? difference : shortest;
        last_span = span;
    }
    return shortest == UINT64_MAX ? 0 : shortest;
}

/* The median of what reading the clock twice takes. */
static double measure_overhead(void)
{
    static struct times reads;

    for (size_t i = 0; i < 1001; i++) {
        uint64_t before = times_ticks();

        times_add(&reads, times_ticks() - before);
    }
    return times_percentile(&reads, 0.5);
}

double times_between(uint64_t start, uint64_t end)
{
    static double overhead;

    if (overhead == 0) {
        overhead = measure_overhead();
    }
    return times_of_ticks((double)(end - start) - overhead);
}

/*
 * ---- Distributions ----
 *
 * Numbers below TIMES_STEPS have a place each; of all others, each power of two has so many.
 */

static size_t place_of(uint64_t ticks)
{
    unsigned log = 0;

    if (ticks < TIMES_STEPS) {
        return (size_t)ticks;
    }
    log = 63 - (unsigned)__builtin_clzll(ticks);
    return (size_t)(log - TIMES_STEPS_LOG) * TIMES_STEPS +
           (size_t)(ticks >> (log - TIMES_STEPS_LOG));
}

/* The middle of what is counted at that place. */
static double value_at(size_t place)
{
    size_t power = place / TIMES_STEPS;

    if (power <= 1) {
        return (double)place;
    }
    return ((double)(place % TIMES_STEPS) + TIMES_STEPS + 0.5) *
           (double)(UINT64_C(1) << (power - 1));
}

void times_add(struct times *times, uint64_t ticks)
{
    times->counts[place_of(ticks)]++;
    times->total++;
    times->longest = ticks > times->longest ? ticks : times->longest;
}

double times_percentile(const struct times *times, double share)
{
    double wanted = (double)times->total * share;
    uint64_t seen = 0;

    for (size_t place = 0; place < sizeof times->counts / sizeof times->counts[0]; place++) {
        seen += times->counts[place];
        if (seen != 0 && (double)seen >= wanted) {
            return value_at(place);
        }
    }
    return (double)times->longest;
}

uint64_t times_longer_than(const struct times *times, double ticks)
{
    uint64_t longer = 0;

    for (size_t place = 0; place < sizeof times->counts / sizeof times->counts[0]; place++) {
        longer += value_at(place) > ticks ? times->counts[place] : 0;
    }
    return longer;
}
