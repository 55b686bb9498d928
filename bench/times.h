/* times.h - timing single calls: a cheap clock, and how such times are distributed. */
#ifndef WEIR_BENCH_TIMES_H
#define WEIR_BENCH_TIMES_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* Waits until all instructions before it are done, so that no answer overlaps the next question. */
static inline void times_fence(void)
{
#if defined(__x86_64__)
    __builtin_ia32_lfence();
#else
    __asm__ volatile("isb" ::: "memory");
#endif
}

/* A clock that is cheap enough for a microsecond. Fenced on both sides: nothing moves past it. All
 * threads share it. */
static inline uint64_t times_ticks(void)
{
#if defined(__x86_64__)
    uint64_t now = 0;

    times_fence();
    now = __builtin_ia32_rdtsc();
    times_fence();
    return now;
#else
    struct timespec now;

    times_fence();
    (void)clock_gettime(CLOCK_MONOTONIC_RAW, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
#endif
}

/* Nanoseconds that a number of ticks lasts; the first call takes a tenth of a second. */
double times_of_ticks(double ticks);

/* Ticks that the clock goes on by at least. */
uint64_t times_step(void);

/* Nanoseconds between two readings of the clock, without what reading it takes. */
double times_between(uint64_t start, uint64_t end);

/* Nanoseconds of a clock that all threads share. */
double times_wall(void);

/* Nanoseconds that this thread has run: for what takes so long that others come between. */
double times_own(void);

/* Lets about so many nanoseconds go by. */
void times_sleep(double nanoseconds);

/*
 * How often which number of ticks was seen, to within 1/128. Adding takes a few instructions and
 * little memory, so it may go between calls that are timed.
 */
#define TIMES_STEPS 128
#define TIMES_STEPS_LOG 7

struct times {
    uint64_t counts[64 * TIMES_STEPS];
    uint64_t total;
    uint64_t longest;
};

void times_add(struct times *times, uint64_t ticks);

/* What `share` of all took at most, the longest, and how many took longer than `ticks`. */
double times_percentile(const struct times *times, double share);
uint64_t times_longer_than(const struct times *times, double ticks);

#endif
