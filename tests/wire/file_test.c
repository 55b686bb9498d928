#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "wire/generator.h"
#include "wire/support.h"

#define TOKEN(id) "{\"id\":\"" id "\",\"scope\":{\"ops\":[\"read\"]}}"

/* The positions, ids and form of a file that is read. */
struct visited {
    char ids[256];
    enum weir_token_file_form form;
};

static enum weir_status note_id(void *context, const struct weir_token *token, uint64_t position,
                                struct weir_error *error)
{
    struct visited *visited = context;
    size_t length = strlen(visited->ids);

    (void)error;
    (void)snprintf(visited->ids + length, sizeof visited->ids - length, "%llu=%.*s ",
                   (unsigned long long)position, (int)token->id.length, token->id.bytes);
    return WEIR_OK;
}

static void expect_ids(struct weir_text file, enum weir_token_file_form form, const char *ids)
{
    for (size_t most = 1; most <= 3; most++) {
        struct bytes_source source = bytes_from(file, most < 3 ? most : SIZE_MAX);
        struct visited visited = {.form = (enum weir_token_file_form) - 1};
        struct weir_error error = {.line = 77};

        ck_assert_msg(weir_token_file_read(read_bytes, &source, NULL, note_id, &visited,
                                           &visited.form, &error) == WEIR_OK,
                      "%.*s: %s", (int)file.length, file.bytes, error.message);
        ck_assert_uint_eq(error.line, 77);
        ck_assert_int_eq(visited.form, form);
        ck_assert_str_eq(visited.ids, ids);
    }
}

START_TEST(an_array_is_read_in_order_with_its_indexes)
{
    expect_ids(WEIR_TEXT("[" TOKEN("a") "," TOKEN("b") "]"), WEIR_FORM_ARRAY, "0=a 1=b ");
    expect_ids(WEIR_TEXT(" \r\n\t[ " TOKEN("a") " \n, " TOKEN("b") " ] \n"), WEIR_FORM_ARRAY,
               "0=a 1=b ");
    expect_ids(WEIR_TEXT("[\n]"), WEIR_FORM_ARRAY, "");
    expect_ids(WEIR_TEXT("[" TOKEN("]},\\\"{[\\\\") "]"), WEIR_FORM_ARRAY, "0=]},\"{[\\ ");
}
END_TEST

START_TEST(an_object_is_read_in_order_with_its_indexes)
{
    expect_ids(WEIR_TEXT("{\"access_tokens\":[" TOKEN("a") "," TOKEN("b") "]}"), WEIR_FORM_OBJECT,
               "0=a 1=b ");
    expect_ids(WEIR_TEXT("\n{ \"access_tokens\" : [ ] , \"has_more\" : true }\n"), WEIR_FORM_OBJECT,
               "");
    expect_ids(WEIR_TEXT("{\"has_more\":false,\"access_tokens\":[" TOKEN("a") "]}"),
               WEIR_FORM_OBJECT, "0=a ");
    expect_ids(WEIR_TEXT("{\n\"\\u0061ccess_token\\u0073\":[" TOKEN("a") "],\"has\\u005fmore\":"
                                                                         "true}"),
               WEIR_FORM_OBJECT, "0=a ");
    expect_ids(WEIR_TEXT("{\"\\u0061\\u0063\\u0063\\u0065\\u0073\\u0073\\u005f\\u0074\\u006f\\u006b"
                         "\\u0065\\u006e\\u0073\":[]}"),
               WEIR_FORM_OBJECT, "");
}
END_TEST

START_TEST(lines_are_read_in_order_with_their_numbers)
{
    expect_ids(WEIR_TEXT(TOKEN("a") "\n" TOKEN("b") "\n"), WEIR_FORM_LINES, "1=a 2=b ");
    expect_ids(WEIR_TEXT(TOKEN("a") "\n" TOKEN("b")), WEIR_FORM_LINES, "1=a 2=b ");
    expect_ids(WEIR_TEXT("\n \t\r\n\t" TOKEN("a") " \r\n\n\n  \n" TOKEN("b") "\n  "),
               WEIR_FORM_LINES, "3=a 7=b ");
    expect_ids(WEIR_TEXT("{ \"scope\":{\"ops\":[\"read\"]},\"id\":\"a\"}"), WEIR_FORM_LINES,
               "1=a ");
}
END_TEST

/*
 * ---- Any pieces ----
 */

/* Prints a file of random tokens, and what reading it should print. */
static void random_file(uint64_t *random, enum weir_token_file_form form, FILE *file,
                        FILE *expected)
{
    size_t count = next_random(random) % 6;
    uint64_t line = 1;

    count += form == WEIR_FORM_LINES && count == 0;
    (void)fputs(form == WEIR_FORM_OBJECT  ? "{\"access_tokens\":["
                : form == WEIR_FORM_ARRAY ? " [ "
                                          : "",
                file);
    for (size_t i = 0; i < count; i++) {
        struct generated generated;

        generate_token(random, &generated);
        if (form == WEIR_FORM_LINES && next_random(random) % 4 == 0) {
            (void)fputs(" \n", file);
            line++;
        }
        if (form != WEIR_FORM_LINES && i > 0) {
            (void)fputs(" ,\n", file);
        }
        print_token(file, &generated.token, form != WEIR_FORM_LINES, random);
        (void)fprintf(expected, "%llu: ",
                      form == WEIR_FORM_LINES ? (unsigned long long)line : (unsigned long long)i);
        describe_token(expected, &generated.token);
        if (form == WEIR_FORM_LINES) {
            (void)fputs("\n", file);
            line++;
        }
    }
    (void)fputs(form == WEIR_FORM_OBJECT  ? "],\"has_more\":false}"
                : form == WEIR_FORM_ARRAY ? "]\n"
                                          : "",
                file);
    (void)fprintf(expected, "form %d: ok 0:0  \n", (int)form);
}

START_TEST(a_file_is_the_same_in_whatever_pieces_it_comes)
{
    uint64_t random = 11;

    for (int i = 0; i < 600; i++) {
        struct printed file;
        struct printed expected;

        text_begin(&file);
        text_begin(&expected);
        random_file(&random, (enum weir_token_file_form)(i % 3), file.stream, expected.stream);
        (void)text_done(&file);
        (void)text_done(&expected);
        for (size_t most = 0; most < 4; most++) {
            char *got = describe_file((struct weir_text){file.bytes, file.length},
                                      most < 3 ? most : SIZE_MAX, random);

            ck_assert_msg(strcmp(got, expected.bytes) == 0, "%.1000s\n%.1000s\n%.1000s", file.bytes,
                          got, expected.bytes);
            free(got);
        }
        text_free(&file);
        text_free(&expected);
    }
}
END_TEST

START_TEST(no_beginning_of_a_list_is_a_file)
{
    static const char *const files[] = {
        "[" TOKEN("a") "," TOKEN("b") "]",
        "{\"access_tokens\":[" TOKEN("a") "," TOKEN("b\\\"") "],\"has_more\":true}",
    };

    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct weir_text text = text_of(files[i]);

        ck_assert_int_eq(read_file(text, NULL, NULL), WEIR_OK);
        while (text.length-- > 0) {
            struct weir_error error = {0};
            enum weir_status status = read_file(text, NULL, &error);

            ck_assert_msg(status == WEIR_ERROR_SYNTAX, "%.*s: %s", (int)text.length, text.bytes,
                          weir_status_name(status));
            expect_printable(status, &error);
            ck_assert_uint_eq(error.line, 1);
            /* Half a word, such as `tru`, is reported where it begins. */
            ck_assert_uint_ge(error.column + 3, text.length + 1);
        }
    }
}
END_TEST

START_TEST(a_spoilt_file_is_read_or_refused_in_words_that_may_be_shown)
{
    uint64_t random = 13;

    for (int i = 0; i < 3000; i++) {
        struct printed file;
        struct printed expected;
        struct weir_error error = {0};
        enum weir_status status = WEIR_OK;

        text_begin(&file);
        text_begin(&expected);
        random_file(&random, (enum weir_token_file_form)(i % 3), file.stream, expected.stream);
        (void)text_done(&file);
        (void)text_done(&expected);
        for (uint64_t spoilt = 1 + next_random(&random) % 3; spoilt > 0; spoilt--) {
            static const char favourites[] = "{}[]\":,\\ \n\0a\xff";

            file.bytes[next_random(&random) % file.length] =
                favourites[next_random(&random) % (sizeof favourites - 1)];
        }
        status = read_file((struct weir_text){file.bytes, file.length}, NULL, &error);
        if (status != WEIR_OK) {
            expect_printable(status, &error);
        }
        text_free(&file);
        text_free(&expected);
    }
}
END_TEST

/*
 * ---- Failures of others ----
 */

START_TEST(a_failure_to_read_is_reported_wherever_it_happens)
{
    static const char *const files[] = {
        " [" TOKEN("a") "," TOKEN("b") "] ",
        "{\"access_tokens\":[" TOKEN("a") "," TOKEN("b") "],\"has_more\":true} ",
        TOKEN("a") "\n \n" TOKEN("b") "\n",
    };

    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct weir_text text = text_of(files[i]);

        for (size_t from = 0; from <= text.length; from++) {
            struct bytes_source source = bytes_from(text, from % 3 == 0 ? 1 : SIZE_MAX);
            struct weir_error error = {0};

            source.fails_from = from;
            source.fails_with = EIO;
            ck_assert_int_eq(
                weir_token_file_read(read_bytes, &source, NULL, ignore_token, NULL, NULL, &error),
                WEIR_ERROR_IO);
            ck_assert_str_eq(error.message, "reading failed: Input/output error");
            ck_assert_int_eq(error.status, WEIR_ERROR_IO);
        }
    }
}
END_TEST

static ptrdiff_t read_too_much(void *context, void *buffer, size_t size)
{
    (void)context;
    memset(buffer, ' ', size);
    return (ptrdiff_t)size + 1;
}

START_TEST(a_reader_that_claims_more_than_there_was_room_for_is_not_believed)
{
    ck_assert_int_eq(
        weir_token_file_read(read_too_much, NULL, NULL, ignore_token, NULL, NULL, NULL),
        WEIR_ERROR_ARGUMENT);
}
END_TEST

/* Fails at the second token, with the place that the context says, or without filling in
 * anything. */
static enum weir_status refuse_second(void *context, const struct weir_token *token,
                                      uint64_t position, struct weir_error *error)
{
    const char *place = context;

    (void)position;
    if (token->id.bytes[0] != 'b') {
        return WEIR_OK;
    }
    if (place != NULL) {
        (void)snprintf(error->place, sizeof error->place, "%s", place);
        (void)snprintf(error->message, sizeof error->message, "refused");
    }
    return WEIR_ERROR_DUPLICATE;
}

START_TEST(a_visitors_refusal_ends_the_reading_and_gets_the_tokens_place)
{
    static const struct {
        const char *file;
        const char *given;
        const char *place;
        uint64_t line;
    } rows[] = {
        {"[" TOKEN("a") "," TOKEN("b") ",broken", "scope.streams", "[1].scope.streams", 0},
        {"[" TOKEN("a") "," TOKEN("b") ",broken", "", "[1]", 0},
        {"[" TOKEN("a") "," TOKEN("b") ",broken", ".id", "[1].id", 0},
        {"{\"access_tokens\":[" TOKEN("a") "," TOKEN("b") ",broken", "id", "access_tokens[1].id",
         0},
        {"{\"access_tokens\":[" TOKEN("b") ",broken", NULL, "access_tokens[0]", 0},
        {TOKEN("a") "\n\n" TOKEN("b") "\nbroken", "id", "id", 3},
        {TOKEN("a") "\n\n" TOKEN("b") "\nbroken", NULL, "", 3},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct bytes_source source = bytes_from(text_of(rows[i].file), 1);
        struct weir_error error;
        char given[64];

        memset(&error, 0xa5, sizeof error);
        (void)snprintf(given, sizeof given, "%s", rows[i].given != NULL ? rows[i].given : "");
        ck_assert_int_eq(weir_token_file_read(read_bytes, &source, NULL, refuse_second,
                                              rows[i].given != NULL ? given : NULL, NULL, &error),
                         WEIR_ERROR_DUPLICATE);
        ck_assert_int_eq(error.status, WEIR_ERROR_DUPLICATE);
        ck_assert_str_eq(error.place, rows[i].place);
        ck_assert_uint_eq(error.line, rows[i].line);
        ck_assert_str_eq(error.message, rows[i].given != NULL ? "refused" : "");
        source = bytes_from(text_of(rows[i].file), SIZE_MAX);
        ck_assert_int_eq(
            weir_token_file_read(read_bytes, &source, NULL, refuse_second, NULL, NULL, NULL),
            WEIR_ERROR_DUPLICATE);
    }
}
END_TEST

START_TEST(the_place_of_a_token_is_the_same_afterwards)
{
    struct weir_error error = {.place = ""};

    weir_token_file_place(WEIR_FORM_OBJECT, 3, &error);
    ck_assert_str_eq(error.place, "access_tokens[3]");
    error = (struct weir_error){.place = "credential_digest"};
    weir_token_file_place(WEIR_FORM_ARRAY, UINT64_MAX, &error);
    ck_assert_str_eq(error.place, "[18446744073709551615].credential_digest");
    error = (struct weir_error){.place = "id"};
    weir_token_file_place(WEIR_FORM_LINES, 12, &error);
    ck_assert_str_eq(error.place, "id");
    ck_assert_uint_eq(error.line, 12);
    weir_token_file_place(WEIR_FORM_ARRAY, 1, NULL);
}
END_TEST

/*
 * ---- Size ----
 */

/* A file that is made while it is read: `head`, `count` times `element`, `tail`. */
struct made_file {
    const char *head;
    const char *element;
    const char *tail;
    size_t count;
    size_t next;   /* piece: 0 is the head, count + 1 the tail */
    size_t offset; /* in that piece */
};

static ptrdiff_t read_made(void *context, void *buffer, size_t size)
{
    struct made_file *file = context;
    char *out = buffer;
    size_t filled = 0;

    while (filled < size && file->next < file->count + 2) {
        const char *piece = file->next == 0             ? file->head
                            : file->next <= file->count ? file->element
                                                        : file->tail;
        size_t left = strlen(piece + file->offset);
        size_t taken = left < size - filled ? left : size - filled;

        memcpy(out + filled, piece + file->offset, taken);
        filled += taken;
        file->offset += taken;
        if (taken == left) {
            file->next++;
            file->offset = 0;
        }
    }
    return (ptrdiff_t)filled;
}

#define MANY ((size_t)200000)

START_TEST(memory_does_not_grow_with_the_number_of_tokens)
{
    static const struct made_file files[] = {
        {"[", TOKEN("a") ",", TOKEN("z") "]", MANY, 0, 0},
        {"{\"access_tokens\":[", TOKEN("a") ",", TOKEN("z") "],\"has_more\":false}", MANY, 0, 0},
        {"", TOKEN("a") "\n", TOKEN("z"), MANY, 0, 0},
    };

    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct made_file file = files[i];
        struct tally tally = {0};
        struct tally by_jansson = {0};
        struct weir_allocator allocator = tallying(&tally);
        size_t count = 0;

        tally_jansson(&by_jansson);
        ck_assert_int_eq(
            weir_token_file_read(read_made, &file, &allocator, count_token, &count, NULL, NULL),
            WEIR_OK);
        tally_jansson(NULL);
        ck_assert_uint_eq(count, MANY + 1);
        ck_assert_uint_le(tally.peak, 128 << 10);
        ck_assert_uint_le(tally.calls, 4);
        ck_assert_uint_le(by_jansson.peak, 16 << 10);
        ck_assert_uint_eq(tally.pieces + by_jansson.pieces, 0);
    }
}
END_TEST

START_TEST(memory_stays_within_a_small_multiple_of_the_largest_token)
{
    char *element = malloc((1 << 20) + 1);
    struct made_file file = {"[{\"id\":\"", element, "\"}]", 3, 0, 0};
    struct tally tally = {0};
    struct weir_allocator allocator = tallying(&tally);
    struct weir_error error;

    memset(element, 'i', 1 << 20);
    element[1 << 20] = '\0';
    ck_assert_int_eq(
        weir_token_file_read(read_made, &file, &allocator, ignore_token, NULL, NULL, &error),
        WEIR_ERROR_SCHEMA);
    ck_assert_uint_le(tally.peak, 18 << 20); /* old and new buffer side by side */
    ck_assert_uint_eq(tally.pieces, 0);
    free(element);
}
END_TEST

START_TEST(a_token_beyond_the_limit_is_refused_before_it_is_read_whole)
{
    static const struct {
        const char *head;
        const char *place;
        uint64_t line;
    } rows[] = {
        {"[" TOKEN("a") ",{\"id\":\"", "[1]", 0},
        {"{\"access_tokens\":[{\"id\":\"", "access_tokens[0]", 0},
        {TOKEN("a") "\n{\"id\":\"", "", 2},
    };
    char *element = malloc((1 << 20) + 1);

    memset(element, 'i', 1 << 20);
    element[1 << 20] = '\0';
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct made_file file = {rows[i].head, element, "", SIZE_MAX - 2, 0, 0};
        struct weir_error error = {0};

        ck_assert_int_eq(
            weir_token_file_read(read_made, &file, NULL, ignore_token, NULL, NULL, &error),
            WEIR_ERROR_LIMIT);
        ck_assert_str_eq(error.message, "a token of more than 268435456 bytes of JSON");
        ck_assert_str_eq(error.place, rows[i].place);
        ck_assert_uint_eq(error.line, rows[i].line);
        ck_assert_uint_le(file.next, 600);
    }
    free(element);
}
END_TEST

START_TEST(a_text_beyond_the_limit_is_not_looked_at)
{
    struct weir_token *token = NULL;
    struct weir_error error;
    struct weir_text text = {"{", WEIR_TOKEN_JSON_MAX + 1};

    ck_assert_int_eq(weir_token_parse(text, NULL, &token, &error), WEIR_ERROR_LIMIT);
}
END_TEST

START_TEST(blanks_before_the_first_key_cost_time_in_proportion)
{
    char *element = malloc((1 << 20) + 1);
    struct made_file file = {"{", element, "\"access_tokens\":[]}", 64, 0, 0};
    enum weir_token_file_form form = WEIR_FORM_LINES;

    memset(element, ' ', 1 << 20);
    element[1 << 20] = '\0';
    ck_assert_int_eq(weir_token_file_read(read_made, &file, NULL, ignore_token, NULL, &form, NULL),
                     WEIR_OK);
    ck_assert_int_eq(form, WEIR_FORM_OBJECT);
    free(element);
}
END_TEST

/*
 * ---- The conformance cases ----
 */

START_TEST(the_token_files_of_the_conformance_cases_are_read)
{
    glob_t found;

    ck_assert_int_eq(glob(WEIR_TEST_DATA "/conformance/*/tokens.json", 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        struct printed file;
        struct weir_text text = text_of_file(&file, found.gl_pathv[i]);
        struct bytes_source source = bytes_from(text, 0);
        struct weir_error error = {0};
        size_t count = 0;

        ck_assert_msg(weir_token_file_read(read_bytes, &source, NULL, count_token, &count, NULL,
                                           &error) == WEIR_OK,
                      "%s: %s: %s", found.gl_pathv[i], error.place, error.message);
        ck_assert_uint_gt(count, 0);
        text_free(&file);
    }
    ck_assert_uint_gt(found.gl_pathc, 0);
    globfree(&found);
}
END_TEST

Suite *file_suite(void)
{
    Suite *suite = suite_create("token files");
    TCase *forms = tcase_create("forms");
    TCase *failures = tcase_create("failures");
    TCase *size = tcase_create("size");

    tcase_add_test(forms, an_array_is_read_in_order_with_its_indexes);
    tcase_add_test(forms, an_object_is_read_in_order_with_its_indexes);
    tcase_add_test(forms, lines_are_read_in_order_with_their_numbers);
    tcase_add_test(forms, a_file_is_the_same_in_whatever_pieces_it_comes);
    tcase_add_test(forms, the_token_files_of_the_conformance_cases_are_read);
    suite_add_tcase(suite, forms);
    tcase_add_test(failures, no_beginning_of_a_list_is_a_file);
    tcase_add_test(failures, a_spoilt_file_is_read_or_refused_in_words_that_may_be_shown);
    tcase_add_test(failures, a_failure_to_read_is_reported_wherever_it_happens);
    tcase_add_test(failures, a_reader_that_claims_more_than_there_was_room_for_is_not_believed);
    tcase_add_test(failures, a_visitors_refusal_ends_the_reading_and_gets_the_tokens_place);
    tcase_add_test(failures, the_place_of_a_token_is_the_same_afterwards);
    suite_add_tcase(suite, failures);
    tcase_add_test(size, memory_does_not_grow_with_the_number_of_tokens);
    tcase_add_test(size, memory_stays_within_a_small_multiple_of_the_largest_token);
    tcase_add_test(size, a_token_beyond_the_limit_is_refused_before_it_is_read_whole);
    tcase_add_test(size, a_text_beyond_the_limit_is_not_looked_at);
    tcase_add_test(size, blanks_before_the_first_key_cost_time_in_proportion);
    suite_add_tcase(suite, size);
    return suite;
}
