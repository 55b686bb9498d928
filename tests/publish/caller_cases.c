/* What callers may do, and what is refused to them: sections, forks, bounds, others' files. */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "publish/guarantee_cases.h"
#include "publish/stage.h"

START_TEST(a_change_inside_a_read_section_is_refused_before_it_waits_for_anything)
{
    struct stage stage;
    struct weir_error error = {0};

    stage_create(&stage);
    ck_assert_int_eq(publish_issue(&stage, (struct recipe){"a", .version = 1}), WEIR_OK);
    weir_read_begin();
    ck_assert_int_eq(publish_put(&stage, (struct recipe){"a", .version = 2}), WEIR_ERROR_ARGUMENT);
    ck_assert_int_eq(publish_revoke(&stage, "a"), WEIR_ERROR_ARGUMENT);
    ck_assert_int_eq(weir_publisher_compact(stage.publisher, (struct weir_instant){0, 0}, &error),
                     WEIR_ERROR_ARGUMENT);
    weir_read_end();
    ck_assert_uint_eq(weir_publisher_sequence(stage.publisher), 1);
    ck_assert_uint_eq(weir_publisher_usage(stage.publisher).tokens, 1);
    stage_remove(&stage);
}
END_TEST

START_TEST(P1_a_process_that_was_forked_from_the_publisher_publishes_nothing)
{
    struct stage stage;
    uint64_t heartbeat = 0;
    struct weir_control *control = NULL;
    pid_t child = 0;
    int status = 0;

    stage_create(&stage);
    control = map_control(&stage);
    heartbeat = control->heartbeat;
    child = fork();
    if (child == 0) {
        bool refused =
            publish_issue(&stage, (struct recipe){"a", .version = 1}) == WEIR_ERROR_BUSY &&
            publish_compact(&stage) == WEIR_ERROR_BUSY;

        weir_publisher_heartbeat(stage.publisher);
        _exit(refused ? 0 : 1);
    }
    ck_assert_int_gt(child, 0);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    ck_assert_uint_eq(control->sequence, 0);
    ck_assert_uint_eq(control->heartbeat, heartbeat);
    unmap_control(control);
    ck_assert_int_eq(publish_issue(&stage, (struct recipe){"b", .version = 1}), WEIR_OK);
    stage_remove(&stage);
}
END_TEST

/* Each poll applies one change, and each time another is published before it. */
START_TEST(F3_a_bounded_poll_that_lags_by_a_little_is_fresh_as_of_a_little_before)
{
    struct stage stage;
    struct weir_follower *follower = NULL;
    uint64_t before = 0;

    stage_create(&stage);
    follower = follow(&stage);
    ck_assert_int_eq(publish_put(&stage, (struct recipe){"a", .version = 1}), WEIR_OK);
    before = weir_follower_status(follower).heartbeat;
    for (unsigned i = 0; i < 20; i++) {
        weir_publisher_heartbeat(stage.publisher);
        ck_assert_int_eq(publish_put(&stage, (struct recipe){"a", .version = i + 2}), WEIR_OK);
        ck_assert_int_eq(poll_some(follower, 1), WEIR_OK);
        if (i % 3 == 2) {
            ck_assert_uint_gt(weir_follower_status(follower).heartbeat, before);
            before = weir_follower_status(follower).heartbeat;
        }
    }
    ck_assert_uint_lt(sequence_of(follower), weir_publisher_sequence(stage.publisher));
    weir_follower_close(follower);
    stage_remove(&stage);
}
END_TEST

START_TEST(creating_and_resuming_remove_nobody_elses_files)
{
    struct stage stage;

    stage_create(&stage);
    shell(&stage, "touch \"$D/thesis.tmp\" \"$D/thesis.image\" \"$D/0-1.journal.tmp\" "
                  "\"$D/control.tmp\"");
    stage_create_anew(&stage, NULL, 0, 0);
    stage_resume(&stage);
    shell(&stage, "test -e \"$D/thesis.tmp\" -a -e \"$D/thesis.image\" -a "
                  "-e \"$D/0-1.journal.tmp\" -a ! -e \"$D/control.tmp\"");
    stage_remove(&stage);
}
END_TEST

START_TEST(an_error_is_left_alone_by_what_succeeds)
{
    struct stage stage;
    struct weir_follower *follower = NULL;
    struct weir_error error;
    struct weir_error before;

    memset(&before, 0xaa, sizeof before);
    error = before;
    stage_create(&stage);
    follower = follow(&stage);
    ck_assert_int_eq(publish_put(&stage, (struct recipe){"a", .version = 1}), WEIR_OK);
    ck_assert_int_eq(publish_compact(&stage), WEIR_OK);
    ck_assert_int_eq(publish_revoke(&stage, "a"), WEIR_OK);
    ck_assert_int_eq(weir_follower_poll(follower, weir_clocks_now().boot, 0, &error), WEIR_OK);
    ck_assert_int_eq(weir_follower_adopt(follower, &error), WEIR_OK);
    weir_follower_close(follower);
    stage_end(&stage);
    ck_assert_int_eq(weir_publisher_resume(stage.path, &stage.options, &stage.publisher, &error),
                     WEIR_OK);
    ck_assert_int_eq(weir_follower_open(stage.path, NULL, &follower, &error), WEIR_OK);
    ck_assert_int_eq(memcmp(&error, &before, sizeof error), 0);
    weir_follower_close(follower);
    stage_remove(&stage);
}
END_TEST

START_TEST(F2_a_poll_of_what_was_superseded_and_is_gone_is_an_error)
{
    struct stage stage;
    struct weir_follower *follower = NULL;

    stage_create(&stage);
    follower = follow(&stage);
    stage_create_anew(&stage, NULL, 0, 0);
    stage_end(&stage);
    shell(&stage, "rm -r \"$D\"");
    ck_assert_int_eq(poll_later(follower, 0), WEIR_ERROR_NOT_FOUND);
    ck_assert_int_eq(poll_later(follower, LEASE), WEIR_ERROR_NOT_FOUND);
    weir_follower_close(follower);
    stage_remove(&stage);
}
END_TEST

TCase *caller_cases(void)
{
    TCase *cases = tcase_create("callers");

    tcase_add_test(cases, a_change_inside_a_read_section_is_refused_before_it_waits_for_anything);
    tcase_add_test(cases, P1_a_process_that_was_forked_from_the_publisher_publishes_nothing);
    tcase_add_test(cases, F3_a_bounded_poll_that_lags_by_a_little_is_fresh_as_of_a_little_before);
    tcase_add_test(cases, creating_and_resuming_remove_nobody_elses_files);
    tcase_add_test(cases, an_error_is_left_alone_by_what_succeeds);
    tcase_add_test(cases, F2_a_poll_of_what_was_superseded_and_is_gone_is_an_error);
    return cases;
}
