#include <weir/token.h>

#include "vocabulary/failure.h"
#include "vocabulary/operation_sets.h"

weir_operations weir_scope_operations(const struct weir_scope *scope)
{
    return scope->ops | weir_op_groups_operations(scope->op_groups);
}

/* What a set's names must be like, and how messages call it. */
struct set_rule {
    const char *field;
    const char *noun;
    bool (*exact_valid)(struct weir_text name);
    bool (*prefix_valid)(struct weir_text prefix);
};

static enum weir_status check_set(const struct weir_set *set, const struct set_rule *rule,
                                  struct weir_error *error)
{
    const char *what = "";
    char quoted[128];

    switch (set->kind) {
    case WEIR_SET_NOTHING:
        return WEIR_OK;
    case WEIR_SET_EXACT:
        if (set->name.length == 0 || rule->exact_valid(set->name)) {
            return WEIR_OK;
        }
        break;
    case WEIR_SET_PREFIX:
        if (rule->prefix_valid(set->name)) {
            return WEIR_OK;
        }
        what = " prefix";
        break;
    default:
        (void)weir_fail(error, WEIR_ERROR_ARGUMENT, "no such kind of set: %d", (int)set->kind);
        weir_error_within(error, ".%s", rule->field);
        return WEIR_ERROR_ARGUMENT;
    }
    (void)weir_quote(set->name, quoted, sizeof quoted);
    (void)weir_fail(error, WEIR_ERROR_NAME, "not a valid %s%s: %s", rule->noun, what, quoted);
    weir_error_within(error, ".%s", rule->field);
    return WEIR_ERROR_NAME;
}

static enum weir_status check_scope(const struct weir_scope *scope, struct weir_error *error)
{
    static const struct set_rule basins = {"basins", "basin name", weir_basin_valid,
                                           weir_basin_prefix_valid};
    static const struct set_rule streams = {"streams", "stream name", weir_stream_valid,
                                            weir_stream_prefix_valid};
    static const struct set_rule access_tokens = {"access_tokens", "token id", weir_token_id_valid,
                                                  weir_token_id_prefix_valid};
    enum weir_status status = WEIR_OK;

    if ((scope->ops & ~WEIR_OPERATIONS_ALL) != 0 ||
        (scope->op_groups & ~WEIR_GROUP_BITS_ALL) != 0) {
        return weir_fail(error, WEIR_ERROR_ARGUMENT, "operations or groups that do not exist");
    }
    status = check_set(&scope->basins, &basins, error);
    if (status == WEIR_OK) {
        status = check_set(&scope->streams, &streams, error);
    }
    if (status == WEIR_OK) {
        status = check_set(&scope->access_tokens, &access_tokens, error);
    }
    /* No group is empty. */
    if (status == WEIR_OK && scope->ops == 0 && scope->op_groups == 0) {
        status =
            weir_fail(error, WEIR_ERROR_PERMISSION, "Access token permissions cannot be empty");
    }
    return status;
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

enum weir_status weir_token_check(const struct weir_token *token, struct weir_error *error)
{
    if (!weir_token_id_valid(token->id)) {
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
        enum weir_status status = check_scope(&token->scopes[i], error);

        if (status != WEIR_OK && token->scope_count == 1) {
            weir_error_within(error, "scope");
        } else if (status != WEIR_OK) {
            weir_error_within(error, "scopes[%zu]", i);
        }
        if (status != WEIR_OK) {
            return status;
        }
    }
    return check_auto_prefix(token, error);
}
