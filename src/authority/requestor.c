#include "authority/internal.h"

#include <string.h>

#include <weir/compile.h>
#include <weir/wire.h>

#include "vocabulary/failure.h"
#include "vocabulary/memory.h"

struct weir_instant weir_authority_now(struct weir_authority *authority)
{
    struct weir_instant now =
        authority->clock != NULL ? authority->clock(authority->clock_context) : weir_instant_now();

    (void)pthread_mutex_lock(&authority->clock_lock);
    if (weir_instant_reached(authority->latest, now)) {
        authority->latest = now;
    }
    now = authority->latest;
    (void)pthread_mutex_unlock(&authority->clock_lock);
    return now;
}

void weir_compiled_release(const struct weir_authority *authority, struct weir_compiled *compiled)
{
    weir_release(&authority->allocator, compiled->token, compiled->size);
    *compiled = (struct weir_compiled){NULL, 0};
}

/* One and the same for all that is wrong with a credential. */
static enum weir_status fail_credential(struct weir_error *error)
{
    return weir_fail(error, WEIR_ERROR_CREDENTIAL,
                     "the credential is missing, malformed, unknown, revoked or expired");
}

enum weir_status weir_stored_token_read(const struct weir_authority *authority,
                                        const struct weir_stored_token *stored,
                                        struct weir_token **declared,
                                        struct weir_compiled *compiled, struct weir_error *error)
{
    struct weir_error reading;
    enum weir_status status =
        weir_token_parse(stored->declaration, &authority->allocator, declared, &reading);

    if (status == WEIR_OK) {
        (*declared)->issue_number = stored->issue_number;
        (*declared)->has_credential_digest = true;
        memcpy((*declared)->credential_digest, stored->digest, WEIR_DIGEST_SIZE);
        if (compiled != NULL) {
            status = weir_compile_token(*declared, &authority->allocator, &compiled->token,
                                        &compiled->size, &reading);
        }
        if (status != WEIR_OK) {
            weir_token_free(*declared, &authority->allocator);
            *declared = NULL;
        }
    }
    if (status == WEIR_OK || status == WEIR_ERROR_MEMORY) {
        return status == WEIR_OK ? WEIR_OK : weir_fail_memory(error);
    }
    return weir_fail(error, WEIR_ERROR_DAMAGED, "the store's token %s cannot be read: %s",
                     weir_quoted_id(stored->id).text, reading.message);
}

/* The token of that digest, if it lives. */
static enum weir_status find_living(struct weir_authority *authority,
                                    const uint8_t digest[WEIR_DIGEST_SIZE], struct weir_instant now,
                                    struct weir_stored_token *stored, struct weir_error *error)
{
    struct weir_error failure;
    enum weir_status status = weir_store_find_by_digest(authority->store, digest, stored, &failure);

    if (status == WEIR_ERROR_NOT_FOUND ||
        (status == WEIR_OK && weir_stored_token_expired(stored, now))) {
        return fail_credential(error);
    }
    return weir_fail_as(error, status, &failure);
}

/* Copies what is stored of the requestor's token, to be read without the lock. */
static enum weir_status copy_stored(struct weir_authority *authority,
                                    const uint8_t digest[WEIR_DIGEST_SIZE], struct weir_instant now,
                                    struct weir_stored_token *stored, char **declaration,
                                    struct weir_error *error)
{
    enum weir_status status = weir_store_begin(authority->store, false, error);

    if (status != WEIR_OK) {
        return status;
    }
    status = find_living(authority, digest, now, stored, error);
    if (status == WEIR_OK) {
        size_t length = stored->declaration.length;
        size_t size = length + stored->id.length;

        *declaration = weir_allocate(&authority->allocator, size);
        if (*declaration == NULL) {
            status = weir_fail_memory(error);
        } else {
            memcpy(*declaration, stored->declaration.bytes, length);
            memcpy(*declaration + length, stored->id.bytes, stored->id.length);
            stored->declaration.bytes = *declaration;
            stored->id.bytes = *declaration + length;
        }
    }
    weir_store_rollback(authority->store);
    return status;
}

enum weir_status weir_requestor_find(struct weir_authority *authority,
                                     const struct weir_requestor *requestor,
                                     struct weir_instant now, struct weir_found_requestor *found,
                                     struct weir_audit *audit, struct weir_error *error)
{
    struct weir_stored_token stored;
    char *copy = NULL;
    enum weir_status status = WEIR_OK;

    *found = (struct weir_found_requestor){.is_operator = requestor->is_operator};
    audit->is_operator = requestor->is_operator;
    if (requestor->is_operator) {
        return WEIR_OK;
    }
    if (!weir_credential_digest(requestor->credential, found->digest)) {
        return fail_credential(error);
    }
    (void)pthread_mutex_lock(&authority->lock);
    status = copy_stored(authority, found->digest, now, &stored, &copy, error);
    (void)pthread_mutex_unlock(&authority->lock);
    if (status == WEIR_OK) {
        audit->requestor_number = stored.issue_number;
        audit->requestor_id_length = (uint8_t)stored.id.length;
        memcpy(audit->requestor_id, stored.id.bytes, stored.id.length);
        status =
            weir_stored_token_read(authority, &stored, &found->declared, &found->compiled, error);
        weir_release(&authority->allocator, copy, stored.declaration.length + stored.id.length);
    }
    return status;
}

enum weir_status weir_requestor_find_again(struct weir_authority *authority,
                                           const struct weir_found_requestor *found,
                                           struct weir_instant now, struct weir_error *error)
{
    struct weir_stored_token stored;
    enum weir_status status = WEIR_OK;

    if (found->is_operator) {
        return WEIR_OK;
    }
    status = find_living(authority, found->digest, now, &stored, error);
    return status == WEIR_OK && stored.issue_number != found->declared->issue_number
               ? fail_credential(error)
               : status;
}

void weir_requestor_release(const struct weir_authority *authority,
                            struct weir_found_requestor *found)
{
    weir_token_free(found->declared, &authority->allocator);
    weir_compiled_release(authority, &found->compiled);
    weir_wipe(found->digest, sizeof found->digest);
    found->declared = NULL;
}

/* What a decision means for a call about ids of access tokens. */
static enum weir_status judge(enum weir_reason reason, enum weir_operation operation,
                              struct weir_text name, bool is_prefix, struct weir_audit *audit,
                              struct weir_error *error)
{
    char quoted[WEIR_QUOTED_MAX(WEIR_TOKEN_ID_MAX)];

    switch (reason) {
    case WEIR_ALLOWED:
        return WEIR_OK;
    case WEIR_INVALID_NAME:
        (void)weir_quote(name, quoted, sizeof quoted);
        return weir_fail(error, WEIR_ERROR_NAME, "not a valid token id%s: %s",
                         is_prefix ? " prefix" : "", quoted);
    case WEIR_STALE:
    case WEIR_UNKNOWN_TOKEN:
    case WEIR_EXPIRED:
        return fail_credential(error);
    case WEIR_OP_NOT_PERMITTED:
    case WEIR_BASIN_OUT_OF_SCOPE:
    case WEIR_STREAM_OUT_OF_SCOPE:
    case WEIR_ACCESS_TOKEN_OUT_OF_SCOPE:
    default:
        audit->reason = reason;
        return weir_fail(error, WEIR_ERROR_DENIED, "%s: %s", weir_operation_name(operation),
                         weir_reason_name(reason));
    }
}

enum weir_status weir_requestor_check(const struct weir_found_requestor *found,
                                      enum weir_operation operation, struct weir_text token_id,
                                      struct weir_instant now, struct weir_audit *audit,
                                      struct weir_error *error)
{
    const struct weir_request request = {.operation = operation, .access_token = token_id};
    enum weir_reason reason = WEIR_ALLOWED;

    if (!found->is_operator) {
        reason = weir_check_token(found->compiled.token, &request, now).reason;
    } else if (weir_operation_target(operation) == WEIR_TARGET_ACCESS_TOKEN &&
               !weir_token_id_valid(token_id)) {
        reason = WEIR_INVALID_NAME;
    }
    return judge(reason, operation, token_id, false, audit, error);
}

enum weir_status weir_requestor_check_under(const struct weir_found_requestor *found,
                                            enum weir_operation operation, struct weir_text prefix,
                                            struct weir_instant now, struct weir_audit *audit,
                                            struct weir_error *error)
{
    const struct weir_request request = {.operation = operation, .access_token = prefix};
    enum weir_reason reason = WEIR_ALLOWED;

    if (!found->is_operator) {
        reason = weir_check_token_under(found->compiled.token, &request, now).reason;
    } else if (!weir_token_id_prefix_valid(prefix)) {
        reason = WEIR_INVALID_NAME;
    }
    return judge(reason, operation, prefix, true, audit, error);
}
