/* What is published, and what the store holds: A1 to A3 of authority.h. */
#include "authority_cases.h"

#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "library/support.h"
#include "office.h"

static struct office office;
static struct weir_follower *follower;

static void follow(void)
{
    weir_authority_heartbeat(office.authority);
    ck_assert_int_eq(weir_follower_open(office.directory, NULL, &follower, &last_error), WEIR_OK);
}

static void unfollow(void)
{
    weir_follower_close(follower);
    follower = NULL;
}

static void set_up(void)
{
    office_make(&office, true);
    follow();
}

static void tear_down(void)
{
    unfollow();
    office_remove(&office);
}

/* May whoever has the credential list basins, asked of the follower? */
static enum weir_reason ask(const struct weir_credential *credential)
{
    const struct weir_request request = {.operation = WEIR_LIST_BASINS};
    struct weir_clocks clocks = weir_clocks_now();

    clocks.wall = office.now;
    ck_assert_int_eq(weir_follower_poll(follower, clocks.boot, 0, &last_error), WEIR_OK);
    return weir_follower_check_credential(
        follower, (struct weir_text){credential->text, strlen(credential->text)}, &request, clocks);
}

static struct weir_text lister(const char *id)
{
    return json("{'id':'%s','scope':{'ops':['list-basins']}}", id);
}

static struct weir_authority_standing facts(void)
{
    return weir_authority_status(office.authority);
}

START_TEST(what_a_call_has_done_is_published_when_it_returns)
{
    struct weir_credential first = issued(&office, NULL, lister("x"));
    struct weir_credential second;

    ck_assert_int_eq(ask(&first), WEIR_ALLOWED);
    ck_assert_int_eq(revoke_token(&office, NULL, "x"), WEIR_OK);
    ck_assert_int_eq(ask(&first), WEIR_UNKNOWN_TOKEN);
    second = issued(&office, NULL, lister("x"));
    ck_assert_int_eq(ask(&second), WEIR_ALLOWED);
    ck_assert_int_eq(ask(&first), WEIR_UNKNOWN_TOKEN);
    ck_assert_int_eq(ask(&office.root), WEIR_ALLOWED);
    ck_assert_uint_eq(facts().sequence, 4);
    ck_assert_uint_eq(facts().published, 4);
    ck_assert_uint_eq(facts().tokens, 2);
}
END_TEST

START_TEST(no_heartbeat_is_given_until_asked_for)
{
    unfollow();
    office_close(&office);
    office.options.publisher.lease = WEIR_LEASE_MIN;
    office_open(&office);
    ck_assert_int_eq(weir_follower_open(office.directory, NULL, &follower, &last_error), WEIR_OK);
    ck_assert_int_eq(ask(&office.root), WEIR_STALE);
    weir_authority_heartbeat(office.authority);
    ck_assert_int_eq(ask(&office.root), WEIR_ALLOWED);
}
END_TEST

/* The same publication goes on: who follows it needs no other snapshot. */
static void expect_continued(void)
{
    struct weir_credential found;

    ck_assert_int_eq(ask(&office.root), WEIR_ALLOWED);
    ck_assert_uint_eq(facts().sequence, facts().published);
    found = issued(&office, NULL, lister("later"));
    ck_assert_int_eq(ask(&found), WEIR_ALLOWED);
    ck_assert_int_eq(revoke_token(&office, NULL, "later"), WEIR_OK);
}

START_TEST(what_was_published_is_continued)
{
    struct weir_credential x = issued(&office, NULL, lister("x"));

    office_close(&office);
    office_open(&office);
    expect_continued();
    ck_assert_int_eq(ask(&x), WEIR_ALLOWED);
}
END_TEST

/* Opens the store without publishing, as the command does while nothing serves. */
static void open_aside(void)
{
    office_close(&office);
    office.options.directory = NULL;
    office_open(&office);
}

static void open_published(void)
{
    office_close(&office);
    office.options.directory = office.directory;
    office_open(&office);
    weir_authority_heartbeat(office.authority);
}

START_TEST(changes_made_aside_are_published_with_the_next_opening)
{
    struct weir_credential x = issued(&office, NULL, lister("x"));
    struct weir_credential y;

    open_aside();
    ck_assert_int_eq(revoke_token(&office, NULL, "x"), WEIR_OK);
    y = issued(&office, NULL, lister("y"));
    ck_assert_int_eq(ask(&x), WEIR_ALLOWED); /* not yet; the lease is long */
    open_published();
    ck_assert_int_eq(ask(&x), WEIR_UNKNOWN_TOKEN);
    ck_assert_int_eq(ask(&y), WEIR_ALLOWED);
    expect_continued();
}
END_TEST

START_TEST(what_was_issued_and_revoked_aside_leaves_nothing)
{
    struct weir_credential x = issued(&office, NULL, lister("x"));
    struct weir_credential y;
    struct weir_credential z;

    open_aside();
    y = issued(&office, NULL, lister("y"));
    ck_assert_int_eq(revoke_token(&office, NULL, "y"), WEIR_OK);
    ck_assert_int_eq(revoke_token(&office, NULL, "x"), WEIR_OK);
    z = issued(&office, NULL, lister("x"));
    open_published();
    ck_assert_int_eq(ask(&x), WEIR_UNKNOWN_TOKEN);
    ck_assert_int_eq(ask(&y), WEIR_UNKNOWN_TOKEN);
    ck_assert_int_eq(ask(&z), WEIR_ALLOWED);
    expect_continued();
}
END_TEST

START_TEST(a_directory_that_is_lost_or_damaged_is_made_anew)
{
    struct weir_credential x = issued(&office, NULL, lister("x"));
    const char *const spoil[] = {"rm -rf -- '%s'", "cd '%s' && for f in *; do : > \"$f\"; done",
                                 "cd '%s' && truncate -s -1 *", "rm -f -- '%s'/*"};

    for (size_t i = 0; i < COUNT(spoil); i++) {
        char command[512];

        unfollow();
        office_close(&office);
        (void)snprintf(command, sizeof command, spoil[i], office.directory);
        ck_assert_int_eq(system(command), 0);
        office_open(&office);
        follow();
        ck_assert_int_eq(ask(&x), WEIR_ALLOWED);
        expect_continued();
    }
}
END_TEST

/* Copies the store, while it is closed. */
static void copy_store(const char *command)
{
    char line[1024];

    (void)snprintf(line, sizeof line, command, office.store, office.store);
    ck_assert_int_eq(system(line), 0);
}

START_TEST(a_directory_of_another_store_or_time_is_made_anew)
{
    struct weir_credential x = issued(&office, NULL, lister("x"));
    struct weir_credential y;
    struct weir_credential z;

    office_close(&office);
    copy_store("cp '%s' '%s'.copy");
    office_open(&office);
    y = issued(&office, NULL, lister("y"));
    ck_assert_int_eq(revoke_token(&office, NULL, "x"), WEIR_OK);
    weir_authority_heartbeat(office.authority);
    ck_assert_int_eq(ask(&y), WEIR_ALLOWED);
    /* Less in the store than is published. */
    office_close(&office);
    copy_store("cp '%s'.copy '%s'");
    open_published();
    ck_assert_int_eq(ask(&x), WEIR_ALLOWED);
    ck_assert_int_eq(ask(&y), WEIR_UNKNOWN_TOKEN);
    /* As much, but other tokens. */
    y = issued(&office, NULL, lister("y"));
    office_close(&office);
    copy_store("cp '%s'.copy '%s'");
    open_aside();
    z = issued(&office, NULL, lister("y"));
    open_published();
    ck_assert_int_eq(ask(&y), WEIR_UNKNOWN_TOKEN);
    ck_assert_int_eq(ask(&z), WEIR_ALLOWED);
    expect_continued();
}
END_TEST

START_TEST(two_authorities_do_not_share_a_store_or_a_directory)
{
    struct weir_authority *second = NULL;
    struct weir_authority_options options = office.options;
    struct office other;

    options.directory = NULL;
    ck_assert_int_eq(weir_authority_open(office.store, &options, &second, &last_error),
                     WEIR_ERROR_BUSY);
    office_make(&other, false);
    office_close(&other);
    options.directory = office.directory;
    ck_assert_int_eq(weir_authority_open(other.store, &options, &second, &last_error),
                     WEIR_ERROR_BUSY);
    office_open(&other);
    office_remove(&other);
    ck_assert_int_eq(ask(&office.root), WEIR_ALLOWED);
}
END_TEST

/*
 * ---- A change that is durable and cannot be published ----
 */

static bool no_memory(struct office *at)
{
    (void)at;
    return false;
}

/* In the transaction there is memory still; for publishing there is none. */
static void run_out_in_the_transaction(struct office *at)
{
    if (__atomic_load_n(&at->clock_reads, __ATOMIC_RELAXED) == 2) {
        office_on_memory(at, no_memory);
    }
}

static void *issue_in_a_thread(void *context)
{
    const struct weir_requestor who = {.is_operator = true};
    const struct weir_text declaration =
        WEIR_TEXT("{\"id\":\"x\",\"scope\":{\"ops\":[\"list-basins\"]}}");

    return weir_authority_issue(office.authority, &who, declaration, context, NULL, NULL) == WEIR_OK
               ? context
               : NULL;
}

static uint64_t heartbeat(void)
{
    return weir_follower_status(follower).heartbeat;
}

START_TEST(while_a_change_is_not_published_the_heart_stands_still)
{
    const struct timespec pause = {.tv_nsec = 1000000};
    struct weir_issued made;
    pthread_t thread;
    uint64_t beaten = 0;
    void *result = NULL;

    office.clock_reads = 0;
    office_on_clock(&office, run_out_in_the_transaction);
    ck_assert_int_eq(pthread_create(&thread, NULL, issue_in_a_thread, &made), 0);
    while (facts().sequence == facts().published) {
        (void)nanosleep(&pause, NULL);
    }
    office_on_clock(&office, NULL);
    beaten = heartbeat();
    for (unsigned i = 0; i < 50; i++) {
        (void)nanosleep(&pause, NULL);
        weir_authority_heartbeat(office.authority);
        (void)weir_follower_poll(follower, weir_clocks_now().boot, 0, NULL);
    }
    ck_assert_uint_eq(heartbeat(), beaten);
    ck_assert_int_eq(revoke_token(&office, NULL, "root"), WEIR_ERROR_BEHIND);
    ck_assert_uint_eq(facts().sequence, 2);
    ck_assert_uint_eq(facts().published, 1);

    office_on_memory(&office, NULL); /* there is some again */
    ck_assert_int_eq(pthread_join(thread, &result), 0);
    ck_assert_ptr_nonnull(result);
    ck_assert_int_eq(ask(&made.credential), WEIR_ALLOWED);
    weir_authority_heartbeat(office.authority);
    (void)weir_follower_poll(follower, weir_clocks_now().boot, 0, NULL);
    ck_assert_uint_gt(heartbeat(), beaten);
    ck_assert_int_eq(revoke_token(&office, NULL, "x"), WEIR_OK);
}
END_TEST

/*
 * ---- Housekeeping ----
 */

START_TEST(expired_tokens_are_removed_and_that_is_published)
{
    uint64_t sequence = 0;

    for (unsigned i = 0; i < 300; i++) {
        ck_issue(&office, NULL,
                 json("{'id':'x%u','expires_at':'2026-11-19T00:00:00Z','scope':{"
                      "'ops':['list-basins']}}",
                      i),
                 WEIR_OK);
    }
    sequence = facts().sequence;
    ck_assert_int_eq(weir_authority_maintain(office.authority, &last_error), WEIR_OK);
    ck_assert_uint_eq(facts().sequence, sequence);
    office.now.seconds += 24 * 3600;
    ck_assert_int_eq(weir_authority_maintain(office.authority, &last_error), WEIR_OK);
    ck_assert_uint_eq(facts().tokens, 1);
    ck_assert_uint_eq(facts().sequence, sequence + 300);
    ck_assert_uint_eq(facts().published, sequence + 300);
    ck_assert_int_eq(ask(&office.root), WEIR_ALLOWED);
    weir_read_begin();
    ck_assert_ptr_null(
        weir_engine_find(weir_authority_engine(office.authority), (struct weir_text){"x0", 2}));
    weir_read_end();
    office_close(&office);
    office_open(&office);
    expect_continued();
}
END_TEST

TCase *publication_cases(void)
{
    TCase *cases = tcase_create("publication");

    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, what_a_call_has_done_is_published_when_it_returns);
    tcase_add_test(cases, no_heartbeat_is_given_until_asked_for);
    tcase_add_test(cases, what_was_published_is_continued);
    tcase_add_test(cases, changes_made_aside_are_published_with_the_next_opening);
    tcase_add_test(cases, what_was_issued_and_revoked_aside_leaves_nothing);
    tcase_add_test(cases, a_directory_that_is_lost_or_damaged_is_made_anew);
    tcase_add_test(cases, a_directory_of_another_store_or_time_is_made_anew);
    tcase_add_test(cases, two_authorities_do_not_share_a_store_or_a_directory);
    tcase_add_test(cases, while_a_change_is_not_published_the_heart_stands_still);
    tcase_add_test(cases, expired_tokens_are_removed_and_that_is_published);
    return cases;
}
