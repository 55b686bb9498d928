/* Requests: the table of the interface, and random requests against a naive reading of them. */
#include <stdio.h>
#include <string.h>

#include "library/support.h"
#include "model/naive.h"
#include "s2/naive_request.h"
#include "s2/request.h"
#include "s2/request_route.h"
#include "s2/support.h"

/*
 * ---- The table ----
 */

struct row {
    const char *method;
    const char *path;
    enum s2_call call;
    unsigned operations[2];
    const char *basin;
    const char *stream;
    const char *access_token;
};

#define BASIN "acme-prod"
#define OTHER "other-basin"

static const struct row table[] = {
    {"GET", "/v1/basins", S2_LIST_BASINS, {1}, "", "", ""},
    {"POST", "/v1/basins", S2_CREATE_BASIN, {2}, "", "", ""},
    {"GET", "/v1/basins/" OTHER, S2_ONE_BASIN, {5}, OTHER, "", ""},
    {"PATCH", "/v1/basins/" OTHER, S2_ONE_BASIN, {4}, OTHER, "", ""},
    {"DELETE", "/v1/basins/" OTHER, S2_ONE_BASIN, {3}, OTHER, "", ""},
    {"PUT", "/v1/basins/" OTHER, S2_PUT_BASIN, {2, 4}, OTHER, "", ""},
    {"GET", "/v1/access-tokens", S2_ACCESS_TOKENS, {8}, "", "", ""},
    {"POST", "/v1/access-tokens", S2_ACCESS_TOKENS, {6}, "", "", ""},
    {"DELETE", "/v1/access-tokens/a%2Fb", S2_ACCESS_TOKENS, {7}, "", "", "a/b"},
    {"GET", "/v1/locations", S2_LOCATIONS, {22}, "", "", ""},
    {"GET", "/v1/locations/default", S2_LOCATIONS, {23}, "", "", ""},
    {"PUT", "/v1/locations/default", S2_LOCATIONS, {24}, "", "", ""},
    {"GET", "/v1/metrics", S2_METRICS, {19}, "", "", ""},
    {"GET", "/v1/metrics/" OTHER, S2_METRICS, {20}, OTHER, "", ""},
    {"GET", "/v1/metrics/" OTHER "/a%2Fb", S2_METRICS, {21}, OTHER, "a/b", ""},
    {"GET", "/v1/streams", S2_LIST_STREAMS, {9}, BASIN, "", ""},
    {"POST", "/v1/streams", S2_CREATE_STREAM, {10}, BASIN, "", ""},
    {"GET", "/v1/streams/a%2Fb", S2_ONE_STREAM, {12}, BASIN, "a/b", ""},
    {"PATCH", "/v1/streams/a%2Fb", S2_ONE_STREAM, {13}, BASIN, "a/b", ""},
    {"DELETE", "/v1/streams/a%2Fb", S2_ONE_STREAM, {11}, BASIN, "a/b", ""},
    {"PUT", "/v1/streams/a%2Fb", S2_PUT_STREAM, {10, 13}, BASIN, "a/b", ""},
    {"GET", "/v1/streams/a%2Fb/records/tail", S2_CHECK_TAIL, {14}, BASIN, "a/b", ""},
    {"GET", "/v1/streams/a%2Fb/records", S2_READ, {16}, BASIN, "a/b", ""},
    {"POST", "/v1/streams/a%2Fb/records", S2_APPEND, {0}, BASIN, "a/b", ""},
    {"GET", "/health", S2_PASSED, {0}, "", "", ""},
    {"GET", "/ping", S2_PASSED, {0}, "", "", ""},
    {"GET", "/metrics", S2_METRICS_PAGE, {0}, "", "", ""},
};

/* Methods that some row or none has. */
static const char *const methods[] = {"GET",     "POST", "PUT",   "PATCH", "DELETE",
                                      "OPTIONS", "HEAD", "TRACE", "get",   "CONNECT"};

/* Paths that no row has. */
static const char *const others[] = {
    "/",
    "/v1",
    "/v2/basins",
    "/basins",
    "/v1/stream",
    "/v1/%73treams",
    "/v1/streamss",
    "/v1/streams/s/record",
    "/v1/streams/s/records/tails",
    "/v1/streams/s/records/tail/x",
    "/v1/basins/" OTHER "/x",
    "/v1/access-tokens/a/b",
    "/v1/locations/other",
    "/v1/metrics/" OTHER "/s/x",
    "/health/x",
    "/Health",
    "/V1/basins",
};

static bool is(struct weir_text text, const char *string)
{
    return naive_same(text, text_of(string));
}

static bool read_request(const char *method, struct weir_text uri, const char *basin,
                         struct s2_request *request, struct s2_refusal *refusal)
{
    static char memory[NAIVE_URI_MAX];
    struct s2_headers headers = {.basin = text_of(basin)};

    DEMAND(uri.length <= sizeof memory, "a longer URI than there is room for");
    return s2_request_read(text_of(method), uri, &headers, memory, request, refusal);
}

/* Whether a row has this method, HEAD being GET. */
static bool has_method(const struct row *row, const char *method)
{
    return strcmp(row->method, method) == 0 ||
           (strcmp(method, "HEAD") == 0 && strcmp(row->method, "GET") == 0);
}

static void expect_row(const struct row *row, const struct s2_request *request)
{
    weir_operations operations = 0;

    for (size_t i = 0; i < COUNT(row->operations); i++) {
        operations |= row->operations[i] > 0 ? WEIR_OPERATION_BIT(row->operations[i]) : 0;
    }
    ck_assert_int_eq(request->call, row->call);
    ck_assert_uint_eq(request->operations, operations);
    ck_assert(is(request->basin, row->basin));
    ck_assert(is(request->stream, row->stream));
    ck_assert(is(request->access_token, row->access_token));
}

static const struct row *find_row(const char *method, const char *path)
{
    for (size_t i = 0; i < COUNT(table); i++) {
        if (has_method(&table[i], method) && strcmp(table[i].path, path) == 0) {
            return &table[i];
        }
    }
    return NULL;
}

static void expect_path(const char *method, const char *path)
{
    const struct row *row = find_row(method, path);
    struct s2_request request;
    struct s2_refusal refusal = {0};
    bool read = read_request(method, text_of(path), BASIN, &request, &refusal);

    if (row != NULL) {
        ck_assert_msg(read, "%s %s: %s", method, path, refusal.message);
        expect_row(row, &request);
    } else if (strcmp(method, "OPTIONS") == 0) {
        ck_assert_msg(read && request.call == S2_PASSED && request.operations == 0, "%s", path);
    } else {
        ck_assert_msg(!read && refusal.status == 404 && strcmp(refusal.code, "not_found") == 0,
                      "%s %s", method, path);
    }
}

START_TEST(every_call_of_the_table_needs_its_operations_and_there_are_no_others)
{
    size_t routes = 0;

    for (size_t m = 0; m < COUNT(methods); m++) {
        for (size_t i = 0; i < COUNT(table); i++) {
            expect_path(methods[m], table[i].path);
        }
        for (size_t i = 0; i < COUNT(others); i++) {
            expect_path(methods[m], others[i]);
        }
    }
    (void)s2_routes(&routes);
    ck_assert_uint_eq(routes, COUNT(table));
}
END_TEST

START_TEST(every_operation_is_needed_by_some_call)
{
    weir_operations needed = WEIR_OPERATION_BIT(WEIR_APPEND) | WEIR_OPERATION_BIT(WEIR_TRIM) |
                             WEIR_OPERATION_BIT(WEIR_FENCE);
    size_t count = 0;
    const struct s2_route *routes = s2_routes(&count);

    for (size_t i = 0; i < count; i++) {
        needed |= routes[i].operations;
    }
    ck_assert_uint_eq(needed, WEIR_OPERATIONS_ALL);
}
END_TEST

/*
 * ---- Paths and queries, one by one ----
 */

struct refused {
    const char *uri;
    const char *code;
};

static const struct refused refused[] = {
    {"", "bad_path"},
    {"*", "bad_path"},
    {"v1/basins", "bad_path"},
    {"//v1/basins", "bad_path"},
    {"/v1//basins", "bad_path"},
    {"/v1/basins/", "bad_path"},
    {"/v1/streams//records", "bad_path"},
    {"/v1/streams/./records", "bad_path"},
    {"/v1/streams/../basins", "bad_path"},
    {"/v1/streams/..", "bad_path"},
    {"/v1/streams/a b", "bad_path"},
    {"/v1/streams/a#b", "bad_path"},
    {"/v1/streams/a\tb", "bad_path"},
    {"/v1/streams/a\x7f", "bad_path"},
    {"/v1/streams/%2e%2e", "bad_path"},
    {"/v1/streams/%2E", "bad_path"},
    {"/v1/streams/.%2e/records", "bad_path"},
    {"/v1/streams/%00", "bad_path"},
    {"/v1/streams/a%00b", "bad_path"},
    {"/v1/streams/%", "bad_path"},
    {"/v1/streams/%4", "bad_path"},
    {"/v1/streams/a%", "bad_path"},
    {"/v1/streams/%4g", "bad_path"},
    {"/v1/streams/%%34", "bad_path"},
    {"/v1/streams/%u0041", "bad_path"},
    {"/v1/streams/%c0%ae%c0%ae", "bad_path"},
    {"/v1/streams/%c0%af", "bad_path"},
    {"/v1/streams/%ed%a0%80", "bad_path"},
    {"/v1/streams/%f4%90%80%80", "bad_path"},
    {"/v1/streams/%ff", "bad_path"},
    {"/v1/streams/\xff", "bad_path"},
    {"/v1/metrics/" OTHER "/%2e%2e", "bad_path"},
    {"/v1/basins/short", "bad_path"},
    {"/v1/basins/Upper-Case", "bad_path"},
    {"/v1/basins/-leading", "bad_path"},
    {"/v1/basins/with%2Fslash", "bad_path"},
    {"/v1/streams?prefix=a&prefix=a", "bad_query"},
    {"/v1/streams?prefix=a&pre%66ix=b", "bad_query"},
    {"/v1/streams?prefix&prefix=", "bad_query"},
    {"/v1/streams?x=1&x=2", "bad_query"},
    {"/v1/streams?=1&=2", "bad_query"},
    {"/v1/streams?prefix=%", "bad_query"},
    {"/v1/streams?%zz=1", "bad_query"},
    {"/v1/streams?prefix=%ff", "bad_query"},
    {"/v1/streams?prefix=%00", "bad_query"},
    {"/v1/streams?x=%ff", "bad_query"},
    {"/v1/streams?start_after=%00", "bad_query"},
    {"/v1/streams?prefix=a#b", "bad_query"},
    {"/v1/streams?limit=", "bad_query"},
    {"/v1/streams?limit", "bad_query"},
    {"/v1/streams?limit=-1", "bad_query"},
    {"/v1/streams?limit=%2B1", "bad_query"},
    {"/v1/streams?limit=1.0", "bad_query"},
    {"/v1/basins?prefix=Upper", "bad_query"},
    {"/v1/basins?start_after=%2F", "bad_query"},
};

START_TEST(what_is_not_understood_is_refused)
{
    for (size_t i = 0; i < COUNT(refused); i++) {
        struct s2_request request;
        struct s2_refusal refusal = {0};

        ck_assert_msg(!read_request("GET", text_of(refused[i].uri), BASIN, &request, &refusal),
                      "%s", refused[i].uri);
        ck_assert_str_eq(refusal.code, refused[i].code);
        ck_assert_uint_eq(refusal.status, 400);
    }
}
END_TEST

struct named {
    const char *segment;
    const char *name;
    const char *written; /* with the prefix `p/` */
};

static const struct named named[] = {
    {"a+b", "a+b", "p%2Fa%2Bb"},
    {"%2Fetc%2Fpasswd", "/etc/passwd", "p%2F%2Fetc%2Fpasswd"},
    {"%2e%2e%2f", "../", "p%2F..%2F"},
    {"users%2F1234%2F..%2F5678", "users/1234/../5678", "p%2Fusers%2F1234%2F..%2F5678"},
    {"%252e%252e", "%2e%2e", "p%2F%252e%252e"},
    {"%25", "%", "p%2F%25"},
    {"%3F%23%26", "?#&", "p%2F%3F%23%26"},
    {"\xe2\x82\xac", "\xe2\x82\xac", "p%2F%E2%82%AC"},
    {"%e2%82%ac", "\xe2\x82\xac", "p%2F%E2%82%AC"},
    {"...", "...", "p%2F..."},
    {"a;b=c,d:@!$'()*", "a;b=c,d:@!$'()*", "p%2Fa%3Bb%3Dc%2Cd%3A%40%21%24%27%28%29%2A"},
    {"-._~", "-._~", "p%2F-._~"},
    {"%01%7f", "\x01\x7f", "p%2F%01%7F"},
    {"a\\b", "a\\b", "p%2Fa%5Cb"},
    {"%ef%bb%bfx", "\xef\xbb\xbfx", "p%2F%EF%BB%BFx"},
};

static struct weir_text write_request(const struct s2_request *request, const char *prefix)
{
    static char buffer[16 * NAIVE_URI_MAX];
    size_t size = s2_request_size(request, text_of(prefix));
    size_t length = 0;

    DEMAND(size <= sizeof buffer, "more than there is room for");
    length = s2_request_write(request, text_of(prefix), buffer);
    DEMAND(length <= size, "longer than it may be");
    return (struct weir_text){buffer, length};
}

START_TEST(a_stream_is_decoded_once_and_encoded_afresh)
{
    for (size_t i = 0; i < COUNT(named); i++) {
        char uri[256];
        char expected[256];
        struct s2_request request;
        struct s2_refusal refusal = {0};

        (void)snprintf(uri, sizeof uri, "/v1/streams/%s/records?seq_num=0", named[i].segment);
        (void)snprintf(expected, sizeof expected, "/v1/streams/%s/records?seq_num=0",
                       named[i].written);
        ck_assert(read_request("GET", text_of(uri), BASIN, &request, &refusal));
        ck_assert_msg(is(request.stream, named[i].name), "%s", uri);
        ck_assert_msg(is(write_request(&request, "p/"), expected), "%s", expected);
    }
}
END_TEST

struct rewritten {
    const char *uri;
    const char *plain;
    const char *prefixed; /* with the prefix `p/` */
};

static const struct rewritten rewritten[] = {
    {"/v1/streams", "/v1/streams", "/v1/streams?prefix=p%2F"},
    {"/v1/streams?", "/v1/streams", "/v1/streams?prefix=p%2F"},
    {"/v1/streams?prefix=", "/v1/streams?prefix=", "/v1/streams?prefix=p%2F"},
    {"/v1/streams?prefix", "/v1/streams?prefix", "/v1/streams?prefix=p%2F"},
    {"/v1/streams?prefix=a+b", "/v1/streams?prefix=a%20b", "/v1/streams?prefix=p%2Fa%20b"},
    {"/v1/streams?pre%66ix=a%2Bb", "/v1/streams?prefix=a%2Bb", "/v1/streams?prefix=p%2Fa%2Bb"},
    {"/v1/streams?start_after=&limit=5", "/v1/streams?start_after=&limit=5",
     "/v1/streams?start_after=&limit=5&prefix=p%2F"},
    {"/v1/streams?start_after=x", "/v1/streams?start_after=x",
     "/v1/streams?start_after=p%2Fx&prefix=p%2F"},
    {"/v1/streams?&&a=b=c&&d", "/v1/streams?a=b%3Dc&d", "/v1/streams?a=b%3Dc&d&prefix=p%2F"},
    {"/v1/basins?prefix=a&start_after=b", "/v1/basins?prefix=a&start_after=b",
     "/v1/basins?prefix=a&start_after=b"},
    {"/v1/metrics/" OTHER "/s?prefix=a", "/v1/metrics/" OTHER "/s?prefix=a",
     "/v1/metrics/" OTHER "/p%2Fs?prefix=a"},
    {"http://host:80/v1/locations", "/v1/locations", "/v1/locations"},
    {"HTTPS://host/v1/locations?a", "/v1/locations?a", "/v1/locations?a"},
    {"http://h/v1/streams/http%3A%2F%2Fh", "/v1/streams/http%3A%2F%2Fh",
     "/v1/streams/p%2Fhttp%3A%2F%2Fh"},
    {"/v1/basins/%6fther-basin", "/v1/basins/" OTHER, "/v1/basins/" OTHER},
};

START_TEST(what_is_sent_on_is_written_afresh)
{
    for (size_t i = 0; i < COUNT(rewritten); i++) {
        struct s2_request request;
        struct s2_refusal refusal = {0};

        ck_assert(read_request("GET", text_of(rewritten[i].uri), BASIN, &request, &refusal));
        ck_assert_msg(is(write_request(&request, ""), rewritten[i].plain), "%s", rewritten[i].uri);
        ck_assert_msg(is(write_request(&request, "p/"), rewritten[i].prefixed), "%s",
                      rewritten[i].uri);
    }
}
END_TEST

START_TEST(there_is_room_for_a_prefix_as_long_as_it_may_be)
{
    static const char *const uris[] = {"/v1/streams/s/records", "/v1/streams?start_after=x",
                                       "/v1/streams?prefix&start_after=x"};
    char prefix[WEIR_STREAM_MAX];
    struct s2_request request;
    struct s2_refusal refusal = {0};

    memset(prefix, '/', sizeof prefix - 1);
    prefix[sizeof prefix - 1] = '\0';
    for (size_t i = 0; i < COUNT(uris); i++) {
        ck_assert(read_request("GET", text_of(uris[i]), BASIN, &request, &refusal));
        ck_assert_uint_gt(write_request(&request, prefix).length, 3 * strlen(prefix));
    }
}
END_TEST

START_TEST(a_query_may_have_thirty_two_keys)
{
    char uri[512] = "/v1/metrics?";
    struct s2_request request;
    struct s2_refusal refusal = {0};

    for (int i = 0; i < 32; i++) {
        (void)snprintf(uri + strlen(uri), 8, "k%d&", i);
    }
    ck_assert(read_request("GET", text_of(uri), BASIN, &request, &refusal));
    ck_assert_uint_eq(request.query_count, 32);
    (void)snprintf(uri + strlen(uri), 8, "more");
    ck_assert(!read_request("GET", text_of(uri), BASIN, &request, &refusal));
    ck_assert_str_eq(refusal.code, "bad_query");
}
END_TEST

START_TEST(names_may_be_as_long_as_names_may_be)
{
    char uri[2048];
    struct s2_request request;
    struct s2_refusal refusal = {0};

    for (size_t length = 511; length <= 513; length++) {
        struct weir_text text = {uri, 0};

        memset(uri, 'x', sizeof uri);
        memcpy(uri, "/v1/streams/", 12);
        text.length = 12 + length;
        ck_assert_int_eq(read_request("PUT", text, BASIN, &request, &refusal), length <= 512);
        memcpy(uri, "/v1/streams?prefix=", 19);
        text.length = 19 + length;
        ck_assert_int_eq(read_request("GET", text, BASIN, &request, &refusal), length <= 512);
        memcpy(uri, "/v1/streams?start_after=", 24);
        text.length = 24 + length;
        ck_assert_int_eq(read_request("GET", text, BASIN, &request, &refusal), length <= 512);
    }
}
END_TEST

START_TEST(a_call_on_streams_needs_the_basins_header)
{
    static const char *const wrong[] = {"", "short", "Upper-Case", "acme-prod/x", "acme_prod"};
    struct s2_request request;
    struct s2_refusal refusal = {0};

    for (size_t i = 0; i < COUNT(table); i++) {
        bool is_of_streams = strncmp(table[i].path, "/v1/streams", 11) == 0;

        for (size_t w = 0; w < COUNT(wrong); w++) {
            bool read =
                read_request(table[i].method, text_of(table[i].path), wrong[w], &request, &refusal);

            ck_assert_int_eq(read, !is_of_streams);
            ck_assert(read || strcmp(refusal.code, "bad_header") == 0);
        }
    }
}
END_TEST

/*
 * ---- Random requests, against the model ----
 */

struct builder {
    char bytes[NAIVE_URI_MAX];
    size_t length;
};

static void add(struct builder *builder, const char *string)
{
    size_t length = strlen(string);

    if (builder->length + length < sizeof builder->bytes) {
        memcpy(builder->bytes + builder->length, string, length);
        builder->length += length;
    }
}

/* A byte, as it is or encoded in one way or another. */
static void add_byte(struct random *random, struct builder *builder, unsigned char byte)
{
    char text[8];

    switch (random_below(random, 4)) {
    case 0:
        (void)snprintf(text, sizeof text, "%%%02x", byte);
        break;
    case 1:
        (void)snprintf(text, sizeof text, "%%%02X", byte);
        break;
    default:
        (void)snprintf(text, sizeof text, byte == 0 ? "%%00" : "%c", byte);
        break;
    }
    add(builder, text);
}

static void add_name(struct random *random, struct builder *builder)
{
    static const char *const pieces[] = {"users/",
                                         "1234",
                                         "..",
                                         ".",
                                         "%",
                                         "%25",
                                         "+",
                                         " ",
                                         "/",
                                         "a",
                                         "#",
                                         "?",
                                         "acme-prod",
                                         "%zz",
                                         "\\",
                                         "\xc3",
                                         "\xa9",
                                         "\xc3\xa9",
                                         "\xf0\x9f\x92\x96",
                                         "other-basin",
                                         "=",
                                         "&"};
    size_t count = random_below(random, 4);

    for (size_t i = 0; i <= count; i++) {
        const char *piece = pieces[random_below(random, COUNT(pieces))];

        for (; *piece != '\0'; piece++) {
            add_byte(random, builder, (unsigned char)*piece);
        }
        if (random_below(random, 40) == 0) {
            add_byte(random, builder, (unsigned char)random_below(random, 256));
        }
        if (random_below(random, 300) == 0) {
            for (size_t k = 0; k < 509; k++) {
                add(builder, "l");
            }
        }
    }
}

static void add_query(struct random *random, struct builder *builder)
{
    static const char *const keys[] = {"prefix", "start_after", "limit", "x", "pre%66ix",
                                       "",       "a+b"};
    static const char *const values[] = {"",  "1", "1000", "a",   "users%2F",
                                         "%", "-", "+",    "a=b", "%ff"};
    size_t count = random_below(random, 4);

    add(builder, "?");
    for (size_t i = 0; i < count; i++) {
        add(builder, keys[random_below(random, COUNT(keys))]);
        if (random_below(random, 4) > 0) {
            add(builder, "=");
            if (random_below(random, 3) == 0) {
                add_name(random, builder);
            } else {
                add(builder, values[random_below(random, COUNT(values))]);
            }
        }
        if (i + 1 < count || random_below(random, 8) == 0) {
            add(builder, random_below(random, 30) == 0 ? "&&" : "&");
        }
    }
}

/* Changes a byte, takes one out, or puts one in. */
static void spoil(struct random *random, struct builder *builder)
{
    static const char odd[] = "/.%?#&=+2eE0 \t~:h\xc0\xff";
    size_t at = builder->length > 0 ? random_below(random, builder->length) : 0;
    char byte = odd[random_below(random, sizeof odd)];

    switch (builder->length > 0 ? random_below(random, 3) : 1) {
    case 0:
        builder->bytes[at] = byte;
        break;
    case 1:
        if (builder->length + 1 < sizeof builder->bytes) {
            memmove(builder->bytes + at + 1, builder->bytes + at, builder->length - at);
            builder->bytes[at] = byte;
            builder->length++;
        }
        break;
    default:
        memmove(builder->bytes + at, builder->bytes + at + 1, builder->length - at - 1);
        builder->length--;
        break;
    }
}

/* A row's path, with other names. */
static void add_path(struct random *random, struct builder *builder, const char *path)
{
    for (; *path != '\0'; path++) {
        if (strncmp(path, "a%2Fb", 5) == 0) {
            add_name(random, builder);
            path += 4;
        } else if (strncmp(path, OTHER, strlen(OTHER)) == 0 && random_below(random, 4) == 0) {
            add_name(random, builder);
            path += strlen(OTHER) - 1;
        } else {
            char text[2] = {*path, '\0'};

            add(builder, text);
        }
    }
}

static const char *random_request(struct random *random, struct builder *builder)
{
    const struct row *row = &table[random_below(random, COUNT(table))];

    builder->length = 0;
    if (random_below(random, 20) == 0) {
        add(builder, random_below(random, 2) == 0 ? "http://host:1" : "HTTPS://");
    }
    add_path(random, builder, row->path);
    if (random_below(random, 2) == 0) {
        add_query(random, builder);
    }
    while (random_below(random, 4) == 0) {
        spoil(random, builder);
    }
    return random_below(random, 8) > 0 ? row->method
                                       : methods[random_below(random, COUNT(methods))];
}

static void expect_same(const struct s2_request *request, const struct naive_request *naive)
{
    DEMAND(naive_request_agrees(naive, request), "read otherwise than the model does: %.*s",
           (int)request->path.length, request->path.bytes);
}

/* What a request becomes once a prefix is before its stream, or before what its listing is asked
 * with. False: a name becomes too long to be read again. */
static bool expect_prefixed(const struct s2_request *request, struct weir_text prefix,
                            struct s2_request *expected)
{
    static char memory[3][2048];
    bool has_prefix = prefix.length == 0 || request->call != S2_LIST_STREAMS;
    struct weir_text *stream = &expected->stream;

    *expected = *request;
    if (stream->length > 0) {
        *stream = naive_join(prefix, *stream, memory[0]);
    }
    for (size_t i = 0; i < request->query_count && request->call == S2_LIST_STREAMS; i++) {
        struct weir_text *value = &expected->query[i].value;
        bool is_prefix = is(request->query[i].key, "prefix");

        has_prefix = has_prefix || is_prefix;
        if (is_prefix || (is(request->query[i].key, "start_after") && value->length > 0)) {
            *value = naive_join(prefix, *value, memory[1 + is_prefix]);
        }
        if (value->length > WEIR_STREAM_MAX) {
            return false;
        }
    }
    if (!has_prefix) {
        expected->query[expected->query_count].key = text_of("prefix");
        expected->query[expected->query_count++].value = prefix;
    }
    return stream->length <= WEIR_STREAM_MAX;
}

/* What was written is read by the model as the same request, the prefix before its names; and it
 * is written in the same way again. */
static void expect_round_trip(const char *method, const struct s2_request *request,
                              const char *prefix)
{
    static struct naive_request naive;
    static char written[NAIVE_URI_MAX];
    struct weir_text uri = write_request(request, prefix);
    struct s2_request expected;
    struct s2_request again;
    struct s2_refusal refusal = {0};

    if (uri.length > sizeof written || !expect_prefixed(request, text_of(prefix), &expected)) {
        return;
    }
    memcpy(written, uri.bytes, uri.length);
    uri.bytes = written;
    naive_request_read(&naive, text_of(method), uri, text_of(BASIN));
    DEMAND(naive.code == NULL, "%.*s is not read again: %s", (int)uri.length, uri.bytes,
           naive.code);
    expect_same(&expected, &naive);
    DEMAND(read_request(method, uri, BASIN, &again, &refusal), "%s", refusal.message);
    DEMAND(naive_same(write_request(&again, ""), uri), "%.*s is written otherwise again",
           (int)uri.length, uri.bytes);
}

START_TEST(random_requests_are_read_as_the_model_reads_them)
{
    static struct naive_request naive;
    static struct builder builder;
    struct random random = {0};
    size_t accepted = 0;
    const size_t count = rounds(300000);

    for (size_t i = 0; i < count; i++) {
        const char *method = random_request(&random, &builder);
        struct weir_text uri = {builder.bytes, builder.length};
        struct s2_request request;
        struct s2_refusal refusal = {0};
        bool read = read_request(method, uri, BASIN, &request, &refusal);

        naive_request_read(&naive, text_of(method), uri, text_of(BASIN));
        DEMAND(read == (naive.code == NULL) && (read || strcmp(refusal.code, naive.code) == 0),
               "%s %.*s: %s, but %s by the model", method, (int)uri.length, uri.bytes,
               read ? "accepted" : refusal.code, naive.code ? naive.code : "accepted");
        if (read) {
            accepted++;
            expect_same(&request, &naive);
            expect_round_trip(method, &request, "");
            expect_round_trip(method, &request, "devices/7 +%/");
        }
    }
    ck_assert_msg(accepted * 5 > count && accepted * 5 < count * 4, "%zu of %zu were accepted",
                  accepted, count);
}
END_TEST

int main(void)
{
    TCase *cases[1];

    cases[0] = tcase_create("request");
    tcase_add_test(cases[0], every_call_of_the_table_needs_its_operations_and_there_are_no_others);
    tcase_add_test(cases[0], every_operation_is_needed_by_some_call);
    tcase_add_test(cases[0], what_is_not_understood_is_refused);
    tcase_add_test(cases[0], a_stream_is_decoded_once_and_encoded_afresh);
    tcase_add_test(cases[0], what_is_sent_on_is_written_afresh);
    tcase_add_test(cases[0], there_is_room_for_a_prefix_as_long_as_it_may_be);
    tcase_add_test(cases[0], a_query_may_have_thirty_two_keys);
    tcase_add_test(cases[0], names_may_be_as_long_as_names_may_be);
    tcase_add_test(cases[0], a_call_on_streams_needs_the_basins_header);
    tcase_add_test(cases[0], random_requests_are_read_as_the_model_reads_them);
    return run_cases("requests", cases, COUNT(cases));
}
