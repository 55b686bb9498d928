#include "authority/internal.h"

#include <string.h>

#include <weir/compile.h>
#include <weir/wire.h>

#include "authority/containment.h"
#include "image/block.h"
#include "vocabulary/failure.h"
#include "vocabulary/memory.h"
#include "wire/token_declared.h"

/* An issue under way. */
struct issue {
    struct weir_authority *authority;
    struct weir_found_requestor requestor;
    struct weir_token *declared; /* in the requestor's terms */
    struct weir_token *absolute; /* in the server's: what is kept */
    struct weir_compiled compiled;
    char *declaration; /* `absolute` as JSON */
    size_t declaration_size;
    enum weir_status permission; /* what is wrong with what it permits */
    struct weir_error permission_error;
    struct weir_issued issued;
    struct weir_audit audit;
};

static void release(struct issue *issue)
{
    const struct weir_allocator *allocator = &issue->authority->allocator;

    weir_requestor_release(issue->authority, &issue->requestor);
    weir_token_free(issue->declared, allocator);
    weir_token_free(issue->absolute, allocator);
    weir_compiled_release(issue->authority, &issue->compiled);
    weir_release(allocator, issue->declaration, issue->declaration_size);
    weir_wipe(&issue->issued.credential, sizeof issue->issued.credential);
}

/* Who asks, and whether it may issue anything: that the id declared is outside its scope is told
 * later. */
static enum weir_status authenticate(struct issue *issue, const struct weir_requestor *requestor,
                                     struct weir_instant now, struct weir_error *error)
{
    enum weir_status status = weir_requestor_find(issue->authority, requestor, now,
                                                  &issue->requestor, &issue->audit, error);

    return status == WEIR_OK
               ? weir_requestor_check_any(issue->requestor.compiled.token, WEIR_ISSUE_ACCESS_TOKEN,
                                          now, &issue->audit, error)
               : status;
}

/* The checks of the declaration, in SPEC's order. */
static enum weir_status examine(struct issue *issue, struct weir_instant now,
                                struct weir_error *error)
{
    const struct weir_token *issuer = issue->requestor.declared;
    const struct weir_token *declared = issue->declared;
    enum weir_status status = weir_child_absolute(issuer, declared, &issue->authority->allocator,
                                                  &issue->absolute, error);

    if (status == WEIR_OK) {
        status = weir_requestor_check(&issue->requestor, WEIR_ISSUE_ACCESS_TOKEN, declared->id, now,
                                      &issue->audit, error);
    }
    if (status == WEIR_OK) {
        status = weir_fail_as(error, issue->permission, &issue->permission_error);
    }
    if (status == WEIR_OK) {
        status = weir_child_expiry(issuer, declared, now, &issue->issued.expires,
                                   &issue->issued.expires_at, error);
    }
    return status == WEIR_OK && issuer != NULL
               ? weir_child_contained(issuer, declared, issue->absolute, error)
               : status;
}

static enum weir_status fail_size(struct weir_error *error)
{
    return weir_fail(error, WEIR_ERROR_LIMIT, "a declaration of more than %zu bytes of JSON",
                     WEIR_ISSUE_JSON_MAX);
}

/* What is kept and published of the token, but for its issue number. */
static enum weir_status make_token(struct issue *issue, struct weir_error *error)
{
    const struct weir_allocator *allocator = &issue->authority->allocator;
    struct weir_token *token = issue->absolute;
    enum weir_status status = WEIR_OK;

    token->expires = issue->issued.expires;
    token->expires_at = issue->issued.expires_at;
    issue->declaration_size = weir_token_write(token, NULL, 0);
    if (issue->declaration_size > WEIR_ISSUE_JSON_MAX) {
        return fail_size(error);
    }
    issue->declaration = weir_allocate(allocator, issue->declaration_size);
    if (issue->declaration == NULL) {
        return weir_fail_memory(error);
    }
    (void)weir_token_write(token, issue->declaration, issue->declaration_size);
    status = weir_credential_draw(&issue->issued.credential, error);
    if (status != WEIR_OK) {
        return status;
    }
    token->has_credential_digest = true;
    (void)weir_credential_digest(
        (struct weir_text){issue->issued.credential.text, WEIR_CREDENTIAL_LENGTH},
        token->credential_digest);
    return weir_compile_token(token, allocator, &issue->compiled.token, &issue->compiled.size,
                              error);
}

/* Whether the requestor may still, and the token is still to come; in the transaction. */
static enum weir_status check_again(struct issue *issue, struct weir_instant now,
                                    struct weir_error *error)
{
    bool expires = false;
    struct weir_instant expires_at;
    enum weir_status status =
        weir_requestor_find_again(issue->authority, &issue->requestor, now, error);

    return status == WEIR_OK ? weir_child_expiry(issue->requestor.declared, issue->absolute, now,
                                                 &expires, &expires_at, error)
                             : status;
}

/* Whether the id has a token. One that has expired makes room for another: it is put into
 * `expired`, with its id. */
static enum weir_status check_id(struct issue *issue, struct weir_instant now,
                                 struct weir_logged_change *expired, struct weir_error *error)
{
    struct weir_stored_token holder;
    struct weir_error failure;
    enum weir_status status =
        weir_store_find(issue->authority->store, issue->absolute->id, &holder, &failure);

    if (status == WEIR_ERROR_NOT_FOUND) {
        return WEIR_OK;
    }
    if (status != WEIR_OK) {
        return weir_fail_as(error, status, &failure);
    }
    if (weir_stored_token_expired(&holder, now)) {
        *expired = (struct weir_logged_change){
            .kind = WEIR_CHANGE_EXPIRED,
            .id = issue->absolute->id,
            .issue_number = holder.issue_number,
            .at = now,
        };
        return WEIR_OK;
    }
    return weir_fail(error, WEIR_ERROR_DUPLICATE, "there is a token %s already",
                     weir_quoted_id(issue->absolute->id).text);
}

/* Writes the changes of the transaction, whose number is returned as `*count`. */
static enum weir_status write_changes(struct issue *issue, struct weir_instant now,
                                      struct weir_pending pending[2], size_t *count,
                                      struct weir_error *error)
{
    struct weir_store *store = issue->authority->store;
    const struct weir_token *requestor = issue->requestor.declared;
    struct weir_logged_change expired = {0};
    struct weir_stored_token stored = {
        .id = issue->absolute->id,
        .declaration = {issue->declaration, issue->declaration_size},
        .expires = issue->absolute->expires,
        .expires_at = issue->absolute->expires_at,
        .issued_at = now,
    };
    enum weir_status status = check_again(issue, now, error);

    *count = 0;
    if (status == WEIR_OK) {
        status = check_id(issue, now, &expired, error);
    }
    if (status == WEIR_OK && expired.kind == WEIR_CHANGE_EXPIRED) {
        status = weir_store_remove(store, &expired, error);
        pending[(*count)++] = (struct weir_pending){.token_id = stored.id};
    }
    if (status == WEIR_OK) {
        status = weir_store_next_issue_number(store, &issue->issued.issue_number, error);
    }
    if (status != WEIR_OK) {
        return status;
    }
    if (requestor != NULL) {
        stored.issued_by = requestor->id;
        stored.issued_by_number = requestor->issue_number;
    }
    stored.issue_number = issue->issued.issue_number;
    memcpy(stored.digest, issue->absolute->credential_digest, WEIR_DIGEST_SIZE);
    ((struct weir_block *)(void *)issue->compiled.token)->issue_number = stored.issue_number;
    pending[(*count)++] = (struct weir_pending){stored.id, issue->compiled.token};
    return weir_store_issue(store, &stored, &issue->issued.sequence, error);
}

static enum weir_status commit(struct issue *issue, struct weir_error *error)
{
    struct weir_authority *authority = issue->authority;
    struct weir_pending pending[2];
    size_t count = 0;
    enum weir_status status = WEIR_OK;

    (void)pthread_mutex_lock(&authority->lock);
    status = weir_publication_begin(authority, error);
    if (status == WEIR_OK) {
        status = write_changes(issue, weir_authority_now(authority), pending, &count, error);
        if (status != WEIR_OK) {
            weir_store_rollback(authority->store);
        } else {
            status = weir_publication_commit(authority, pending, count, error);
        }
    }
    if (status != WEIR_OK) {
        (void)pthread_mutex_unlock(&authority->lock);
        return status;
    }
    issue->audit.token_number = issue->issued.issue_number;
    issue->audit.sequence = issue->issued.sequence;
    return weir_publication_await(authority, error);
}

static enum weir_status run(struct issue *issue, const struct weir_requestor *requestor,
                            struct weir_text json, struct weir_error *error)
{
    struct weir_authority *authority = issue->authority;
    struct weir_instant now = weir_authority_now(authority);
    enum weir_status status = authenticate(issue, requestor, now, error);

    if (status == WEIR_OK && json.length > WEIR_ISSUE_JSON_MAX) {
        status = fail_size(error);
    }
    if (status == WEIR_OK) {
        status = weir_token_parse_declared(json, &authority->allocator, &issue->declared,
                                           &issue->permission, &issue->permission_error, error);
    }
    if (status != WEIR_OK) {
        return status;
    }
    issue->audit.token_id_length = (uint8_t)issue->declared->id.length;
    memcpy(issue->audit.token_id, issue->declared->id.bytes, issue->declared->id.length);
    status = examine(issue, now, error);
    if (status == WEIR_OK) {
        status = make_token(issue, error);
    }
    return status == WEIR_OK ? commit(issue, error) : status;
}

enum weir_status weir_authority_issue(struct weir_authority *authority,
                                      const struct weir_requestor *requestor, struct weir_text json,
                                      struct weir_issued *issued, struct weir_audit *audit,
                                      struct weir_error *error)
{
    struct issue issue = {.authority = authority, .audit = {.reason = WEIR_ALLOWED}};
    enum weir_status status = run(&issue, requestor, json, error);

    if (status == WEIR_OK) {
        *issued = issue.issued;
    }
    if (audit != NULL) {
        *audit = issue.audit;
    }
    release(&issue);
    return status;
}
