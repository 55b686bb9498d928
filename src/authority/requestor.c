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

static void audit_requestor(struct weir_audit *audit, struct weir_text id, uint64_t issue_number)
{
    audit->requestor_number = issue_number;
    audit->requestor_id_length = (uint8_t)id.length;
    memcpy(audit->requestor_id, id.bytes, id.length);
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
        audit_requestor(audit, stored.id, stored.issue_number);
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

enum weir_status weir_requestor_check_any(const struct weir_compiled_token *token,
                                          enum weir_operation operation, struct weir_instant now,
                                          struct weir_audit *audit, struct weir_error *error)
{
    struct weir_request request = {.operation = operation};
    enum weir_reason reason = WEIR_ALLOWED;

    if (token == NULL) {
        return WEIR_OK;
    }
    if (weir_operation_target(operation) == WEIR_TARGET_ACCESS_TOKEN) {
        request.access_token = weir_compiled_token_id(token);
    }
    reason = weir_check_token(token, &request, now).reason;
    return reason == WEIR_ACCESS_TOKEN_OUT_OF_SCOPE
               ? WEIR_OK
               : judge(reason, operation, request.access_token, false, audit, error);
}

/*
 * ---- The first look ----
 */

/* In the engine that holds what is published: waits for nobody. */
static enum weir_status admit_published(const struct weir_engine *engine,
                                        const uint8_t digest[WEIR_DIGEST_SIZE],
                                        enum weir_operation operation, struct weir_instant now,
                                        struct weir_audit *audit, struct weir_error *error)
{
    const struct weir_compiled_token *token = NULL;
    struct weir_instant expires_at;
    enum weir_status status = WEIR_OK;

    weir_read_begin();
    token = weir_engine_find_by_digest(engine, digest);
    if (token == NULL || (weir_compiled_token_expires(token, &expires_at) &&
                          weir_instant_reached(expires_at, now))) {
        status = fail_credential(error);
    } else {
        audit_requestor(audit, weir_compiled_token_id(token),
                        weir_compiled_token_issue_number(token));
        status = weir_requestor_check_any(token, operation, now, audit, error);
    }
    weir_read_end();
    return status;
}

static enum weir_status admit_stored(struct weir_authority *authority,
                                     const uint8_t digest[WEIR_DIGEST_SIZE],
                                     struct weir_instant now, struct weir_audit *audit,
                                     struct weir_error *error)
{
    struct weir_stored_token stored;
    enum weir_status status = WEIR_OK;

    (void)pthread_mutex_lock(&authority->lock);
    status = weir_store_begin(authority->store, false, error);
    if (status == WEIR_OK) {
        status = find_living(authority, digest, now, &stored, error);
        if (status == WEIR_OK) {
            audit_requestor(audit, stored.id, stored.issue_number);
        }
        weir_store_rollback(authority->store);
    }
    (void)pthread_mutex_unlock(&authority->lock);
    return status;
}

enum weir_status weir_authority_admit(struct weir_authority *authority,
                                      const struct weir_requestor *requestor,
                                      enum weir_operation operation, struct weir_audit *audit,
                                      struct weir_error *error)
{
    const struct weir_engine *engine = weir_authority_engine(authority);
    const struct weir_instant now = weir_authority_now(authority);
    struct weir_audit own = {.is_operator = requestor->is_operator, .reason = WEIR_ALLOWED};
    uint8_t digest[WEIR_DIGEST_SIZE];
    enum weir_status status = WEIR_OK;

    if (!requestor->is_operator) {
        if (!weir_credential_digest(requestor->credential, digest)) {
            status = fail_credential(error);
        } else {
            status = engine != NULL ? admit_published(engine, digest, operation, now, &own, error)
                                    : admit_stored(authority, digest, now, &own, error);
            weir_wipe(digest, sizeof digest);
        }
    }
    if (audit != NULL) {
        *audit = own;
    }
    return status;
}
