#include <weir/token.h>

#include "token/place.h"
#include "vocabulary/failure.h"
#include "vocabulary/name_rules.h"
#include "vocabulary/operation_sets.h"

weir_operations weir_scope_operations(const struct weir_scope *scope)
{
    return scope->ops | weir_op_groups_operations(scope->op_groups);
}

/* What a set's names must be like, and how messages call it. */
struct set_rule {
    const char *field;
    const char *noun;
    bool (*exact_allowed)(struct weir_text name);
    bool (*prefix_allowed)(struct weir_text prefix);
};

static const struct set_rule basins_rule = {"basins", "basin name", weir_basin_allowed,
                                            weir_basin_prefix_allowed};
static const struct set_rule streams_rule = {"streams", "stream name", weir_stream_allowed,
                                             weir_stream_prefix_allowed};
static const struct set_rule access_tokens_rule = {
    "access_tokens", "token id", weir_token_id_allowed, weir_token_id_prefix_allowed};

/* Where the rule is a constant, nothing is called by pointer: most tokens get no further. */
static inline __attribute__((always_inline)) bool set_allowed(const struct weir_set *set,
                                                              const struct set_rule *rule)
{
    switch (set->kind) {
    case WEIR_SET_NOTHING:
        return true;
    case WEIR_SET_EXACT:
        return set->name.length == 0 || rule->exact_allowed(set->name);
    case WEIR_SET_PREFIX:
        return rule->prefix_allowed(set->name);
    default:
        return false;
    }
}

/* Whether all is well with the scope but that it may permit nothing. */
static inline __attribute__((always_inline)) bool scope_well_formed(const struct weir_scope *scope)
{
    return (scope->ops & ~WEIR_OPERATIONS_ALL) == 0 &&
           (scope->op_groups & ~WEIR_GROUP_BITS_ALL) == 0 &&
           set_allowed(&scope->basins, &basins_rule) &&
           set_allowed(&scope->streams, &streams_rule) &&
           set_allowed(&scope->access_tokens, &access_tokens_rule);
}

static bool scope_allowed(const struct weir_scope *scope)
{
    /* No group is empty. */
    return (scope->ops != 0 || scope->op_groups != 0) && scope_well_formed(scope);
}

static enum weir_status fail_set(const struct weir_set *set, const struct set_rule *rule,
                                 struct weir_error *error)
{
    enum weir_status status = WEIR_ERROR_NAME;
    char quoted[128];

    if (set->kind == WEIR_SET_EXACT || set->kind == WEIR_SET_PREFIX) {
        (void)weir_quote(set->name, quoted, sizeof quoted);
        status = weir_fail(error, WEIR_ERROR_NAME, "not a valid %s%s: %s", rule->noun,
                           set->kind == WEIR_SET_PREFIX ? " prefix" : "", quoted);
    } else {
        status = weir_fail(error, WEIR_ERROR_ARGUMENT, "no such kind of set: %d", (int)set->kind);
    }
    weir_error_within(error, ".%s", rule->field);
    return status;
}

/* What is wrong with a scope that is not allowed. */
__attribute__((cold)) static enum weir_status fail_scope(const struct weir_scope *scope,
                                                         struct weir_error *error)
{
    if ((scope->ops & ~WEIR_OPERATIONS_ALL) != 0 ||
        (scope->op_groups & ~WEIR_GROUP_BITS_ALL) != 0) {
        return weir_fail(error, WEIR_ERROR_ARGUMENT, "operations or groups that do not exist");
    }
    if (!set_allowed(&scope->basins, &basins_rule)) {
        return fail_set(&scope->basins, &basins_rule, error);
    }
    if (!set_allowed(&scope->streams, &streams_rule)) {
        return fail_set(&scope->streams, &streams_rule, error);
    }
    if (!set_allowed(&scope->access_tokens, &access_tokens_rule)) {
        return fail_set(&scope->access_tokens, &access_tokens_rule, error);
    }
    return weir_fail(error, WEIR_ERROR_PERMISSION, "Access token permissions cannot be empty");
}

static enum weir_status check_auto_prefix(const struct weir_token *token, struct weir_error *error)
{
    enum weir_status status = WEIR_OK;

    if (!token->auto_prefix_streams) {
        return WEIR_OK;
    }
    if (token->scope_count != 1) {
        status = weir_fail(error, WEIR_ERROR_PERMISSION,
                           "Auto prefixing is only allowed for tokens with one scope");
    } else if (token->scopes[0].streams.kind != WEIR_SET_PREFIX) {
        status = weir_fail(error, WEIR_ERROR_PERMISSION,
                           "Auto prefixing is only allowed for streams with prefix matching");
    }
    if (status != WEIR_OK) {
        weir_error_within(error, "auto_prefix_streams");
    }
    return status;
}

static enum weir_status fail_scope_of(const struct weir_token *token, size_t index,
                                      struct weir_error *error)
{
    enum weir_status status = fail_scope(&token->scopes[index], error);

    weir_error_within_scope(error, token, index);
    return status;
}

/* `first` is the first scope that is not allowed. One that only permits nothing is told of only if
 * nothing else is wrong with those after it: whoever issues tokens asks for names first. */
__attribute__((cold)) static enum weir_status fail_scopes(const struct weir_token *token,
                                                          size_t first, struct weir_error *error)
{
    for (size_t i = first; i < token->scope_count; i++) {
        if (!scope_well_formed(&token->scopes[i])) {
            return fail_scope_of(token, i, error);
        }
    }
    return fail_scope_of(token, first, error);
}

enum weir_status weir_token_check(const struct weir_token *token, struct weir_error *error)
{
    if (!weir_token_id_allowed(token->id)) {
        char quoted[128];

        (void)weir_quote(token->id, quoted, sizeof quoted);
        (void)weir_fail(error, WEIR_ERROR_NAME, "not a valid token id: %s", quoted);
        weir_error_within(error, "id");
        return WEIR_ERROR_NAME;
    }
    if (token->expires && (token->expires_at.seconds < WEIR_INSTANT_SECONDS_MIN ||
                           token->expires_at.seconds > WEIR_INSTANT_SECONDS_MAX ||
                           token->expires_at.nanoseconds > 999999999)) {
        (void)weir_fail(error, WEIR_ERROR_ARGUMENT, "an expiry outside the years 0001 to 9999");
        weir_error_within(error, "expires_at");
        return WEIR_ERROR_ARGUMENT;
    }
    if (token->scope_count == 0) {
        (void)weir_fail(error, WEIR_ERROR_PERMISSION, "a token needs at least one scope");
        weir_error_within(error, "scopes");
        return WEIR_ERROR_PERMISSION;
    }
    if (token->scope_count > WEIR_SCOPES_MAX) {
        (void)weir_fail(error, WEIR_ERROR_LIMIT, "token %s has more than %d scopes",
                        weir_quoted_id(token->id).text, WEIR_SCOPES_MAX);
        weir_error_within(error, "scopes");
        return WEIR_ERROR_LIMIT;
    }
    for (size_t i = 0; i < token->scope_count; i++) {
        if (!scope_allowed(&token->scopes[i])) {
            return fail_scopes(token, i, error);
        }
    }
    return check_auto_prefix(token, error);
}
