#include <weir/wire.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "vocabulary/failure.h"
#include "vocabulary/text.h"
#include "wire/extent.h"
#include "wire/json.h"
#include "wire/source.h"
#include "wire/token_reading.h"

/* A token file while it is read. */
struct token_file {
    struct weir_source source;
    struct weir_token_reading reading;
    weir_token_visitor *visit;
    void *visit_context;
    enum weir_token_file_form form;
    struct weir_error *error; /* never NULL */
};

static enum weir_status fail(struct token_file *file, enum weir_status status, const char *message)
{
    return weir_source_fail(&file->source, status, message, file->error);
}

/* What is wrong with a byte (-1: the end) that should be another one. */
static enum weir_status fail_expected(struct token_file *file, int byte, const char *expected)
{
    return fail(file, WEIR_ERROR_SYNTAX, byte < 0 ? WEIR_JSON_ENDS_EARLY : expected);
}

/*
 * ---- Pieces of the text ----
 */

/* Whether the byte (-1: the end) does not already belong to what follows a value. */
static bool may_begin_value(int byte)
{
    return byte >= 0 && byte != ',' && byte != ':' && byte != ']' && byte != '}';
}

/* Takes blanks up to the next byte, which stays; -1 at the end of the file. */
static enum weir_status next_byte(struct token_file *file, int *byte)
{
    for (;;) {
        struct weir_text text = weir_source_text(&file->source);
        size_t blanks = 0;
        enum weir_status status = WEIR_OK;

        while (blanks < text.length && weir_is_blank(text.bytes[blanks])) {
            blanks++;
        }
        if (blanks > 0) {
            weir_source_take(&file->source, blanks);
        }
        if (blanks < text.length || file->source.ended) {
            *byte = blanks < text.length ? (unsigned char)text.bytes[blanks] : -1;
            return WEIR_OK;
        }
        status = weir_source_more(&file->source, file->error);
        if (status != WEIR_OK) {
            return status;
        }
    }
}

static enum weir_status fail_size(struct token_file *file)
{
    return weir_fail(file->error, WEIR_ERROR_LIMIT, "a token of more than %zu bytes of JSON",
                     WEIR_TOKEN_JSON_MAX);
}

/* Finds the whole of the value that begins with the next byte; it stays. What the file's end cuts
 * short is given as it is, for the reader of the value to complain. */
static enum weir_status next_value(struct token_file *file, struct weir_text *value)
{
    struct weir_extent extent = {0};

    while (!weir_extent_find(&extent, weir_source_text(&file->source)) && !file->source.ended) {
        enum weir_status status = WEIR_OK;

        if (extent.length > WEIR_TOKEN_JSON_MAX) {
            break;
        }
        status = weir_source_more(&file->source, file->error);
        if (status != WEIR_OK) {
            return status;
        }
    }
    if (extent.length > WEIR_TOKEN_JSON_MAX) {
        return fail_size(file);
    }
    *value = (struct weir_text){weir_source_text(&file->source).bytes, extent.length};
    return WEIR_OK;
}

/* Loads the JSON at the front of the text. */
static enum weir_status load(struct token_file *file, struct weir_text json, json_t **value)
{
    enum weir_status status = weir_json_load(json, WEIR_TOKEN_JSON_VALUES_MAX, value, file->error);

    if (status != WEIR_OK) {
        weir_source_locate(&file->source, file->error);
    }
    return status;
}

/* Loads the value that begins with the next byte and takes it, unless that fails. */
static enum weir_status take_value(struct token_file *file, json_t **value)
{
    struct weir_text json = {0};
    enum weir_status status = next_value(file, &json);

    if (status == WEIR_OK) {
        status = load(file, json, value);
    }
    if (status == WEIR_OK) {
        weir_source_take(&file->source, json.length);
    }
    return status;
}

/*
 * ---- Tokens ----
 */

void weir_token_file_place(enum weir_token_file_form form, uint64_t position,
                           struct weir_error *error)
{
    const char *list = form == WEIR_FORM_OBJECT ? "access_tokens" : "";
    const char *dot = "";

    if (error == NULL) {
        return;
    }
    if (form == WEIR_FORM_LINES) {
        error->line = position;
        return;
    }
    if (error->place[0] != '\0' && error->place[0] != '.' && error->place[0] != '[') {
        dot = ".";
    }
    weir_error_within(error, "%s[%" PRIu64 "]%s", list, position, dot);
}

/* Reads and visits the token whose JSON stands at the front of the text. */
static enum weir_status visit_token(struct token_file *file, struct weir_text json,
                                    uint64_t position)
{
    json_t *value = NULL;
    enum weir_status status = load(file, json, &value);

    if (status == WEIR_OK) {
        status = weir_token_reading_next(&file->reading, value, file->error);
        if (status == WEIR_OK) {
            status = file->visit(file->visit_context, &file->reading.token, position, file->error);
        }
        json_decref(value);
    }
    if (status != WEIR_OK) {
        weir_token_file_place(file->form, position, file->error);
    }
    return status;
}

/*
 * ---- A line for each token ----
 */

static bool all_blank(struct weir_text text)
{
    for (size_t i = 0; i < text.length; i++) {
        if (!weir_is_blank(text.bytes[i])) {
            return false;
        }
    }
    return true;
}

/* Finds the line at the front of the text, without its line break. `*whole` is its length with it:
 * the same at the end of the file. */
static enum weir_status next_line(struct token_file *file, struct weir_text *line, size_t *whole)
{
    const char *line_break = NULL;
    size_t searched = 0;

    for (;;) {
        struct weir_text text = weir_source_text(&file->source);
        enum weir_status status = WEIR_OK;

        if (text.bytes != NULL) {
            line_break = memchr(text.bytes + searched, '\n', text.length - searched);
        }
        *line = text;
        if (line_break != NULL) {
            line->length = (size_t)(line_break - text.bytes);
        }
        *whole = line->length + (line_break != NULL);
        if (line->length > WEIR_TOKEN_JSON_MAX) {
            (void)fail_size(file);
            weir_token_file_place(file->form, file->source.lines + 1, file->error);
            return WEIR_ERROR_LIMIT;
        }
        if (line_break != NULL || file->source.ended) {
            return WEIR_OK;
        }
        searched = text.length;
        status = weir_source_more(&file->source, file->error);
        if (status != WEIR_OK) {
            return status;
        }
    }
}

/* A token that is spread over several lines is the usual reason. `error` is weir_token_file_read's
 * own, never NULL, which an analyzer does not see. */
static void explain_early_end(struct weir_error *error)
{
    /* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker) */
    if (strcmp(error->message, WEIR_JSON_ENDS_EARLY) == 0) {
        (void)snprintf(error->message, sizeof error->message, "%s",
                       "the line ends in the middle of a token: outside of an array, each token "
                       "stands on one line");
    }
}

static enum weir_status read_lines(struct token_file *file)
{
    for (;;) {
        struct weir_text line = {0};
        size_t whole = 0;
        enum weir_status status = next_line(file, &line, &whole);

        if (status == WEIR_OK && !all_blank(line)) {
            status = visit_token(file, line, file->source.lines + 1);
            if (status == WEIR_ERROR_SYNTAX) {
                explain_early_end(file->error);
            }
        }
        if (status != WEIR_OK || whole == line.length) {
            return status;
        }
        weir_source_take_line(&file->source, whole);
    }
}

/*
 * ---- An array of tokens ----
 */

static enum weir_status read_element(struct token_file *file, int first, uint64_t index)
{
    struct weir_text json = {0};
    enum weir_status status = WEIR_OK;

    if (!may_begin_value(first)) {
        return fail_expected(file, first, "a token was expected");
    }
    status = next_value(file, &json);
    if (status != WEIR_OK) {
        if (status == WEIR_ERROR_LIMIT) {
            weir_token_file_place(file->form, index, file->error);
        }
        return status;
    }
    status = visit_token(file, json, index);
    if (status == WEIR_OK) {
        weir_source_take(&file->source, json.length);
    }
    return status;
}

/* Reads the array whose opening bracket is the next byte. */
static enum weir_status read_array(struct token_file *file)
{
    int byte = 0;
    enum weir_status status = WEIR_OK;

    weir_source_take(&file->source, 1);
    status = next_byte(file, &byte);
    for (uint64_t index = 0; status == WEIR_OK && (byte != ']' || index > 0); index++) {
        status = read_element(file, byte, index);
        if (status == WEIR_OK) {
            status = next_byte(file, &byte);
        }
        if (status != WEIR_OK || byte == ']') {
            break;
        }
        if (byte != ',') {
            return fail_expected(file, byte, "',' or ']' was expected");
        }
        weir_source_take(&file->source, 1);
        status = next_byte(file, &byte);
    }
    if (status == WEIR_OK) {
        weir_source_take(&file->source, 1);
    }
    return status;
}

/*
 * ---- An object with such an array in it ----
 */

static const struct weir_text access_tokens_name = {"access_tokens", 13};
static const struct weir_text has_more_name = {"has_more", 8};

/* Which fields have been seen. */
struct list_fields {
    bool access_tokens;
    bool has_more;
};

/* Fails because of a value that is not `wanted`; it still has to be well-formed. */
static enum weir_status fail_list_field(struct token_file *file, const char *place,
                                        const char *wanted)
{
    struct weir_error here = {0};
    json_t *value = NULL;
    enum weir_status status = WEIR_OK;

    (void)weir_source_fail(&file->source, WEIR_ERROR_SCHEMA, "", &here);
    status = take_value(file, &value);
    if (status != WEIR_OK) {
        return status;
    }
    (void)weir_json_fail_kind(value, wanted, file->error);
    json_decref(value);
    weir_error_within(file->error, "%s", place);
    file->error->line = here.line;
    file->error->column = here.column;
    return WEIR_ERROR_SCHEMA;
}

static enum weir_status read_access_tokens(struct token_file *file, int byte)
{
    return byte == '[' ? read_array(file) : fail_list_field(file, "access_tokens", "an array");
}

static enum weir_status read_has_more(struct token_file *file)
{
    struct weir_text json = {0};
    enum weir_status status = next_value(file, &json);

    if (status != WEIR_OK) {
        return status;
    }
    if (!weir_text_equal(json, WEIR_TEXT("true")) && !weir_text_equal(json, WEIR_TEXT("false"))) {
        return fail_list_field(file, "has_more", "true or false");
    }
    weir_source_take(&file->source, json.length);
    return WEIR_OK;
}

/* Loads the key that is next and marks it as seen; fails for one that is unknown or was seen
 * before. Takes it, and sets `*tokens` if it is that of the tokens. */
static enum weir_status take_key(struct token_file *file, struct list_fields *seen, bool *tokens)
{
    struct weir_text json = {0};
    struct weir_text name = {0};
    json_t *key = NULL;
    bool *field = NULL;
    enum weir_status status = next_value(file, &json);

    if (status == WEIR_OK) {
        status = load(file, json, &key);
    }
    if (status != WEIR_OK) {
        return status;
    }
    name = (struct weir_text){json_string_value(key), json_string_length(key)};
    *tokens = weir_text_equal(name, access_tokens_name);
    field = *tokens ? &seen->access_tokens : &seen->has_more;
    if (!*tokens && !weir_text_equal(name, has_more_name)) {
        status = weir_json_fail_unknown(name, file->error);
    } else if (*field) {
        status = weir_json_fail_duplicate(name, file->error);
    }
    json_decref(key);
    if (status != WEIR_OK) {
        file->error->line = file->source.lines + 1;
        file->error->column = file->source.columns + 1;
        return status;
    }
    *field = true;
    weir_source_take(&file->source, json.length);
    return WEIR_OK;
}

/* Reads `"key": value`, of which `byte` is the first one. */
static enum weir_status read_list_field(struct token_file *file, int byte, struct list_fields *seen)
{
    bool tokens = false;
    enum weir_status status = WEIR_OK;

    if (byte != '"') {
        return fail_expected(file, byte, "a field name in double quotes was expected");
    }
    status = take_key(file, seen, &tokens);
    if (status == WEIR_OK) {
        status = next_byte(file, &byte);
    }
    if (status != WEIR_OK) {
        return status;
    }
    if (byte != ':') {
        return fail_expected(file, byte, "':' was expected");
    }
    weir_source_take(&file->source, 1);
    status = next_byte(file, &byte);
    if (status != WEIR_OK) {
        return status;
    }
    if (!may_begin_value(byte)) {
        return fail_expected(file, byte, "a value was expected");
    }
    return tokens ? read_access_tokens(file, byte) : read_has_more(file);
}

/* Reads the object whose opening bracket is the next byte. It has at least one field: that is how
 * it was told from a line. */
static enum weir_status read_list(struct token_file *file)
{
    struct list_fields seen = {0};
    int byte = ',';

    while (byte == ',') {
        enum weir_status status = WEIR_OK;

        weir_source_take(&file->source, 1);
        status = next_byte(file, &byte);
        if (status == WEIR_OK) {
            status = read_list_field(file, byte, &seen);
        }
        if (status == WEIR_OK) {
            status = next_byte(file, &byte);
        }
        if (status != WEIR_OK) {
            return status;
        }
    }
    if (byte != '}') {
        return fail_expected(file, byte, "',' or '}' was expected");
    }
    if (!seen.access_tokens) {
        return weir_json_fail_missing("access_tokens", file->error);
    }
    weir_source_take(&file->source, 1);
    return WEIR_OK;
}

/*
 * ---- Telling the forms apart ----
 */

/* The longest spelling of a list's key: each byte an escape. */
#define KEY_JSON_MAX (6 * 13 + 2)

/* Finds the string that follows the opening bracket at the front of the text, if one of at most
 * KEY_JSON_MAX bytes does; else `*key` is empty. */
static enum weir_status peek_key(struct token_file *file, struct weir_text *key)
{
    size_t blanks = 1; /* the bracket, too */

    *key = (struct weir_text){0};
    for (;;) {
        struct weir_text text = weir_source_text(&file->source);
        struct weir_extent extent = {0};
        enum weir_status status = WEIR_OK;

        while (blanks < text.length && weir_is_blank(text.bytes[blanks])) {
            blanks++;
        }
        text = weir_text_from(text, blanks);
        if (text.length > 0 && text.bytes[0] == '"' && weir_extent_find(&extent, text)) {
            *key = (struct weir_text){text.bytes, extent.length};
        }
        if (key->length > 0 || text.length > KEY_JSON_MAX || blanks > WEIR_TOKEN_JSON_MAX ||
            (text.length > 0 && text.bytes[0] != '"') || file->source.ended) {
            return WEIR_OK;
        }
        status = weir_source_more(&file->source, file->error);
        if (status != WEIR_OK) {
            return status;
        }
    }
}

/* An object is a list if its first key is one of a list's, else the first of the lines. */
static enum weir_status find_object_form(struct token_file *file)
{
    struct weir_text json = {0};
    struct weir_text name = {0};
    json_t *key = NULL;
    enum weir_status status = peek_key(file, &json);

    file->form = WEIR_FORM_LINES;
    if (status != WEIR_OK || json.length == 0 || json.length > KEY_JSON_MAX) {
        return status;
    }
    status = weir_json_load(json, 1, &key, file->error);
    if (status != WEIR_OK) {
        return status == WEIR_ERROR_MEMORY ? status : WEIR_OK;
    }
    name = (struct weir_text){json_string_value(key), json_string_length(key)};
    if (weir_text_equal(name, access_tokens_name) || weir_text_equal(name, has_more_name)) {
        file->form = WEIR_FORM_OBJECT;
    }
    json_decref(key);
    return WEIR_OK;
}

/* Why a file that begins with this byte is none. Reads on to tell a byte-order mark. */
static enum weir_status fail_first_byte(struct token_file *file, int byte)
{
    if (byte < 0) {
        return fail(file, WEIR_ERROR_SYNTAX, "the file is empty: no tokens at all is written []");
    }
    while (byte >= 0x80 && weir_source_text(&file->source).length < 3 && !file->source.ended) {
        enum weir_status status = weir_source_more(&file->source, file->error);

        if (status != WEIR_OK) {
            return status;
        }
    }
    if (weir_json_marked(weir_source_text(&file->source))) {
        return fail(file, WEIR_ERROR_SYNTAX, WEIR_JSON_BYTE_ORDER_MARK);
    }
    return fail(file, WEIR_ERROR_SYNTAX, "a token file begins with '{' or '['");
}

static enum weir_status find_form(struct token_file *file)
{
    int byte = 0;
    enum weir_status status = next_byte(file, &byte);

    if (status != WEIR_OK) {
        return status;
    }
    if (byte == '[') {
        file->form = WEIR_FORM_ARRAY;
        return WEIR_OK;
    }
    return byte == '{' ? find_object_form(file) : fail_first_byte(file, byte);
}

/* What stands after the array or object must be blank. */
static enum weir_status expect_end(struct token_file *file)
{
    int byte = 0;
    enum weir_status status = next_byte(file, &byte);

    if (status == WEIR_OK && byte >= 0) {
        status = fail(file, WEIR_ERROR_SYNTAX, "more text after the end of the tokens");
    }
    return status;
}

static enum weir_status read_file(struct token_file *file, enum weir_token_file_form *form)
{
    enum weir_status status = find_form(file);

    if (status != WEIR_OK) {
        return status;
    }
    if (form != NULL) {
        *form = file->form;
    }
    if (file->form == WEIR_FORM_LINES) {
        return read_lines(file);
    }
    status = file->form == WEIR_FORM_ARRAY ? read_array(file) : read_list(file);
    return status == WEIR_OK ? expect_end(file) : status;
}

enum weir_status weir_token_file_read(weir_read_function *read, void *read_context,
                                      const struct weir_allocator *allocator,
                                      weir_token_visitor *visit, void *visit_context,
                                      enum weir_token_file_form *form, struct weir_error *error)
{
    /* Its own, so that the caller's stays untouched unless reading fails, and that a visitor which
     * fills in nothing does no harm. */
    struct weir_error own_error = {0};
    struct weir_allocator own = weir_allocator_or_default(allocator);
    struct token_file file = {
        .source = {.read = read, .context = read_context, .allocator = own},
        .reading = {.allocator = own},
        .visit = visit,
        .visit_context = visit_context,
        .error = &own_error,
    };
    enum weir_status status = read_file(&file, form);

    weir_source_fini(&file.source);
    weir_token_reading_fini(&file.reading);
    if (status != WEIR_OK && error != NULL) {
        *error = own_error;
        error->status = status;
    }
    return status;
}
