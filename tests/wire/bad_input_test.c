#include <stdlib.h>
#include <string.h>

#include "wire/support.h"

#define GOOD "{\"id\":\"good\",\"scope\":{\"ops\":[\"read\"]}}"

/* Puts the case's text between two others and reads that as a file; the error is in `error`. */
static enum weir_status read_between(const struct bad_case *bad, const char *before,
                                     const char *after, struct weir_error *error)
{
    struct printed file;
    enum weir_status status = WEIR_OK;

    text_begin(&file);
    (void)fputs(before, file.stream);
    (void)fwrite(bad->text.bytes, 1, bad->text.length, file.stream);
    (void)fputs(after, file.stream);
    status = read_file(text_done(&file), NULL, error);
    text_free(&file);
    return status;
}

static void expect_token_refused(const struct bad_case *bad)
{
    struct weir_token *token = NULL;
    struct weir_error error;
    enum weir_status status = weir_token_parse(bad->text, NULL, &token, &error);

    expect_bad(bad, status, &error, "");
    ck_assert_ptr_null(token);
    ck_assert_int_eq(weir_token_parse(bad->text, NULL, &token, NULL), status);
    ck_assert_ptr_null(token);
}

START_TEST(a_bad_token_is_refused_with_its_place)
{
    ck_assert_uint_ge(each_bad_case("bad_tokens.txt", expect_token_refused), 120);
}
END_TEST

static void expect_line_refused(const struct bad_case *bad)
{
    struct bad_case in_line = *bad;
    struct weir_error error;
    enum weir_status status = WEIR_OK;

    if (bad->text.bytes[0] == ' ') {
        return; /* a blank line is none */
    }
    in_line.line = 3;
    if (strcmp(bad->fragment, "ends in the middle") == 0) {
        (void)snprintf(in_line.fragment, sizeof in_line.fragment, "each token stands on one line");
    }
    status = read_between(bad, GOOD "\n\n", "\n" GOOD "\n", &error);
    expect_bad(&in_line, status, &error, "");
    status = read_between(bad, GOOD "\n\n", "", &error);
    expect_bad(&in_line, status, &error, "");
}

START_TEST(a_bad_token_on_a_line_is_refused_with_its_line)
{
    ck_assert_uint_ge(each_bad_case("bad_tokens.txt", expect_line_refused), 120);
}
END_TEST

/* In brackets, a text that is not well-formed may swallow what follows: only that the file is
 * refused can be said of it then. */
static void expect_element_refused(const struct bad_case *bad, const char *before,
                                   const char *after, const char *place)
{
    struct bad_case in_list = *bad;
    struct weir_error error;
    enum weir_status status = read_between(bad, before, after, &error);

    expect_printable(status, &error);
    if (strcmp(bad->status, "syntax") != 0 && strcmp(bad->status, "limit") != 0) {
        in_list.line = bad->line > 0 ? 2 : 0;
        expect_bad(&in_list, status, &error, place);
    }
}

static void expect_refused_in_array(const struct bad_case *bad)
{
    expect_element_refused(bad, "[" GOOD ",\n", "\n," GOOD "]", "[1]");
}

static void expect_refused_in_object(const struct bad_case *bad)
{
    expect_element_refused(bad, "{\"has_more\":true,\"access_tokens\":[" GOOD "," GOOD ",\n", "]}",
                           "access_tokens[2]");
}

START_TEST(a_bad_token_in_a_list_is_refused_with_its_index)
{
    ck_assert_uint_ge(each_bad_case("bad_tokens.txt", expect_refused_in_array), 120);
    ck_assert_uint_ge(each_bad_case("bad_tokens.txt", expect_refused_in_object), 120);
}
END_TEST

static void expect_file_refused(const struct bad_case *bad)
{
    struct weir_error error;
    enum weir_status status = read_file(bad->text, NULL, &error);

    expect_bad(bad, status, &error, "");
    ck_assert_int_eq(read_file(bad->text, NULL, NULL), status);
}

START_TEST(a_bad_file_is_refused_with_its_place)
{
    ck_assert_uint_ge(each_bad_case("bad_files.txt", expect_file_refused), 100);
}
END_TEST

/* Reads the case's text in pieces of every kind and expects the same words each time. */
static void expect_same_in_pieces(const struct bad_case *bad)
{
    char *whole = describe_file(bad->text, SIZE_MAX, 0);

    for (uint64_t seed = 0; seed < 4; seed++) {
        char *pieces = describe_file(bad->text, seed, seed); /* seed 0: of random sizes */

        ck_assert_msg(strcmp(whole, pieces) == 0, "%s: %.1000s\n%.1000s", bad->name, whole, pieces);
        free(pieces);
    }
    free(whole);
}

START_TEST(what_is_said_of_a_bad_file_does_not_depend_on_the_pieces_it_comes_in)
{
    (void)each_bad_case("bad_files.txt", expect_same_in_pieces);
    (void)each_bad_case("bad_tokens.txt", expect_same_in_pieces);
}
END_TEST

static void expect_request_refused(const struct bad_case *bad)
{
    struct weir_question_buffer *buffer = NULL;
    struct weir_question question = {.token_id = WEIR_TEXT("untouched")};
    struct weir_error error;
    enum weir_status status = WEIR_OK;

    ck_assert_int_eq(weir_question_buffer_new(NULL, &buffer, &error), WEIR_OK);
    status = weir_question_parse(bad->text, buffer, &question, &error);
    expect_bad(bad, status, &error, "");
    ck_assert_int_eq(weir_question_parse(bad->text, buffer, &question, NULL), status);
    ck_assert_uint_eq(question.token_id.length, 9);
    weir_question_buffer_free(buffer);
}

START_TEST(a_bad_request_is_refused_and_the_field_named)
{
    ck_assert_uint_ge(each_bad_case("bad_requests.txt", expect_request_refused), 45);
}
END_TEST

Suite *bad_input_suite(void)
{
    Suite *suite = suite_create("bad input");
    TCase *cases = tcase_create("refused");

    tcase_add_test(cases, a_bad_token_is_refused_with_its_place);
    tcase_add_test(cases, a_bad_token_on_a_line_is_refused_with_its_line);
    tcase_add_test(cases, a_bad_token_in_a_list_is_refused_with_its_index);
    tcase_add_test(cases, a_bad_file_is_refused_with_its_place);
    tcase_add_test(cases, what_is_said_of_a_bad_file_does_not_depend_on_the_pieces_it_comes_in);
    tcase_add_test(cases, a_bad_request_is_refused_and_the_field_named);
    suite_add_tcase(suite, cases);
    return suite;
}
