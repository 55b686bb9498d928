#include "serve/headers.h"

#include <string.h>
#include <strings.h>

#include <weir/credential.h>

#define SCHEME "Bearer"
#define JSON_SUFFIX "+json"

static const char *const names[HEADER_COUNT] = {
    [HEADER_AUTHORIZATION] = "Authorization",         [HEADER_CONTENT_TYPE] = "Content-Type",
    [HEADER_CONTENT_ENCODING] = "Content-Encoding",   [HEADER_CONTENT_LENGTH] = "Content-Length",
    [HEADER_TRANSFER_ENCODING] = "Transfer-Encoding", [HEADER_EXPECT] = "Expect",
};

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

static struct weir_text trim(struct weir_text text)
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

void headers_wipe(struct headers *headers)
{
    struct weir_text *value = &headers->values[HEADER_AUTHORIZATION];

    if (value->length > 0) {
        weir_wipe((void *)(uintptr_t)value->bytes, value->length);
    }
    *value = (struct weir_text){"", 0};
}

static enum MHD_Result read_header(void *context, enum MHD_ValueKind kind, const char *name,
                                   size_t name_size, const char *value, size_t value_size)
{
    struct headers *headers = context;

    (void)kind;
    for (enum header header = 0; header < HEADER_COUNT; header++) {
        if (name_size == strlen(names[header]) &&
            strncasecmp(name, names[header], name_size) == 0) {
            if (headers->there[header]) {
                headers->twice = names[header];
                headers_wipe(headers); /* of an Authorization there may be two */
            }
            headers->there[header] = true;
            headers->values[header] = trim((struct weir_text){value, value_size});
        }
    }
    return MHD_YES;
}

void headers_read(struct MHD_Connection *connection, struct headers *headers)
{
    *headers = (struct headers){.twice = NULL};
    (void)MHD_get_connection_values_n(connection, MHD_HEADER_KIND, read_header, headers);
}

static bool is_word(struct weir_text text, const char *word)
{
    return text.length == strlen(word) && strncasecmp(text.bytes, word, text.length) == 0;
}

const char *headers_ambiguity(const struct headers *headers)
{
    if (!headers->there[HEADER_TRANSFER_ENCODING]) {
        return NULL;
    }
    if (headers->there[HEADER_CONTENT_LENGTH]) {
        return "Content-Length and Transfer-Encoding are both there";
    }
    return is_word(headers->values[HEADER_TRANSFER_ENCODING], "chunked")
               ? NULL
               : "Transfer-Encoding may be chunked only";
}

bool headers_body(const struct headers *headers, uint64_t *length)
{
    struct weir_text digits = headers->values[HEADER_CONTENT_LENGTH];

    *length = 0;
    for (size_t i = 0; i < digits.length; i++) { /* which MHD has read already: they fit */
        *length = *length * 10 + ((uint64_t)(unsigned char)digits.bytes[i] - '0');
    }
    return headers->there[HEADER_TRANSFER_ENCODING] || *length > 0;
}

struct weir_text headers_credential(const struct headers *headers)
{
    struct weir_text value = headers->values[HEADER_AUTHORIZATION];
    const size_t length = strlen(SCHEME);

    if (value.length <= length || strncasecmp(value.bytes, SCHEME, length) != 0 ||
        !is_blank(value.bytes[length])) {
        return (struct weir_text){"", 0};
    }
    return trim((struct weir_text){value.bytes + length, value.length - length});
}

bool headers_json(const struct headers *headers)
{
    struct weir_text value = headers->values[HEADER_CONTENT_TYPE];
    const char *end = value.bytes;
    const size_t suffix = strlen(JSON_SUFFIX);
    size_t length = 0;

    if (!headers->there[HEADER_CONTENT_TYPE]) {
        return true;
    }
    while (length < value.length && end[length] != ';') {
        length++;
    }
    value = trim((struct weir_text){value.bytes, length});
    if (is_word(value, "application/json")) {
        return true;
    }
    return value.length > strlen("application/") + suffix &&
           strncasecmp(value.bytes, "application/", strlen("application/")) == 0 &&
           strncasecmp(value.bytes + value.length - suffix, JSON_SUFFIX, suffix) == 0;
}
