#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "wire/generator.h"
#include "wire/support.h"

static struct weir_question_buffer *buffer;

static void make_buffer(void)
{
    ck_assert_int_eq(weir_question_buffer_new(NULL, &buffer, NULL), WEIR_OK);
}

static void free_buffer(void)
{
    weir_question_buffer_free(buffer);
    buffer = NULL;
}

static struct weir_question parse(struct weir_text json)
{
    struct weir_question question = {0};
    struct weir_error error = {.line = 77};

    if (weir_question_parse(json, buffer, &question, &error) != WEIR_OK) {
        ck_abort_msg("%.*s: %s", (int)json.length, json.bytes, error.message);
    }
    EXPECT(error.line == 77);
    return question;
}

static void expect_text(struct weir_text text, struct weir_text expected)
{
    EXPECT(text.length == expected.length);
    EXPECT(text.length == 0 || memcmp(text.bytes, expected.bytes, text.length) == 0);
}

START_TEST(each_operation_is_asked_with_just_the_fields_of_its_target)
{
    static const char *const fields[] = {
        [WEIR_TARGET_NONE] = "",
        [WEIR_TARGET_BASIN] = ",\"basin\":\"the basin\"",
        [WEIR_TARGET_STREAM] = ",\"stream\":\"the stream\",\"basin\":\"the basin\"",
        [WEIR_TARGET_ACCESS_TOKEN] = ",\"access_token\":\"the other\"",
    };

    for (unsigned number = 1; number <= WEIR_OPERATION_COUNT; number++) {
        enum weir_operation operation = (enum weir_operation)number;

        for (unsigned given = WEIR_TARGET_NONE; given <= WEIR_TARGET_ACCESS_TOKEN; given++) {
            struct weir_question question = {0};
            enum weir_target target = weir_operation_target(operation);
            char json[256];

            (void)snprintf(json, sizeof json, "{\"op\":\"%s\"%s,\"token\":\"the token\"}",
                           weir_operation_name(operation), fields[given]);
            if (given != target) {
                ck_assert_int_eq(weir_question_parse(text_of(json), buffer, &question, NULL),
                                 WEIR_ERROR_SCHEMA);
                continue;
            }
            question = parse(text_of(json));
            ck_assert_int_eq(question.request.operation, operation);
            expect_text(question.token_id, WEIR_TEXT("the token"));
            expect_text(question.request.basin,
                        target == WEIR_TARGET_BASIN || target == WEIR_TARGET_STREAM
                            ? WEIR_TEXT("the basin")
                            : WEIR_TEXT(""));
            expect_text(question.request.stream,
                        target == WEIR_TARGET_STREAM ? WEIR_TEXT("the stream") : WEIR_TEXT(""));
            expect_text(question.request.access_token, target == WEIR_TARGET_ACCESS_TOKEN
                                                           ? WEIR_TEXT("the other")
                                                           : WEIR_TEXT(""));
        }
    }
}
END_TEST

START_TEST(names_are_taken_as_they_are)
{
    struct weir_question question = parse(
        WEIR_TEXT("{\"token\":\"\",\"op\":\"read\",\"basin\":\"\",\"stream\":\"a\\u0000b\"}"));

    expect_text(question.token_id, WEIR_TEXT(""));
    expect_text(question.request.basin, WEIR_TEXT(""));
    expect_text(question.request.stream, WEIR_TEXT("a\0b"));
    question = parse(WEIR_TEXT("{\"token\":\"..\\u0000\",\"op\":\"issue-access-token\","
                               "\"access_token\":\"\\ud834\\udd1e\\n\"}\n"));
    expect_text(question.token_id, WEIR_TEXT("..\0"));
    expect_text(question.request.access_token, WEIR_TEXT("\xf0\x9d\x84\x9e\n"));
}
END_TEST

START_TEST(a_question_lives_in_the_buffer_and_not_in_the_line)
{
    char *line = strdup("{\"token\":\"tt\",\"op\":\"read\",\"basin\":\"bb\",\"stream\":\"ss\"}");
    struct weir_question question = parse(text_of(line));

    memset(line, 'x', strlen(line));
    free(line);
    expect_text(question.token_id, WEIR_TEXT("tt"));
    expect_text(question.request.basin, WEIR_TEXT("bb"));
    expect_text(question.request.stream, WEIR_TEXT("ss"));
}
END_TEST

START_TEST(any_names_are_read_back_however_they_are_spelt)
{
    uint64_t random = 17;

    for (int i = 0; i < 2000; i++) {
        struct generated names;
        struct printed json;
        struct weir_question question;

        generate_token(&random, &names);
        text_begin(&json);
        (void)fputs("{\"stream\" :", json.stream);
        print_string(json.stream, names.scopes[0].streams.name, &random);
        (void)fputs(", \"op\":\"fence\",\"token\":", json.stream);
        print_string(json.stream, names.token.id, &random);
        (void)fputs(",\"basin\":\t", json.stream);
        print_string(json.stream, names.scopes[0].access_tokens.name, &random);
        (void)fputs("}", json.stream);
        question = parse(text_done(&json));
        expect_text(question.token_id, names.token.id);
        expect_text(question.request.stream, names.scopes[0].streams.name);
        expect_text(question.request.basin, names.scopes[0].access_tokens.name);
        text_free(&json);
    }
}
END_TEST

START_TEST(the_buffer_is_used_again)
{
    struct tally tally = {0};
    struct weir_allocator allocator = tallying(&tally);
    struct weir_question_buffer *counted = NULL;
    struct weir_question question;

    ck_assert_int_eq(weir_question_buffer_new(&allocator, &counted, NULL), WEIR_OK);
    for (int i = 0; i < 1000; i++) {
        ck_assert_int_eq(
            weir_question_parse(WEIR_TEXT("{\"token\":\"some token\",\"op\":\"list-basins\"}"),
                                counted, &question, NULL),
            WEIR_OK);
    }
    ck_assert_uint_eq(tally.calls, 2);
    for (int length = 1; length < 1000; length++) {
        char json[1100];

        (void)snprintf(json, sizeof json, "{\"op\":\"list-basins\",\"token\":\"%0*d\"}", length, 0);
        ck_assert_int_eq(weir_question_parse(text_of(json), counted, &question, NULL), WEIR_OK);
        ck_assert_uint_eq(question.token_id.length, (size_t)length);
    }
    ck_assert_uint_le(tally.calls, 12);
    weir_question_buffer_free(counted);
    ck_assert_uint_eq(tally.pieces, 0);
    weir_question_buffer_free(NULL);
}
END_TEST

START_TEST(a_request_beyond_the_limit_is_not_looked_at)
{
    struct weir_question question;
    struct weir_error error;

    ck_assert_int_eq(weir_question_parse((struct weir_text){"{", WEIR_REQUEST_JSON_MAX + 1}, buffer,
                                         &question, &error),
                     WEIR_ERROR_LIMIT);
    expect_printable(WEIR_ERROR_LIMIT, &error);
}
END_TEST

static size_t parse_lines(const char *path)
{
    struct printed file;
    size_t count = 0;

    (void)text_of_file(&file, path);
    for (char *line = strtok(file.bytes, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        (void)parse(text_of(line));
        count++;
    }
    text_free(&file);
    return count;
}

START_TEST(the_requests_of_the_conformance_cases_are_read)
{
    size_t count = 0;
    glob_t found;

    ck_assert_int_eq(glob(WEIR_TEST_DATA "/conformance/*/requests.ndjson", 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        count += parse_lines(found.gl_pathv[i]);
    }
    ck_assert_uint_gt(count, 100);
    globfree(&found);
}
END_TEST

Suite *question_suite(void)
{
    Suite *suite = suite_create("questions");
    TCase *cases = tcase_create("read");

    tcase_add_checked_fixture(cases, make_buffer, free_buffer);
    tcase_add_test(cases, each_operation_is_asked_with_just_the_fields_of_its_target);
    tcase_add_test(cases, names_are_taken_as_they_are);
    tcase_add_test(cases, a_question_lives_in_the_buffer_and_not_in_the_line);
    tcase_add_test(cases, any_names_are_read_back_however_they_are_spelt);
    tcase_add_test(cases, the_buffer_is_used_again);
    tcase_add_test(cases, a_request_beyond_the_limit_is_not_looked_at);
    tcase_add_test(cases, the_requests_of_the_conformance_cases_are_read);
    suite_add_tcase(suite, cases);
    return suite;
}
