/* Memory that cannot be had: by the allocator of the caller, and by SQLite. */
#include "authority/store_cases.h"

#include <unistd.h>

#include "authority/power_vfs.h"
#include "authority/store_history.h"
#include "authority/store_stage.h"

/*
 * ---- SQLite's memory ----
 */

static sqlite3_mem_methods real;
static uint64_t allocations;
static uint64_t fails_at; /* 0: none */
static bool fails_on;     /* and all after it */

static bool fails(void)
{
    allocations++;
    return fails_at != 0 && (allocations == fails_at || (fails_on && allocations > fails_at));
}

static void *allocate(int size)
{
    return fails() ? NULL : real.xMalloc(size);
}

static void *reallocate(void *memory, int size)
{
    return fails() ? NULL : real.xRealloc(memory, size);
}

/* SQLite takes another allocator only while it is down. */
static void watch_memory(void)
{
    sqlite3_mem_methods watched;

    (void)sqlite3_shutdown();
    ck_assert_int_eq(sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real), SQLITE_OK);
    watched = real;
    watched.xMalloc = allocate;
    watched.xRealloc = reallocate;
    ck_assert_int_eq(sqlite3_config(SQLITE_CONFIG_MALLOC, &watched), SQLITE_OK);
    ck_assert_int_eq(sqlite3_initialize(), SQLITE_OK);
    power_vfs_install();
    power_watch(false);
}

static void leave_memory(void)
{
    power_vfs_remove();
    (void)sqlite3_shutdown();
    ck_assert_int_eq(sqlite3_config(SQLITE_CONFIG_MALLOC, &real), SQLITE_OK);
    ck_assert_int_eq(sqlite3_initialize(), SQLITE_OK);
}

static void fail_from(uint64_t at, bool on)
{
    allocations = 0;
    fails_at = at;
    fails_on = on;
}

START_TEST(a_store_that_cannot_be_opened_for_want_of_memory_can_be_opened_later)
{
    struct stage stage;
    bool on = _i == 1;
    bool done = false;

    watch_memory();
    for (uint64_t at = 1; !done; at += on ? 5 : 1) {
        enum weir_status status = WEIR_OK;

        power_begin(0);
        power_watch(false);
        stage_make(&stage);
        fail_from(at, on);
        status = weir_store_open(stage.store_path, true, NULL, &stage.store, NULL);
        done = allocations < at;
        fail_from(0, false);
        if (status != WEIR_OK) {
            stage.store = NULL;
            ck_assert_int_eq(status, WEIR_ERROR_MEMORY);
            stage_open(&stage, true);
        }
        put_token(stage.store, "a", 1);
        stage_close(&stage);
        fail_from(at, on);
        status = weir_store_open(stage.store_path, false, NULL, &stage.store, NULL);
        done = done && allocations < at;
        fail_from(0, false);
        if (status != WEIR_OK) {
            stage.store = NULL;
            ck_assert_int_eq(status, WEIR_ERROR_MEMORY);
            stage_open(&stage, false);
        }
        ck_assert_uint_eq(count_tokens(stage.store), 1);
        stage_remove(&stage);
    }
    leave_memory();
}
END_TEST

START_TEST(a_call_that_has_no_memory_changes_nothing)
{
    static struct history history;
    struct stage stage;
    unsigned refused = 0;

    watch_memory();
    stage_make(&stage);
    stage_open(&stage, true);
    history = (struct history){.dice = {3}};
    for (unsigned i = 0; i < 4000; i++) {
        enum history_outcome outcome = HISTORY_COMMITTED;

        fail_from(i % 97 + 1, i % 2 == 0);
        outcome = history_go_on(&history, stage.store, 6);
        fail_from(0, false);
        if (outcome == HISTORY_DIFFERS) {
            ck_abort_msg("%u: %s", i, history.difference);
        }
        if (outcome == HISTORY_REFUSED || outcome == HISTORY_UNDECIDED) {
            const char *difference = store_difference(stage.store, &history.model);

            refused++;
            if (difference != NULL) {
                ck_abort_msg("%u: %s", i, difference);
            }
        }
    }
    ck_assert_uint_gt(refused, 100);
    stage_remove(&stage);
    leave_memory();
}
END_TEST

START_TEST(the_callers_allocator_gets_back_what_it_gave)
{
    struct stage stage;
    struct counting_allocator counting;

    stage_make(&stage);
    counting_allocator_start(&counting);
    ck_assert_int_eq(
        weir_store_open(stage.store_path, true, &counting.allocator, &stage.store, NULL), WEIR_OK);
    stage_close(&stage);
    counting_allocator_expect_balance(&counting);
    counting_allocator_start(&counting);
    counting.fails_at = 1;
    ck_assert_int_eq(
        weir_store_open(stage.store_path, true, &counting.allocator, &stage.store, NULL),
        WEIR_ERROR_MEMORY);
    counting_allocator_expect_balance(&counting);
    stage_remove(&stage);
}
END_TEST

TCase *store_memory_cases(void)
{
    TCase *cases = tcase_create("memory");

    tcase_add_loop_test(cases, a_store_that_cannot_be_opened_for_want_of_memory_can_be_opened_later,
                        0, 2);
    tcase_add_test(cases, a_call_that_has_no_memory_changes_nothing);
    tcase_add_test(cases, the_callers_allocator_gets_back_what_it_gave);
    return cases;
}
