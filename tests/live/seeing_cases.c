/* E1, E2, E3: what checks see of changes. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "library/support.h"
#include "live/guarantee_cases.h"
#include "live/recipes.h"

static const struct recipe image_recipes[] = {
    {"a", .version = 1, .issue_number = 1, .credential = 1},
    {"b", .version = 1, .issue_number = 2, .credential = 2},
    {"c", .version = 1, .issue_number = 3},
};

/*
 * ---- E1 ----
 */

START_TEST(E1_each_kind_of_change_is_seen_by_the_check_after_it)
{
    struct weir_image *image = compile_recipes(image_recipes, COUNT(image_recipes), 0);
    struct weir_engine *engine = engine_on(image, NULL);

    ck_assert_int_eq(issue_token(engine, (struct recipe){"d", .version = 1, .credential = 4}),
                     WEIR_OK);
    ck_assert_int_eq(ask(engine, "d", 1), WEIR_ALLOWED);
    ck_assert_int_eq(ask_by_credential(engine, 4, 1), WEIR_ALLOWED);
    ck_assert_int_eq(replace_token(engine, (struct recipe){"d", .version = 2, .credential = 5}),
                     WEIR_OK);
    ck_assert_int_eq(ask(engine, "d", 1), WEIR_STREAM_OUT_OF_SCOPE);
    ck_assert_int_eq(ask(engine, "d", 2), WEIR_ALLOWED);
    ck_assert_int_eq(ask_by_credential(engine, 4, 2), WEIR_UNKNOWN_TOKEN);
    ck_assert_int_eq(ask_by_credential(engine, 5, 2), WEIR_ALLOWED);
    ck_assert_int_eq(replace_token(engine, (struct recipe){"a", .version = 2, .credential = 1}),
                     WEIR_OK);
    ck_assert_int_eq(ask(engine, "a", 2), WEIR_ALLOWED);
    ck_assert_int_eq(ask_by_credential(engine, 1, 2), WEIR_ALLOWED);
    ck_assert_int_eq(put_token(engine, (struct recipe){"a", .version = 3}), WEIR_OK);
    ck_assert_int_eq(ask(engine, "a", 3), WEIR_ALLOWED);
    ck_assert_int_eq(ask_by_credential(engine, 1, 3), WEIR_UNKNOWN_TOKEN);
    ck_assert_int_eq(put_token(engine, (struct recipe){"e", .version = 3}), WEIR_OK);
    ck_assert_int_eq(ask(engine, "e", 3), WEIR_ALLOWED);
    ck_assert_int_eq(revoke_token(engine, "b"), WEIR_OK);
    ck_assert_int_eq(ask(engine, "b", 1), WEIR_UNKNOWN_TOKEN);
    ck_assert_int_eq(ask_by_credential(engine, 2, 1), WEIR_UNKNOWN_TOKEN);
    ck_assert_int_eq(ask(engine, "c", 1), WEIR_ALLOWED);
    weir_engine_close(engine);
    weir_image_close(image);
}
END_TEST

START_TEST(E1_a_swap_is_seen_whole_by_the_check_after_it)
{
    const struct recipe others[] = {{"b", .version = 4, .credential = 1}, {"f", .version = 4}};
    struct weir_image *image = compile_recipes(image_recipes, COUNT(image_recipes), 0);
    struct weir_image *other = compile_recipes(others, COUNT(others), 0);
    struct weir_engine *engine = engine_on(image, NULL);

    ck_assert_int_eq(issue_token(engine, (struct recipe){"d", .version = 1, .credential = 4}),
                     WEIR_OK);
    ck_assert_int_eq(swap_image(engine, other), WEIR_OK);
    weir_image_close(image);
    ck_assert_int_eq(ask(engine, "a", 1), WEIR_UNKNOWN_TOKEN);
    ck_assert_int_eq(ask(engine, "b", 4), WEIR_ALLOWED);
    ck_assert_int_eq(ask(engine, "d", 1), WEIR_UNKNOWN_TOKEN);
    ck_assert_int_eq(ask(engine, "f", 4), WEIR_ALLOWED);
    ck_assert_int_eq(ask_by_credential(engine, 1, 4), WEIR_ALLOWED);
    ck_assert_int_eq(ask_by_credential(engine, 4, 1), WEIR_UNKNOWN_TOKEN);
    ck_assert_uint_eq(weir_engine_usage(engine).tokens, 2);
    ck_assert_uint_eq(weir_engine_usage(engine).own_tokens, 0);
    ck_assert_int_eq(swap_image(engine, NULL), WEIR_OK);
    weir_image_close(other);
    ck_assert_int_eq(ask(engine, "b", 4), WEIR_UNKNOWN_TOKEN);
    ck_assert_uint_eq(weir_engine_usage(engine).tokens, 0);
    weir_engine_close(engine);
}
END_TEST

/* Hands a number to another thread and awaits the answer. What is handed over orders nothing
 * (relaxed): that the other thread sees the change is the engine's doing. */
struct relay {
    const struct weir_engine *engine;
    unsigned turn;   /* odd: the other thread's */
    unsigned answer; /* the version that it was allowed to read, or 0 */
};

enum { ROUNDS = 400, VERSIONS = 3 };

static unsigned version_seen(const struct weir_engine *engine)
{
    for (unsigned version = 1; version <= VERSIONS; version++) {
        if (ask(engine, "a", version) == WEIR_ALLOWED) {
            return version;
        }
    }
    return 0;
}

static void await_turn(const struct relay *relay, unsigned turn)
{
    while (__atomic_load_n(&relay->turn, __ATOMIC_RELAXED) != turn) {
        sched_yield();
    }
}

static void *answer_turns(void *context)
{
    struct relay *relay = context;

    for (unsigned round = 0; round < ROUNDS; round++) {
        await_turn(relay, 2 * round + 1);
        __atomic_store_n(&relay->answer, version_seen(relay->engine), __ATOMIC_RELAXED);
        __atomic_store_n(&relay->turn, 2 * round + 2, __ATOMIC_RELEASE);
    }
    return NULL;
}

START_TEST(E1_another_thread_that_is_told_of_a_change_sees_it)
{
    struct weir_engine *engine = engine_on(NULL, NULL);
    struct relay relay = {.engine = engine};
    pthread_t thread;

    ck_assert_int_eq(pthread_create(&thread, NULL, answer_turns, &relay), 0);
    for (unsigned round = 0; round < ROUNDS; round++) {
        unsigned version = round % (VERSIONS + 1);

        if (version == 0) {
            ck_assert_int_eq(revoke_token(engine, "a"),
                             round == 0 ? WEIR_ERROR_NOT_FOUND : WEIR_OK);
        } else {
            ck_assert_int_eq(put_token(engine, (struct recipe){"a", .version = version}), WEIR_OK);
        }
        __atomic_store_n(&relay.turn, 2 * round + 1, __ATOMIC_RELAXED);
        await_turn(&relay, 2 * round + 2);
        ck_assert_uint_eq(__atomic_load_n(&relay.answer, __ATOMIC_RELAXED), version);
    }
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    weir_engine_close(engine);
}
END_TEST

/*
 * ---- E2 ----
 */

START_TEST(E2_a_revoked_token_is_unknown_until_its_id_is_issued_again)
{
    struct weir_image *image = compile_recipes(image_recipes, COUNT(image_recipes), 0);
    struct weir_engine *engine = engine_on(image, NULL);

    ck_assert_int_eq(issue_token(engine, (struct recipe){"d", .version = 1, .credential = 4}),
                     WEIR_OK);
    for (unsigned round = 2; round < 20; round++) {
        for (unsigned i = 0; i < 4; i++) {
            const char id[] = {(char)('a' + (int)i), '\0'};

            ck_assert_int_eq(revoke_token(engine, id), WEIR_OK);
            ck_assert_int_eq(ask(engine, id, round - 1), WEIR_UNKNOWN_TOKEN);
            ck_assert_int_eq(ask_by_credential(engine, i + 1, round - 1), WEIR_UNKNOWN_TOKEN);
            ck_assert_int_eq(revoke_token(engine, id), WEIR_ERROR_NOT_FOUND);
            ck_assert_int_eq(
                issue_token(engine, (struct recipe){id, .version = round, .credential = i + 1}),
                WEIR_OK);
            ck_assert_int_eq(ask(engine, id, round), WEIR_ALLOWED);
            ck_assert_int_eq(ask(engine, id, round - 1), WEIR_STREAM_OUT_OF_SCOPE);
            ck_assert_int_eq(ask_by_credential(engine, i + 1, round), WEIR_ALLOWED);
        }
    }
    weir_engine_close(engine);
    weir_image_close(image);
}
END_TEST

/*
 * ---- E3 ----
 */

START_TEST(E3_a_credential_that_moves_to_another_id_is_of_that_id_alone)
{
    struct weir_image *image = compile_recipes(image_recipes, COUNT(image_recipes), 0);
    struct weir_engine *engine = engine_on(image, NULL);

    for (unsigned round = 0; round < 8; round++) {
        const char *from = round % 2 == 0 ? "a" : "e";
        const char *to = round % 2 == 0 ? "e" : "a";

        ck_assert_int_eq(put_token(engine, (struct recipe){from, .version = 1}), WEIR_OK);
        ck_assert_int_eq(ask_by_credential(engine, 1, 1), WEIR_UNKNOWN_TOKEN);
        ck_assert_int_eq(put_token(engine, (struct recipe){to, .version = 2, .credential = 1}),
                         WEIR_OK);
        ck_assert_int_eq(ask_by_credential(engine, 1, 2), WEIR_ALLOWED);
        ck_assert_int_eq(ask_by_credential(engine, 1, 1), WEIR_STREAM_OUT_OF_SCOPE);
        ck_assert_int_eq(ask(engine, from, 1), WEIR_ALLOWED);
        ck_assert_int_eq(ask(engine, to, 2), WEIR_ALLOWED);
    }
    weir_engine_close(engine);
    weir_image_close(image);
}
END_TEST

START_TEST(E3_by_id_and_by_credential_the_same_issue_is_found)
{
    struct weir_image *image = compile_recipes(image_recipes, COUNT(image_recipes), 0);
    struct weir_engine *engine = engine_on(image, NULL);
    uint8_t digest[WEIR_DIGEST_SIZE];

    digest_of(1, digest);
    for (uint64_t number = 10; number < 20; number++) {
        ck_assert_int_eq(
            put_token(engine, (struct recipe){"a", .version = 1, .issue_number = number,
                                              .credential = number % 3 == 0 ? 0 : 1}),
            WEIR_OK);
        weir_read_begin();
        ck_assert_ptr_eq(weir_engine_find_by_digest(engine, digest),
                         number % 3 == 0 ? NULL : weir_engine_find(engine, text_of("a")));
        ck_assert_uint_eq(weir_compiled_token_issue_number(weir_engine_find(engine, text_of("a"))),
                          number);
        weir_read_end();
    }
    weir_engine_close(engine);
    weir_image_close(image);
}
END_TEST

/* A reader that looks while the writer is between two of its steps. */
struct looking {
    struct counting_allocator counting;
    const struct weir_engine *engine;
    unsigned old_version;
    size_t looks;
};

static void *look_and_allocate(void *context, size_t size)
{
    struct looking *looking = context;
    const struct weir_allocator *behind = &looking->counting.allocator;

    if (looking->old_version != 0) {
        ck_assert_int_eq(ask(looking->engine, "z", looking->old_version), WEIR_ALLOWED);
        ck_assert_int_eq(ask_by_credential(looking->engine, 9, looking->old_version), WEIR_ALLOWED);
        looking->looks++;
    }
    return behind->allocate(behind->context, size);
}

static void give_back(void *context, void *memory, size_t size)
{
    struct looking *looking = context;
    const struct weir_allocator *behind = &looking->counting.allocator;

    behind->release(behind->context, memory, size);
}

/* Among so many others that the second index grows in between. */
START_TEST(E3_until_a_change_is_made_checks_see_what_was_before)
{
    struct looking looking = {0};
    struct weir_allocator allocator = {look_and_allocate, NULL, give_back, &looking};
    const struct weir_engine_options options = {.allocator = &allocator, .retired_max = 1};
    struct weir_engine *engine = NULL;

    counting_allocator_start(&looking.counting);
    engine = engine_on(NULL, &options);
    looking.engine = engine;
    for (unsigned version = 1; version < 200; version++) {
        char id[16];

        ck_assert_int_eq(
            put_token(engine, (struct recipe){"z", .version = version, .credential = 9}), WEIR_OK);
        looking.old_version = version;
        (void)snprintf(id, sizeof id, "other%u", version);
        ck_assert_int_eq(
            issue_token(engine, (struct recipe){id, .version = 1, .credential = 9 + version}),
            WEIR_OK);
    }
    ck_assert_uint_gt(looking.looks, 400);
    looking.old_version = 0;
    weir_engine_close(engine);
    counting_allocator_expect_balance(&looking.counting);
}
END_TEST

/* So many that the second index is nearly as full as it gets: some buckets are, and keys go by. */
enum { NEIGHBOURS = 1250 };

static void expect_neighbours(const struct weir_engine *engine, char (*ids)[16],
                              uint8_t (*digests)[WEIR_DIGEST_SIZE], unsigned first)
{
    for (unsigned i = first; i < NEIGHBOURS; i++) {
        const struct weir_compiled_token *token = NULL;

        weir_read_begin();
        token = weir_engine_find(engine, text_of(ids[i]));
        if (token == NULL || token != weir_engine_find_by_digest(engine, digests[i])) {
            weir_read_end();
            ck_abort_msg("%s is not found once %u others are gone", ids[i], first);
        }
        weir_read_end();
    }
}

START_TEST(E3_tokens_stay_to_be_found_when_their_neighbours_leave)
{
    static char ids[NEIGHBOURS][16];
    static uint8_t digests[NEIGHBOURS][WEIR_DIGEST_SIZE];
    struct weir_engine *engine = engine_on(NULL, NULL);

    for (unsigned i = 0; i < NEIGHBOURS; i++) {
        (void)snprintf(ids[i], sizeof ids[i], "near%u", i);
        digest_of(i + 1, digests[i]);
        ck_assert_int_eq(
            issue_token(engine, (struct recipe){ids[i], .version = 1, .credential = i + 1}),
            WEIR_OK);
    }
    for (unsigned i = 0; i < NEIGHBOURS; i++) {
        expect_neighbours(engine, ids, digests, i);
        ck_assert_int_eq(revoke_token(engine, ids[i]), WEIR_OK);
    }
    weir_engine_close(engine);
}
END_TEST

TCase *seeing_cases(void)
{
    TCase *cases = tcase_create("seeing");

    tcase_add_test(cases, E1_each_kind_of_change_is_seen_by_the_check_after_it);
    tcase_add_test(cases, E1_a_swap_is_seen_whole_by_the_check_after_it);
    tcase_add_test(cases, E1_another_thread_that_is_told_of_a_change_sees_it);
    tcase_add_test(cases, E2_a_revoked_token_is_unknown_until_its_id_is_issued_again);
    tcase_add_test(cases, E3_a_credential_that_moves_to_another_id_is_of_that_id_alone);
    tcase_add_test(cases, E3_by_id_and_by_credential_the_same_issue_is_found);
    tcase_add_test(cases, E3_until_a_change_is_made_checks_see_what_was_before);
    tcase_add_test(cases, E3_tokens_stay_to_be_found_when_their_neighbours_leave);
    return cases;
}
