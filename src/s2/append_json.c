/*
 * append_json.c - JSON, read in one pass. It is stricter than S2's server: each key is one that is
 * known, and is there once; objects are objects.
 */
#include "s2/append_read.h"

#include "s2/base64.h"
#include "s2/json_text.h"

static const char malformed[] = "The body is not well-formed JSON, or not of an append's form.";
static const char twice[] = "The body has a key twice.";
static const char unknown[] = "The body has a key that an append doesn't have.";
static const char not_base64[] = "The body has text that is not base64, as s2-format says.";
static const char no_records[] = "The body has no records.";

struct json {
    const char *at;
    const char *end;
    bool base64;
    struct s2_output *output;
    weir_operations operations;
    const char *wrong;   /* the first thing that is */
    size_t record_width; /* of the length that the next record is supposed to have */
};

static bool fail(struct json *json, const char *wrong)
{
    if (json->wrong == NULL) {
        json->wrong = wrong;
    }
    return false;
}

/* ---- What stands between values ---- */

static void pass_over_blanks(struct json *json)
{
    while (json->at < json->end &&
           (*json->at == ' ' || *json->at == '\n' || *json->at == '\r' || *json->at == '\t')) {
        json->at++;
    }
}

/* Whether that character is next; then it is passed over. */
static bool next_is(struct json *json, char character)
{
    pass_over_blanks(json);
    if (json->at == json->end || *json->at != character) {
        return false;
    }
    json->at++;
    return true;
}

static bool expect(struct json *json, char character)
{
    return next_is(json, character) || fail(json, malformed);
}

static bool next_is_null(struct json *json)
{
    pass_over_blanks(json);
    if (json->end - json->at < 4 || memcmp(json->at, "null", 4) != 0) {
        return false;
    }
    json->at += 4;
    return true;
}

/* ---- Numbers and strings ---- */

static bool read_number(struct json *json, uint64_t *number)
{
    const char *start = NULL;
    uint64_t read = 0;

    pass_over_blanks(json);
    start = json->at;
    for (; json->at < json->end && *json->at >= '0' && *json->at <= '9'; json->at++) {
        const uint64_t digit = (uint64_t)(*json->at - '0');

        if (read > (UINT64_MAX - digit) / 10) {
            return fail(json, malformed);
        }
        read = read * 10 + digit;
    }
    *number = read;
    /* A number of several digits does not begin with zero. */
    return (json->at > start && (*start != '0' || json->at == start + 1)) || fail(json, malformed);
}

static bool read_text(struct json *json, struct s2_json_text *text)
{
    const char *behind = NULL;

    if (!expect(json, '"')) {
        return false;
    }
    behind = s2_json_text_read(json->at, json->end, text);
    if (behind == NULL) {
        return fail(json, malformed);
    }
    json->at = behind;
    return true;
}

/* Decodes a text into `out`, which has room for it as it stands. */
static bool decode(struct json *json, const struct s2_json_text *text, bool base64, char *out,
                   size_t *length)
{
    struct weir_text plain = text->raw;

    if (text->escaped) {
        if (!s2_json_text_unescape(text->raw, out, length)) {
            return fail(json, malformed);
        }
        plain = (struct weir_text){out, *length};
    }
    if (base64) {
        return s2_base64_decode(plain, out, length) || fail(json, not_base64);
    }
    if (!text->escaped) {
        memcpy(out, plain.bytes, plain.length);
    }
    *length = plain.length;
    return true;
}

/*
 * Reads a string and writes it as a field, `*bytes` what was written, until more is. An empty one
 * is not written, unless `always`.
 */
static bool take_string(struct json *json, unsigned field, bool base64, bool always,
                        struct weir_text *bytes)
{
    struct s2_json_text text;
    size_t supposed = 0;
    size_t width = 0;
    size_t length = 0;
    char *out = NULL;

    *bytes = (struct weir_text){"", 0};
    if (!read_text(json, &text)) {
        return false;
    }
    if (text.raw.length == 0) {
        return !always || s2_output_bytes(json->output, field, *bytes);
    }
    supposed = s2_varint_width(base64 ? text.raw.length / 4 * 3 : text.raw.length);
    out = s2_output_room(json->output, 1 + S2_VARINT_MAX + text.raw.length);
    if (out == NULL || !decode(json, &text, base64, out + 1 + supposed, &length)) {
        return false;
    }
    width = s2_varint_width(length);
    if (width != supposed) {
        memmove(out + 1 + width, out + 1 + supposed, length);
    }
    *out = s2_field_key(field, S2_WIRE_BYTES);
    *bytes = (struct weir_text){s2_varint_write(length, out + 1), length};
    json->output->length += 1 + width + length;
    return true;
}

/* A number, or null, which is none. */
static bool take_number(struct json *json, unsigned field)
{
    uint64_t number = 0;

    return next_is_null(json) ||
           (read_number(json, &number) && s2_output_number(json->output, field, number));
}

/* ---- Arrays and objects ---- */

/* Goes to the next element of an array, whose bracket has been read; false at its end, or if
 * something is wrong. */
static bool next_element(struct json *json, bool *first)
{
    if (next_is(json, ']')) {
        return false;
    }
    if (!*first && !expect(json, ',')) {
        return false;
    }
    *first = false;
    return true;
}

/* An object of known keys: key number n is the field n + 1. */
struct object {
    const char *const *keys;
    unsigned key_count;
    unsigned seen; /* bit n: field n */
    unsigned field;
};

/* The longest key has 13 characters; each may stand there as an escape of six. */
#define KEY_RAW_MAX (13 * 6)

static bool find_key(struct json *json, const struct s2_json_text *text, struct object *object)
{
    char unescaped[KEY_RAW_MAX];
    struct weir_text key = text->raw;

    if (key.length > sizeof unescaped) {
        return fail(json, unknown);
    }
    if (text->escaped) {
        if (!s2_json_text_unescape(text->raw, unescaped, &key.length)) {
            return fail(json, malformed);
        }
        key.bytes = unescaped;
    }
    for (unsigned i = 0; i < object->key_count; i++) {
        if (key.length == strlen(object->keys[i]) &&
            memcmp(key.bytes, object->keys[i], key.length) == 0) {
            object->field = i + 1;
            return true;
        }
    }
    return fail(json, unknown);
}

/* Goes to the value of the next member of an object, whose brace has been read; false at its end,
 * or if something is wrong. */
static bool next_member(struct json *json, struct object *object)
{
    struct s2_json_text key;

    if (next_is(json, '}')) {
        return false;
    }
    if ((object->seen != 0 && !expect(json, ',')) || !read_text(json, &key) ||
        !find_key(json, &key, object) || !expect(json, ':')) {
        return false;
    }
    if ((object->seen >> object->field & 1) != 0) {
        return fail(json, twice);
    }
    object->seen |= 1u << object->field;
    return true;
}

/* ---- A batch ---- */

static bool take_header(struct json *json, struct s2_record *record)
{
    struct s2_message message;
    struct weir_text name;
    struct weir_text value;
    bool has_name = false;

    if (!expect(json, '[') || !s2_message_begin(json->output, S2_RECORD_HEADERS, 1, &message) ||
        !take_string(json, S2_HEADER_NAME, json->base64, false, &name)) {
        return false;
    }
    has_name = name.length > 0;
    if (!expect(json, ',') || !take_string(json, S2_HEADER_VALUE, json->base64, false, &value)) {
        return false;
    }
    s2_record_header(record, has_name, value);
    return expect(json, ']') && s2_message_end(json->output, &message) != 0;
}

static bool take_headers(struct json *json, struct s2_record *record)
{
    bool first = true;

    if (!expect(json, '[')) {
        return false;
    }
    while (next_element(json, &first)) {
        if (!take_header(json, record)) {
            return false;
        }
    }
    return json->wrong == NULL;
}

static bool take_record_member(struct json *json, unsigned field, struct s2_record *record)
{
    struct weir_text body;

    switch (field) {
    case S2_RECORD_TIMESTAMP:
        return take_number(json, field);
    case S2_RECORD_HEADERS:
        return take_headers(json, record);
    default:
        return take_string(json, field, json->base64, false, &body);
    }
}

static bool take_record(struct json *json)
{
    static const char *const keys[] = {"timestamp", "headers", "body"};
    struct object object = {.keys = keys, .key_count = sizeof keys / sizeof keys[0]};
    struct s2_record record = {0};
    struct s2_message message;

    if (!expect(json, '{') ||
        !s2_message_begin(json->output, S2_INPUT_RECORDS, json->record_width, &message)) {
        return false;
    }
    while (next_member(json, &object)) {
        if (!take_record_member(json, object.field, &record)) {
            return false;
        }
    }
    if (json->wrong != NULL) {
        return false;
    }
    json->operations |= s2_record_operation(&record);
    json->record_width = s2_message_end(json->output, &message);
    return json->record_width != 0;
}

static bool take_records(struct json *json)
{
    bool first = true;

    if (!expect(json, '[')) {
        return false;
    }
    while (next_element(json, &first)) {
        if (!take_record(json)) {
            return false;
        }
    }
    return json->wrong == NULL;
}

static bool take_input_member(struct json *json, unsigned field)
{
    struct weir_text token;

    switch (field) {
    case S2_INPUT_RECORDS:
        return take_records(json);
    case S2_INPUT_MATCH_SEQ_NUM:
        return take_number(json, field);
    default:
        return next_is_null(json) || take_string(json, field, false, true, &token);
    }
}

static bool take_input(struct json *json)
{
    static const char *const keys[] = {"records", "match_seq_num", "fencing_token"};
    struct object object = {.keys = keys, .key_count = sizeof keys / sizeof keys[0]};

    if (!expect(json, '{')) {
        return false;
    }
    while (next_member(json, &object)) {
        if (!take_input_member(json, object.field)) {
            return false;
        }
    }
    if (json->wrong == NULL && (object.seen >> S2_INPUT_RECORDS & 1) == 0) {
        return fail(json, no_records);
    }
    pass_over_blanks(json);
    return json->wrong == NULL && (json->at == json->end || fail(json, malformed));
}

const char *s2_json_read(struct weir_text text, bool base64, struct s2_output *output,
                         weir_operations *operations)
{
    struct json json = {.at = text.bytes,
                        .end = text.length > 0 ? text.bytes + text.length : text.bytes,
                        .base64 = base64,
                        .output = output,
                        .record_width = s2_varint_width(text.length)};

    *operations = 0;
    if (!take_input(&json)) {
        return json.wrong != NULL ? json.wrong : malformed;
    }
    *operations = s2_batch_operations(json.operations);
    return NULL;
}
