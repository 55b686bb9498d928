/*
 * publish_changes.c - publishing one change after the other at a million tokens, each timed by
 * itself, and applying in a follower what was published.
 */
#include <weir/follow.h>

#include <string.h>

#include "benches.h"
#include "directories.h"
#include "engines.h"
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

/* Publishes one change of each of CHANGES cold tokens from number `first` on. */
static bool change_each(size_t first, one_change *make, struct times *times)
{
    struct weir_publisher *publisher = directory_busy()->publisher;
    bool failed = false;

    engines_evict();
    for (size_t done = 0; done < CHANGES; done += CHUNK) {
        stock_stage(stock_of_image(), first + done, &staged);
        for (size_t i = 0; i < CHUNK; i++) {
            uint64_t start = times_ticks();

            failed |= make(publisher, i) != WEIR_OK;
            times_add(times, times_ticks() - start);
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
    static struct times others;
    size_t first = next_tokens();
    bool failed = false;

    (void)subject;
    memset(&times, 0, sizeof times);
    failed |= change_each(first, revoke_one, &times);
    failed |= change_each(first, put_one, &others);
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
        start = times_ticks();
        failed |= !poll_all(follower);
        times_add(&times, times_ticks() - start);
    }
    tell(&times, failed, round);
}

/* The time of one of many changes that a poll applies. */
void poll_many_changes(void *subject, struct bench_round *round)
{
    static struct times others;
    struct weir_follower *follower = busy_follower();
    bool failed = !poll_all(follower);
    uint64_t start = 0;

    (void)subject;
    failed |= change_each(next_tokens(), put_one, &others);
    start = times_ticks();
    failed |= !poll_all(follower);
    bench_time(round, times_between(start, times_ticks()) / CHANGES);
    if (failed) {
        bench_wrong(round, "a change failed");
    }
}
