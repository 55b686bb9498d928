/* E7: changes that fail, for want of memory or because they may not be, change nothing. */
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

/* An engine on an image, with a token of its own, whose allocator can be made to fail. */
struct setting {
    struct counting_allocator counting;
    struct weir_image *image;
    struct weir_image *other;
    struct weir_engine *engine;
};

static void setting_make(struct setting *setting, bool with_own)
{
    const struct recipe other = {"h", .version = 8, .credential = 8};
    struct weir_engine_options options = {.retired_max = 1};

    counting_allocator_start(&setting->counting);
    options.allocator = &setting->counting.allocator;
    setting->image = compile_recipes(image_recipes, COUNT(image_recipes), 0);
    setting->other = compile_recipes(&other, 1, 0);
    setting->engine = engine_on(setting->image, &options);
    if (with_own) {
        ck_assert_int_eq(
            issue_token(setting->engine, (struct recipe){"d", .version = 1, .credential = 4}),
            WEIR_OK);
    }
}

static void setting_free(struct setting *setting)
{
    setting->counting.fails_at = 0;
    weir_engine_close(setting->engine);
    weir_image_close(setting->image);
    weir_image_close(setting->other);
    counting_allocator_expect_balance(&setting->counting);
}

/*
 * ---- Want of memory ----
 */

typedef enum weir_status scenario(struct setting *setting);

static enum weir_status issue_another(struct setting *setting)
{
    return issue_token(setting->engine, (struct recipe){"e", .version = 2, .credential = 5});
}

static enum weir_status replace_of_image(struct setting *setting)
{
    return replace_token(setting->engine, (struct recipe){"a", .version = 2, .credential = 6});
}

static enum weir_status replace_without_credential(struct setting *setting)
{
    return replace_token(setting->engine, (struct recipe){"a", .version = 2});
}

static enum weir_status put_another(struct setting *setting)
{
    return put_token(setting->engine, (struct recipe){"f", .version = 2});
}

static enum weir_status swap_for_another(struct setting *setting)
{
    return swap_image(setting->engine, setting->other);
}

static enum weir_status swap_for_nothing(struct setting *setting)
{
    return swap_image(setting->engine, NULL);
}

/* The revocation may not fail, and what the issue needs may. */
static enum weir_status reissue(struct setting *setting)
{
    enum weir_status status = WEIR_OK;

    if (ask(setting->engine, "b", 1) == WEIR_ALLOWED) {
        ck_assert_int_eq(revoke_token(setting->engine, "b"), WEIR_OK);
    }
    status = issue_token(setting->engine, (struct recipe){"b", .version = 3, .credential = 7});
    if (status != WEIR_OK) {
        ck_assert_int_eq(ask(setting->engine, "b", 3), WEIR_UNKNOWN_TOKEN);
        ck_assert_int_eq(ask_by_credential(setting->engine, 7, 3), WEIR_UNKNOWN_TOKEN);
        /* As it was before: the token that the caller compares with. */
        setting->counting.fails_at = 0;
        ck_assert_int_eq(
            issue_token(setting->engine,
                        (struct recipe){"b", .version = 1, .issue_number = 2, .credential = 2}),
            WEIR_OK);
    }
    return status;
}

static scenario *const scenarios[] = {issue_another, replace_of_image, replace_without_credential,
                                      put_another,   swap_for_another, swap_for_nothing};

/* Lets the first allocation that the change makes fail, then the second, …, until none is left. */
static void fail_each_allocation(scenario *run, bool with_own, bool fails_ever_after)
{
    enum weir_status status = WEIR_ERROR_MEMORY;

    for (size_t fails = 1; status != WEIR_OK; fails++) {
        struct setting setting;
        struct state before;
        struct state after;

        setting_make(&setting, with_own);
        before = state_of(setting.engine);
        setting.counting.fails_at = setting.counting.calls + fails;
        setting.counting.fails_ever_after = fails_ever_after;
        status = run(&setting);
        setting.counting.fails_at = 0;
        after = state_of(setting.engine);
        if (status == WEIR_OK) {
            ck_assert_uint_gt(fails, 1);
            ck_assert(!states_equal(&before, &after));
        } else {
            ck_assert_int_eq(status, WEIR_ERROR_MEMORY);
            ck_assert_msg(states_equal(&before, &after), "allocation %zu", fails);
            ck_assert_int_eq(run(&setting), WEIR_OK);
        }
        setting_free(&setting);
    }
}

START_TEST(E7_a_change_without_one_of_its_allocations_has_changed_nothing)
{
    fail_each_allocation(scenarios[_i / 4], _i % 2 == 1, _i / 2 % 2 == 1);
}
END_TEST

START_TEST(E7_an_issue_that_fails_leaves_its_id_revoked)
{
    enum weir_status status = WEIR_ERROR_MEMORY;

    for (size_t fails = 1; status != WEIR_OK; fails++) {
        struct setting setting;

        setting_make(&setting, _i == 1);
        setting.counting.fails_at = setting.counting.calls + fails;
        status = reissue(&setting);
        ck_assert(status == WEIR_OK || status == WEIR_ERROR_MEMORY);
        setting_free(&setting);
    }
}
END_TEST

/* From none to many: every growth of the second index and of the handles is met. Each issue is
 * tried until it succeeds, with one allocation more each time. */
START_TEST(E7_issues_that_are_tried_again_until_they_succeed_lose_and_leak_nothing)
{
    enum { MANY = 1200 };
    struct setting setting;
    char id[16];

    setting_make(&setting, false);
    for (unsigned i = 0; i < MANY; i++) {
        enum weir_status status = WEIR_ERROR_MEMORY;

        (void)snprintf(id, sizeof id, "many%u", i);
        for (size_t fails = 1; status != WEIR_OK; fails++) {
            setting.counting.fails_at = setting.counting.calls + fails;
            status = issue_token(setting.engine,
                                 (struct recipe){id, .version = 1 + i % 7, .credential = 100 + i});
            ck_assert(status == WEIR_OK || status == WEIR_ERROR_MEMORY);
            ck_assert_uint_eq(weir_engine_usage(setting.engine).own_tokens,
                              i + (status == WEIR_OK));
            ck_assert_uint_lt(fails, 8);
        }
    }
    setting.counting.fails_at = 0;
    for (unsigned i = 0; i < MANY; i++) {
        (void)snprintf(id, sizeof id, "many%u", i);
        ck_assert_int_eq(ask(setting.engine, id, 1 + i % 7), WEIR_ALLOWED);
        ck_assert_int_eq(ask_by_credential(setting.engine, 100 + i, 1 + i % 7), WEIR_ALLOWED);
    }
    setting_free(&setting);
}
END_TEST

START_TEST(E7_revoking_takes_no_memory)
{
    struct setting setting;
    size_t calls = 0;

    setting_make(&setting, true);
    ck_assert_int_eq(replace_token(setting.engine, (struct recipe){"c", .version = 2}), WEIR_OK);
    calls = setting.counting.calls;
    setting.counting.fails_at = calls + 1;
    setting.counting.fails_ever_after = true;
    for (unsigned i = 0; i < 4; i++) {
        const char id[] = {(char)('a' + (int)i), '\0'};

        ck_assert_int_eq(revoke_token(setting.engine, id), WEIR_OK);
        ck_assert_uint_eq(weir_engine_usage(setting.engine).tokens, 3 - i);
        for (unsigned version = 1; version < 3; version++) {
            ck_assert_int_eq(ask(setting.engine, id, version), WEIR_UNKNOWN_TOKEN);
        }
    }
    ck_assert_int_eq(revoke_token(setting.engine, "a"), WEIR_ERROR_NOT_FOUND);
    ck_assert_int_eq(reclaim(setting.engine), WEIR_OK);
    ck_assert_uint_eq(setting.counting.calls, calls);
    setting_free(&setting);
}
END_TEST

/* Opening, and what makes something else of an engine. */
static enum weir_status open_and_close(const struct weir_image *image,
                                       const struct weir_allocator *allocator,
                                       struct weir_error *error)
{
    const struct weir_engine_options options = {.allocator = allocator};
    struct weir_engine *engine = NULL;
    enum weir_status status = weir_engine_open(image, &options, &engine, error);

    ck_assert_int_eq(engine != NULL, status == WEIR_OK);
    weir_engine_close(engine);
    return status;
}

static enum weir_status open_tokens_and_close(const struct weir_image *image,
                                              const struct weir_allocator *allocator,
                                              struct weir_error *error)
{
    const struct weir_engine_options options = {.allocator = allocator};
    const struct weir_compiled_token *tokens[COUNT(image_recipes)] = {
        weir_image_find(image, text_of("a")), weir_image_find(image, text_of("b")),
        weir_image_find(image, text_of("c"))};
    struct weir_engine *engine = NULL;
    enum weir_status status =
        weir_engine_open_tokens(tokens, COUNT(tokens), &options, &engine, error);

    if (status == WEIR_OK) {
        ck_assert_int_eq(ask(engine, "c", 1), WEIR_ALLOWED);
        ck_assert_int_eq(ask_by_credential(engine, 2, 1), WEIR_ALLOWED);
    }
    weir_engine_close(engine);
    return status;
}

static enum weir_status compact_twice(const struct weir_image *image,
                                      const struct weir_allocator *allocator,
                                      struct weir_error *error)
{
    struct weir_engine *engine = engine_on(image, NULL);
    struct weir_image *compacted = NULL;
    enum weir_status status = weir_engine_compact(engine, NOW, 7, allocator, &compacted, error);

    ck_assert_int_eq(compacted != NULL, status == WEIR_OK);
    weir_image_close(compacted);
    weir_engine_close(engine);
    return status;
}

static enum weir_status ask_who(const struct weir_image *image,
                                const struct weir_allocator *allocator, struct weir_error *error)
{
    const struct weir_request request = {
        .operation = WEIR_READ, .basin = WEIR_TEXT("some-basin"), .stream = FIRST_VERSION_STREAM};
    struct weir_engine *engine = engine_on(image, NULL);
    struct weir_tokens tokens = {NULL, 0};
    enum weir_status status = WEIR_OK;

    ck_assert_int_eq(issue_token(engine, (struct recipe){"aa", .version = 1}), WEIR_OK);
    ck_assert_int_eq(revoke_token(engine, "b"), WEIR_OK);
    weir_read_begin();
    status = weir_engine_who(engine, &request, NOW, allocator, &tokens, error);
    if (status == WEIR_OK) {
        ck_assert_uint_eq(tokens.count, 3);
        ck_assert_ptr_eq(tokens.tokens[0], weir_engine_find(engine, text_of("a")));
        ck_assert_ptr_eq(tokens.tokens[1], weir_engine_find(engine, text_of("aa")));
        ck_assert_ptr_eq(tokens.tokens[2], weir_engine_find(engine, text_of("c")));
        weir_tokens_free(&tokens, allocator);
    }
    weir_read_end();
    weir_engine_close(engine);
    return status;
}

typedef enum weir_status making(const struct weir_image *image,
                                const struct weir_allocator *allocator, struct weir_error *error);

static making *const makings[] = {open_and_close, open_tokens_and_close, compact_twice, ask_who};

START_TEST(E7_what_is_not_made_for_want_of_memory_leaves_nothing_behind)
{
    struct weir_image *image = compile_recipes(image_recipes, COUNT(image_recipes), 0);
    enum weir_status status = WEIR_ERROR_MEMORY;

    for (size_t fails = 1; status != WEIR_OK; fails++) {
        struct counting_allocator counting;
        struct weir_error error = {0};

        counting_allocator_start(&counting);
        counting.fails_at = fails;
        counting.fails_ever_after = _i % 2 == 1;
        status = makings[_i / 2](image, &counting.allocator, &error);
        if (status == WEIR_OK) {
            ck_assert_uint_gt(fails, 1);
        } else {
            ck_assert_int_eq(status, WEIR_ERROR_MEMORY);
            expect_error(&error, status);
        }
        counting_allocator_expect_balance(&counting);
    }
    weir_image_close(image);
}
END_TEST

/*
 * ---- What may not be ----
 */

START_TEST(E7_a_change_that_is_refused_has_changed_nothing)
{
    struct setting setting;
    struct state before;
    struct state after;

    setting_make(&setting, true);
    before = state_of(setting.engine);
    ck_assert_int_eq(issue_token(setting.engine, (struct recipe){"a", .version = 5}),
                     WEIR_ERROR_DUPLICATE);
    ck_assert_int_eq(issue_token(setting.engine, (struct recipe){"d", .version = 5}),
                     WEIR_ERROR_DUPLICATE);
    ck_assert_int_eq(replace_token(setting.engine, (struct recipe){"e", .version = 5}),
                     WEIR_ERROR_NOT_FOUND);
    ck_assert_int_eq(revoke_token(setting.engine, "e"), WEIR_ERROR_NOT_FOUND);
    ck_assert_int_eq(revoke_token(setting.engine, ""), WEIR_ERROR_NOT_FOUND);
    /* Credentials of others: of the image's token, and of the engine's own. */
    for (unsigned credential = 1; credential <= 4; credential += 3) {
        ck_assert_int_eq(issue_token(setting.engine,
                                     (struct recipe){"e", .version = 5, .credential = credential}),
                         WEIR_ERROR_DUPLICATE);
        ck_assert_int_eq(
            put_token(setting.engine, (struct recipe){"e", .version = 5, .credential = credential}),
            WEIR_ERROR_DUPLICATE);
        ck_assert_int_eq(replace_token(setting.engine, (struct recipe){"c", .version = 5,
                                                                       .credential = credential}),
                         WEIR_ERROR_DUPLICATE);
    }
    after = state_of(setting.engine);
    ck_assert(states_equal(&before, &after));
    setting_free(&setting);
}
END_TEST

START_TEST(a_credential_is_free_again_when_its_token_is_revoked)
{
    struct setting setting;

    setting_make(&setting, true);
    for (unsigned credential = 1; credential <= 4; credential += 3) {
        ck_assert_int_eq(revoke_token(setting.engine, credential == 1 ? "a" : "d"), WEIR_OK);
        ck_assert_int_eq(
            issue_token(setting.engine, (struct recipe){credential == 1 ? "e" : "f", .version = 6,
                                                        .credential = credential}),
            WEIR_OK);
        ck_assert_int_eq(ask_by_credential(setting.engine, credential, 6), WEIR_ALLOWED);
        ck_assert_int_eq(
            issue_token(setting.engine, (struct recipe){credential == 1 ? "a" : "d", .version = 6,
                                                        .credential = credential}),
            WEIR_ERROR_DUPLICATE);
    }
    setting_free(&setting);
}
END_TEST

START_TEST(an_engine_is_not_opened_on_two_tokens_of_one_id_or_credential)
{
    const struct recipe pairs[][2] = {
        {{"a", .version = 1}, {"a", .version = 2}},
        {{"a", .version = 1, .credential = 3}, {"b", .version = 2, .credential = 3}}};
    struct weir_compiled_token *first = compile_recipe(pairs[_i][0]);
    struct weir_compiled_token *second = compile_recipe(pairs[_i][1]);
    const struct weir_compiled_token *tokens[] = {first, second};
    struct counting_allocator counting;
    struct weir_engine_options options = {0};
    struct weir_engine *engine = NULL;
    struct weir_error error = {0};

    counting_allocator_start(&counting);
    options.allocator = &counting.allocator;
    ck_assert_int_eq(weir_engine_open_tokens(tokens, 2, &options, &engine, &error),
                     WEIR_ERROR_DUPLICATE);
    expect_error(&error, WEIR_ERROR_DUPLICATE);
    ck_assert_ptr_null(engine);
    counting_allocator_expect_balance(&counting);
    free(first);
    free(second);
}
END_TEST

START_TEST(no_change_is_made_inside_a_read_section)
{
    struct setting setting;
    struct state before;
    struct state after;

    setting_make(&setting, true);
    before = state_of(setting.engine);
    weir_read_begin();
    weir_read_begin();
    for (int depth = 0; depth < 2; depth++) {
        const struct recipe recipe = {"e", .version = 5};

        ck_assert_int_eq(issue_token(setting.engine, recipe), WEIR_ERROR_ARGUMENT);
        ck_assert_int_eq(put_token(setting.engine, recipe), WEIR_ERROR_ARGUMENT);
        ck_assert_int_eq(replace_token(setting.engine, (struct recipe){"a", .version = 5}),
                         WEIR_ERROR_ARGUMENT);
        ck_assert_int_eq(revoke_token(setting.engine, "a"), WEIR_ERROR_ARGUMENT);
        ck_assert_int_eq(swap_image(setting.engine, setting.other), WEIR_ERROR_ARGUMENT);
        ck_assert_int_eq(reclaim(setting.engine), WEIR_ERROR_ARGUMENT);
        weir_read_end();
    }
    after = state_of(setting.engine);
    ck_assert(states_equal(&before, &after));
    ck_assert_int_eq(revoke_token(setting.engine, "a"), WEIR_OK);
    setting_free(&setting);
}
END_TEST

TCase *failing_cases(void)
{
    TCase *cases = tcase_create("failing");

    tcase_add_loop_test(cases, E7_a_change_without_one_of_its_allocations_has_changed_nothing, 0,
                        4 * (int)COUNT(scenarios));
    tcase_add_loop_test(cases, E7_an_issue_that_fails_leaves_its_id_revoked, 0, 2);
    tcase_add_test(cases, E7_issues_that_are_tried_again_until_they_succeed_lose_and_leak_nothing);
    tcase_add_test(cases, E7_revoking_takes_no_memory);
    tcase_add_loop_test(cases, E7_what_is_not_made_for_want_of_memory_leaves_nothing_behind, 0,
                        2 * (int)COUNT(makings));
    tcase_add_test(cases, E7_a_change_that_is_refused_has_changed_nothing);
    tcase_add_test(cases, a_credential_is_free_again_when_its_token_is_revoked);
    tcase_add_loop_test(cases, an_engine_is_not_opened_on_two_tokens_of_one_id_or_credential, 0, 2);
    tcase_add_test(cases, no_change_is_made_inside_a_read_section);
    return cases;
}
