/*
 * authority.h - issues, lists and revokes tokens: the lifecycle over a durable store, every change
 * published for the engines of other processes. Needs the library weir_authority, and SQLite.
 *
 * One process at a time owns a store. A change is an issue or a revocation of one token; it has the
 * number after the one before, in the store as in what is published.
 *
 * What is promised; each has a test of its number (tests/authority):
 *
 *   A1  A call that returned WEIR_OK has taken effect: durably (a power cut included), published
 *       (publish.h), and visible to every later call and check of this authority.
 *
 *   A2  A call that returned an error has changed nothing, but for WEIR_ERROR_UNPUBLISHED, and for
 *       a revocation by prefix, which tells how far it came. One that never returned, because its
 *       process died, has taken effect whole or not at all.
 *
 *   A3  What is published is what the store holds, up to the last change published. Where a change
 *       is durable and could not be published, no heartbeat is given until it is: followers deny
 *       when the lease ends.
 *
 *   A4  No token is issued by a requestor that is revoked or has expired when the issue takes
 *       effect, nor one that holds what its issuer does not.
 *
 *   A5  Every issue has an issue number that no other token of the store has, had or will have. (A
 *       copy of the store that is put back knows nothing of those given since it was made.)
 *
 *   A6  A credential's text is in no file, no log and no message; it leaves the authority once, in
 *       what weir_authority_issue (or _init) fills in.
 */
#ifndef WEIR_AUTHORITY_H
#define WEIR_AUTHORITY_H

#include <stdbool.h>
#include <stdint.h>

#include <weir/allocator.h>
#include <weir/credential.h>
#include <weir/decision.h>
#include <weir/declarations.h>
#include <weir/error.h>
#include <weir/instant.h>
#include <weir/name.h>
#include <weir/publish.h>
#include <weir/token.h>

WEIR_DECLARATIONS_BEGIN

struct weir_authority;

/* All zero is what an authority has by default. */
struct weir_authority_options {
    const struct weir_allocator *allocator; /* called by any thread, several at a time */
    const char *directory; /* where tokens are published (publish.h); NULL: nowhere */
    struct weir_publisher_options publisher;
    /* The wall clock; NULL: the system's. Where it is put back, the latest that it said counts. */
    struct weir_instant (*clock)(void *context);
    void *clock_context;
};

/*
 * Makes the store `path` (mode 0600) with one token: all operations, on all names, without expiry.
 * WEIR_OK; WEIR_ERROR_DUPLICATE: there is a store already; WEIR_ERROR_NAME: no such id;
 * WEIR_ERROR_BUSY, _IO, _MEMORY, _DAMAGED (a file that is something else, left as it was).
 */
enum weir_status weir_authority_init(const char *path, struct weir_text root_id,
                                     const struct weir_authority_options *options,
                                     struct weir_credential *credential, struct weir_error *error);

/*
 * Opens the store, which must exist, and publishes what it holds: what a former process published
 * is continued if it is this store's, else published anew. No heartbeat is given yet.
 *
 * WEIR_OK, WEIR_ERROR_MEMORY, WEIR_ERROR_IO; WEIR_ERROR_NOT_FOUND (no store there); WEIR_ERROR_BUSY
 * (another process owns it, or publishes in the directory); WEIR_ERROR_VERSION (a newer version's),
 * _DAMAGED: untouched; WEIR_ERROR_OWNER (a directory that others may write). Any thread.
 */
enum weir_status weir_authority_open(const char *path, const struct weir_authority_options *options,
                                     struct weir_authority **authority, struct weir_error *error);

/* No thread may be using it. NULL is fine. */
void weir_authority_close(struct weir_authority *authority);

/* Who asks: whoever can write the store, or the holder of a credential. All zero has no credential
 * and may do nothing. */
struct weir_requestor {
    bool is_operator; /* the operator's authority: no token's scope limits it */
    struct weir_text credential;
};

/* What a call was about, for an audit trail: filled in as far as it was found out, whatever the
 * call returns. */
struct weir_audit {
    bool is_operator;
    uint8_t requestor_id_length; /* 0: the operator, or nobody known */
    uint8_t token_id_length;     /* 0: not known, or no single token */
    char requestor_id[WEIR_TOKEN_ID_MAX];
    char token_id[WEIR_TOKEN_ID_MAX];
    uint64_t requestor_number; /* issue numbers */
    uint64_t token_number;
    uint64_t sequence;       /* of the change; 0: none */
    enum weir_reason reason; /* of a WEIR_ERROR_DENIED that evaluation gave; else WEIR_ALLOWED */
};

/*
 * ---- Calls: any thread; one waits for the other ----
 *
 * Codes that each of them may return, beside its own:
 *   WEIR_ERROR_CREDENTIAL  missing, malformed, unknown, revoked or expired: one message for all
 *   WEIR_ERROR_DENIED      the credential is good, and its token may not
 *   WEIR_ERROR_BEHIND      (changes) it, or an earlier one, cannot be published yet: nothing was
 *                          changed, try again later
 *   WEIR_ERROR_IO, _MEMORY, _DAMAGED
 *   WEIR_ERROR_UNPUBLISHED (changes) it is durable, and for some seconds could not be published: it
 *                          will be, and is not to be repeated. Heartbeats have stopped meanwhile
 * `audit` may be NULL. A change waits, once it is durable, until it is published.
 */

/*
 * A first look, before more of a request is read: whether the credential is that of a token that
 * lives, and, where a directory is published, whether the token may do `operation` to any name at
 * all. It is answered from what is published, waiting for nobody; without a directory, from the
 * store. The call that follows looks again: WEIR_OK promises it nothing.
 */
enum weir_status weir_authority_admit(struct weir_authority *authority,
                                      const struct weir_requestor *requestor,
                                      enum weir_operation operation, struct weir_audit *audit,
                                      struct weir_error *error);

/* The most bytes that a declaration may take, as it is given and as it is kept; more is
 * WEIR_ERROR_LIMIT. */
#define WEIR_ISSUE_JSON_MAX ((size_t)16 << 20)

/* What was issued. */
struct weir_issued {
    struct weir_credential credential;
    uint64_t issue_number;
    uint64_t sequence;
    struct weir_instant expires_at; /* if `expires`: as declared, else the requestor's */
    bool expires;
};

/*
 * Issues the token that `json` declares, in the requestor's terms (SPEC §3; no credential_digest).
 * Of the checks the first that fails, in this order, is what is returned: WEIR_ERROR_CREDENTIAL;
 * _DENIED: issuing is not among the requestor's operations; _SYNTAX, _SCHEMA, _NAME, _OPERATION,
 * _LIMIT: the declaration; _DENIED: not this id; _PERMISSION: it permits nothing, or auto-prefix
 * without a prefix; _EXPIRY: not in the future, or later than the requestor's; _DENIED: the
 * requestor does not hold it itself; _DUPLICATE: the id has a token.
 */
enum weir_status weir_authority_issue(struct weir_authority *authority,
                                      const struct weir_requestor *requestor, struct weir_text json,
                                      struct weir_issued *issued, struct weir_audit *audit,
                                      struct weir_error *error);

#define WEIR_LIST_LIMIT_MAX 1000

/* A page ends early once its tokens' declarations have so many bytes. */
#define WEIR_LIST_JSON_MAX ((size_t)8 << 20)

struct weir_list_query {
    struct weir_text prefix;
    struct weir_text start_after; /* exclusive */
    uint64_t limit;               /* 0, or more than WEIR_LIST_LIMIT_MAX: that */
};

/* Called for each token of the page, in byte order of the ids, as the requestor may see it. It
 * lives until the visitor returns. Other calls do not wait for it. False: there is no room
 * for this one; the page ends before it. */
typedef bool weir_list_visitor(void *context, const struct weir_token *token);

/* Lists tokens that live, of those that the requestor may list. `*has_more`: there are others after
 * the page. Besides: WEIR_ERROR_NAME, a prefix or start_after that is too long or no text. */
enum weir_status weir_authority_list(struct weir_authority *authority,
                                     const struct weir_requestor *requestor,
                                     const struct weir_list_query *query, weir_list_visitor *visit,
                                     void *context, bool *has_more, struct weir_audit *audit,
                                     struct weir_error *error);

/* Revokes the token of that id. Besides: WEIR_ERROR_NAME (an id that none can have),
 * WEIR_ERROR_NOT_FOUND (unknown, revoked or expired). */
enum weir_status weir_authority_revoke(struct weir_authority *authority,
                                       const struct weir_requestor *requestor,
                                       struct weir_text token_id, struct weir_audit *audit,
                                       struct weir_error *error);

/*
 * Revokes every token whose id begins with the prefix, the requestor's own last. The requestor must
 * be allowed to revoke all that may begin so (weir_check_under). `*count` of them were revoked,
 * also if an error ended it.
 */
enum weir_status weir_authority_revoke_prefix(struct weir_authority *authority,
                                              const struct weir_requestor *requestor,
                                              struct weir_text prefix, uint64_t *count,
                                              struct weir_audit *audit, struct weir_error *error);

/* How many tokens weir_authority_revoke_prefix would revoke now. Operator's authority. */
enum weir_status weir_authority_count(struct weir_authority *authority, struct weir_text prefix,
                                      uint64_t *count, struct weir_error *error);

/*
 * ---- Housekeeping ----
 */

/* As weir_publisher_heartbeat: at least four times a lease, by a thread or timer that waits for
 * nothing else. Nothing where nothing is published, or while a change is not. Wait-free. */
void weir_authority_heartbeat(struct weir_authority *authority);

/*
 * Publishes what could not be published before, removes tokens that have expired (each a change),
 * forgets changes that nobody needs, and compacts what is published when that is worth it. To be
 * called about once a second. An error leaves the rest for the next call. Any thread; does its work
 * in pieces, between which other calls come.
 */
enum weir_status weir_authority_maintain(struct weir_authority *authority,
                                         struct weir_error *error);

/* Of a store that cannot be read, what is known: nobody else changes it. */
struct weir_authority_standing {
    uint64_t tokens;    /* in the store, expired ones that were not removed yet included */
    uint64_t sequence;  /* of the last change */
    uint64_t published; /* of the last change published; `sequence` where nothing is */
    uint64_t lease;     /* nanoseconds; 0: nothing is published */
};

struct weir_authority_standing weir_authority_status(struct weir_authority *authority);

/* The engine that holds what is published; NULL: nothing is. As weir_publisher_engine. */
const struct weir_engine *weir_authority_engine(const struct weir_authority *authority);

WEIR_DECLARATIONS_END

#endif
