/*
 * crash_steps.c - a fixed course of publishing, killed before and after every system call that it
 * makes. Followers were opened on the way; when the publisher is gone they, one that opens then,
 * and the next publisher must agree about what was acknowledged.
 */
#include "publish/crashes.h"

#include <signal.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "publish/script.h"

#define EARLY_FOLLOWERS 5

/* After so many acknowledged changes a follower opens, to poll when all is over. */
static const uint64_t opens_at[EARLY_FOLLOWERS] = {1, 8, 14, 19, 27};

/* Rolls segments by their being full, right after a compaction, and for a token that is too large;
 * resumes, and creates anew, in mid-segment and at its end. */
static void publish_course(void)
{
    struct weir_publisher *publisher = go_on_publishing();

    while (weir_publisher_sequence(publisher) < 42) {
        uint64_t sequence = weir_publisher_sequence(publisher);

        if (sequence % 12 == 11) {
            weir_publisher_close(publisher);
            publisher = go_on_publishing();
        }
        if (sequence % 4 == 2 || (sequence >= 13 && sequence < 18)) {
            compact(publisher);
        }
        if (sequence == 26 || sequence == 36) {
            publisher = create_anew(publisher);
        }
        publish_next(publisher);
    }
    weir_publisher_close(publisher);
    _exit(0);
}

static void open_followers(struct weir_follower **early, unsigned *opened)
{
    while (*opened < EARLY_FOLLOWERS && read_ledger(&ledger->done) >= opens_at[*opened]) {
        struct weir_error error = {0};

        /* The publisher stands still; in the midst of creating anew it may have left nothing. */
        if (weir_follower_open(published, NULL, &early[*opened], &error) != WEIR_OK) {
            fail("follow on the way: %s: %s", error.place, error.message);
        }
        (*opened)++;
    }
}

/* Lets the child go on for so many stops, two to each system call, and kills it. False if it came
 * to its end before. */
static bool run_for(unsigned stops, struct weir_follower **early, unsigned *opened)
{
    pid_t child = fork();
    int status = 0;

    if (child == 0) {
        (void)ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        (void)raise(SIGSTOP);
        publish_course();
    }
    if (waitpid(child, &status, 0) != child) {
        fail("waitpid");
    }
    for (unsigned stop = 0; stop < stops; stop++) {
        if (ptrace(PTRACE_SYSCALL, child, NULL, NULL) != 0 || waitpid(child, &status, 0) != child) {
            fail("ptrace");
        }
        if (WIFEXITED(status)) {
            expect_no_failure();
            return false;
        }
        open_followers(early, opened);
    }
    (void)kill(child, SIGKILL);
    (void)waitpid(child, &status, 0);
    return true;
}

/* All agree before the next publisher comes, when it has come, and after more changes. */
static void check_what_is_left(struct weir_follower *const *early, unsigned opened)
{
    struct weir_follower *late = NULL;
    struct weir_publisher *publisher = NULL;

    if (read_ledger(&ledger->done) > 0) {
        late = follow_and_check();
    }
    for (unsigned i = 0; i < opened && late != NULL; i += 2) {
        poll_and_check(early[i]);
    }
    publisher = go_on_publishing();
    for (unsigned more = 0; more < 3; more++) {
        publish_next(publisher);
        for (unsigned i = 0; i < opened; i++) {
            poll_and_check(early[i]);
        }
        if (late != NULL) {
            poll_and_check(late);
        }
    }
    weir_follower_close(late);
    compact(publisher);
    publish_next(publisher);
    late = follow_and_check();
    weir_follower_close(late);
    weir_publisher_close(publisher);
}

void kill_at_system_calls(unsigned stride, unsigned offset)
{
    bool killed = true;
    unsigned runs = 0;

    script_largeness = 1;
    publisher_options.lease = WEIR_LEASE_MIN;
    for (unsigned stops = offset; killed; stops += stride, runs++) {
        struct weir_follower *early[EARLY_FOLLOWERS] = {NULL};
        unsigned opened = 0;

        begin_anew();
        killed = run_for(stops, early, &opened);
        check_what_is_left(early, opened);
        for (unsigned i = 0; i < opened; i++) {
            weir_follower_close(early[i]);
        }
    }
    printf("crashes: killed at %u of the places before and after a system call\n", runs - 1);
    (void)fflush(stdout);
}
