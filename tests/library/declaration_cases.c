/* declaration_cases.c - which declarations may be compiled, and what their scopes mean. */
#include "library/vocabulary_cases.h"

#include <stdlib.h>
#include <string.h>

#include <weir/token.h>

#include "library/sets.h"
#include "library/support.h"

#define READ WEIR_OPERATION_BIT(WEIR_READ)

static enum weir_status check_one(struct weir_scope scope, struct weir_error *error)
{
    struct weir_token token = {.id = WEIR_TEXT("token"), .scopes = &scope, .scope_count = 1};

    return weir_token_check(&token, error);
}

START_TEST(scopes_that_are_allowed_pass)
{
    static const struct weir_scope good[] = {
        {.ops = READ},
        {.ops = WEIR_OPERATIONS_ALL, .op_groups = WEIR_GROUP_BITS_ALL},
        {.op_groups = WEIR_GROUP_BIT(WEIR_GROUP_BASIN, WEIR_ACCESS_WRITE)},
        {.basins = PREFIX(""), .streams = PREFIX(""), .access_tokens = PREFIX(""), .ops = READ},
        {.basins = EXACT(""), .streams = EXACT(""), .access_tokens = EXACT(""), .ops = READ},
        {.basins = {WEIR_SET_PREFIX, {NULL, 0}}, .ops = READ},
        {.basins = EXACT("basin-01"), .streams = EXACT("..."), .ops = READ},
        {.basins = PREFIX("b-"),
         .streams = PREFIX(".."),
         .access_tokens = PREFIX("."),
         .ops = READ},
        {.streams = EXACT("\xf0\x9f\x98\x80"), .access_tokens = EXACT("\n"), .ops = READ},
        /* A set of nothing has no name to be looked at. */
        {.basins = {WEIR_SET_NOTHING, {"\xff", 1}}, .ops = READ},
    };

    for (size_t i = 0; i < COUNT(good); i++) {
        struct weir_error error = {.line = 77};

        ck_assert_msg(check_one(good[i], &error) == WEIR_OK, "case %zu: %s", i, error.message);
        ck_assert_uint_eq(error.line, 77);
        ck_assert_int_eq(check_one(good[i], NULL), WEIR_OK);
    }
}
END_TEST

START_TEST(a_scope_that_is_not_allowed_is_refused_with_its_place)
{
    static const struct {
        struct weir_scope scope;
        enum weir_status status;
        const char *place;
    } rows[] = {
        {{.ops = 0}, WEIR_ERROR_PERMISSION, "scope"},
        {{.basins = PREFIX("")}, WEIR_ERROR_PERMISSION, "scope"},
        {{.ops = 1}, WEIR_ERROR_ARGUMENT, "scope"},
        {{.ops = READ | UINT64_C(1) << 25}, WEIR_ERROR_ARGUMENT, "scope"},
        {{.ops = READ | UINT64_C(1) << 63}, WEIR_ERROR_ARGUMENT, "scope"},
        {{.op_groups = 0x40}, WEIR_ERROR_ARGUMENT, "scope"},
        {{.op_groups = 0x80000001}, WEIR_ERROR_ARGUMENT, "scope"},
        {{.basins = EXACT("short-1"), .ops = READ}, WEIR_ERROR_NAME, "scope.basins"},
        {{.basins = EXACT("basin-01-"), .ops = READ}, WEIR_ERROR_NAME, "scope.basins"},
        {{.basins = PREFIX("-"), .ops = READ}, WEIR_ERROR_NAME, "scope.basins"},
        {{.basins = PREFIX("Basin"), .ops = READ}, WEIR_ERROR_NAME, "scope.basins"},
        {{.streams = EXACT("."), .ops = READ}, WEIR_ERROR_NAME, "scope.streams"},
        {{.streams = EXACT(".."), .ops = READ}, WEIR_ERROR_NAME, "scope.streams"},
        {{.streams = EXACT("a\0b"), .ops = READ}, WEIR_ERROR_NAME, "scope.streams"},
        {{.streams = PREFIX("\xc3"), .ops = READ}, WEIR_ERROR_NAME, "scope.streams"},
        {{.access_tokens = EXACT(".."), .ops = READ}, WEIR_ERROR_NAME, "scope.access_tokens"},
        {{.access_tokens = PREFIX("\x1b\xff"), .ops = READ},
         WEIR_ERROR_NAME,
         "scope.access_tokens"},
        {{.basins = {(enum weir_set_kind)3, {NULL, 0}}, .ops = READ},
         WEIR_ERROR_ARGUMENT,
         "scope.basins"},
        {{.streams = {(enum weir_set_kind) - 1, {NULL, 0}}, .ops = READ},
         WEIR_ERROR_ARGUMENT,
         "scope.streams"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct weir_error error = {0};

        ck_assert_msg(check_one(rows[i].scope, &error) == rows[i].status, "case %zu", i);
        expect_error(&error, rows[i].status);
        ck_assert_str_eq(error.place, rows[i].place);
        ck_assert_int_eq(check_one(rows[i].scope, NULL), rows[i].status);
    }
}
END_TEST

START_TEST(a_scope_that_permits_nothing_is_refused_in_the_words_of_the_service)
{
    struct weir_error error = {0};

    ck_assert_int_eq(check_one((struct weir_scope){0}, &error), WEIR_ERROR_PERMISSION);
    ck_assert_str_eq(error.message, "Access token permissions cannot be empty");
}
END_TEST

START_TEST(one_bad_scope_among_many_is_named_by_its_number)
{
    struct weir_scope scopes[5];
    struct weir_token token = {.id = WEIR_TEXT("token"), .scopes = scopes, .scope_count = 5};
    struct weir_error error = {0};

    for (size_t i = 0; i < COUNT(scopes); i++) {
        scopes[i] = (struct weir_scope){.streams = PREFIX("x"), .ops = READ};
    }
    ck_assert_int_eq(weir_token_check(&token, NULL), WEIR_OK);
    scopes[2].streams = (struct weir_set)EXACT(".");
    ck_assert_int_eq(weir_token_check(&token, &error), WEIR_ERROR_NAME);
    ck_assert_str_eq(error.place, "scopes[2].streams");
    scopes[2] = scopes[1];
    scopes[4].ops = 0;
    ck_assert_int_eq(weir_token_check(&token, &error), WEIR_ERROR_PERMISSION);
    ck_assert_str_eq(error.place, "scopes[4]");
}
END_TEST

START_TEST(names_of_any_scope_are_told_of_before_permissions)
{
    struct weir_scope scopes[5] = {{.ops = 0}};
    struct weir_token token = {.id = WEIR_TEXT("token"), .scopes = scopes, .scope_count = 5};
    struct weir_error error = {0};

    ck_assert_int_eq(weir_token_check(&token, &error), WEIR_ERROR_PERMISSION);
    ck_assert_str_eq(error.place, "scopes[0]");
    scopes[4].access_tokens = (struct weir_set)EXACT(".");
    ck_assert_int_eq(weir_token_check(&token, &error), WEIR_ERROR_NAME);
    ck_assert_str_eq(error.place, "scopes[4].access_tokens");
    scopes[2] = (struct weir_scope){.basins = PREFIX("-"), .ops = READ};
    ck_assert_int_eq(weir_token_check(&token, &error), WEIR_ERROR_NAME);
    ck_assert_str_eq(error.place, "scopes[2].basins");
    scopes[1].ops = 1;
    ck_assert_int_eq(weir_token_check(&token, &error), WEIR_ERROR_ARGUMENT);
    ck_assert_str_eq(error.place, "scopes[1]");
}
END_TEST

START_TEST(an_id_that_is_not_allowed_is_refused)
{
    static const struct weir_text bad[] = {{NULL, 0},   {"", 0},           {".", 1},
                                           {"..", 2},   {"\xff", 1},       {"a\0", 2},
                                           {"\xc3", 1}, {"\x1b[2J\xfe", 5}};
    char long_id[WEIR_TOKEN_ID_MAX + 1];
    struct weir_scope scope = {.ops = READ};
    struct weir_token token = {.scopes = &scope, .scope_count = 1};

    for (size_t i = 0; i <= COUNT(bad); i++) {
        struct weir_error error = {0};

        memset(long_id, 'x', sizeof long_id);
        token.id = i < COUNT(bad) ? bad[i] : (struct weir_text){long_id, sizeof long_id};
        ck_assert_int_eq(weir_token_check(&token, &error), WEIR_ERROR_NAME);
        expect_error(&error, WEIR_ERROR_NAME);
        ck_assert_str_eq(error.place, "id");
    }
    token.id.length = WEIR_TOKEN_ID_MAX;
    ck_assert_int_eq(weir_token_check(&token, NULL), WEIR_OK);
}
END_TEST

START_TEST(an_expiry_lies_between_the_years_1_and_9999)
{
    static const struct {
        struct weir_instant expires_at;
        enum weir_status status;
    } rows[] = {
        {{WEIR_INSTANT_SECONDS_MIN, 0}, WEIR_OK},
        {{WEIR_INSTANT_SECONDS_MAX, 999999999}, WEIR_OK},
        {{0, 0}, WEIR_OK},
        {{WEIR_INSTANT_SECONDS_MIN - 1, 999999999}, WEIR_ERROR_ARGUMENT},
        {{WEIR_INSTANT_SECONDS_MAX + 1, 0}, WEIR_ERROR_ARGUMENT},
        {{INT64_MIN, 0}, WEIR_ERROR_ARGUMENT},
        {{INT64_MAX, 0}, WEIR_ERROR_ARGUMENT},
        {{0, 1000000000}, WEIR_ERROR_ARGUMENT},
        {{0, UINT32_MAX}, WEIR_ERROR_ARGUMENT},
    };
    struct weir_scope scope = {.ops = READ};
    struct weir_token token = {.id = WEIR_TEXT("token"), .scopes = &scope, .scope_count = 1};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct weir_error error = {0};

        token.expires_at = rows[i].expires_at;
        token.expires = true;
        ck_assert_msg(weir_token_check(&token, &error) == rows[i].status, "case %zu", i);
        ck_assert_str_eq(error.place, rows[i].status == WEIR_OK ? "" : "expires_at");
        token.expires = false;
        ck_assert_int_eq(weir_token_check(&token, NULL), WEIR_OK);
    }
}
END_TEST

START_TEST(auto_prefix_needs_one_scope_whose_streams_are_a_prefix)
{
    static const struct {
        struct weir_set streams;
        size_t scopes;
        enum weir_status status;
    } rows[] = {
        {PREFIX("users/1/"), 1, WEIR_OK},
        {PREFIX(""), 1, WEIR_OK},
        {EXACT("users/1"), 1, WEIR_ERROR_PERMISSION},
        {EXACT(""), 1, WEIR_ERROR_PERMISSION},
        {NOTHING, 1, WEIR_ERROR_PERMISSION},
        {PREFIX("users/1/"), 2, WEIR_ERROR_PERMISSION},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct weir_scope scope = {.streams = rows[i].streams, .ops = READ};
        struct weir_scope scopes[2] = {scope, scope};
        struct weir_token token = {.id = WEIR_TEXT("token"),
                                   .scopes = scopes,
                                   .scope_count = rows[i].scopes,
                                   .auto_prefix_streams = true};
        struct weir_error error = {0};

        ck_assert_msg(weir_token_check(&token, &error) == rows[i].status, "case %zu", i);
        ck_assert_str_eq(error.place, rows[i].status == WEIR_OK ? "" : "auto_prefix_streams");
        token.auto_prefix_streams = false;
        ck_assert_int_eq(weir_token_check(&token, NULL), WEIR_OK);
    }
}
END_TEST

START_TEST(a_token_has_at_least_one_scope_and_at_most_the_limit)
{
    struct weir_scope *scopes = calloc(WEIR_SCOPES_MAX + 1, sizeof *scopes);
    struct weir_token token = {.id = WEIR_TEXT("many-scopes"), .scopes = scopes};
    struct weir_error error = {0};

    ck_assert_ptr_nonnull(scopes);
    for (size_t i = 0; i <= WEIR_SCOPES_MAX; i++) {
        scopes[i].ops = READ;
    }
    ck_assert_int_eq(weir_token_check(&token, &error), WEIR_ERROR_PERMISSION);
    expect_error(&error, WEIR_ERROR_PERMISSION);
    token.scope_count = WEIR_SCOPES_MAX;
    ck_assert_int_eq(weir_token_check(&token, NULL), WEIR_OK);
    token.scope_count = WEIR_SCOPES_MAX + 1;
    ck_assert_int_eq(weir_token_check(&token, &error), WEIR_ERROR_LIMIT);
    expect_error(&error, WEIR_ERROR_LIMIT);
    ck_assert_ptr_nonnull(strstr(error.message, "many-scopes"));
    free(scopes);
}
END_TEST

START_TEST(a_scope_permits_its_operations_and_those_of_its_groups)
{
    for (unsigned groups = 0; groups <= WEIR_GROUP_BITS_ALL; groups++) {
        struct weir_scope scope = {.ops = READ, .op_groups = groups};
        weir_operations expected = READ;

        for (unsigned bit = 0; bit < 6; bit++) {
            if ((groups >> bit & 1) != 0) {
                expected |=
                    weir_group_operations((enum weir_group)(bit / 2), (enum weir_access)(bit % 2));
            }
        }
        ck_assert_uint_eq(weir_scope_operations(&scope), expected);
    }
}
END_TEST

START_TEST(a_set_matches_one_name_or_all_that_begin_with_a_prefix)
{
    static const struct {
        struct weir_set set;
        struct weir_text name;
        bool matches;
    } rows[] = {
        {NOTHING, {"", 0}, false},
        {NOTHING, {"a", 1}, false},
        {{WEIR_SET_NOTHING, {"a", 1}}, {"a", 1}, false},
        {EXACT(""), {"", 0}, false},
        {EXACT(""), {NULL, 0}, false},
        {EXACT(""), {"a", 1}, false},
        {EXACT("ab"), {"ab", 2}, true},
        {EXACT("ab"), {"a", 1}, false},
        {EXACT("ab"), {"abc", 3}, false},
        {EXACT("ab"), {"aB", 2}, false},
        {EXACT("a\xc3\xa9"), {"ae\xcc\x81", 4}, false},
        {PREFIX(""), {"", 0}, true},
        {PREFIX(""), {NULL, 0}, true},
        {PREFIX(""), {"anything", 8}, true},
        {{WEIR_SET_PREFIX, {NULL, 0}}, {"anything", 8}, true},
        {PREFIX("ab"), {"ab", 2}, true},
        {PREFIX("ab"), {"abc", 3}, true},
        {PREFIX("ab"), {"a", 1}, false},
        {PREFIX("ab"), {"Abc", 3}, false},
        {PREFIX("ab"), {"bab", 3}, false},
        {PREFIX("users/1234/"), {"users/1234/../5678", 18}, true},
        {{(enum weir_set_kind)9, {"a", 1}}, {"a", 1}, false},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        ck_assert_msg(weir_set_matches(&rows[i].set, rows[i].name) == rows[i].matches, "case %zu",
                      i);
    }
}
END_TEST

TCase *declaration_cases(void)
{
    TCase *cases = tcase_create("declarations");

    tcase_add_test(cases, scopes_that_are_allowed_pass);
    tcase_add_test(cases, a_scope_that_is_not_allowed_is_refused_with_its_place);
    tcase_add_test(cases, a_scope_that_permits_nothing_is_refused_in_the_words_of_the_service);
    tcase_add_test(cases, one_bad_scope_among_many_is_named_by_its_number);
    tcase_add_test(cases, names_of_any_scope_are_told_of_before_permissions);
    tcase_add_test(cases, an_id_that_is_not_allowed_is_refused);
    tcase_add_test(cases, an_expiry_lies_between_the_years_1_and_9999);
    tcase_add_test(cases, auto_prefix_needs_one_scope_whose_streams_are_a_prefix);
    tcase_add_test(cases, a_token_has_at_least_one_scope_and_at_most_the_limit);
    tcase_add_test(cases, a_scope_permits_its_operations_and_those_of_its_groups);
    tcase_add_test(cases, a_set_matches_one_name_or_all_that_begin_with_a_prefix);
    return cases;
}
