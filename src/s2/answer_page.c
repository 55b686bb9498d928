/*
 * A page of what a token may see.
 *
 * What may be seen are members, exact names and prefixes, which lie one behind the other in the
 * order of bytes; the server's names are gone through once, in that order. A question begins where
 * the next member begins. Where others follow, it goes on behind it, over all of them, and what is
 * not to be seen is left out: it then tells at least as much as a question about that member alone,
 * and ten thousand names are not ten thousand questions.
 */
#include "s2/answer.h"

#include <stdlib.h>
#include <string.h>

#include "s2/answer_order.h"
#include "vocabulary/text.h"
#include "wire/json.h"

#define LIMIT_MAX 1000

/* What is asked for at least where some of it will be left out. */
#define BROAD_MIN 64

/* The most values in a page of the server's: some dozens for each name. */
#define VALUES_MAX ((size_t)LIMIT_MAX * 64)

/* The parameters of which a page makes its own. */
#define OWN_PARAMETERS 3

struct s2_page {
    struct weir_listing *listing;
    struct weir_text stream_prefix;
    struct s2_request question;
    bool of_basins;
    size_t limit;

    /* Members before these have been gone through. */
    size_t exact;
    size_t prefix;

    struct weir_text cursor; /* all names up to this one have been; empty: none */
    char *cursor_memory;
    struct weir_text start; /* what the client starts after, in full; empty: at the beginning */
    char *start_memory;

    bool narrow;   /* the next question is about one member alone */
    bool finished; /* there are no more members, or it is known that there are more names */
    bool more;     /* there are more names than the page shows */
    bool memoryless;
    size_t questions;

    /* The question that was asked last. */
    struct weir_text asked_prefix;
    struct weir_text asked_start;
    bool asked_all; /* about all members that are left */
    char before[S2_ORDER_ROOM];
    char digits[16];
    char *uri;

    json_t *items;
};

static bool refuse_memory(struct s2_refusal *refusal)
{
    return s2_refuse(refusal, 503, "unavailable", "There is no memory left.");
}

static bool refuse_answer(struct s2_refusal *refusal)
{
    return s2_refuse(refusal, 502, "bad_gateway", "The server's list is not understood.");
}

static struct weir_text nothing(void)
{
    return (struct weir_text){"", 0};
}

/*
 * ---- Members ----
 */

/* Whether all names that begin with the prefix come before, or are at, the cursor. */
static bool is_behind(const struct s2_page *page, struct weir_text prefix)
{
    return weir_text_compare(page->cursor, prefix) > 0 &&
           !weir_text_begins_with(page->cursor, prefix);
}

static bool is_name(const struct s2_page *page, struct weir_text name)
{
    return page->of_basins ? weir_basin_valid(name) : weir_stream_valid(name);
}

static bool is_prefix(const struct s2_page *page, struct weir_text prefix)
{
    return page->of_basins ? weir_basin_prefix_valid(prefix) : weir_stream_prefix_valid(prefix);
}

/* Leaves behind what the cursor has passed, and what the server could not be asked for. */
static void skip_members(struct s2_page *page)
{
    const struct weir_listing *listing = page->listing;

    while (page->exact < listing->exact_count &&
           (weir_text_compare(listing->exact[page->exact], page->cursor) <= 0 ||
            !is_name(page, listing->exact[page->exact]))) {
        page->exact++;
    }
    while (page->prefix < listing->prefix_count &&
           (is_behind(page, listing->prefixes[page->prefix]) ||
            !is_prefix(page, listing->prefixes[page->prefix]))) {
        page->prefix++;
    }
}

static size_t members_left(const struct s2_page *page)
{
    return page->listing->exact_count - page->exact + page->listing->prefix_count - page->prefix;
}

/* Whether the next member is an exact name. There is one. */
static bool next_is_exact(const struct s2_page *page)
{
    const struct weir_listing *listing = page->listing;

    return page->prefix == listing->prefix_count ||
           (page->exact < listing->exact_count &&
            weir_text_compare(listing->exact[page->exact], listing->prefixes[page->prefix]) < 0);
}

static struct weir_text next_member(const struct s2_page *page)
{
    return next_is_exact(page) ? page->listing->exact[page->exact]
                               : page->listing->prefixes[page->prefix];
}

static struct weir_text last_member(const struct s2_page *page)
{
    const struct weir_listing *listing = page->listing;
    const struct weir_text *exact = NULL;
    const struct weir_text *prefix = NULL;

    if (page->exact == listing->exact_count) {
        return listing->prefixes[listing->prefix_count - 1];
    }
    if (page->prefix == listing->prefix_count) {
        return listing->exact[listing->exact_count - 1];
    }
    exact = &listing->exact[listing->exact_count - 1];
    prefix = &listing->prefixes[listing->prefix_count - 1];
    return weir_text_compare(*prefix, *exact) > 0 ? *prefix : *exact;
}

/* What all members begin with that are left. */
static struct weir_text common_prefix(const struct s2_page *page)
{
    struct weir_text first = next_member(page);

    return s2_order_cut(first, weir_text_common(first, last_member(page)));
}

/*
 * ---- Opening ----
 */

static size_t read_limit(const struct s2_request *request)
{
    const struct weir_text *digits = s2_request_parameter(request, "limit");
    size_t limit = 0;

    for (size_t i = 0; digits != NULL && i < digits->length; i++) {
        limit = limit * 10 + ((size_t)(unsigned char)digits->bytes[i] - '0');
        limit = limit > LIMIT_MAX ? LIMIT_MAX + 1 : limit;
    }
    return limit == 0 || limit > LIMIT_MAX ? LIMIT_MAX : limit;
}

static bool is_own(struct weir_text key)
{
    return weir_text_equal(key, WEIR_TEXT("prefix")) ||
           weir_text_equal(key, WEIR_TEXT("start_after")) ||
           weir_text_equal(key, WEIR_TEXT("limit"));
}

/* The request without what is asked for page by page. False: there are too many others. */
static bool copy_request(struct s2_page *page, const struct s2_request *request)
{
    page->question = *request;
    page->question.query_count = 0;
    for (size_t i = 0; i < request->query_count; i++) {
        if (!is_own(request->query[i].key)) {
            if (page->question.query_count == S2_QUERY_MAX - OWN_PARAMETERS) {
                return false;
            }
            page->question.query[page->question.query_count++] = request->query[i];
        }
    }
    return true;
}

/* Moves the cursor on to a name. False: no memory. */
static bool set_cursor(struct s2_page *page, struct weir_text name)
{
    char *memory = NULL;

    if (weir_text_compare(name, page->cursor) <= 0) {
        return true;
    }
    memory = malloc(name.length);
    if (memory == NULL) {
        return false;
    }
    memcpy(memory, name.bytes, name.length);
    free(page->cursor_memory);
    page->cursor_memory = memory;
    page->cursor = (struct weir_text){memory, name.length};
    return true;
}

/* The effective name of what the client starts after, longer than a name as it may be. */
static bool set_start(struct s2_page *page, const struct weir_text *start_after)
{
    const struct weir_text prefix = page->stream_prefix;

    if (start_after == NULL || start_after->length == 0) {
        return true;
    }
    page->start_memory = malloc(prefix.length + start_after->length);
    if (page->start_memory == NULL) {
        return false;
    }
    if (prefix.length > 0) {
        memcpy(page->start_memory, prefix.bytes, prefix.length);
    }
    memcpy(page->start_memory + prefix.length, start_after->bytes, start_after->length);
    page->start = (struct weir_text){page->start_memory, prefix.length + start_after->length};
    return set_cursor(page, s2_order_cut(page->start, WEIR_STREAM_MAX));
}

struct s2_page *s2_page_open(const struct s2_request *request, struct weir_listing *listing,
                             struct weir_text stream_prefix, struct s2_refusal *refusal)
{
    struct s2_page *page = calloc(1, sizeof *page);

    if (page == NULL) {
        weir_listing_free(listing);
        (void)refuse_memory(refusal);
        return NULL;
    }
    page->listing = listing;
    page->of_basins = request->call == S2_LIST_BASINS;
    page->stream_prefix = page->of_basins ? nothing() : stream_prefix;
    page->limit = read_limit(request);
    page->items = json_array();
    if (!copy_request(page, request)) {
        (void)s2_refuse(refusal, 400, "bad_query", "The query has too many keys.");
    } else if (page->items == NULL ||
               !set_start(page, s2_request_parameter(request, "start_after"))) {
        (void)refuse_memory(refusal);
    } else {
        return page;
    }
    s2_page_close(page);
    return NULL;
}

void s2_page_close(struct s2_page *page)
{
    if (page != NULL) {
        weir_listing_free(page->listing);
        json_decref(page->items);
        free(page->cursor_memory);
        free(page->start_memory);
        free(page->uri);
        free(page);
    }
}

/*
 * ---- Asking ----
 */

/* Names that are wanted: those that the page lacks, and one that tells whether there are more. */
static size_t wanted(const struct s2_page *page)
{
    return page->limit + 1 - json_array_size(page->items);
}

static size_t question_limit(const struct s2_page *page)
{
    size_t limit = wanted(page);

    if (page->narrow || members_left(page) == 1) {
        limit = next_is_exact(page) ? 1 : limit;
    } else {
        limit = limit < BROAD_MIN ? BROAD_MIN : limit;
        for (size_t i = 0; i < page->questions && limit < LIMIT_MAX; i++) {
            limit *= 4;
        }
    }
    return limit < LIMIT_MAX ? limit : LIMIT_MAX;
}

/* The cursor, or what is just before the next member. */
static struct weir_text question_start(struct s2_page *page)
{
    struct weir_text member = next_member(page);
    struct weir_text before = page->of_basins ? s2_order_before_basin(member, page->before)
                                              : s2_order_before_stream(member, page->before);

    return weir_text_compare(page->cursor, before) > 0 ? page->cursor : before;
}

static void add_parameter(struct s2_page *page, const char *key, struct weir_text value)
{
    page->question.query[page->question.query_count++] =
        (struct s2_parameter){{key, strlen(key)}, value, true};
}

static void ask(struct s2_page *page)
{
    size_t at = sizeof page->digits;
    size_t limit = question_limit(page);

    page->asked_all = members_left(page) == 1 || !page->narrow;
    page->asked_prefix = page->asked_all ? common_prefix(page) : next_member(page);
    page->asked_start = question_start(page);
    if (page->asked_prefix.length > 0) {
        add_parameter(page, "prefix", page->asked_prefix);
    }
    if (weir_text_compare(page->asked_start, page->asked_prefix) < 0) {
        page->asked_start = nothing(); /* the prefix is where it starts */
    } else if (page->asked_start.length > 0) {
        add_parameter(page, "start_after", page->asked_start);
    }
    do {
        page->digits[--at] = (char)('0' + limit % 10);
        limit /= 10;
    } while (limit > 0);
    add_parameter(page, "limit", (struct weir_text){page->digits + at, sizeof page->digits - at});
}

struct weir_text s2_page_next(struct s2_page *page)
{
    const size_t others = page->question.query_count;
    size_t length = 0;

    skip_members(page);
    page->finished = page->finished || members_left(page) == 0;
    if (page->finished || page->memoryless || page->questions == S2_QUESTIONS_MAX) {
        return nothing();
    }
    ask(page);
    free(page->uri);
    page->uri = malloc(s2_request_size(&page->question, nothing()));
    page->memoryless = page->uri == NULL;
    if (!page->memoryless) {
        length = s2_request_write(&page->question, nothing(), page->uri);
        page->questions++;
    }
    page->question.query_count = others;
    return (struct weir_text){page->uri, length};
}

/*
 * ---- What comes ----
 */

/* The name as the client knows it. */
static struct weir_text shown_name(const struct s2_page *page, struct weir_text name)
{
    return weir_text_from(name, page->stream_prefix.length);
}

static bool is_shown(const struct s2_page *page, struct weir_text name)
{
    return weir_listing_admits(page->listing, name) && weir_text_compare(name, page->start) > 0 &&
           weir_text_begins_with(name, page->stream_prefix) &&
           is_name(page, shown_name(page, name));
}

/* The name of an item; empty: it has none. */
static struct weir_text name_of(const json_t *item)
{
    const json_t *value = json_object_get(item, "name");

    return json_is_string(value)
               ? (struct weir_text){json_string_value(value), json_string_length(value)}
               : nothing();
}

static bool take_item(struct s2_page *page, json_t *item)
{
    if (!is_shown(page, name_of(item))) {
        return true;
    }
    if (json_array_size(page->items) == page->limit) {
        page->more = true;
        page->finished = true;
        return true;
    }
    return json_array_append(page->items, item) == 0;
}

/* Takes names in, as long as they come in order. */
static bool take_items(struct s2_page *page, json_t *items, struct s2_refusal *refusal)
{
    struct weir_text last = page->asked_start;

    for (size_t i = 0; i < json_array_size(items); i++) {
        json_t *item = json_array_get(items, i);
        struct weir_text name = name_of(item);

        if (weir_text_compare(name, last) <= 0) {
            return refuse_answer(refusal);
        }
        if (!page->finished && !take_item(page, item)) {
            return refuse_memory(refusal);
        }
        last = name;
    }
    return set_cursor(page, last) || refuse_memory(refusal);
}

/* Whether all names that are behind the cursor, and begin like the only member asked about, are
 * shown: those that are none without the token's prefix come before all others. */
static bool shows_all_behind(const struct s2_page *page)
{
    struct weir_text none = weir_text_from(page->cursor, page->stream_prefix.length);

    return !next_is_exact(page) && (page->narrow || members_left(page) == 1) &&
           (page->stream_prefix.length == 0 || weir_text_compare(none, WEIR_TEXT("..")) >= 0);
}

/* The server has no more of what it was asked. */
static void leave_asked(struct s2_page *page)
{
    if (page->asked_all) {
        page->finished = true;
    } else if (next_is_exact(page)) {
        page->exact++;
    } else {
        page->prefix++;
    }
    page->narrow = false;
}

/* The server has more. */
static void go_on(struct s2_page *page)
{
    if (json_array_size(page->items) == page->limit && shows_all_behind(page)) {
        page->more = true;
        page->finished = true;
    }
    /* What came was all before the next member: there is too much to ask for it that way. */
    page->narrow = weir_text_compare(page->cursor, next_member(page)) < 0;
}

bool s2_page_take(struct s2_page *page, struct weir_text body, struct s2_refusal *refusal)
{
    json_t *document = NULL;
    enum weir_status status = weir_json_load(body, VALUES_MAX, &document, NULL);
    json_t *items = json_object_get(document, page->of_basins ? "basins" : "streams");
    json_t *has_more = json_object_get(document, "has_more");
    bool taken = false;

    if (status == WEIR_ERROR_MEMORY) {
        return refuse_memory(refusal);
    }
    if (!json_is_array(items) || !json_is_boolean(has_more) ||
        (json_is_true(has_more) && json_array_size(items) == 0)) {
        (void)refuse_answer(refusal);
    } else {
        taken = take_items(page, items, refusal);
    }
    if (taken && !page->finished) {
        if (json_is_true(has_more)) {
            go_on(page);
        } else {
            leave_asked(page);
        }
    }
    json_decref(document);
    return taken;
}

/*
 * ---- The page ----
 */

/* Takes the token's prefix off the names. */
static bool rename_items(struct s2_page *page)
{
    for (size_t i = 0; i < json_array_size(page->items); i++) {
        json_t *item = json_array_get(page->items, i);
        struct weir_text shown = shown_name(page, name_of(item));

        if (json_object_set_new(item, "name", json_stringn(shown.bytes, shown.length)) != 0) {
            return false;
        }
    }
    page->stream_prefix = nothing();
    return true;
}

char *s2_page_write(struct s2_page *page, size_t *length, struct s2_refusal *refusal)
{
    const bool more = page->more || !page->finished;
    json_t *document = NULL;
    char *text = NULL;

    *length = 0;
    if (more && json_array_size(page->items) == 0 && !page->memoryless) {
        (void)s2_refuse(refusal, 503, "unavailable",
                        "Too much was gone through for the first name of this list.");
        return NULL;
    }
    if (!page->memoryless && rename_items(page)) {
        document = json_pack("{sOsb}", page->of_basins ? "basins" : "streams", page->items,
                             "has_more", more);
    }
    if (document != NULL) {
        text = weir_json_write(document, length);
        json_decref(document);
    }
    if (text == NULL) {
        (void)refuse_memory(refusal);
        return NULL;
    }
    return text;
}
