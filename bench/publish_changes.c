/*
 * publish_changes.c - publishing one change after the other at a million tokens, each timed by
 * itself, and applying in a follower what was published.
 */
#include <weir/follow.h>

#include <string.h>

#include "benches.h"
#include "directories.h"
#include "engines.h"
#include "instructions.h"
#include "times.h"

/* Changes that a round times. */
#define CHANGES ((size_t)1 << 12)

static struct staged staged;

typedef enum weir_status one_change(struct weir_publisher *publisher, size_t place);

static enum weir_status revoke_one(struct weir_publisher *publisher, size_t place)
{
    return weir_publisher_revoke(publisher, staged.ids[place], NULL, NULL);
}

static enum weir_status put_one(struct weir_publisher *publisher, size_t place)
{
    return weir_publisher_put(publisher, staged.tokens[place], NULL, NULL);
}

/* The first of the next CHANGES tokens. */
static size_t next_tokens(void)
{
    static size_t count;

    count += CHANGES;
    return count - CHANGES;
}

static bool time_one(struct weir_publisher *publisher, size_t place, one_change *make,
                     struct times *times)
{
    uint64_t start = 0;
    uint64_t end = 0;
    bool failed = false;

    instructions_begin();
    start = times_ticks();
    failed = make(publisher, place) != WEIR_OK;
    end = times_ticks();
    instructions_end(1);
    times_add(times, end - start);
    return failed;
}

/* Publishes one change of each of CHANGES cold tokens from number `first` on. NULL as times: only
 * does it. */
static bool change_each(size_t first, one_change *make, struct times *times)
{
    struct weir_publisher *publisher = directory_busy()->publisher;
    bool failed = false;

    engines_evict();
    for (size_t done = 0; done < CHANGES; done += CHUNK) {
        stock_stage(stock_of_image(), first + done, &staged);
        for (size_t i = 0; i < CHUNK; i++) {
            failed |=
                times != NULL ? time_one(publisher, i, make, times) : make(publisher, i) != WEIR_OK;
        }
    }
    return failed;
}

static void tell(const struct times *times, bool failed, struct bench_round *round)
{
    bench_time(round, times_between(0, (uint64_t)times_percentile(times, 0.5)));
    bench_count(round, "p99_ns", times_of_ticks(times_percentile(times, 0.99)));
    bench_count(round, "p999_ns", times_of_ticks(times_percentile(times, 0.999)));
    bench_count(round, "longest_ns", times_of_ticks((double)times->longest));
    if (failed) {
        bench_wrong(round, "a change failed");
    }
}

void publish_revoke(void *subject, struct bench_round *round)
{
    static struct times times;
    size_t first = next_tokens();
    bool failed = false;

    (void)subject;
    memset(&times, 0, sizeof times);
    failed |= change_each(first, revoke_one, &times);
    failed |= change_each(first, put_one, NULL);
    tell(&times, failed, round);
}

void publish_put(void *subject, struct bench_round *round)
{
    static struct times times;
    bool failed = false;

    (void)subject;
    memset(&times, 0, sizeof times);
    failed = change_each(next_tokens(), put_one, &times);
    tell(&times, failed, round);
}

/*
 * ---- Polls that find something ----
 */

static struct weir_follower *busy_follower(void)
{
    static struct weir_follower *follower;

    if (follower == NULL) {
        engines_must(weir_follower_open(directory_busy()->path, NULL, &follower, NULL),
                     "following");
    }
    return follower;
}

static bool poll_all(struct weir_follower *follower)
{
    return weir_follower_poll(follower, weir_clocks_now().boot, 0, NULL) == WEIR_OK;
}

void poll_one_change(void *subject, struct bench_round *round)
{
    static struct times times;
    struct weir_follower *follower = busy_follower();
    bool failed = !poll_all(follower);
    size_t first = next_tokens();

    (void)subject;
    memset(&times, 0, sizeof times);
    for (size_t i = 0; i < CHANGES / 4; i++) {
        uint64_t start = 0;

        if (i % CHUNK == 0) {
            stock_stage(stock_of_image(), first + i, &staged);
        }
        failed |= put_one(directory_busy()->publisher, i % CHUNK) != WEIR_OK;
        instructions_begin();
        start = times_ticks();
        failed |= !poll_all(follower);
        times_add(&times, times_ticks() - start);
        instructions_end(1);
    }
    tell(&times, failed, round);
}

/* The time of one of many changes that a poll applies. */
void poll_many_changes(void *subject, struct bench_round *round)
{
    struct weir_follower *follower = busy_follower();
    bool failed = !poll_all(follower);
    uint64_t start = 0;

    (void)subject;
    failed |= change_each(next_tokens(), put_one, NULL);
    instructions_begin();
    start = times_ticks();
    failed |= !poll_all(follower);
    bench_time(round, times_between(start, times_ticks()) / CHANGES);
    instructions_end(CHANGES);
    if (failed) {
        bench_wrong(round, "a change failed");
    }
}
