/*
 * publish_compact.c - a new snapshot of a million tokens: making it beside a thread that revokes,
 * and going over to it.
 */
#include <weir/follow.h>

#include <string.h>

#include "benches.h"
#include "directories.h"
#include "engines.h"
#include "pair.h"
#include "times.h"
#include "tokens.h"

/* Nanoseconds between two revocations. */
#define PACE 1e5

/* Nanoseconds that the first compaction is taken to take. */
#define SPAN_FIRST 2e8

enum phase { PHASE_IDLE, PHASE_COMPACTING, PHASE_COUNT, PHASE_STOP };

struct writer {
    struct weir_publisher *publisher;
    size_t next;      /* number of the stock's token that is revoked next */
    enum phase phase; /* stored by the compacting thread, loaded by the writer's; orders nothing */
    bool failed;
    double span; /* nanoseconds that the last compaction took */
    struct staged staged;
    struct times times[PHASE_COUNT];
};

static enum phase phase_of(const struct writer *writer)
{
    return __atomic_load_n(&writer->phase, __ATOMIC_RELAXED);
}

static void phase_set(struct writer *writer, enum phase phase)
{
    __atomic_store_n(&writer->phase, phase, __ATOMIC_RELAXED);
}

/* Revokes a token, counts what that took for the compaction if any of it fell there, and puts the
 * token back. */
static void revoke_next(struct writer *writer)
{
    size_t place = writer->next % CHUNK;
    enum phase begun = PHASE_IDLE;
    enum phase ended = PHASE_IDLE;
    uint64_t start = 0;
    uint64_t end = 0;

    if (place == 0) {
        stock_stage(stock_of_image(), writer->next, &writer->staged);
    }
    writer->next++;
    begun = phase_of(writer);
    start = times_ticks();
    writer->failed |=
        weir_publisher_revoke(writer->publisher, writer->staged.ids[place], NULL, NULL) != WEIR_OK;
    end = times_ticks();
    ended = phase_of(writer);
    times_add(&writer->times[begun == PHASE_COMPACTING || ended == PHASE_COMPACTING], end - start);
    writer->failed |=
        weir_publisher_put(writer->publisher, writer->staged.tokens[place], NULL, NULL) != WEIR_OK;
}

static void *revoke_steadily(void *context)
{
    struct writer *writer = context;

    while (phase_of(writer) != PHASE_STOP) {
        revoke_next(writer);
        times_sleep(PACE);
    }
    return NULL;
}

/* Compacts beside the writer, after it has had as much time to revoke beside nothing. Returns the
 * nanoseconds that compacting took. */
static double compact_beside(struct writer *writer)
{
    struct pair pair;
    double start = 0;

    phase_set(writer, PHASE_IDLE);
    pair_start(&pair, revoke_steadily, writer);
    times_sleep(writer->span);
    phase_set(writer, PHASE_COMPACTING);
    start = times_wall();
    engines_must(weir_publisher_compact(writer->publisher, BENCH_NOW, NULL), "compacting");
    writer->span = times_wall() - start;
    phase_set(writer, PHASE_STOP);
    pair_join(&pair);
    return writer->span;
}

static double time_open(const char *path, struct weir_follower **follower)
{
    double start = times_wall();

    engines_must(weir_follower_open(path, NULL, follower, NULL), "following");
    return times_wall() - start;
}

static double time_adopt(struct weir_follower *follower)
{
    double start = 0;

    engines_must(weir_follower_poll(follower, weir_clocks_now().boot, 0, NULL), "polling");
    start = times_wall();
    engines_must(weir_follower_adopt(follower, NULL), "going over to a snapshot");
    return times_wall() - start;
}

static void tell_writer(const struct writer *writer, struct bench_round *round)
{
    const struct times *idle = &writer->times[PHASE_IDLE];
    const struct times *beside = &writer->times[PHASE_COMPACTING];

    bench_count(round, "revoke_idle_ns", times_of_ticks(times_percentile(idle, 0.5)));
    bench_count(round, "revoke_p99_idle_ns", times_of_ticks(times_percentile(idle, 0.99)));
    bench_count(round, "longest_revoke_idle_ns", times_of_ticks((double)idle->longest));
    bench_count(round, "revoke_beside_ns", times_of_ticks(times_percentile(beside, 0.5)));
    bench_count(round, "revoke_p99_beside_ns", times_of_ticks(times_percentile(beside, 0.99)));
    bench_count(round, "longest_revoke_beside_ns", times_of_ticks((double)beside->longest));
    if (writer->failed) {
        bench_wrong(round, "a change failed");
    }
}

void publish_compact(void *subject, struct bench_round *round)
{
    static struct directory directory;
    static struct writer writer;
    struct weir_follower *follower = NULL;

    (void)subject;
    (void)stock_of_image();
    if (directory.publisher == NULL) {
        directory = directory_publish("compacted", LEASE_SHORT);
        writer.publisher = directory.publisher;
        writer.span = SPAN_FIRST;
    }
    memset(writer.times, 0, sizeof writer.times);
    bench_count(round, "open_ns", time_open(directory.path, &follower));
    bench_time(round, compact_beside(&writer));
    bench_count(round, "adopt_ns", time_adopt(follower));
    weir_follower_close(follower);
    tell_writer(&writer, round);
}
