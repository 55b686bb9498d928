/* Pages: what a token may list, asked of a server piece by piece, against a naive filter. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include <weir/compile.h>
#include <weir/image.h>
#include <weir/listing.h>

#include "library/support.h"
#include "model/naive.h"
#include "s2/answer.h"
#include "s2/listing_server.h"
#include "s2/naive_request.h"
#include "s2/request.h"
#include "s2/support.h"

#define BASIN WEIR_TEXT("acme-prod")
#define NAMES_MAX 120000
#define SCOPES_MAX 10000

/*
 * ---- A server's names, and a token ----
 */

static char text_memory[32 << 20];
static size_t text_used;

static struct weir_text keep(struct weir_text text)
{
    char *bytes = text_memory + text_used;

    DEMAND(text_used + text.length <= sizeof text_memory, "no room for names");
    memcpy(bytes, text.bytes, text.length);
    text_used += text.length;
    return (struct weir_text){bytes, text.length};
}

static struct weir_text names[NAMES_MAX];
static struct weir_scope scopes[SCOPES_MAX];
static struct listing_server server = {.names = names, .most = 1000};
static struct weir_token token = {.id = {"t", 1}, .scopes = scopes};

static int compare_names(const void *left, const void *right)
{
    return naive_order(*(const struct weir_text *)left, *(const struct weir_text *)right);
}

static void sort_names(void)
{
    size_t kept = 0;

    qsort(names, server.count, sizeof names[0], compare_names);
    for (size_t i = 0; i < server.count; i++) {
        if (kept == 0 || !naive_same(names[kept - 1], names[i])) {
            names[kept++] = names[i];
        }
    }
    server.count = kept;
}

static struct weir_text random_stream(struct random *random)
{
    static const char *const pieces[] = {"users/1/",
                                         "users/2/",
                                         "users/",
                                         "u",
                                         "a",
                                         "b",
                                         "-",
                                         ".",
                                         "..",
                                         "\xc3\xa9",
                                         "\xc3\xa8",
                                         "\x01",
                                         "~",
                                         "/",
                                         "c\xee\x80\x80",
                                         "\xed\x9f\xbf",
                                         "\xf4\x8f\xbf\xbf",
                                         "\xf4\x8f\xbf\xbf\xf4\x8f\xbf\xbf",
                                         " ",
                                         "\xf4\x8f\xbf\xbe",
                                         "+%"};
    char bytes[WEIR_STREAM_MAX];
    size_t length = 0;
    size_t count = 1 + random_below(random, 4);

    do {
        for (size_t i = 0; i < count; i++) {
            const char *piece = pieces[random_below(random, COUNT(pieces))];

            memcpy(bytes + length, piece, strlen(piece));
            length += strlen(piece);
        }
        while (random_below(random, 200) == 0 && length < sizeof bytes) {
            memset(bytes + length, 'x', sizeof bytes - length);
            length = sizeof bytes;
        }
    } while (!naive_stream_valid((struct weir_text){bytes, length}));
    return keep((struct weir_text){bytes, length});
}

static struct weir_text random_basin(struct random *random)
{
    static const char letters[] = "-09az";
    char bytes[WEIR_BASIN_MAX];
    size_t length = 0;

    do {
        length = WEIR_BASIN_MIN + random_below(random, random_below(random, 9) == 0 ? 41 : 2);
        for (size_t i = 0; i < length; i++) {
            bytes[i] = letters[i == 0 ? 1 + 2 * random_below(random, 2)
                                      : random_below(random, i < 5 ? 3 : 5)];
        }
    } while (!naive_basin_valid((struct weir_text){bytes, length}));
    return keep((struct weir_text){bytes, length});
}

static struct weir_text random_name(struct random *random)
{
    return server.of_basins ? random_basin(random) : random_stream(random);
}

static bool is_prefix(struct weir_text text)
{
    return server.of_basins ? naive_basin_prefix_valid(text) : naive_stream_prefix_valid(text);
}

/* The beginning of some name, of one that is there more often than not. */
static struct weir_text random_prefix(struct random *random)
{
    struct weir_text name = server.count > 0 && random_below(random, 4) > 0
                                ? names[random_below(random, server.count)]
                                : random_name(random);

    do {
        name.length = random_below(random, random_below(random, 2) == 0 ? name.length + 1 : 6) %
                      (name.length + 1);
    } while (!is_prefix(name));
    return name;
}

static struct weir_set random_set(struct random *random)
{
    if (random_below(random, 3) == 0) {
        return (struct weir_set){WEIR_SET_PREFIX, random_prefix(random)};
    }
    return (struct weir_set){WEIR_SET_EXACT, server.count > 0 && random_below(random, 2) == 0
                                                 ? names[random_below(random, server.count)]
                                                 : random_name(random)};
}

static void random_world(struct random *random)
{
    const size_t counts[] = {0, 1, 10, 100, 3000};
    const size_t scope_counts[] = {1, 2, 10, 300};
    enum weir_operation operation = WEIR_LIST_STREAMS;

    text_used = 0;
    server.of_basins = random_below(random, 4) == 0;
    operation = server.of_basins ? WEIR_LIST_BASINS : WEIR_LIST_STREAMS;
    server.count = random_below(random, 1 + counts[random_below(random, COUNT(counts))]);
    for (size_t i = 0; i < server.count; i++) {
        names[i] = random_name(random);
    }
    sort_names();
    token.scope_count = 1 + random_below(random, scope_counts[random_below(random, 4)]);
    token.auto_prefix_streams = !server.of_basins && token.scope_count == 1;
    for (size_t i = 0; i < token.scope_count; i++) {
        scopes[i] = (struct weir_scope){.basins = {WEIR_SET_PREFIX, {"", 0}},
                                        .ops = WEIR_OPERATION_BIT(operation)};
        *(server.of_basins ? &scopes[i].basins : &scopes[i].streams) = random_set(random);
    }
    if (token.auto_prefix_streams) {
        scopes[0].streams = (struct weir_set){WEIR_SET_PREFIX, random_prefix(random)};
    }
}

/*
 * ---- What is asked, and what is to come ----
 */

struct question {
    struct weir_text prefix;
    struct weir_text start_after;
    size_t limit;
    bool has_limit;
};

static struct weir_text stream_prefix(void)
{
    return token.auto_prefix_streams ? scopes[0].streams.name : (struct weir_text){"", 0};
}

static size_t page_size(const struct question *question)
{
    return !question->has_limit || question->limit == 0 || question->limit > 1000 ? 1000
                                                                                  : question->limit;
}

/* The next name, from that place on, that the token may list; places are those of the server. */
static size_t next_listed(const struct question *question, size_t at)
{
    static char requested_bytes[NAIVE_EFFECTIVE_MAX];
    static char start_bytes[NAIVE_EFFECTIVE_MAX];
    struct weir_text requested = naive_join(stream_prefix(), question->prefix, requested_bytes);
    struct weir_text start = question->start_after;

    if (start.length > 0) {
        start = naive_join(stream_prefix(), start, start_bytes);
    }
    for (; at < server.count; at++) {
        struct weir_text shown = {names[at].bytes + stream_prefix().length,
                                  names[at].length - stream_prefix().length};

        if (naive_listable(&token, server.of_basins ? WEIR_LIST_BASINS : WEIR_LIST_STREAMS, BASIN,
                           requested, names[at]) &&
            naive_order(names[at], start) > 0 && (server.of_basins || naive_stream_valid(shown))) {
            break;
        }
    }
    return at;
}

static struct weir_text question_uri(const struct question *question)
{
    static char uri[8192];
    struct s2_request request = {.call = server.of_basins ? S2_LIST_BASINS : S2_LIST_STREAMS,
                                 .pattern = server.of_basins ? "/v1/basins" : "/v1/streams"};
    char limit[32];
    size_t count = 0;

    request.query[count++] =
        (struct s2_parameter){text_of("prefix"), question->prefix, question->prefix.length > 0};
    request.query[count++] = (struct s2_parameter){text_of("x"), text_of("1"), true};
    request.query[count++] = (struct s2_parameter){text_of("start_after"), question->start_after,
                                                   question->start_after.length > 0};
    if (question->has_limit) {
        (void)snprintf(limit, sizeof limit, "%zu", question->limit);
        request.query[count++] = (struct s2_parameter){text_of("limit"), text_of(limit), true};
    }
    request.query_count = count;
    return (struct weir_text){uri, s2_request_write(&request, (struct weir_text){"", 0}, uri)};
}

static struct weir_listing *narrow(const struct weir_compiled_token *compiled,
                                   struct weir_text prefix)
{
    struct weir_listing *listing = NULL;
    enum weir_reason reason = WEIR_STALE;
    enum weir_status status =
        weir_narrow(compiled, server.of_basins ? WEIR_LIST_BASINS : WEIR_LIST_STREAMS, BASIN,
                    prefix, (struct weir_instant){0}, NULL, &reason, &listing, NULL);

    DEMAND(status == WEIR_OK && reason == WEIR_ALLOWED, "the listing is not narrowed");
    return listing;
}

/* A page, as the gateway makes it. NULL: it has nothing to show yet, and there is more. */
static json_t *ask_page(const struct weir_compiled_token *compiled, const struct question *question)
{
    static char memory[8192];
    struct s2_headers headers = {.basin = BASIN};
    struct s2_refusal refusal = {0};
    struct s2_request request;
    struct s2_page *page = NULL;
    struct weir_text uri;
    json_t *document = NULL;
    char *text = NULL;
    size_t length = 0;

    DEMAND(s2_request_read(WEIR_TEXT("GET"), question_uri(question), &headers, memory, &request,
                           &refusal),
           "%s", refusal.message);
    page = s2_page_open(&request, narrow(compiled, question->prefix),
                        weir_compiled_token_stream_prefix(compiled), &refusal);
    DEMAND(page != NULL, "%s", refusal.message);
    server.questions = 0;
    while ((uri = s2_page_next(page)).length > 0) {
        char *answer = listing_server_answer(&server, uri, &length);

        DEMAND(s2_page_take(page, (struct weir_text){answer, length}, &refusal), "%s",
               refusal.message);
        free(answer);
        DEMAND(server.questions <= S2_QUESTIONS_MAX, "too many questions");
    }
    text = s2_page_write(page, &length, &refusal);
    DEMAND(text != NULL || refusal.status == 503, "%u", refusal.status);
    if (text != NULL) {
        document = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
        DEMAND(document != NULL, "the page is no JSON: %s", text);
    }
    free(text);
    s2_page_close(page);
    return document;
}

/* Compares a page with what is to come. Returns the place behind its last name. */
static size_t expect_names(const struct question *question, json_t *items, size_t at)
{
    for (size_t i = 0; i < json_array_size(items); i++) {
        json_t *item = json_array_get(items, i);
        json_t *name = json_object_get(item, "name");
        struct weir_text got = {json_string_value(name), json_string_length(name)};
        struct weir_text expected;

        at = next_listed(question, at);
        DEMAND(at < server.count, "a name too much: %.*s", (int)got.length, got.bytes);
        expected = (struct weir_text){names[at].bytes + stream_prefix().length,
                                      names[at].length - stream_prefix().length};
        DEMAND(naive_same(got, expected), "%.*s instead of %.*s", (int)got.length, got.bytes,
               (int)expected.length, expected.bytes);
        DEMAND(json_object_size(item) == 3 &&
                   strcmp(json_string_value(json_object_get(item, "created_at")),
                          "2026-11-23T12:00:00Z") == 0 &&
                   json_is_null(json_object_get(item, "cipher")),
               "an item has other fields");
        at++;
    }
    return at;
}

struct walked {
    size_t pages;
    size_t names;
    size_t short_pages; /* with less than could be */
    size_t refused;     /* 503 */
    size_t questions;
    size_t items;
};

/* Goes through all pages. False: the last one was refused. */
static bool walk(const struct weir_compiled_token *compiled, struct question question,
                 struct walked *walked)
{
    static char last[WEIR_STREAM_MAX];
    size_t at = 0;
    bool more = true;

    while (more) {
        json_t *page = ask_page(compiled, &question);
        json_t *items = json_object_get(page, server.of_basins ? "basins" : "streams");
        json_t *name = NULL;
        size_t count = json_array_size(items);
        size_t behind = 0;

        walked->questions += server.questions;
        if (page == NULL) {
            DEMAND(server.questions == S2_QUESTIONS_MAX, "refused before all was asked");
            walked->refused++;
            return false;
        }
        at = expect_names(&question, items, at);
        behind = next_listed(&question, at);
        more = json_is_true(json_object_get(page, "has_more"));
        DEMAND(json_object_size(page) == 2 && json_is_array(items), "not a page");
        DEMAND(count <= page_size(&question), "a page of %zu", count);
        DEMAND(!more || count > 0, "an empty page, and more to come");
        DEMAND(more == (behind < server.count) || (more && server.questions == S2_QUESTIONS_MAX),
               "has_more is %d, and there is %d", more, behind < server.count);
        DEMAND(count == page_size(&question) || behind == server.count ||
                   server.questions == S2_QUESTIONS_MAX,
               "a short page without need");
        walked->pages++;
        walked->names += count;
        walked->short_pages += count < page_size(&question) && more;
        if (more) {
            name = json_object_get(json_array_get(items, count - 1), "name");
            memcpy(last, json_string_value(name), json_string_length(name));
            question.start_after = (struct weir_text){last, json_string_length(name)};
        }
        json_decref(page);
    }
    return true;
}

static struct weir_compiled_token *compile(void)
{
    struct weir_compiled_token *compiled = NULL;
    struct weir_error error;
    size_t size = 0;
    enum weir_status status = weir_compile_token(&token, NULL, &compiled, &size, &error);

    DEMAND(status == WEIR_OK, "%s: %s", error.place, error.message);
    return compiled;
}

static struct question random_question(struct random *random)
{
    static const size_t limits[] = {1, 2, 7, 50, 999, 1000, 1001, 0, 100000};
    struct question question = {.limit = limits[random_below(random, COUNT(limits))],
                                .has_limit = random_below(random, 3) > 0};
    struct weir_text *asked[] = {&question.prefix, &question.start_after};

    for (size_t i = 0; i < COUNT(asked); i++) {
        if (random_below(random, 3) == 0) {
            *asked[i] = random_prefix(random);
            if (random_below(random, 2) == 0 && naive_begins(*asked[i], stream_prefix())) {
                asked[i]->bytes += stream_prefix().length;
                asked[i]->length -= stream_prefix().length;
            }
        }
    }
    return question;
}

/* Goes through random listings, of a server that sends so many names at a time. */
static struct walked walk_random(size_t count, size_t most)
{
    struct random random = {0};
    struct walked walked = {0};

    for (size_t i = 0; i < count; i++) {
        struct weir_compiled_token *compiled = NULL;

        random_world(&random);
        server.most = most;
        compiled = compile();
        for (int k = 0; k < 4; k++) {
            struct question question = random_question(&random);

            if (question.has_limit && question.limit > 0 && question.limit < 7 &&
                server.count > 300) {
                question.limit = 300;
            }
            (void)walk(compiled, question, &walked);
        }
        free(compiled);
    }
    server.most = 1000;
    return walked;
}

START_TEST(pages_together_are_what_the_token_may_list)
{
    const size_t count = rounds(1000);
    struct walked walked = walk_random(count, 1000);

    ck_assert_uint_eq(walked.short_pages, 0);
    ck_assert_uint_eq(walked.refused, 0);
    ck_assert(walked.names >= count);
}
END_TEST

START_TEST(a_server_may_send_fewer_names_than_it_is_asked_for)
{
    for (size_t most = 1; most <= 9; most += 4) {
        struct walked walked = walk_random(rounds(200), most);

        ck_assert(walked.names >= rounds(200));
    }
}
END_TEST

/*
 * ---- Large worlds ----
 */

static void add_name(const char *format, size_t number)
{
    char name[WEIR_STREAM_MAX];
    int length = snprintf(name, sizeof name, format, number);

    DEMAND(server.count < NAMES_MAX, "too many names");
    names[server.count++] = keep((struct weir_text){name, (size_t)length});
}

static void begin_world(void)
{
    text_used = 0;
    server.count = 0;
    server.of_basins = false;
    token.scope_count = 0;
    token.auto_prefix_streams = false;
}

static void add_scope(enum weir_set_kind kind, const char *format, size_t number)
{
    char name[WEIR_STREAM_MAX];
    int length = snprintf(name, sizeof name, format, number);

    scopes[token.scope_count++] =
        (struct weir_scope){.basins = {WEIR_SET_PREFIX, {"", 0}},
                            .streams = {kind, keep((struct weir_text){name, (size_t)length})},
                            .ops = WEIR_OPERATION_BIT(WEIR_LIST_STREAMS)};
}

static struct walked walk_world(struct question question, bool *whole)
{
    struct walked walked = {0};
    struct weir_compiled_token *compiled = NULL;

    sort_names();
    server.items = 0;
    compiled = compile();
    *whole = walk(compiled, question, &walked);
    free(compiled);
    walked.items = server.items;
    return walked;
}

START_TEST(ten_thousand_exact_names_take_as_many_questions_as_pages)
{
    struct walked walked;
    bool whole = false;

    begin_world();
    for (size_t i = 0; i < 10000; i++) {
        add_name("device-%05zu", i);
        add_scope(WEIR_SET_EXACT, "device-%05zu", i);
    }
    walked = walk_world((struct question){0}, &whole);
    ck_assert(whole && walked.names == 10000 && walked.pages == 10);
    ck_assert_uint_le(walked.questions, 30);
}
END_TEST

START_TEST(names_that_are_not_there_are_passed_over_together)
{
    struct walked walked;
    bool whole = false;

    begin_world();
    for (size_t i = 0; i < 10000; i++) {
        add_scope(WEIR_SET_EXACT, "device-%05zu", i);
    }
    add_name("device-%05zu/x", 1);
    add_name("device-%05zu", 9999);
    add_name("a%zu", 0);
    add_name("z%zu", 0);
    walked = walk_world((struct question){0}, &whole);
    ck_assert(whole && walked.names == 1);
    ck_assert_uint_le(walked.questions, 2);
}
END_TEST

START_TEST(many_names_of_others_between_are_stepped_over)
{
    struct walked walked;
    bool whole = false;

    begin_world();
    for (size_t i = 0; i < 100000; i++) {
        add_name("users/%06zu", i);
    }
    for (size_t i = 0; i < 30; i++) {
        add_name("users/%06zu/mine", i * 3000 + 77);
        add_scope(WEIR_SET_PREFIX, "users/%06zu/", i * 3000 + 77);
    }
    walked = walk_world((struct question){.limit = 10, .has_limit = true}, &whole);
    ck_assert(whole && walked.names == 30 && walked.short_pages == 0);
}
END_TEST

START_TEST(what_is_just_before_a_member_cannot_hide_it)
{
    struct walked walked;
    bool whole = false;

    begin_world();
    for (size_t i = 0; i < 50000; i++) {
        add_name("users/1.\xf4\x8f\xbf\xbf\xf4\x8f\xbf\xbf\xf4\x8f\xbf\xbf\xf4\x8f\xbf\xbf%05zu",
                 i);
    }
    for (size_t i = 0; i < 20; i++) {
        add_name("users/1/%zu", i);
    }
    add_name("zebra%zu", 1);
    add_scope(WEIR_SET_PREFIX, "users/%zu/", 1);
    add_scope(WEIR_SET_EXACT, "zebra%zu", 1);
    walked = walk_world((struct question){0}, &whole);
    ck_assert(whole && walked.names == 21);
    ck_assert_uint_le(walked.questions, 5);
}
END_TEST

START_TEST(a_page_is_short_or_refused_once_all_questions_were_asked)
{
    struct walked walked;
    bool whole = false;

    begin_world();
    for (size_t i = 0; i < 100000; i++) {
        add_name("users/%06zu/x", i);
        if (i % 1250 == 0) {
            add_scope(WEIR_SET_EXACT, "users/%06zu/y", i);
        }
    }
    for (size_t i = 0; i < 20; i++) {
        add_name("users/%06zu/y", i * 1250);
    }
    walked = walk_world((struct question){0}, &whole);
    ck_assert(!whole && walked.names == 20 && walked.short_pages == 1 && walked.refused == 1);
}
END_TEST

START_TEST(one_prefix_is_asked_for_with_no_more_than_the_page_takes)
{
    struct walked walked;
    bool whole = false;

    begin_world();
    for (size_t i = 0; i < 5000; i++) {
        add_name("users/1/%05zu", i);
        add_name("users/2/%05zu", i);
    }
    add_scope(WEIR_SET_PREFIX, "users/%zu/", 1);
    token.auto_prefix_streams = true;
    walked = walk_world((struct question){.limit = 10, .has_limit = true}, &whole);
    ck_assert(whole && walked.names == 5000);
    ck_assert_uint_eq(walked.questions, walked.pages);
    ck_assert_uint_le(walked.items, 5000 + walked.pages);
    walked = walk_world((struct question){0}, &whole);
    ck_assert(whole && walked.pages == 5 && walked.questions == 5);
}
END_TEST

/*
 * ---- Where a listing ends ----
 */

/* Demands that there is one page, of so many names, and nothing behind it. */
static void expect_one_page(struct question question, size_t count)
{
    struct walked walked;
    bool whole = false;

    walked = walk_world(question, &whole);
    ck_assert(whole && walked.pages == 1);
    ck_assert_uint_eq(walked.names, count);
}

START_TEST(names_that_are_nothing_without_the_prefix_are_not_more)
{
    begin_world();
    add_scope(WEIR_SET_PREFIX, "users/%zu/", 1);
    token.auto_prefix_streams = true;
    add_name("users/%zu/", 1);
    add_name("users/%zu/-", 1);
    add_name("users/%zu/.", 1);
    add_name("users/%zu/..", 1);
    expect_one_page((struct question){.limit = 1, .has_limit = true}, 1);
}
END_TEST

START_TEST(basins_that_begin_with_any_first_letter_are_asked_for)
{
    begin_world();
    server.of_basins = true;
    for (size_t i = 0; i < 2; i++) {
        add_name(i == 0 ? "0basin-%zu" : "1basin-%zu", 10);
        scopes[token.scope_count++] =
            (struct weir_scope){.basins = {WEIR_SET_PREFIX, {names[server.count - 1].bytes, 1}},
                                .ops = WEIR_OPERATION_BIT(WEIR_LIST_BASINS)};
    }
    expect_one_page((struct question){0}, 2);
}
END_TEST

START_TEST(what_members_have_in_common_is_whole_characters)
{
    begin_world();
    add_scope(WEIR_SET_PREFIX, "a\xc3\xa8%zu", 1);
    add_scope(WEIR_SET_PREFIX, "a\xc3\xa9%zu", 1);
    add_name("a\xc3\xa8%zu", 1);
    add_name("a\xc3\xa9%zu", 1);
    add_name("a%zu", 1);
    expect_one_page((struct question){0}, 2);
}
END_TEST

START_TEST(names_of_others_behind_a_full_page_are_not_more)
{
    begin_world();
    add_scope(WEIR_SET_PREFIX, "users/%zu/", 1);
    add_scope(WEIR_SET_PREFIX, "zebra%zu", 1);
    for (size_t i = 0; i < 50; i++) {
        add_name("users/1/%zu", i);
    }
    for (size_t i = 0; i < 500; i++) {
        add_name("users/2/%zu", i);
    }
    expect_one_page((struct question){.limit = 50, .has_limit = true}, 50);
}
END_TEST

START_TEST(names_that_begin_like_an_exact_one_are_not_more)
{
    begin_world();
    add_scope(WEIR_SET_EXACT, "users/%zu", 1);
    for (size_t i = 1; i < 20; i++) {
        add_name("users/%zu", i);
    }
    expect_one_page((struct question){.limit = 1, .has_limit = true}, 1);
}
END_TEST

START_TEST(a_start_that_is_too_long_with_the_prefix_still_counts_in_full)
{
    static char prefix[500];
    struct question question = {.start_after = WEIR_TEXT("abcdefghijk\xc3\xa9"), .limit = 1};
    char name[WEIR_STREAM_MAX];

    begin_world();
    memset(prefix, 'p', sizeof prefix);
    memcpy(name, prefix, sizeof prefix);
    scopes[token.scope_count++] =
        (struct weir_scope){.basins = {WEIR_SET_PREFIX, {"", 0}},
                            .streams = {WEIR_SET_PREFIX, {prefix, sizeof prefix}},
                            .ops = WEIR_OPERATION_BIT(WEIR_LIST_STREAMS)};
    token.auto_prefix_streams = true;
    for (char last = 'v'; last <= 'z'; last++) {
        memcpy(name + sizeof prefix, "abcdefghijk", 11);
        name[511] = last;
        names[server.count++] = keep((struct weir_text){name, 512});
    }
    expect_one_page(question, 0);
    name[sizeof prefix] = 'b';
    names[server.count++] = keep((struct weir_text){name, sizeof prefix + 1});
    expect_one_page(question, 1);
    question.has_limit = true;
    expect_one_page(question, 1);
}
END_TEST

/*
 * ---- Servers that answer otherwise ----
 */

START_TEST(an_answer_that_is_not_understood_is_refused)
{
    static const char *const bad[] = {
        "",
        "[]",
        "{}",
        "{\"streams\":[]}",
        "{\"streams\":{},\"has_more\":false}",
        "{\"basins\":[],\"has_more\":false}",
        "{\"streams\":[],\"has_more\":\"no\"}",
        "{\"streams\":[],\"has_more\":true}",
        "{\"streams\":[],\"streams\":[],\"has_more\":false}",
        "{\"streams\":[{}],\"has_more\":false}",
        "{\"streams\":[{\"name\":1}],\"has_more\":false}",
        "{\"streams\":[{\"name\":\"\"}],\"has_more\":false}",
        "{\"streams\":[\"users/1/a\"],\"has_more\":false}",
        "{\"streams\":[{\"name\":\"users/1/b\"},{\"name\":\"users/1/a\"}],\"has_more\":false}",
        "{\"streams\":[{\"name\":\"users/1/a\"},{\"name\":\"users/1/a\"}],\"has_more\":false}",
        "{\"streams\":[{\"name\":\"users/1/a\"}],\"has_more\":false} x",
    };
    struct weir_compiled_token *compiled = NULL;

    begin_world();
    add_scope(WEIR_SET_PREFIX, "users/%zu/", 1);
    compiled = compile();
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct s2_request request = {.call = S2_LIST_STREAMS, .pattern = "/v1/streams"};
        struct s2_refusal refusal = {0};
        struct s2_page *page = s2_page_open(&request, narrow(compiled, text_of("")),
                                            (struct weir_text){"", 0}, &refusal);

        ck_assert(page != NULL && s2_page_next(page).length > 0);
        ck_assert_msg(!s2_page_take(page, text_of(bad[i]), &refusal), "%s", bad[i]);
        ck_assert_uint_eq(refusal.status, 502);
        s2_page_close(page);
    }
    free(compiled);
}
END_TEST

START_TEST(names_that_were_not_asked_for_are_left_out)
{
    static const char answer[] =
        "{\"streams\":[{\"name\":\"users/0/a\"},{\"name\":\"users/1/a\",\"n\":[1,{}]},"
        "{\"name\":\"users/2/a\"}],\"has_more\":false,\"more\":1}";
    struct s2_request request = {.call = S2_LIST_STREAMS, .pattern = "/v1/streams"};
    struct s2_refusal refusal = {0};
    struct weir_compiled_token *compiled = NULL;
    struct s2_page *page = NULL;
    size_t length = 0;
    char *text = NULL;

    begin_world();
    add_scope(WEIR_SET_PREFIX, "users/%zu/", 1);
    compiled = compile();
    page = s2_page_open(&request, narrow(compiled, text_of("")), text_of("users/1/"), &refusal);
    ck_assert(page != NULL && s2_page_next(page).length > 0);
    ck_assert(s2_page_take(page, text_of(answer), &refusal));
    ck_assert_uint_eq(s2_page_next(page).length, 0);
    text = s2_page_write(page, &length, &refusal);
    ck_assert_str_eq(text, "{\"streams\":[{\"name\":\"a\",\"n\":[1,{}]}],\"has_more\":false}");
    ck_assert_uint_eq(length, strlen(text));
    free(text);
    s2_page_close(page);
    free(compiled);
}
END_TEST

START_TEST(nothing_to_list_takes_no_question)
{
    struct s2_request request = {.call = S2_LIST_STREAMS, .pattern = "/v1/streams"};
    struct s2_refusal refusal = {0};
    struct weir_compiled_token *compiled = NULL;
    struct s2_page *page = NULL;
    size_t length = 0;
    char *text = NULL;

    begin_world();
    add_scope(WEIR_SET_PREFIX, "users/%zu/", 1);
    compiled = compile();
    page = s2_page_open(&request, narrow(compiled, text_of("other")), text_of(""), &refusal);
    ck_assert_uint_eq(s2_page_next(page).length, 0);
    text = s2_page_write(page, &length, &refusal);
    ck_assert_str_eq(text, "{\"streams\":[],\"has_more\":false}");
    free(text);
    s2_page_close(page);
    free(compiled);
}
END_TEST

int main(void)
{
    TCase *cases[1];

    cases[0] = tcase_create("page");
    tcase_add_test(cases[0], pages_together_are_what_the_token_may_list);
    tcase_add_test(cases[0], a_server_may_send_fewer_names_than_it_is_asked_for);
    tcase_add_test(cases[0], ten_thousand_exact_names_take_as_many_questions_as_pages);
    tcase_add_test(cases[0], names_that_are_not_there_are_passed_over_together);
    tcase_add_test(cases[0], many_names_of_others_between_are_stepped_over);
    tcase_add_test(cases[0], what_is_just_before_a_member_cannot_hide_it);
    tcase_add_test(cases[0], a_page_is_short_or_refused_once_all_questions_were_asked);
    tcase_add_test(cases[0], one_prefix_is_asked_for_with_no_more_than_the_page_takes);
    tcase_add_test(cases[0], names_that_are_nothing_without_the_prefix_are_not_more);
    tcase_add_test(cases[0], basins_that_begin_with_any_first_letter_are_asked_for);
    tcase_add_test(cases[0], what_members_have_in_common_is_whole_characters);
    tcase_add_test(cases[0], names_of_others_behind_a_full_page_are_not_more);
    tcase_add_test(cases[0], names_that_begin_like_an_exact_one_are_not_more);
    tcase_add_test(cases[0], a_start_that_is_too_long_with_the_prefix_still_counts_in_full);
    tcase_add_test(cases[0], an_answer_that_is_not_understood_is_refused);
    tcase_add_test(cases[0], names_that_were_not_asked_for_are_left_out);
    tcase_add_test(cases[0], nothing_to_list_takes_no_question);
    return run_cases("pages", cases, COUNT(cases));
}
