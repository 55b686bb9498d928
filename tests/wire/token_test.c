#include <stdlib.h>
#include <string.h>

#include "wire/generator.h"
#include "wire/support.h"

static struct weir_token *parse(const char *json)
{
    struct weir_token *token = NULL;
    struct weir_error error = {.line = 77};

    ck_assert_msg(weir_token_parse(text_of(json), NULL, &token, &error) == WEIR_OK, "%s: %s", json,
                  error.message);
    ck_assert_uint_eq(error.line, 77); /* untouched */
    return token;
}

/* Describes the token that the JSON declares; for the caller to free. */
static char *described(const char *json)
{
    struct weir_token *token = parse(json);
    struct printed description;

    text_begin(&description);
    describe_token(description.stream, token);
    (void)text_done(&description);
    weir_token_free(token, NULL);
    return description.bytes;
}

static void expect_same(const char *left, const char *right)
{
    char *first = described(left);
    char *second = described(right);

    ck_assert_str_eq(first, second);
    free(first);
    free(second);
}

static void expect_text(struct weir_text text, const char *expected)
{
    ck_assert_uint_eq(text.length, strlen(expected));
    ck_assert_mem_eq(text.bytes, expected, text.length);
}

START_TEST(every_field_of_a_token_is_read)
{
    struct weir_token *token =
        parse("{\"id\":\"user-1234-rw-token\",\"expires_at\":\"2027-01-01T00:00:00.000000001Z\","
              "\"auto_prefix_streams\":true,\"credential_digest\":"
              "\"000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F\","
              "\"scope\":{\"basins\":{\"prefix\":\"\"},\"streams\":{\"prefix\":\"users/1234/\"},"
              "\"access_tokens\":{\"exact\":\"t\"},\"op_groups\":{\"stream\":{\"read\":true,"
              "\"write\":true},\"account\":{\"read\":true}},\"ops\":[\"list-streams\","
              "\"set-default-location\",\"list-streams\"]}}");
    const struct weir_scope *scope = token->scopes;

    expect_text(token->id, "user-1234-rw-token");
    ck_assert(token->expires);
    ck_assert_int_eq(token->expires_at.seconds, 1798761600);
    ck_assert_uint_eq(token->expires_at.nanoseconds, 1);
    ck_assert(token->auto_prefix_streams);
    ck_assert(token->has_credential_digest);
    for (size_t i = 0; i < WEIR_DIGEST_SIZE; i++) {
        ck_assert_uint_eq(token->credential_digest[i], i);
    }
    ck_assert_uint_eq(token->issue_number, 0);
    ck_assert_uint_eq(token->scope_count, 1);
    ck_assert_int_eq(scope->basins.kind, WEIR_SET_PREFIX);
    expect_text(scope->basins.name, "");
    ck_assert_int_eq(scope->streams.kind, WEIR_SET_PREFIX);
    expect_text(scope->streams.name, "users/1234/");
    ck_assert_int_eq(scope->access_tokens.kind, WEIR_SET_EXACT);
    expect_text(scope->access_tokens.name, "t");
    ck_assert_uint_eq(scope->ops, WEIR_OPERATION_BIT(9) | WEIR_OPERATION_BIT(24));
    ck_assert_uint_eq(scope->op_groups, WEIR_GROUP_BIT(WEIR_GROUP_STREAM, WEIR_ACCESS_READ) |
                                            WEIR_GROUP_BIT(WEIR_GROUP_STREAM, WEIR_ACCESS_WRITE) |
                                            WEIR_GROUP_BIT(WEIR_GROUP_ACCOUNT, WEIR_ACCESS_READ));
    weir_token_free(token, NULL);
}
END_TEST

START_TEST(null_and_absent_mean_the_same)
{
    expect_same("{\"id\":\"t\",\"expires_at\":null,\"auto_prefix_streams\":null,"
                "\"credential_digest\":null,\"scopes\":null,\"scope\":{\"basins\":null,"
                "\"streams\":null,\"access_tokens\":null,\"op_groups\":{\"account\":null,"
                "\"basin\":{\"read\":null,\"write\":null},\"stream\":{\"read\":null}},"
                "\"ops\":[\"read\"]}}",
                "{\"id\":\"t\",\"scope\":{\"ops\":[\"read\"]}}");
    expect_same("{\"id\":\"t\",\"scope\":{\"ops\":null,\"op_groups\":{\"basin\":{\"read\":true}}}}",
                "{\"id\":\"t\",\"scope\":{\"op_groups\":{\"basin\":{\"read\":true}}}}");
    expect_same("{\"id\":\"t\",\"scope\":{\"op_groups\":null,\"ops\":[\"read\"]}}",
                "{\"id\":\"t\",\"scope\":{\"ops\":[\"read\"]}}");
    expect_same("{\"id\":\"t\",\"scope\":null,\"scopes\":[{\"ops\":[\"read\"]}]}",
                "{\"id\":\"t\",\"scopes\":[{\"ops\":[\"read\"]}]}");
}
END_TEST

START_TEST(an_empty_exact_name_is_the_set_of_nothing)
{
    expect_same("{\"id\":\"t\",\"scope\":{\"basins\":{\"exact\":\"\"},\"streams\":{\"exact\":\"\"},"
                "\"access_tokens\":{\"exact\":\"\"},\"ops\":[\"read\"]}}",
                "{\"id\":\"t\",\"scope\":{\"ops\":[\"read\"]}}");
}
END_TEST

START_TEST(an_array_of_one_scope_is_that_scope)
{
    expect_same("{\"id\":\"t\",\"scopes\":[{\"ops\":[\"read\"],\"streams\":{\"prefix\":\"a\"}}]}",
                "{\"id\":\"t\",\"scope\":{\"streams\":{\"prefix\":\"a\"},\"ops\":[\"read\"]}}");
    expect_same("{\"auto_prefix_streams\":true,\"id\":\"t\",\"scopes\":[{\"ops\":[\"read\"],"
                "\"streams\":{\"prefix\":\"a\"}}]}",
                "{\"auto_prefix_streams\":true,\"id\":\"t\",\"scope\":{\"ops\":[\"read\"],"
                "\"streams\":{\"prefix\":\"a\"}}}");
}
END_TEST

START_TEST(false_and_auto_prefix_of_false_grant_and_change_nothing)
{
    expect_same("{\"id\":\"t\",\"auto_prefix_streams\":false,\"scope\":{\"ops\":[\"read\"],"
                "\"op_groups\":{\"account\":{\"read\":false,\"write\":false},\"basin\":{}}}}",
                "{\"id\":\"t\",\"scope\":{\"ops\":[\"read\"]}}");
}
END_TEST

START_TEST(an_expiry_is_the_same_instant_however_it_is_written)
{
    expect_same("{\"id\":\"t\",\"expires_at\":\"2027-01-01t01:30:00.500+01:30\","
                "\"scope\":{\"ops\":[\"read\"]}}",
                "{\"id\":\"t\",\"expires_at\":\"2027-01-01T00:00:00.5Z\","
                "\"scope\":{\"ops\":[\"read\"]}}");
}
END_TEST

START_TEST(blanks_around_a_token_are_no_part_of_it)
{
    expect_same(" \t\r\n{\"id\":\"t\",\"scope\":{\"ops\":[\"read\"]}}\n \r\t",
                "{\"id\":\"t\",\"scope\":{\"ops\":[\"read\"]}}");
}
END_TEST

START_TEST(a_token_that_was_read_is_one_piece_of_memory_of_its_own)
{
    struct tally tally = {0};
    struct weir_allocator allocator = tallying(&tally);
    const char *json = "{\"id\":\"t\",\"scopes\":[{\"streams\":{\"exact\":\"one\"},\"ops\":"
                       "[\"read\"]},{\"streams\":{\"prefix\":\"two\"},\"ops\":[\"append\"]}]}";
    char *copy = strdup(json);
    struct weir_token *token = NULL;

    ck_assert_int_eq(weir_token_parse(text_of(copy), &allocator, &token, NULL), WEIR_OK);
    memset(copy, 'x', strlen(copy));
    free(copy);
    ck_assert_uint_eq(tally.pieces, 1);
    expect_text(token->scopes[0].streams.name, "one");
    expect_text(token->scopes[1].streams.name, "two");
    weir_token_free(token, &allocator);
    ck_assert_uint_eq(tally.pieces, 0);
    weir_token_free(NULL, &allocator);
}
END_TEST

START_TEST(what_a_declaration_says_is_read_back_however_it_is_spelt)
{
    uint64_t random = 3;

    for (int i = 0; i < 3000; i++) {
        struct generated generated;
        struct printed json;
        struct printed expected;
        char *got = NULL;

        generate_token(&random, &generated);
        text_begin(&json);
        print_token(json.stream, &generated.token, true, &random);
        (void)text_done(&json);
        text_begin(&expected);
        describe_token(expected.stream, &generated.token);
        (void)text_done(&expected);
        got = described(json.bytes);
        ck_assert_msg(strcmp(expected.bytes, got) == 0, "%.1000s\n%.1000s%.1000s", json.bytes,
                      expected.bytes, got);
        free(got);
        text_free(&json);
        text_free(&expected);
    }
}
END_TEST

/* A token with that many scopes. */
static struct weir_text many_scopes(struct printed *json, size_t count)
{
    text_begin(json);
    (void)fputs("{\"id\":\"t\",\"scopes\":[", json->stream);
    for (size_t i = 0; i < count; i++) {
        (void)fputs(i == 0 ? "{\"ops\":[\"read\"]}" : ",{\"ops\":[\"read\"]}", json->stream);
    }
    (void)fputs("]}", json->stream);
    return text_done(json);
}

START_TEST(a_token_has_a_hundred_thousand_scopes_at_most)
{
    struct weir_token *token = NULL;
    struct weir_error error;
    struct printed json;

    ck_assert_int_eq(weir_token_parse(many_scopes(&json, WEIR_SCOPES_MAX), NULL, &token, &error),
                     WEIR_OK);
    ck_assert_uint_eq(token->scope_count, WEIR_SCOPES_MAX);
    weir_token_free(token, NULL);
    text_free(&json);
    ck_assert_int_eq(
        weir_token_parse(many_scopes(&json, WEIR_SCOPES_MAX + 1), NULL, &token, &error),
        WEIR_ERROR_LIMIT);
    ck_assert_str_eq(error.place, "scopes");
    ck_assert_str_eq(error.message, "token \"t\" has more than 100000 scopes");
    text_free(&json);
}
END_TEST

START_TEST(nothing_but_nested_brackets_is_refused_whatever_their_number)
{
    for (size_t depth = 2040; depth < 2060; depth++) {
        struct weir_token *token = NULL;
        struct weir_error error;
        struct printed json;
        enum weir_status status = WEIR_OK;

        text_begin(&json);
        for (size_t i = 0; i < depth; i++) {
            (void)fputs("{\"a\":", json.stream);
        }
        (void)fputs("1", json.stream);
        for (size_t i = 0; i < depth; i++) {
            (void)fputc('}', json.stream);
        }
        status = weir_token_parse(text_done(&json), NULL, &token, &error);
        ck_assert_int_eq(status, depth < 2048 ? WEIR_ERROR_SCHEMA : WEIR_ERROR_LIMIT);
        expect_printable(status, &error);
        text_free(&json);
    }
}
END_TEST

/* Bytes of a token in which some are changed, dropped or doubled. */
static void spoil(struct printed *json, const char *good, uint64_t *random)
{
    static const char favourites[] = "{}[]\":,\\u0\n\0nte9\xff\xc3";

    text_begin(json);
    for (; *good != '\0'; good++) {
        uint64_t drawn = next_random(random) % 400;

        if (drawn == 0) {
            (void)fputc(favourites[next_random(random) % (sizeof favourites - 1)], json->stream);
        } else if (drawn == 1) {
            (void)fprintf(json->stream, "%c%c", *good, *good);
        } else if (drawn != 2) {
            (void)fputc(*good, json->stream);
        }
    }
    (void)text_done(json);
}

START_TEST(a_spoilt_token_is_read_or_refused_in_words_that_may_be_shown)
{
    uint64_t random = 5;
    size_t refused = 0;

    for (int i = 0; i < 4000; i++) {
        struct generated generated;
        struct printed good;
        struct printed bad;
        struct weir_token *token = NULL;
        struct weir_error error = {0};
        enum weir_status status = WEIR_OK;

        generate_token(&random, &generated);
        text_begin(&good);
        print_token(good.stream, &generated.token, true, &random);
        (void)text_done(&good);
        spoil(&bad, good.bytes, &random);
        status = weir_token_parse((struct weir_text){bad.bytes, bad.length}, NULL, &token, &error);
        if (status != WEIR_OK) {
            refused++;
            expect_printable(status, &error);
        }
        weir_token_free(token, NULL);
        text_free(&good);
        text_free(&bad);
    }
    ck_assert_uint_gt(refused, 1000);
}
END_TEST

Suite *token_suite(void)
{
    Suite *suite = suite_create("tokens");
    TCase *cases = tcase_create("read");

    tcase_add_test(cases, every_field_of_a_token_is_read);
    tcase_add_test(cases, null_and_absent_mean_the_same);
    tcase_add_test(cases, an_empty_exact_name_is_the_set_of_nothing);
    tcase_add_test(cases, an_array_of_one_scope_is_that_scope);
    tcase_add_test(cases, false_and_auto_prefix_of_false_grant_and_change_nothing);
    tcase_add_test(cases, an_expiry_is_the_same_instant_however_it_is_written);
    tcase_add_test(cases, blanks_around_a_token_are_no_part_of_it);
    tcase_add_test(cases, a_token_that_was_read_is_one_piece_of_memory_of_its_own);
    tcase_add_test(cases, what_a_declaration_says_is_read_back_however_it_is_spelt);
    tcase_add_test(cases, a_token_has_a_hundred_thousand_scopes_at_most);
    tcase_add_test(cases, nothing_but_nested_brackets_is_refused_whatever_their_number);
    tcase_add_test(cases, a_spoilt_token_is_read_or_refused_in_words_that_may_be_shown);
    suite_add_tcase(suite, cases);
    return suite;
}
