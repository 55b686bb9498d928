/* The naive evaluator: each scope of each token, in the order of the reasons. */
#include "model/naive.h"

/* A column for each operation number from 1 to 24: account, basin, stream; read, write; basin,
 * stream, token or none. */
static const char groups[] = "?aaaaaaaabbbbbsssssabsaaa";
static const char accesses[] = "?rwwwrwwrrwwrwrwrwwrrrrrw";
static const char targets[] = "?-bbbbtt-bsssssssss-bs---";

char naive_target(unsigned operation)
{
    return operation <= 24 ? targets[operation] : '?';
}

bool naive_permits(const struct weir_scope *scope, unsigned operation)
{
    if (operation < 1 || operation > 24) {
        return false;
    }
    unsigned group = groups[operation] == 'a' ? 0 : groups[operation] == 'b' ? 1 : 2;
    unsigned access = accesses[operation] == 'w';

    return (scope->ops >> operation & 1) != 0 ||
           (scope->op_groups >> (2 * group + access) & 1) != 0;
}

bool naive_matches(const struct weir_set *set, struct weir_text name)
{
    return (set->kind == WEIR_SET_EXACT && set->name.length > 0 && naive_same(set->name, name)) ||
           (set->kind == WEIR_SET_PREFIX && naive_begins(name, set->name));
}

/* An instant before the year 1 counts as its beginning. */
static bool is_expired(const struct weir_token *token, struct weir_instant now)
{
    if (now.seconds < WEIR_INSTANT_SECONDS_MIN) {
        now = (struct weir_instant){WEIR_INSTANT_SECONDS_MIN, 0};
    }
    return token->expires && (now.seconds > token->expires_at.seconds ||
                              (now.seconds == token->expires_at.seconds &&
                               now.nanoseconds >= token->expires_at.nanoseconds));
}

struct naive_answer naive_decide_token(const struct weir_token *token,
                                       const struct weir_request *asked, struct weir_instant now)
{
    struct naive_answer answer = {.token = token};
    const char target = naive_target(asked->operation);
    const bool in_basin = target == 'b' || target == 's';
    bool valid = !in_basin || naive_basin_valid(asked->basin);
    bool permitted = false, basin_matches = false, stream_matches = false, token_matches = false;
    struct weir_text stream = {NULL, 0};

    if (target == 's' && naive_stream_valid(asked->stream)) {
        stream = naive_join(naive_stream_prefix(token), asked->stream, answer.stream);
        answer.stream_length = stream.length;
    }
    valid = valid && (target != 's' || naive_stream_valid(stream));
    valid = valid && (target != 't' || naive_token_id_valid(asked->access_token));

    for (size_t i = 0; i < token->scope_count; i++) {
        const struct weir_scope *scope = &token->scopes[i];

        if (naive_permits(scope, asked->operation)) {
            bool here = naive_matches(&scope->basins, asked->basin);

            permitted = true;
            basin_matches = basin_matches || here;
            stream_matches = stream_matches || (here && naive_matches(&scope->streams, stream));
            token_matches =
                token_matches || naive_matches(&scope->access_tokens, asked->access_token);
        }
    }
    answer.reason = is_expired(token, now)             ? WEIR_EXPIRED
                    : !valid                           ? WEIR_INVALID_NAME
                    : !permitted                       ? WEIR_OP_NOT_PERMITTED
                    : in_basin && !basin_matches       ? WEIR_BASIN_OUT_OF_SCOPE
                    : target == 's' && !stream_matches ? WEIR_STREAM_OUT_OF_SCOPE
                    : target == 't' && !token_matches  ? WEIR_ACCESS_TOKEN_OUT_OF_SCOPE
                                                       : WEIR_ALLOWED;
    return answer;
}

struct naive_answer naive_decide(const struct weir_token *tokens, size_t count, struct weir_text id,
                                 const struct weir_request *request, struct weir_instant now)
{
    for (size_t i = 0; i < count; i++) {
        if (naive_same(tokens[i].id, id)) {
            return naive_decide_token(&tokens[i], request, now);
        }
    }
    return (struct naive_answer){.reason = WEIR_UNKNOWN_TOKEN};
}
