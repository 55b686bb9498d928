/* token.h - the declaration of a token: what somebody wrote, before it is compiled. */
#ifndef WEIR_TOKEN_H
#define WEIR_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/declarations.h>
#include <weir/error.h>
#include <weir/instant.h>
#include <weir/name.h>
#include <weir/operation.h>

WEIR_DECLARATIONS_BEGIN

/* Which names of one kind a scope concerns: none, one, or all that begin with a prefix. An exact
 * set with an empty name matches nothing, too. */
enum weir_set_kind { WEIR_SET_NOTHING = 0, WEIR_SET_EXACT = 1, WEIR_SET_PREFIX = 2 };

struct weir_set {
    enum weir_set_kind kind;
    struct weir_text name; /* not looked at for WEIR_SET_NOTHING */
};

/* A bit for each group and access: `op_groups` of a scope is a sum of these. */
#define WEIR_GROUP_BIT(group, access) (1u << (2 * (unsigned)(group) + (unsigned)(access)))
#define WEIR_GROUP_BITS_ALL 0x3fu

/* Resources and what may be done with them. A scope permits `ops` and what `op_groups` stand for.
 */
struct weir_scope {
    struct weir_set basins;
    struct weir_set streams;
    struct weir_set access_tokens;
    weir_operations ops;
    unsigned op_groups;
};

/* The most scopes that one token may have. */
#define WEIR_SCOPES_MAX 100000

#define WEIR_DIGEST_SIZE 32

/*
 * A declaration: plain data that a caller fills field by field, or that weir_token_parse (wire.h)
 * fills from JSON. All zero is the start; `id` and at least one scope are required. Texts and
 * scopes are borrowed.
 *
 *     struct weir_scope scope = {
 *         .basins = {WEIR_SET_PREFIX, WEIR_TEXT("")},
 *         .streams = {WEIR_SET_PREFIX, WEIR_TEXT("users/1234/")},
 *         .op_groups = WEIR_GROUP_BIT(WEIR_GROUP_STREAM, WEIR_ACCESS_READ),
 *     };
 *     struct weir_token token = {.id = WEIR_TEXT("user-1234"), .scopes = &scope, .scope_count = 1};
 */
struct weir_token {
    struct weir_text id;
    const struct weir_scope *scopes;
    size_t scope_count;
    struct weir_instant expires_at; /* looked at if `expires`; valid strictly before it */
    bool expires;
    bool auto_prefix_streams; /* needs exactly one scope, its streams a prefix */
    bool has_credential_digest;
    uint8_t credential_digest[WEIR_DIGEST_SIZE]; /* SHA-256 of the credential's text */
    uint64_t issue_number;                       /* 0 for tokens from files */
};

/* What the scope permits: its `ops` and the operations of its groups. Any thread. */
weir_operations weir_scope_operations(const struct weir_scope *scope);

/* Whether the set has the name in it. Any thread. */
bool weir_set_matches(const struct weir_set *set, struct weir_text name);

/*
 * Whether the declaration is one that may be compiled: allowed names, at least one and at most
 * WEIR_SCOPES_MAX scopes, each of which permits something, auto-prefix only where it may be, an
 * expiry between the years 0001 and 9999. WEIR_OK, or WEIR_ERROR_NAME, _PERMISSION, _LIMIT,
 * _ARGUMENT with the place, such as `scopes[2].streams` (`scope.streams` if there is only one);
 * _PERMISSION only where nothing else is wrong. Any thread.
 */
enum weir_status weir_token_check(const struct weir_token *token, struct weir_error *error);

WEIR_DECLARATIONS_END

#endif
