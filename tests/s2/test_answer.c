/* What a gateway answers itself, what it takes out of answers, headers, and bodies that name what
 * they create. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "library/support.h"
#include "model/naive.h"
#include "s2/answer.h"
#include "s2/request.h"

/*
 * ---- Refusals ----
 */

static const struct s2_refusal denied = {403, "permission_denied", "The token does not permit it."};

START_TEST(a_refusal_is_json_a_terminal_frame_and_an_event)
{
    const char *json =
        "{\"code\":\"permission_denied\",\"message\":\"The token does not permit it. (expired)\"}";
    char buffer[S2_REFUSAL_SIZE];
    char expected[S2_REFUSAL_SIZE];
    size_t length = s2_refusal_write(&denied, "expired", buffer, sizeof buffer);

    ck_assert_uint_eq(length, strlen(json));
    ck_assert_mem_eq(buffer, json, length);
    length = s2_terminal_write(&denied, "expired", buffer, sizeof buffer);
    ck_assert_uint_eq(length, strlen(json) + 6);
    ck_assert_mem_eq(buffer + 6, json, strlen(json));
    ck_assert_mem_eq(buffer, ((char[]){0, 0, (char)(length - 3), (char)0x80, 1, (char)0x93}), 6);
    (void)snprintf(expected, sizeof expected, "event: error\ndata: %s\n\n", json);
    length = s2_event_write(&denied, "expired", buffer, sizeof buffer);
    ck_assert_uint_eq(length, strlen(expected));
    ck_assert_mem_eq(buffer, expected, length);
    length = s2_refusal_write(&denied, NULL, buffer, sizeof buffer);
    ck_assert_uint_eq(length, strlen(json) - strlen(" (expired)"));
}
END_TEST

START_TEST(a_terminal_frame_is_as_long_as_it_says)
{
    char message[250];
    struct s2_refusal refusal = {500, "internal", message};
    char buffer[S2_REFUSAL_SIZE];

    for (size_t length = 1; length < sizeof message; length++) {
        size_t written = 0;

        memset(message, 'm', length);
        message[length] = '\0';
        written = s2_terminal_write(&refusal, "stale", buffer, sizeof buffer);
        ck_assert_uint_eq(written,
                          3 + ((size_t)(unsigned char)buffer[1] << 8 | (unsigned char)buffer[2]));
    }
}
END_TEST

START_TEST(a_refusal_fits_or_is_not_written)
{
    char long_text[1000];
    struct s2_refusal refusal = {500, "internal", long_text};
    char buffer[S2_REFUSAL_SIZE];
    size_t length = 0;

    memset(long_text, '"', sizeof long_text - 1);
    long_text[sizeof long_text - 1] = '\0';
    for (size_t size = 0; size <= sizeof buffer; size++) {
        memset(buffer, 'x', sizeof buffer);
        length = s2_refusal_write(&refusal, "detail", buffer, size);
        ck_assert(length <= size);
        ck_assert(size == sizeof buffer || buffer[size] == 'x');
        if (length > 0) {
            json_t *document = json_loadb(buffer, length, 0, NULL);

            ck_assert(json_is_object(document));
            json_decref(document);
        }
        length = s2_terminal_write(&refusal, "detail", buffer, size);
        ck_assert(length <= size);
        length = s2_event_write(&refusal, "detail", buffer, size);
        ck_assert(length <= size);
    }
    ck_assert(s2_event_write(&refusal, "detail", buffer, sizeof buffer) > 0);
    ck_assert(s2_terminal_write(&refusal, "detail", buffer, sizeof buffer) > 0);
}
END_TEST

/*
 * ---- Taking the prefix off ----
 */

#define HIDDEN "\"The server's message is not shown, since it may name what is not yours to see.\""

static const struct {
    const char *prefix;
    const char *stream;
    const char *body;
    const char *seen; /* NULL: 502 */
} stripped[] = {
    {"p/", "s", "{\"name\":\"p/s\",\"created_at\":\"2026\"}",
     "{\"name\":\"s\",\"created_at\":\"2026\"}"},
    {"p/", "s", "{\"created_at\":1.5,\"name\":\"p\\/s\"}", "{\"created_at\":1.5,\"name\":\"s\"}"},
    {"p/", "p/s", "{\"name\":\"p/p/s\"}", "{\"name\":\"p/s\"}"},
    {"p/", "s", "{\"name\":\"x\"}", "{\"name\":\"x\"}"},
    {"", "s", "{\"name\":\"s\",\"message\":\"s\"}", "{\"name\":\"s\",\"message\":\"s\"}"},
    {"p/", "s", "{\"code\":\"c\",\"message\":\"stream `p/s` in `b`\"}",
     "{\"code\":\"c\",\"message\":\"stream `s` in `b`\"}"},
    {"p/", "p/s", "{\"message\":\"`p/p/s` and p/p/s\"}", "{\"message\":\"`p/s` and p/s\"}"},
    {"p/", "s", "{\"message\":\"p/s and p/t\"}", "{\"message\":" HIDDEN "}"},
    {"p/", "s", "{\"message\":\"p/\"}", "{\"message\":" HIDDEN "}"},
    {"p/", "s", "{\"message\":\"P%2Fs p%2Fs\"}", "{\"message\":" HIDDEN "}"},
    {"p/", "s", "{\"message\":\"\"}", "{\"message\":\"\"}"},
    {"aa", "a", "{\"message\":\"aaaa\"}", "{\"message\":\"aa\"}"},
    {"a", "s", "{\"message\":\"stream `as`\"}", "{\"message\":" HIDDEN "}"},
    {"p/", "", "{\"message\":\"p/ p/\"}", "{\"message\":\" \"}"},
    {"p/", "s", "{\"message\":\"\\u0070\\u002fs\"}", "{\"message\":\"s\"}"},
    {"p/", "s", "{\"message\":\"a\\u0000p/s\"}", "{\"message\":\"a\\u0000s\"}"},
    {"p/", "s", "{\"message\":1,\"name\":null}", "{\"message\":1,\"name\":null}"},
    {"p/", "s", "", ""},
    {"p/", "s", " ", NULL},
    {"p/", "s", "\"p/s\"", NULL},
    {"p/", "s", "[\"p/s\"]", NULL},
    {"p/", "s", "{\"name\":\"p/s\",\"name\":\"p/s\"}", NULL},
    {"p/", "s", "{\"name\":\"p/s\"}x", NULL},
    {"p/", "s", "<html>", NULL},
};

START_TEST(the_prefix_is_taken_off_names_and_messages)
{
    for (size_t i = 0; i < COUNT(stripped); i++) {
        struct s2_refusal refusal = {0};
        size_t length = 0;
        char *text = s2_answer_strip(text_of(stripped[i].body), text_of(stripped[i].prefix),
                                     text_of(stripped[i].stream), &length, &refusal);

        if (stripped[i].seen == NULL) {
            ck_assert_msg(text == NULL && refusal.status == 502, "%s", stripped[i].body);
        } else {
            ck_assert_msg(text != NULL, "%s", stripped[i].body);
            ck_assert_str_eq(text, stripped[i].seen);
            ck_assert_uint_eq(length, strlen(text));
        }
        free(text);
    }
}
END_TEST

/*
 * ---- Headers ----
 */

static const struct {
    const char *value;
    enum s2_content content;
    bool refused;
} types[] = {
    {"application/json", S2_CONTENT_JSON, false},
    {"APPLICATION/JSON", S2_CONTENT_JSON, false},
    {" application/json ", S2_CONTENT_JSON, false},
    {"application/json; charset=utf-8", S2_CONTENT_JSON, false},
    {"application/problem+json", S2_CONTENT_JSON, false},
    {"application/json+x", S2_CONTENT_JSON, false},
    {"application/protobuf", S2_CONTENT_PROTOBUF, false},
    {"application/x-protobuf;a=b", S2_CONTENT_PROTOBUF, false},
    {"s2s/proto", S2_CONTENT_SESSION, false},
    {"S2S/Proto", S2_CONTENT_SESSION, false},
    {"s2s/proto; x", S2_CONTENT_SESSION, false},
    {"s2s/proto+x", S2_CONTENT_SESSION, false},
    {"text/json", S2_CONTENT_OTHER, false},
    {"application/jsonx", S2_CONTENT_OTHER, false},
    {"application/s2s/proto", S2_CONTENT_OTHER, true},
    {"text/plain", S2_CONTENT_OTHER, false},
    {"*/*", S2_CONTENT_OTHER, false},
    {"s2s", S2_CONTENT_OTHER, true},
    {"", S2_CONTENT_OTHER, true},
    {"/", S2_CONTENT_OTHER, true},
    {"s2s/", S2_CONTENT_OTHER, true},
    {"s2s /proto", S2_CONTENT_OTHER, true},
    {"text/plain, s2s/proto", S2_CONTENT_OTHER, true},
    {"s2s/proto, text/plain", S2_CONTENT_OTHER, true},
    {"application/json; a=b, s2s/proto", S2_CONTENT_OTHER, true},
    {"application/\"json\"", S2_CONTENT_OTHER, true},
};

static bool read_header(struct s2_headers *headers, const char *name, const char *value)
{
    struct s2_refusal refusal = {0};
    bool read = s2_headers_read(headers, text_of(name), text_of(value), &refusal);

    ck_assert(read || (refusal.status == 400 && strcmp(refusal.code, "bad_header") == 0));
    return read;
}

START_TEST(a_content_type_is_read_as_the_server_reads_it)
{
    static const char *const sent_on[] = {NULL, "application/json", "application/protobuf",
                                          "s2s/proto", NULL};

    for (size_t i = 0; i < COUNT(types); i++) {
        struct s2_headers headers = {0};

        ck_assert_msg(read_header(&headers, "Content-Type", types[i].value) == !types[i].refused,
                      "%s", types[i].value);
        if (!types[i].refused) {
            ck_assert_msg(headers.content == types[i].content, "%s", types[i].value);
            ck_assert_pstr_eq(s2_headers_content_type(&headers), sent_on[headers.content]);
        }
    }
}
END_TEST

START_TEST(other_headers_are_read_in_any_case_of_their_names)
{
    static const struct {
        const char *name;
        const char *value;
        const char *credential;
        const char *basin;
        enum s2_encoding encoding;
        bool base64;
        bool event_stream;
    } cases[] = {
        {"authorization", "Bearer x.y", "x.y", "", S2_ENCODING_IDENTITY, false, false},
        {"AUTHORIZATION", " bearer\t x ", "x", "", S2_ENCODING_IDENTITY, false, false},
        {"Authorization", "Bearer", "", "", S2_ENCODING_IDENTITY, false, false},
        {"Authorization", "Bearerx", "", "", S2_ENCODING_IDENTITY, false, false},
        {"Authorization", "Basic x", "", "", S2_ENCODING_IDENTITY, false, false},
        {"Authorization", "", "", "", S2_ENCODING_IDENTITY, false, false},
        {"S2-Basin", " acme-prod ", "", "acme-prod", S2_ENCODING_IDENTITY, false, false},
        {"content-encoding", "gzip", "", "", S2_ENCODING_GZIP, false, false},
        {"content-encoding", "ZSTD", "", "", S2_ENCODING_ZSTD, false, false},
        {"content-encoding", "identity", "", "", S2_ENCODING_IDENTITY, false, false},
        {"content-encoding", "gzip, zstd", "", "", S2_ENCODING_OTHER, false, false},
        {"content-encoding", "", "", "", S2_ENCODING_OTHER, false, false},
        {"s2-format", "base64", "", "", S2_ENCODING_IDENTITY, true, false},
        {"s2-format", " json-binsafe", "", "", S2_ENCODING_IDENTITY, true, false},
        {"s2-format", "raw", "", "", S2_ENCODING_IDENTITY, false, false},
        {"s2-format", "json", "", "", S2_ENCODING_IDENTITY, false, false},
        {"accept", "text/event-stream", "", "", S2_ENCODING_IDENTITY, false, true},
        {"accept", "Text/Event-Stream; q=1, */*", "", "", S2_ENCODING_IDENTITY, false, true},
        {"accept", "*/*, text/event-stream", "", "", S2_ENCODING_IDENTITY, false, false},
        {"x-authorization", "Bearer x", "", "", S2_ENCODING_IDENTITY, false, false},
        {"", "", "", "", S2_ENCODING_IDENTITY, false, false},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct s2_headers headers = {0};

        ck_assert(read_header(&headers, cases[i].name, cases[i].value));
        ck_assert(naive_same(headers.credential, text_of(cases[i].credential)));
        ck_assert(naive_same(headers.basin, text_of(cases[i].basin)));
        ck_assert_int_eq(headers.encoding, cases[i].encoding);
        ck_assert_int_eq(headers.base64, cases[i].base64);
        ck_assert_int_eq(headers.event_stream, cases[i].event_stream);
    }
}
END_TEST

START_TEST(what_is_decided_on_is_there_once)
{
    static const char *const once[][3] = {
        {"Authorization", "aUTHORIZATION", "Bearer x"},
        {"Content-Type", "content-type", "a/b"},
        {"Content-Encoding", "content-encoding", "gzip"},
        {"S2-Format", "s2-format", "raw"},
        {"S2-Basin", "s2-basin", "acme-prod"},
    };

    for (size_t i = 0; i < COUNT(once); i++) {
        struct s2_headers headers = {0};

        ck_assert(read_header(&headers, once[i][0], once[i][2]));
        for (size_t k = 0; k < COUNT(once); k++) {
            ck_assert(k == i || read_header(&headers, once[k][0], once[k][2]));
        }
        ck_assert(!read_header(&headers, once[i][1], once[i][2]));
        ck_assert(!read_header(&headers, once[i][1], ""));
    }
}
END_TEST

START_TEST(of_several_accepts_the_first_counts)
{
    struct s2_headers headers = {0};

    ck_assert(read_header(&headers, "accept", "application/json"));
    ck_assert(read_header(&headers, "accept", "text/event-stream"));
    ck_assert(!headers.event_stream);
    ck_assert(!read_header(&headers, "s2-format", "Base64"));
}
END_TEST

/*
 * ---- Bodies ----
 */

static const struct {
    enum s2_call call;
    const char *body;
    const char *name;    /* NULL: refused */
    const char *written; /* with the prefix `p/` */
} bodies[] = {
    {S2_CREATE_STREAM, "{\"stream\":\"a/b\"}", "a/b", "{\"stream\":\"p/a/b\"}"},
    {S2_CREATE_STREAM, " { \"config\" : null , \"stream\" : \"\\u0061\" } ", "a",
     "{\"config\":null,\"stream\":\"p/a\"}"},
    {S2_CREATE_STREAM, "{\"stream\":\"a\",\"x\":{\"stream\":\"b\"},\"n\":[1,-2.5,true]}", "a",
     "{\"stream\":\"p/a\",\"x\":{\"stream\":\"b\"},\"n\":[1,-2.5,true]}"},
    {S2_CREATE_STREAM, "{\"\\u0073tream\":\"a\"}", "a", "{\"stream\":\"p/a\"}"},
    {S2_CREATE_BASIN, "{\"basin\":\"acme-prod\",\"stream\":\"s\"}", "acme-prod",
     "{\"basin\":\"acme-prod\",\"stream\":\"s\"}"},
    {S2_CREATE_STREAM, "{\"basin\":\"acme-prod\"}", NULL, NULL},
    {S2_CREATE_BASIN, "{\"basin\":\"short\"}", NULL, NULL},
    {S2_CREATE_BASIN, "{\"basin\":null}", NULL, NULL},
    {S2_CREATE_STREAM, "{\"stream\":\"a\",\"stream\":\"b\"}", NULL, NULL},
    {S2_CREATE_STREAM, "{\"stream\":\"a\",\"\\u0073tream\":\"b\"}", NULL, NULL},
    {S2_CREATE_STREAM, "{\"stream\":\"a\",\"x\":{\"y\":1,\"y\":1}}", NULL, NULL},
    {S2_CREATE_STREAM, "{\"stream\":\"\"}", NULL, NULL},
    {S2_CREATE_STREAM, "{\"stream\":\".\"}", NULL, NULL},
    {S2_CREATE_STREAM, "{\"stream\":\"..\"}", NULL, NULL},
    {S2_CREATE_STREAM, "{\"stream\":\"a\\u0000\"}", NULL, NULL},
    {S2_CREATE_STREAM, "{\"stream\":\"\\ud800\"}", NULL, NULL},
    {S2_CREATE_STREAM, "{\"stream\":\"\xff\"}", NULL, NULL},
    {S2_CREATE_STREAM, "{\"stream\":1}", NULL, NULL},
    {S2_CREATE_STREAM, "[\"a\"]", NULL, NULL},
    {S2_CREATE_STREAM, "\"a\"", NULL, NULL},
    {S2_CREATE_STREAM, "{\"stream\":\"a\"}{}", NULL, NULL},
    {S2_CREATE_STREAM, "\xef\xbb\xbf{\"stream\":\"a\"}", NULL, NULL},
    {S2_CREATE_STREAM, "{\"stream\":\"a\",}", NULL, NULL},
    {S2_CREATE_STREAM, "{\"stream\":\"a\",\"n\":NaN}", NULL, NULL},
    {S2_CREATE_STREAM, "", NULL, NULL},
};

/* The body, compressed as its encoding says. */
static size_t encode(const char *body, enum s2_encoding encoding, char *room, size_t size)
{
    z_stream stream = {.next_in = (Bytef *)(uintptr_t)body, .avail_in = (uInt)strlen(body)};

    switch (encoding) {
    case S2_ENCODING_GZIP:
        stream.next_out = (Bytef *)room;
        stream.avail_out = (uInt)size;
        ck_assert_int_eq(deflateInit2(&stream, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
        ck_assert_int_eq(deflate(&stream, Z_FINISH), Z_STREAM_END);
        (void)deflateEnd(&stream);
        return stream.total_out;
    case S2_ENCODING_ZSTD:
        return ZSTD_compress(room, size, body, strlen(body), 3);
    case S2_ENCODING_IDENTITY:
    case S2_ENCODING_OTHER:
        break;
    }
    memcpy(room, body, strlen(body));
    return strlen(body);
}

static void expect_body(size_t i, enum s2_encoding encoding)
{
    char sent[1024];
    struct s2_refusal refusal = {0};
    struct s2_body *body = NULL;
    struct weir_text name = {"", 0};
    size_t length = encode(bodies[i].body, encoding, sent, sizeof sent);
    bool read = s2_body_read(bodies[i].call, (struct weir_text){sent, length}, encoding, &body,
                             &name, &refusal);
    char *written = NULL;

    memset(sent, 'x', sizeof sent);
    ck_assert_msg(read == (bodies[i].name != NULL), "%s: %s", bodies[i].body, refusal.message);
    if (!read) {
        ck_assert(body == NULL && refusal.status == 400 && strcmp(refusal.code, "bad_json") == 0);
        return;
    }
    ck_assert(naive_same(name, text_of(bodies[i].name)));
    free(s2_body_write(body, text_of("p/"), &length));
    written = s2_body_write(body, text_of("p/"), &length);
    ck_assert_str_eq(written, bodies[i].written);
    ck_assert_uint_eq(length, strlen(written));
    free(written);
    s2_body_free(body);
}

START_TEST(a_body_is_strict_json_with_the_name_of_what_it_creates)
{
    for (size_t i = 0; i < COUNT(bodies); i++) {
        expect_body(i, S2_ENCODING_IDENTITY);
        expect_body(i, S2_ENCODING_GZIP);
        expect_body(i, S2_ENCODING_ZSTD);
    }
}
END_TEST

START_TEST(a_body_of_another_encoding_or_too_large_is_refused)
{
    static char large[S2_BODY_MAX + 1];
    static char packed[S2_BODY_MAX];
    struct s2_refusal refusal = {0};
    struct s2_body *body = NULL;
    struct weir_text name = {"", 0};
    size_t length = 0;

    memset(large, ' ', sizeof large);
    length = ZSTD_compress(packed, sizeof packed, large, sizeof large, 3);
    ck_assert(!s2_body_read(S2_CREATE_STREAM, (struct weir_text){packed, length}, S2_ENCODING_ZSTD,
                            &body, &name, &refusal));
    ck_assert_uint_eq(refusal.status, 413);
    ck_assert(
        !s2_body_read(S2_CREATE_STREAM, text_of("{}"), S2_ENCODING_OTHER, &body, &name, &refusal));
    ck_assert_uint_eq(refusal.status, 415);
    ck_assert(
        !s2_body_read(S2_CREATE_STREAM, text_of("{}"), S2_ENCODING_GZIP, &body, &name, &refusal));
    ck_assert_uint_eq(refusal.status, 400);
}
END_TEST

int main(void)
{
    TCase *cases[1];

    cases[0] = tcase_create("answer");
    tcase_add_test(cases[0], a_refusal_is_json_a_terminal_frame_and_an_event);
    tcase_add_test(cases[0], a_terminal_frame_is_as_long_as_it_says);
    tcase_add_test(cases[0], a_refusal_fits_or_is_not_written);
    tcase_add_test(cases[0], the_prefix_is_taken_off_names_and_messages);
    tcase_add_test(cases[0], a_content_type_is_read_as_the_server_reads_it);
    tcase_add_test(cases[0], other_headers_are_read_in_any_case_of_their_names);
    tcase_add_test(cases[0], what_is_decided_on_is_there_once);
    tcase_add_test(cases[0], of_several_accepts_the_first_counts);
    tcase_add_test(cases[0], a_body_is_strict_json_with_the_name_of_what_it_creates);
    tcase_add_test(cases[0], a_body_of_another_encoding_or_too_large_is_refused);
    return run_cases("answers", cases, COUNT(cases));
}
