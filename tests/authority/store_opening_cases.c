/* Creating, opening, owning and closing a store. */
#include "authority/store_cases.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "authority/store_older.h"
#include "authority/store_stage.h"

START_TEST(what_was_put_is_there_after_closing_and_opening)
{
    struct stage stage;
    uint8_t identity[16];
    uint8_t again[16];
    struct model model = {.token_count = 0};
    struct model_id id = id_named("a");

    stage_make(&stage);
    stage_open(&stage, true);
    weir_store_identity(stage.store, identity);
    model_issue(&model, &id, put_token(stage.store, "a", 7), 7);
    model.issue_number = 1;
    stage_close(&stage);
    /* All that there is, is in one file. */
    ck_assert_uint_eq(scratch_file_count(&stage.scratch), 1);
    stage_open(&stage, false);
    weir_store_identity(stage.store, again);
    ck_assert_mem_eq(identity, again, 16);
    ck_assert_ptr_null(store_difference(stage.store, &model));
    stage_remove(&stage);
}
END_TEST

START_TEST(two_stores_have_two_identities)
{
    struct stage one;
    struct stage other;
    uint8_t identities[2][16];

    stage_make(&one);
    stage_make(&other);
    stage_open(&one, true);
    stage_open(&other, true);
    weir_store_identity(one.store, identities[0]);
    weir_store_identity(other.store, identities[1]);
    ck_assert_mem_ne(identities[0], identities[1], 16);
    stage_remove(&one);
    stage_remove(&other);
}
END_TEST

START_TEST(a_store_is_made_only_where_none_is_and_opened_only_where_one_is)
{
    struct stage stage;

    stage_make(&stage);
    expect_open(&stage, false, WEIR_ERROR_NOT_FOUND);
    ck_assert_uint_eq(scratch_file_count(&stage.scratch), 0);
    stage_open(&stage, true);
    put_token(stage.store, "a", 1);
    stage_close(&stage);
    expect_open(&stage, true, WEIR_ERROR_DUPLICATE);
    stage_open(&stage, false);
    take_token(stage.store, "a", 1);
    stage_close(&stage);
    /* It had one. */
    expect_open(&stage, true, WEIR_ERROR_DUPLICATE);
    stage_remove(&stage);
}
END_TEST

START_TEST(an_empty_file_is_no_store_and_may_become_one)
{
    struct stage stage;
    struct stat facts;

    stage_make(&stage);
    write_file(stage.store_path, "", 0);
    ck_assert_int_eq(chmod(stage.store_path, 0644), 0);
    expect_open(&stage, false, WEIR_ERROR_NOT_FOUND);
    stage_open(&stage, true);
    ck_assert_int_eq(stat(stage.store_path, &facts), 0);
    ck_assert_int_eq(facts.st_mode & 0777, 0600);
    stage_close(&stage);
    /* Made, and never had a token. */
    stage_open(&stage, true);
    put_token(stage.store, "a", 1);
    stage_remove(&stage);
}
END_TEST

START_TEST(a_store_and_what_stands_beside_it_is_for_its_owner_only_whatever_the_umask)
{
    struct stage stage;
    struct stat facts;
    char log[420];
    mode_t before = umask(0);

    stage_make(&stage);
    stage_open(&stage, true);
    put_token(stage.store, "a", 1);
    (void)snprintf(log, sizeof log, "%s-wal", stage.store_path);
    ck_assert_int_eq(stat(stage.store_path, &facts), 0);
    ck_assert_int_eq(facts.st_mode & 0777, 0600);
    ck_assert_int_eq(stat(log, &facts), 0);
    ck_assert_int_eq(facts.st_mode & 0777, 0600);
    ck_assert_uint_eq(scratch_file_count(&stage.scratch), 2);
    stage_remove(&stage);
    (void)umask(before);
}
END_TEST

START_TEST(no_descriptor_is_inherited_and_none_is_left)
{
    struct stage stage;
    size_t before = open_files();

    stage_make(&stage);
    stage_open(&stage, true);
    put_token(stage.store, "a", 1);
    ck_assert_uint_gt(open_files(), before);
    for (int file = 3; file < 256; file++) {
        char link[64];
        char path[400];
        ssize_t length = 0;

        (void)snprintf(link, sizeof link, "/proc/self/fd/%d", file);
        length = readlink(link, path, sizeof path - 1);
        path[length > 0 ? length : 0] = '\0';
        if (strncmp(path, stage.scratch.folder, strlen(stage.scratch.folder)) == 0) {
            ck_assert_int_eq(fcntl(file, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
        }
    }
    stage_close(&stage);
    expect_open(&stage, true, WEIR_ERROR_DUPLICATE);
    ck_assert_uint_eq(open_files(), before);
    stage_remove(&stage);
}
END_TEST

START_TEST(a_second_owner_is_refused_in_the_same_process)
{
    struct stage stage;

    stage_make(&stage);
    stage_open(&stage, true);
    expect_open(&stage, false, WEIR_ERROR_BUSY);
    expect_open(&stage, true, WEIR_ERROR_BUSY);
    put_token(stage.store, "a", 1);
    stage_close(&stage);
    stage_open(&stage, false);
    stage_remove(&stage);
}
END_TEST

START_TEST(another_program_that_has_the_database_open_is_an_owner_too)
{
    struct stage stage;
    sqlite3 *other = NULL;

    stage_make(&stage);
    stage_open(&stage, true);
    put_token(stage.store, "a", 1);
    /* It cannot come in, */
    ck_assert_int_eq(sqlite3_open(stage.store_path, &other), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(other, "DELETE FROM tokens", NULL, NULL, NULL), SQLITE_BUSY);
    ck_assert_int_eq(sqlite3_close(other), SQLITE_OK);
    stage_close(&stage);
    /* and when it is in, nobody else can. */
    ck_assert_int_eq(sqlite3_open(stage.store_path, &other), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    expect_open(&stage, false, WEIR_ERROR_BUSY);
    ck_assert_int_eq(sqlite3_close(other), SQLITE_OK);
    stage_open(&stage, false);
    ck_assert_uint_eq(count_tokens(stage.store), 1);
    stage_remove(&stage);
}
END_TEST

START_TEST(a_link_leads_to_the_store)
{
    struct stage stage;
    char link[400];

    stage_make(&stage);
    stage_open(&stage, true);
    put_token(stage.store, "a", 1);
    stage_close(&stage);
    (void)snprintf(link, sizeof link, "%s/link", stage.scratch.folder);
    ck_assert_int_eq(symlink(stage.store_path, link), 0);
    ck_assert_int_eq(weir_store_open(link, false, NULL, &stage.store, NULL), WEIR_OK);
    ck_assert_uint_eq(count_tokens(stage.store), 1);
    expect_open(&stage, false, WEIR_ERROR_BUSY);
    stage_remove(&stage);
}
END_TEST

/* SQLite gives some names a meaning of its own. */
START_TEST(a_name_is_a_name_of_a_file_whatever_it_is)
{
    static const char *const names[] = {":memory:", "file:store?mode=memory", "a b%20c#?x", "-v"};
    struct stage stage;
    char before[1024];

    stage_make(&stage);
    ck_assert_ptr_nonnull(getcwd(before, sizeof before));
    ck_assert_int_eq(chdir(stage.scratch.folder), 0);
    for (size_t i = 0; i < COUNT(names); i++) {
        struct weir_store *store = NULL;

        ck_assert_int_eq(weir_store_open(names[i], true, NULL, &store, NULL), WEIR_OK);
        put_token(store, "a", 1);
        weir_store_close(store);
        ck_assert_int_eq(weir_store_open(names[i], false, NULL, &store, NULL), WEIR_OK);
        ck_assert_uint_eq(count_tokens(store), 1);
        weir_store_close(store);
    }
    ck_assert_uint_eq(scratch_file_count(&stage.scratch), COUNT(names));
    ck_assert_int_eq(chdir(before), 0);
    stage_remove(&stage);
}
END_TEST

START_TEST(an_older_store_is_brought_up_to_date)
{
    struct stage stage;

    stage_make(&stage);
    older_make(stage.store_path);
    ck_assert_int_eq(
        weir_sqlite_store_open(older_schema(), stage.store_path, true, NULL, &stage.store, NULL),
        WEIR_ERROR_DUPLICATE);
    ck_assert_int_eq(
        weir_sqlite_store_open(older_schema(), stage.store_path, false, NULL, &stage.store, NULL),
        WEIR_OK);
    ck_assert_ptr_null(older_difference(stage.store));
    stage_close(&stage);
    /* Now it is like any other. */
    stage_open(&stage, false);
    ck_assert_ptr_null(older_difference(stage.store));
    put_token(stage.store, "third", 1);
    stage_remove(&stage);
}
END_TEST

/* Steps that do not lead to the schema, or that cannot be taken, are not taken. */
START_TEST(a_step_that_does_not_lead_there_is_not_taken)
{
    static const char *const wrong[] = {"CREATE TABLE tokens (id)", "SELECT nothing"};

    for (size_t i = 0; i < COUNT(wrong); i++) {
        struct weir_sqlite_schema schema = weir_sqlite_schema;
        struct stage stage;

        schema.steps = &wrong[i];
        stage_make(&stage);
        older_make(stage.store_path);
        ck_assert_int_eq(
            weir_sqlite_store_open(&schema, stage.store_path, false, NULL, &stage.store, NULL),
            WEIR_ERROR_DAMAGED);
        ck_assert_int_eq(weir_sqlite_store_open(older_schema(), stage.store_path, false, NULL,
                                                &stage.store, NULL),
                         WEIR_OK);
        ck_assert_ptr_null(older_difference(stage.store));
        stage_remove(&stage);
    }
}
END_TEST

TCase *store_opening_cases(void)
{
    TCase *cases = tcase_create("opening");

    tcase_add_test(cases, what_was_put_is_there_after_closing_and_opening);
    tcase_add_test(cases, two_stores_have_two_identities);
    tcase_add_test(cases, a_store_is_made_only_where_none_is_and_opened_only_where_one_is);
    tcase_add_test(cases, an_empty_file_is_no_store_and_may_become_one);
    tcase_add_test(cases,
                   a_store_and_what_stands_beside_it_is_for_its_owner_only_whatever_the_umask);
    tcase_add_test(cases, no_descriptor_is_inherited_and_none_is_left);
    tcase_add_test(cases, a_second_owner_is_refused_in_the_same_process);
    tcase_add_test(cases, another_program_that_has_the_database_open_is_an_owner_too);
    tcase_add_test(cases, a_link_leads_to_the_store);
    tcase_add_test(cases, a_name_is_a_name_of_a_file_whatever_it_is);
    tcase_add_test(cases, an_older_store_is_brought_up_to_date);
    tcase_add_test(cases, a_step_that_does_not_lead_there_is_not_taken);
    return cases;
}
