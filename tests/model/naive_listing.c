/* The naive narrowing of listings, and who may. */
#include <stdlib.h>

#include "model/naive.h"

static const struct weir_set *listed_set(const struct weir_scope *scope,
                                         enum weir_operation operation)
{
    return operation == WEIR_LIST_BASINS    ? &scope->basins
           : operation == WEIR_LIST_STREAMS ? &scope->streams
                                            : &scope->access_tokens;
}

/* Whether the scope has a say in what this listing shows. */
static bool scope_counts(const struct weir_scope *scope, enum weir_operation operation,
                         struct weir_text basin)
{
    return naive_permits(scope, operation) &&
           (operation != WEIR_LIST_STREAMS || naive_matches(&scope->basins, basin));
}

bool naive_listed(const struct weir_text *exact, size_t exact_count,
                  const struct weir_text *prefixes, size_t prefix_count, struct weir_text name)
{
    for (size_t i = 0; i < exact_count; i++) {
        if (naive_same(exact[i], name)) {
            return true;
        }
    }
    for (size_t i = 0; i < prefix_count; i++) {
        if (naive_begins(name, prefixes[i])) {
            return true;
        }
    }
    return false;
}

bool naive_listable(const struct weir_token *token, enum weir_operation operation,
                    struct weir_text basin, struct weir_text requested, struct weir_text name)
{
    for (size_t i = 0; i < token->scope_count; i++) {
        if (scope_counts(&token->scopes[i], operation, basin) &&
            naive_matches(listed_set(&token->scopes[i], operation), name)) {
            return naive_begins(name, requested);
        }
    }
    return false;
}

/* Only a prefix as long as a name can be leaves no room: it must be a name itself. */
static bool can_be_carried(enum weir_operation operation, struct weir_text prefix)
{
    return operation != WEIR_LIST_BASINS || prefix.length < WEIR_BASIN_MAX ||
           naive_basin_valid(prefix);
}

static bool is_covered(const struct naive_listing *listing, struct weir_text name)
{
    for (size_t i = 0; i < listing->prefix_count; i++) {
        if (naive_begins(name, listing->prefixes[i])) {
            return true;
        }
    }
    return false;
}

static int order_texts(const void *left, const void *right)
{
    return naive_order(*(const struct weir_text *)left, *(const struct weir_text *)right);
}

/* Sorts the texts and keeps those that neither repeat the one before nor, for prefixes, begin with
 * one that was kept. Returns how many are left. */
static size_t sort_and_thin(struct weir_text *texts, size_t count, bool prefixes)
{
    size_t kept = 0;

    if (count > 0) {
        qsort(texts, count, sizeof *texts, order_texts);
    }
    for (size_t i = 0; i < count; i++) {
        if (kept > 0 && (prefixes ? naive_begins(texts[i], texts[kept - 1])
                                  : naive_same(texts[i], texts[kept - 1]))) {
            continue;
        }
        texts[kept++] = texts[i];
    }
    return kept;
}

static void add_prefixes(const struct weir_token *token, enum weir_operation operation,
                         struct weir_text basin, struct naive_listing *listing)
{
    for (size_t i = 0; i < token->scope_count; i++) {
        const struct weir_set *set = listed_set(&token->scopes[i], operation);
        struct weir_text longer = listing->requested;

        if (!scope_counts(&token->scopes[i], operation, basin) || set->kind != WEIR_SET_PREFIX) {
            continue;
        }
        if (naive_begins(set->name, listing->requested)) {
            longer = set->name;
        } else if (!naive_begins(listing->requested, set->name)) {
            continue;
        }
        if (can_be_carried(operation, longer)) {
            listing->prefixes[listing->prefix_count++] = longer;
        }
    }
    listing->prefix_count = sort_and_thin(listing->prefixes, listing->prefix_count, true);
}

static void add_exact_names(const struct weir_token *token, enum weir_operation operation,
                            struct weir_text basin, struct naive_listing *listing)
{
    for (size_t i = 0; i < token->scope_count; i++) {
        const struct weir_set *set = listed_set(&token->scopes[i], operation);

        if (scope_counts(&token->scopes[i], operation, basin) && set->kind == WEIR_SET_EXACT &&
            set->name.length > 0 && naive_begins(set->name, listing->requested) &&
            !is_covered(listing, set->name)) {
            listing->exact[listing->exact_count++] = set->name;
        }
    }
    listing->exact_count = sort_and_thin(listing->exact, listing->exact_count, false);
}

void naive_narrow(const struct weir_token *token, enum weir_operation operation,
                  struct weir_text basin, struct weir_text prefix, struct weir_instant now,
                  struct naive_listing *listing)
{
    const struct weir_request request = {.operation = operation, .basin = basin};

    *listing = (struct naive_listing){0};
    listing->reason = naive_decide_token(token, &request, now).reason;
    listing->prefix_invalid =
        !(operation == WEIR_LIST_BASINS    ? naive_basin_prefix_valid(prefix)
          : operation == WEIR_LIST_STREAMS ? naive_stream_prefix_valid(prefix)
                                           : naive_token_id_prefix_valid(prefix));
    if (listing->reason != WEIR_ALLOWED || listing->prefix_invalid) {
        return;
    }
    listing->requested = prefix;
    if (operation == WEIR_LIST_STREAMS) {
        listing->requested =
            naive_join(naive_stream_prefix(token), prefix, listing->requested_bytes);
    }
    if (operation == WEIR_LIST_STREAMS && listing->requested.length > WEIR_STREAM_MAX) {
        return;
    }
    listing->exact = calloc(token->scope_count, sizeof *listing->exact);
    listing->prefixes = calloc(token->scope_count, sizeof *listing->prefixes);
    if (listing->exact == NULL || listing->prefixes == NULL) {
        abort();
    }
    add_prefixes(token, operation, basin, listing);
    add_exact_names(token, operation, basin, listing);
}

void naive_listing_fini(struct naive_listing *listing)
{
    free(listing->exact);
    free(listing->prefixes);
    *listing = (struct naive_listing){0};
}

static int order_tokens(const void *left, const void *right)
{
    return naive_order((*(const struct weir_token *const *)left)->id,
                       (*(const struct weir_token *const *)right)->id);
}

size_t naive_who(const struct weir_token *tokens, size_t count, const struct weir_request *request,
                 struct weir_instant now, const struct weir_token **able)
{
    size_t found = 0;

    for (size_t i = 0; i < count; i++) {
        if (naive_decide_token(&tokens[i], request, now).reason == WEIR_ALLOWED) {
            able[found++] = &tokens[i];
        }
    }
    if (found > 0) {
        qsort(able, found, sizeof *able, order_tokens);
    }
    return found;
}
