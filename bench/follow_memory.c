/*
 * follow_memory.c - the memory of a hundred processes that follow one directory.
 *
 * Told by the system: what each has for itself alone, and its share of what several have. Measured
 * once and told in each round: it does not vary, and a hundred followers validate a hundred images.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "benches.h"
#include "directories.h"
#include "engines.h"
#include "follower_process.h"
#include "tokens.h"

#define FOLLOWERS 100
#define CHANGES 1000

/* Bytes, of one process or of all. */
struct footprint {
    double private;     /* mapped by no other process */
    double share;       /* that, and of each page that several map an equal part */
    double page_tables; /* the system's, for the process: not in the above */
};

/* Adds up the fields of that name in a file below /proc, which are in KiB. */
static double sum_fields(pid_t id, const char *file, const char *field)
{
    char path[64];
    char line[256];
    FILE *stream = NULL;
    double sum = 0;

    (void)snprintf(path, sizeof path, "/proc/%ld/%s", (long)id, file);
    stream = fopen(path, "re");
    engines_must(stream != NULL ? WEIR_OK : WEIR_ERROR_IO, "reading a process's footprint");
    while (fgets(line, sizeof line, stream) != NULL) {
        if (strncmp(line, field, strlen(field)) == 0) {
            sum += strtod(line + strlen(field), NULL) * 1024;
        }
    }
    (void)fclose(stream);
    return sum;
}

static struct footprint footprint_of(const struct follower_process *processes)
{
    struct footprint all = {0};

    for (size_t i = 0; i < FOLLOWERS; i++) {
        pid_t id = processes[i].id;

        all.private += sum_fields(id, "smaps_rollup", "Private_Clean:") +
                       sum_fields(id, "smaps_rollup", "Private_Dirty:");
        all.share += sum_fields(id, "smaps_rollup", "Pss:");
        all.page_tables += sum_fields(id, "status", "VmPTE:");
    }
    return all;
}

/* Has each do it, a few at a time. Returns the bytes that their engines say they have. */
static double all_do(const struct follower_process *processes, enum follower_task task)
{
    double own = 0;

    for (size_t i = 0; i < FOLLOWERS; i++) {
        follower_process_tell(&processes[i], task, 0);
        if (i > 0) {
            own += (double)follower_process_hear(&processes[i - 1]).own_bytes;
        }
    }
    return own + (double)follower_process_hear(&processes[FOLLOWERS - 1]).own_bytes;
}

/* Of ten changes five replace a token, two revoke one, two issue another, and one puts back one
 * that was revoked. */
static enum weir_status change_one(struct weir_publisher *publisher, const struct staged *image,
                                   const struct staged *others, size_t place)
{
    size_t kind = place % 10;

    if (kind >= 7 && kind < 9) {
        return weir_publisher_issue(publisher, others->tokens[place], NULL, NULL);
    }
    if (kind == 9) {
        return weir_publisher_issue(publisher, image->tokens[place - 3], NULL, NULL);
    }
    return kind >= 5 ? weir_publisher_revoke(publisher, image->ids[place], NULL, NULL)
                     : weir_publisher_replace(publisher, image->tokens[place], NULL, NULL);
}

static void make_changes(struct weir_publisher *publisher)
{
    static struct staged image;
    static struct staged others;
    size_t made = 0;

    for (size_t first = 0; made < CHANGES; first += CHUNK) {
        stock_stage(stock_of_image(), first, &image);
        stock_stage(stock_of_others(), first, &others);
        for (size_t i = 0; i < CHUNK / 10 * 10 && made < CHANGES; i++) {
            engines_must(change_one(publisher, &image, &others, i), "publishing a change");
            made++;
        }
    }
}

/* What is measured: of all processes before they follow, then, and after the changes. */
struct measured {
    struct footprint before;
    struct footprint following;
    struct footprint changed;
    double own_following;
    double own_changed;
    bool is_there;
};

static void measure(struct measured *measured)
{
    static struct follower_process processes[FOLLOWERS];
    struct directory directory = directory_publish("followed", LEASE_LONG);

    for (size_t i = 0; i < FOLLOWERS; i++) {
        processes[i] = follower_process_start(directory.path);
    }
    measured->before = footprint_of(processes);
    (void)all_do(processes, FOLLOWER_OPEN);
    measured->own_following = all_do(processes, FOLLOWER_POLL);
    measured->following = footprint_of(processes);
    make_changes(directory.publisher);
    measured->own_changed = all_do(processes, FOLLOWER_POLL);
    measured->changed = footprint_of(processes);
    for (size_t i = 0; i < FOLLOWERS; i++) {
        follower_process_end(&processes[i]);
    }
    directory_remove(&directory);
    measured->is_there = true;
}

void memory_of_followers(void *subject, struct bench_round *round)
{
    static struct measured measured;
    size_t image = 0;

    (void)subject;
    if (!measured.is_there) {
        measure(&measured);
    }
    (void)weir_image_bytes(tokens_image(), &image);
    bench_count(round, "image_bytes", (double)image);
    bench_count(round, "all_of_the_hundred_bytes",
                measured.following.share - measured.before.share);
    bench_count(round, "all_after_changes_bytes", measured.changed.share - measured.before.share);
    bench_count(round, "page_tables_bytes",
                measured.following.page_tables - measured.before.page_tables);
    bench_count(round, "private_of_each_bytes",
                (measured.following.private - measured.before.private) / FOLLOWERS);
    bench_count(round, "own_of_each_bytes", measured.own_following / FOLLOWERS);
    bench_count(round, "private_of_each_for_a_change_bytes",
                (measured.changed.private - measured.following.private) / FOLLOWERS / CHANGES);
    bench_count(round, "own_of_each_for_a_change_bytes",
                (measured.own_changed - measured.own_following) / FOLLOWERS / CHANGES);
}
