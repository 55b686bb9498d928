/* decision.h - may this token do that? */
#ifndef WEIR_DECISION_H
#define WEIR_DECISION_H

#include <stdbool.h>
#include <stddef.h>

#include <weir/allocator.h>
#include <weir/declarations.h>
#include <weir/error.h>
#include <weir/image.h>
#include <weir/instant.h>
#include <weir/name.h>
#include <weir/operation.h>
#include <weir/token.h>

WEIR_DECLARATIONS_BEGIN

/* Why a question was answered as it was: the first that applies, in this order. Everything but
 * WEIR_ALLOWED denies, memory that is all zero included. */
enum weir_reason {
    WEIR_STALE = 0, /* a follower that has lost its publisher; an image never answers this */
    WEIR_UNKNOWN_TOKEN = 1,
    WEIR_EXPIRED = 2,
    WEIR_INVALID_NAME = 3, /* a target that no resource can bear, effective stream name included */
    WEIR_OP_NOT_PERMITTED = 4,
    WEIR_BASIN_OUT_OF_SCOPE = 5,
    WEIR_STREAM_OUT_OF_SCOPE = 6,
    WEIR_ACCESS_TOKEN_OUT_OF_SCOPE = 7,
    WEIR_ALLOWED = 8
};

#define WEIR_REASON_COUNT 9

/* "stale", "unknown_token" … "allowed"; "unknown" for any other number. Static. */
const char *weir_reason_name(enum weir_reason reason);

/*
 * What somebody wants to do, in the names their client uses. Only the names that the operation's
 * target consists of are looked at: `basin`; `basin` and `stream`; `access_token`; or none.
 */
struct weir_request {
    enum weir_operation operation;
    struct weir_text basin;
    struct weir_text stream;
    struct weir_text access_token;
};

/* The answer. `token` is NULL if the reason is WEIR_STALE or WEIR_UNKNOWN_TOKEN. The name of an
 * allowed stream at the server is the token's stream prefix followed by the name asked for. */
struct weir_decision {
    enum weir_reason reason;
    const struct weir_compiled_token *token;
};

static inline bool weir_allowed(struct weir_decision decision)
{
    return decision.reason == WEIR_ALLOWED;
}

/*
 * May the token of this id do this, at this instant? Never fails: what is not allowed is denied. No
 * name may be longer than PTRDIFF_MAX. Any thread, wait-free: no lock, no allocation, no system
 * call, no write to anything shared.
 */
struct weir_decision weir_check(const struct weir_image *image, struct weir_text token_id,
                                const struct weir_request *request, struct weir_instant now);

/* Likewise for a token found before: for connections that ask many questions. NULL is an unknown
 * token. Any thread, wait-free. */
struct weir_decision weir_check_token(const struct weir_compiled_token *token,
                                      const struct weir_request *request, struct weir_instant now);

/* One of many questions. */
struct weir_question {
    struct weir_text token_id;
    struct weir_request request;
};

/*
 * Answers `count` questions, each as weir_check would, into `decisions`; faster than one after the
 * other where the image is larger than the caches, since their memory accesses overlap. Any thread,
 * wait-free.
 */
void weir_check_batch(const struct weir_image *image, const struct weir_question *questions,
                      size_t count, struct weir_instant now, struct weir_decision *decisions);

/*
 * May the token do this on everything under a prefix: what a broker asks before it lets a client
 * subscribe with a wildcard? The last name of the operation's target is a prefix: of streams, in
 * the one basin named; of basins; or of ids of access tokens; an operation without a target is
 * answered as by weir_check. For a filter `users/1234/#` ask with the stream `users/1234/`; where
 * the filter is for `users/1234` itself, too, as MQTT's is, ask weir_check about that as well. What
 * is delivered by it may only be names: what is none was not asked about.
 *
 * Allowed if every name that is valid and begins with the prefix is, and there is one, or a rule
 * covers the prefix. Else the reasons of weir_check, in their order: WEIR_INVALID_NAME if the
 * prefix is none that a set may have, or becomes too long behind the token's stream prefix;
 * WEIR_STREAM_OUT_OF_SCOPE (WEIR_BASIN_…, WEIR_ACCESS_TOKEN_…) if some name under it is not
 * granted. It makes no difference whether one rule grants them all, or many do together.
 *
 * As long as one rule covers the prefix, or names are missing, one walk. Where rules below the
 * prefix cover it together: as long as going through them. Any thread, no lock, no allocation;
 * about twelve KiB of stack.
 */
struct weir_decision weir_check_under(const struct weir_image *image, struct weir_text token_id,
                                      const struct weir_request *request, struct weir_instant now);

/* Likewise for a token found before; NULL is an unknown token. */
struct weir_decision weir_check_token_under(const struct weir_compiled_token *token,
                                            const struct weir_request *request,
                                            struct weir_instant now);

/*
 * ---- Why ----
 */

/* Which set of a scope a rule belongs to. */
enum weir_set_role { WEIR_BASINS = 0, WEIR_STREAMS = 1, WEIR_ACCESS_TOKENS = 2 };

/* A rule that the answer came by. Scopes are merged in an image: a rule is a name or prefix with
 * the operations that it grants, on the basin in question where it is about streams. */
struct weir_rule {
    enum weir_set_role role;
    struct weir_set set; /* an exact name or a prefix; its bytes live until the visit returns */
    /* What it grants: of basins, with what a shorter prefix grants on them; of streams and access
     * tokens, without what is granted by a shorter prefix already (a rule that adds nothing to
     * those is not there). */
    weir_operations operations;
    bool matches;  /* the name asked for */
    size_t common; /* leading bytes that the rule has in common with that name */
};

typedef void weir_rule_visitor(void *context, const struct weir_rule *rule);

/* The most rules that weir_explain visits beside the way, in each role. */
#define WEIR_NEAREST_RULES 4

/*
 * Answers as weir_check_token and shows why: calls `visit` for the rules that match the target's
 * names and, where those do not permit the operation, for up to WEIR_NEAREST_RULES that came
 * nearest without matching: of the rules that permit it (of all, if none does) those that begin as
 * the name does for longest. Rules about basins come first, then those about streams in that basin;
 * of each, those that match, then the nearest, both in byte order. Of a denial for another reason
 * than scope there is nothing to visit. Takes time in proportion to the token's size. Any thread;
 * `visit` runs in it; no allocation; about ten KiB of stack.
 */
struct weir_decision weir_explain(const struct weir_compiled_token *token,
                                  const struct weir_request *request, struct weir_instant now,
                                  weir_rule_visitor *visit, void *context);

/*
 * ---- Who ----
 */

/* Tokens in the byte order of their ids; freed with weir_tokens_free. They live as long as the
 * image. */
struct weir_tokens {
    const struct weir_compiled_token **tokens;
    size_t count;
};

/*
 * All tokens that may do this, each asked in the names its own client would use. Takes time in
 * proportion to the image. WEIR_OK, WEIR_ERROR_MEMORY. Any thread.
 */
enum weir_status weir_who(const struct weir_image *image, const struct weir_request *request,
                          struct weir_instant now, const struct weir_allocator *allocator,
                          struct weir_tokens *tokens, struct weir_error *error);

/* Releases what weir_who filled in, with the same allocator. NULL is fine. */
void weir_tokens_free(struct weir_tokens *tokens, const struct weir_allocator *allocator);

WEIR_DECLARATIONS_END

#endif
