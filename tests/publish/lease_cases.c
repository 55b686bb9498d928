/* P6, F3, F7: heartbeats, holds, leases, boots. All instants are given, none is waited for. */
#include <string.h>

#include "library/support.h"
#include "publish/guarantee_cases.h"
#include "publish/stage.h"

/* A directory with a token "a", and a follower of it. */
static struct weir_follower *begin(struct stage *stage)
{
    stage_create(stage);
    ck_assert_int_eq(publish_issue(stage, (struct recipe){"a", .version = 1}), WEIR_OK);
    weir_publisher_heartbeat(stage->publisher);
    return follow(stage);
}

static void end(struct stage *stage, struct weir_follower *follower)
{
    weir_follower_close(follower);
    stage_remove(stage);
}

START_TEST(F3_a_check_is_answered_for_less_than_the_lease_after_the_heartbeat)
{
    struct stage stage;
    struct weir_follower *follower = begin(&stage);
    uint64_t heartbeat = weir_follower_status(follower).heartbeat;

    ck_assert_int_eq(follower_ask_at(follower, "a", 1, heartbeat), WEIR_ALLOWED);
    ck_assert_int_eq(follower_ask_at(follower, "a", 1, heartbeat + LEASE - 1), WEIR_ALLOWED);
    ck_assert_int_eq(follower_ask_at(follower, "a", 1, heartbeat + LEASE), WEIR_STALE);
    ck_assert_int_eq(follower_ask_at(follower, "nobody", 1, heartbeat + LEASE), WEIR_STALE);
    ck_assert_int_eq(follower_ask_at(follower, "a", 1, UINT64_MAX), WEIR_STALE);
    ck_assert_int_eq(follower_ask_at(follower, "a", 1, 0),
                     heartbeat < LEASE ? WEIR_ALLOWED : WEIR_STALE);
    ck_assert_int_eq(publish_revoke(&stage, "a"), WEIR_OK);
    ck_assert_int_eq(poll(&stage, follower), WEIR_OK);
    ck_assert_uint_gt(weir_follower_status(follower).heartbeat, heartbeat);
    ck_assert_int_eq(follower_ask_at(follower, "a", 1, heartbeat + LEASE + 1), WEIR_UNKNOWN_TOKEN);
    end(&stage, follower);
}
END_TEST

START_TEST(F3_the_lease_is_the_one_that_was_asked_for)
{
    struct stage stage;
    struct weir_follower *follower = NULL;
    const uint64_t leases[] = {WEIR_LEASE_MIN, 0, WEIR_LEASE_MAX};
    const uint64_t real[] = {WEIR_LEASE_MIN, 2 * SECOND, WEIR_LEASE_MAX};
    uint64_t heartbeat = 0;

    stage_make(&stage);
    stage.options.lease = leases[_i];
    stage_create_anew(&stage, &(struct recipe){"a", .version = 1}, 1, 0);
    follower = follow(&stage);
    heartbeat = weir_follower_status(follower).heartbeat;
    ck_assert_uint_eq(weir_publisher_lease(stage.publisher), real[_i]);
    ck_assert_uint_eq(weir_follower_status(follower).lease, real[_i]);
    ck_assert_int_eq(follower_ask_at(follower, "a", 1, heartbeat + real[_i] - 1), WEIR_ALLOWED);
    ck_assert_int_eq(follower_ask_at(follower, "a", 1, heartbeat + real[_i]), WEIR_STALE);
    end(&stage, follower);
}
END_TEST

START_TEST(F3_the_wall_clock_decides_nothing_but_expiry)
{
    struct stage stage;
    struct weir_follower *follower = begin(&stage);
    const int64_t walls[] = {INT64_MIN, -1, 0, NOW_SECONDS, INT64_MAX};
    uint64_t heartbeat = weir_follower_status(follower).heartbeat;
    const struct weir_request request = {
        .operation = WEIR_READ, .basin = WEIR_TEXT("basin-of-all"), .stream = FIRST_VERSION_STREAM};

    for (unsigned i = 0; i < COUNT(walls); i++) {
        struct weir_clocks now = {{walls[i], 0}, heartbeat + LEASE - 1};

        ck_assert_int_eq(weir_follower_check(follower, WEIR_TEXT("a"), &request, now),
                         WEIR_ALLOWED);
        now.boot++;
        ck_assert_int_eq(weir_follower_check(follower, WEIR_TEXT("a"), &request, now), WEIR_STALE);
    }
    end(&stage, follower);
}
END_TEST

START_TEST(F3_polls_alone_keep_nobody_fresh)
{
    struct stage stage;
    struct weir_follower *follower = begin(&stage);
    uint64_t heartbeat = weir_follower_status(follower).heartbeat;

    ck_assert_int_eq(publish_put(&stage, (struct recipe){"a", .version = 2}), WEIR_OK);
    ck_assert_int_eq(poll_later(follower, LEASE), WEIR_OK);
    ck_assert_uint_eq(sequence_of(follower), 2);
    ck_assert_uint_eq(weir_follower_status(follower).heartbeat, heartbeat);
    ck_assert_int_eq(follower_ask_at(follower, "a", 2, heartbeat + LEASE), WEIR_STALE);
    end(&stage, follower);
}
END_TEST

START_TEST(F3_heartbeats_without_polls_keep_nobody_fresh)
{
    struct stage stage;
    struct weir_follower *follower = begin(&stage);
    uint64_t heartbeat = weir_follower_status(follower).heartbeat;

    ck_assert_int_eq(publish_revoke(&stage, "a"), WEIR_OK);
    weir_publisher_heartbeat(stage.publisher);
    ck_assert_int_eq(follower_ask_at(follower, "a", 1, heartbeat + LEASE), WEIR_STALE);
    end(&stage, follower);
}
END_TEST

START_TEST(F3_an_adoption_makes_nothing_fresher)
{
    struct stage stage;
    struct weir_follower *follower = begin(&stage);
    uint64_t heartbeat = weir_follower_status(follower).heartbeat;

    ck_assert_int_eq(publish_compact(&stage), WEIR_OK);
    weir_publisher_heartbeat(stage.publisher);
    ck_assert_int_eq(weir_follower_adopt(follower, NULL), WEIR_OK);
    ck_assert_uint_eq(weir_follower_status(follower).heartbeat, heartbeat);
    end(&stage, follower);
}
END_TEST

START_TEST(P6_while_anything_is_held_no_heartbeat_is_given)
{
    struct stage stage;
    struct weir_follower *follower = begin(&stage);
    uint64_t heartbeat = weir_follower_status(follower).heartbeat;

    weir_publisher_hold(stage.publisher);
    weir_publisher_hold(stage.publisher);
    ck_assert_int_eq(publish_put(&stage, (struct recipe){"a", .version = 2}), WEIR_OK);
    for (unsigned held = 2; held > 0; held--) {
        ck_assert_int_eq(poll(&stage, follower), WEIR_OK);
        ck_assert_uint_eq(weir_follower_status(follower).heartbeat, heartbeat);
        ck_assert_int_eq(follower_ask(follower, "a", 2), WEIR_ALLOWED);
        weir_publisher_release(stage.publisher);
    }
    ck_assert_int_eq(poll(&stage, follower), WEIR_OK);
    ck_assert_uint_gt(weir_follower_status(follower).heartbeat, heartbeat);
    end(&stage, follower);
}
END_TEST

START_TEST(P6_a_publisher_that_was_created_or_resumed_vouches_for_nothing_by_itself)
{
    struct stage stage;
    struct weir_follower *follower = begin(&stage);
    uint64_t heartbeat = weir_follower_status(follower).heartbeat;
    struct weir_error error = {0};

    stage_end(&stage);
    ck_assert_int_eq(weir_publisher_resume(stage.path, &stage.options, &stage.publisher, &error),
                     WEIR_OK);
    ck_assert_int_eq(poll_later(follower, 0), WEIR_OK);
    ck_assert_uint_eq(weir_follower_status(follower).heartbeat, heartbeat);
    weir_publisher_heartbeat(stage.publisher);
    ck_assert_int_eq(poll_later(follower, 0), WEIR_OK);
    ck_assert_uint_gt(weir_follower_status(follower).heartbeat, heartbeat);
    heartbeat = weir_follower_status(follower).heartbeat;
    stage_end(&stage);
    ck_assert_int_eq(
        weir_publisher_create(stage.path, NULL, &stage.options, &stage.publisher, &error), WEIR_OK);
    ck_assert_int_eq(poll_later(follower, 0), WEIR_OK);
    ck_assert_uint_eq(weir_follower_status(follower).heartbeat, heartbeat);
    end(&stage, follower);
}
END_TEST

static void be_of_another_boot(struct weir_control_header *header)
{
    header->boot_id[0] = header->boot_id[0] == '0' ? '1' : '0';
}

START_TEST(F7_what_was_published_before_the_machine_booted_is_opened_and_stale)
{
    struct stage stage;
    struct weir_follower *follower = begin(&stage);
    struct weir_publisher *publisher = NULL;

    weir_follower_close(follower);
    stage_end(&stage);
    forge_header(&stage, be_of_another_boot);
    follower = follow(&stage);
    ck_assert_uint_eq(weir_follower_status(follower).heartbeat, 0);
    ck_assert_int_eq(follower_ask_at(follower, "a", 1, weir_clocks_now().boot), WEIR_STALE);
    ck_assert_int_eq(follower_ask_at(follower, "a", 1, 0), WEIR_STALE);
    ck_assert_int_eq(weir_publisher_resume(stage.path, NULL, &publisher, NULL),
                     WEIR_ERROR_NOT_FOUND);
    stage_create_anew(&stage, &(struct recipe){"b", .version = 1}, 1, 0);
    ck_assert_int_eq(poll(&stage, follower), WEIR_OK);
    expect_current(&stage, follower);
    end(&stage, follower);
}
END_TEST

/* A copy from another boot, in which "a" was not revoked yet, takes the directory's place. */
START_TEST(F7_nothing_is_answered_from_another_boot_that_takes_the_place_of_this_one)
{
    struct stage stage;
    struct weir_follower *follower = begin(&stage);

    stage_end(&stage);
    shell(&stage, "cp -a \"$D\" \"$F/copy\"");
    stage_resume(&stage);
    ck_assert_int_eq(publish_revoke(&stage, "a"), WEIR_OK);
    ck_assert_int_eq(poll(&stage, follower), WEIR_OK);
    ck_assert_int_eq(follower_ask(follower, "a", 1), WEIR_UNKNOWN_TOKEN);
    stage_end(&stage);
    shell(&stage, "rm -r \"$D\" && mv \"$F/copy\" \"$D\"");
    forge_header(&stage, be_of_another_boot);
    for (unsigned i = 1; i < 4; i++) {
        enum weir_reason reason = WEIR_ALLOWED;

        (void)poll_later(follower, i * LEASE);
        reason = follower_ask(follower, "a", 1);
        ck_assert(reason == WEIR_UNKNOWN_TOKEN || reason == WEIR_STALE);
    }
    end(&stage, follower);
}
END_TEST

START_TEST(F7_a_heartbeat_from_the_future_is_no_heartbeat)
{
    struct stage stage;
    struct weir_follower *follower = begin(&stage);
    struct weir_control *control = map_control(&stage);
    uint64_t heartbeat = weir_follower_status(follower).heartbeat;
    const uint64_t futures[] = {weir_clocks_now().boot + 2 * LEASE, UINT64_MAX - LEASE, UINT64_MAX};

    for (unsigned i = 0; i < COUNT(futures); i++) {
        __atomic_store_n(&control->heartbeat, futures[i], __ATOMIC_RELEASE);
        ck_assert_int_eq(publish_put(&stage, (struct recipe){"a", .version = i + 1}), WEIR_OK);
        ck_assert_int_eq(poll_later(follower, 0), WEIR_OK);
        ck_assert_uint_eq(weir_follower_status(follower).heartbeat, heartbeat);
        ck_assert_int_eq(follower_ask_at(follower, "a", 1, heartbeat + LEASE), WEIR_STALE);
        ck_assert_int_eq(follower_ask_at(follower, "a", 1, futures[i]), WEIR_STALE);
    }
    ck_assert_int_eq(poll(&stage, follower), WEIR_OK);
    ck_assert_uint_gt(weir_follower_status(follower).heartbeat, heartbeat);
    unmap_control(control);
    end(&stage, follower);
}
END_TEST

START_TEST(F7_heartbeats_go_forward_only)
{
    struct stage stage;
    struct weir_follower *follower = begin(&stage);
    struct weir_control *control = map_control(&stage);
    uint64_t heartbeat = weir_follower_status(follower).heartbeat;

    __atomic_store_n(&control->heartbeat, heartbeat - 1, __ATOMIC_RELEASE);
    ck_assert_int_eq(poll_later(follower, 0), WEIR_OK);
    ck_assert_uint_eq(weir_follower_status(follower).heartbeat, heartbeat);
    __atomic_store_n(&control->heartbeat, 0, __ATOMIC_RELEASE);
    ck_assert_int_eq(poll_later(follower, 0), WEIR_OK);
    ck_assert_uint_eq(weir_follower_status(follower).heartbeat, heartbeat);
    unmap_control(control);
    end(&stage, follower);
}
END_TEST

TCase *lease_cases(void)
{
    TCase *cases = tcase_create("lease");

    tcase_add_test(cases, F3_a_check_is_answered_for_less_than_the_lease_after_the_heartbeat);
    tcase_add_loop_test(cases, F3_the_lease_is_the_one_that_was_asked_for, 0, 3);
    tcase_add_test(cases, F3_the_wall_clock_decides_nothing_but_expiry);
    tcase_add_test(cases, F3_polls_alone_keep_nobody_fresh);
    tcase_add_test(cases, F3_heartbeats_without_polls_keep_nobody_fresh);
    tcase_add_test(cases, F3_an_adoption_makes_nothing_fresher);
    tcase_add_test(cases, P6_while_anything_is_held_no_heartbeat_is_given);
    tcase_add_test(cases, P6_a_publisher_that_was_created_or_resumed_vouches_for_nothing_by_itself);
    tcase_add_test(cases, F7_what_was_published_before_the_machine_booted_is_opened_and_stale);
    tcase_add_test(cases,
                   F7_nothing_is_answered_from_another_boot_that_takes_the_place_of_this_one);
    tcase_add_test(cases, F7_a_heartbeat_from_the_future_is_no_heartbeat);
    tcase_add_test(cases, F7_heartbeats_go_forward_only);
    return cases;
}
