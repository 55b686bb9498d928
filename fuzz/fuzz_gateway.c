/*
 * What a gateway reads of clients and servers, in lines. The first line is one letter:
 *
 *   q  a request: method, URI, basin, prefix, then headers, `name:value`
 *   p  a page (P: of a token with auto-prefix): the query, then the server's answers
 *   f  an answer in frames (F: with a prefix); what is behind the line is the answer
 *   e  an answer in events (E: with a prefix)
 *   m  an answer to a request about one stream: prefix, stream, then the answer
 *   b  a body that names a stream: prefix, then the body
 *
 * A request is read as the naive model reads it, and what is written of it is read so again. A page
 * has what may be listed alone. An answer is the same whatever pieces it comes in. Of jansson's
 * memory the input's size says when it fails: nothing is made up then.
 */
#include <jansson.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <weir/compile.h>
#include <weir/image.h>
#include <weir/listing.h>

#include "demand.h"
#include "model/naive.h"
#include "s2/answer.h"
#include "s2/naive_request.h"
#include "s2/request.h"
#include "scarce_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PREFIX WEIR_TEXT("p/")
#define STREAM WEIR_TEXT("s")

static const struct weir_text nothing = {"", 0};

static void *must_allocate(size_t size)
{
    void *memory = malloc(size + 1);

    demand(memory != NULL);
    return memory;
}

static void expect_refusal(const struct s2_refusal *refusal)
{
    char buffer[S2_REFUSAL_SIZE];

    demand(refusal->status >= 400 && refusal->status <= 503);
    demand(s2_refusal_write(refusal, NULL, buffer, sizeof buffer) > 0);
}

/*
 * ---- Requests ----
 */

static const char *const single[] = {"authorization", "content-type", "content-encoding",
                                     "s2-format", "s2-basin"};

/* What may be there once is not accepted twice. */
static void read_headers(struct weir_text rest)
{
    struct s2_headers headers = {.seen = 0};
    unsigned counts[sizeof single / sizeof single[0]] = {0};
    struct s2_refusal refusal;
    bool more = rest.length > 0;

    while (more) {
        struct weir_text line;
        struct weir_text name;

        more = naive_split(&rest, '\n', &line);
        (void)naive_split(&line, ':', &name);
        if (!s2_headers_read(&headers, name, line, &refusal)) {
            expect_refusal(&refusal);
            return;
        }
        for (size_t i = 0; i < sizeof single / sizeof single[0]; i++) {
            counts[i] += name.length == strlen(single[i]) && name.length > 0 &&
                         strncasecmp(name.bytes, single[i], name.length) == 0;
            demand(counts[i] <= 1);
        }
    }
}

static char *write_request(const struct s2_request *request, struct weir_text prefix,
                           struct weir_text *uri)
{
    const size_t size = s2_request_size(request, prefix);
    char *buffer = must_allocate(size);

    *uri = (struct weir_text){buffer, s2_request_write(request, prefix, buffer)};
    demand(uri->length <= size);
    return buffer;
}

/* Everything is encoded that is not unreserved, or between what is. */
static void expect_plain(struct weir_text uri)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~%/?&=";

    for (size_t i = 0; i < uri.length; i++) {
        demand(memchr(plain, uri.bytes[i], sizeof plain - 1) != NULL);
    }
}

static void expect_again(struct weir_text method, struct weir_text basin,
                         const struct s2_request *request)
{
    struct naive_request *naive = must_allocate(sizeof *naive);
    struct weir_text uri;
    char *written = write_request(request, nothing, &uri);

    expect_plain(uri);
    if (uri.length <= NAIVE_URI_MAX) {
        naive_request_read(naive, method, uri, basin);
        demand(naive->code == NULL && naive_request_agrees(naive, request));
    }
    free(written);
    free(naive);
}

static void read_request(struct weir_text rest)
{
    struct naive_request *naive = must_allocate(sizeof *naive);
    struct s2_headers headers = {.seen = 0};
    struct weir_text method;
    struct weir_text uri;
    struct weir_text prefix;
    struct s2_request request;
    struct s2_refusal refusal;
    char *memory = NULL;

    (void)naive_split(&rest, '\n', &method);
    (void)naive_split(&rest, '\n', &uri);
    (void)naive_split(&rest, '\n', &headers.basin);
    (void)naive_split(&rest, '\n', &prefix);
    if (uri.length <= NAIVE_URI_MAX) {
        memory = must_allocate(uri.length);
        naive_request_read(naive, method, uri, headers.basin);
        if (s2_request_read(method, uri, &headers, memory, &request, &refusal)) {
            demand(naive->code == NULL && naive_request_agrees(naive, &request));
            expect_again(method, headers.basin, &request);
            free(write_request(&request, prefix, &uri));
        } else {
            demand(naive->code != NULL && strcmp(naive->code, refusal.code) == 0);
            expect_refusal(&refusal);
        }
        free(memory);
    }
    read_headers(rest);
    free(naive);
}

/*
 * ---- Pages ----
 */

#define LISTS WEIR_OPERATION_BIT(WEIR_LIST_STREAMS)
#define SCOPE(kind, name)                                                                          \
    {                                                                                              \
        .basins = {WEIR_SET_PREFIX, {"", 0}}, .streams = {kind, {name, sizeof(name) - 1}},         \
        .ops = LISTS                                                                               \
    }

static const struct weir_scope scopes[] = {
    SCOPE(WEIR_SET_PREFIX, "p/"),         SCOPE(WEIR_SET_EXACT, "a"),
    SCOPE(WEIR_SET_PREFIX, "a/\xc3\xa9"), SCOPE(WEIR_SET_PREFIX, "a/\xc3\xaa"),
    SCOPE(WEIR_SET_EXACT, "z"),
};

static struct weir_token token_of(bool auto_prefix)
{
    return (struct weir_token){.id = {"t", 1},
                               .scopes = scopes,
                               .scope_count = auto_prefix ? 1 : sizeof scopes / sizeof scopes[0],
                               .auto_prefix_streams = auto_prefix};
}

static struct weir_text parameter(const struct s2_request *request, const char *key)
{
    const struct weir_text *value = s2_request_parameter(request, key);

    return value != NULL ? *value : nothing;
}

/* Whether each name of the page may be listed, and comes behind the one before. */
static void expect_page(const struct s2_request *request, bool auto_prefix, json_t *page)
{
    const struct weir_token token = token_of(auto_prefix);
    json_t *items = json_object_get(page, "streams");
    json_t *has_more = json_object_get(page, "has_more");
    struct weir_text last = parameter(request, "start_after");

    demand(json_is_array(items) && json_is_boolean(has_more));
    demand(json_array_size(items) <= 1000 &&
           (json_array_size(items) > 0 || !json_is_true(has_more)));
    for (size_t i = 0; i < json_array_size(items); i++) {
        json_t *value = json_object_get(json_array_get(items, i), "name");
        struct weir_text name = {json_string_value(value), json_string_length(value)};
        char effective[NAIVE_EFFECTIVE_MAX];

        demand(json_is_string(value) && naive_stream_valid(name));
        demand(naive_begins(name, parameter(request, "prefix")) && naive_order(name, last) > 0);
        last = name;
        name = naive_join(auto_prefix ? PREFIX : nothing, name, effective);
        demand(naive_listable(&token, WEIR_LIST_STREAMS, WEIR_TEXT("acme-prod"), nothing, name));
    }
}

static void expect_question(struct weir_text uri)
{
    struct naive_request *naive = must_allocate(sizeof *naive);

    naive_request_read(naive, WEIR_TEXT("GET"), uri, WEIR_TEXT("acme-prod"));
    demand(naive->code == NULL && strcmp(naive->call, "v1/streams") == 0);
    free(naive);
}

/* Asks, and takes the answers in. False: one was refused. */
static bool fill_page(struct s2_page *page, struct weir_text answers, struct s2_refusal *refusal)
{
    struct weir_text uri;
    unsigned questions = 0;

    while ((uri = s2_page_next(page)).length > 0) {
        struct weir_text answer;

        demand(questions++ < S2_QUESTIONS_MAX);
        expect_question(uri);
        (void)naive_split(&answers, '\n', &answer);
        if (!s2_page_take(page, answer, refusal)) {
            return false;
        }
    }
    return true;
}

static struct weir_listing *narrow(const struct weir_compiled_token *compiled,
                                   struct weir_text prefix)
{
    struct weir_listing *listing = NULL;
    enum weir_reason reason = WEIR_STALE;

    demand(weir_narrow(compiled, WEIR_LIST_STREAMS, WEIR_TEXT("acme-prod"), prefix,
                       (struct weir_instant){0}, NULL, &reason, &listing, NULL) == WEIR_OK);
    return listing;
}

/* The page as text, NULL if there is none. `scarce`: jansson may fail meanwhile. */
static char *make_page(const struct s2_request *request, bool auto_prefix, struct weir_text answers,
                       bool scarce, size_t *length)
{
    const struct weir_token token = token_of(auto_prefix);
    struct weir_compiled_token *compiled = NULL;
    struct s2_refusal refusal = {0};
    struct s2_page *page = NULL;
    char *text = NULL;
    size_t size = 0;

    demand(weir_compile_token(&token, NULL, &compiled, &size, NULL) == WEIR_OK);
    page = s2_page_open(request, narrow(compiled, parameter(request, "prefix")),
                        weir_compiled_token_stream_prefix(compiled), &refusal);
    if (page != NULL && fill_page(page, answers, &refusal)) {
        text = s2_page_write(page, length, &refusal);
    }
    if (text == NULL) {
        expect_refusal(&refusal);
        demand(scarce || refusal.status == 502 || refusal.status == 503 || page == NULL);
    }
    s2_page_close(page);
    free(compiled);
    return text;
}

static void read_page(struct weir_text rest, bool auto_prefix)
{
    struct s2_headers headers = {.basin = WEIR_TEXT("acme-prod")};
    struct weir_text query;
    struct s2_request request;
    struct s2_refusal refusal;
    char *uri = must_allocate(rest.length + 16);
    char *memory = must_allocate(rest.length + 16);
    size_t length = 0;

    (void)naive_split(&rest, '\n', &query);
    memcpy(uri, "/v1/streams?", 12);
    memcpy(uri + 12, query.bytes, query.length);
    if (s2_request_read(WEIR_TEXT("GET"), (struct weir_text){uri, 12 + query.length}, &headers,
                        memory, &request, &refusal)) {
        char *text = make_page(&request, auto_prefix, rest, false, &length);
        json_t *page = text != NULL ? json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL) : NULL;
        char *again = NULL;

        demand((text == NULL) == (page == NULL));
        if (page != NULL) {
            expect_page(&request, auto_prefix, page);
        }
        json_decref(page);
        scarce_json_begin(rest.length % 61, rest.length % 2 == 0, NULL, 0);
        again = make_page(&request, auto_prefix, rest, true, &length);
        (void)scarce_json_end();
        demand(again == NULL || (text != NULL && strcmp(text, again) == 0));
        free(again);
        free(text);
    }
    free(memory);
    free(uri);
}

/*
 * ---- Answers that last ----
 */

struct passed {
    char *bytes;
    size_t length;
    bool ended;
    bool between;
};

/* Passes all on, in pieces of so many bytes. */
static struct passed pass(enum s2_stream_kind kind, struct weir_text prefix, struct weir_text bytes,
                          size_t piece, bool one)
{
    struct s2_stream *stream = s2_stream_open(kind, prefix, STREAM);
    /* An error's message becomes another that is longer, once for eight bytes at the most. */
    const size_t room = 64 * bytes.length + 64;
    struct passed passed = {must_allocate(room), 0, false, false};

    demand(stream != NULL);
    while (bytes.length > 0) {
        struct weir_text part = {bytes.bytes, bytes.length < piece ? bytes.length : piece};
        struct weir_text out = nothing;
        size_t count = 0;

        demand(s2_stream_take(stream, part, one, &count, &out));
        demand(count >= 1 && count <= part.length && out.length <= room - passed.length);
        if (out.length > 0) {
            memcpy(passed.bytes + passed.length, out.bytes, out.length);
        }
        passed.length += out.length;
        bytes.bytes += count;
        bytes.length -= count;
    }
    passed.ended = s2_stream_has_ended(stream);
    passed.between = s2_stream_between_messages(stream);
    s2_stream_close(stream);
    return passed;
}

static void read_stream(enum s2_stream_kind kind, struct weir_text prefix, struct weir_text bytes)
{
    const struct passed whole = pass(kind, prefix, bytes, SIZE_MAX, false);

    for (size_t piece = 1; piece <= 7; piece += 3) {
        struct passed cut = pass(kind, prefix, bytes, piece, piece == 4);

        demand(cut.length == whole.length && memcmp(cut.bytes, whole.bytes, cut.length) == 0);
        demand(cut.ended == whole.ended && cut.between == whole.between);
        free(cut.bytes);
    }
    if (prefix.length == 0) {
        demand(whole.length == bytes.length);
        demand(whole.length == 0 || memcmp(whole.bytes, bytes.bytes, whole.length) == 0);
    }
    free(whole.bytes);
}

/*
 * ---- Whole answers, and bodies ----
 */

static void strip(struct weir_text rest)
{
    struct weir_text prefix;
    struct weir_text stream;
    struct s2_refusal refusal = {0};
    size_t length = 0;
    char *text = NULL;
    char *again = NULL;

    (void)naive_split(&rest, '\n', &prefix);
    (void)naive_split(&rest, '\n', &stream);
    text = s2_answer_strip(rest, prefix, stream, &length, &refusal);
    demand(text != NULL || refusal.status == 502);
    demand(text == NULL || strlen(text) == length);
    scarce_json_begin(rest.length % 13, rest.length % 2 == 0, NULL, 0);
    again = s2_answer_strip(rest, prefix, stream, &length, &refusal);
    (void)scarce_json_end();
    demand(again == NULL || (text != NULL && strcmp(text, again) == 0));
    free(again);
    free(text);
}

/* The body written afresh, NULL if it is refused. */
static char *rewrite(struct weir_text prefix, struct weir_text bytes)
{
    struct s2_body *body = NULL;
    struct weir_text name = nothing;
    struct s2_refusal refusal = {0};
    size_t length = 0;
    char *text = NULL;

    if (!s2_body_read(S2_CREATE_STREAM, bytes, S2_ENCODING_IDENTITY, &body, &name, &refusal)) {
        expect_refusal(&refusal);
        return NULL;
    }
    demand(naive_stream_valid(name));
    text = s2_body_write(body, prefix, &length);
    demand(text == NULL || strlen(text) == length);
    s2_body_free(body);
    return text;
}

static void read_body(struct weir_text rest)
{
    struct weir_text prefix;
    char *text = NULL;
    char *again = NULL;

    (void)naive_split(&rest, '\n', &prefix);
    text = rewrite(nothing, rest);
    if (text != NULL) {
        again = rewrite(nothing, (struct weir_text){text, strlen(text)});
        demand(again != NULL && strcmp(text, again) == 0);
        free(again);
    }
    free(rewrite(prefix, rest));
    scarce_json_begin(rest.length % 13, rest.length % 2 == 0, NULL, 0);
    again = rewrite(nothing, rest);
    (void)scarce_json_end();
    demand(again == NULL || (text != NULL && strcmp(text, again) == 0));
    free(again);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct weir_text rest = {size > 0 ? (const char *)data : "", size};
    struct weir_text kind;

    (void)naive_split(&rest, '\n', &kind);
    switch (kind.length == 1 ? kind.bytes[0] : '\0') {
    case 'q':
        read_request(rest);
        break;
    case 'p':
    case 'P':
        read_page(rest, kind.bytes[0] == 'P');
        break;
    case 'f':
    case 'F':
        read_stream(S2_STREAM_FRAMES, kind.bytes[0] == 'F' ? PREFIX : nothing, rest);
        break;
    case 'e':
    case 'E':
        read_stream(S2_STREAM_EVENTS, kind.bytes[0] == 'E' ? PREFIX : nothing, rest);
        break;
    case 'm':
        strip(rest);
        break;
    case 'b':
        read_body(rest);
        break;
    default:
        break;
    }
    return 0;
}
