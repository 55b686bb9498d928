#include "authority/naive_containment.h"

#include "model/naive.h"

static bool is_empty(const struct weir_set *set)
{
    return set->kind == WEIR_SET_NOTHING ||
           (set->kind == WEIR_SET_EXACT && naive_same(set->name, WEIR_TEXT("")));
}

bool naive_same_set(const struct weir_set *left, const struct weir_set *right)
{
    return is_empty(left) || is_empty(right)
               ? is_empty(left) && is_empty(right)
               : left->kind == right->kind && naive_same(left->name, right->name);
}

/* "each of its sets is nothing, or an exact name equal to the requestor's exact or beginning with
 * the requestor's prefix, or a prefix beginning with the requestor's prefix" */
static bool set_within(const struct weir_set *set, const struct weir_set *requestors)
{
    bool nothing = is_empty(set);
    bool equal_exact = set->kind == WEIR_SET_EXACT && requestors->kind == WEIR_SET_EXACT &&
                       naive_same(set->name, requestors->name);
    bool exact_behind_prefix = set->kind == WEIR_SET_EXACT && requestors->kind == WEIR_SET_PREFIX &&
                               naive_begins(set->name, requestors->name);
    bool prefix_behind_prefix = set->kind == WEIR_SET_PREFIX &&
                                requestors->kind == WEIR_SET_PREFIX &&
                                naive_begins(set->name, requestors->name);

    return nothing || equal_exact || exact_behind_prefix || prefix_behind_prefix;
}

/* "its operations are a subset" */
static bool operations_within(const struct weir_scope *scope, const struct weir_scope *requestors)
{
    for (unsigned operation = 1; operation <= 24; operation++) {
        if (naive_permits(scope, operation) && !naive_permits(requestors, operation)) {
            return false;
        }
    }
    return true;
}

/* "each scope of the child lies within one scope of the requestor" */
static bool scope_within_one(const struct weir_scope *scope, const struct weir_token *requestor)
{
    for (size_t i = 0; i < requestor->scope_count; i++) {
        const struct weir_scope *own = &requestor->scopes[i];

        if (operations_within(scope, own) && set_within(&scope->basins, &own->basins) &&
            set_within(&scope->streams, &own->streams) &&
            set_within(&scope->access_tokens, &own->access_tokens)) {
            return true;
        }
    }
    return false;
}

struct weir_set naive_absolute_streams(const struct weir_token *issuer,
                                       const struct weir_set *streams,
                                       char buffer[NAIVE_JOINED_MAX])
{
    struct weir_set absolute = *streams;

    if (issuer->auto_prefix_streams && !is_empty(streams)) {
        absolute.name = naive_join(naive_stream_prefix(issuer), streams->name, buffer);
    }
    return absolute;
}

/* "a child without auto-prefix needs a non-empty relative name or prefix, and none that is or
 * begins PREFIX`.` or PREFIX`..` exactly (a prefix `.` reaches both)" */
static bool reaches_what_its_issuer_cannot_name(const struct weir_set *relative)
{
    static const char *const forbidden[] = {"", ".", ".."};

    for (size_t i = 0; i < 3 && !is_empty(relative); i++) {
        const struct weir_text name = {forbidden[i], i};

        if (naive_matches(relative, name) || naive_same(relative->name, name)) {
            return true;
        }
    }
    return false;
}

enum naive_verdict naive_child(const struct weir_token *issuer, const struct weir_token *child)
{
    bool given = true;

    for (size_t i = 0; i < child->scope_count; i++) {
        char buffer[NAIVE_JOINED_MAX];
        struct weir_scope scope = child->scopes[i];

        scope.streams = naive_absolute_streams(issuer, &child->scopes[i].streams, buffer);
        if (!is_empty(&scope.streams) && scope.streams.name.length > 512) {
            return NAIVE_TOO_LONG;
        }
        given = given && scope_within_one(&scope, issuer);
        if (issuer->auto_prefix_streams && !child->auto_prefix_streams) {
            given = given && !reaches_what_its_issuer_cannot_name(&child->scopes[i].streams);
        }
    }
    return given ? NAIVE_GIVEN : NAIVE_DENIED;
}

bool naive_streams_hidden(const struct weir_token *requestor, const struct weir_set *streams)
{
    return requestor->auto_prefix_streams && !is_empty(streams) &&
           !naive_begins(streams->name, naive_stream_prefix(requestor));
}
