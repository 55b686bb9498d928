/*
 * reference_json.c - JSON by jansson. It holds no whole number above 2^63, so each whole number
 * becomes an object of a string first, by a key that no one else uses.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "s2/reference_append.h"

#define NUMBER_KEY "\x7fnumber that was here\x7f"

/* The length of the string that begins at the quote there, both quotes included. */
static size_t string_length(const char *at, size_t left)
{
    size_t length = 1;

    while (length < left && at[length] != '"') {
        length += at[length] == '\\' ? 2 : 1;
    }
    return length < left ? length + 1 : left;
}

/* The length of what looks like a number there. */
static size_t number_length(const char *at, size_t left)
{
    size_t length = 0;

    while (length < left && at[length] != '\0' && strchr("0123456789+-.eE", at[length]) != NULL) {
        length++;
    }
    return length;
}

static bool is_whole(const char *at, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (!isdigit((unsigned char)at[i])) {
            return false;
        }
    }
    return length > 0 && (length == 1 || at[0] != '0');
}

static struct reference_bytes with_wrapped_numbers(struct weir_text text)
{
    struct reference_bytes wrapped = {NULL, 0};
    FILE *out = open_memstream(&wrapped.bytes, &wrapped.length);
    size_t at = 0;

    while (at < text.length) {
        const char *here = text.bytes + at;
        const size_t left = text.length - at;
        const size_t number = number_length(here, left);
        const size_t length = number > 0 ? number : *here == '"' ? string_length(here, left) : 1;

        if (is_whole(here, number)) {
            fprintf(out, "{\"" NUMBER_KEY "\":\"%.*s\"}", (int)number, here);
        } else {
            fwrite(here, 1, length, out);
        }
        at += length;
    }
    fclose(out);
    return wrapped;
}

static bool read_number(const json_t *value, uint64_t *number)
{
    const char *digits = json_string_value(json_object_get(value, NUMBER_KEY));

    if (digits == NULL || json_object_size(value) != 1) {
        return false;
    }
    errno = 0;
    *number = strtoull(digits, NULL, 10);
    return errno == 0;
}

static bool read_number_or_null(const json_t *value, bool *has, uint64_t *number)
{
    if (value == NULL || json_is_null(value)) {
        return true;
    }
    *has = true;
    return read_number(value, number);
}

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void encode_base64(struct weir_text text, char *out)
{
    for (size_t i = 0; i < text.length; i += 3) {
        unsigned char group[3] = {0};
        const size_t count = text.length - i < 3 ? text.length - i : 3;

        memcpy(group, text.bytes + i, count);
        *out++ = alphabet[group[0] >> 2];
        *out++ = alphabet[(group[0] & 3) << 4 | group[1] >> 4];
        *out++ = count < 2 ? '=' : alphabet[(group[1] & 15) << 2 | group[2] >> 6];
        *out++ = count < 3 ? '=' : alphabet[group[2] & 63];
    }
    *out = '\0';
}

/* Decodes whatever there is, bit by bit; it was base64 if encoding makes the same text again. */
static bool decode_base64(struct weir_text text, struct reference_bytes *decoded)
{
    char *again = malloc(text.length + 8);
    unsigned bits = 0;
    unsigned count = 0;
    bool same = false;

    *decoded = reference_copy(text);
    decoded->length = 0;
    for (size_t i = 0; i < text.length; i++) {
        const char *digit = text.bytes[i] != '\0' ? strchr(alphabet, text.bytes[i]) : NULL;

        if (digit != NULL) {
            bits = bits << 6 | (unsigned)(digit - alphabet);
            count += 6;
        }
        if (count >= 8) {
            count -= 8;
            decoded->bytes[decoded->length++] = (char)(bits >> count);
        }
    }
    encode_base64((struct weir_text){decoded->bytes, decoded->length}, again);
    same = strlen(again) == text.length && memcmp(again, text.bytes, text.length) == 0;
    free(again);
    return same;
}

static bool read_bytes(const json_t *value, bool base64, struct reference_bytes *bytes)
{
    const struct weir_text text = {json_string_value(value), json_string_length(value)};

    if (!json_is_string(value)) {
        return false;
    }
    if (base64) {
        return decode_base64(text, bytes);
    }
    *bytes = reference_copy(text);
    return true;
}

static bool read_headers(const json_t *headers, bool base64, struct reference_record *record)
{
    for (size_t i = 0; i < json_array_size(headers); i++) {
        const json_t *pair = json_array_get(headers, i);
        struct reference_header *header = reference_add_header(record);

        if (json_array_size(pair) != 2 ||
            !read_bytes(json_array_get(pair, 0), base64, &header->name) ||
            !read_bytes(json_array_get(pair, 1), base64, &header->value)) {
            return false;
        }
    }
    return json_is_array(headers);
}

static bool has_only(json_t *object, const char *const *keys, size_t count)
{
    const char *key = NULL;
    json_t *value = NULL;

    json_object_foreach(object, key, value)
    {
        bool known = false;

        for (size_t i = 0; i < count; i++) {
            known = known || strcmp(key, keys[i]) == 0;
        }
        if (!known) {
            return false;
        }
    }
    return json_is_object(object);
}

static bool read_record(json_t *object, bool base64, struct reference_record *record)
{
    static const char *const keys[] = {"timestamp", "headers", "body"};
    const json_t *headers = json_object_get(object, "headers");
    const json_t *body = json_object_get(object, "body");

    return has_only(object, keys, 3) &&
           read_number_or_null(json_object_get(object, "timestamp"), &record->has_timestamp,
                               &record->timestamp) &&
           (headers == NULL || read_headers(headers, base64, record)) &&
           (body == NULL || read_bytes(body, base64, &record->body));
}

static bool read_records(const json_t *records, bool base64, struct reference_batch *batch)
{
    for (size_t i = 0; i < json_array_size(records); i++) {
        if (!read_record(json_array_get(records, i), base64, reference_add_record(batch))) {
            return false;
        }
    }
    return json_is_array(records);
}

static bool read_input(json_t *object, bool base64, struct reference_batch *batch)
{
    static const char *const keys[] = {"records", "match_seq_num", "fencing_token"};
    const json_t *token = json_object_get(object, "fencing_token");

    batch->has_fencing_token = token != NULL && !json_is_null(token);
    return has_only(object, keys, 3) &&
           read_number_or_null(json_object_get(object, "match_seq_num"), &batch->has_match_seq_num,
                               &batch->match_seq_num) &&
           (!batch->has_fencing_token || read_bytes(token, false, &batch->fencing_token)) &&
           read_records(json_object_get(object, "records"), base64, batch);
}

bool reference_json(struct weir_text text, bool base64, struct reference_batch *batch)
{
    struct reference_bytes wrapped = with_wrapped_numbers(text);
    json_t *document =
        json_loadb(wrapped.bytes, wrapped.length, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
    bool read = false;

    *batch = (struct reference_batch){0};
    /* jansson passes over a NUL byte behind a word or a number. */
    read = document != NULL && memchr(text.bytes, '\0', text.length) == NULL &&
           read_input(document, base64, batch);
    json_decref(document);
    free(wrapped.bytes);
    return read;
}
