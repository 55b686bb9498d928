#include "authority/containment.h"

#include "image/block.h"
#include "token/place.h"
#include "token/set.h"
#include "vocabulary/failure.h"
#include "vocabulary/operation_sets.h"
#include "vocabulary/text.h"
#include "wire/token_copy.h"

/* What stands before every stream name that the issuer's clients use; empty for the operator. */
static struct weir_text stream_prefix_of(const struct weir_token *issuer)
{
    return issuer != NULL && issuer->auto_prefix_streams ? issuer->scopes[0].streams.name
                                                         : (struct weir_text){0};
}

/*
 * ---- In absolute terms ----
 */

static enum weir_status check_length(const struct weir_set *streams, struct weir_text prefix,
                                     struct weir_error *error)
{
    if (weir_set_is_nothing(streams) || streams->name.length <= WEIR_STREAM_MAX - prefix.length) {
        return WEIR_OK;
    }
    (void)weir_fail(error, WEIR_ERROR_NAME,
                    "behind the requestor's own prefix, more than %d bytes long", WEIR_STREAM_MAX);
    weir_error_within(error, ".streams");
    return WEIR_ERROR_NAME;
}

enum weir_status weir_child_absolute(const struct weir_token *issuer,
                                     const struct weir_token *child,
                                     const struct weir_allocator *allocator,
                                     struct weir_token **absolute, struct weir_error *error)
{
    struct weir_text prefix = stream_prefix_of(issuer);
    struct weir_token *copy = NULL;

    for (size_t i = 0; i < child->scope_count; i++) {
        enum weir_status status = check_length(&child->scopes[i].streams, prefix, error);

        if (status != WEIR_OK) {
            weir_error_within_scope(error, child, i);
            return status;
        }
    }
    copy = weir_token_copy(child, prefix, allocator);
    if (copy == NULL) {
        return weir_fail_memory(error);
    }
    *absolute = copy;
    return WEIR_OK;
}

/*
 * ---- Expiry ----
 */

/* Whether the one comes after the other, as whoever checks a token sees it. */
static bool is_after(struct weir_instant left, struct weir_instant right)
{
    struct weir_expiry one = weir_expiry_of(left);
    struct weir_expiry other = weir_expiry_of(right);

    return one.high > other.high || (one.high == other.high && one.low > other.low);
}

enum weir_status weir_child_expiry(const struct weir_token *issuer, const struct weir_token *child,
                                   struct weir_instant now, bool *expires,
                                   struct weir_instant *expires_at, struct weir_error *error)
{
    const struct weir_token *declared =
        !child->expires && issuer != NULL && issuer->expires ? issuer : child;
    const char *fault = NULL;

    if (declared->expires && !is_after(declared->expires_at, now)) {
        fault = "an expiry that is not in the future";
    } else if (declared->expires && issuer != NULL && issuer->expires &&
               is_after(declared->expires_at, issuer->expires_at)) {
        fault = "an expiry later than the requestor's own";
    }
    if (fault != NULL) {
        (void)weir_fail(error, WEIR_ERROR_EXPIRY, "%s", fault);
        weir_error_within(error, "expires_at");
        return WEIR_ERROR_EXPIRY;
    }
    *expires = declared->expires;
    *expires_at = declared->expires ? declared->expires_at : (struct weir_instant){0};
    return WEIR_OK;
}

/*
 * ---- Containment ----
 */

/* The parts of a scope in the order in which they are compared. */
enum part { PART_OPERATIONS, PART_BASINS, PART_STREAMS, PART_ACCESS_TOKENS, PART_NONE };

/* An issuer, to be held against many scopes. */
struct holder {
    const struct weir_token *token;
    weir_operations of_groups[WEIR_GROUP_BITS_ALL + 1]; /* the operations that they stand for */
    size_t latest;       /* index of the scope that the last one lay within: where to begin */
    uint64_t pairs_left; /* to look at */
};

static struct holder holder_of(const struct weir_token *issuer)
{
    struct holder holder = {.token = issuer, .pairs_left = WEIR_CONTAINMENT_PAIRS_MAX};

    for (unsigned groups = 0; groups <= WEIR_GROUP_BITS_ALL; groups++) {
        holder.of_groups[groups] = weir_op_groups_operations(groups);
    }
    return holder;
}

/* A set lies within another, by what is written: what two prefixes or a prefix and a length would
 * come to is not looked at. */
static bool is_within(const struct weir_set *set, const struct weir_set *holders)
{
    if (weir_set_is_nothing(set)) {
        return true;
    }
    if (holders->kind == WEIR_SET_PREFIX) {
        return weir_text_begins_with(set->name, holders->name);
    }
    return holders->kind == WEIR_SET_EXACT && set->kind == WEIR_SET_EXACT &&
           weir_text_equal(set->name, holders->name);
}

/* The first part of `scope` (which permits `operations`) that is not within the holder's. */
static enum part part_outside(const struct weir_scope *scope, weir_operations operations,
                              const struct holder *holder, const struct weir_scope *held)
{
    if ((operations & ~held->ops & ~holder->of_groups[held->op_groups & WEIR_GROUP_BITS_ALL]) !=
        0) {
        return PART_OPERATIONS;
    }
    return !is_within(&scope->basins, &held->basins)                 ? PART_BASINS
           : !is_within(&scope->streams, &held->streams)             ? PART_STREAMS
           : !is_within(&scope->access_tokens, &held->access_tokens) ? PART_ACCESS_TOKENS
                                                                     : PART_NONE;
}

/*
 * PART_NONE if `scope` lies within one of the holder's; else the part at which the one that it is
 * closest to fails it. Begins where the scope before was found: who gives many scopes gives them in
 * the order in which it has them, and then each is found at once.
 */
static enum part scope_outside(const struct weir_scope *scope, struct holder *holder)
{
    const size_t count = holder->token->scope_count;
    weir_operations operations = weir_scope_operations(scope);
    enum part furthest = PART_OPERATIONS;

    for (size_t i = 0; i < count; i++) {
        size_t index = holder->latest + i < count ? holder->latest + i : holder->latest + i - count;
        enum part part = part_outside(scope, operations, holder, &holder->token->scopes[index]);

        holder->pairs_left--;
        if (part == PART_NONE) {
            holder->latest = index;
            return PART_NONE;
        }
        furthest = part > furthest ? part : furthest;
    }
    return furthest;
}

static enum weir_status fail_part(const struct weir_token *issuer, enum part part,
                                  struct weir_error *error)
{
    static const char *const places[] = {"", ".basins", ".streams", ".access_tokens"};
    const char *what = part == PART_OPERATIONS ? "operations" : "names";

    if (issuer->scope_count == 1) {
        (void)weir_fail(error, WEIR_ERROR_DENIED, "%s that the requestor does not hold itself",
                        what);
    } else {
        (void)weir_fail(error, WEIR_ERROR_DENIED,
                        "%s that the requestor does not hold itself in any one scope", what);
    }
    weir_error_within(error, "%s", places[part]);
    return WEIR_ERROR_DENIED;
}

/*
 * Whether a token without auto-prefix reaches, by a set of streams that stands behind an issuer's
 * prefix, what no client of the issuer can name: the prefix itself, and it with one or two dots
 * behind it, for no name is empty or those dots.
 */
static bool reaches_the_unnameable(const struct weir_set *streams)
{
    if (weir_set_is_nothing(streams)) {
        return false;
    }
    if (streams->kind == WEIR_SET_PREFIX) {
        return weir_text_begins_with(WEIR_TEXT(".."), streams->name);
    }
    return weir_text_equal(streams->name, WEIR_TEXT(".")) ||
           weir_text_equal(streams->name, WEIR_TEXT(".."));
}

static enum weir_status check_scope(struct holder *holder, const struct weir_token *child,
                                    const struct weir_token *absolute, size_t index,
                                    struct weir_error *error)
{
    enum part outside = PART_NONE;

    if (holder->pairs_left < holder->token->scope_count) {
        return weir_fail(error, WEIR_ERROR_LIMIT,
                         "more than %d comparisons with the requestor's %zu scopes",
                         WEIR_CONTAINMENT_PAIRS_MAX, holder->token->scope_count);
    }
    outside = scope_outside(&absolute->scopes[index], holder);
    if (outside != PART_NONE) {
        return fail_part(holder->token, outside, error);
    }
    if (holder->token->auto_prefix_streams && !child->auto_prefix_streams &&
        reaches_the_unnameable(&child->scopes[index].streams)) {
        (void)weir_fail(error, WEIR_ERROR_DENIED,
                        "without auto-prefix, names that the requestor's clients cannot use");
        weir_error_within(error, ".streams");
        return WEIR_ERROR_DENIED;
    }
    return WEIR_OK;
}

enum weir_status weir_child_contained(const struct weir_token *issuer,
                                      const struct weir_token *child,
                                      const struct weir_token *absolute, struct weir_error *error)
{
    struct holder holder = holder_of(issuer);

    for (size_t i = 0; i < child->scope_count; i++) {
        enum weir_status status = check_scope(&holder, child, absolute, i, error);

        if (status != WEIR_OK) {
            weir_error_within_scope(error, child, i);
            return status;
        }
    }
    return WEIR_OK;
}

/*
 * ---- As a requestor sees a token ----
 */

/* The set as it is named behind the prefix. False if it lies elsewhere. */
static bool show_streams(struct weir_text prefix, struct weir_set *streams)
{
    if (weir_set_is_nothing(streams)) {
        return true;
    }
    if (!weir_text_begins_with(streams->name, prefix)) {
        *streams = (struct weir_set){0};
        return false;
    }
    streams->name = weir_text_from(streams->name, prefix.length);
    return true;
}

void weir_token_shown_to(const struct weir_token *requestor, const struct weir_token *token,
                         struct weir_scope *scopes, struct weir_token *shown)
{
    struct weir_text prefix = stream_prefix_of(requestor);

    *shown = *token;
    shown->scopes = scopes;
    for (size_t i = 0; i < token->scope_count; i++) {
        scopes[i] = token->scopes[i];
        if (!show_streams(prefix, &scopes[i].streams)) {
            shown->auto_prefix_streams = false;
        }
    }
}
