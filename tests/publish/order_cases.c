/* P1, P2, P3: one order of changes, which survives its publisher; one publisher. */
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "library/support.h"
#include "publish/guarantee_cases.h"
#include "publish/stage.h"

START_TEST(P1_each_change_has_the_number_after_the_one_before)
{
    struct stage stage;
    struct weir_compiled_token *token = compile_recipe((struct recipe){"a", .version = 1});
    uint64_t sequence = 0;

    stage_create(&stage);
    ck_assert_uint_eq(weir_publisher_sequence(stage.publisher), 0);
    for (uint64_t i = 1; i < 30; i += 3) {
        ck_assert_int_eq(weir_publisher_issue(stage.publisher, token, &sequence, NULL), WEIR_OK);
        ck_assert_uint_eq(sequence, i);
        ck_assert_int_eq(weir_publisher_replace(stage.publisher, token, &sequence, NULL), WEIR_OK);
        ck_assert_uint_eq(sequence, i + 1);
        ck_assert_int_eq(weir_publisher_revoke(stage.publisher, WEIR_TEXT("a"), &sequence, NULL),
                         WEIR_OK);
        ck_assert_uint_eq(sequence, i + 2);
        ck_assert_uint_eq(weir_publisher_sequence(stage.publisher), i + 2);
        if (i % 2 == 0) {
            ck_assert_int_eq(publish_compact(&stage), WEIR_OK);
        }
        stage_resume(&stage);
    }
    free(token);
    stage_remove(&stage);
}
END_TEST

START_TEST(P1_a_directory_created_from_an_image_goes_on_from_its_number)
{
    struct stage stage;
    const struct recipe recipe = {"a", .version = 1};

    stage_make(&stage);
    stage_create_anew(&stage, &recipe, 1, 41);
    ck_assert_uint_eq(weir_publisher_sequence(stage.publisher), 41);
    ck_assert_int_eq(publish_revoke(&stage, "a"), WEIR_OK);
    ck_assert_uint_eq(weir_publisher_sequence(stage.publisher), 42);
    stage_remove(&stage);
}
END_TEST

/* Three segments of changes, with a compaction or without. */
START_TEST(P2_what_is_published_is_there_when_the_publisher_is_resumed)
{
    struct stage stage;
    struct weir_image *before = NULL;
    struct weir_image *after = NULL;
    size_t before_size = 0;
    size_t after_size = 0;
    const void *before_bytes = NULL;

    stage_create(&stage);
    ck_assert_int_eq(publish_issue(&stage, (struct recipe){"a", .version = 1, .credential = 1}),
                     WEIR_OK);
    (void)fill_segment(&stage, 0);
    if (_i == 1) {
        ck_assert_int_eq(publish_compact(&stage), WEIR_OK);
    }
    for (unsigned i = 0; i < 3; i++) {
        ck_assert_int_eq(publish_put(&stage, (struct recipe){"b", .version = i + 1}), WEIR_OK);
    }
    ck_assert_int_eq(publish_revoke(&stage, "a"), WEIR_OK);
    ck_assert_int_eq(
        weir_engine_compact(weir_publisher_engine(stage.publisher), NOW, 0, NULL, &before, NULL),
        WEIR_OK);
    stage_resume(&stage);
    ck_assert_int_eq(
        weir_engine_compact(weir_publisher_engine(stage.publisher), NOW, 0, NULL, &after, NULL),
        WEIR_OK);
    before_bytes = weir_image_bytes(before, &before_size);
    ck_assert_mem_eq(before_bytes, weir_image_bytes(after, &after_size), before_size);
    ck_assert_uint_eq(before_size, after_size);
    weir_image_close(before);
    weir_image_close(after);
    stage_remove(&stage);
}
END_TEST

/* What a publisher leaves that was killed after it had written a record, before S: it is another's
 * number now. */
START_TEST(P2_a_record_whose_number_was_not_stored_is_as_if_never_written)
{
    struct stage stage;
    struct weir_follower *follower = NULL;
    struct weir_control *control = NULL;

    stage_create(&stage);
    ck_assert_int_eq(publish_issue(&stage, (struct recipe){"a", .version = 1}), WEIR_OK);
    follower = follow(&stage);
    if (_i == 1) {
        (void)fill_segment(&stage, 0);
    }
    ck_assert_int_eq(publish_issue(&stage, (struct recipe){"b", .version = 1}), WEIR_OK);
    control = map_control(&stage);
    control->sequence--;
    unmap_control(control);
    stage_resume(&stage);
    ck_assert_int_eq(ask(weir_publisher_engine(stage.publisher), "b", 1), WEIR_UNKNOWN_TOKEN);
    ck_assert_int_eq(publish_revoke(&stage, "a"), WEIR_OK);
    ck_assert_int_eq(publish_issue(&stage, (struct recipe){"c", .version = 1}), WEIR_OK);
    ck_assert_int_eq(poll(&stage, follower), WEIR_OK);
    expect_current(&stage, follower);
    ck_assert_int_eq(follower_ask(follower, "b", 1), WEIR_UNKNOWN_TOKEN);
    weir_follower_close(follower);
    stage_remove(&stage);
}
END_TEST

/*
 * What a publisher leaves that was killed on its way from one segment to the next: the seal, or the
 * next segment too, but not the number. `_i` is a sum: 1, the snapshot is that of the last change;
 * 2, a follower opens before the publisher is resumed; 4, the change that comes needs a larger
 * segment; 8, the next segment had no name yet. The change that was on its way would not have
 * fitted in the old segment, the one that comes would.
 */
START_TEST(P2_wherever_the_way_to_the_next_segment_was_left_all_find_it)
{
    struct stage stage;
    struct weir_follower *early = NULL;
    struct weir_follower *late = NULL;
    struct weir_compiled_token *large = compile_large("large", 3000);
    struct weir_compiled_token *middling = compile_large("b", 100);
    struct weir_control *control = NULL;
    char next[512];

    stage_create(&stage);
    ck_assert_int_eq(publish_issue(&stage, (struct recipe){"a", .version = 1}), WEIR_OK);
    (void)fill_segment(&stage, 1000);
    if ((_i & 1) != 0) {
        ck_assert_int_eq(publish_compact(&stage), WEIR_OK);
    }
    early = follow(&stage);
    ck_assert_int_eq(publish_block(&stage, middling), WEIR_OK);
    ck_assert_uint_eq(find_files(&stage, ".journal", next), 2);
    stage_end(&stage);
    control = map_control(&stage);
    control->sequence--;
    unmap_control(control);
    ck_assert((_i & 8) == 0 || unlink(next) == 0);
    late = (_i & 2) != 0 ? follow(&stage) : NULL;
    stage_resume(&stage);
    if ((_i & 4) != 0) {
        ck_assert_int_eq(publish_block(&stage, large), WEIR_OK);
    }
    ck_assert_int_eq(publish_revoke(&stage, "a"), WEIR_OK);
    ck_assert_int_eq(poll(&stage, early), WEIR_OK);
    expect_current(&stage, early);
    if (late != NULL) {
        ck_assert_int_eq(poll(&stage, late), WEIR_OK);
        expect_current(&stage, late);
    }
    /* Nor does what was left of the way mislead anybody later. */
    ck_assert_int_eq(publish_compact(&stage), WEIR_OK);
    ck_assert_int_eq(publish_put(&stage, (struct recipe){"c", .version = 3}), WEIR_OK);
    weir_follower_close(early);
    early = follow(&stage);
    expect_current(&stage, early);
    free(large);
    free(middling);
    weir_follower_close(early);
    weir_follower_close(late);
    stage_remove(&stage);
}
END_TEST

START_TEST(P2_a_token_larger_than_a_segment_is_published_wherever_it_comes)
{
    struct stage stage;
    struct weir_follower *follower = NULL;
    struct weir_compiled_token *large = compile_large("large", (size_t)_i);

    ck_assert_uint_gt(weir_compiled_token_size(large), 2 * SEGMENT);
    stage_create(&stage);
    follower = follow(&stage);
    for (unsigned i = 0; i < 3; i++) {
        ck_assert_int_eq(publish_block(&stage, large), WEIR_OK);
        ck_assert_int_eq(poll(&stage, follower), WEIR_OK);
        ck_assert_int_eq(follower_ask(follower, "large", 1), WEIR_ALLOWED);
        ck_assert_int_eq(publish_put(&stage, (struct recipe){"a", .version = i + 1}), WEIR_OK);
        ck_assert_int_eq(publish_compact(&stage), WEIR_OK);
        ck_assert_int_eq(publish_revoke(&stage, "large"), WEIR_OK);
        stage_resume(&stage);
        ck_assert_int_eq(poll(&stage, follower), WEIR_OK);
        expect_current(&stage, follower);
    }
    free(large);
    weir_follower_close(follower);
    stage_remove(&stage);
}
END_TEST

static enum weir_status second(const struct stage *stage, bool creates)
{
    struct weir_publisher *publisher = NULL;
    struct weir_error error = {0};
    enum weir_status status =
        creates ? weir_publisher_create(stage->path, NULL, &stage->options, &publisher, &error)
                : weir_publisher_resume(stage->path, &stage->options, &publisher, &error);

    ck_assert_int_eq(publisher != NULL, status == WEIR_OK);
    if (status != WEIR_OK) {
        expect_error(&error, status);
    }
    weir_publisher_close(publisher);
    return status;
}

START_TEST(P3_a_directory_has_one_publisher)
{
    struct stage stage;
    pid_t child = 0;
    int status = 0;

    stage_create(&stage);
    ck_assert_int_eq(publish_issue(&stage, (struct recipe){"a", .version = 1}), WEIR_OK);
    ck_assert_int_eq(second(&stage, true), WEIR_ERROR_BUSY);
    ck_assert_int_eq(second(&stage, false), WEIR_ERROR_BUSY);
    child = fork();
    if (child == 0) {
        _exit(second(&stage, true) == WEIR_ERROR_BUSY && second(&stage, false) == WEIR_ERROR_BUSY
                  ? 0
                  : 1);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    ck_assert_int_eq(publish_revoke(&stage, "a"), WEIR_OK);
    stage_end(&stage);
    ck_assert_int_eq(second(&stage, false), WEIR_OK);
    stage_remove(&stage);
}
END_TEST

START_TEST(P3_a_publisher_has_not_ended_while_a_process_forked_from_it_lives)
{
    struct stage stage;
    pid_t child = 0;

    stage_create(&stage);
    child = fork();
    if (child == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)pause();
        _exit(0);
    }
    stage_end(&stage);
    ck_assert_int_eq(second(&stage, false), WEIR_ERROR_BUSY);
    ck_assert_int_eq(kill(child, SIGKILL), 0);
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
    ck_assert_int_eq(second(&stage, false), WEIR_OK);
    stage_remove(&stage);
}
END_TEST

START_TEST(P3_a_process_that_began_another_program_holds_nothing)
{
    struct stage stage;
    pid_t child = 0;
    int ends[2];
    char byte = 0;

    ck_assert_int_eq(pipe(ends), 0);
    stage_create(&stage);
    child = fork();
    if (child == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)dup2(ends[1], 1);
        (void)execl("/bin/sh", "sh", "-c", "echo; exec sleep 100", (char *)NULL);
        _exit(1);
    }
    ck_assert_int_eq(read(ends[0], &byte, 1), 1);
    stage_end(&stage);
    ck_assert_int_eq(second(&stage, false), WEIR_OK);
    ck_assert_int_eq(kill(child, SIGKILL), 0);
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
    (void)close(ends[0]);
    (void)close(ends[1]);
    stage_remove(&stage);
}
END_TEST

START_TEST(P3_a_publisher_killed_leaves_its_directory_to_the_next)
{
    struct stage stage;
    pid_t child = 0;

    stage_make(&stage);
    child = fork();
    if (child == 0) {
        stage_create_anew(&stage, NULL, 0, 0);
        (void)publish_issue(&stage, (struct recipe){"a", .version = 1});
        (void)kill(getpid(), SIGKILL);
    }
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
    stage_resume(&stage);
    ck_assert_uint_eq(weir_publisher_sequence(stage.publisher), 1);
    ck_assert_int_eq(ask(weir_publisher_engine(stage.publisher), "a", 1), WEIR_ALLOWED);
    stage_remove(&stage);
}
END_TEST

START_TEST(P3_no_directory_is_opened_inside_a_read_section)
{
    struct stage stage;
    struct weir_publisher *publisher = NULL;
    struct weir_follower *follower = NULL;

    stage_create(&stage);
    stage_end(&stage);
    weir_read_begin();
    ck_assert_int_eq(weir_publisher_create(stage.path, NULL, NULL, &publisher, NULL),
                     WEIR_ERROR_ARGUMENT);
    ck_assert_int_eq(weir_publisher_resume(stage.path, NULL, &publisher, NULL),
                     WEIR_ERROR_ARGUMENT);
    ck_assert_int_eq(try_follow(&stage, &follower), WEIR_ERROR_ARGUMENT);
    weir_read_end();
    stage_resume(&stage);
    stage_remove(&stage);
}
END_TEST

/* Compacting goes by the path; what it finds there may be another's. */
START_TEST(P3_compacting_leaves_another_directory_at_that_path_alone)
{
    struct stage stage;
    struct stage other;

    stage_create(&stage);
    ck_assert_int_eq(publish_issue(&stage, (struct recipe){"a", .version = 1}), WEIR_OK);
    shell(&stage, "mv \"$D\" \"$F/aside\"");
    other = stage;
    other.publisher = NULL;
    stage_create_anew(&other, &(struct recipe){"b", .version = 1}, 1, 0);
    ck_assert_int_eq(publish_put(&other, (struct recipe){"b", .version = 2}), WEIR_OK);
    ck_assert_int_eq(publish_compact(&stage), WEIR_ERROR_NOT_FOUND);
    ck_assert_uint_eq(find_files(&other, ".image", NULL), 1);
    stage_end(&other);
    stage_remove(&stage);
}
END_TEST

TCase *order_cases(void)
{
    TCase *cases = tcase_create("order");

    tcase_add_test(cases, P1_each_change_has_the_number_after_the_one_before);
    tcase_add_test(cases, P1_a_directory_created_from_an_image_goes_on_from_its_number);
    tcase_add_loop_test(cases, P2_what_is_published_is_there_when_the_publisher_is_resumed, 0, 2);
    tcase_add_loop_test(cases, P2_a_record_whose_number_was_not_stored_is_as_if_never_written, 0,
                        2);
    tcase_add_loop_test(cases, P2_wherever_the_way_to_the_next_segment_was_left_all_find_it, 0, 16);
    tcase_add_loop_test(cases, P2_a_token_larger_than_a_segment_is_published_wherever_it_comes,
                        8000, 8001);
    tcase_add_loop_test(cases, P2_a_token_larger_than_a_segment_is_published_wherever_it_comes,
                        WEIR_SCOPES_MAX, WEIR_SCOPES_MAX + 1);
    tcase_add_test(cases, P3_a_directory_has_one_publisher);
    tcase_add_test(cases, P3_a_publisher_has_not_ended_while_a_process_forked_from_it_lives);
    tcase_add_test(cases, P3_a_process_that_began_another_program_holds_nothing);
    tcase_add_test(cases, P3_no_directory_is_opened_inside_a_read_section);
    tcase_add_test(cases, P3_compacting_leaves_another_directory_at_that_path_alone);
    tcase_add_test(cases, P3_a_publisher_killed_leaves_its_directory_to_the_next);
    return cases;
}
