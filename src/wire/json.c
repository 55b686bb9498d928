#include "wire/json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vocabulary/failure.h"
#include "vocabulary/text.h"

/* Enough of a field's name for a person to recognise it. */
#define QUOTED_SIZE 128

/*
 * ---- Failures of jansson in plain words ----
 *
 * Its own words are not passed on: they hold raw bytes of the text and speak of C flags.
 */

struct complaint {
    enum json_error_code code;
    const char *begins; /* how jansson's words begin, where the code alone does not tell */
    bool bad_byte_is_next;
    enum weir_status status;
    const char *message;
};

static const struct complaint complaints[] = {
    {json_error_premature_end_of_input, "", true, WEIR_ERROR_SYNTAX, WEIR_JSON_ENDS_EARLY},
    {json_error_invalid_utf8, "", true, WEIR_ERROR_SYNTAX, "bytes that are not UTF-8"},
    {json_error_invalid_syntax, "unexpected newline", true, WEIR_ERROR_SYNTAX,
     "a line break inside a string"},
    {json_error_invalid_syntax, "control character", true, WEIR_ERROR_SYNTAX,
     "a control character inside a string, not escaped"},
    {json_error_end_of_input_expected, "", false, WEIR_ERROR_SYNTAX,
     "more text after the end of a value"},
    {json_error_numeric_overflow, "", false, WEIR_ERROR_SYNTAX, "a number that is out of range"},
    {json_error_stack_overflow, "", false, WEIR_ERROR_LIMIT,
     "arrays and objects nested too deeply"},
    {json_error_null_byte_in_key, "", false, WEIR_ERROR_SCHEMA, "a field whose name holds a NUL"},
    {json_error_invalid_syntax, "invalid escape", false, WEIR_ERROR_SYNTAX,
     "a backslash that begins no escape"},
    {json_error_invalid_syntax, "invalid Unicode", false, WEIR_ERROR_SYNTAX,
     "a string with an escape that stands for half a character only"},
    {json_error_invalid_syntax, "string or '}'", false, WEIR_ERROR_SYNTAX,
     "a field name in double quotes was expected"},
    {json_error_invalid_syntax, "':'", false, WEIR_ERROR_SYNTAX, "':' was expected"},
    {json_error_invalid_syntax, "'}'", false, WEIR_ERROR_SYNTAX, "',' or '}' was expected"},
    {json_error_invalid_syntax, "']'", false, WEIR_ERROR_SYNTAX, "',' or ']' was expected"},
    {json_error_invalid_syntax, "", false, WEIR_ERROR_SYNTAX, "this is not a JSON value"},
};

static const struct complaint *complaint_of(const json_error_t *told)
{
    static const struct complaint other = {json_error_unknown, "", false, WEIR_ERROR_SYNTAX,
                                           "not well-formed JSON"};

    for (size_t i = 0; i < sizeof complaints / sizeof complaints[0]; i++) {
        if (complaints[i].code == json_error_code(told) &&
            strncmp(told->text, complaints[i].begins, strlen(complaints[i].begins)) == 0) {
            return &complaints[i];
        }
    }
    return &other;
}

bool weir_json_marked(struct weir_text text)
{
    return weir_text_begins_with(text, WEIR_TEXT("\xef\xbb\xbf")) ||
           weir_text_begins_with(text, WEIR_TEXT("\xfe\xff")) ||
           weir_text_begins_with(text, WEIR_TEXT("\xff\xfe"));
}

/* Sets the line and column of the character that begins at `offset`, or of the end. */
static void locate(struct weir_text text, size_t offset, struct weir_error *error)
{
    if (error == NULL) {
        return;
    }
    error->line = 1;
    error->column = 1;
    for (size_t i = 0; i < offset; i++) {
        if (text.bytes[i] == '\n') {
            error->line++;
            error->column = 1;
        } else {
            error->column += (text.bytes[i] & 0xc0) != 0x80;
        }
    }
}

/* Whether the byte at `offset` is a quote that no backslash precedes. */
static bool is_bare_quote(struct weir_text text, size_t offset)
{
    size_t backslashes = 0;

    if (text.bytes[offset] != '"') {
        return false;
    }
    while (backslashes < offset && text.bytes[offset - backslashes - 1] == '\\') {
        backslashes++;
    }
    return backslashes % 2 == 0;
}

static bool is_of_word(char byte)
{
    return (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= 'a' && byte <= 'z') || byte == '-' || byte == '+' || byte == '.';
}

/* Where the string, word, number or other character begins whose last byte is at `offset`. */
static size_t start_of(struct weir_text text, size_t offset)
{
    if (text.bytes[offset] == '"' && offset > 0) {
        do {
            offset--;
        } while (offset > 0 && !is_bare_quote(text, offset));
    } else if (is_of_word(text.bytes[offset])) {
        while (offset > 0 && is_of_word(text.bytes[offset - 1])) {
            offset--;
        }
    } else {
        while (offset > 0 && (text.bytes[offset] & 0xc0) == 0x80) {
            offset--;
        }
    }
    return offset;
}

/* jansson does not say which field it found twice, but where it ends. */
static enum weir_status fail_duplicate_key(struct weir_text text, size_t end,
                                           struct weir_error *error)
{
    size_t start = start_of(text, end - 1);
    json_t *key = json_loadb(text.bytes + start, end - start, JSON_DECODE_ANY, NULL);

    if (key == NULL) {
        return weir_fail_memory(error);
    }
    (void)weir_json_fail_duplicate(
        (struct weir_text){json_string_value(key), json_string_length(key)}, error);
    json_decref(key);
    locate(text, start, error);
    return WEIR_ERROR_SCHEMA;
}

/* Where the text stops being well-formed. jansson's position lies behind the last byte that it
 * took: the end of what is bad, except where it put that back or never took it. */
static size_t offset_of(struct weir_text text, const struct complaint *complaint,
                        const json_error_t *told)
{
    size_t position = (size_t)told->position;

    return position == 0 || complaint->bad_byte_is_next ? position : start_of(text, position - 1);
}

static enum weir_status fail_load(struct weir_text text, const json_error_t *told,
                                  struct weir_error *error)
{
    const struct complaint *complaint = complaint_of(told);
    size_t offset = offset_of(text, complaint, told);
    const char *message = complaint->message;

    if (json_error_code(told) == json_error_duplicate_key) {
        return fail_duplicate_key(text, (size_t)told->position, error);
    }
    if (weir_json_marked(text)) {
        message = WEIR_JSON_BYTE_ORDER_MARK;
        offset = 0;
    } else if (complaint->code == json_error_premature_end_of_input && offset > 0 &&
               text.bytes[offset - 1] == '\0') {
        /* To jansson, a NUL outside a string looks like the end. */
        message = "a NUL byte";
        offset--;
    }
    (void)weir_fail(error, complaint->status, "%s", message);
    locate(text, offset, error);
    return complaint->status;
}

/*
 * ---- Loading ----
 */

static size_t string_bytes(json_t *value)
{
    size_t bytes = 0;

    if (json_is_string(value)) {
        return json_string_length(value);
    }
    for (size_t i = 0; i < json_array_size(value); i++) {
        bytes += string_bytes(json_array_get(value, i));
    }
    for (void *field = json_object_iter(value); field != NULL;
         field = json_object_iter_next(value, field)) {
        bytes += strlen(json_object_iter_key(field)) + string_bytes(json_object_iter_value(field));
    }
    return bytes;
}

/* Whether no string of the value has lost a byte of the text. A text with escapes is not looked
 * into: it counts as one that has. (Numbers may lose digits, but no number has a meaning here.) */
static bool is_whole(json_t *value, struct weir_text text)
{
    size_t bytes = 0;
    bool inside = false;

    if (text.bytes == NULL || memchr(text.bytes, '\\', text.length) != NULL) {
        return false;
    }
    for (size_t i = 0; i < text.length; i++) {
        if (text.bytes[i] == '"') {
            inside = !inside;
        } else {
            bytes += inside;
        }
    }
    return bytes == string_bytes(value);
}

/* Whether the text may hold more values than that: each but the first of its array or object comes
 * after a comma, the first after a bracket or, in an object, as a key before a colon. */
static bool has_more_values(struct weir_text text, size_t values_max)
{
    bool inside = false;
    size_t values = 1;

    if (text.length / 2 < values_max) {
        return false;
    }
    for (size_t i = 0; i < text.length; i++) {
        switch (text.bytes[i]) {
        case '\\':
            i += inside;
            break;
        case '"':
            inside = !inside;
            break;
        case ',':
        case '[':
        case '{':
            values += !inside;
            break;
        default:
            break;
        }
    }
    return values > values_max;
}

enum weir_status weir_json_load(struct weir_text text, size_t values_max, json_t **value,
                                struct weir_error *error)
{
    int callers_errno = errno;
    bool memory_lacked = false;
    json_error_t told;
    const char *nul = NULL;

    if (text.bytes == NULL) {
        text = WEIR_TEXT("");
    }
    if (has_more_values(text, values_max)) {
        return weir_fail(error, WEIR_ERROR_LIMIT, "more than %zu values in one piece of JSON",
                         values_max);
    }
    errno = 0;
    *value = json_loadb(text.bytes, text.length,
                        JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | JSON_DECODE_ANY, &told);
    memory_lacked = errno == ENOMEM;
    errno = callers_errno;
    if (*value != NULL && memory_lacked && !is_whole(*value, text)) {
        json_decref(*value);
        *value = NULL;
    }
    /* jansson passes over one behind a word or a number. */
    nul = *value != NULL && text.length > 0 ? memchr(text.bytes, '\0', text.length) : NULL;
    if (nul != NULL) {
        json_decref(*value);
        *value = NULL;
        (void)weir_fail(error, WEIR_ERROR_SYNTAX, "a NUL byte");
        locate(text, (size_t)(nul - text.bytes), error);
        return WEIR_ERROR_SYNTAX;
    }
    if (*value != NULL) {
        return WEIR_OK;
    }
    /* Of some allocations that fail jansson says nothing, of others that the text is wrong. */
    if (memory_lacked || told.text[0] == '\0' ||
        json_error_code(&told) == json_error_out_of_memory) {
        return weir_fail_memory(error);
    }
    return fail_load(text, &told, error);
}

/*
 * ---- Reading values ----
 */

static const char *kind_of(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "an array";
    case JSON_STRING:
        return "a string";
    case JSON_INTEGER:
    case JSON_REAL:
        return "a number";
    case JSON_TRUE:
    case JSON_FALSE:
        return "a boolean";
    case JSON_NULL:
    default:
        return "null";
    }
}

char *weir_json_write(const json_t *value, size_t *length)
{
    int callers_errno = errno;
    char *text = NULL;

    errno = 0;
    text = json_dumps(value, JSON_COMPACT);
    if (errno == ENOMEM) {
        free(text);
        text = NULL;
    }
    errno = callers_errno;
    *length = text != NULL ? strlen(text) : 0;
    return text;
}

enum weir_status weir_json_fail_kind(const json_t *value, const char *wanted,
                                     struct weir_error *error)
{
    return weir_fail(error, WEIR_ERROR_SCHEMA, "%s was expected, not %s", wanted, kind_of(value));
}

enum weir_status weir_json_fail_unknown(struct weir_text field, struct weir_error *error)
{
    char quoted[QUOTED_SIZE];

    (void)weir_quote(field, quoted, sizeof quoted);
    return weir_fail(error, WEIR_ERROR_SCHEMA, "unknown field %s", quoted);
}

enum weir_status weir_json_fail_duplicate(struct weir_text field, struct weir_error *error)
{
    char quoted[QUOTED_SIZE];

    (void)weir_quote(field, quoted, sizeof quoted);
    return weir_fail(error, WEIR_ERROR_SCHEMA, "duplicate field %s", quoted);
}

enum weir_status weir_json_fail_missing(const char *field, struct weir_error *error)
{
    return weir_fail(error, WEIR_ERROR_SCHEMA, "the field \"%s\" is missing", field);
}

static const struct weir_json_field *find_field(const struct weir_json_field *fields, size_t count,
                                                struct weir_text name)
{
    for (size_t i = 0; i < count; i++) {
        if (weir_text_equal(fields[i].name, name)) {
            return &fields[i];
        }
    }
    return NULL;
}

enum weir_status weir_json_read_object(json_t *value, const struct weir_json_field *fields,
                                       size_t count, void *into, struct weir_error *error)
{
    if (!json_is_object(value)) {
        return weir_json_fail_kind(value, "an object", error);
    }
    for (void *member = json_object_iter(value); member != NULL;
         member = json_object_iter_next(value, member)) {
        const char *key = json_object_iter_key(member);
        struct weir_text name = {key, strlen(key)};
        const struct weir_json_field *field = find_field(fields, count, name);
        json_t *content = json_object_iter_value(member);
        enum weir_status status = WEIR_OK;

        if (field == NULL) {
            return weir_json_fail_unknown(name, error);
        }
        if (!field->nullable || !json_is_null(content)) {
            status = field->read(content, (char *)into + field->offset, error);
        }
        if (status != WEIR_OK) {
            weir_error_within(error, ".%s", field->name.bytes);
            return status;
        }
    }
    return WEIR_OK;
}

void weir_json_finish_place(struct weir_error *error)
{
    if (error != NULL && error->place[0] == '.') {
        memmove(error->place, error->place + 1, sizeof error->place - 1);
    }
}

enum weir_status weir_json_read_text(json_t *value, void *into, struct weir_error *error)
{
    struct weir_text *text = into;

    if (!json_is_string(value)) {
        return weir_json_fail_kind(value, "a string", error);
    }
    *text = (struct weir_text){json_string_value(value), json_string_length(value)};
    return WEIR_OK;
}

enum weir_status weir_json_read_boolean(json_t *value, void *into, struct weir_error *error)
{
    bool *boolean = into;

    if (!json_is_boolean(value)) {
        return weir_json_fail_kind(value, "true or false", error);
    }
    *boolean = json_is_true(value);
    return WEIR_OK;
}
