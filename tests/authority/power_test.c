/*
 * power_test.c - a store on a disk whose power fails, and on one that refuses: at every write,
 * sync, truncation, creation and removal of a course of transactions.
 *
 * WEIR_POWER_ROUNDS=N goes through N courses, each surviving in more ways.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "authority/power_course.h"
#include "authority/store_older.h"

static unsigned rounds(void)
{
    const char *text = getenv("WEIR_POWER_ROUNDS");
    unsigned long number = text != NULL ? strtoul(text, NULL, 10) : 0;

    return number > 0 && number < 1000000 ? (unsigned)number : 1;
}

static struct course course_of(unsigned round)
{
    struct course course = {.seed = round, .ways = rounds() > 1 ? 9 : 3};

    power_vfs_install();
    stage_make(&course.stage);
    return course;
}

static void end_course(struct course *course)
{
    stage_remove(&course->stage);
    power_vfs_remove();
}

/* At each call of the course, in turn; ends with a course that comes to its end. */
static uint64_t at_each_call(struct course *course, uint64_t *at, const char *what)
{
    uint64_t ways = 0;

    for (*at = 1;; ++*at) {
        const char *wrong = course_run(course);

        if (wrong != NULL) {
            ck_abort_msg("seed %u, %s at call %u, way %u: %s", (unsigned)course->seed, what,
                         (unsigned)*at, (unsigned)course->found, wrong);
        }
        ways += course->found;
        if (course->calls < *at) {
            break;
        }
    }
    printf("power: seed %u, %s at each of %u calls, %u ways to survive\n", (unsigned)course->seed,
           what, (unsigned)course->calls, (unsigned)ways);
    (void)fflush(stdout);
    return ways;
}

START_TEST(what_was_acknowledged_survives_a_power_cut_and_nothing_is_half_done)
{
    for (unsigned round = 0; round < rounds(); round++) {
        struct course course = course_of(round);

        ck_assert_uint_gt(at_each_call(&course, &course.cut_at, "power cut"), 500);
        end_course(&course);
    }
}
END_TEST

static void fail_at_each_call(enum power_failure failure, bool cut, const char *what)
{
    for (unsigned round = 0; round < rounds(); round++) {
        struct course course = course_of(round);

        course.failure = failure;
        course.cut_after_failure = cut;
        course.ways = cut ? 2 * course.ways : 0;
        (void)at_each_call(&course, &course.fails_at, what);
        end_course(&course);
    }
}

START_TEST(a_call_of_the_system_that_fails_changes_nothing)
{
    fail_at_each_call(POWER_FAILS_ONCE, false, "failure");
}
END_TEST

START_TEST(a_disk_that_fails_until_it_is_mended_changes_nothing)
{
    fail_at_each_call(POWER_FAILS_ON, false, "lasting failure");
}
END_TEST

START_TEST(a_full_disk_changes_nothing)
{
    fail_at_each_call(POWER_IS_FULL, false, "full disk");
}
END_TEST

START_TEST(what_was_told_as_failed_has_not_happened_when_the_power_fails_next)
{
    fail_at_each_call(POWER_FAILS_ONCE, true, "failure and power cut");
}
END_TEST

START_TEST(a_disk_that_goes_on_failing_until_the_power_does_leaves_nothing_half_done)
{
    fail_at_each_call(POWER_FAILS_ON, true, "lasting failure and power cut");
}
END_TEST

START_TEST(what_is_found_after_a_kill_is_found_after_a_power_cut_too)
{
    fail_at_each_call(POWER_KILLS, true, "kill and power cut");
}
END_TEST

/* A token in the place of another, which cannot be committed. */
static void replace_in_vain(struct stage *stage)
{
    struct weir_logged_change change = {
        .kind = WEIR_CHANGE_REVOKED, .id = text_of("a"), .issue_number = 1};
    struct model_id id = id_named("c");
    struct sample sample;
    uint64_t number = 0;
    uint64_t sequence = 0;

    ck_assert_int_eq(weir_store_begin(stage->store, true, NULL), WEIR_OK);
    ck_assert_int_eq(weir_store_next_issue_number(stage->store, &number, NULL), WEIR_OK);
    sample_token(&sample, &id, number, 3);
    ck_assert_int_eq(weir_store_issue(stage->store, &sample.token, &sequence, NULL), WEIR_OK);
    ck_assert_int_eq(weir_store_remove(stage->store, &change, NULL), WEIR_OK);
    ck_assert_int_eq(weir_store_commit(stage->store, NULL), WEIR_ERROR_IO);
}

/* A transaction whose last frames cannot be written, nor anything after them. */
static void fail_the_last(struct stage *stage, uint64_t seed)
{
    uint64_t before = 0;

    power_begin(seed);
    stage_open(stage, true);
    (void)put_token(stage->store, "a", 1);
    before = power_calls();
    (void)put_token(stage->store, "b", 2);
    power_fail_at(2 * power_calls() - before - 1 - seed % 3, POWER_FAILS_ON);
    replace_in_vain(stage);
    power_cut();
    stage_close(stage);
}

START_TEST(what_is_torn_over_a_failed_commit_makes_no_half_of_it)
{
    struct course course = course_of(0);
    struct stage *stage = &course.stage;
    char log[420];

    (void)snprintf(log, sizeof log, "%s-wal", stage->store_path);
    for (uint64_t seed = 0; seed < 1000; seed++) {
        struct power_scene *scene = NULL;

        fail_the_last(stage, seed);
        scene = power_scene_take();
        power_survive(scene, seed);
        power_scene_free(scene);
        stage_open(stage, false);
        ck_assert_uint_eq(count_tokens(stage->store), 2);
        stage_close(stage);
        (void)unlink(stage->store_path);
        (void)unlink(log);
    }
    end_course(&course);
}
END_TEST

START_TEST(a_failure_and_a_later_power_cut_lose_nothing)
{
    for (unsigned round = 0; round < rounds(); round++) {
        struct course course = course_of(round);

        for (course.fails_at = 1;; course.fails_at++) {
            const char *wrong = NULL;

            course.cut_at = course.fails_at + 1 + course.fails_at * 7 % 60;
            wrong = course_run(&course);
            if (wrong != NULL) {
                ck_abort_msg("seed %u, failure at call %u, power cut at %u: %s", round,
                             (unsigned)course.fails_at, (unsigned)course.cut_at, wrong);
            }
            if (course.calls < course.fails_at) {
                break;
            }
        }
        end_course(&course);
    }
}
END_TEST

/* A migration that the power ended begins anew, or has been made. */
START_TEST(an_older_store_is_brought_up_to_date_whole_or_not_at_all)
{
    struct course course = course_of(0);
    struct stage *stage = &course.stage;
    uint64_t at = 0;
    uint64_t calls = 0;

    do {
        struct power_scene *scene = NULL;

        (void)unlink(stage->store_path);
        older_make(stage->store_path);
        power_begin(at);
        power_cut_at(++at);
        (void)weir_sqlite_store_open(older_schema(), stage->store_path, false, NULL, &stage->store,
                                     NULL);
        calls = power_calls();
        stage_close(stage);
        power_cut();
        scene = power_scene_take();
        for (unsigned way = 0; way < course.ways; way++) {
            power_survive(scene, at * 64 + way);
            ck_assert_int_eq(weir_sqlite_store_open(older_schema(), stage->store_path, false, NULL,
                                                    &stage->store, NULL),
                             WEIR_OK);
            ck_assert_ptr_null(older_difference(stage->store));
            stage_close(stage);
        }
        power_scene_free(scene);
    } while (calls >= at);
    ck_assert_uint_gt(at, 20);
    end_course(&course);
}
END_TEST

/* Whether at ten calls of the course a power cut does harm. */
static bool is_seen(const char *pragma)
{
    struct course course = course_of(0);
    unsigned harmful = 0;

    course.pragma = pragma;
    for (course.cut_at = 1; harmful < 10; course.cut_at++) {
        harmful += course_run(&course) != NULL ? 1 : 0;
        if (course.calls < course.cut_at) {
            break;
        }
    }
    end_course(&course);
    return harmful == 10;
}

START_TEST(these_tests_see_a_store_that_syncs_less)
{
    ck_assert(is_seen("PRAGMA synchronous = NORMAL"));
    ck_assert(is_seen("PRAGMA synchronous = OFF"));
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("power");

    tcase_add_test(cases, what_was_acknowledged_survives_a_power_cut_and_nothing_is_half_done);
    tcase_add_test(cases, a_call_of_the_system_that_fails_changes_nothing);
    tcase_add_test(cases, a_disk_that_fails_until_it_is_mended_changes_nothing);
    tcase_add_test(cases, a_full_disk_changes_nothing);
    tcase_add_test(cases, what_was_told_as_failed_has_not_happened_when_the_power_fails_next);
    tcase_add_test(cases,
                   a_disk_that_goes_on_failing_until_the_power_does_leaves_nothing_half_done);
    tcase_add_test(cases, what_is_found_after_a_kill_is_found_after_a_power_cut_too);
    tcase_add_test(cases, what_is_torn_over_a_failed_commit_makes_no_half_of_it);
    tcase_add_test(cases, a_failure_and_a_later_power_cut_lose_nothing);
    tcase_add_test(cases, an_older_store_is_brought_up_to_date_whole_or_not_at_all);
    tcase_add_test(cases, these_tests_see_a_store_that_syncs_less);
    return run_cases("a store and the disk", &cases, 1);
}
