#include "serve/api.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <weir/credential.h>
#include <weir/wire.h>

#include "serve/server.h"

/* A page ends early when it is as long as that, whatever the limit asked for. */
#define PAGE_BYTES_MAX ((size_t)8 << 20)

/* Longer than {"access_token":"…"}. */
#define ISSUED_SIZE 128

static struct weir_requestor requestor_of(const struct connection *connection)
{
    const struct request *request = &connection->request;

    return (struct weir_requestor){
        .is_operator = connection->peer_is_operator && !request->has_authorization,
        .credential = {request->credential, request->credential_length},
    };
}

/*
 * ---- What went wrong ----
 */

/* How a name that is not allowed was given. */
static enum outcome outcome_of_name(enum call call)
{
    switch (call) {
    case CALL_ISSUE:
        return OUTCOME_BAD_JSON;
    case CALL_REVOKE:
        return OUTCOME_BAD_PATH;
    default:
        return OUTCOME_BAD_QUERY;
    }
}

static enum outcome outcome_of(enum weir_status status, enum call call)
{
    switch (status) {
    case WEIR_OK:
        return OUTCOME_OK;
    case WEIR_ERROR_CREDENTIAL:
        return OUTCOME_AUTHN;
    case WEIR_ERROR_DENIED:
        return OUTCOME_PERMISSION_DENIED;
    case WEIR_ERROR_SYNTAX:
    case WEIR_ERROR_SCHEMA:
    case WEIR_ERROR_OPERATION:
    case WEIR_ERROR_LIMIT:
        return OUTCOME_BAD_JSON;
    case WEIR_ERROR_NAME:
        return outcome_of_name(call);
    case WEIR_ERROR_PERMISSION:
    case WEIR_ERROR_EXPIRY:
        return OUTCOME_INVALID;
    case WEIR_ERROR_DUPLICATE:
        return OUTCOME_RESOURCE_ALREADY_EXISTS;
    case WEIR_ERROR_NOT_FOUND:
        return OUTCOME_ACCESS_TOKEN_NOT_FOUND;
    case WEIR_ERROR_BEHIND:
        return OUTCOME_UNAVAILABLE;
    case WEIR_ERROR_UNPUBLISHED:
        return OUTCOME_UNPUBLISHED;
    default:
        return OUTCOME_INTERNAL;
    }
}

/* Clients are told what is theirs to know; the rest is for the log. */
static void fail(struct connection *connection, enum weir_status status,
                 const struct weir_error *error)
{
    struct request *request = &connection->request;
    enum outcome outcome = outcome_of(status, request->target.call);

    if (outcome >= OUTCOME_UNPUBLISHED) {
        log_error(&connection->server->log, call_name(request->target.call), error);
    }
    if (outcome == OUTCOME_INTERNAL) {
        answer_error(&request->answer, outcome, "the authority has failed; its log tells why");
    } else {
        answer_failure(&request->answer, outcome, error);
    }
}

static void fail_memory(struct connection *connection)
{
    answer_error(&connection->request.answer, OUTCOME_UNAVAILABLE,
                 "too much is being answered; try again");
}

/*
 * ---- Calls of the authority ----
 */

static enum weir_operation operation_of(enum call call)
{
    switch (call) {
    case CALL_ISSUE:
        return WEIR_ISSUE_ACCESS_TOKEN;
    case CALL_REVOKE:
    case CALL_REVOKE_PREFIX:
        return WEIR_REVOKE_ACCESS_TOKEN;
    default:
        return WEIR_LIST_ACCESS_TOKENS;
    }
}

bool api_admit(struct connection *connection, struct weir_audit *audit)
{
    const enum call call = connection->request.target.call;
    const struct weir_requestor requestor = requestor_of(connection);
    struct weir_error error;
    enum weir_status status = weir_authority_admit(connection->server->authority, &requestor,
                                                   operation_of(call), audit, &error);

    if (status != WEIR_OK) {
        fail(connection, status, &error);
    }
    return status == WEIR_OK;
}

/* A list in the making. */
struct page {
    struct buffer *body;
    size_t count;
    bool failed; /* there is no memory for a token that came */
};

static bool add_token(void *context, const struct weir_token *token)
{
    struct page *page = context;
    size_t size = weir_token_write(token, NULL, 0);

    if (page->failed || (page->count > 0 && page->body->length + size > PAGE_BYTES_MAX)) {
        return false;
    }
    if ((page->count > 0 && !buffer_add(page->body, ",", 1)) || !buffer_reserve(page->body, size)) {
        page->failed = true;
        return false;
    }
    (void)weir_token_write(token, page->body->bytes + page->body->length, size);
    page->body->length += size;
    page->count++;
    return true;
}

static void list(struct connection *connection, struct weir_audit *audit)
{
    struct request *request = &connection->request;
    struct answer *answer = &request->answer;
    const struct weir_requestor requestor = requestor_of(connection);
    const struct weir_list_query query = {request->target.prefix, request->target.start_after,
                                          request->target.limit};
    struct page page = {.body = &answer->body};
    struct weir_error error;
    bool has_more = false;
    enum weir_status status = WEIR_OK;

    answer->body.lane = request->lane;
    answer->type = CONTENT_JSON;
    page.failed = !buffer_format(&answer->body, "{\"access_tokens\":[");
    status = weir_authority_list(connection->server->authority, &requestor, &query, add_token,
                                 &page, &has_more, audit, &error);
    if (status != WEIR_OK) {
        fail(connection, status, &error);
    } else if (page.failed ||
               !buffer_format(&answer->body, "],\"has_more\":%s}", has_more ? "true" : "false")) {
        fail_memory(connection);
    }
}

/* Room for the answer is there before there is anything that it has to tell. */
static void issue(struct connection *connection, struct weir_audit *audit)
{
    struct request *request = &connection->request;
    struct answer *answer = &request->answer;
    const struct weir_requestor requestor = requestor_of(connection);
    const struct weir_text json = {request->body.bytes, request->body.length};
    struct weir_issued issued;
    struct weir_error error;
    enum weir_status status = WEIR_OK;

    if (!buffer_reserve(&answer->body, ISSUED_SIZE)) {
        fail_memory(connection);
        return;
    }
    status = weir_authority_issue(connection->server->authority, &requestor, json, &issued, audit,
                                  &error);
    if (status != WEIR_OK) {
        fail(connection, status, &error);
        return;
    }
    answer->status = MHD_HTTP_CREATED;
    answer->type = CONTENT_JSON;
    (void)buffer_format(&answer->body, "{\"access_token\":\"%s\"}", issued.credential.text);
    weir_wipe(&issued, sizeof issued);
}

static void revoke_token(struct connection *connection, struct weir_audit *audit)
{
    struct request *request = &connection->request;
    const struct weir_requestor requestor = requestor_of(connection);
    struct weir_error error;
    enum weir_status status = weir_authority_revoke(connection->server->authority, &requestor,
                                                    request->target.id, audit, &error);

    if (status != WEIR_OK) {
        fail(connection, status, &error);
        return;
    }
    request->revoked = 1;
    request->answer.status = MHD_HTTP_NO_CONTENT;
}

static void answer_number(struct connection *connection, const char *name, uint64_t number)
{
    struct answer *answer = &connection->request.answer;

    answer->type = CONTENT_JSON;
    (void)buffer_format(&answer->body, "{\"%s\":%" PRIu64 "}", name, number);
}

static void revoke_prefix(struct connection *connection, struct weir_audit *audit)
{
    const struct weir_requestor requestor = requestor_of(connection);
    struct weir_error error;
    uint64_t count = 0;
    enum weir_status status =
        weir_authority_revoke_prefix(connection->server->authority, &requestor,
                                     connection->request.target.prefix, &count, audit, &error);

    connection->request.revoked = count;
    if (status == WEIR_OK) {
        answer_number(connection, "revoked", count);
        return;
    }
    if (count > 0) {
        size_t length = strlen(error.message);

        (void)snprintf(error.message + length, sizeof error.message - length,
                       " (after %" PRIu64 " had been revoked)", count);
    }
    fail(connection, status, &error);
}

static void count_tokens(struct connection *connection, struct weir_audit *audit)
{
    struct weir_error error;
    uint64_t count = 0;
    enum weir_status status = WEIR_OK;

    audit->is_operator = requestor_of(connection).is_operator;
    if (!audit->is_operator) {
        answer_error(&connection->request.answer, OUTCOME_PERMISSION_DENIED,
                     "counting takes the operator's authority");
        return;
    }
    status = weir_authority_count(connection->server->authority, connection->request.target.prefix,
                                  &count, &error);
    if (status != WEIR_OK) {
        fail(connection, status, &error);
        return;
    }
    answer_number(connection, "count", count);
}

/*
 * ---- The server's own ----
 */

static void health(struct connection *connection)
{
    struct server *server = connection->server;
    struct answer *answer = &connection->request.answer;
    bool lasts = false;

    (void)pthread_mutex_lock(&server->lag.lock);
    lasts = server->lag.lasts;
    (void)pthread_mutex_unlock(&server->lag.lock);
    if (lasts) {
        answer_error(answer, OUTCOME_UNAVAILABLE, "changes cannot be published");
        return;
    }
    answer->type = "text/plain";
    (void)buffer_add(&answer->body, "OK", 2);
}

static void metrics(struct connection *connection)
{
    struct server *server = connection->server;
    struct answer *answer = &connection->request.answer;
    struct connection_counts counts = connections_count(&server->connections);
    struct gauges gauges = {
        .authority = weir_authority_status(server->authority),
        .connections = counts.connections,
        .requests = counts.requests,
        .buffered = lanes_bytes(&server->lanes),
        .audit_failures = record_failures(&server->audit),
        .log_failures = record_failures(&server->log.record),
    };

    (void)pthread_mutex_lock(&server->lag.lock);
    gauges.maintenance_failures = server->lag.failures;
    (void)pthread_mutex_unlock(&server->lag.lock);
    answer->type = "text/plain; version=0.0.4";
    if (!metrics_write(&server->metrics, &gauges, &answer->body)) {
        fail_memory(connection);
    }
}

void api_call(struct connection *connection, struct weir_audit *audit)
{
    switch (connection->request.target.call) {
    case CALL_LIST:
        list(connection, audit);
        break;
    case CALL_ISSUE:
        issue(connection, audit);
        break;
    case CALL_REVOKE:
        revoke_token(connection, audit);
        break;
    case CALL_REVOKE_PREFIX:
        revoke_prefix(connection, audit);
        break;
    case CALL_COUNT_TOKENS:
        count_tokens(connection, audit);
        break;
    case CALL_HEALTH:
        health(connection);
        break;
    case CALL_METRICS:
        metrics(connection);
        break;
    default: /* OPTIONS: headers are all its answer */
        break;
    }
}
