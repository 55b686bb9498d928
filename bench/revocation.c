/*
 * revocation.c - from the publisher's call to the first denial in another process.
 *
 * The other process follows the directory and asks about one token over and over, each time after a
 * poll. The time is that between just before the publisher calls weir_publisher_revoke and just
 * after a check there has denied. Each process has a processor of its own.
 */
#include <string.h>

#include "benches.h"
#include "directories.h"
#include "engines.h"
#include "follower_process.h"
#include "pair.h"
#include "times.h"
#include "tokens.h"

/* Revocations in a round, a multiple of CHUNK. */
#define REVOCATIONS ((size_t)8 * CHUNK)

/* Nanoseconds after which the other process, which has just said that it is ready, surely asks, or
 * sleeps. */
#define GETTING_GOING 3e4
#define FALLING_ASLEEP 6e4

struct course {
    const struct follower_process *process;
    enum follower_task task;
    double pause;
    struct times calls;
    struct times denials;
    bool failed;
};

static const struct follower_process *busy_process(void)
{
    static struct follower_process process;

    if (process.id == 0) {
        process = follower_process_start(directory_busy()->path);
        follower_process_tell(&process, FOLLOWER_OPEN, 0);
        (void)follower_process_hear(&process);
    }
    return &process;
}

/* Busily: a sleep would let the processor fall asleep too, and be slow to wake. */
static void let_go_by(double nanoseconds)
{
    double end = times_wall() + nanoseconds;

    while (times_wall() < end) {
    }
}

static void revoke_one(struct course *course, uint64_t number, struct weir_text id)
{
    uint64_t start = 0;
    uint64_t end = 0;
    uint64_t denied = 0;

    follower_process_tell(course->process, course->task, number);
    (void)follower_process_hear(course->process);
    let_go_by(course->pause);
    start = times_ticks();
    course->failed |= weir_publisher_revoke(directory_busy()->publisher, id, NULL, NULL) != WEIR_OK;
    end = times_ticks();
    denied = follower_process_hear(course->process).ticks;
    course->failed |= denied < start;
    times_add(&course->calls, end - start);
    times_add(&course->denials, denied - start);
}

static void revoke_all(struct course *course, size_t first)
{
    static struct staged staged;

    for (size_t done = 0; done < REVOCATIONS; done += CHUNK) {
        stock_stage(stock_of_image(), first + done, &staged);
        for (size_t i = 0; i < CHUNK; i++) {
            revoke_one(course, (first + done + i) % STOCK_COUNT, staged.ids[i]);
        }
        for (size_t i = 0; i < CHUNK; i++) {
            course->failed |= weir_publisher_put(directory_busy()->publisher, staged.tokens[i],
                                                 NULL, NULL) != WEIR_OK;
        }
    }
}

static void tell(const struct course *course, struct bench_round *round)
{
    const struct times *denials = &course->denials;

    bench_time(round, times_of_ticks(times_percentile(denials, 0.5)));
    bench_count(round, "p90_ns", times_of_ticks(times_percentile(denials, 0.9)));
    bench_count(round, "p99_ns", times_of_ticks(times_percentile(denials, 0.99)));
    bench_count(round, "p999_ns", times_of_ticks(times_percentile(denials, 0.999)));
    bench_count(round, "longest_ns", times_of_ticks((double)denials->longest));
    bench_count(round, "call_ns", times_of_ticks(times_percentile(&course->calls, 0.5)));
    bench_count(round, "call_p99_ns", times_of_ticks(times_percentile(&course->calls, 0.99)));
    if (course->failed) {
        bench_wrong(round, "a revocation failed");
    }
}

static void revocation_round(enum follower_task task, double pause, struct bench_round *round)
{
    static struct course course;
    static size_t count;
    cpu_set_t before;

    (void)stock_of_image();
    memset(&course, 0, sizeof course);
    course.process = busy_process();
    course.task = task;
    course.pause = pause;
    follower_process_tell(course.process, FOLLOWER_POLL, 0);
    (void)follower_process_hear(course.process);
    pair_part(course.process->id, &before);
    revoke_all(&course, count);
    pair_rejoin(&before);
    count += REVOCATIONS;
    tell(&course, round);
}

void revocation_to_polling(void *subject, struct bench_round *round)
{
    (void)subject;
    revocation_round(FOLLOWER_SPIN, GETTING_GOING, round);
}

void revocation_to_waiting(void *subject, struct bench_round *round)
{
    (void)subject;
    revocation_round(FOLLOWER_SLEEP, FALLING_ASLEEP, round);
}
