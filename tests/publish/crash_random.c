/*
 * crash_random.c - publishers killed at random moments, one after the other, while a crowd of
 * followers in other processes polls, adopts, opens, closes and sleeps.
 */
#include "publish/crashes.h"

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "model/dice.h"
#include "publish/script.h"

#define FOLLOWERS_MAX 16
/* Errors in a row: a poll that meets a creation or a removal succeeds when it is made again. */
#define ERRORS_IN_PASSING 20000

/*
 * ---- A process of followers ----
 */

struct watcher {
    struct weir_follower *follower;
    uint64_t sequence; /* at which it was seen last */
};

/* Once more, or for good? */
static void pass(unsigned *errors, enum weir_status status, const struct weir_error *error,
                 const char *what)
{
    if (status != WEIR_ERROR_NOT_FOUND && status != WEIR_ERROR_IO) {
        fail("%s in the crowd: %s: %s: %s", what, weir_status_name(status), error->place,
             error->message);
    }
    if (++*errors > ERRORS_IN_PASSING) {
        fail("%s in the crowd does not recover: %s: %s: %s", what, weir_status_name(status),
             error->place, error->message);
    }
    count_in_ledger(&ledger->errors);
    (void)usleep(200);
}

static void open_watcher(struct watcher *watcher)
{
    unsigned errors = 0;

    while (watcher->follower == NULL && read_ledger(&ledger->ends) == 0) {
        uint64_t done = read_ledger(&ledger->done);
        struct weir_error error = {0};
        enum weir_status status = weir_follower_open(published, NULL, &watcher->follower, &error);

        if (status != WEIR_OK) {
            pass(&errors, status, &error, "opening");
        } else if (weir_follower_status(watcher->follower).sequence < done) {
            fail("opened at less than %" PRIu64 ", which was acknowledged", done);
        }
    }
    watcher->sequence = 0;
    count_in_ledger(&ledger->openings);
}

static void check_watcher(struct watcher *watcher, struct dice *dice)
{
    struct weir_follower_standing status = weir_follower_status(watcher->follower);
    const struct weir_engine *engine = weir_follower_engine(watcher->follower, status.heartbeat);

    if (status.sequence < watcher->sequence) {
        fail("a follower goes back from %" PRIu64 " to %" PRIu64, watcher->sequence,
             status.sequence);
    }
    if (status.sequence > read_ledger(&ledger->begun)) {
        fail("a follower is at %" PRIu64 ", which was not begun", status.sequence);
    }
    watcher->sequence = status.sequence;
    for (unsigned i = 0; i < 3 && engine != NULL; i++) {
        unsigned id = (unsigned)dice_below(dice, SCRIPT_IDS);

        if (!script_agrees(engine, id, status.sequence)) {
            fail("a follower at %" PRIu64 " holds another token %u", status.sequence, id);
        }
        count_in_ledger(&ledger->checks);
    }
}

static void poll_watcher(struct watcher *watcher, struct dice *dice)
{
    uint64_t done = read_ledger(&ledger->done);
    uint64_t limit = dice_chance(dice, 30) ? 1 + dice_below(dice, 9) : 0;
    struct weir_error error = {0};
    enum weir_status status = WEIR_ERROR_IO;
    unsigned errors = 0;

    while (read_ledger(&ledger->ends) == 0) {
        status = weir_follower_poll(watcher->follower, weir_clocks_now().boot, limit, &error);
        if (status == WEIR_OK) {
            break;
        }
        check_watcher(watcher, dice);
        pass(&errors, status, &error, "polling");
    }
    count_in_ledger(&ledger->polls);
    /* A poll is told of a creation by S; without, it looks when the heartbeat stands still. */
    if (status == WEIR_OK && limit == 0 &&
        weir_follower_status(watcher->follower).sequence < done) {
        status =
            weir_follower_poll(watcher->follower, weir_clocks_now().boot + 1000000000, 0, &error);
        if (status == WEIR_OK && weir_follower_status(watcher->follower).sequence < done) {
            fail("a poll begun when %" PRIu64 " was acknowledged came to %" PRIu64, done,
                 weir_follower_status(watcher->follower).sequence);
        }
    }
    check_watcher(watcher, dice);
}

static void adopt_watcher(struct watcher *watcher, struct dice *dice)
{
    struct weir_error error = {0};
    enum weir_status status = weir_follower_adopt(watcher->follower, &error);
    unsigned errors = 0;

    if (status != WEIR_OK) {
        pass(&errors, status, &error, "adopting");
    }
    count_in_ledger(&ledger->adoptions);
    check_watcher(watcher, dice);
}

_Noreturn static void watch(unsigned followers, uint64_t seed)
{
    struct watcher watchers[FOLLOWERS_MAX] = {{0}};
    struct dice dice = {seed};

    while (read_ledger(&ledger->ends) == 0) {
        struct watcher *watcher = &watchers[dice_below(&dice, followers)];

        if (watcher->follower == NULL) {
            open_watcher(watcher);
        } else if (dice_chance(&dice, 2)) {
            weir_follower_close(watcher->follower);
            watcher->follower = NULL;
        } else if (dice_chance(&dice, 5)) {
            adopt_watcher(watcher, &dice);
        } else {
            poll_watcher(watcher, &dice);
        }
        if (dice_chance(&dice, 10)) {
            (void)usleep((useconds_t)dice_below(&dice, dice_chance(&dice, 5) ? 300000 : 2000));
        }
    }
    _exit(0);
}

/*
 * ---- The publisher that is killed ----
 */

_Noreturn static void publish(uint64_t seed)
{
    struct weir_publisher *publisher = go_on_publishing();
    struct dice dice = {seed};

    for (;;) {
        publish_next(publisher);
        if (dice_chance(&dice, 3)) {
            compact(publisher);
        }
        if (dice_chance(&dice, 1)) {
            publisher = create_anew(publisher);
        }
    }
}

static void expect_killed(pid_t child)
{
    int status = 0;

    if (waitpid(child, &status, 0) != child || !WIFSIGNALED(status) ||
        WTERMSIG(status) != SIGKILL) {
        expect_no_failure();
        fail("a publisher ended by itself, with status %d", status);
    }
}

/* Other people's bytes, all that there is room for; or none. */
static void fill_disk(bool full)
{
    static const char page[4096] = {1};
    char path[420];
    int file = -1;

    (void)snprintf(path, sizeof path, "%s.fill", published);
    (void)unlink(path);
    if (!full) {
        return;
    }
    file = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    for (unsigned pages = 0; pages < 20000 && write(file, page, sizeof page) > 0; pages++) {
    }
    (void)close(file);
}

static void kill_one(struct dice *dice, bool full)
{
    uint64_t seed = dice_bits(dice);
    useconds_t after = (useconds_t)dice_below(dice, dice_chance(dice, 10) ? 30000 : 4000);
    pid_t child = fork();

    if (child == 0) {
        publish(seed);
    }
    fill_disk(full);
    (void)usleep(after);
    (void)kill(child, SIGKILL);
    expect_killed(child);
    expect_no_failure();
}

void kill_at_random(unsigned kills, unsigned processes, unsigned followers, uint64_t seed)
{
    pid_t *watchers = calloc(processes, sizeof *watchers);
    struct weir_publisher *publisher = NULL;
    struct weir_follower *follower = NULL;
    struct dice dice = {seed};

    begin_anew();
    script_largeness = 1;
    publisher_options.lease = WEIR_LEASE_MIN;
    publisher = go_on_publishing();
    publish_next(publisher);
    weir_publisher_close(publisher);
    for (unsigned i = 0; i < processes; i++) {
        watchers[i] = fork();
        if (watchers[i] == 0) {
            watch(followers, seed + i + 1);
        }
    }
    for (unsigned i = 0; i < kills; i++) {
        kill_one(&dice, i % 16 >= 13);
    }
    fill_disk(false);
    publisher = go_on_publishing();
    publish_next(publisher);
    follower = follow_and_check();
    weir_follower_close(follower);
    weir_publisher_close(publisher);
    write_ledger(&ledger->ends, 1);
    for (unsigned i = 0; i < processes; i++) {
        int status = 0;

        if (waitpid(watchers[i], &status, 0) != watchers[i] || status != 0) {
            expect_no_failure();
            fail("a process of followers ended with status %d", status);
        }
    }
    expect_no_failure();
    free(watchers);
    write_ledger(&ledger->ends, 0);
    printf("crashes: killed %u publishers at random, %" PRIu64 " changes, %u followers\n", kills,
           read_ledger(&ledger->done), processes * followers);
    (void)fflush(stdout);
}
