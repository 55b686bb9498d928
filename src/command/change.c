#include "change.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

static const char *const keys[] = {
    [CHANGE_ISSUE] = "issue",   [CHANGE_REPLACE] = "replace", [CHANGE_PUT] = "put",
    [CHANGE_REVOKE] = "revoke", [CHANGE_COMPACT] = "compact",
};

#define KINDS (sizeof keys / sizeof keys[0])

static enum weir_status fail(struct weir_error *error, enum weir_status status, const char *message)
{
    *error = (struct weir_error){.status = status};
    (void)snprintf(error->message, sizeof error->message, "%s", message);
    return status;
}

/*
 * ---- The line around the value ----
 */

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

static struct weir_text without_blanks(struct weir_text text)
{
    while (text.length > 0 && is_blank(text.bytes[0])) {
        text.bytes++;
        text.length--;
    }
    while (text.length > 0 && is_blank(text.bytes[text.length - 1])) {
        text.length--;
    }
    return text;
}

/* Takes a character that the text has to begin with, and the blanks behind it. */
static bool take(struct weir_text *text, char expected)
{
    if (text->length == 0 || text->bytes[0] != expected) {
        return false;
    }
    text->bytes++;
    text->length--;
    *text = without_blanks(*text);
    return true;
}

static bool take_key(struct weir_text *text, struct weir_text *key)
{
    const char *end = NULL;

    if (text->length == 0 || text->bytes[0] != '"') {
        return false;
    }
    end = memchr(text->bytes + 1, '"', text->length - 1);
    if (end == NULL) {
        return false;
    }
    *key = (struct weir_text){text->bytes + 1, (size_t)(end - text->bytes) - 1};
    text->length -= key->length + 2;
    text->bytes = end + 1;
    *text = without_blanks(*text);
    return true;
}

/* Parts the line into its key and its value, of which nothing is known but where it stands. That it
 * is one value and not several is for those to see who read it. */
static enum weir_status part(struct weir_text line, struct weir_text *key, struct weir_text *value,
                             struct weir_error *error)
{
    *value = without_blanks(line);
    if (value->length == 0) {
        return fail(error, WEIR_ERROR_SYNTAX, "an empty line: each line is a change");
    }
    if (!take(value, '{') || !take_key(value, key) || !take(value, ':') || value->length == 0 ||
        value->bytes[value->length - 1] != '}') {
        return fail(error, WEIR_ERROR_SYNTAX, "is not of the form {\"issue\": TOKEN}");
    }
    value->length--;
    *value = without_blanks(*value);
    return WEIR_OK;
}

static enum weir_status find_kind(struct weir_text key, enum change_kind *kind,
                                  struct weir_error *error)
{
    char quoted[64];

    for (unsigned i = 0; i < KINDS; i++) {
        if (key.length == strlen(keys[i]) && memcmp(key.bytes, keys[i], key.length) == 0) {
            *kind = (enum change_kind)i;
            return WEIR_OK;
        }
    }
    (void)weir_quote(key, quoted, sizeof quoted);
    (void)fail(error, WEIR_ERROR_SCHEMA, "");
    (void)snprintf(error->message, sizeof error->message,
                   "no such change: %s; there are issue, replace, put, revoke and compact", quoted);
    return error->status;
}

/*
 * ---- Values ----
 */

static enum weir_status read_token(struct change *change, struct weir_text line,
                                   struct weir_text value, struct weir_error *error)
{
    enum weir_status status = weir_token_parse(value, NULL, &change->token, error);

    if (status != WEIR_OK && error->column != 0) {
        error->column += (uint64_t)(value.bytes - line.bytes);
    }
    return status;
}

static enum weir_status take_id(struct change *change, const json_t *string,
                                struct weir_error *error)
{
    struct weir_text id = {json_string_value(string), json_string_length(string)};

    if (!weir_token_id_valid(id)) {
        return fail(error, WEIR_ERROR_NAME,
                    "is no id that a token can have: 1 to 96 bytes without NUL, not . or ..");
    }
    memcpy(change->bytes, id.bytes, id.length);
    change->id = (struct weir_text){change->bytes, id.length};
    return WEIR_OK;
}

static enum weir_status read_id(struct change *change, struct weir_text value,
                                struct weir_error *error)
{
    enum weir_status status = WEIR_OK;
    json_t *string = NULL;

    if (value.length == 0 || value.bytes[0] != '"') {
        return fail(error, WEIR_ERROR_SCHEMA, "revoke takes the id of a token, a string");
    }
    string = json_loadb(value.bytes, value.length, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    if (string == NULL) {
        return fail(error, WEIR_ERROR_SYNTAX, "revoke takes the id of a token and nothing more");
    }
    status = take_id(change, string, error);
    json_decref(string);
    return status;
}

static enum weir_status read_true(struct weir_text value, struct weir_error *error)
{
    return value.length == 4 && memcmp(value.bytes, "true", 4) == 0
               ? WEIR_OK
               : fail(error, WEIR_ERROR_SCHEMA, "compact takes true and nothing more");
}

enum weir_status change_read(struct change *change, struct weir_text line, struct weir_error *error)
{
    struct weir_text key;
    struct weir_text value;
    enum weir_status status = part(line, &key, &value, error);

    change->token = NULL;
    if (status == WEIR_OK) {
        status = find_kind(key, &change->kind, error);
    }
    if (status != WEIR_OK) {
        return status;
    }
    switch (change->kind) {
    case CHANGE_REVOKE:
        return read_id(change, value, error);
    case CHANGE_COMPACT:
        return read_true(value, error);
    case CHANGE_ISSUE:
    case CHANGE_REPLACE:
    case CHANGE_PUT:
    default:
        return read_token(change, line, value, error);
    }
}

void change_release(struct change *change)
{
    weir_token_free(change->token, NULL);
    change->token = NULL;
}
