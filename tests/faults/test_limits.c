/* test_limits.c - what is as large as it may be, and what is larger: the limits that need much
 * memory or crafted bytes. Those of names are tests/library/name_cases.c's, those of JSON's depth
 * tests/wire/token_test.c's. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weir/compile.h>
#include <weir/listing.h>
#include <weir/wire.h>

#include "library/bytes.h"
#include "library/samples.h"
#include "library/support.h"

/*
 * ---- JSON ----
 */

static enum weir_status parse_question(struct weir_text json)
{
    struct weir_question_buffer *buffer = NULL;
    struct weir_question question;
    struct weir_error error = {0};
    enum weir_status status = WEIR_OK;

    ck_assert_int_eq(weir_question_buffer_new(NULL, &buffer, NULL), WEIR_OK);
    status = weir_question_parse(json, buffer, &question, &error);
    if (status != WEIR_OK) {
        expect_error(&error, status);
    }
    weir_question_buffer_free(buffer);
    return status;
}

static enum weir_status parse_token(struct weir_text json)
{
    struct weir_token *token = NULL;
    struct weir_error error = {0};
    enum weir_status status = weir_token_parse(json, NULL, &token, &error);

    if (status != WEIR_OK) {
        expect_error(&error, status);
    }
    weir_token_free(token, NULL);
    return status;
}

typedef enum weir_status parsing(struct weir_text json);

/* The text with so many blanks behind it that it has `size` bytes. */
static enum weir_status parse_padded(parsing *parse, const char *text, size_t size)
{
    char *json = malloc(size);
    enum weir_status status = WEIR_OK;

    ck_assert_ptr_nonnull(json);
    memset(json, ' ', size);
    memcpy(json, text, strlen(text));
    status = parse((struct weir_text){json, size});
    free(json);
    return status;
}

START_TEST(json_of_more_bytes_than_the_limit_is_refused)
{
    const char *request = "{\"token\":\"t\",\"op\":\"list-basins\"}";

    ck_assert_int_eq(parse_padded(parse_question, request, WEIR_REQUEST_JSON_MAX), WEIR_OK);
    ck_assert_int_eq(parse_padded(parse_question, request, WEIR_REQUEST_JSON_MAX + 1),
                     WEIR_ERROR_LIMIT);
}
END_TEST

/* `before`, a zero as often as it takes for `values` in all, `after`. */
static enum weir_status parse_values(parsing *parse, const char *before, const char *after,
                                     size_t values, size_t besides)
{
    size_t size = strlen(before) + 2 * (values - besides) + strlen(after);
    char *json = malloc(size + 1);
    char *end = json;
    enum weir_status status = WEIR_OK;

    ck_assert_ptr_nonnull(json);
    end += sprintf(json, "%s", before);
    for (size_t i = besides; i < values; i++) {
        *end++ = i == besides ? ' ' : ',';
        *end++ = '0';
    }
    (void)sprintf(end, "%s", after);
    status = parse((struct weir_text){json, size});
    free(json);
    return status;
}

/* The object, the array and the zeros: what is no more than the limit is another error. */
START_TEST(json_of_more_values_than_the_limit_is_refused)
{
    ck_assert_int_eq(
        parse_values(parse_question, "{\"token\":[", "]}", WEIR_REQUEST_JSON_VALUES_MAX, 2),
        WEIR_ERROR_SCHEMA);
    ck_assert_int_eq(
        parse_values(parse_question, "{\"token\":[", "]}", WEIR_REQUEST_JSON_VALUES_MAX + 1, 2),
        WEIR_ERROR_LIMIT);
    ck_assert_int_eq(
        parse_values(parse_token, "{\"id\":[", "]}", WEIR_TOKEN_JSON_VALUES_MAX + 1, 2),
        WEIR_ERROR_LIMIT);
}
END_TEST

/*
 * ---- Tokens ----
 */

/* Scopes whose streams, basins and tokens are all different, each name `length` bytes at most. */
struct many {
    struct weir_token token;
    struct weir_scope *scopes;
    char *names;
};

/* Bytes after which each name is the only one that goes on as it does. */
enum { TELLING = 24 };

/* Names that have nothing in common from the beginning, so that nothing of them is shared. */
static void write_name(char *name, size_t length, size_t number)
{
    struct random random = {number};

    memset(name, 'x', length);
    for (size_t i = 0; i < length && i < TELLING; i++) {
        name[i] = "abcdefghijklmnopqrstuvwxyz0123456789"[random_below(&random, 36)];
    }
}

static void many_make(struct many *many, size_t count, size_t length)
{
    size_t each = length + 96 + 48;

    many->scopes = calloc(count, sizeof *many->scopes);
    many->names = malloc(count * each);
    ck_assert(many->scopes != NULL && many->names != NULL);
    for (size_t i = 0; i < count; i++) {
        char *name = many->names + i * each;

        write_name(name, length, 3 * i);
        write_name(name + length, 96, 3 * i + 1);
        write_name(name + length + 96, 48, 3 * i + 2);
        many->scopes[i] = (struct weir_scope){
            .basins = {WEIR_SET_EXACT, {name + length + 96, 48}},
            .streams = {WEIR_SET_EXACT, {name, length}},
            .access_tokens = {WEIR_SET_EXACT, {name + length, 96}},
            .ops = WEIR_OPERATIONS_ALL,
        };
    }
    many->token =
        (struct weir_token){.id = WEIR_TEXT("many"), .scopes = many->scopes, .scope_count = count};
}

static void many_free(struct many *many)
{
    free(many->scopes);
    free(many->names);
}

/* The size of the token of the first `count` scopes, and of names of streams of these lengths (0:
 * none) in the first one's basin. SIZE_MAX: it is refused, by its name. */
static size_t size_with(struct many *many, size_t count, const size_t lengths[2])
{
    struct counting_allocator counting;
    struct weir_compiled_token *compiled = NULL;
    struct weir_error error = {0};
    size_t room = 0;
    size_t size = SIZE_MAX;

    many->token.scope_count = count;
    for (size_t i = 0; i < 2 && lengths[i] > 0; i++) {
        struct weir_scope *scope = &many->scopes[many->token.scope_count++];

        scope->basins = many->scopes[0].basins;
        scope->access_tokens.kind = WEIR_SET_NOTHING;
        scope->streams.name.length = lengths[i];
    }
    counting_allocator_start(&counting);
    if (weir_compile_token(&many->token, &counting.allocator, &compiled, &room, &error) ==
        WEIR_OK) {
        size = weir_compiled_token_size(compiled);
        counting.allocator.release(&counting, compiled, room);
    } else {
        expect_error(&error, WEIR_ERROR_LIMIT);
        ck_assert_msg(strstr(error.message, "many") != NULL, "%s", error.message);
    }
    counting_allocator_expect_balance(&counting);
    return size;
}

/* What one of many such scopes takes at most; and an added name, but for its bytes. */
enum { EACH = 733, NAME = 100 };

/* So many scopes that two names fill what they leave of the limit. */
static size_t scopes_below_the_limit(struct many *many)
{
    const size_t none[2] = {0};
    size_t count = WEIR_COMPILED_TOKEN_MAX / EACH;
    size_t size = size_with(many, count, none);

    while (size + EACH + NAME <= WEIR_COMPILED_TOKEN_MAX) {
        count += (WEIR_COMPILED_TOKEN_MAX - NAME - size) / EACH;
        size = size_with(many, count, none);
    }
    ck_assert_uint_le(size, WEIR_COMPILED_TOKEN_MAX - NAME);
    return count;
}

/* Lengths of names that fill what `count` scopes leave: of one, or of two where that is more than
 * one may have. */
static void fill_to_the_limit(struct many *many, size_t count, size_t lengths[2])
{
    size_t rest = 0;

    lengths[0] = 1;
    rest = WEIR_COMPILED_TOKEN_MAX - size_with(many, count, lengths);
    if (lengths[0] + rest + 4 <= WEIR_STREAM_MAX) {
        lengths[0] += rest;
        return;
    }
    lengths[0] = WEIR_STREAM_MAX / 2;
    lengths[1] = 1;
    lengths[1] += WEIR_COMPILED_TOKEN_MAX - size_with(many, count, lengths);
}

START_TEST(a_token_compiles_to_as_much_as_the_limit_and_not_to_a_word_more)
{
    size_t lengths[2] = {0};
    struct many many;
    size_t count = 0;

    many_make(&many, WEIR_SCOPES_MAX, WEIR_STREAM_MAX);
    count = scopes_below_the_limit(&many);
    fill_to_the_limit(&many, count, lengths);
    ck_assert_uint_eq(size_with(&many, count, lengths), WEIR_COMPILED_TOKEN_MAX);
    lengths[lengths[1] > 0] += 4;
    ck_assert_uint_eq(size_with(&many, count, lengths), SIZE_MAX);
    many_free(&many);
}
END_TEST

START_TEST(a_listing_has_as_many_members_as_a_token_may_have_scopes)
{
    enum weir_reason reason = WEIR_STALE;
    struct weir_compiled_token *compiled = NULL;
    struct weir_listing *listing = NULL;
    struct many many;
    size_t size = 0;

    many_make(&many, WEIR_SCOPES_MAX, 24);
    ck_assert_int_eq(weir_compile_token(&many.token, NULL, &compiled, &size, NULL), WEIR_OK);
    ck_assert_int_eq(weir_narrow(compiled, WEIR_LIST_ACCESS_TOKENS, WEIR_TEXT(""), WEIR_TEXT(""),
                                 SAMPLE_NOW, NULL, &reason, &listing, NULL),
                     WEIR_OK);
    ck_assert_int_eq(reason, WEIR_ALLOWED);
    ck_assert_uint_eq(listing->exact_count, WEIR_SCOPES_MAX);
    ck_assert_uint_eq(listing->prefix_count, 0);
    for (size_t i = 0; i < WEIR_SCOPES_MAX; i += 997) {
        if (!weir_listing_admits(listing, many.scopes[i].access_tokens.name)) {
            ck_abort_msg("member %zu is not in the listing", i);
        }
    }
    weir_listing_free(listing);
    free(compiled);
    many_free(&many);
}
END_TEST

/*
 * ---- Images ----
 */

/* A header may say it has so many tokens; the file does not. */
START_TEST(an_image_that_says_it_has_as_many_tokens_as_may_be_or_more_is_refused)
{
    static const uint64_t counts[] = {0x7ffffffe,        0x7fffffff, 0x80000000,        UINT32_MAX,
                                      UINT64_C(1) << 32, INT64_MAX,  UINT64_C(1) << 63, UINT64_MAX};
    struct bytes bytes = bytes_of_samples();

    for (size_t i = 0; i < COUNT(counts); i++) {
        put_number(bytes.bytes + AT_TOKEN_COUNT, 8, counts[i]);
        mend_checksum(bytes.bytes, bytes.size);
        ck_assert_int_eq(status_of_opening(bytes.bytes, bytes.size), WEIR_ERROR_DAMAGED);
    }
    free(bytes.bytes);
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("limits");

    tcase_add_test(cases, json_of_more_bytes_than_the_limit_is_refused);
    tcase_add_test(cases, json_of_more_values_than_the_limit_is_refused);
    tcase_add_test(cases, a_token_compiles_to_as_much_as_the_limit_and_not_to_a_word_more);
    tcase_add_test(cases, a_listing_has_as_many_members_as_a_token_may_have_scopes);
    tcase_add_test(cases, an_image_that_says_it_has_as_many_tokens_as_may_be_or_more_is_refused);
    return run_cases("faults_limits", &cases, 1);
}
