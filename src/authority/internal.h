/* internal.h - what the parts of the authority share. */
#ifndef WEIR_AUTHORITY_INTERNAL_H
#define WEIR_AUTHORITY_INTERNAL_H

#include <pthread.h>

#include <weir/authority.h>

#include "authority/store.h"

/* What the store held when it was read or written last. */
struct weir_authority_stored {
    uint64_t sequence;
    uint64_t tokens;
};

/* Reads that, in a transaction. */
enum weir_status weir_authority_read_stored(struct weir_store *store,
                                            struct weir_authority_stored *stored,
                                            struct weir_error *error);

/*
 * One lock orders everything that touches the store. What takes long is done without it: reading
 * and compiling a declaration, waiting until a change is published.
 */
struct weir_authority {
    struct weir_allocator allocator;
    struct weir_instant (*clock)(void *context);
    void *clock_context;
    pthread_mutex_t clock_lock;
    struct weir_instant latest; /* that the clock said: what has expired stays so */
    pthread_mutex_t lock;
    struct weir_store *store;
    struct weir_authority_stored stored;
    struct weir_publisher *publisher; /* NULL: nothing is published */
    bool behind; /* a change is durable and not published: the publisher is held */
    /* Since the publisher last compacted: the change it stood at, the bytes of tokens published,
     * whether there was no room for a change. */
    uint64_t compacted;
    uint64_t journal_size;
    bool is_full;
};

/* Whether that instant has come. */
static inline bool weir_instant_reached(struct weir_instant instant, struct weir_instant now)
{
    return now.seconds > instant.seconds ||
           (now.seconds == instant.seconds && now.nanoseconds >= instant.nanoseconds);
}

static inline bool weir_stored_token_expired(const struct weir_stored_token *stored,
                                             struct weir_instant now)
{
    return stored->expires && weir_instant_reached(stored->expires_at, now);
}

/* What the clock says, or the latest that it said, where it was put back since. */
struct weir_instant weir_authority_now(struct weir_authority *authority);

/* Releases a compiled token of this authority's allocator. NULL is fine. */
struct weir_compiled {
    struct weir_compiled_token *token;
    size_t size;
};
void weir_compiled_release(const struct weir_authority *authority, struct weir_compiled *compiled);

/*
 * ---- Requestors (requestor.c) ----
 */

/* A requestor that was found. */
struct weir_found_requestor {
    bool is_operator; /* then all that follows is zero */
    uint8_t digest[WEIR_DIGEST_SIZE];
    struct weir_token *declared; /* with its issue number and digest */
    struct weir_compiled compiled;
};

/* Finds who asks; fills in the requestor's part of `audit`. Locks for a moment: what takes long,
 * reading and compiling a declaration of many scopes, is done without the lock, so what is found
 * may be gone: weir_requestor_find_again. WEIR_OK, WEIR_ERROR_CREDENTIAL, and what a store may
 * return. Release it, also after an error. */
enum weir_status weir_requestor_find(struct weir_authority *authority,
                                     const struct weir_requestor *requestor,
                                     struct weir_instant now, struct weir_found_requestor *found,
                                     struct weir_audit *audit, struct weir_error *error);

/* Whether it is there still, and lives at that instant; in a transaction. WEIR_OK,
 * WEIR_ERROR_CREDENTIAL, … */
enum weir_status weir_requestor_find_again(struct weir_authority *authority,
                                           const struct weir_found_requestor *found,
                                           struct weir_instant now, struct weir_error *error);

void weir_requestor_release(const struct weir_authority *authority,
                            struct weir_found_requestor *found);

/* Whether it may: WEIR_OK; WEIR_ERROR_DENIED with the reason in the message and in `audit`;
 * WEIR_ERROR_NAME: what it asks about is no name; WEIR_ERROR_CREDENTIAL. */
enum weir_status weir_requestor_check(const struct weir_found_requestor *found,
                                      enum weir_operation operation, struct weir_text token_id,
                                      struct weir_instant now, struct weir_audit *audit,
                                      struct weir_error *error);

/* Likewise of all ids that begin so. */
enum weir_status weir_requestor_check_under(const struct weir_found_requestor *found,
                                            enum weir_operation operation, struct weir_text prefix,
                                            struct weir_instant now, struct weir_audit *audit,
                                            struct weir_error *error);

/* Whether the token (NULL: the operator) may do that at all, on whatever name; likewise. */
enum weir_status weir_requestor_check_any(const struct weir_compiled_token *token,
                                          enum weir_operation operation, struct weir_instant now,
                                          struct weir_audit *audit, struct weir_error *error);

/* What a stored token is: its declaration, digest and issue number. `compiled` may be NULL.
 * WEIR_OK, WEIR_ERROR_MEMORY; WEIR_ERROR_DAMAGED: it is none. */
enum weir_status weir_stored_token_read(const struct weir_authority *authority,
                                        const struct weir_stored_token *stored,
                                        struct weir_token **declared,
                                        struct weir_compiled *compiled, struct weir_error *error);

/*
 * ---- Publication (publication.c): the lock is held ----
 */

/* A change that the transaction at hand makes. */
struct weir_pending {
    struct weir_text token_id;
    const struct weir_compiled_token *token; /* NULL: it is removed */
};

/* Publishes what the store holds in the directory: continues what is there, or creates it anew. */
enum weir_status weir_publication_open(struct weir_authority *authority,
                                       const struct weir_authority_options *options,
                                       struct weir_error *error);

/*
 * Ends a transaction that changes something: sees that its changes can be published, commits it,
 * publishes them. After an error nothing has changed and the transaction is rolled back. WEIR_OK
 * also where they could not be published: then `behind` is set.
 */
enum weir_status weir_publication_commit(struct weir_authority *authority,
                                         const struct weir_pending *pending, size_t count,
                                         struct weir_error *error);

/* Publishes the changes that are durable and not published; WEIR_OK: `behind` is no more. */
enum weir_status weir_publication_catch_up(struct weir_authority *authority,
                                           struct weir_error *error);

/* Unlocks, once nothing is behind any more: others have the lock meanwhile. WEIR_ERROR_UNPUBLISHED:
 * it has taken too long. */
enum weir_status weir_publication_await(struct weir_authority *authority, struct weir_error *error);

/* Begins a transaction that may write, if nothing is behind. */
enum weir_status weir_publication_begin(struct weir_authority *authority, struct weir_error *error);

#endif
