/* F1, F2, F4: what followers hold, and when. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "library/support.h"
#include "publish/guarantee_cases.h"
#include "publish/stage.h"

START_TEST(F2_a_poll_has_applied_every_change_published_before_it)
{
    struct stage stage;
    struct weir_follower *follower = NULL;

    stage_create(&stage);
    follower = follow(&stage);
    ck_assert_int_eq(publish_issue(&stage, (struct recipe){"a", .version = 1, .credential = 1}),
                     WEIR_OK);
    ck_assert_int_eq(follower_ask(follower, "a", 1), WEIR_UNKNOWN_TOKEN);
    ck_assert_int_eq(poll(&stage, follower), WEIR_OK);
    expect_current(&stage, follower);
    ck_assert_int_eq(follower_ask(follower, "a", 1), WEIR_ALLOWED);
    ck_assert_int_eq(publish_put(&stage, (struct recipe){"a", .version = 2, .credential = 2}),
                     WEIR_OK);
    ck_assert_int_eq(publish_revoke(&stage, "a"), WEIR_OK);
    ck_assert_int_eq(follower_ask(follower, "a", 1), WEIR_ALLOWED);
    ck_assert_int_eq(poll_later(follower, 0), WEIR_OK);
    ck_assert_int_eq(follower_ask(follower, "a", 1), WEIR_UNKNOWN_TOKEN);
    ck_assert_int_eq(follower_ask(follower, "a", 2), WEIR_UNKNOWN_TOKEN);
    weir_follower_close(follower);
    stage_remove(&stage);
}
END_TEST

START_TEST(F2_an_opening_has_applied_every_change_published_before_it)
{
    struct stage stage;
    struct weir_follower *follower = NULL;

    stage_create(&stage);
    for (unsigned i = 0; i < 4; i++) {
        ck_assert_int_eq(publish_put(&stage, (struct recipe){"a", .version = i + 1}), WEIR_OK);
        follower = follow(&stage);
        expect_current(&stage, follower);
        weir_follower_close(follower);
        if (i == 1) {
            ck_assert_int_eq(publish_compact(&stage), WEIR_OK);
        }
    }
    stage_remove(&stage);
}
END_TEST

START_TEST(F1_a_limited_poll_stops_after_so_many_changes_and_is_not_fresh)
{
    struct stage stage;
    struct weir_follower *follower = NULL;
    uint64_t fresh = 0;

    stage_create(&stage);
    follower = follow(&stage);
    fresh = weir_follower_status(follower).heartbeat;
    ck_assert_uint_gt(fresh, 0);
    for (unsigned i = 0; i < 8; i++) {
        ck_assert_int_eq(publish_put(&stage, (struct recipe){"a", .version = i + 1}), WEIR_OK);
    }
    weir_publisher_heartbeat(stage.publisher);
    for (unsigned i = 3; i < 8; i += 3) {
        ck_assert_int_eq(poll_some(follower, 3), WEIR_OK);
        ck_assert_uint_eq(sequence_of(follower), i);
        ck_assert_int_eq(follower_ask(follower, "a", i), WEIR_ALLOWED);
        ck_assert_uint_eq(weir_follower_status(follower).heartbeat, fresh);
        ck_assert_int_eq(follower_ask_at(follower, "a", i, fresh + LEASE + 1), WEIR_STALE);
    }
    ck_assert_int_eq(poll_some(follower, 3), WEIR_OK);
    expect_current(&stage, follower);
    ck_assert_uint_gt(weir_follower_status(follower).heartbeat, fresh);
    weir_follower_close(follower);
    stage_remove(&stage);
}
END_TEST

START_TEST(F1_followers_that_lag_each_hold_the_tokens_of_their_own_change)
{
    enum { FOLLOWERS = 6 };
    struct stage stage;
    struct weir_follower *followers[FOLLOWERS];

    stage_create(&stage);
    for (unsigned i = 0; i < FOLLOWERS; i++) {
        followers[i] = follow(&stage);
    }
    for (unsigned change = 1; change <= STATE_SIZE; change++) {
        ck_assert_int_eq(publish_put(&stage, (struct recipe){"a", .version = change}), WEIR_OK);
        for (unsigned i = 0; i < FOLLOWERS; i++) {
            if (change % (i + 1) == 0) {
                ck_assert_int_eq(poll(&stage, followers[i]), WEIR_OK);
                ck_assert_uint_eq(sequence_of(followers[i]), change);
            }
            ck_assert_uint_eq(sequence_of(followers[i]), change / (i + 1) * (i + 1));
            ck_assert_int_eq(follower_ask(followers[i], "a", change),
                             change % (i + 1) == 0  ? WEIR_ALLOWED
                             : change / (i + 1) > 0 ? WEIR_STREAM_OUT_OF_SCOPE
                                                    : WEIR_UNKNOWN_TOKEN);
        }
    }
    for (unsigned i = 0; i < FOLLOWERS; i++) {
        weir_follower_close(followers[i]);
    }
    stage_remove(&stage);
}
END_TEST

/* What an observer was told. */
struct told {
    uint64_t last;
    uint64_t count;
    uint64_t published;
    bool revoked;
    char id[16];
    bool wrong;
    const struct weir_follower *const *follower;
};

static void observe(void *context, const struct weir_change *change)
{
    struct told *told = context;

    told->wrong |= change->sequence != told->last + 1 || change->published < told->published ||
                   change->published > weir_clocks_now().boot ||
                   change->token_id.length >= sizeof told->id ||
                   (change->token != NULL &&
                    weir_compiled_token_id(change->token).length != change->token_id.length);
    if (*told->follower != NULL) {
        weir_read_begin();
        told->wrong |= (weir_engine_find(engine_of(*told->follower), change->token_id) == NULL) !=
                       (change->token == NULL);
        weir_read_end();
    }
    told->last = change->sequence;
    told->published = change->published;
    told->count++;
    told->revoked = change->token == NULL;
    memset(told->id, 0, sizeof told->id);
    memcpy(told->id, change->token_id.bytes, change->token_id.length);
}

START_TEST(F1_an_observer_is_told_of_each_change_once_in_order_after_it_is_applied)
{
    struct stage stage;
    struct weir_follower *follower = NULL;
    const struct weir_follower *seen = NULL;
    struct told told = {.follower = &seen};
    const struct weir_follower_options options = {.observer = observe, .observer_context = &told};

    stage_create(&stage);
    ck_assert_int_eq(weir_follower_open(stage.path, &options, &follower, NULL), WEIR_OK);
    seen = follower;
    ck_assert_int_eq(publish_issue(&stage, (struct recipe){"a", .version = 1}), WEIR_OK);
    (void)fill_segment(&stage, 0);
    ck_assert_int_eq(poll_some(follower, 2), WEIR_OK);
    ck_assert_uint_eq(told.count, 2);
    ck_assert_int_eq(poll(&stage, follower), WEIR_OK);
    ck_assert(!told.revoked);
    ck_assert_int_eq(publish_revoke(&stage, "a"), WEIR_OK);
    ck_assert_int_eq(poll(&stage, follower), WEIR_OK);
    ck_assert_int_eq(poll(&stage, follower), WEIR_OK);
    ck_assert(told.revoked);
    ck_assert_str_eq(told.id, "a");
    ck_assert_uint_eq(told.last, weir_publisher_sequence(stage.publisher));
    /* Going over to a snapshot applies the changes after it once more, where nobody sees it. */
    ck_assert_int_eq(publish_compact(&stage), WEIR_OK);
    ck_assert_int_eq(publish_issue(&stage, (struct recipe){"b", .version = 1}), WEIR_OK);
    ck_assert_int_eq(poll(&stage, follower), WEIR_OK);
    ck_assert_int_eq(weir_follower_adopt(follower, NULL), WEIR_OK);
    ck_assert_uint_eq(told.last, weir_publisher_sequence(stage.publisher));
    ck_assert_uint_eq(told.count, told.last);
    ck_assert(!told.wrong);
    weir_follower_close(follower);
    stage_remove(&stage);
}
END_TEST

START_TEST(F4_E6_what_was_resolved_follows_its_id_or_its_issue_number_through_polls_and_snapshots)
{
    struct stage stage;
    struct weir_follower *follower = NULL;
    struct weir_resolved by_id;
    struct weir_resolved by_credential;

    stage_create(&stage);
    ck_assert_int_eq(publish_issue(&stage, (struct recipe){"a", .version = 1, .issue_number = 1,
                                                           .credential = 1}),
                     WEIR_OK);
    follower = follow(&stage);
    by_id = resolve(engine_of(follower), "a");
    by_credential = resolve_by_credential(engine_of(follower), 1);
    ck_assert_int_eq(publish_compact(&stage), WEIR_OK);
    ck_assert_int_eq(weir_follower_adopt(follower, NULL), WEIR_OK);
    ck_assert_int_eq(ask_resolved(engine_of(follower), &by_id, 1), WEIR_ALLOWED);
    ck_assert_int_eq(ask_resolved(engine_of(follower), &by_credential, 1), WEIR_ALLOWED);
    ck_assert_int_eq(publish_revoke(&stage, "a"), WEIR_OK);
    ck_assert_int_eq(publish_issue(&stage, (struct recipe){"a", .version = 2, .issue_number = 2,
                                                           .credential = 1}),
                     WEIR_OK);
    if (_i == 1) {
        ck_assert_int_eq(publish_compact(&stage), WEIR_OK);
        ck_assert_int_eq(weir_follower_adopt(follower, NULL), WEIR_OK);
    }
    ck_assert_int_eq(poll(&stage, follower), WEIR_OK);
    ck_assert_int_eq(ask_resolved(engine_of(follower), &by_id, 2), WEIR_ALLOWED);
    ck_assert_int_eq(ask_resolved(engine_of(follower), &by_credential, 2), WEIR_UNKNOWN_TOKEN);
    weir_follower_close(follower);
    stage_remove(&stage);
}
END_TEST

START_TEST(F4_a_poll_inside_a_read_section_is_refused_unless_there_is_nothing_to_do)
{
    struct stage stage;
    struct weir_follower *follower = NULL;

    stage_create(&stage);
    follower = follow(&stage);
    ck_assert_int_eq(publish_issue(&stage, (struct recipe){"a", .version = 1}), WEIR_OK);
    ck_assert_int_eq(publish_compact(&stage), WEIR_OK);
    weir_read_begin();
    ck_assert_int_eq(poll_later(follower, 0), WEIR_ERROR_ARGUMENT);
    ck_assert_int_eq(weir_follower_adopt(follower, NULL), WEIR_ERROR_ARGUMENT);
    ck_assert_int_eq(publish_issue(&stage, (struct recipe){"b", .version = 1}),
                     WEIR_ERROR_ARGUMENT);
    ck_assert_int_eq(publish_revoke(&stage, "a"), WEIR_ERROR_ARGUMENT);
    ck_assert_int_eq(publish_compact(&stage), WEIR_ERROR_ARGUMENT);
    weir_read_end();
    ck_assert_uint_eq(sequence_of(follower), 0);
    ck_assert_int_eq(poll(&stage, follower), WEIR_OK);
    expect_current(&stage, follower);
    weir_follower_close(follower);
    stage_remove(&stage);
}
END_TEST

/* A thread that waits, and one that publishes while it does. */
static void *publish_after_a_while(void *context)
{
    (void)usleep(20000);
    (void)publish_issue(context, (struct recipe){"a", .version = 1});
    return NULL;
}

START_TEST(F2_a_follower_that_waits_is_woken_by_a_change)
{
    struct stage stage;
    struct weir_follower *follower = NULL;
    pthread_t thread;

    stage_create(&stage);
    follower = follow(&stage);
    ck_assert(!weir_follower_wait(follower, 1000));
    ck_assert_int_eq(pthread_create(&thread, NULL, publish_after_a_while, &stage), 0);
    /* An hour is longer than the test may take: without being woken it fails. */
    while (!weir_follower_wait(follower, 3600 * SECOND)) {
    }
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert(weir_follower_wait(follower, 3600 * SECOND));
    ck_assert_int_eq(poll(&stage, follower), WEIR_OK);
    ck_assert_int_eq(follower_ask(follower, "a", 1), WEIR_ALLOWED);
    weir_follower_close(follower);
    stage_remove(&stage);
}
END_TEST

START_TEST(F2_a_relative_path_is_followed_wherever_the_process_goes)
{
    struct stage stage;
    struct weir_follower *follower = NULL;
    char here[512];

    stage_create(&stage);
    ck_assert_ptr_nonnull(getcwd(here, sizeof here));
    ck_assert_int_eq(chdir(stage.folder), 0);
    ck_assert_int_eq(weir_follower_open("published", NULL, &follower, NULL), WEIR_OK);
    ck_assert_int_eq(weir_follower_open("", NULL, &(struct weir_follower *){NULL}, NULL),
                     WEIR_ERROR_NOT_FOUND);
    ck_assert_int_eq(chdir(here), 0);
    stage_create_anew(&stage, &(struct recipe){"a", .version = 1}, 1, 1);
    ck_assert_int_eq(poll(&stage, follower), WEIR_OK);
    expect_current(&stage, follower);
    weir_follower_close(follower);
    stage_remove(&stage);
}
END_TEST

TCase *seeing_cases(void)
{
    TCase *cases = tcase_create("seeing");

    tcase_add_test(cases, F2_a_poll_has_applied_every_change_published_before_it);
    tcase_add_test(cases, F2_an_opening_has_applied_every_change_published_before_it);
    tcase_add_test(cases, F1_a_limited_poll_stops_after_so_many_changes_and_is_not_fresh);
    tcase_add_test(cases, F1_followers_that_lag_each_hold_the_tokens_of_their_own_change);
    tcase_add_test(cases, F1_an_observer_is_told_of_each_change_once_in_order_after_it_is_applied);
    tcase_add_loop_test(
        cases,
        F4_E6_what_was_resolved_follows_its_id_or_its_issue_number_through_polls_and_snapshots, 0,
        2);
    tcase_add_test(cases, F4_a_poll_inside_a_read_section_is_refused_unless_there_is_nothing_to_do);
    tcase_add_test(cases, F2_a_follower_that_waits_is_woken_by_a_change);
    tcase_add_test(cases, F2_a_relative_path_is_followed_wherever_the_process_goes);
    return cases;
}
