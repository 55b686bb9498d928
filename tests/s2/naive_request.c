#include "s2/naive_request.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "model/naive.h"
#include "s2/request.h"

#define SEGMENTS_MAX 6

static bool is(struct weir_text text, const char *string)
{
    return naive_same(text, (struct weir_text){string, strlen(string)});
}

bool naive_split(struct weir_text *rest, char byte, struct weir_text *first)
{
    for (size_t i = 0; i < rest->length; i++) {
        if (rest->bytes[i] == byte) {
            *first = (struct weir_text){rest->bytes, i};
            *rest = (struct weir_text){rest->bytes + i + 1, rest->length - i - 1};
            return true;
        }
    }
    *first = *rest;
    *rest = (struct weir_text){"", 0};
    return false;
}

bool naive_decode(struct weir_text encoded, bool query, char *room, struct weir_text *text)
{
    *text = (struct weir_text){room, 0};
    for (size_t i = 0; i < encoded.length; i++) {
        char byte = encoded.bytes[i];

        if (byte == '%') {
            char digits[3] = "";

            if (i + 2 >= encoded.length || !isxdigit((unsigned char)encoded.bytes[i + 1]) ||
                !isxdigit((unsigned char)encoded.bytes[i + 2])) {
                return false;
            }
            memcpy(digits, encoded.bytes + i + 1, 2);
            byte = (char)strtol(digits, NULL, 16);
            i += 2;
        } else if (query && byte == '+') {
            byte = ' ';
        }
        room[text->length++] = byte;
    }
    return true;
}

/* As naive_decode, into the request's own memory. */
static bool decode(struct naive_request *request, struct weir_text encoded, bool query,
                   struct weir_text *text)
{
    if (!naive_decode(encoded, query, request->memory + request->used, text)) {
        return false;
    }
    request->used += text->length;
    return true;
}

static void skip_host(struct weir_text *uri)
{
    for (size_t length = 7; length <= 8; length++) {
        if (uri->length >= length &&
            strncasecmp(uri->bytes, length == 7 ? "http://" : "https://", length) == 0) {
            uri->bytes += length;
            uri->length -= length;
            while (uri->length > 0 && *uri->bytes != '/' && *uri->bytes != '?') {
                uri->bytes++;
                uri->length--;
            }
            return;
        }
    }
}

static bool has_odd_bytes(struct weir_text text)
{
    for (size_t i = 0; i < text.length; i++) {
        if ((unsigned char)text.bytes[i] < 0x21 || text.bytes[i] == 0x7f || text.bytes[i] == '#') {
            return true;
        }
    }
    return false;
}

static bool is_utf8(struct weir_text text)
{
    /* A prefix is any text of up to 512 bytes; each character by itself is short enough. */
    while (text.length > 0) {
        size_t length = 1;

        while (length < text.length && ((unsigned char)text.bytes[length] & 0xc0) == 0x80) {
            length++;
        }
        if (!naive_stream_prefix_valid((struct weir_text){text.bytes, length})) {
            return false;
        }
        text.bytes += length;
        text.length -= length;
    }
    return true;
}

/*
 * The interface, row by row: method, path, operations. One letter in a path is a name: b a basin,
 * s a stream, t an access token's id. A path that begins with `streams` needs the header.
 */
static const struct {
    const char *method;
    const char *path;
    unsigned first, second;
} rows[] = {
    {"GET", "v1/basins", 1, 0},
    {"POST", "v1/basins", 2, 0},
    {"GET", "v1/basins/b", 5, 0},
    {"PATCH", "v1/basins/b", 4, 0},
    {"DELETE", "v1/basins/b", 3, 0},
    {"PUT", "v1/basins/b", 2, 4},
    {"GET", "v1/access-tokens", 8, 0},
    {"POST", "v1/access-tokens", 6, 0},
    {"DELETE", "v1/access-tokens/t", 7, 0},
    {"GET", "v1/locations", 22, 0},
    {"GET", "v1/locations/default", 23, 0},
    {"PUT", "v1/locations/default", 24, 0},
    {"GET", "v1/metrics", 19, 0},
    {"GET", "v1/metrics/b", 20, 0},
    {"GET", "v1/metrics/b/s", 21, 0},
    {"GET", "v1/streams", 9, 0},
    {"POST", "v1/streams", 10, 0},
    {"GET", "v1/streams/s", 12, 0},
    {"PATCH", "v1/streams/s", 13, 0},
    {"DELETE", "v1/streams/s", 11, 0},
    {"PUT", "v1/streams/s", 10, 13},
    {"GET", "v1/streams/s/records/tail", 14, 0},
    {"GET", "v1/streams/s/records", 16, 0},
    {"POST", "v1/streams/s/records", 0, 0},
    {"GET", "health", 0, 0},
    {"GET", "ping", 0, 0},
    {"GET", "metrics", 0, 0},
};

/* Takes a name in. False: it is none. */
static bool take(struct naive_request *request, char kind, struct weir_text encoded)
{
    struct weir_text name;

    if (!decode(request, encoded, false, &name)) {
        return false;
    }
    switch (kind) {
    case 'b':
        request->basin = name;
        return naive_basin_valid(name);
    case 's':
        request->stream = name;
        return naive_stream_valid(name);
    default:
        request->access_token = name;
        return naive_token_id_valid(name);
    }
}

/* Whether the path is that row's. `*names_are_bad`: a name in it is none. */
static bool fits(struct naive_request *request, const char *row, const struct weir_text *segments,
                 size_t count, bool *names_are_bad)
{
    struct weir_text rest = {row, strlen(row)};
    bool more = true;
    size_t i = 0;

    *names_are_bad = false;
    for (i = 0; more && i < count; i++) {
        struct weir_text expected;

        more = naive_split(&rest, '/', &expected);
        if (expected.length == 1) {
            *names_are_bad |= !take(request, expected.bytes[0], segments[i]);
        } else if (!naive_same(expected, segments[i])) {
            return false;
        }
    }
    return !more && i == count;
}

static void read_path(struct naive_request *request, struct weir_text method,
                      const struct weir_text *segments, size_t count)
{
    const char *wanted = NULL;

    for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
        bool names_are_bad = false;

        if (!is(method, rows[row].method) &&
            !(is(method, "HEAD") && strcmp(rows[row].method, "GET") == 0)) {
            continue;
        }
        request->used = 0;
        request->basin = request->stream = request->access_token = (struct weir_text){"", 0};
        if (!fits(request, rows[row].path, segments, count, &names_are_bad)) {
            continue;
        }
        wanted = rows[row].path;
        request->call = wanted;
        request->operations =
            (UINT64_C(1) << rows[row].first | UINT64_C(1) << rows[row].second) & ~UINT64_C(1);
        request->code = names_are_bad ? "bad_path" : NULL;
        return;
    }
    request->code = "not_found";
}

static void read_query(struct naive_request *request, struct weir_text query)
{
    bool more = query.length > 0;

    request->code = has_odd_bytes(query) ? "bad_query" : NULL;
    while (more && request->code == NULL) {
        struct weir_text piece;
        struct weir_text key;
        struct naive_parameter parameter;

        more = naive_split(&query, '&', &piece);
        if (piece.length == 0) {
            continue;
        }
        (void)naive_split(&piece, '=', &key);
        if (request->query_count == 32 || !decode(request, key, true, &parameter.key) ||
            !decode(request, piece, true, &parameter.value) || !is_utf8(parameter.key) ||
            !is_utf8(parameter.value)) {
            request->code = "bad_query";
            return;
        }
        for (size_t i = 0; i < request->query_count; i++) {
            if (naive_same(request->query[i].key, parameter.key)) {
                request->code = "bad_query";
            }
        }
        request->query[request->query_count++] = parameter;
    }
}

static void check_listing(struct naive_request *request, bool of_basins)
{
    for (size_t i = 0; i < request->query_count; i++) {
        struct weir_text key = request->query[i].key;
        struct weir_text value = request->query[i].value;
        bool fine = true;

        if (is(key, "prefix") || is(key, "start_after")) {
            fine = of_basins ? naive_basin_prefix_valid(value) : naive_stream_prefix_valid(value);
        } else if (is(key, "limit")) {
            fine = value.length > 0;
            for (size_t k = 0; k < value.length; k++) {
                fine = fine && isdigit((unsigned char)value.bytes[k]);
            }
        }
        request->code = fine ? request->code : "bad_query";
    }
}

static bool is_dots(struct weir_text text)
{
    return is(text, ".") || is(text, "..");
}

static void read_options(struct naive_request *request, const struct weir_text *segments,
                         size_t count)
{
    request->call = "passed";
    for (size_t i = 0; i < count; i++) {
        struct weir_text decoded;

        request->used = 0;
        if (!decode(request, segments[i], false, &decoded) || is_dots(decoded) ||
            !is_utf8(decoded)) {
            request->code = "bad_path";
        }
    }
}

void naive_request_read(struct naive_request *request, struct weir_text method,
                        struct weir_text uri, struct weir_text basin)
{
    struct weir_text path;
    struct weir_text segments[NAIVE_URI_MAX];
    struct weir_text slash;
    size_t count = 0;
    bool more = true;

    request->code = NULL;
    request->call = NULL;
    request->operations = 0;
    request->query_count = 0;
    request->used = 0;
    request->basin = request->stream = request->access_token = (struct weir_text){"", 0};
    skip_host(&uri);
    (void)naive_split(&uri, '?', &path);
    if (has_odd_bytes(path) || path.length == 0 || path.bytes[0] != '/') {
        request->code = "bad_path";
        return;
    }
    (void)naive_split(&path, '/', &slash);
    if (path.length == 0 && !is(method, "OPTIONS")) {
        request->code = "not_found";
        return;
    }
    while (more) {
        more = naive_split(&path, '/', &segments[count]);
        if (is_dots(segments[count]) || (segments[count].length == 0 && (count > 0 || more))) {
            request->code = "bad_path";
            return;
        }
        count++;
    }
    if (is(method, "OPTIONS")) {
        read_options(request, segments, count);
    } else {
        read_path(request, method, segments, count);
    }
    if (request->code == NULL && strncmp(request->call, "v1/streams", 10) == 0) {
        request->basin = basin;
        request->code = naive_basin_valid(basin) ? NULL : "bad_header";
    }
    if (request->code == NULL) {
        read_query(request, uri);
    }
    if (request->code == NULL &&
        (strcmp(request->call, "v1/basins") == 0 || strcmp(request->call, "v1/streams") == 0) &&
        !is(method, "POST")) {
        check_listing(request, strcmp(request->call, "v1/basins") == 0);
    }
}

/* Whether the pattern, which has `{s}` where the call has `s`, is that call's. */
static bool is_call(const char *pattern, const char *call)
{
    if (*pattern++ != '/') {
        return false;
    }
    for (; *pattern != '\0'; pattern++, call++) {
        bool is_name = *pattern == '{';

        pattern += is_name;
        if (*pattern != *call) {
            return false;
        }
        pattern += is_name;
    }
    return *call == '\0';
}

bool naive_request_agrees(const struct naive_request *naive, const struct s2_request *request)
{
    bool same = request->pattern == NULL
                    ? request->call == S2_PASSED && strcmp(naive->call, "passed") == 0
                    : is_call(request->pattern, naive->call);

    same = same && request->operations == naive->operations &&
           naive_same(request->basin, naive->basin) && naive_same(request->stream, naive->stream) &&
           naive_same(request->access_token, naive->access_token) &&
           request->query_count == naive->query_count;
    for (size_t i = 0; same && i < naive->query_count; i++) {
        same = naive_same(request->query[i].key, naive->query[i].key) &&
               naive_same(request->query[i].value, naive->query[i].value);
    }
    return same;
}
