/*
 * store.h - what the lifecycle needs of a durable store, and no more: serializable transactions, in
 * which tokens are found, put and removed, and every change is logged under the number after the
 * last. Implemented on SQLite (sqlite_*.c), for one process that owns a file; made to fit a
 * database that several authorities share, too.
 *
 * In PostgreSQL the tables are the same (sqlite_schema.c): ids and digests are bytea, compared as
 * bytes; an instant is two columns, for a timestamptz has no nanoseconds. A transaction that writes
 * begins with SELECT ... FROM store FOR UPDATE, whose row lock lets nobody else come between, so
 * that the numbers of changes have no gaps, and are committed in their order; one that reads is
 * REPEATABLE READ. Durable: synchronous_commit = on.
 *
 * One caller at a time; a visitor calls nothing of the store. Texts and declarations that a
 * function hands out live until the next call on the store.
 */
#ifndef WEIR_AUTHORITY_STORE_H
#define WEIR_AUTHORITY_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include <weir/allocator.h>
#include <weir/error.h>
#include <weir/instant.h>
#include <weir/name.h>
#include <weir/token.h>

/* A token as it is kept. */
struct weir_stored_token {
    struct weir_text id;
    uint64_t issue_number;
    struct weir_text declaration; /* JSON (weir_token_write), absolute names, without the digest */
    uint8_t digest[WEIR_DIGEST_SIZE];
    bool expires;
    struct weir_instant expires_at;
    struct weir_text issued_by; /* the requestor's id; empty: the operator */
    uint64_t issued_by_number;  /* its issue number; 0: the operator */
    struct weir_instant issued_at;
};

/* Stored in the log: the numbers keep their meaning. */
enum weir_change_kind {
    WEIR_CHANGE_ISSUED = 1,
    WEIR_CHANGE_REVOKED = 2,
    WEIR_CHANGE_EXPIRED = 3 /* removed because it had expired */
};

/* An entry of the log. */
struct weir_logged_change {
    uint64_t sequence; /* 1 for the store's first */
    enum weir_change_kind kind;
    struct weir_text id;
    uint64_t issue_number;
    struct weir_text by; /* the requestor's id; empty: the operator, or housekeeping */
    uint64_t by_number;
    struct weir_instant at;
};

struct weir_store;

/* False ends the going through. */
typedef bool weir_stored_token_visitor(void *context, const struct weir_stored_token *token);
typedef bool weir_logged_change_visitor(void *context, const struct weir_logged_change *change);

/*
 * Opens the store at `path`, which this process then owns. `create`: makes it (WEIR_ERROR_DUPLICATE
 * if there is one that has a token or ever had; an empty file, and one in which a creation ended
 * early, is taken). Codes as weir_authority_init and _open.
 */
enum weir_status weir_store_open(const char *path, bool create,
                                 const struct weir_allocator *allocator, struct weir_store **store,
                                 struct weir_error *error);
void weir_store_close(struct weir_store *store);

/* 128 random bits, drawn when the store was made: tells one store from another. */
void weir_store_identity(const struct weir_store *store, uint8_t identity[16]);

/*
 * ---- Transactions: everything below happens in one ----
 *
 * Begins one that may write (`writes`: nobody else's then comes between), or that sees one state.
 * A commit that returns WEIR_OK is durable. One that returns an error has rolled back; only if the
 * disk goes on refusing, and the process then ends before it writes again, may it be found done,
 * and then as a whole. After a call that has failed for another reason than WEIR_ERROR_NOT_FOUND or
 * _DUPLICATE the transaction changes nothing more, and cannot commit. Codes: WEIR_ERROR_IO (the
 * system's words), _MEMORY, _BUSY, _DAMAGED.
 */
enum weir_status weir_store_begin(struct weir_store *store, bool writes, struct weir_error *error);
enum weir_status weir_store_commit(struct weir_store *store, struct weir_error *error);
void weir_store_rollback(struct weir_store *store);

/* WEIR_ERROR_NOT_FOUND: no such token. Expired ones are found. */
enum weir_status weir_store_find(struct weir_store *store, struct weir_text id,
                                 struct weir_stored_token *token, struct weir_error *error);
enum weir_status weir_store_find_by_digest(struct weir_store *store,
                                           const uint8_t digest[WEIR_DIGEST_SIZE],
                                           struct weir_stored_token *token,
                                           struct weir_error *error);

/* Draws the next issue number: never given before, whatever became of the tokens. */
enum weir_status weir_store_next_issue_number(struct weir_store *store, uint64_t *number,
                                              struct weir_error *error);

/* Puts a token whose id and digest none has (WEIR_ERROR_DUPLICATE), and logs it at `issued_at`. */
enum weir_status weir_store_issue(struct weir_store *store, const struct weir_stored_token *token,
                                  uint64_t *sequence, struct weir_error *error);

/* Removes the token and logs `change`, of which `sequence` is filled in. WEIR_ERROR_NOT_FOUND if
 * there is no token of that id and issue number. */
enum weir_status weir_store_remove(struct weir_store *store, struct weir_logged_change *change,
                                   struct weir_error *error);

/* Visits, in byte order of the ids, tokens whose ids begin with `prefix` and come after `after`
 * (`after_included`: or are it), without those that expire at `now` or before. */
enum weir_status weir_store_each(struct weir_store *store, struct weir_text prefix,
                                 struct weir_text after, bool after_included,
                                 struct weir_instant now, weir_stored_token_visitor *visit,
                                 void *context, struct weir_error *error);

/*
 * What is visited as an issue has an id, an issue number, a digest and an expiry; its other fields
 * are zero. However long the declarations are, they are not read.
 */

/* Visits, as issues and in byte order of the ids, tokens whose ids begin with `prefix`, without
 * those that expire at `now` or before. */
enum weir_status weir_store_each_issue(struct weir_store *store, struct weir_text prefix,
                                       struct weir_instant now, weir_stored_token_visitor *visit,
                                       void *context, struct weir_error *error);

/* Counts them, without visiting any. */
enum weir_status weir_store_count_living(struct weir_store *store, struct weir_text prefix,
                                         struct weir_instant now, uint64_t *tokens,
                                         struct weir_error *error);

/* Visits all tokens, as issues, expired ones included, in no order: the fastest way through. */
enum weir_status weir_store_all_issues(struct weir_store *store, weir_stored_token_visitor *visit,
                                       void *context, struct weir_error *error);

/* As weir_store_all_issues, with all that is kept of them. */
enum weir_status weir_store_all(struct weir_store *store, weir_stored_token_visitor *visit,
                                void *context, struct weir_error *error);

/* Visits, as issues, tokens that expired at `now` or before, the earliest first. */
enum weir_status weir_store_expired(struct weir_store *store, struct weir_instant now,
                                    weir_stored_token_visitor *visit, void *context,
                                    struct weir_error *error);

/* Visits the changes after `sequence`, in order. WEIR_ERROR_NOT_FOUND: they do not go back so far,
 * or that is beyond the last. */
enum weir_status weir_store_changes(struct weir_store *store, uint64_t sequence,
                                    weir_logged_change_visitor *visit, void *context,
                                    struct weir_error *error);

/* Forgets the oldest changes, up to `sequence`, as long as they happened before `before`, at most
 * `most` of them: there is never a hole in what is left. */
enum weir_status weir_store_forget(struct weir_store *store, uint64_t sequence,
                                   struct weir_instant before, uint64_t most,
                                   struct weir_error *error);

/* The number of the last change, 0: none; how many tokens there are. Of the transaction. */
enum weir_status weir_store_sequence(struct weir_store *store, uint64_t *sequence,
                                     struct weir_error *error);
enum weir_status weir_store_count(struct weir_store *store, uint64_t *tokens,
                                  struct weir_error *error);

#endif
