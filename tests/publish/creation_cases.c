/* P8, F1, F8: directories created anew while they are followed. */
#include <unistd.h>

#include "library/support.h"
#include "publish/guarantee_cases.h"
#include "publish/stage.h"

static const struct recipe other = {"b", .version = 2, .credential = 2};

static struct weir_follower *begin(struct stage *stage)
{
    stage_create(stage);
    ck_assert_int_eq(publish_issue(stage, (struct recipe){"a", .version = 1, .credential = 1}),
                     WEIR_OK);
    weir_publisher_heartbeat(stage->publisher);
    return follow(stage);
}

static void end(struct stage *stage, struct weir_follower *follower)
{
    weir_follower_close(follower);
    stage_remove(stage);
}

/* With a number before, at and after that of the old one. */
START_TEST(P8_a_directory_created_anew_takes_its_followers_with_it_at_the_next_poll)
{
    struct stage stage;
    struct weir_follower *follower = begin(&stage);

    for (unsigned i = 0; i < 3; i++) {
        stage.options.lease = LEASE + i;
        stage_create_anew(&stage, &other, 1, (uint64_t)_i);
        ck_assert_uint_eq(find_files(&stage, ".image", NULL), 1);
        ck_assert_uint_eq(find_files(&stage, ".journal", NULL), 1);
        ck_assert_uint_eq(find_files(&stage, "spare.journal", NULL), 1);
        ck_assert_int_eq(poll_later(follower, 0), WEIR_OK);
        expect_current(&stage, follower);
        ck_assert_uint_eq(weir_follower_status(follower).lease, LEASE + i);
        ck_assert_int_eq(publish_put(&stage, (struct recipe){"c", .version = i + 1}), WEIR_OK);
        ck_assert_int_eq(poll(&stage, follower), WEIR_OK);
        expect_current(&stage, follower);
    }
    end(&stage, follower);
}
END_TEST

START_TEST(P8_a_directory_created_anew_while_a_follower_was_behind_takes_it_with_it)
{
    struct stage stage;
    struct weir_follower *follower = begin(&stage);

    (void)fill_segment(&stage, 0);
    ck_assert_int_eq(poll_some(follower, 3), WEIR_OK);
    stage_create_anew(&stage, &other, 1, 7);
    ck_assert_int_eq(poll_some(follower, 1), WEIR_OK);
    ck_assert_int_eq(poll(&stage, follower), WEIR_OK);
    expect_current(&stage, follower);
    end(&stage, follower);
}
END_TEST

/* What create leaves when it is killed before it told those who follow the old page. */
START_TEST(P8_followers_that_were_not_told_find_out_when_the_heartbeat_stands_still)
{
    struct stage stage;
    struct weir_follower *follower = begin(&stage);
    struct weir_control *control = map_control(&stage);

    stage_create_anew(&stage, &other, 1, 0);
    ck_assert_uint_eq(control->sequence, WEIR_SEQUENCE_SUPERSEDED);
    control->sequence = 1;
    unmap_control(control);
    ck_assert_int_eq(poll_later(follower, 0), WEIR_OK);
    ck_assert_int_eq(follower_ask(follower, "a", 1), WEIR_ALLOWED);
    ck_assert_int_eq(poll_later(follower, LEASE), WEIR_OK);
    expect_current(&stage, follower);
    end(&stage, follower);
}
END_TEST

/* Likewise of a follower that is behind: what it lacks is gone with the old creation. */
START_TEST(F8_a_follower_that_lagged_and_was_not_told_finds_the_new_directory)
{
    struct stage stage;
    struct weir_follower *follower = begin(&stage);
    struct weir_control *control = map_control(&stage);

    (void)fill_segment(&stage, 0);
    ck_assert_int_eq(publish_put(&stage, (struct recipe){"a", .version = 2}), WEIR_OK);
    ck_assert_int_eq(publish_compact(&stage), WEIR_OK);
    weir_publisher_heartbeat(stage.publisher);
    stage_create_anew(&stage, &other, 1, 0);
    control->sequence = control->snapshot;
    unmap_control(control);
    ck_assert_int_eq(poll_later(follower, 0), WEIR_OK);
    expect_current(&stage, follower);
    end(&stage, follower);
}
END_TEST

START_TEST(F8_a_directory_removed_is_kept_until_stale_and_one_made_in_its_place_is_found)
{
    struct stage stage;
    struct weir_follower *follower = begin(&stage);
    uint64_t heartbeat = weir_follower_status(follower).heartbeat;

    stage_end(&stage);
    shell(&stage, "rm -r \"$D\"");
    for (unsigned i = 0; i < 3; i++) {
        ck_assert_int_eq(poll_later(follower, i * LEASE), WEIR_OK);
        ck_assert_int_eq(follower_ask(follower, "a", 1), WEIR_ALLOWED);
        ck_assert_int_eq(follower_ask_at(follower, "a", 1, heartbeat + LEASE + 1), WEIR_STALE);
    }
    stage_create_anew(&stage, &other, 1, 0);
    ck_assert_int_eq(poll_later(follower, 4 * LEASE), WEIR_OK);
    expect_current(&stage, follower);
    end(&stage, follower);
}
END_TEST

/* A heartbeat came with the change that is damaged; the publisher is no more. */
START_TEST(F8_a_follower_of_a_damaged_directory_finds_the_one_that_takes_its_place)
{
    struct stage stage;
    struct weir_follower *follower = begin(&stage);
    char path[512];

    ck_assert_int_eq(publish_put(&stage, (struct recipe){"a", .version = 2}), WEIR_OK);
    (void)find_files(&stage, ".journal", path);
    for (uint64_t offset = 48; offset < 2048; offset += 512) {
        invert_bytes(path, 512, offset);
    }
    ck_assert_int_ne(poll(&stage, follower), WEIR_OK);
    stage_end(&stage);
    if (_i == 1) {
        shell(&stage, "rm -r \"$D\"");
    }
    stage_create_anew(&stage, &other, 1, 0);
    (void)poll_later(follower, LEASE);
    ck_assert_int_eq(poll_later(follower, 2 * LEASE), WEIR_OK);
    expect_current(&stage, follower);
    end(&stage, follower);
}
END_TEST

/* The moment between the old page being told and the old files being removed. */
START_TEST(F1_nobody_goes_back_to_the_snapshot_of_a_superseded_directory)
{
    struct stage stage;
    struct weir_follower *follower = begin(&stage);
    struct weir_control *control = map_control(&stage);

    ck_assert_int_eq(publish_compact(&stage), WEIR_OK);
    ck_assert_int_eq(publish_revoke(&stage, "a"), WEIR_OK);
    ck_assert_int_eq(poll(&stage, follower), WEIR_OK);
    ck_assert_int_eq(follower_ask(follower, "a", 1), WEIR_UNKNOWN_TOKEN);
    __atomic_store_n(&control->sequence, WEIR_SEQUENCE_SUPERSEDED, __ATOMIC_RELEASE);
    unmap_control(control);
    (void)weir_follower_adopt(follower, NULL);
    ck_assert_int_eq(follower_ask(follower, "a", 1), WEIR_UNKNOWN_TOKEN);
    ck_assert_uint_ge(sequence_of(follower), 2);
    (void)poll_later(follower, LEASE);
    ck_assert_int_eq(follower_ask(follower, "a", 1), WEIR_UNKNOWN_TOKEN);
    end(&stage, follower);
}
END_TEST

/* With changes in both, or in neither. */
START_TEST(P8_no_follower_mixes_two_creations_of_one_number)
{
    struct stage stage;
    struct weir_follower *follower = begin(&stage);
    char old[512];
    char path[512];

    if (_i == 1) {
        stage_create_anew(&stage, NULL, 0, 0);
    }
    (void)find_files(&stage, ".journal", old);
    shell(&stage, "cp -a \"$D\" \"$F/copy\"");
    stage_create_anew(&stage, NULL, 0, 0);
    if (_i == 0) {
        ck_assert_int_eq(publish_issue(&stage, other), WEIR_OK);
        ck_assert_int_eq(poll(&stage, follower), WEIR_OK);
        ck_assert_int_eq(publish_issue(&stage, (struct recipe){"c", .version = 3}), WEIR_OK);
    }
    /* The old creation's segment under the new one's name, header and all. */
    (void)find_files(&stage, ".journal", path);
    ck_assert_str_ne(path, old);
    shell(&stage, "cp \"$F\"/copy/*1.journal \"$F/old\" && chmod 644 \"$F/old\" && "
                  "mv \"$F/old\" \"$D\"/*1.journal");
    weir_follower_close(follower);
    ck_assert_int_eq(try_follow(&stage, &follower), WEIR_ERROR_DAMAGED);
    end(&stage, NULL);
}
END_TEST

START_TEST(P8_creating_keeps_to_its_options)
{
    struct stage stage;
    struct weir_publisher *publisher = NULL;
    const struct weir_publisher_options wrong[] = {
        {.lease = WEIR_LEASE_MIN - 1},
        {.lease = WEIR_LEASE_MAX + 1},
        {.segment_size = 65535},
        {.segment_size = (UINT64_C(1) << 32) + 1},
    };

    stage_make(&stage);
    for (unsigned i = 0; i < COUNT(wrong); i++) {
        ck_assert_int_eq(weir_publisher_create(stage.path, NULL, &wrong[i], &publisher, NULL),
                         WEIR_ERROR_ARGUMENT);
        ck_assert_int_ne(access(stage.path, F_OK), 0);
    }
    ck_assert_int_eq(weir_publisher_resume(stage.path, NULL, &publisher, NULL),
                     WEIR_ERROR_NOT_FOUND);
    ck_assert_int_eq(try_follow(&stage, &(struct weir_follower *){NULL}), WEIR_ERROR_NOT_FOUND);
    shell(&stage, "mkdir \"$D\"");
    ck_assert_int_eq(weir_publisher_resume(stage.path, NULL, &publisher, NULL),
                     WEIR_ERROR_NOT_FOUND);
    ck_assert_int_eq(try_follow(&stage, &(struct weir_follower *){NULL}), WEIR_ERROR_NOT_FOUND);
    stage_remove(&stage);
}
END_TEST

/* The last number says that the directory was superseded: no change may ever come to it. */
START_TEST(P8_an_image_whose_number_leaves_none_for_a_change_is_not_published)
{
    struct stage stage;
    struct weir_publisher *publisher = NULL;
    struct weir_error error = {0};

    stage_make(&stage);
    for (uint64_t sequence = UINT64_MAX - 1; sequence != 0; sequence++) {
        struct weir_image *image = compile_recipes(&other, 1, sequence);

        ck_assert_int_eq(
            weir_publisher_create(stage.path, image, &stage.options, &publisher, &error),
            WEIR_ERROR_ARGUMENT);
        expect_error(&error, WEIR_ERROR_ARGUMENT);
        ck_assert_uint_eq(find_files(&stage, ".image", NULL), 0);
        weir_image_close(image);
    }
    stage_remove(&stage);
}
END_TEST

START_TEST(P8_when_no_number_is_left_no_change_is_made_and_followers_keep_what_they_have)
{
    struct stage stage;
    struct weir_follower *follower = begin(&stage);

    stage_create_anew(&stage, &other, 1, UINT64_MAX - 2);
    ck_assert_int_eq(publish_put(&stage, (struct recipe){"c", .version = 1}), WEIR_OK);
    ck_assert_uint_eq(weir_publisher_sequence(stage.publisher), UINT64_MAX - 1);
    ck_assert_int_eq(publish_put(&stage, (struct recipe){"c", .version = 2}), WEIR_ERROR_LIMIT);
    ck_assert_uint_eq(weir_publisher_sequence(stage.publisher), UINT64_MAX - 1);
    ck_assert_int_eq(poll_later(follower, 0), WEIR_OK);
    expect_current(&stage, follower);
    end(&stage, follower);
}
END_TEST

TCase *creation_cases(void)
{
    TCase *cases = tcase_create("creations");

    tcase_add_loop_test(
        cases, P8_a_directory_created_anew_takes_its_followers_with_it_at_the_next_poll, 0, 3);
    tcase_add_test(cases, P8_a_directory_created_anew_while_a_follower_was_behind_takes_it_with_it);
    tcase_add_test(cases, P8_followers_that_were_not_told_find_out_when_the_heartbeat_stands_still);
    tcase_add_test(cases, F8_a_follower_that_lagged_and_was_not_told_finds_the_new_directory);
    tcase_add_test(cases,
                   F8_a_directory_removed_is_kept_until_stale_and_one_made_in_its_place_is_found);
    tcase_add_loop_test(
        cases, F8_a_follower_of_a_damaged_directory_finds_the_one_that_takes_its_place, 0, 2);
    tcase_add_test(cases, F1_nobody_goes_back_to_the_snapshot_of_a_superseded_directory);
    tcase_add_loop_test(cases, P8_no_follower_mixes_two_creations_of_one_number, 0, 2);
    tcase_add_test(cases, P8_creating_keeps_to_its_options);
    tcase_add_test(cases, P8_an_image_whose_number_leaves_none_for_a_change_is_not_published);
    tcase_add_test(cases,
                   P8_when_no_number_is_left_no_change_is_made_and_followers_keep_what_they_have);
    return cases;
}
