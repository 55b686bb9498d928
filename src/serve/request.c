#include "serve/request.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "serve/api.h"
#include "serve/audit.h"
#include "serve/headers.h"
#include "serve/server.h"

/* A body that is refused is read to its end up to so many bytes, so that who sends it can read the
 * answer; one that is longer finds the connection closed. */
#define DROPPED_MAX ((uint64_t)4 << 20)

static struct connection *connection_of(struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    return info != NULL ? info->socket_context : NULL;
}

void request_connection_changed(void *context, struct MHD_Connection *mhd, void **connection,
                                enum MHD_ConnectionNotificationCode code)
{
    const struct site *site = context;
    const union MHD_ConnectionInfo *info = NULL;

    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
        *connection = info != NULL ? connection_new(site->server, &site->server->connections,
                                                    info->connect_fd, site->kind)
                                   : NULL;
    } else if (*connection != NULL) {
        connection_free(&site->server->connections, *connection);
        *connection = NULL;
    }
}

/* The URI as it was sent: what MHD makes of it is not looked at. */
void *request_begin(void *context, const char *uri, struct MHD_Connection *mhd)
{
    struct connection *connection = connection_of(mhd);
    struct request *request = NULL;

    (void)context;
    if (connection == NULL) {
        return NULL;
    }
    connection_begin_request(&connection->server->connections, connection);
    connection_expect(&connection->server->connections, connection, SECONDS_TO_SEND);
    request = &connection->request;
    request->uri_length = strlen(uri);
    if (request->uri_length <= URI_MAX) {
        memcpy(request->uri, uri, request->uri_length + 1);
    }
    return NULL;
}

void request_completed(void *context, struct MHD_Connection *mhd, void **state,
                       enum MHD_RequestTerminationCode code)
{
    struct connection *connection = connection_of(mhd);

    (void)context;
    (void)state;
    (void)code;
    if (connection != NULL) {
        connection_end_request(&connection->server->connections, connection);
        connection_expect(&connection->server->connections, connection, SECONDS_IDLE);
    }
}

/*
 * ---- Answering ----
 */

/* MHD takes a line feed alone, or a carriage return, for the end of a line between chunks, which
 * others may not: what follows them is not read for another request. */
static enum MHD_Result send_answer(struct connection *connection, struct MHD_Connection *mhd)
{
    struct request *request = &connection->request;

    return answer_send(&request->answer, mhd, connection->site == SITE_PUBLIC,
                       connections_count(&connection->server->connections).closing ||
                           request->chunked || request->answer.outcome == OUTCOME_BAD_HEADER);
}

/* The answer is known: records what it is. */
static void conclude(struct connection *connection)
{
    struct server *server = connection->server;
    struct request *request = &connection->request;

    if (request->target.call < CALL_AUTHORITY_COUNT) {
        audit_write(connection, &request->audit);
    }
    metrics_count(&server->metrics, request->target.call, request->answer.outcome,
                  clock_now() - request->began);
    request->answer.allow = request->target.allow;
    request->concluded = true;
    connection_answer(&server->connections, connection, SECONDS_TO_TAKE);
}

static void make_call(struct connection *connection)
{
    struct request *request = &connection->request;
    const char *message = NULL;
    enum outcome outcome = request->target.call == CALL_ISSUE
                               ? body_decode(&request->body, request->encoding, &message)
                               : OUTCOME_OK;

    if (outcome != OUTCOME_OK) {
        answer_error(&request->answer, outcome, message);
    } else {
        api_call(connection, &request->audit);
    }
    buffer_release(&request->body);
    conclude(connection);
}

/* On a worker's thread. */
static void run_call(struct job *job, bool refused)
{
    struct call_job *call = (struct call_job *)job;

    if (refused) {
        answer_error(&call->connection->request.answer, OUTCOME_UNAVAILABLE,
                     "the server is ending");
        conclude(call->connection);
    } else {
        make_call(call->connection);
    }
    MHD_resume_connection(call->mhd);
}

/* Has a worker make the call, when it is the requestor's turn; then MHD comes back. */
static void await_call(struct connection *connection, struct MHD_Connection *mhd)
{
    struct request *request = &connection->request;

    request->call =
        (struct call_job){.job = {.run = run_call}, .connection = connection, .mhd = mhd};
    MHD_suspend_connection(mhd);
    if (!lane_call(request->lane, &request->call.job)) {
        answer_error(&request->answer, OUTCOME_UNAVAILABLE,
                     "too many requests with this credential wait; try again");
        conclude(connection);
        MHD_resume_connection(mhd);
    }
}

/* The request is there whole. */
static enum MHD_Result finish(struct connection *connection, struct MHD_Connection *mhd)
{
    struct request *request = &connection->request;

    request->began = clock_now();
    connection_expect(&connection->server->connections, connection, 0);
    if (request->refused) {
        buffer_release(&request->body);
        conclude(connection);
    } else if (request->lane != NULL && connection->site == SITE_PUBLIC) {
        await_call(connection, mhd);
        return MHD_YES;
    } else {
        make_call(connection);
    }
    return send_answer(connection, mhd);
}

/*
 * ---- Reading ----
 */

/* The answer is known, whatever is still to come of the request. False, as it says. */
static bool refuse(struct request *request, enum outcome outcome, const char *message)
{
    request->refused = true;
    answer_error(&request->answer, outcome, message);
    return false;
}

/* MHD takes a NUL byte for the end of a method or URI, behind which the next part then does not
 * come. */
static bool is_whole(const struct request *request, const char *url, const char *method,
                     const char *version)
{
    return (uintptr_t)url - (uintptr_t)method == strlen(method) + 1 &&
           (uintptr_t)version - (uintptr_t)url == request->uri_length + 1;
}

static bool read_target(struct connection *connection, const char *method, const char *url,
                        const char *version)
{
    struct request *request = &connection->request;
    const char *message = NULL;
    enum outcome outcome = OUTCOME_OK;

    if (request->uri_length > URI_MAX) {
        request->target.call = CALL_OTHER;
        return refuse(request, OUTCOME_URI_TOO_LONG, "the URI has more than 2047 bytes");
    }
    if (!is_whole(request, url, method, version)) {
        request->target.call = CALL_OTHER;
        return refuse(request, OUTCOME_BAD_PATH, "method, URI and version are not one blank apart");
    }
    outcome = target_read(method, request->uri, connection->site, &request->target, &message);
    return outcome == OUTCOME_OK || refuse(request, outcome, message);
}

/* Keeps the credential, and nothing of it elsewhere. */
static void keep_credential(struct request *request, struct headers *headers)
{
    struct weir_text credential = headers_credential(headers);

    request->has_authorization = headers->there[HEADER_AUTHORIZATION];
    if (credential.length == sizeof request->credential) {
        memcpy(request->credential, credential.bytes, credential.length);
        request->credential_length = credential.length;
    }
    headers_wipe(headers);
}

static bool read_framing(struct request *request, const struct headers *headers,
                         const char *version)
{
    const char *ambiguity = headers_ambiguity(headers, version);
    char message[64];

    if (headers->twice != NULL) {
        (void)snprintf(message, sizeof message, "%s is there twice", headers->twice);
        return refuse(request, OUTCOME_BAD_HEADER, message);
    }
    return ambiguity == NULL || refuse(request, OUTCOME_BAD_HEADER, ambiguity);
}

static bool may_ask(const struct connection *connection, struct request *request)
{
    return request->target.call >= CALL_AUTHORITY_COUNT || connection->site != SITE_OPERATOR ||
           request->has_authorization || connection->peer_is_operator ||
           refuse(request, OUTCOME_PERMISSION_DENIED,
                  "only root and the server's own user have the operator's authority");
}

/* Nobody else's body is held, and nobody else waits for a worker. */
static bool is_admitted(struct connection *connection, struct request *request)
{
    struct connections *connections = &connection->server->connections;

    connection_expect(connections, connection, 0);
    request->refused = !api_admit(connection, &request->audit);
    connection_expect(connections, connection, SECONDS_TO_SEND);
    if (request->refused) {
        return false;
    }
    request->lane = lane_enter(&connection->server->lanes, request->audit.requestor_number);
    request->body.lane = request->lane;
    return request->lane != NULL || refuse(request, OUTCOME_UNAVAILABLE, "there is no memory");
}

/* What is told of the body of a call that has one. */
static bool read_body_headers(struct request *request, const struct headers *headers,
                              uint64_t length)
{
    if (!headers_json(headers)) {
        return refuse(request, OUTCOME_UNSUPPORTED_MEDIA_TYPE,
                      "the body has to be application/json");
    }
    if (headers->there[HEADER_CONTENT_ENCODING] &&
        !encoding_parse(headers->values[HEADER_CONTENT_ENCODING], &request->encoding)) {
        return refuse(request, OUTCOME_UNSUPPORTED_MEDIA_TYPE,
                      "Content-Encoding may be identity, gzip or zstd");
    }
    return length <= BODY_ENCODED_MAX ||
           refuse(request, OUTCOME_TOO_LARGE, "the body is more than 1 MiB");
}

/*
 * The headers are there, and all is said that can be said of them. A request that is refused is
 * answered at once if its body has not been sent yet, is too long to be read for nothing, or cannot
 * be told from what follows it.
 */
static enum MHD_Result present(struct connection *connection, struct MHD_Connection *mhd,
                               const char *method, const char *url, const char *version)
{
    struct request *request = &connection->request;
    struct headers headers;
    uint64_t length = 0;
    bool has_body = false;

    request->presented = true;
    request->began = clock_now();
    headers_read(mhd, method, version, &headers);
    has_body = headers_body(&headers, &length);
    request->chunked = headers.there[HEADER_TRANSFER_ENCODING];
    keep_credential(request, &headers);
    (void)read_target(connection, method, url, version);
    if (read_framing(request, &headers, version) && !request->refused &&
        may_ask(connection, request) && request->target.call < CALL_AUTHORITY_COUNT &&
        is_admitted(connection, request) && request->target.call == CALL_ISSUE) {
        (void)read_body_headers(request, &headers, length);
    }
    if (request->refused &&
        (request->answer.outcome == OUTCOME_BAD_HEADER ||
         (has_body && (headers.there[HEADER_EXPECT] || length > DROPPED_MAX)))) {
        conclude(connection);
        return send_answer(connection, mhd);
    }
    return MHD_YES;
}

/* Some of the body, which only an issue's is kept of. */
static enum MHD_Result take(struct request *request, const char *data, size_t size)
{
    request->received += size;
    if (request->target.call == CALL_ISSUE && !request->refused) {
        if (request->received > BODY_ENCODED_MAX) {
            (void)refuse(request, OUTCOME_TOO_LARGE, "the body is more than 1 MiB");
        } else if (!buffer_add(&request->body, data, size)) {
            (void)refuse(request, OUTCOME_UNAVAILABLE, "too many bodies are being read; try again");
        }
        if (request->refused) {
            buffer_release(&request->body);
        }
    }
    return request->received <= DROPPED_MAX ? MHD_YES : MHD_NO;
}

enum MHD_Result request_handle(void *context, struct MHD_Connection *mhd, const char *url,
                               const char *method, const char *version, const char *data,
                               size_t *size, void **state)
{
    struct connection *connection = connection_of(mhd);
    enum MHD_Result result = MHD_NO;

    (void)context;
    (void)state;
    if (connection == NULL || !connection->request.begun) {
        return MHD_NO;
    }
    if (!connection->request.presented) {
        return present(connection, mhd, method, url, version);
    }
    if (connection->request.concluded) {
        return send_answer(connection, mhd);
    }
    if (*size == 0) {
        return finish(connection, mhd);
    }
    result = take(&connection->request, data, *size);
    *size = 0;
    return result;
}
