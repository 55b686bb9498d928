#include "model/naive_difference.h"

#include <string.h>

#include "model/naive.h"

bool naive_valid(enum weir_set_role role, struct weir_text name)
{
    return role == WEIR_BASINS    ? naive_basin_valid(name)
           : role == WEIR_STREAMS ? naive_stream_valid(name)
                                  : naive_token_id_valid(name);
}

/* Tries what ends a character, and fills up what is too short. */
bool naive_begins_some(enum weir_set_role role, size_t longest, struct weir_text beginning)
{
    static const char *const ends[] = {
        "",         "a",        "aa",           "aaa",          "aaaa", "aaaaa",
        "aaaaaa",   "aaaaaaa",  "aaaaaaaa",     "\x80",         "\xa0", "\x80\x80",
        "\xa0\x80", "\x90\x80", "\x90\x80\x80", "\x80\x80\x80",
    };
    char bytes[WEIR_STREAM_MAX + 16];

    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        struct weir_text end = {ends[i], strlen(ends[i])};

        if (beginning.length + end.length <= longest &&
            naive_valid(role, naive_join(beginning, end, bytes))) {
            return true;
        }
    }
    return false;
}

static bool listing_has(const struct weir_listing *listing, struct weir_text name)
{
    return naive_listed(listing->exact, listing->exact_count, listing->prefixes,
                        listing->prefix_count, name);
}

bool naive_set_has(const struct weir_name_set *set, struct weir_text name)
{
    return listing_has(&set->included, name) && !listing_has(&set->except, name);
}

static bool any_begins(const struct weir_text *texts, size_t count, struct weir_text beginning)
{
    for (size_t i = 0; i < count; i++) {
        if (naive_begins(texts[i], beginning)) {
            return true;
        }
    }
    return false;
}

/* Whether a name begins with the first `length` of `bytes` that is not
 * excepted. */
static bool has_name(enum weir_set_role role, size_t longest, const struct weir_listing *except,
                     char *bytes, size_t length)
{
    const struct weir_text here = {bytes, length};

    for (size_t i = 0; i < except->prefix_count; i++) {
        if (naive_begins(here, except->prefixes[i])) {
            return false;
        }
    }
    if (!naive_begins_some(role, longest, here)) {
        return false;
    }
    if (!any_begins(except->exact, except->exact_count, here) &&
        !any_begins(except->prefixes, except->prefix_count, here)) {
        return true;
    }
    if (naive_valid(role, here) && !listing_has(except, here)) {
        return true;
    }
    for (unsigned byte = 1; byte < 256 && length < longest; byte++) {
        bytes[length] = (char)byte;
        if (has_name(role, longest, except, bytes, length + 1)) {
            return true;
        }
    }
    return false;
}

static const char *order_fault(const struct weir_listing *listing)
{
    for (size_t i = 1; i < listing->exact_count; i++) {
        if (naive_order(listing->exact[i - 1], listing->exact[i]) >= 0) {
            return "names are out of order";
        }
    }
    for (size_t i = 1; i < listing->prefix_count; i++) {
        if (naive_order(listing->prefixes[i - 1], listing->prefixes[i]) >= 0) {
            return "prefixes are out of order";
        }
    }
    for (size_t i = 0; i < listing->prefix_count; i++) {
        for (size_t k = 0; k < listing->prefix_count; k++) {
            if (i != k && naive_begins(listing->prefixes[i], listing->prefixes[k])) {
                return "a prefix covers a prefix";
            }
        }
        for (size_t k = 0; k < listing->exact_count; k++) {
            if (naive_begins(listing->exact[k], listing->prefixes[i])) {
                return "a prefix covers a name";
            }
        }
    }
    return NULL;
}

static bool in_a_prefix(const struct weir_listing *listing, struct weir_text name)
{
    const struct weir_listing prefixes = {.prefixes = listing->prefixes,
                                          .prefix_count = listing->prefix_count};

    return listing_has(&prefixes, name);
}

/* Members that stand for nothing: that no name can be, or that except what is
 * not included. */
static const char *member_fault(enum weir_set_role role, size_t longest,
                                const struct weir_name_set *set)
{
    const struct weir_listing *except = &set->except;
    char bytes[WEIR_STREAM_MAX + 1];

    for (size_t i = 0; i < set->included.exact_count; i++) {
        const struct weir_text name = set->included.exact[i];

        if (name.length > longest || !naive_valid(role, name)) {
            return "a name is none";
        }
    }
    for (size_t i = 0; i < set->included.prefix_count; i++) {
        const struct weir_text prefix = set->included.prefixes[i];

        if (prefix.length > longest) {
            return "a prefix is too long";
        }
        (void)naive_join(prefix, (struct weir_text){NULL, 0}, bytes);
        if (!has_name(role, longest, except, bytes, prefix.length)) {
            return "a prefix has no name of its own";
        }
    }
    for (size_t i = 0; i < except->exact_count; i++) {
        if (except->exact[i].length > longest || !naive_valid(role, except->exact[i]) ||
            !in_a_prefix(&set->included, except->exact[i])) {
            return "a name is excepted for nothing";
        }
    }
    for (size_t i = 0; i < except->prefix_count; i++) {
        if (!naive_begins_some(role, longest, except->prefixes[i]) ||
            !in_a_prefix(&set->included, except->prefixes[i])) {
            return "a prefix is excepted for nothing";
        }
    }
    return NULL;
}

const char *naive_set_fault(enum weir_set_role role, size_t longest,
                            const struct weir_name_set *set)
{
    const char *fault = order_fault(&set->included);

    if (set->included.exact_count + set->included.prefix_count == 0) {
        return "the set has no members";
    }
    fault = fault != NULL ? fault : order_fault(&set->except);
    return fault != NULL ? fault : member_fault(role, longest, set);
}

size_t naive_longest_stream(const struct weir_token *token)
{
    return token == NULL ? WEIR_STREAM_MAX : WEIR_STREAM_MAX - naive_stream_prefix(token).length;
}

bool naive_allows(const struct weir_token *token, const struct weir_request *request,
                  struct weir_instant now)
{
    return token != NULL && naive_decide_token(token, request, now).reason == WEIR_ALLOWED;
}

bool naive_shows(const struct weir_token *token, enum weir_operation operation,
                 struct weir_text basin, struct weir_text name)
{
    const struct weir_text none = {NULL, 0};
    char bytes[NAIVE_EFFECTIVE_MAX];

    if (operation != WEIR_LIST_STREAMS) {
        return naive_valid(operation == WEIR_LIST_BASINS ? WEIR_BASINS : WEIR_ACCESS_TOKENS,
                           name) &&
               naive_listable(token, operation, basin, none, name);
    }
    if (!naive_stream_valid(name)) {
        return false;
    }
    name = naive_join(naive_stream_prefix(token), name, bytes);
    return naive_stream_valid(name) && naive_listable(token, operation, basin, none, name);
}
