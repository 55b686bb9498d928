/*
 * crash_stops.c - processes that are stopped for longer than the lease, and go on. Nothing here
 * depends on how long anything takes: what is waited for is a state, and each answer is judged by
 * the instant that it was asked for.
 */
#include "publish/crashes.h"

#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "model/dice.h"
#include "publish/script.h"

#define LEASE (4 * WEIR_LEASE_MIN)
#define PATIENCE UINT64_C(20000000000)

static uint64_t now(void)
{
    return weir_clocks_now().boot;
}

static void stop(pid_t child)
{
    int status = 0;

    (void)kill(child, SIGSTOP);
    if (waitpid(child, &status, WUNTRACED) != child || !WIFSTOPPED(status)) {
        expect_no_failure();
        fail("a process that was stopped has ended");
    }
}

static void end(pid_t child)
{
    (void)kill(child, SIGKILL);
    (void)waitpid(child, NULL, 0);
    expect_no_failure();
}

static void wait_until(uint64_t instant)
{
    while (now() <= instant) {
        (void)usleep(1000);
    }
}

/*
 * ---- A publisher that is stopped ----
 */

_Noreturn static void give_heartbeats(void)
{
    struct weir_publisher *publisher = go_on_publishing();

    for (;;) {
        publish_next(publisher);
        (void)usleep(500);
    }
}

static void poll_until_fresh(struct weir_follower *follower)
{
    uint64_t begun = now();

    do {
        if (now() - begun > PATIENCE) {
            fail("a follower does not become fresh again");
        }
        poll_and_check(follower);
    } while (weir_follower_engine(follower, now()) == NULL);
}

void stop_publisher(unsigned rounds)
{
    struct weir_follower *follower = NULL;
    pid_t child = 0;

    begin_anew();
    script_largeness = 0;
    publisher_options.lease = LEASE;
    child = fork();
    if (child == 0) {
        give_heartbeats();
    }
    while (read_ledger(&ledger->done) == 0) {
        (void)usleep(100);
        expect_no_failure();
    }
    follower = follow_and_check();
    for (unsigned round = 0; round < rounds; round++) {
        poll_until_fresh(follower);
        stop(child);
        poll_and_check(follower);
        wait_until(weir_follower_status(follower).heartbeat + LEASE);
        poll_and_check(follower);
        if (weir_follower_engine(follower, now()) != NULL) {
            fail("a follower of a publisher that stands still is fresh");
        }
        (void)kill(child, SIGCONT);
    }
    poll_until_fresh(follower);
    weir_follower_close(follower);
    end(child);
    printf("crashes: stopped a publisher %u times\n", rounds);
    (void)fflush(stdout);
}

/*
 * ---- A follower that is stopped ----
 */

/* Asks about the first id for ever; a token that was revoked longer than the lease before the
 * instant of the question must not be found. `revoked_at` is 0 from before it is issued again. */
static void *ask(void *context)
{
    const struct weir_follower *follower = context;
    struct weir_text id = WEIR_TEXT("id-0");

    for (;;) {
        uint64_t instant = now();
        uint64_t revoked_at = read_ledger(&ledger->revoked_at);
        const struct weir_engine *engine = weir_follower_engine(follower, instant);
        bool found = false;

        if (engine != NULL) {
            weir_read_begin();
            found = weir_engine_find(engine, id) != NULL;
            weir_read_end();
        }
        if (found && revoked_at != 0 && instant > revoked_at + LEASE &&
            revoked_at == read_ledger(&ledger->revoked_at)) {
            fail("a token revoked %" PRIu64 " ns before is found", instant - revoked_at);
        }
        count_in_ledger(&ledger->answers);
    }
    return NULL;
}

_Noreturn static void ask_and_poll(void)
{
    struct weir_follower *follower = follow_and_check();
    pthread_t thread;

    for (unsigned i = 0; i < 2; i++) {
        if (pthread_create(&thread, NULL, ask, follower) != 0) {
            fail("no thread");
        }
    }
    for (;;) {
        struct weir_error error = {0};

        demand(weir_follower_poll(follower, now(), 0, &error), &error, "poll");
        (void)weir_follower_wait(follower, LEASE / 8);
    }
}

static void publish_until(struct weir_publisher *publisher, bool there)
{
    do {
        publish_next(publisher);
    } while ((script_holder(0, weir_publisher_sequence(publisher)) != 0) != there);
}

static void stop_and_revoke(struct weir_publisher *publisher, pid_t child, struct dice *dice)
{
    uint64_t answers = 0;

    write_ledger(&ledger->revoked_at, 0);
    publish_until(publisher, true);
    (void)usleep((useconds_t)dice_below(dice, 3000));
    stop(child);
    publish_until(publisher, false);
    write_ledger(&ledger->revoked_at, now());
    for (uint64_t until = now() + LEASE + LEASE / 4; now() < until;) {
        weir_publisher_heartbeat(publisher);
        (void)usleep(1000);
    }
    answers = read_ledger(&ledger->answers);
    (void)kill(child, SIGCONT);
    while (read_ledger(&ledger->answers) < answers + 100) {
        weir_publisher_heartbeat(publisher);
        (void)usleep(200);
        expect_no_failure();
    }
}

void stop_follower(unsigned rounds, uint64_t seed)
{
    struct weir_publisher *publisher = NULL;
    struct dice dice = {seed};
    pid_t child = 0;

    begin_anew();
    script_largeness = 0;
    publisher_options.lease = LEASE;
    publisher = go_on_publishing();
    publish_next(publisher);
    child = fork();
    if (child == 0) {
        ask_and_poll();
    }
    for (unsigned round = 0; round < rounds; round++) {
        stop_and_revoke(publisher, child, &dice);
    }
    end(child);
    weir_publisher_close(publisher);
    printf("crashes: stopped a follower %u times\n", rounds);
    (void)fflush(stdout);
}
