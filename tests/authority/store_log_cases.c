/* The log of changes. */
#include "authority/store_cases.h"

#include <string.h>

#include "authority/store_stage.h"

static void make(struct stage *stage)
{
    stage_make(stage);
    stage_open(stage, true);
}

/* Issues tokens that were issued at the second that is their number. */
static void issue_until(struct stage *stage, int64_t last)
{
    uint64_t number = 0;
    uint64_t sequence = 0;

    ck_assert_int_eq(weir_store_begin(stage->store, true, NULL), WEIR_OK);
    do {
        struct model_id id = {8, {0}};
        struct sample sample;

        ck_assert_int_eq(weir_store_next_issue_number(stage->store, &number, NULL), WEIR_OK);
        memcpy(id.bytes, &number, 8);
        sample_token(&sample, &id, number, number);
        sample.token.issued_at = (struct weir_instant){(int64_t)number, 0};
        ck_assert_int_eq(weir_store_issue(stage->store, &sample.token, &sequence, NULL), WEIR_OK);
        ck_assert_uint_eq(sequence, number);
    } while (number < (uint64_t)last);
    ck_assert_int_eq(weir_store_commit(stage->store, NULL), WEIR_OK);
}

static void forget(struct stage *stage, uint64_t sequence, int64_t before, uint64_t most)
{
    ck_assert_int_eq(weir_store_begin(stage->store, true, NULL), WEIR_OK);
    ck_assert_int_eq(
        weir_store_forget(stage->store, sequence, (struct weir_instant){before, 0}, most, NULL),
        WEIR_OK);
    ck_assert_int_eq(weir_store_commit(stage->store, NULL), WEIR_OK);
}

/* The changes after `sequence` are `count`, or are not kept. */
static void expect_changes(struct stage *stage, uint64_t sequence, enum weir_status expected,
                           size_t count)
{
    struct listing listing = {.most = SIZE_MAX};

    ck_assert_int_eq(weir_store_begin(stage->store, false, NULL), WEIR_OK);
    ck_assert_int_eq(weir_store_changes(stage->store, sequence, list_change, &listing, NULL),
                     expected);
    ck_assert_uint_eq(listing.rows, count);
    weir_store_rollback(stage->store);
    listing_free(&listing);
}

START_TEST(changes_are_kept_until_they_are_forgotten)
{
    struct stage stage;

    make(&stage);
    expect_changes(&stage, 0, WEIR_OK, 0);
    expect_changes(&stage, 1, WEIR_ERROR_NOT_FOUND, 0);
    issue_until(&stage, 10);
    expect_changes(&stage, 0, WEIR_OK, 10);
    expect_changes(&stage, 10, WEIR_OK, 0);
    expect_changes(&stage, 11, WEIR_ERROR_NOT_FOUND, 0);
    expect_changes(&stage, UINT64_MAX, WEIR_ERROR_NOT_FOUND, 0);
    /* Up to the sequence, */
    forget(&stage, 2, 100, 100);
    expect_changes(&stage, 1, WEIR_ERROR_NOT_FOUND, 0);
    expect_changes(&stage, 2, WEIR_OK, 8);
    /* that happened before, */
    forget(&stage, UINT64_MAX, 5, UINT64_MAX);
    expect_changes(&stage, 3, WEIR_ERROR_NOT_FOUND, 0);
    expect_changes(&stage, 4, WEIR_OK, 6);
    /* at most so many. */
    forget(&stage, 100, 100, 3);
    expect_changes(&stage, 6, WEIR_ERROR_NOT_FOUND, 0);
    expect_changes(&stage, 7, WEIR_OK, 3);
    forget(&stage, 100, 100, 0);
    expect_changes(&stage, 7, WEIR_OK, 3);
    stage_remove(&stage);
}
END_TEST

START_TEST(a_log_that_is_forgotten_whole_goes_on_with_the_next_number)
{
    struct stage stage;

    make(&stage);
    issue_until(&stage, 10);
    forget(&stage, 10, 100, 100);
    expect_changes(&stage, 9, WEIR_ERROR_NOT_FOUND, 0);
    expect_changes(&stage, 10, WEIR_OK, 0);
    stage_close(&stage);
    stage_open(&stage, false);
    expect_changes(&stage, 9, WEIR_ERROR_NOT_FOUND, 0);
    issue_until(&stage, 12);
    expect_changes(&stage, 10, WEIR_OK, 2);
    stage_remove(&stage);
}
END_TEST

/* The clock was set back: what comes after a change that is too young is kept, however old. */
START_TEST(no_hole_is_forgotten_into_the_log)
{
    struct stage stage;

    make(&stage);
    issue_until(&stage, 10);
    ck_assert_int_eq(sqlite3_exec(last_connection(),
                                  "UPDATE changes SET at_seconds = 50 WHERE sequence = 4", NULL,
                                  NULL, NULL),
                     SQLITE_OK);
    forget(&stage, 10, 20, 100);
    expect_changes(&stage, 2, WEIR_ERROR_NOT_FOUND, 0);
    expect_changes(&stage, 3, WEIR_OK, 7);
    stage_remove(&stage);
}
END_TEST

START_TEST(a_log_with_a_hole_is_damaged)
{
    struct stage stage;

    make(&stage);
    issue_until(&stage, 10);
    ck_assert_int_eq(
        sqlite3_exec(last_connection(), "DELETE FROM changes WHERE sequence = 4", NULL, NULL, NULL),
        SQLITE_OK);
    expect_changes(&stage, 0, WEIR_ERROR_DAMAGED, 3);
    expect_changes(&stage, 4, WEIR_OK, 6);
    ck_assert_int_eq(sqlite3_exec(last_connection(), "DELETE FROM changes WHERE sequence = 10",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    expect_changes(&stage, 4, WEIR_ERROR_DAMAGED, 5);
    stage_remove(&stage);
}
END_TEST

TCase *store_log_cases(void)
{
    TCase *cases = tcase_create("log");

    tcase_add_test(cases, changes_are_kept_until_they_are_forgotten);
    tcase_add_test(cases, a_log_that_is_forgotten_whole_goes_on_with_the_next_number);
    tcase_add_test(cases, no_hole_is_forgotten_into_the_log);
    tcase_add_test(cases, a_log_with_a_hole_is_damaged);
    return cases;
}
