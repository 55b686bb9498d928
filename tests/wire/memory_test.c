#include <stdlib.h>
#include <string.h>

#include "wire/support.h"
#include "wire/token_declared.h"

/*
 * Each test runs something again and again, the Nth allocation failing, N rising until the run
 * succeeds: once with that one allocation failing, once with all from there on. Each failing run
 * must say that memory ran out and leave none behind.
 */

/* Something to run with an allocator. */
typedef enum weir_status job(const struct weir_allocator *allocator, struct weir_error *error);

/*
 * jansson (2.14) keeps the string that it reads in a buffer of 16, 32, 64 … bytes. Where that
 * cannot grow, it drops the byte; if the byte is the quote at the end, and memory is to be had
 * again, it writes beyond what it has. No strings of a length that ends so are here: the short ones
 * need no growing, the long ones end elsewhere.
 */
#define SHORT_TOKEN                                                                                \
    "{\"id\":\"t\",\"scopes\":[{\"streams\":{\"prefix\":\"abc\"},\"ops\":[\"read\"]},"             \
    "{\"op_groups\":{\"stream\":{\"read\":true}}},{\"ops\":[\"trim\"]}]}"
#define LONG_TOKEN                                                                                 \
    "{\"id\":\"an id that does not fit\",\"expires_at\":\"2027-01-01T00:00:00Z\",\"scope\":"       \
    "{\"streams\":{\"prefix\":\"users/12345678901234567890123456789012345678901234567890/\"},"     \
    "\"ops\":[\"reconfigure-stream\"]}}"

static enum weir_status parse_token(const char *json, const struct weir_allocator *allocator,
                                    struct weir_error *error)
{
    struct weir_token *token = NULL;
    enum weir_status status = weir_token_parse(text_of(json), allocator, &token, error);

    ck_assert_int_eq(token != NULL, status == WEIR_OK);
    weir_token_free(token, allocator);
    return status;
}

static enum weir_status parse_short_token(const struct weir_allocator *allocator,
                                          struct weir_error *error)
{
    return parse_token(SHORT_TOKEN, allocator, error);
}

static enum weir_status parse_long_token(const struct weir_allocator *allocator,
                                         struct weir_error *error)
{
    return parse_token(LONG_TOKEN, allocator, error);
}

static enum weir_status parse_declared_token(const struct weir_allocator *allocator,
                                             struct weir_error *error)
{
    struct weir_token *token = NULL;
    struct weir_error permission_error;
    enum weir_status permission = WEIR_OK;
    enum weir_status status = weir_token_parse_declared(
        text_of("{\"id\":\"t\",\"scope\":{\"streams\":{\"prefix\":\"abc\"}}}"), allocator, &token,
        &permission, &permission_error, error);

    ck_assert_int_eq(token != NULL, status == WEIR_OK);
    ck_assert_int_eq(permission, status == WEIR_OK ? WEIR_ERROR_PERMISSION : WEIR_OK);
    weir_token_free(token, allocator);
    return status;
}

static enum weir_status read_short_array(const struct weir_allocator *allocator,
                                         struct weir_error *error)
{
    return read_file(WEIR_TEXT("[" SHORT_TOKEN "," SHORT_TOKEN "]"), allocator, error);
}

static enum weir_status read_short_object(const struct weir_allocator *allocator,
                                          struct weir_error *error)
{
    return read_file(WEIR_TEXT("{\"has_more\":true,\"access_tokens\":[" SHORT_TOKEN "]}"),
                     allocator, error);
}

static enum weir_status read_short_lines(const struct weir_allocator *allocator,
                                         struct weir_error *error)
{
    return read_file(WEIR_TEXT(SHORT_TOKEN "\n" SHORT_TOKEN), allocator, error);
}

static enum weir_status read_long_array(const struct weir_allocator *allocator,
                                        struct weir_error *error)
{
    return read_file(WEIR_TEXT("[" LONG_TOKEN "," LONG_TOKEN "]"), allocator, error);
}

static enum weir_status read_long_object(const struct weir_allocator *allocator,
                                         struct weir_error *error)
{
    return read_file(WEIR_TEXT("{\"access_tokens\":[" LONG_TOKEN "],\"has_more\":false}"),
                     allocator, error);
}

static enum weir_status read_long_lines(const struct weir_allocator *allocator,
                                        struct weir_error *error)
{
    return read_file(WEIR_TEXT(LONG_TOKEN "\n" LONG_TOKEN), allocator, error);
}

/* Does not fit into the first buffer. */
static enum weir_status read_large_file(const struct weir_allocator *allocator,
                                        struct weir_error *error)
{
    struct printed file;
    enum weir_status status = WEIR_OK;

    text_begin(&file);
    (void)fprintf(file.stream, "[%s,%*s", SHORT_TOKEN, 300000, "");
    (void)fprintf(file.stream, "{\"id\":\"t\",%*s\"scope\":{\"ops\":[\"read\"]}}]", 300000, "");
    status = read_file(text_done(&file), allocator, error);
    text_free(&file);
    return status;
}

static enum weir_status parse_question(const char *json, const struct weir_allocator *allocator,
                                       struct weir_error *error)
{
    struct weir_question_buffer *buffer = NULL;
    struct weir_question question;
    enum weir_status status = weir_question_buffer_new(allocator, &buffer, error);

    if (status == WEIR_OK) {
        status = weir_question_parse(text_of(json), buffer, &question, error);
    }
    weir_question_buffer_free(buffer);
    return status;
}

static enum weir_status parse_short_question(const struct weir_allocator *allocator,
                                             struct weir_error *error)
{
    return parse_question("{\"token\":\"t\",\"op\":\"read\",\"stream\":\"s\",\"basin\":\"b\"}",
                          allocator, error);
}

static enum weir_status parse_long_question(const struct weir_allocator *allocator,
                                            struct weir_error *error)
{
    return parse_question("{\"token\":\"a rather long token\",\"op\":\"append\","
                          "\"stream\":\"users/1234567890/1234567890\",\"basin\":\"basin-0001\"}",
                          allocator, error);
}

static job *const short_jobs[] = {parse_short_token, parse_declared_token, read_short_array,
                                  read_short_object, read_short_lines,     parse_short_question};
static job *const all_jobs[] = {parse_short_token, parse_declared_token, read_short_array,
                                read_short_object, read_short_lines,     parse_long_token,
                                read_long_array,   read_long_object,     read_long_lines,
                                read_large_file,   parse_short_question, parse_long_question};
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void expect_out_of_memory(enum weir_status status, const struct weir_error *error)
{
    ck_assert_msg(status == WEIR_ERROR_MEMORY, "%s: %s", weir_status_name(status), error->message);
    expect_printable(status, error);
}

/* Runs the job with `tally` set up to fail, for each N; `other` must be without pieces as well. */
static void fail_each(job *run, const struct weir_allocator *allocator, struct tally *tally,
                      const struct tally *other, bool for_good)
{
    enum weir_status status = WEIR_ERROR_MEMORY;

    for (size_t at = 1; status != WEIR_OK; at++) {
        struct weir_error error = {0};

        *tally = (struct tally){.fails_at = at, .for_good = for_good};
        status = run(allocator, &error);
        ck_assert_uint_eq(tally->pieces + other->pieces, 0);
        if (tally->calls < at) {
            ck_assert_int_eq(status, WEIR_OK);
        } else {
            expect_out_of_memory(status, &error);
        }
        ck_assert_uint_lt(at, 10000);
    }
}

START_TEST(any_allocation_of_the_callers_allocator_may_fail)
{
    struct tally tally = {0};
    struct tally by_jansson = {0};
    struct weir_allocator allocator = tallying(&tally);

    tally_jansson(&by_jansson);
    for (size_t i = 0; i < COUNT(all_jobs); i++) {
        fail_each(all_jobs[i], &allocator, &tally, &by_jansson, false);
        fail_each(all_jobs[i], &allocator, &tally, &by_jansson, true);
    }
    tally_jansson(NULL);
}
END_TEST

START_TEST(all_allocations_of_jansson_may_fail_from_any_on)
{
    struct tally tally = {0};
    struct tally by_jansson = {0};
    struct weir_allocator allocator = tallying(&tally);

    tally_jansson(&by_jansson);
    for (size_t i = 0; i < COUNT(all_jobs); i++) {
        fail_each(all_jobs[i], &allocator, &by_jansson, &tally, true);
    }
    tally_jansson(NULL);
}
END_TEST

START_TEST(any_single_allocation_of_jansson_may_fail)
{
    struct tally tally = {0};
    struct tally by_jansson = {0};
    struct weir_allocator allocator = tallying(&tally);

    tally_jansson(&by_jansson);
    for (size_t i = 0; i < COUNT(short_jobs); i++) {
        fail_each(short_jobs[i], &allocator, &by_jansson, &tally, false);
    }
    tally_jansson(NULL);
}
END_TEST

/* When jansson cannot grow the buffer of a string, it drops a byte and goes on: `users/1234/` would
 * be read as `users/134/`. */
START_TEST(a_name_is_never_read_with_a_byte_missing)
{
    struct tally tally = {0};
    struct tally by_jansson = {0};
    struct weir_allocator allocator = tallying(&tally);

    tally_jansson(&by_jansson);
    fail_each(parse_long_token, &allocator, &by_jansson, &tally, false);
    fail_each(read_long_array, &allocator, &by_jansson, &tally, false);
    fail_each(read_long_lines, &allocator, &by_jansson, &tally, false);
    fail_each(parse_long_question, &allocator, &by_jansson, &tally, false);
    tally_jansson(NULL);
}
END_TEST

Suite *memory_suite(void)
{
    Suite *suite = suite_create("memory");
    TCase *cases = tcase_create("runs out");

    tcase_add_test(cases, any_allocation_of_the_callers_allocator_may_fail);
    tcase_add_test(cases, all_allocations_of_jansson_may_fail_from_any_on);
    tcase_add_test(cases, any_single_allocation_of_jansson_may_fail);
    tcase_add_test(cases, a_name_is_never_read_with_a_byte_missing);
    suite_add_tcase(suite, cases);
    return suite;
}
