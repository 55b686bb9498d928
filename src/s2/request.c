#include "s2/request.h"

#include <string.h>
#include <strings.h>

#include "s2/request_route.h"
#include "vocabulary/name_rules.h"
#include "vocabulary/text.h"
#include "wire/percent.h"

/* What is read, and how much of the room for decoded texts is left. */
struct reading {
    struct s2_request *request;
    char *room;
    struct s2_refusal *refusal;
};

static bool refuse_path(struct s2_refusal *refusal, const char *message)
{
    return s2_refuse(refusal, 400, "bad_path", message);
}

static bool refuse_query(struct s2_refusal *refusal, const char *message)
{
    return s2_refuse(refusal, 400, "bad_query", message);
}

static bool decode(struct reading *reading, struct weir_text encoded, bool plus_is_space,
                   struct weir_text *text)
{
    if (!weir_percent_decode(encoded, plus_is_space, reading->room, text)) {
        return false;
    }
    reading->room += text->length;
    return true;
}

/*
 * ---- The path ----
 */

/* Of a URI with a host, which proxies are sent (`http://host/path`), what is behind the host. */
static struct weir_text skip_host(struct weir_text uri)
{
    static const struct weir_text schemes[] = {{"http://", 7}, {"https://", 8}};

    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        if (uri.length >= schemes[i].length &&
            strncasecmp(uri.bytes, schemes[i].bytes, schemes[i].length) == 0) {
            size_t at = schemes[i].length;

            while (at < uri.length && uri.bytes[at] != '/' && uri.bytes[at] != '?') {
                at++;
            }
            return weir_text_from(uri, at);
        }
    }
    return uri;
}

/* Controls, blanks, and what begins a fragment: not every parser sees the same URI then. */
static bool is_plain(struct weir_text uri)
{
    unsigned char found = 0;

    for (size_t i = 0; i < uri.length; i++) { /* without a branch, so that it is vectorized */
        unsigned char byte = (unsigned char)uri.bytes[i];

        found |= (unsigned char)((byte <= ' ') | (byte == 0x7f) | (byte == '#'));
    }
    return found == 0;
}

static bool is_dots(struct weir_text segment)
{
    return weir_text_equal(segment, WEIR_TEXT(".")) || weir_text_equal(segment, WEIR_TEXT(".."));
}

/* The segment that begins there. */
static struct weir_text segment_at(struct weir_text path, size_t at)
{
    struct weir_text rest = weir_text_from(path, at);
    const char *end = rest.length > 0 ? memchr(rest.bytes, '/', rest.length) : NULL;

    return (struct weir_text){rest.bytes, end != NULL ? (size_t)(end - rest.bytes) : rest.length};
}

/* No segment may be empty or consist of dots: what is before or behind us might read another path.
 */
static bool has_whole_segments(struct weir_text path)
{
    size_t at = 1;

    while (at <= path.length) {
        struct weir_text segment = segment_at(path, at);

        if (segment.length == 0 || is_dots(segment)) {
            return false;
        }
        at += segment.length + 1;
    }
    return true;
}

static bool read_basin(struct reading *reading, struct weir_text encoded)
{
    struct weir_text *basin = &reading->request->basin;

    if (encoded.length == 0) {
        return true;
    }
    if (!decode(reading, encoded, false, basin) || !weir_basin_valid(*basin)) {
        return refuse_path(reading->refusal, "The path has a name that no basin can have.");
    }
    return true;
}

static bool read_stream(struct reading *reading, struct weir_text encoded)
{
    struct weir_text *stream = &reading->request->stream;

    if (encoded.length == 0) {
        return true;
    }
    if (!decode(reading, encoded, false, stream) || !weir_stream_valid(*stream)) {
        return refuse_path(reading->refusal, "The path has a name that no stream can have.");
    }
    return true;
}

static bool read_access_token(struct reading *reading, struct weir_text encoded)
{
    struct weir_text *id = &reading->request->access_token;

    if (encoded.length == 0) {
        return true;
    }
    if (!decode(reading, encoded, false, id) || !weir_token_id_valid(*id)) {
        return refuse_path(reading->refusal, "The path has an id that no access token can have.");
    }
    return true;
}

/* A path that is passed on whatever it is: all that matters is that it stays what it is. */
static bool read_any_path(struct reading *reading, struct weir_text path)
{
    for (size_t at = 1; at <= path.length;) {
        struct weir_text segment = segment_at(path, at);
        struct weir_text decoded = {"", 0};

        if (!weir_percent_decode(segment, false, reading->room, &decoded) || is_dots(decoded) ||
            !weir_utf8_valid(decoded)) {
            return refuse_path(reading->refusal, "The path has a segment that cannot be decoded.");
        }
        at += segment.length + 1;
    }
    reading->request->call = S2_PASSED;
    return true;
}

static bool read_path(struct reading *reading, struct weir_text method, struct weir_text path)
{
    struct s2_path_names names;
    const struct s2_route *route = NULL;

    if (path.length == 0 || path.bytes[0] != '/' || !is_plain(path)) {
        return refuse_path(reading->refusal, "The path is not well-formed.");
    }
    if (path.length > 1 && !has_whole_segments(path)) {
        return refuse_path(reading->refusal, "The path has a segment that is empty, or dots.");
    }
    if (weir_text_equal(method, WEIR_TEXT("OPTIONS"))) {
        return read_any_path(reading, path);
    }
    route = s2_route_find(method, path, &names);
    if (route == NULL) {
        return s2_refuse(reading->refusal, 404, "not_found", "There is no such call.");
    }
    reading->request->call = route->call;
    reading->request->operations = route->operations;
    reading->request->pattern = route->pattern;
    return read_basin(reading, names.basin) && read_stream(reading, names.stream) &&
           read_access_token(reading, names.access_token);
}

/*
 * ---- The basin of `s2-basin` ----
 */

static bool is_of_basin(enum s2_call call)
{
    switch (call) {
    case S2_LIST_STREAMS:
    case S2_CREATE_STREAM:
    case S2_PUT_STREAM:
    case S2_ONE_STREAM:
    case S2_CHECK_TAIL:
    case S2_READ:
    case S2_APPEND:
        return true;
    case S2_NOTHING:
    case S2_PASSED:
    case S2_METRICS_PAGE:
    case S2_ACCESS_TOKENS:
    case S2_LIST_BASINS:
    case S2_CREATE_BASIN:
    case S2_PUT_BASIN:
    case S2_ONE_BASIN:
    case S2_LOCATIONS:
    case S2_METRICS:
        break;
    }
    return false;
}

static bool take_basin(struct reading *reading, const struct s2_headers *headers)
{
    if (!is_of_basin(reading->request->call)) {
        return true;
    }
    if (!weir_basin_valid(headers->basin)) {
        return s2_refuse(reading->refusal, 400, "bad_header",
                         "s2-basin is missing, or no basin can have that name.");
    }
    reading->request->basin = headers->basin;
    return true;
}

/*
 * ---- The query ----
 */

static const struct weir_text *find(const struct s2_request *request, struct weir_text key)
{
    for (size_t i = 0; i < request->query_count; i++) {
        if (weir_text_equal(request->query[i].key, key)) {
            return &request->query[i].value;
        }
    }
    return NULL;
}

static bool read_parameter(struct reading *reading, struct weir_text piece)
{
    const char *equals = memchr(piece.bytes, '=', piece.length);
    size_t length = equals != NULL ? (size_t)(equals - piece.bytes) : piece.length;
    struct s2_request *request = reading->request;
    struct s2_parameter parameter = {.value = {"", 0}, .has_value = equals != NULL};

    if (request->query_count == S2_QUERY_MAX) {
        return refuse_query(reading->refusal, "The query has too many keys.");
    }
    if (!decode(reading, (struct weir_text){piece.bytes, length}, true, &parameter.key) ||
        (equals != NULL &&
         !decode(reading, weir_text_from(piece, length + 1), true, &parameter.value)) ||
        !weir_utf8_valid(parameter.key) || !weir_utf8_valid(parameter.value)) {
        return refuse_query(reading->refusal, "The query cannot be decoded.");
    }
    if (find(request, parameter.key) != NULL) {
        return refuse_query(reading->refusal, "The query has a key twice.");
    }
    request->query[request->query_count++] = parameter;
    return true;
}

static bool read_query(struct reading *reading, struct weir_text query)
{
    if (!is_plain(query)) {
        return refuse_query(reading->refusal, "The query is not well-formed.");
    }
    while (query.length > 0) {
        const char *end = memchr(query.bytes, '&', query.length);
        size_t length = end != NULL ? (size_t)(end - query.bytes) : query.length;

        if (length > 0 && !read_parameter(reading, (struct weir_text){query.bytes, length})) {
            return false;
        }
        query = weir_text_from(query, end != NULL ? length + 1 : length);
    }
    return true;
}

static bool is_digits(struct weir_text text)
{
    for (size_t i = 0; i < text.length; i++) {
        if (text.bytes[i] < '0' || text.bytes[i] > '9') {
            return false;
        }
    }
    return text.length > 0;
}

/* What a listing is asked with. */
static bool check_query(struct reading *reading)
{
    const struct s2_request *request = reading->request;
    const struct weir_text *prefix = s2_request_parameter(request, "prefix");
    const struct weir_text *start_after = s2_request_parameter(request, "start_after");
    const struct weir_text *limit = s2_request_parameter(request, "limit");
    bool (*is_prefix)(struct weir_text) =
        request->call == S2_LIST_BASINS ? weir_basin_prefix_valid : weir_stream_prefix_valid;

    if (request->call != S2_LIST_BASINS && request->call != S2_LIST_STREAMS) {
        return true;
    }
    if (prefix != NULL && !is_prefix(*prefix)) {
        return refuse_query(reading->refusal, "The prefix is one that no name can have.");
    }
    if (start_after != NULL && !is_prefix(*start_after)) {
        return refuse_query(reading->refusal, "start_after is nothing that a name begins with.");
    }
    if (limit != NULL && !is_digits(*limit)) {
        return refuse_query(reading->refusal, "The limit is not a number.");
    }
    return true;
}

const struct weir_text *s2_request_parameter(const struct s2_request *request, const char *key)
{
    return find(request, (struct weir_text){key, strlen(key)});
}

bool s2_request_read(struct weir_text method, struct weir_text uri,
                     const struct s2_headers *headers, char *memory, struct s2_request *request,
                     struct s2_refusal *refusal)
{
    struct weir_text target = skip_host(uri);
    const char *mark = target.length > 0 ? memchr(target.bytes, '?', target.length) : NULL;
    size_t length = mark != NULL ? (size_t)(mark - target.bytes) : target.length;
    struct reading reading = {.request = request, .refusal = refusal};

    reading.room = memory;
    memset(request, 0, offsetof(struct s2_request, query)); /* the parameters are counted */
    request->query_count = 0;
    request->path = (struct weir_text){target.bytes, length};
    return read_path(&reading, method, request->path) && take_basin(&reading, headers) &&
           read_query(&reading, weir_text_from(target, mark != NULL ? length + 1 : length)) &&
           check_query(&reading);
}
