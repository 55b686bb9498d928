/* What is no store, or not one that can be read, is refused and left as it was. */
#include "authority/store_cases.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "authority/store_older.h"
#include "authority/store_stage.h"

/* All files of the folder. */
struct picture {
    char *bytes[3];
    size_t sizes[3];
    size_t files;
};

static const char *const suffixes[3] = {"", "-wal", "-journal"};

static struct picture take_picture(const struct stage *stage)
{
    struct picture picture = {.files = scratch_file_count(&stage->scratch)};

    for (size_t i = 0; i < COUNT(suffixes); i++) {
        char path[420];
        struct stat facts = {.st_size = 0};
        FILE *file = NULL;

        (void)snprintf(path, sizeof path, "%s%s", stage->store_path, suffixes[i]);
        picture.bytes[i] = NULL;
        if (stat(path, &facts) == 0 && S_ISREG(facts.st_mode)) {
            file = fopen(path, "rb");
            ck_assert_ptr_nonnull(file);
            picture.bytes[i] = malloc((size_t)facts.st_size + 1);
            ck_assert_ptr_nonnull(picture.bytes[i]);
            ck_assert_uint_eq(fread(picture.bytes[i], 1, (size_t)facts.st_size, file),
                              (size_t)facts.st_size);
            (void)fclose(file);
        }
        picture.sizes[i] = (size_t)facts.st_size;
    }
    return picture;
}

static void expect_untouched(const struct stage *stage, struct picture *picture)
{
    struct picture after = take_picture(stage);

    ck_assert_uint_eq(after.files, picture->files);
    for (size_t i = 0; i < COUNT(suffixes); i++) {
        ck_assert_uint_eq(after.sizes[i], picture->sizes[i]);
        ck_assert(after.bytes[i] == NULL ||
                  memcmp(after.bytes[i], picture->bytes[i], after.sizes[i]) == 0);
        free(after.bytes[i]);
        free(picture->bytes[i]);
    }
}

static void expect_refused(const struct stage *stage, enum weir_status expected)
{
    struct picture picture = take_picture(stage);

    expect_open(stage, false, expected);
    expect_open(stage, true, expected);
    expect_untouched(stage, &picture);
}

static void make(struct stage *stage)
{
    stage_make(stage);
    stage_open(stage, true);
    for (uint64_t i = 0; i < 20; i++) {
        char name[32];

        (void)snprintf(name, sizeof name, "token-%u", (unsigned)i);
        put_token(stage->store, name, i);
    }
    stage_close(stage);
}

/* What another program does to it. */
static void run(const struct stage *stage, const char *statements)
{
    sqlite3 *database = NULL;

    ck_assert_int_eq(sqlite3_open(stage->store_path, &database), SQLITE_OK);
    if (sqlite3_exec(database, statements, NULL, NULL, NULL) != SQLITE_OK) {
        ck_abort_msg("%s: %s", statements, sqlite3_errmsg(database));
    }
    ck_assert_int_eq(sqlite3_close(database), SQLITE_OK);
}

static const char *const strange[] = {
    "CREATE TABLE more (a)",
    "CREATE VIEW tokens_too AS SELECT * FROM tokens",
    "CREATE INDEX more ON tokens (issued_by)",
    "CREATE UNIQUE INDEX more ON changes (id)",
    "CREATE TRIGGER more AFTER INSERT ON tokens BEGIN DELETE FROM changes; END",
    "DROP INDEX tokens_expiring",
    "DROP TABLE changes",
    "ALTER TABLE tokens ADD COLUMN more TEXT",
    "ALTER TABLE changes RENAME COLUMN by_id TO whom",
    ("DROP INDEX tokens_expiring;"
     "CREATE INDEX tokens_expiring ON tokens (expires_nanoseconds, expires_seconds)"),
    "CREATE VIRTUAL TABLE more USING fts4 (a)",
    "DELETE FROM store",
    "INSERT INTO store SELECT * FROM store",
    "UPDATE store SET identity = x'00'",
    "UPDATE store SET sequence = -1",
    "UPDATE store SET sequence = sequence - 1",
    "UPDATE store SET issue_number = 3",
    "PRAGMA application_id = 7",
};

START_TEST(a_database_with_other_tables_or_counters_is_refused)
{
    struct stage stage;

    make(&stage);
    run(&stage, strange[_i]);
    expect_refused(&stage, WEIR_ERROR_DAMAGED);
    stage_remove(&stage);
}
END_TEST

START_TEST(a_newer_store_is_refused)
{
    struct stage stage;

    make(&stage);
    run(&stage, "PRAGMA user_version = 2");
    expect_refused(&stage, WEIR_ERROR_VERSION);
    run(&stage, "PRAGMA user_version = 2147483647");
    expect_refused(&stage, WEIR_ERROR_VERSION);
    run(&stage, "PRAGMA user_version = -5");
    expect_refused(&stage, WEIR_ERROR_VERSION);
    stage_remove(&stage);
}
END_TEST

/* Version 0 never was. */
START_TEST(an_older_store_than_there_are_steps_for_is_refused)
{
    struct stage stage;
    struct picture picture;

    stage_make(&stage);
    older_make(stage.store_path);
    picture = take_picture(&stage);
    expect_open(&stage, false, WEIR_ERROR_VERSION);
    expect_untouched(&stage, &picture);
    stage_remove(&stage);
}
END_TEST

/* Its process died, and what tells its version is only in the WAL. */
START_TEST(a_newer_store_is_refused_when_only_its_log_says_so)
{
    struct stage stage;
    pid_t child = -1;
    int status = 0;

    make(&stage);
    child = fork();
    if (child == 0) {
        struct weir_store *store = NULL;

        _exit(weir_sqlite_store_open(newer_schema(), stage.store_path, false, NULL, &store, NULL) ==
                      WEIR_OK
                  ? 0
                  : 1);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    ck_assert_uint_eq(scratch_file_count(&stage.scratch), 2);
    expect_refused(&stage, WEIR_ERROR_VERSION);
    ck_assert_int_eq(
        weir_sqlite_store_open(newer_schema(), stage.store_path, false, NULL, &stage.store, NULL),
        WEIR_OK);
    ck_assert_uint_eq(count_tokens(stage.store), 20);
    stage_remove(&stage);
}
END_TEST

START_TEST(what_is_no_database_is_refused)
{
    static const char *const texts[] = {"x", "SQLite format 3", "[{\"id\": \"a\"}]\n",
                                        "WEIRIMG\0 not a store"};
    char noise[8192];
    struct random random = {0};
    struct stage stage;

    stage_make(&stage);
    for (size_t i = 0; i < COUNT(texts); i++) {
        write_file(stage.store_path, texts[i], strlen(texts[i]));
        expect_refused(&stage, WEIR_ERROR_DAMAGED);
    }
    for (size_t i = 0; i < sizeof noise; i++) {
        noise[i] = (char)random_number(&random);
    }
    write_file(stage.store_path, noise, sizeof noise);
    expect_refused(&stage, WEIR_ERROR_DAMAGED);
    stage_remove(&stage);
}
END_TEST

START_TEST(another_programs_database_is_refused)
{
    struct stage stage;

    stage_make(&stage);
    run(&stage, "CREATE TABLE notes (text); INSERT INTO notes VALUES ('dear diary')");
    expect_refused(&stage, WEIR_ERROR_DAMAGED);
    run(&stage, "PRAGMA journal_mode = WAL; INSERT INTO notes VALUES ('more')");
    expect_refused(&stage, WEIR_ERROR_DAMAGED);
    stage_remove(&stage);
}
END_TEST

START_TEST(a_store_that_was_cut_short_is_refused)
{
    struct stage stage;
    struct stat facts;

    make(&stage);
    ck_assert_int_eq(stat(stage.store_path, &facts), 0);
    while (facts.st_size > 1) {
        facts.st_size = facts.st_size > 4096 ? facts.st_size - 4096 : facts.st_size / 2;
        ck_assert_int_eq(truncate(stage.store_path, facts.st_size), 0);
        expect_refused(&stage, WEIR_ERROR_DAMAGED);
    }
    stage_remove(&stage);
}
END_TEST

START_TEST(what_is_no_file_is_refused_and_waited_for_by_nobody)
{
    struct stage stage;
    struct picture picture;

    stage_make(&stage);
    ck_assert_int_eq(mkfifo(stage.store_path, 0600), 0);
    expect_refused(&stage, WEIR_ERROR_DAMAGED);
    ck_assert_int_eq(unlink(stage.store_path), 0);
    ck_assert_int_eq(mkdir(stage.store_path, 0700), 0);
    picture = take_picture(&stage);
    expect_open(&stage, false, WEIR_ERROR_IO);
    expect_open(&stage, true, WEIR_ERROR_IO);
    expect_untouched(&stage, &picture);
    ck_assert_int_eq(rmdir(stage.store_path), 0);
    stage_remove(&stage);
}
END_TEST

START_TEST(a_folder_that_is_not_there_is_an_error_of_the_system)
{
    struct stage stage;
    struct weir_store *store = NULL;
    struct weir_error error = {0};
    char path[420];

    stage_make(&stage);
    (void)snprintf(path, sizeof path, "%s/none/store", stage.scratch.folder);
    ck_assert_int_eq(weir_store_open(path, true, NULL, &store, &error), WEIR_ERROR_IO);
    ck_assert_str_eq(error.message, "open: No such file or directory");
    ck_assert_int_eq(weir_store_open(path, false, NULL, &store, &error), WEIR_ERROR_NOT_FOUND);
    stage_remove(&stage);
}
END_TEST

TCase *store_refusing_cases(void)
{
    TCase *cases = tcase_create("refusing");

    tcase_add_loop_test(cases, a_database_with_other_tables_or_counters_is_refused, 0,
                        COUNT(strange));
    tcase_add_test(cases, a_newer_store_is_refused);
    tcase_add_test(cases, an_older_store_than_there_are_steps_for_is_refused);
    tcase_add_test(cases, a_newer_store_is_refused_when_only_its_log_says_so);
    tcase_add_test(cases, what_is_no_database_is_refused);
    tcase_add_test(cases, another_programs_database_is_refused);
    tcase_add_test(cases, a_store_that_was_cut_short_is_refused);
    tcase_add_test(cases, what_is_no_file_is_refused_and_waited_for_by_nobody);
    tcase_add_test(cases, a_folder_that_is_not_there_is_an_error_of_the_system);
    return cases;
}
