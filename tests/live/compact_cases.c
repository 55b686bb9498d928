/* E10: the image that is made of an engine. */
#include <stdlib.h>
#include <string.h>

#include "library/support.h"
#include "live/guarantee_cases.h"
#include "live/recipes.h"

static struct weir_image *compact(const struct weir_engine *engine, struct weir_instant now,
                                  uint64_t sequence)
{
    struct weir_image *image = NULL;

    ck_assert_int_eq(weir_engine_compact(engine, now, sequence, NULL, &image, NULL), WEIR_OK);
    return image;
}

/* Closes both. */
static void expect_same_bytes(struct weir_image *left, struct weir_image *right)
{
    size_t left_size = 0;
    size_t right_size = 0;
    const void *left_bytes = weir_image_bytes(left, &left_size);
    const void *right_bytes = weir_image_bytes(right, &right_size);

    ck_assert_uint_eq(left_size, right_size);
    ck_assert_int_eq(memcmp(left_bytes, right_bytes, left_size), 0);
    weir_image_close(left);
    weir_image_close(right);
}

/* Compacting an engine that holds these tokens, all of them its own. */
static void expect_compacted(struct weir_instant now, const struct recipe *held, size_t held_count,
                             const struct recipe *kept, size_t kept_count)
{
    struct weir_engine *engine = engine_on(NULL, NULL);

    for (size_t i = 0; i < held_count; i++) {
        ck_assert_int_eq(issue_token(engine, held[i]), WEIR_OK);
    }
    expect_same_bytes(compact(engine, now, 5), compile_recipes(kept, kept_count, 5));
    ck_assert_uint_eq(weir_engine_usage(engine).tokens, held_count);
    weir_engine_close(engine);
}

START_TEST(E10_a_compacted_image_has_the_bytes_that_compiling_the_tokens_makes)
{
    const struct recipe before[] = {{"a", .version = 1, .issue_number = 1, .credential = 1},
                                    {"b", .version = 1, .issue_number = 2, .credential = 2},
                                    {"c", .version = 1, .issue_number = 3},
                                    {"g", .version = 7, .issue_number = 0}};
    const struct recipe after[] = {{"a", .version = 2, .issue_number = 4},
                                   {"c", .version = 3, .issue_number = 9, .credential = 2},
                                   {"d", .version = 4, .issue_number = 6, .credential = 1},
                                   {"g", .version = 7, .issue_number = 0}};
    struct weir_image *image = compile_recipes(before, COUNT(before), 1);
    struct weir_engine *engine = engine_on(image, NULL);

    expect_same_bytes(compact(engine, NOW, 1), compile_recipes(before, COUNT(before), 1));
    ck_assert_int_eq(revoke_token(engine, "b"), WEIR_OK);
    ck_assert_int_eq(replace_token(engine, after[0]), WEIR_OK);
    ck_assert_int_eq(revoke_token(engine, "c"), WEIR_OK);
    ck_assert_int_eq(issue_token(engine, after[1]), WEIR_OK);
    ck_assert_int_eq(issue_token(engine, after[2]), WEIR_OK);
    ck_assert_int_eq(issue_token(engine, (struct recipe){"h", .version = 1}), WEIR_OK);
    ck_assert_int_eq(revoke_token(engine, "h"), WEIR_OK);
    expect_same_bytes(compact(engine, NOW, 77), compile_recipes(after, COUNT(after), 77));
    weir_engine_close(engine);
    weir_image_close(image);
}
END_TEST

START_TEST(E10_an_engine_of_nothing_makes_the_image_of_nothing)
{
    expect_compacted(NOW, NULL, 0, NULL, 0);
}
END_TEST

START_TEST(E10_tokens_that_expired_more_than_an_hour_ago_are_left_out)
{
    const struct recipe held[] = {
        {"a", .version = 1, .expires_at = NOW_SECONDS - 3599},
        {"b", .version = 1, .expires_at = NOW_SECONDS - 3600},
        {"c", .version = 1, .expires_at = NOW_SECONDS + 1},
        {"d", .version = 1},
        {"e", .version = 1, .expires_at = NOW_SECONDS - 3601},
        {"f", .version = 1, .expires_at = 1},
    };

    expect_compacted(NOW, held, COUNT(held), held, 4);
    /* A nanosecond later it is more than an hour, of the second as well. */
    {
        const struct recipe kept[] = {held[0], held[2], held[3]};

        expect_compacted((struct weir_instant){NOW_SECONDS, 1}, held, COUNT(held), kept,
                         COUNT(kept));
    }
}
END_TEST

START_TEST(E10_at_either_end_of_time_compacting_keeps_what_has_not_expired_for_an_hour)
{
    const struct recipe held[] = {
        {"a", .version = 1, .expires_at = WEIR_INSTANT_SECONDS_MAX},
        {"b", .version = 1},
        {"c", .version = 1, .expires_at = WEIR_INSTANT_SECONDS_MIN + 5},
        {"d", .version = 1, .expires_at = WEIR_INSTANT_SECONDS_MIN},
    };

    expect_compacted((struct weir_instant){INT64_MIN, 0}, held, COUNT(held), held, COUNT(held));
    expect_compacted((struct weir_instant){WEIR_INSTANT_SECONDS_MIN, 0}, held, COUNT(held), held,
                     COUNT(held));
    expect_compacted((struct weir_instant){WEIR_INSTANT_SECONDS_MIN + 3600, 0}, held, COUNT(held),
                     held, COUNT(held));
    expect_compacted((struct weir_instant){WEIR_INSTANT_SECONDS_MIN + 3600, 1}, held, COUNT(held),
                     held, 3);
    expect_compacted((struct weir_instant){WEIR_INSTANT_SECONDS_MIN + 3605, 0}, held, COUNT(held),
                     held, 3);
    expect_compacted((struct weir_instant){WEIR_INSTANT_SECONDS_MIN + 3606, 0}, held, COUNT(held),
                     held, 2);
    expect_compacted((struct weir_instant){INT64_MAX, 999999999}, held, COUNT(held), held + 1, 1);
}
END_TEST

START_TEST(E10_an_engine_goes_on_from_the_image_that_was_made_of_it)
{
    struct weir_engine *engine = engine_on(NULL, NULL);
    struct weir_image *image = NULL;
    struct state before;
    struct state after;

    for (unsigned i = 0; i < STATE_SIZE; i++) {
        const char id[] = {(char)('a' + (int)i), '\0'};
        struct weir_image *compacted = NULL;

        ck_assert_int_eq(issue_token(engine, (struct recipe){id, .version = i, .credential = i}),
                         WEIR_OK);
        before = state_of(engine);
        compacted = compact(engine, NOW, i);
        ck_assert_uint_eq(weir_image_sequence(compacted), i);
        ck_assert_int_eq(swap_image(engine, compacted), WEIR_OK);
        weir_image_close(image);
        image = compacted;
        after = state_of(engine);
        ck_assert_uint_eq(after.own_tokens, 0);
        after.own_tokens = before.own_tokens;
        ck_assert(states_equal(&before, &after));
    }
    weir_engine_close(engine);
    weir_image_close(image);
}
END_TEST

TCase *compact_cases(void)
{
    TCase *cases = tcase_create("compacting");

    tcase_add_test(cases, E10_a_compacted_image_has_the_bytes_that_compiling_the_tokens_makes);
    tcase_add_test(cases, E10_an_engine_of_nothing_makes_the_image_of_nothing);
    tcase_add_test(cases, E10_tokens_that_expired_more_than_an_hour_ago_are_left_out);
    tcase_add_test(cases,
                   E10_at_either_end_of_time_compacting_keeps_what_has_not_expired_for_an_hour);
    tcase_add_test(cases, E10_an_engine_goes_on_from_the_image_that_was_made_of_it);
    return cases;
}
