#include "serve/headers.h"

#include <string.h>
#include <strings.h>

#include <weir/credential.h>

#include "vocabulary/text.h"

#define SCHEME "Bearer"
#define JSON_SUFFIX "+json"

static const char *const names[HEADER_COUNT] = {
    [HEADER_AUTHORIZATION] = "Authorization",
    [HEADER_CONTENT_TYPE] = "Content-Type",
    [HEADER_CONTENT_ENCODING] = "Content-Encoding",
    [HEADER_CONTENT_LENGTH] = "Content-Length",
    [HEADER_TRANSFER_ENCODING] = "Transfer-Encoding",
    [HEADER_EXPECT] = "Expect",
    [HEADER_HOST] = "Host",
};

void headers_wipe(struct headers *headers)
{
    struct weir_text *value = &headers->values[HEADER_AUTHORIZATION];

    if (value->length > 0) {
        weir_wipe((void *)(uintptr_t)value->bytes, value->length);
    }
    *value = (struct weir_text){"", 0};
}

/* A name with a blank in or after it is one name to some, and another to others. */
static bool is_name(const char *name, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (name[i] <= ' ' || name[i] > '~') {
            return false;
        }
    }
    return size > 0;
}

/*
 * Where the next line begins, if this text ends one: both bytes of its line's end have become zero.
 * NULL: a NUL byte was in the line, or its end is a line feed alone. Later versions of MHD refuse
 * both, and folded lines, and keep other bytes there.
 */
static const char *line_after(const char *text, size_t size)
{
    return text[size] == '\0' && text[size + 1] == '\0' ? text + size + 2 : NULL;
}

static bool is_next_line(const struct headers *headers, const char *name)
{
    return MHD_VERSION >= 0x01000000 || headers->next == name;
}

/* Whether it holds a carriage return, which ends a line for some. */
static bool has_return(const char *value, size_t size)
{
    return size > 0 && memchr(value, '\r', size) != NULL;
}

static enum MHD_Result read_header(void *context, enum MHD_ValueKind kind, const char *name,
                                   size_t name_size, const char *value, size_t value_size)
{
    struct headers *headers = context;

    (void)kind;
    headers->malformed = headers->malformed || !is_name(name, name_size) ||
                         has_return(value, value_size) || !is_next_line(headers, name);
    headers->next = line_after(value, value_size);
    for (enum header header = 0; header < HEADER_COUNT; header++) {
        if (name_size == strlen(names[header]) &&
            strncasecmp(name, names[header], name_size) == 0) {
            if (headers->there[header]) {
                headers->twice = names[header];
                headers_wipe(headers); /* of an Authorization there may be two */
            }
            headers->there[header] = true;
            headers->values[header] = weir_text_trim((struct weir_text){value, value_size});
        }
    }
    return MHD_YES;
}

/* Whether an empty line of two bytes follows the last one, and ends the head. What is zero there
 * does not tell: it is the same behind a line feed alone. */
static bool is_whole(struct MHD_Connection *connection, const char *method, const char *next)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);

    return MHD_VERSION >= 0x01000000 ||
           (next != NULL && info != NULL && (size_t)(next + 2 - method) == info->header_size);
}

void headers_read(struct MHD_Connection *connection, const char *method, const char *version,
                  struct headers *headers)
{
    *headers = (struct headers){.next = line_after(version, strlen(version))};
    (void)MHD_get_connection_values_n(connection, MHD_HEADER_KIND, read_header, headers);
    headers->malformed = headers->malformed || !is_whole(connection, method, headers->next);
}

/* So many digits that the number is not lost. */
static bool is_length(struct weir_text text)
{
    for (size_t i = 0; i < text.length; i++) {
        if (text.bytes[i] < '0' || text.bytes[i] > '9') {
            return false;
        }
    }
    return text.length >= 1 && text.length <= 19;
}

const char *headers_ambiguity(const struct headers *headers, const char *version)
{
    const bool is_1_0 = strcmp(version, MHD_HTTP_VERSION_1_0) == 0;

    if (headers->malformed) {
        return "a header is malformed";
    }
    if (!headers->there[HEADER_HOST] && !is_1_0) {
        return "Host is missing";
    }
    if (headers->there[HEADER_CONTENT_LENGTH] &&
        !is_length(headers->values[HEADER_CONTENT_LENGTH])) {
        return "Content-Length is not a number";
    }
    if (!headers->there[HEADER_TRANSFER_ENCODING]) {
        return NULL;
    }
    if (headers->there[HEADER_CONTENT_LENGTH]) {
        return "Content-Length and Transfer-Encoding are both there";
    }
    if (is_1_0) {
        return "HTTP/1.0 has no Transfer-Encoding";
    }
    return weir_text_is_word(headers->values[HEADER_TRANSFER_ENCODING], "chunked")
               ? NULL
               : "Transfer-Encoding may be chunked only";
}

bool headers_body(const struct headers *headers, uint64_t *length)
{
    struct weir_text digits = headers->values[HEADER_CONTENT_LENGTH];

    *length = 0;
    for (size_t i = 0; i < digits.length && is_length(digits); i++) {
        *length = *length * 10 + ((uint64_t)(unsigned char)digits.bytes[i] - '0');
    }
    return headers->there[HEADER_TRANSFER_ENCODING] || *length > 0;
}

struct weir_text headers_credential(const struct headers *headers)
{
    struct weir_text value = headers->values[HEADER_AUTHORIZATION];
    const size_t length = strlen(SCHEME);

    if (value.length <= length || strncasecmp(value.bytes, SCHEME, length) != 0 ||
        !weir_is_space_or_tab(value.bytes[length])) {
        return (struct weir_text){"", 0};
    }
    return weir_text_trim((struct weir_text){value.bytes + length, value.length - length});
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
    value = weir_text_trim((struct weir_text){value.bytes, length});
    if (weir_text_is_word(value, "application/json")) {
        return true;
    }
    return value.length > strlen("application/") + suffix &&
           strncasecmp(value.bytes, "application/", strlen("application/")) == 0 &&
           strncasecmp(value.bytes + value.length - suffix, JSON_SUFFIX, suffix) == 0;
}
