/* P7, F8, F10: compactions, and followers that sleep through them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "library/support.h"
#include "publish/guarantee_cases.h"
#include "publish/stage.h"

/* Makes the snapshot that is due look as if it had been published so many leases ago. */
static void age_snapshot(const struct stage *stage, unsigned leases)
{
    struct weir_control *control = map_control(stage);

    ck_assert_uint_ne(control->due_since, 0);
    control->due_since -= leases * weir_publisher_lease(stage->publisher);
    unmap_control(control);
}

/* Short, so that ten of them ago the machine was running. */
static void make(struct stage *stage)
{
    stage_make(stage);
    stage->options.lease = WEIR_LEASE_MIN;
    stage_create_anew(stage, NULL, 0, 0);
}

static void change_and_compact(struct stage *stage, unsigned version)
{
    ck_assert_int_eq(publish_put(stage, (struct recipe){"a", .version = version}), WEIR_OK);
    ck_assert_int_eq(publish_compact(stage), WEIR_OK);
}

START_TEST(P7_a_snapshot_holds_what_is_published_and_followers_may_go_over_to_it)
{
    struct stage stage;
    struct weir_follower *follower = NULL;

    stage_create(&stage);
    follower = follow(&stage);
    ck_assert_int_eq(publish_issue(&stage, (struct recipe){"a", .version = 1, .credential = 1}),
                     WEIR_OK);
    ck_assert_int_eq(poll(&stage, follower), WEIR_OK);
    ck_assert_uint_eq(weir_follower_status(follower).usage.own_tokens, 1);
    ck_assert_int_eq(weir_follower_adopt(follower, NULL), WEIR_OK);
    ck_assert_uint_eq(weir_follower_status(follower).snapshot, 0);
    ck_assert_int_eq(publish_compact(&stage), WEIR_OK);
    ck_assert_uint_eq(weir_follower_status(follower).newest_snapshot, 1);
    ck_assert_int_eq(publish_issue(&stage, (struct recipe){"b", .version = 2}), WEIR_OK);
    ck_assert_int_eq(weir_follower_adopt(follower, NULL), WEIR_OK);
    ck_assert_uint_eq(weir_follower_status(follower).snapshot, 1);
    expect_current(&stage, follower);
    ck_assert_uint_eq(weir_follower_status(follower).usage.own_tokens, 1);
    ck_assert_uint_eq(weir_engine_usage(weir_publisher_engine(stage.publisher)).own_tokens, 1);
    weir_follower_close(follower);
    stage_remove(&stage);
}
END_TEST

START_TEST(P7_compacting_when_nothing_has_changed_makes_nothing)
{
    struct stage stage;

    stage_create(&stage);
    ck_assert_int_eq(publish_compact(&stage), WEIR_OK);
    ck_assert_uint_eq(find_files(&stage, ".image", NULL), 1);
    change_and_compact(&stage, 1);
    ck_assert_int_eq(publish_compact(&stage), WEIR_OK);
    ck_assert_uint_eq(find_files(&stage, ".image", NULL), 2);
    stage_remove(&stage);
}
END_TEST

/* Those that expired more than an hour ago go, by a change like any other, at one number for all.
 */
START_TEST(P7_tokens_that_expired_over_an_hour_ago_are_revoked_by_compacting)
{
    struct stage stage;
    struct weir_follower *follower = NULL;

    stage_create(&stage);
    follower = follow(&stage);
    ck_assert_int_eq(
        publish_issue(&stage, (struct recipe){"a", .version = 1, .expires_at = NOW_SECONDS - 3600}),
        WEIR_OK);
    ck_assert_int_eq(
        publish_issue(&stage, (struct recipe){"b", .version = 1, .expires_at = NOW_SECONDS - 3601}),
        WEIR_OK);
    ck_assert_int_eq(publish_compact(&stage), WEIR_OK);
    ck_assert_uint_eq(weir_publisher_sequence(stage.publisher), 3);
    ck_assert_int_eq(poll(&stage, follower), WEIR_OK);
    expect_current(&stage, follower);
    ck_assert_int_eq(follower_ask(follower, "a", 1), WEIR_EXPIRED);
    ck_assert_int_eq(follower_ask(follower, "b", 1), WEIR_UNKNOWN_TOKEN);
    ck_assert_int_eq(weir_follower_adopt(follower, NULL), WEIR_OK);
    expect_current(&stage, follower);
    ck_assert_uint_eq(weir_follower_status(follower).snapshot, 3);
    weir_follower_close(follower);
    stage_remove(&stage);
}
END_TEST

START_TEST(P7_what_a_snapshot_makes_superfluous_is_kept_for_ten_leases)
{
    struct stage stage;

    stage_create(&stage);
    (void)fill_segment(&stage, 0);
    change_and_compact(&stage, 1);
    (void)fill_segment(&stage, 0);
    ck_assert_uint_eq(find_files(&stage, ".journal", NULL), 2);
    stage_resume(&stage);
    ck_assert_uint_eq(find_files(&stage, ".journal", NULL), 2);
    ck_assert_uint_eq(find_files(&stage, ".image", NULL), 2);
    age_snapshot(&stage, 9);
    stage_resume(&stage);
    ck_assert_uint_eq(find_files(&stage, ".journal", NULL), 2);
    ck_assert_uint_eq(find_files(&stage, ".image", NULL), 2);
    age_snapshot(&stage, 1);
    stage_resume(&stage);
    ck_assert_uint_eq(find_files(&stage, ".journal", NULL), 1);
    ck_assert_uint_eq(find_files(&stage, ".image", NULL), 1);
    stage_remove(&stage);
}
END_TEST

/* Compactions three leases apart, with real waiting; what is there must have an end. */
START_TEST(P7_frequent_compactions_leave_no_more_than_those_of_ten_leases)
{
    struct stage stage;

    make(&stage);
    for (unsigned i = 0; i < 20; i++) {
        change_and_compact(&stage, 1 + i);
        (void)usleep(3 * 10000);
    }
    ck_assert_int_eq(publish_compact(&stage), WEIR_OK);
    ck_assert_uint_lt(find_files(&stage, ".image", NULL), 12);
    stage_remove(&stage);
}
END_TEST

START_TEST(F8_a_follower_that_slept_through_several_compactions_opens_the_newest_snapshot)
{
    struct stage stage;
    struct weir_follower *follower = NULL;
    uint64_t before = 0;

    make(&stage);
    follower = follow(&stage);
    for (unsigned i = 0; i < 3; i++) {
        (void)fill_segment(&stage, 0);
        change_and_compact(&stage, i + 1);
        age_snapshot(&stage, 10);
        stage_resume(&stage);
    }
    before = weir_publisher_sequence(stage.publisher);
    ck_assert_int_eq(publish_put(&stage, (struct recipe){"b", .version = 7}), WEIR_OK);
    weir_publisher_heartbeat(stage.publisher);
    /* Limited polls come through as well. */
    for (unsigned polls = 0; sequence_of(follower) <= before; polls++) {
        ck_assert_uint_lt(polls, 5000);
        ck_assert_int_eq(poll_some(follower, _i == 1 ? 1 : 0), WEIR_OK);
    }
    ck_assert_uint_gt(weir_follower_status(follower).snapshot, 0);
    ck_assert_int_eq(poll(&stage, follower), WEIR_OK);
    expect_current(&stage, follower);
    weir_follower_close(follower);
    stage_remove(&stage);
}
END_TEST

/* Its segment is removed, but it has it open: it reads that to the end. */
START_TEST(F8_a_follower_whose_segments_are_removed_under_it_goes_on)
{
    struct stage stage;
    struct weir_follower *follower = NULL;

    make(&stage);
    ck_assert_int_eq(publish_issue(&stage, (struct recipe){"a", .version = 1}), WEIR_OK);
    follower = follow(&stage);
    (void)fill_segment(&stage, 0);
    change_and_compact(&stage, 2);
    age_snapshot(&stage, 10);
    stage_resume(&stage);
    ck_assert_int_eq(poll_some(follower, 5), WEIR_OK);
    ck_assert_uint_eq(sequence_of(follower), 6);
    ck_assert_int_eq(publish_put(&stage, (struct recipe){"a", .version = 3}), WEIR_OK);
    ck_assert_int_eq(poll(&stage, follower), WEIR_OK);
    expect_current(&stage, follower);
    weir_follower_close(follower);
    stage_remove(&stage);
}
END_TEST

static size_t mapped_bytes(const char *what, const char *field)
{
    FILE *maps = fopen("/proc/self/smaps", "r");
    char line[512];
    size_t sum = 0;
    bool inside = false;

    ck_assert_ptr_nonnull(maps);
    while (fgets(line, sizeof line, maps) != NULL) {
        if (strchr(line, '-') != NULL && strchr(line, ':') != NULL && line[0] != 'S' &&
            strstr(line, " kB") == NULL) {
            inside = strstr(line, what) != NULL;
        } else if (inside && strncmp(line, field, strlen(field)) == 0) {
            sum += (size_t)strtoul(line + strlen(field), NULL, 10) * 1024;
        }
    }
    (void)fclose(maps);
    return sum;
}

START_TEST(F10_followers_of_one_snapshot_have_none_of_its_pages_for_themselves)
{
    enum { FOLLOWERS = 8, TOKENS = 3000 };
    struct stage stage;
    struct weir_follower *followers[FOLLOWERS];
    char path[512];

    stage_create(&stage);
    for (unsigned i = 0; i < TOKENS; i++) {
        char id[16];

        (void)snprintf(id, sizeof id, "token%u", i);
        ck_assert_int_eq(publish_issue(&stage, (struct recipe){id, .version = 1}), WEIR_OK);
    }
    ck_assert_int_eq(publish_compact(&stage), WEIR_OK);
    for (unsigned i = 0; i < FOLLOWERS; i++) {
        followers[i] = follow(&stage);
        ck_assert_int_eq(follower_ask(followers[i], "token77", 1), WEIR_ALLOWED);
        ck_assert_uint_eq(weir_follower_status(followers[i]).usage.own_tokens, 0);
    }
    (void)find_files(&stage, ".image", path);
    ck_assert_uint_gt(mapped_bytes(path, "Rss:"), file_size(path));
    ck_assert_uint_eq(mapped_bytes(path, "Anonymous:"), 0);
    ck_assert_int_eq(publish_revoke(&stage, "token78"), WEIR_OK);
    for (unsigned i = 0; i < FOLLOWERS; i++) {
        ck_assert_int_eq(poll(&stage, followers[i]), WEIR_OK);
        ck_assert_int_eq(follower_ask(followers[i], "token78", 1), WEIR_UNKNOWN_TOKEN);
    }
    ck_assert_uint_le(mapped_bytes(path, "Anonymous:"),
                      (FOLLOWERS + 1) * (size_t)sysconf(_SC_PAGESIZE));
    for (unsigned i = 0; i < FOLLOWERS; i++) {
        weir_follower_close(followers[i]);
    }
    stage_remove(&stage);
}
END_TEST

TCase *snapshot_cases(void)
{
    TCase *cases = tcase_create("snapshots");

    tcase_add_test(cases, P7_a_snapshot_holds_what_is_published_and_followers_may_go_over_to_it);
    tcase_add_test(cases, P7_compacting_when_nothing_has_changed_makes_nothing);
    tcase_add_test(cases, P7_tokens_that_expired_over_an_hour_ago_are_revoked_by_compacting);
    tcase_add_test(cases, P7_what_a_snapshot_makes_superfluous_is_kept_for_ten_leases);
    tcase_add_test(cases, P7_frequent_compactions_leave_no_more_than_those_of_ten_leases);
    tcase_add_loop_test(
        cases, F8_a_follower_that_slept_through_several_compactions_opens_the_newest_snapshot, 0,
        2);
    tcase_add_test(cases, F8_a_follower_whose_segments_are_removed_under_it_goes_on);
    tcase_add_test(cases, F10_followers_of_one_snapshot_have_none_of_its_pages_for_themselves);
    return cases;
}
