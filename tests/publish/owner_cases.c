/* F6: files that others own or may write, links, and what is no file. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "library/support.h"
#include "publish/guarantee_cases.h"
#include "publish/stage.h"

#define STRANGER 12345u

/* "control", the image, the first segment. */
static const char *const files[] = {"control", "*.image", "*[0-9].journal"};

static void expect_refused(struct stage *stage, enum weir_status expected)
{
    struct weir_publisher *publisher = NULL;

    ck_assert_int_eq(try_follow(stage, &(struct weir_follower *){NULL}), expected);
    ck_assert_int_eq(weir_publisher_resume(stage->path, &stage->options, &publisher, NULL),
                     expected);
}

static void begin(struct stage *stage)
{
    stage_create(stage);
    ck_assert_int_eq(publish_issue(stage, (struct recipe){"a", .version = 1}), WEIR_OK);
    stage_end(stage);
}

/* Does something to one file, in `$X`, and undoes it. */
static void with_file(struct stage *stage, const char *file, const char *spoil, const char *mend)
{
    char command[512];

    (void)snprintf(command, sizeof command, "X=$(echo \"$D\"/%s); %s", file, spoil);
    shell(stage, command);
    expect_refused(stage, WEIR_ERROR_OWNER);
    (void)snprintf(command, sizeof command, "X=$(echo \"$D\"/%s); %s", file, mend);
    shell(stage, command);
}

static void with_each_file(const char *spoil, const char *mend)
{
    struct stage stage;

    begin(&stage);
    for (unsigned i = 0; i < COUNT(files); i++) {
        with_file(&stage, files[i], spoil, mend);
    }
    stage_resume(&stage);
    stage_remove(&stage);
}

START_TEST(F6_a_file_that_others_may_write_is_refused)
{
    with_each_file("chmod g+w \"$X\"", "chmod g-w \"$X\"");
    with_each_file("chmod o+w \"$X\"", "chmod o-w \"$X\"");
}
END_TEST

START_TEST(F6_a_link_in_the_place_of_a_file_is_refused)
{
    with_each_file("mv \"$X\" \"$F/aside\"; ln -s \"$F/aside\" \"$X\"", "mv \"$F/aside\" \"$X\"");
}
END_TEST

START_TEST(F6_a_fifo_or_folder_in_the_place_of_a_file_is_refused_and_waited_for_by_nobody)
{
    with_each_file("mv \"$X\" \"$F/aside\"; mkfifo -m 600 \"$X\"",
                   "rm \"$X\"; mv \"$F/aside\" \"$X\"");
}
END_TEST

START_TEST(F6_a_file_of_another_owner_than_the_directory_is_refused)
{
    if (geteuid() != 0) {
        fputs("skipped, needs root: a file of another owner\n", stderr);
        return;
    }
    with_each_file("chown 12345 \"$X\"", "chown 0 \"$X\"");
}
END_TEST

START_TEST(F6_a_directory_that_others_may_write_is_refused)
{
    struct stage stage;
    struct weir_publisher *publisher = NULL;
    const mode_t modes[] = {0775, 0757, 0777, 01777};

    begin(&stage);
    for (unsigned i = 0; i < COUNT(modes); i++) {
        ck_assert_int_eq(chmod(stage.path, modes[i]), 0);
        expect_refused(&stage, WEIR_ERROR_OWNER);
        ck_assert_int_eq(weir_publisher_create(stage.path, NULL, NULL, &publisher, NULL),
                         WEIR_ERROR_OWNER);
    }
    ck_assert_int_eq(chmod(stage.path, 0700), 0);
    stage_resume(&stage);
    stage_remove(&stage);
}
END_TEST

START_TEST(F6_a_link_to_a_directory_is_refused_however_it_is_written)
{
    const char *const endings[] = {"", "/", "//", "/."};
    struct stage stage;
    char path[512];

    begin(&stage);
    shell(&stage, "ln -s \"$D\" \"$F/link\"");
    (void)snprintf(path, sizeof path, "%s/link%s", stage.folder, endings[_i]);
    ck_assert_int_eq(weir_follower_open(path, NULL, &(struct weir_follower *){NULL}, NULL),
                     WEIR_ERROR_OWNER);
    stage_remove(&stage);
}
END_TEST

START_TEST(F6_a_directory_of_another_user_is_followed_if_that_user_was_named)
{
    struct stage stage;
    struct weir_follower *follower = NULL;
    struct weir_publisher *publisher = NULL;
    struct weir_follower_options options = {.owner = STRANGER};

    if (geteuid() != 0) {
        fputs("skipped, needs root: a directory of another user\n", stderr);
        return;
    }
    begin(&stage);
    shell(&stage, "chown -R 12345 \"$D\"");
    expect_refused(&stage, WEIR_ERROR_OWNER);
    ck_assert_int_eq(weir_publisher_create(stage.path, NULL, NULL, &publisher, NULL),
                     WEIR_ERROR_OWNER);
    ck_assert_int_eq(weir_follower_open(stage.path, &options, &follower, NULL), WEIR_OK);
    ck_assert_uint_eq(sequence_of(follower), 1);
    weir_follower_close(follower);
    options.owner++;
    ck_assert_int_eq(weir_follower_open(stage.path, &options, &follower, NULL), WEIR_ERROR_OWNER);
    stage_remove(&stage);
}
END_TEST

START_TEST(F6_a_follower_keeps_what_it_has_when_somebody_else_takes_the_place)
{
    struct stage stage;
    struct weir_follower *follower = NULL;

    begin(&stage);
    stage_resume(&stage);
    follower = follow(&stage);
    stage_end(&stage);
    shell(&stage, "cp -a \"$D\" \"$F/copy\" && rm -r \"$D\" && mv \"$F/copy\" \"$D\" && "
                  "chmod o+w \"$D\"");
    ck_assert_int_eq(poll_later(follower, LEASE), WEIR_ERROR_OWNER);
    ck_assert_int_eq(follower_ask(follower, "a", 1), WEIR_ALLOWED);
    weir_follower_close(follower);
    stage_remove(&stage);
}
END_TEST

START_TEST(F6_what_is_published_may_be_read_by_all_and_written_by_its_owner_whatever_the_umask)
{
    struct stage stage;
    mode_t before = umask(_i == 0 ? 0 : 077);

    begin(&stage);
    shell(&stage, "test $(stat -c %a \"$D\"/control \"$D\"/*.image \"$D\"/*.journal | sort -u) = "
                  "644");
    stage_resume(&stage);
    (void)umask(before);
    stage_remove(&stage);
}
END_TEST

TCase *owner_cases(void)
{
    TCase *cases = tcase_create("owners");

    tcase_add_test(cases, F6_a_file_that_others_may_write_is_refused);
    tcase_add_test(cases, F6_a_link_in_the_place_of_a_file_is_refused);
    tcase_add_test(cases,
                   F6_a_fifo_or_folder_in_the_place_of_a_file_is_refused_and_waited_for_by_nobody);
    tcase_add_test(cases, F6_a_file_of_another_owner_than_the_directory_is_refused);
    tcase_add_test(cases, F6_a_directory_that_others_may_write_is_refused);
    tcase_add_loop_test(cases, F6_a_link_to_a_directory_is_refused_however_it_is_written, 0, 4);
    tcase_add_test(cases, F6_a_directory_of_another_user_is_followed_if_that_user_was_named);
    tcase_add_test(cases, F6_a_follower_keeps_what_it_has_when_somebody_else_takes_the_place);
    tcase_add_loop_test(
        cases, F6_what_is_published_may_be_read_by_all_and_written_by_its_owner_whatever_the_umask,
        0, 2);
    return cases;
}
