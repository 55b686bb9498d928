/* F5, F9: bytes that are not as they were written. */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "library/support.h"
#include "publish/guarantee_cases.h"
#include "publish/stage.h"

/* Where the last record of the only segment begins, and its size with the header. */
static uint64_t last_record(const struct stage *stage, char path[512], uint64_t *size)
{
    struct weir_record record;
    uint64_t last = 0;

    (void)find_files(stage, ".journal", path);
    for (uint64_t offset = sizeof(struct weir_segment_header);;) {
        read_bytes(path, &record, sizeof record, offset);
        if (record.sequence == 0) {
            return last;
        }
        last = offset;
        *size = sizeof record + record.size;
        offset += (*size + 7) / 8 * 8;
    }
}

/* A follower that has "a" and not yet the change of it; a heartbeat tells of that. */
static struct weir_follower *begin(struct stage *stage)
{
    struct weir_follower *follower = NULL;

    stage_create(stage);
    ck_assert_int_eq(publish_issue(stage, (struct recipe){"a", .version = 1}), WEIR_OK);
    follower = follow(stage);
    ck_assert_int_eq(publish_put(stage, (struct recipe){"a", .version = 2}), WEIR_OK);
    weir_publisher_heartbeat(stage->publisher);
    return follower;
}

static void end(struct stage *stage, struct weir_follower *follower)
{
    weir_follower_close(follower);
    stage_remove(stage);
}

/* Nothing of the change was applied; the next lease denies; whole again, it is. */
static void expect_unchanged(struct weir_follower *follower, uint64_t heartbeat)
{
    ck_assert_uint_eq(sequence_of(follower), 1);
    ck_assert_uint_eq(weir_follower_status(follower).heartbeat, heartbeat);
    ck_assert_int_eq(follower_ask(follower, "a", 1), WEIR_ALLOWED);
    ck_assert_int_eq(follower_ask(follower, "a", 2), WEIR_STREAM_OUT_OF_SCOPE);
    ck_assert_int_eq(follower_ask_at(follower, "a", 1, heartbeat + LEASE + 1), WEIR_STALE);
}

START_TEST(F5_whatever_byte_of_a_record_is_altered_nothing_of_it_is_applied)
{
    struct stage stage;
    struct weir_follower *follower = begin(&stage);
    uint64_t heartbeat = weir_follower_status(follower).heartbeat;
    char path[512];
    uint64_t size = 0;
    uint64_t offset = last_record(&stage, path, &size);

    for (uint64_t i = 0; i < size; i++) {
        for (unsigned width = 1; width <= 8 && i + width <= size; width *= 8) {
            invert_bytes(path, width, offset + i);
            ck_assert_int_ne(poll_later(follower, 0), WEIR_OK);
            ck_assert_int_eq(poll_some(follower, 1), WEIR_ERROR_DAMAGED);
            invert_bytes(path, width, offset + i);
        }
        ck_assert_uint_eq(sequence_of(follower), 1);
    }
    expect_unchanged(follower, heartbeat);
    ck_assert_int_eq(poll_later(follower, 0), WEIR_OK);
    expect_current(&stage, follower);
    end(&stage, follower);
}
END_TEST

START_TEST(F5_of_a_record_torn_anywhere_nothing_is_applied)
{
    struct stage stage;
    struct weir_follower *follower = begin(&stage);
    uint64_t heartbeat = weir_follower_status(follower).heartbeat;
    char path[512];
    uint64_t size = 0;
    uint64_t offset = last_record(&stage, path, &size);
    char whole[1024];
    const char zeros[1024] = {0};

    ck_assert_uint_le(size, sizeof whole);
    read_bytes(path, whole, size, offset);
    for (uint64_t torn = 1; torn < size; torn++) {
        if (memcmp(whole + torn, zeros, size - torn) == 0) {
            break;
        }
        write_bytes(path, zeros, size - torn, offset + torn);
        ck_assert_int_eq(poll_later(follower, 0), WEIR_ERROR_DAMAGED);
        write_bytes(path, whole + torn, size - torn, offset + torn);
        write_bytes(path, zeros, torn, offset);
        ck_assert_int_eq(poll_later(follower, 0), WEIR_ERROR_DAMAGED);
        write_bytes(path, whole, torn, offset);
    }
    expect_unchanged(follower, heartbeat);
    ck_assert_int_eq(poll_later(follower, 0), WEIR_OK);
    expect_current(&stage, follower);
    end(&stage, follower);
}
END_TEST

/* The segment is read, never mapped: a file that becomes shorter is an error. */
START_TEST(F5_F9_of_a_truncated_segment_nothing_is_applied_and_no_signal_comes)
{
    struct stage stage;
    struct weir_follower *follower = begin(&stage);
    uint64_t heartbeat = weir_follower_status(follower).heartbeat;
    char path[512];
    uint64_t size = 0;
    uint64_t offset = last_record(&stage, path, &size);

    for (uint64_t left = offset + size; left > 0; left = left > 40 ? left - 40 : 0) {
        ck_assert_int_eq(truncate(path, (off_t)left - 1), 0);
        ck_assert_int_eq(poll_later(follower, 0), WEIR_ERROR_TRUNCATED);
    }
    expect_unchanged(follower, heartbeat);
    ck_assert_int_ne(try_follow(&stage, &(struct weir_follower *){NULL}), WEIR_OK);
    end(&stage, follower);
}
END_TEST

START_TEST(F5_a_number_that_is_beyond_what_was_written_is_an_error)
{
    struct stage stage;
    struct weir_follower *follower = begin(&stage);
    struct weir_control *control = map_control(&stage);
    const uint64_t numbers[] = {3, 1000, UINT64_MAX - 1};

    for (unsigned i = 0; i < COUNT(numbers); i++) {
        __atomic_store_n(&control->sequence, numbers[i], __ATOMIC_RELEASE);
        weir_publisher_heartbeat(stage.publisher);
        ck_assert_int_ne(poll_later(follower, 0), WEIR_OK);
        ck_assert_uint_eq(sequence_of(follower), 2);
        ck_assert_int_eq(follower_ask(follower, "a", 2), WEIR_ALLOWED);
    }
    __atomic_store_n(&control->sequence, 2, __ATOMIC_RELEASE);
    ck_assert_int_eq(poll_later(follower, 0), WEIR_OK);
    expect_current(&stage, follower);
    unmap_control(control);
    end(&stage, follower);
}
END_TEST

/* Who opens, and who resumes, reads headers and image as well. */
static void expect_refused(struct stage *stage, const char *path, uint64_t offset)
{
    struct weir_follower *follower = NULL;
    struct weir_publisher *publisher = NULL;
    struct weir_error error = {0};
    enum weir_status status = WEIR_OK;

    invert_bytes(path, 1, offset);
    if (try_follow(stage, &follower) == WEIR_OK) {
        ck_abort_msg("%s is followed with byte %u altered", path, (unsigned)offset);
    }
    status = weir_publisher_resume(stage->path, &stage->options, &publisher, &error);
    ck_assert_int_ne(status, WEIR_OK);
    expect_error(&error, status);
    invert_bytes(path, 1, offset);
}

START_TEST(F5_a_directory_with_any_byte_of_a_header_altered_is_not_opened)
{
    struct stage stage;
    char path[512];

    stage_create(&stage);
    ck_assert_int_eq(publish_issue(&stage, (struct recipe){"a", .version = 1}), WEIR_OK);
    stage_end(&stage);
    file_path(&stage, WEIR_CONTROL_NAME, path);
    for (uint64_t i = 0; i < sizeof(struct weir_control_header); i++) {
        expect_refused(&stage, path, i);
    }
    (void)find_files(&stage, ".journal", path);
    for (uint64_t i = 0; i < sizeof(struct weir_segment_header); i++) {
        expect_refused(&stage, path, i);
    }
    stage_resume(&stage);
    ck_assert_int_eq(ask(weir_publisher_engine(stage.publisher), "a", 1), WEIR_ALLOWED);
    stage_remove(&stage);
}
END_TEST

START_TEST(F5_a_directory_with_an_altered_or_truncated_image_is_not_opened_nor_adopted)
{
    struct stage stage;
    struct weir_follower *follower = begin(&stage);
    char path[512];
    uint64_t size = 0;

    ck_assert_int_eq(publish_compact(&stage), WEIR_OK);
    stage_end(&stage);
    (void)find_files(&stage, ".image", path);
    size = file_size(path);
    for (uint64_t i = 0; i < size; i += 97) {
        expect_refused(&stage, path, i);
        invert_bytes(path, 1, i);
        ck_assert_int_ne(weir_follower_adopt(follower, NULL), WEIR_OK);
        invert_bytes(path, 1, i);
    }
    ck_assert_uint_eq(sequence_of(follower), 1);
    ck_assert_int_eq(follower_ask(follower, "a", 1), WEIR_ALLOWED);
    ck_assert_int_eq(weir_follower_adopt(follower, NULL), WEIR_OK);
    ck_assert_int_eq(follower_ask(follower, "a", 2), WEIR_ALLOWED);
    weir_follower_close(follower);
    for (uint64_t left = size; left > 0; left = left > 1000 ? left - 1000 : 0) {
        ck_assert_int_eq(truncate(path, (off_t)left - 1), 0);
        ck_assert_int_ne(try_follow(&stage, &follower), WEIR_OK);
    }
    end(&stage, NULL);
}
END_TEST

START_TEST(F5_an_image_of_another_number_than_its_name_says_is_not_opened)
{
    struct stage stage;

    stage_make(&stage);
    stage_create_anew(&stage, NULL, 0, 10);
    ck_assert_int_eq(publish_issue(&stage, (struct recipe){"a", .version = 1}), WEIR_OK);
    stage_end(&stage);
    shell(&stage, "cp -a \"$D\" \"$F/copy\"");
    stage_create_anew(&stage, NULL, 0, 9);
    stage_end(&stage);
    shell(&stage, "cp \"$D\"/*.image \"$F\"/image && rm -r \"$D\" && mv \"$F/copy\" \"$D\" && "
                  "mv \"$F/image\" \"$D\"/*.image");
    ck_assert_int_eq(try_follow(&stage, &(struct weir_follower *){NULL}), WEIR_ERROR_DAMAGED);
    stage_remove(&stage);
}
END_TEST

START_TEST(F5_a_truncated_control_page_is_not_opened)
{
    struct stage stage;
    char path[512];

    stage_create(&stage);
    stage_end(&stage);
    file_path(&stage, WEIR_CONTROL_NAME, path);
    for (off_t left = WEIR_CONTROL_SIZE - 1; left >= 0; left -= 273) {
        ck_assert_int_eq(truncate(path, left), 0);
        ck_assert_int_eq(try_follow(&stage, &(struct weir_follower *){NULL}), WEIR_ERROR_TRUNCATED);
    }
    stage_remove(&stage);
}
END_TEST

static void be_of_another_version(struct weir_control_header *header)
{
    header->version++;
}

START_TEST(F5_a_directory_of_another_version_is_not_opened)
{
    struct stage stage;

    stage_create(&stage);
    stage_end(&stage);
    forge_header(&stage, be_of_another_version);
    ck_assert_int_eq(try_follow(&stage, &(struct weir_follower *){NULL}), WEIR_ERROR_VERSION);
    stage_remove(&stage);
}
END_TEST

/* A poll meets the damage in the middle: what comes before it is applied, and it goes on there. */
START_TEST(F9_a_poll_that_returns_an_error_has_applied_what_came_before_it)
{
    struct stage stage;
    struct weir_follower *follower = begin(&stage);
    char path[512];
    uint64_t size = 0;
    uint64_t offset = 0;

    for (unsigned i = 3; i < 6; i++) {
        ck_assert_int_eq(publish_put(&stage, (struct recipe){"a", .version = i}), WEIR_OK);
    }
    offset = last_record(&stage, path, &size);
    ck_assert_int_eq(publish_put(&stage, (struct recipe){"a", .version = 6}), WEIR_OK);
    invert_bytes(path, 4, offset);
    for (unsigned i = 0; i < 3; i++) {
        ck_assert_int_eq(poll(&stage, follower), WEIR_ERROR_DAMAGED);
        ck_assert_uint_eq(sequence_of(follower), 4);
        ck_assert_int_eq(follower_ask(follower, "a", 4), WEIR_ALLOWED);
    }
    invert_bytes(path, 4, offset);
    ck_assert_int_eq(poll(&stage, follower), WEIR_OK);
    expect_current(&stage, follower);
    end(&stage, follower);
}
END_TEST

START_TEST(F9_a_segment_that_is_not_there_is_an_error_or_a_snapshot)
{
    struct stage stage;
    struct weir_follower *follower = begin(&stage);

    (void)fill_segment(&stage, 0);
    ck_assert_int_eq(publish_put(&stage, (struct recipe){"a", .version = 3}), WEIR_OK);
    shell(&stage, "mkdir \"$F/away\" && mv \"$D\"/*[0-9].journal \"$F/away\"");
    ck_assert_int_ne(poll(&stage, follower), WEIR_OK);
    ck_assert_int_ne(follower_ask(follower, "a", 3), WEIR_ALLOWED);
    shell(&stage, "mv \"$F\"/away/* \"$D\"");
    ck_assert_int_eq(poll(&stage, follower), WEIR_OK);
    expect_current(&stage, follower);
    end(&stage, follower);
}
END_TEST

/* Somebody who can compute checksums: what is no token is none. */
START_TEST(F5_a_record_whose_checksum_is_right_and_whose_token_is_not_is_not_applied)
{
    struct stage stage;
    struct weir_follower *follower = begin(&stage);
    char path[512];
    uint64_t size = 0;
    uint64_t offset = last_record(&stage, path, &size);
    unsigned refused = 0;

    for (uint64_t i = sizeof(struct weir_record); i < size; i++) {
        struct weir_follower *other = NULL;

        invert_bytes(path, 1, offset + i);
        reseal_record(path, offset);
        if (try_follow(&stage, &other) == WEIR_OK) {
            (void)state_of(engine_of(other));
        } else {
            refused++;
            ck_assert_int_ne(poll_later(follower, 0), WEIR_OK);
            ck_assert_uint_eq(sequence_of(follower), 1);
        }
        weir_follower_close(other);
        invert_bytes(path, 1, offset + i);
        reseal_record(path, offset);
    }
    ck_assert_uint_gt(refused, 20);
    ck_assert_int_eq(poll_later(follower, 0), WEIR_OK);
    expect_current(&stage, follower);
    end(&stage, follower);
}
END_TEST

START_TEST(F5_a_record_that_contradicts_those_before_it_is_not_applied)
{
    struct stage stage;
    struct weir_follower *follower = begin(&stage);
    char path[512];
    uint64_t size = 0;
    uint64_t offset = last_record(&stage, path, &size);
    struct weir_record whole;
    struct weir_record records[5];

    read_bytes(path, &whole, sizeof whole, offset);
    for (unsigned i = 0; i < COUNT(records); i++) {
        records[i] = whole;
    }
    records[0].kind = WEIR_RECORD_REVOKE; /* of an id that none has */
    records[1].kind = WEIR_RECORD_SEAL;   /* with no segment behind it */
    records[2].kind = 0;
    records[3].kind = 4;
    records[4].sequence++;
    for (unsigned i = 0; i < COUNT(records); i++) {
        write_bytes(path, &records[i], sizeof records[i], offset);
        reseal_record(path, offset);
        ck_assert_int_ne(poll_later(follower, 0), WEIR_OK);
        ck_assert_uint_eq(sequence_of(follower), 1);
        ck_assert_int_eq(follower_ask(follower, "a", 1), WEIR_ALLOWED);
    }
    write_bytes(path, &whole, sizeof whole, offset);
    ck_assert_int_eq(poll_later(follower, 0), WEIR_OK);
    expect_current(&stage, follower);
    end(&stage, follower);
}
END_TEST

TCase *damage_cases(void)
{
    TCase *cases = tcase_create("damage");

    tcase_add_test(cases, F5_whatever_byte_of_a_record_is_altered_nothing_of_it_is_applied);
    tcase_add_test(cases, F5_of_a_record_torn_anywhere_nothing_is_applied);
    tcase_add_test(cases, F5_F9_of_a_truncated_segment_nothing_is_applied_and_no_signal_comes);
    tcase_add_test(cases,
                   F5_a_record_whose_checksum_is_right_and_whose_token_is_not_is_not_applied);
    tcase_add_test(cases, F5_a_record_that_contradicts_those_before_it_is_not_applied);
    tcase_add_test(cases, F5_a_number_that_is_beyond_what_was_written_is_an_error);
    tcase_add_test(cases, F5_a_directory_with_any_byte_of_a_header_altered_is_not_opened);
    tcase_add_test(cases,
                   F5_a_directory_with_an_altered_or_truncated_image_is_not_opened_nor_adopted);
    tcase_add_test(cases, F5_an_image_of_another_number_than_its_name_says_is_not_opened);
    tcase_add_test(cases, F5_a_truncated_control_page_is_not_opened);
    tcase_add_test(cases, F5_a_directory_of_another_version_is_not_opened);
    tcase_add_test(cases, F9_a_poll_that_returns_an_error_has_applied_what_came_before_it);
    tcase_add_test(cases, F9_a_segment_that_is_not_there_is_an_error_or_a_snapshot);
    return cases;
}
