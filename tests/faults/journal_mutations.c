/*
 * journal_mutations.c - a published directory, whatever was changed in it: a follower that opens it
 * or polls it never crashes, and what it answers is what the history was after some change. Where
 * somebody mends the checksums, it may be told any tokens: it is safe to ask.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <xxhash.h>

#include "faults/mutations.h"
#include "library/bytes.h"
#include "library/scratch.h"
#include "publish/format.h"
#include "publish/stage.h"

/*
 * ---- The history, and its model ----
 */

enum { CHANGES = 40, SNAPSHOT = 20, LARGE = 30, IDS = STATE_SIZE, FILES_MAX = 8, RECORDS_MAX = 64 };

/* After each change: the version that each id "a" to "h" allows, 0 for none, and whether it does so
 * by its credential as well, whose number is the id's from 1. */
struct past_state {
    unsigned version[IDS];
    bool has_credential[IDS];
};

static struct past_state model[CHANGES + 1];

/* What was allowed after the change is, and nothing else. */
static void expect_as_then(const struct weir_engine *engine, uint64_t sequence)
{
    struct state state;

    if (sequence > CHANGES) {
        ck_abort_msg("a follower at a change that never was");
    }
    state = state_of(engine);
    for (unsigned i = 0; i < IDS * STATE_SIZE; i++) {
        unsigned id = i / STATE_SIZE;
        unsigned version = 1 + i % STATE_SIZE;
        bool allows = model[sequence].version[id] == version;
        bool by_credential = allows && model[sequence].has_credential[id];

        if ((state.by_id[id][version - 1] == WEIR_ALLOWED) != allows ||
            (state.by_credential[id][version - 1] == WEIR_ALLOWED) != by_credential) {
            ck_abort_msg("after change %u, id %u, version %u: not as it was", (unsigned)sequence,
                         id, version);
        }
    }
}

/* A token that needs a segment of its own. */
static void change_largely(struct stage *stage, unsigned number)
{
    struct weir_compiled_token *large = compile_large("large", 1500);

    model[number] = model[number - 1];
    ck_assert_int_eq(publish_block(stage, large), WEIR_OK);
    free(large);
}

/* One change of the publisher's and of the model's. */
static void change(struct stage *stage, unsigned number, struct random *random)
{
    struct past_state *now = &model[number];
    size_t id = random_below(random, IDS);
    const char name[] = {(char)('a' + (int)id), '\0'};

    model[number] = model[number - 1];
    if (now->version[id] != 0 && random_below(random, 3) == 0) {
        now->version[id] = 0;
        now->has_credential[id] = false;
        ck_assert_int_eq(publish_revoke(stage, name), WEIR_OK);
        return;
    }
    now->version[id] = 1 + (unsigned)random_below(random, STATE_SIZE);
    now->has_credential[id] = random_below(random, 2) == 0;
    ck_assert_int_eq(
        publish_put(stage,
                    (struct recipe){name, .version = now->version[id], .issue_number = number,
                                    .credential = now->has_credential[id] ? (unsigned)id + 1 : 0}),
        WEIR_OK);
}

/*
 * ---- Its directory, as bytes ----
 */

struct file {
    char path[512];
    unsigned char *whole;
    unsigned char *changed;
    size_t size;
    size_t used;                 /* what is behind is all zero */
    size_t records[RECORDS_MAX]; /* of a segment: where they begin */
    size_t record_count;
    enum { CONTROL, SEGMENT_FILE, IMAGE } kind;
};

struct directory {
    struct stage stage;
    struct file files[FILES_MAX];
    size_t count;
};

static void find_records(struct file *file)
{
    size_t at = sizeof(struct weir_segment_header);

    while (at + sizeof(struct weir_record) <= file->size) {
        struct weir_record record;

        memcpy(&record, file->whole + at, sizeof record);
        if (record.kind == 0) {
            return;
        }
        ck_assert_uint_lt(file->record_count, RECORDS_MAX);
        file->records[file->record_count++] = at;
        at += (sizeof record + record.size + 7) / 8 * 8;
    }
}

static void load(struct directory *directory, const char *name)
{
    struct file *file = &directory->files[directory->count];
    const char *ending = strrchr(name, '.');

    if (strcmp(name, WEIR_CONTROL_NAME) == 0) {
        file->kind = CONTROL;
    } else if (ending != NULL && strcmp(ending, ".image") == 0) {
        file->kind = IMAGE;
    } else if (ending != NULL && strcmp(ending, ".journal") == 0 && strstr(name, "spare") == NULL) {
        file->kind = SEGMENT_FILE;
    } else {
        return;
    }
    ck_assert_uint_lt(directory->count, FILES_MAX);
    file_path(&directory->stage, name, file->path);
    file->size = file_size(file->path);
    file->whole = malloc(file->size);
    file->changed = malloc(file->size);
    read_bytes(file->path, file->whole, file->size, 0);
    memcpy(file->changed, file->whole, file->size);
    for (file->used = file->size; file->used > 0 && file->whole[file->used - 1] == 0;) {
        file->used--;
    }
    if (file->kind == SEGMENT_FILE) {
        find_records(file);
    }
    directory->count++;
}

/* A snapshot in the middle, changes before it whose journal is still there, and segments after. */
static void directory_make(struct directory *directory)
{
    struct random random = {7};
    DIR *folder = NULL;
    const struct dirent *entry = NULL;

    memset(directory, 0, sizeof *directory);
    memset(model, 0, sizeof model);
    stage_create(&directory->stage);
    for (unsigned number = 1; number <= CHANGES; number++) {
        if (number == LARGE) {
            change_largely(&directory->stage, number);
        } else {
            change(&directory->stage, number, &random);
        }
        if (number == SNAPSHOT) {
            ck_assert_int_eq(publish_compact(&directory->stage), WEIR_OK);
        }
    }
    weir_publisher_heartbeat(directory->stage.publisher);
    stage_end(&directory->stage);
    folder = opendir(directory->stage.path);
    ck_assert_ptr_nonnull(folder);
    while ((entry = readdir(folder)) != NULL) {
        load(directory, entry->d_name);
    }
    (void)closedir(folder);
    ck_assert_uint_ge(directory->count, 3);
}

static void directory_remove(struct directory *directory)
{
    for (size_t i = 0; i < directory->count; i++) {
        free(directory->files[i].whole);
        free(directory->files[i].changed);
    }
    stage_remove(&directory->stage);
}

/* An image is mapped by who follows, and its writers never change one: another takes its name. */
static void write_changed(const struct file *file)
{
    if (file->kind == IMAGE) {
        ck_assert_int_eq(unlink(file->path), 0);
        write_file(file->path, file->changed, file->size);
    } else {
        write_bytes(file->path, file->changed, file->size, 0);
    }
}

static void write_whole(struct file *file)
{
    memcpy(file->changed, file->whole, file->size);
    write_changed(file);
}

/*
 * ---- Checksums put right ----
 */

static void mend_record(struct file *file, size_t at)
{
    struct weir_segment_header header;
    struct weir_record record;
    uint64_t seed = 0;
    size_t room = file->size - at - sizeof record;

    memcpy(&header, file->changed, sizeof header);
    memcpy(&record, file->changed + at, sizeof record);
    seed = XXH3_64bits_withSeed((const char *)&record + sizeof record.checksum,
                                sizeof record - sizeof record.checksum, header.identity);
    record.checksum = XXH3_64bits_withSeed(file->changed + at + sizeof record,
                                           record.size < room ? record.size : room, seed);
    memcpy(file->changed + at, &record, sizeof record);
}

static void mend(struct file *file)
{
    if (file->kind == IMAGE) {
        mend_checksum(file->changed, file->size);
        return;
    }
    if (file->kind == CONTROL) {
        put_number(file->changed + offsetof(struct weir_control_header, checksum), 8,
                   XXH3_64bits(file->changed, offsetof(struct weir_control_header, checksum)));
        return;
    }
    put_number(file->changed + offsetof(struct weir_segment_header, checksum), 8,
               XXH3_64bits(file->changed, offsetof(struct weir_segment_header, checksum)));
    for (size_t i = 0; i < file->record_count; i++) {
        mend_record(file, file->records[i]);
    }
}

/*
 * ---- What is done with each ----
 */

/* Asks what the follower has; `honest`: it must be what there was. */
static void ask_follower(struct weir_follower *follower, bool honest)
{
    struct weir_follower_standing status = weir_follower_status(follower);
    const struct weir_engine *engine = weir_follower_engine(follower, status.heartbeat);

    if (engine == NULL) {
        ck_assert_int_eq(follower_ask_at(follower, "a", 1, status.heartbeat), WEIR_STALE);
    } else if (honest) {
        expect_as_then(engine, status.sequence);
    } else {
        (void)state_of(engine);
    }
}

static void open_and_ask(struct directory *directory, bool honest, struct outcome *outcome)
{
    struct weir_follower *follower = NULL;

    if (try_follow(&directory->stage, &follower) != WEIR_OK) {
        outcome->refused++;
        return;
    }
    ask_follower(follower, honest);
    weir_follower_close(follower);
    outcome->asked++;
}

/* What the control page says last; the snapshot is the first one or the one in the middle. */
static void set_moment(struct directory *directory, uint64_t sequence)
{
    struct weir_control *control = map_control(&directory->stage);

    __atomic_store_n(&control->snapshot, sequence < SNAPSHOT ? 0 : SNAPSHOT, __ATOMIC_RELEASE);
    __atomic_store_n(&control->sequence, sequence, __ATOMIC_RELEASE);
    unmap_control(control);
}

/* A follower that was there before, early or late, polls what was changed behind its back, and
 * adopts. */
static void poll_and_ask(struct directory *directory, const struct file *file, bool honest,
                         struct outcome *outcome)
{
    uint64_t moment = file->kind == IMAGE ? 5 : SNAPSHOT + 5;
    struct weir_follower *follower = NULL;
    enum weir_status status = WEIR_OK;

    set_moment(directory, moment);
    follower = follow(&directory->stage);
    expect_as_then(engine_of(follower), moment);
    set_moment(directory, CHANGES);
    write_changed(file);
    status = poll_later(follower, LEASE / 3);
    ask_follower(follower, honest);
    (void)weir_follower_adopt(follower, NULL);
    ask_follower(follower, honest);
    weir_follower_close(follower);
    outcome->refused += status != WEIR_OK;
    outcome->asked += status == WEIR_OK;
}

/* The file is as it was again afterwards. */
static void follow_changed(struct directory *directory, struct file *file, bool mends, bool polls,
                           struct outcome *outcome)
{
    if (mends) {
        mend(file);
    }
    if (polls) {
        poll_and_ask(directory, file, !mends, outcome);
    } else {
        write_changed(file);
        open_and_ask(directory, !mends, outcome);
    }
    write_whole(file);
}

/* Where the next byte is changed: images have a test of their own, and a large record's bytes are
 * much alike. */
static size_t next_place(const struct file *file, size_t at)
{
    bool dull = file->kind == IMAGE || at > 16384;

    return at + extent.stride * (dull ? 61 : 1);
}

/* Each byte alone that is used, and some of the zeros behind. */
START_TEST(a_follower_of_a_directory_with_one_byte_changed_answers_as_it_once_was)
{
    struct directory directory;
    struct outcome outcome = {0, 0};
    struct random random = {1};

    directory_make(&directory);
    for (size_t i = 0; i < directory.count; i++) {
        struct file *file = &directory.files[i];
        size_t end = file->used + 64 < file->size ? file->used + 64 : file->size;

        for (size_t at = random_below(&random, extent.stride); at < end;
             at = next_place(file, at)) {
            for (unsigned which = 0; which < BYTE_VALUES; which++) {
                file->changed[at] = byte_value(file->whole[at], which);
                if (file->changed[at] != file->whole[at]) {
                    bool mends = random_below(&random, 2) == 0;

                    follow_changed(&directory, file, mends, which % 4 == 0, &outcome);
                }
            }
        }
    }
    tell("directories, one byte", outcome);
    ck_assert_uint_gt(outcome.refused, 50);
    ck_assert_uint_gt(outcome.asked, 50);
    directory_remove(&directory);
}
END_TEST

START_TEST(a_follower_of_a_directory_with_several_bytes_changed_answers_as_it_once_was)
{
    struct directory directory;
    struct outcome outcome = {0, 0};
    struct random random = {2};

    directory_make(&directory);
    for (size_t round = 0; round < extent.journal_rounds; round++) {
        struct file *file = &directory.files[random_below(&random, directory.count)];
        size_t end = file->used + 64 < file->size ? file->used + 64 : file->size;

        change_several(file->changed, end, &random);
        follow_changed(&directory, file, round % 2 == 0, round % 8 == 0, &outcome);
    }
    tell("directories, several bytes", outcome);
    ck_assert_uint_gt(outcome.refused, 50);
    directory_remove(&directory);
}
END_TEST

static bool resume_and_go_on(struct directory *directory)
{
    struct stage *stage = &directory->stage;
    struct weir_error error = {0};
    enum weir_status status =
        weir_publisher_resume(stage->path, &stage->options, &stage->publisher, &error);

    if (status != WEIR_OK) {
        expect_error(&error, status);
        return false;
    }
    (void)state_of(weir_publisher_engine(stage->publisher));
    (void)publish_put(stage, (struct recipe){"a", .version = 1});
    (void)weir_publisher_compact(stage->publisher, NOW, NULL);
    stage_end(stage);
    return true;
}

/* Who resumes, too: it refuses, or goes on. The directory is made anew for each. */
START_TEST(a_publisher_that_resumes_a_directory_with_several_bytes_changed_refuses_or_goes_on)
{
    struct outcome outcome = {0, 0};
    struct random random = {3};

    for (size_t round = 0; round < extent.journal_rounds / 40; round++) {
        struct directory directory;
        struct file *file = NULL;

        directory_make(&directory);
        file = &directory.files[random_below(&random, directory.count)];
        change_several(file->changed, file->used, &random);
        if (round % 2 == 0) {
            mend(file);
        }
        write_changed(file);
        if (resume_and_go_on(&directory)) {
            outcome.asked++;
        } else {
            outcome.refused++;
        }
        directory_remove(&directory);
    }
    tell("directories, resumed", outcome);
}
END_TEST

TCase *journal_mutations(void)
{
    TCase *cases = tcase_create("directories");

    tcase_add_test(cases, a_follower_of_a_directory_with_one_byte_changed_answers_as_it_once_was);
    tcase_add_test(cases,
                   a_follower_of_a_directory_with_several_bytes_changed_answers_as_it_once_was);
    tcase_add_test(
        cases, a_publisher_that_resumes_a_directory_with_several_bytes_changed_refuses_or_goes_on);
    return cases;
}
