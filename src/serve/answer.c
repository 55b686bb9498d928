#include "serve/answer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weir/name.h>

#include "serve/mask.h"

#define MESSAGE_SIZE (WEIR_MESSAGE_SIZE + WEIR_PLACE_SIZE + 64)

void answer_release(struct answer *answer)
{
    buffer_release(&answer->body);
    *answer = (struct answer){.outcome = OUTCOME_OK};
}

void answer_error(struct answer *answer, enum outcome outcome, const char *message)
{
    char masked[MESSAGE_SIZE];
    char quoted[WEIR_QUOTED_MAX(MESSAGE_SIZE)];
    size_t length = strnlen(message, sizeof masked);

    answer_release(answer);
    answer->outcome = outcome;
    answer->type = CONTENT_JSON;
    memcpy(masked, message, length);
    (void)weir_quote((struct weir_text){masked, mask_credentials(masked, length)}, quoted,
                     sizeof quoted);
    (void)buffer_format(&answer->body, "{\"code\":\"%s\",\"message\":%s}", outcome_code(outcome),
                        quoted);
}

/* Clients compare S2's words for what is permitted by nothing, or prefixed with nothing: they have
 * no place. S2 has no tokens of several scopes. */
static bool has_place(const struct weir_error *error)
{
    static const char several[] = "scopes";

    return error->place[0] != '\0' && (error->status != WEIR_ERROR_PERMISSION ||
                                       strncmp(error->place, several, sizeof several - 1) == 0);
}

void answer_failure(struct answer *answer, enum outcome outcome, const struct weir_error *error)
{
    const bool place = has_place(error);
    char message[MESSAGE_SIZE];
    char where[64] = "";

    if (error->line != 0 && error->column != 0) {
        (void)snprintf(where, sizeof where, "line %" PRIu64 ", column %" PRIu64 ": ", error->line,
                       error->column);
    }
    (void)snprintf(message, sizeof message, "%s%s%s%s", where, place ? error->place : "",
                   place ? ": " : "", error->message);
    answer_error(answer, outcome, message);
}

static void release_body(void *context)
{
    struct buffer *body = context;

    buffer_release(body);
    free(body);
}

/* The body becomes the response's. */
static struct MHD_Response *make_response(struct answer *answer)
{
    struct MHD_Response *response = NULL;
    struct buffer *body = NULL;

    if (answer->body.length == 0) {
        return MHD_create_response_from_buffer(0, (char[]){""}, MHD_RESPMEM_MUST_COPY);
    }
    body = malloc(sizeof *body);
    if (body == NULL) {
        return NULL;
    }
    *body = answer->body;
    response = MHD_create_response_from_buffer_with_free_callback_cls(body->length, body->bytes,
                                                                      release_body, body);
    if (response == NULL) {
        free(body);
    } else {
        answer->body = (struct buffer){.lane = NULL};
    }
    return response;
}

static void add_header(struct MHD_Response *response, const char *name, const char *value)
{
    if (value != NULL) {
        (void)MHD_add_response_header(response, name, value);
    }
}

/* As S2's server has them: any origin may ask anything, which it does with a token or not at all.
 */
static void add_browser_headers(struct MHD_Response *response, struct MHD_Connection *connection)
{
    add_header(response, "Access-Control-Allow-Origin",
               MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Origin"));
    add_header(response, "Access-Control-Allow-Credentials", "true");
    add_header(response, "Vary",
               "origin, access-control-request-method, access-control-request-headers");
    add_header(
        response, "Access-Control-Allow-Methods",
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Access-Control-Request-Method"));
    add_header(
        response, "Access-Control-Allow-Headers",
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Access-Control-Request-Headers"));
}

enum MHD_Result answer_send(struct answer *answer, struct MHD_Connection *connection,
                            bool to_browsers, bool closing)
{
    struct MHD_Response *response = make_response(answer);
    enum MHD_Result result = MHD_NO;

    if (response == NULL) {
        return MHD_NO;
    }
    if (to_browsers) {
        add_browser_headers(response, connection);
    }
    add_header(response, "Content-Type", answer->type);
    add_header(response, "Cache-Control", "no-store");
    add_header(response, "Allow", answer->allow);
    add_header(response, "WWW-Authenticate", answer->outcome == OUTCOME_AUTHN ? "Bearer" : NULL);
    add_header(response, "Retry-After", answer->outcome == OUTCOME_UNAVAILABLE ? "1" : NULL);
    add_header(response, "Connection", closing ? "close" : NULL);
    result = MHD_queue_response(
        connection, answer->status != 0 ? answer->status : outcome_status(answer->outcome),
        response);
    MHD_destroy_response(response);
    return result;
}
