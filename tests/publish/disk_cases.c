/* P5: a disk without space. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "library/support.h"
#include "publish/faults.h"
#include "publish/guarantee_cases.h"
#include "publish/stage.h"

/* A record of kind REVOKE with an id of eight bytes. */
#define REVOKE_ROOM (sizeof(struct weir_record) + 8)

/*
 * ---- A disk of its own ----
 */

/* Mounts a small file system in memory where the stage's directory will be, out of sight of other
 * processes. Says so and returns false where that may not be. */
static bool make_disk(struct stage *stage, const char *options)
{
    static bool alone;

    stage_make(stage);
    shell(stage, "mkdir \"$D\"");
    if (!alone &&
        (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)) {
        fputs("skipped, needs root: a disk that is full\n", stderr);
        stage_remove(stage);
        return false;
    }
    alone = true;
    ck_assert_int_eq(mount("none", stage->path, "tmpfs", 0, options), 0);
    return true;
}

static void remove_disk(struct stage *stage)
{
    stage_end(stage);
    ck_assert_int_eq(umount2(stage->path, MNT_DETACH), 0);
    stage_remove(stage);
}

static void fill_disk(const struct stage *stage)
{
    static const char page[4096] = {1};
    char path[512];
    int file = -1;

    file_path(stage, "other people's", path);
    file = open(path, O_CREAT | O_WRONLY | O_CLOEXEC | O_APPEND, 0600);
    ck_assert_int_ge(file, 0);
    while (write(file, page, sizeof page) > 0) {
    }
    ck_assert_int_eq(errno, ENOSPC);
    (void)close(file);
}

/* Until the first error. */
static size_t issue_many(struct stage *stage)
{
    for (size_t count = 0;; count++) {
        char id[16];
        enum weir_status status = WEIR_OK;

        (void)snprintf(id, sizeof id, "many%04zu", count);
        status = publish_issue(stage, (struct recipe){id, .version = 1});
        if (status != WEIR_OK) {
            ck_assert_int_eq(status, WEIR_ERROR_IO);
            return count;
        }
    }
}

static size_t revoke_many(struct stage *stage, const char *word, size_t most)
{
    for (size_t count = 0;; count++) {
        char id[16];

        (void)snprintf(id, sizeof id, "%s%04zu", word, count);
        if (count == most || publish_revoke(stage, id) != WEIR_OK) {
            return count;
        }
    }
}

START_TEST(P5_what_was_reserved_finds_room_on_a_disk_that_is_full_by_then)
{
    struct stage stage;
    size_t changes = 0;
    size_t size = 0;

    if (!make_disk(&stage, "size=1m,mode=755")) {
        return;
    }
    stage_create_anew(&stage, NULL, 0, 0);
    changes = fill_segment(&stage, 0);
    /* So many are nine tenths of a segment: more than is given to what was not reserved. */
    size = SEGMENT / changes - sizeof(struct weir_record);
    changes = changes / 10 * 9;
    ck_assert_int_eq(weir_publisher_reserve(stage.publisher, changes, changes * size, false, NULL),
                     WEIR_OK);
    fill_disk(&stage);
    ck_assert_uint_ge(issue_many(&stage), changes);
    ck_assert_int_eq(weir_publisher_reserve(stage.publisher, changes, changes * size, false, NULL),
                     WEIR_ERROR_IO);
    ck_assert_int_eq(weir_publisher_reserve(stage.publisher, 1, 8, true, NULL), WEIR_OK);
    ck_assert_int_eq(publish_revoke(&stage, "many0000"), WEIR_OK);
    remove_disk(&stage);
}
END_TEST

START_TEST(P5_on_a_full_disk_revocations_go_on_when_nothing_else_does)
{
    struct stage stage;
    struct weir_follower *follower = NULL;
    size_t issued = 0;
    size_t revoked = 0;

    if (!make_disk(&stage, "size=1m,mode=755")) {
        return;
    }
    stage_create_anew(&stage, NULL, 0, 0);
    follower = follow(&stage);
    fill_disk(&stage);
    issued = issue_many(&stage);
    ck_assert_uint_gt(issued, 800);
    ck_assert_uint_eq(weir_publisher_sequence(stage.publisher), issued);
    ck_assert_int_eq(publish_compact(&stage), WEIR_ERROR_IO);
    revoked = revoke_many(&stage, "many", issued);
    ck_assert_uint_ge(revoked, SEGMENT / 4 / REVOKE_ROOM - 2);
    ck_assert_uint_eq(weir_publisher_sequence(stage.publisher), issued + revoked);
    ck_assert_int_eq(poll(&stage, follower), WEIR_OK);
    expect_current(&stage, follower);
    ck_assert_int_eq(follower_ask(follower, "many0000", 1), WEIR_UNKNOWN_TOKEN);
    shell(&stage, "rm \"$D\"/other*");
    ck_assert_int_eq(publish_issue(&stage, (struct recipe){"a", .version = 1}), WEIR_OK);
    ck_assert_int_eq(publish_compact(&stage), WEIR_OK);
    ck_assert_int_eq(poll(&stage, follower), WEIR_OK);
    expect_current(&stage, follower);
    weir_follower_close(follower);
    remove_disk(&stage);
}
END_TEST

/* The spare that is there is the next publisher's too: it needs no space for another. */
START_TEST(P5_a_publisher_resumed_on_a_full_disk_has_the_whole_journal_that_is_there)
{
    struct stage stage;
    size_t count = 0;

    if (!make_disk(&stage, "size=1m,mode=755")) {
        return;
    }
    stage_create_anew(&stage, NULL, 0, 0);
    count = fill_segment(&stage, 0);
    fill_disk(&stage);
    stage_resume(&stage);
    ck_assert_uint_eq(revoke_many(&stage, "fill", count), count);
    remove_disk(&stage);
}
END_TEST

START_TEST(P5_a_creation_that_fails_leaves_the_old_one_and_nothing_of_its_own)
{
    struct stage stage;
    struct weir_publisher *publisher = NULL;
    char command[128];

    if (!make_disk(&stage, "size=1m,mode=755")) {
        return;
    }
    stage_create_anew(&stage, &(struct recipe){"a", .version = 1}, 1, 0);
    stage_end(&stage);
    fill_disk(&stage);
    for (unsigned pages = 0; pages < 20; pages++) {
        enum weir_status status = WEIR_OK;

        (void)snprintf(command, sizeof command, "truncate -s -%u \"$D\"/other*", 4096 * pages / 2);
        shell(&stage, command);
        status = weir_publisher_create(stage.path, NULL, &stage.options, &publisher, NULL);
        if (status == WEIR_OK) {
            weir_publisher_close(publisher);
            break;
        }
        ck_assert_int_eq(status, WEIR_ERROR_IO);
        ck_assert_uint_eq(find_files(&stage, ".image", NULL), 1);
        ck_assert_uint_eq(find_files(&stage, ".journal", NULL), 1);
        stage_resume(&stage);
        ck_assert_int_eq(ask(weir_publisher_engine(stage.publisher), "a", 1), WEIR_ALLOWED);
        stage_end(&stage);
        fill_disk(&stage);
    }
    remove_disk(&stage);
}
END_TEST

/*
 * ---- Any write ----
 */

typedef enum weir_status doing(struct stage *stage);

static enum weir_status issue(struct stage *stage)
{
    return publish_issue(stage, (struct recipe){"b", .version = 2, .credential = 2});
}

/* Compiled once: that takes longest. */
static struct weir_compiled_token *large;

static enum weir_status issue_large(struct stage *stage)
{
    if (large == NULL) {
        large = compile_large("b", 3000);
        ck_assert_uint_gt(weir_compiled_token_size(large), SEGMENT);
    }
    return publish_block(stage, large);
}

static enum weir_status revoke_a(struct stage *stage)
{
    return publish_revoke(stage, "a");
}

static enum weir_status create(struct stage *stage)
{
    enum weir_status status = WEIR_OK;

    stage_end(stage);
    status = weir_publisher_create(stage->path, NULL, &stage->options, &stage->publisher, NULL);
    if (status != WEIR_OK) {
        size_t calls = faults.calls;
        struct faults kept = faults;

        faults = (struct faults){0};
        stage_resume(stage);
        faults = kept;
        faults.calls = calls;
    }
    return status;
}

static doing *const doings[] = {issue, issue_large, revoke_a, publish_compact, create};

/* Write N of it fails, for N = 1, 2, … until it does without; what failed has changed nothing, and
 * followers see nothing of it. */
static void expect_no_harm(doing *does, bool at_the_end, struct faults how)
{
    enum weir_status status = WEIR_ERROR_IO;

    for (size_t fails = 1; status != WEIR_OK && fails < 100; fails++) {
        struct stage stage;
        struct weir_follower *follower = NULL;
        uint64_t sequence = 0;

        stage_create(&stage);
        ck_assert_int_eq(publish_issue(&stage, (struct recipe){"a", .version = 1, .credential = 1}),
                         WEIR_OK);
        if (at_the_end) {
            (void)fill_segment(&stage, 0);
        }
        follower = follow(&stage);
        sequence = weir_publisher_sequence(stage.publisher);
        faults = how;
        faults.fails_at = fails;
        status = does(&stage);
        faults = (struct faults){0};
        if (status != WEIR_OK) {
            ck_assert_int_eq(status, WEIR_ERROR_IO);
            ck_assert_uint_eq(weir_publisher_sequence(stage.publisher), sequence);
            ck_assert_int_eq(ask(weir_publisher_engine(stage.publisher), "a", 1), WEIR_ALLOWED);
            ck_assert_int_eq(poll(&stage, follower), WEIR_OK);
            expect_current(&stage, follower);
            ck_assert_int_eq(does(&stage), WEIR_OK);
        }
        ck_assert_int_eq(poll(&stage, follower), WEIR_OK);
        expect_current(&stage, follower);
        stage_resume(&stage);
        ck_assert_int_eq(publish_put(&stage, (struct recipe){"c", .version = 3}), WEIR_OK);
        ck_assert_int_eq(poll(&stage, follower), WEIR_OK);
        expect_current(&stage, follower);
        weir_follower_close(follower);
        stage_remove(&stage);
    }
    ck_assert_int_eq(status, WEIR_OK);
}

START_TEST(P4_P5_a_write_that_finds_no_space_has_changed_nothing)
{
    doing *does = doings[_i / 2];
    bool at_the_end = _i % 2 == 1;

    expect_no_harm(does, at_the_end, (struct faults){0});
    expect_no_harm(does, at_the_end, (struct faults){.halfway = true});
    free(large);
    large = NULL;
}
END_TEST

/* All writes fail, but those into what is there already: what a full disk is like. With the spare
 * gone the last quarter is for revocations, and they take it all. */
START_TEST(P5_the_last_quarter_of_the_journal_is_for_revocations)
{
    struct stage stage;
    size_t fitting = 0;
    char path[512];
    struct weir_record record = {0};
    uint64_t end = sizeof(struct weir_segment_header);

    stage_create(&stage);
    shell(&stage, "rm \"$D\"/*spare.journal && mkdir \"$(echo \"$D\"/*[0-9].journal | "
                  "sed 's/-[0-9]*.journal$/-spare.journal.tmp/')\"");
    stage_resume(&stage);
    fitting = issue_many(&stage);
    (void)find_files(&stage, ".journal", path);
    for (size_t i = 0; i < fitting; i++) {
        read_bytes(path, &record, sizeof record, end);
        end += (sizeof record + record.size + 7) / 8 * 8;
    }
    ck_assert_uint_le(end, SEGMENT / 4 * 3);
    ck_assert_uint_gt(end + sizeof record + record.size + 8, SEGMENT / 4 * 3);
    ck_assert_uint_ge(revoke_many(&stage, "many", fitting),
                      (SEGMENT - end - sizeof record) / REVOKE_ROOM);
    stage_remove(&stage);
}
END_TEST

TCase *disk_cases(void)
{
    TCase *cases = tcase_create("disk");

    tcase_add_test(cases, P5_on_a_full_disk_revocations_go_on_when_nothing_else_does);
    tcase_add_test(cases, P5_what_was_reserved_finds_room_on_a_disk_that_is_full_by_then);
    tcase_add_test(cases,
                   P5_a_publisher_resumed_on_a_full_disk_has_the_whole_journal_that_is_there);
    tcase_add_test(cases, P5_a_creation_that_fails_leaves_the_old_one_and_nothing_of_its_own);
    tcase_add_loop_test(cases, P4_P5_a_write_that_finds_no_space_has_changed_nothing, 0,
                        2 * (int)COUNT(doings));
    tcase_add_test(cases, P5_the_last_quarter_of_the_journal_is_for_revocations);
    return cases;
}
