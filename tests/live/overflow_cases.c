/* Changing tokens of an image whose ids were chosen to collide: in slots, in the overflow, beside
 * both. */
#include <stdlib.h>

#include "library/support.h"
#include "live/guarantee_cases.h"
#include "live/hostile.h"
#include "live/recipes.h"

enum { IN_IMAGE = 56 };

/* How many of the tokens are in slots: all that fit, some, none. */
static const size_t slots_of[] = {HOSTILE_SLOTS, 15, 0};

/* What is replaced or revoked is released at once, so that whatever still led to it would show. */
static const struct weir_engine_options releasing = {.retired_max = 1};

struct crowd {
    struct hostile hostile;
    struct weir_engine *engine;
    unsigned versions[HOSTILE_IDS]; /* what each id should allow now; 0: it has no token */
};

static void crowd_make(struct crowd *crowd, size_t slots)
{
    hostile_make(&crowd->hostile, IN_IMAGE, slots);
    crowd->engine = engine_on(crowd->hostile.image, &releasing);
    for (size_t i = 0; i < HOSTILE_IDS; i++) {
        crowd->versions[i] = i < IN_IMAGE;
    }
}

/* Twelve ids of two homes, of which no key has gone by a bucket: a look-up ends at home. */
static void crowd_make_of_two_homes(struct crowd *crowd)
{
    enum { COUNT_OF_BOTH = 12 };

    hostile_make_of_two_homes(&crowd->hostile, COUNT_OF_BOTH);
    crowd->engine = engine_on(crowd->hostile.image, &releasing);
    for (size_t i = 0; i < HOSTILE_IDS; i++) {
        crowd->versions[i] = i < COUNT_OF_BOTH;
    }
}

static void crowd_free(struct crowd *crowd)
{
    weir_engine_close(crowd->engine);
    hostile_free(&crowd->hostile);
}

static void crowd_put(struct crowd *crowd, size_t i, unsigned version)
{
    const struct recipe recipe = {crowd->hostile.ids[i], .version = version,
                                  .credential = version % 2 == 0 ? 0 : (unsigned)i + 1};

    ck_assert_int_eq(crowd->versions[i] == 0 ? issue_token(crowd->engine, recipe)
                                             : replace_token(crowd->engine, recipe),
                     WEIR_OK);
    crowd->versions[i] = version;
}

static void crowd_revoke(struct crowd *crowd, size_t i)
{
    ck_assert_int_eq(revoke_token(crowd->engine, crowd->hostile.ids[i]),
                     crowd->versions[i] == 0 ? WEIR_ERROR_NOT_FOUND : WEIR_OK);
    crowd->versions[i] = 0;
}

static void crowd_expect(const struct crowd *crowd)
{
    uint64_t count = 0;

    for (size_t i = 0; i < HOSTILE_IDS; i++) {
        unsigned version = crowd->versions[i];
        bool has_credential = version > 1 && version % 2 == 1;

        count += version != 0;
        ck_assert_int_eq(ask(crowd->engine, crowd->hostile.ids[i], version),
                         version != 0 ? WEIR_ALLOWED : WEIR_UNKNOWN_TOKEN);
        ck_assert_int_eq(ask_by_credential(crowd->engine, (unsigned)i + 1, version),
                         has_credential ? WEIR_ALLOWED : WEIR_UNKNOWN_TOKEN);
    }
    ck_assert_uint_eq(weir_engine_usage(crowd->engine).tokens, count);
}

START_TEST(E4_ids_that_all_collide_are_each_found_and_no_other)
{
    struct crowd crowd;

    crowd_make(&crowd, slots_of[_i]);
    crowd_expect(&crowd);
    crowd_free(&crowd);
}
END_TEST

START_TEST(each_of_the_colliding_tokens_is_replaced_revoked_and_issued_again)
{
    struct crowd crowd;

    crowd_make(&crowd, slots_of[_i]);
    for (size_t i = 0; i < HOSTILE_IDS; i++) {
        crowd_put(&crowd, i, 2);
        crowd_put(&crowd, i, 3);
        crowd_revoke(&crowd, i);
        crowd_revoke(&crowd, i);
        crowd_put(&crowd, i, 4);
        crowd_put(&crowd, i, 5);
        if (i % 3 == 0) {
            crowd_revoke(&crowd, i);
        }
        crowd_expect(&crowd);
    }
    crowd_free(&crowd);
}
END_TEST

/* Revoked tokens leave room that others take, so that ids come to lie where others were: in slots,
 * while their own entry is in the overflow, or in the second index, while a slot is free. */
START_TEST(colliding_ids_that_change_places_stay_apart)
{
    struct crowd crowd;
    struct random random = {(uint64_t)_i + 1};

    crowd_make(&crowd, slots_of[_i]);
    for (unsigned step = 0; step < 600; step++) {
        size_t i = random_below(&random, HOSTILE_IDS);

        if (random_below(&random, 100) < 50) {
            crowd_revoke(&crowd, i);
        } else {
            crowd_put(&crowd, i, 2 + step % 6);
        }
        if (step % 8 == 0) {
            crowd_expect(&crowd);
        }
    }
    crowd_expect(&crowd);
    crowd_free(&crowd);
}
END_TEST

START_TEST(resolved_tokens_of_colliding_ids_follow_them)
{
    struct crowd crowd;
    struct weir_resolved resolved[HOSTILE_IDS];
    struct random random = {(uint64_t)_i + 9};

    crowd_make(&crowd, slots_of[_i]);
    for (size_t i = 0; i < HOSTILE_IDS; i++) {
        resolved[i] = resolve(crowd.engine, crowd.hostile.ids[i]);
    }
    for (unsigned step = 0; step < 300; step++) {
        size_t i = random_below(&random, HOSTILE_IDS);

        if (random_below(&random, 100) < 50) {
            crowd_revoke(&crowd, i);
        } else {
            crowd_put(&crowd, i, 2 + step % 6);
        }
        for (size_t j = 0; j < HOSTILE_IDS; j++) {
            ck_assert_int_eq(ask_resolved(crowd.engine, &resolved[j], crowd.versions[j]),
                             crowd.versions[j] != 0 ? WEIR_ALLOWED : WEIR_UNKNOWN_TOKEN);
        }
    }
    crowd_free(&crowd);
}
END_TEST

START_TEST(what_is_left_of_colliding_tokens_is_compacted_and_let_go)
{
    struct counting_allocator counting;
    struct weir_engine_options options = releasing;
    struct crowd crowd;
    struct weir_image *image = NULL;

    counting_allocator_start(&counting);
    options.allocator = &counting.allocator;
    crowd_make(&crowd, slots_of[_i]);
    weir_engine_close(crowd.engine);
    crowd.engine = engine_on(crowd.hostile.image, &options);
    for (size_t i = 0; i < HOSTILE_IDS; i += 2) {
        crowd_revoke(&crowd, i);
        crowd_put(&crowd, (i + 1) % HOSTILE_IDS, 3);
    }
    ck_assert_int_eq(weir_engine_compact(crowd.engine, NOW, 0, NULL, &image, NULL), WEIR_OK);
    ck_assert_uint_eq(weir_image_token_count(image), weir_engine_usage(crowd.engine).tokens);
    ck_assert_int_eq(swap_image(crowd.engine, image), WEIR_OK);
    crowd_expect(&crowd);
    ck_assert_uint_eq(weir_engine_usage(crowd.engine).own_tokens, 0);
    crowd_free(&crowd);
    weir_image_close(image);
    counting_allocator_expect_balance(&counting);
}
END_TEST

/* A slot that is free in the next bucket is none for an id whose look-up does not come that far. */
START_TEST(an_id_is_put_only_where_looking_for_it_leads)
{
    struct crowd crowd;

    crowd_make_of_two_homes(&crowd);
    crowd_expect(&crowd);
    for (unsigned home = 0; home < 2; home++) {
        for (size_t i = 0; i < HOSTILE_IDS; i++) {
            if (hostile_home(crowd.hostile.ids[i]) == home) {
                crowd_revoke(&crowd, i);
            }
        }
        crowd_expect(&crowd);
        for (size_t i = 0; i < HOSTILE_IDS; i++) {
            if (hostile_home(crowd.hostile.ids[i]) != home && crowd.versions[i] == 0) {
                crowd_put(&crowd, i, 3);
            }
        }
        crowd_expect(&crowd);
    }
    crowd_free(&crowd);
}
END_TEST

TCase *overflow_cases(void)
{
    TCase *cases = tcase_create("overflow");
    const int kinds = COUNT(slots_of);

    tcase_add_loop_test(cases, E4_ids_that_all_collide_are_each_found_and_no_other, 0, kinds);
    tcase_add_loop_test(cases, each_of_the_colliding_tokens_is_replaced_revoked_and_issued_again, 0,
                        kinds);
    tcase_add_loop_test(cases, colliding_ids_that_change_places_stay_apart, 0, kinds);
    tcase_add_loop_test(cases, resolved_tokens_of_colliding_ids_follow_them, 0, kinds);
    tcase_add_test(cases, an_id_is_put_only_where_looking_for_it_leads);
    tcase_add_loop_test(cases, what_is_left_of_colliding_tokens_is_compacted_and_let_go, 0, kinds);
    return cases;
}
