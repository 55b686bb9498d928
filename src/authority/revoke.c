#include "authority/internal.h"

#include <string.h>

#include "vocabulary/failure.h"
#include "vocabulary/memory.h"
#include "vocabulary/text.h"

/* So many tokens are revoked in one transaction, at most. */
#define BATCH 256

static void audit_token(struct weir_audit *audit, struct weir_text id)
{
    if (weir_token_id_valid(id)) {
        audit->token_id_length = (uint8_t)id.length;
        memcpy(audit->token_id, id.bytes, id.length);
    }
}

static struct weir_logged_change revocation(const struct weir_found_requestor *found,
                                            struct weir_text id, uint64_t issue_number,
                                            struct weir_instant now)
{
    struct weir_logged_change change = {
        .kind = WEIR_CHANGE_REVOKED,
        .id = id,
        .issue_number = issue_number,
        .at = now,
    };

    if (found->declared != NULL) {
        change.by = found->declared->id;
        change.by_number = found->declared->issue_number;
    }
    return change;
}

/* The issue number of the token of that id, if it lives. */
static enum weir_status find_number(struct weir_authority *authority, struct weir_text id,
                                    struct weir_instant now, uint64_t *number,
                                    struct weir_error *error)
{
    struct weir_stored_token stored;
    struct weir_error failure;
    enum weir_status status = weir_store_find(authority->store, id, &stored, &failure);

    if (status == WEIR_ERROR_NOT_FOUND ||
        (status == WEIR_OK && weir_stored_token_expired(&stored, now))) {
        return weir_fail(error, WEIR_ERROR_NOT_FOUND, "there is no token %s",
                         weir_quoted_id(id).text);
    }
    if (status == WEIR_OK) {
        *number = stored.issue_number;
    }
    return weir_fail_as(error, status, &failure);
}

/* In the transaction. */
static enum weir_status revoke(struct weir_authority *authority,
                               const struct weir_found_requestor *found, struct weir_text token_id,
                               struct weir_audit *audit, struct weir_error *error)
{
    struct weir_instant now = weir_authority_now(authority);
    struct weir_logged_change change;
    uint64_t number = 0;
    enum weir_status status = weir_requestor_find_again(authority, found, now, error);

    if (status == WEIR_OK) {
        status = weir_requestor_check(found, WEIR_REVOKE_ACCESS_TOKEN, token_id, now, audit, error);
    }
    if (status == WEIR_OK) {
        status = find_number(authority, token_id, now, &number, error);
    }
    if (status == WEIR_OK) {
        change = revocation(found, token_id, number, now);
        status = weir_store_remove(authority->store, &change, error);
    }
    if (status == WEIR_OK) {
        audit->token_number = number;
        audit->sequence = change.sequence;
    }
    return status;
}

static enum weir_status revoke_found(struct weir_authority *authority,
                                     const struct weir_found_requestor *found,
                                     struct weir_text token_id, struct weir_audit *audit,
                                     struct weir_error *error)
{
    const struct weir_pending pending = {.token_id = token_id};
    enum weir_status status = WEIR_OK;

    (void)pthread_mutex_lock(&authority->lock);
    status = weir_publication_begin(authority, error);
    if (status == WEIR_OK) {
        status = revoke(authority, found, token_id, audit, error);
        if (status != WEIR_OK) {
            weir_store_rollback(authority->store);
        } else {
            status = weir_publication_commit(authority, &pending, 1, error);
        }
    }
    if (status == WEIR_OK) {
        return weir_publication_await(authority, error);
    }
    audit->sequence = 0;
    (void)pthread_mutex_unlock(&authority->lock);
    return status;
}

enum weir_status weir_authority_revoke(struct weir_authority *authority,
                                       const struct weir_requestor *requestor,
                                       struct weir_text token_id, struct weir_audit *audit,
                                       struct weir_error *error)
{
    struct weir_audit own = {.reason = WEIR_ALLOWED};
    struct weir_found_requestor found = {0};
    enum weir_status status = WEIR_OK;

    audit_token(&own, token_id);
    status = weir_requestor_find(authority, requestor, weir_authority_now(authority), &found, &own,
                                 error);
    if (status == WEIR_OK) {
        status = revoke_found(authority, &found, token_id, &own, error);
    }
    weir_requestor_release(authority, &found);
    if (audit != NULL) {
        *audit = own;
    }
    return status;
}

/*
 * ---- By prefix ----
 */

/* The next tokens to revoke. */
struct batch {
    struct weir_text spared; /* the requestor's own id comes last */
    size_t count;
    uint64_t numbers[BATCH];
    struct weir_pending pending[BATCH];
    char ids[BATCH][WEIR_TOKEN_ID_MAX];
};

static bool add_to_batch(void *context, const struct weir_stored_token *stored)
{
    struct batch *batch = context;
    char *id = batch->ids[batch->count];

    if (stored->id.length == batch->spared.length && weir_text_equal(stored->id, batch->spared)) {
        return true;
    }
    memcpy(id, stored->id.bytes, stored->id.length);
    batch->numbers[batch->count] = stored->issue_number;
    batch->pending[batch->count++] = (struct weir_pending){
        .token_id = {id, stored->id.length},
    };
    return batch->count < BATCH;
}

/* Removes the tokens that come next, in the transaction. `*sequence` of the last change. */
static enum weir_status remove_batch(struct weir_authority *authority,
                                     const struct weir_found_requestor *found,
                                     struct weir_text prefix, struct batch *batch,
                                     struct weir_instant now, uint64_t *sequence,
                                     struct weir_error *error)
{
    struct weir_logged_change change;
    enum weir_status status =
        weir_store_each_issue(authority->store, prefix, now, add_to_batch, batch, error);

    if (status == WEIR_OK && batch->count == 0 && batch->spared.length > 0) {
        batch->spared = (struct weir_text){0};
        status = weir_store_each_issue(authority->store, prefix, now, add_to_batch, batch, error);
    }
    for (size_t i = 0; status == WEIR_OK && i < batch->count; i++) {
        change = revocation(found, batch->pending[i].token_id, batch->numbers[i], now);
        status = weir_store_remove(authority->store, &change, error);
        *sequence = change.sequence;
    }
    return status;
}

/* One transaction, in which it is asked anew whether the requestor lives. `*revoked` in it. */
static enum weir_status revoke_batch(struct weir_authority *authority,
                                     const struct weir_found_requestor *found,
                                     struct weir_text prefix, struct batch *batch, size_t *revoked,
                                     struct weir_audit *audit, struct weir_error *error)
{
    struct weir_instant now = weir_authority_now(authority);
    uint64_t sequence = 0;
    enum weir_status status = WEIR_OK;

    batch->count = 0;
    batch->spared = found->declared != NULL ? found->declared->id : (struct weir_text){0};
    (void)pthread_mutex_lock(&authority->lock);
    status = weir_publication_begin(authority, error);
    if (status != WEIR_OK) {
        (void)pthread_mutex_unlock(&authority->lock);
        return status;
    }
    status = weir_requestor_find_again(authority, found, now, error);
    if (status == WEIR_OK) {
        status = remove_batch(authority, found, prefix, batch, now, &sequence, error);
    }
    if (status != WEIR_OK || batch->count == 0) {
        weir_store_rollback(authority->store);
    } else {
        status = weir_publication_commit(authority, batch->pending, batch->count, error);
        *revoked = status == WEIR_OK ? batch->count : 0;
    }
    if (*revoked > 0) {
        audit->sequence = sequence;
        return weir_publication_await(authority, error);
    }
    (void)pthread_mutex_unlock(&authority->lock);
    return status;
}

/* Revokes batch after batch, until none is left, or the requestor itself was revoked. */
static enum weir_status revoke_all(struct weir_authority *authority,
                                   const struct weir_found_requestor *found,
                                   struct weir_text prefix, uint64_t *count,
                                   struct weir_audit *audit, struct weir_error *error)
{
    struct batch *batch = weir_allocate(&authority->allocator, sizeof *batch);
    enum weir_status status = WEIR_OK;
    size_t revoked = 0;

    if (batch == NULL) {
        return weir_fail_memory(error);
    }
    do {
        revoked = 0;
        status = revoke_batch(authority, found, prefix, batch, &revoked, audit, error);
        *count += revoked;
    } while (status == WEIR_OK && revoked > 0 && (found->is_operator || batch->spared.length > 0));
    weir_release(&authority->allocator, batch, sizeof *batch);
    return status;
}

enum weir_status weir_authority_revoke_prefix(struct weir_authority *authority,
                                              const struct weir_requestor *requestor,
                                              struct weir_text prefix, uint64_t *count,
                                              struct weir_audit *audit, struct weir_error *error)
{
    struct weir_instant now = weir_authority_now(authority);
    struct weir_audit own = {.reason = WEIR_ALLOWED};
    struct weir_found_requestor found = {0};
    enum weir_status status = weir_requestor_find(authority, requestor, now, &found, &own, error);

    *count = 0;
    if (status == WEIR_OK) {
        status =
            weir_requestor_check_under(&found, WEIR_REVOKE_ACCESS_TOKEN, prefix, now, &own, error);
    }
    if (status == WEIR_OK) {
        status = revoke_all(authority, &found, prefix, count, &own, error);
    }
    weir_requestor_release(authority, &found);
    if (audit != NULL) {
        *audit = own;
    }
    return status;
}

enum weir_status weir_authority_count(struct weir_authority *authority, struct weir_text prefix,
                                      uint64_t *count, struct weir_error *error)
{
    enum weir_status status = WEIR_OK;

    *count = 0;
    if (!weir_token_id_prefix_valid(prefix)) {
        return weir_fail(error, WEIR_ERROR_NAME, "not a valid token id prefix");
    }
    (void)pthread_mutex_lock(&authority->lock);
    status = weir_store_begin(authority->store, false, error);
    if (status == WEIR_OK) {
        status = weir_store_count_living(authority->store, prefix, weir_authority_now(authority),
                                         count, error);
        weir_store_rollback(authority->store);
    }
    (void)pthread_mutex_unlock(&authority->lock);
    return status;
}
