#include "serve/audit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <weir/instant.h>

#include "serve/mask.h"
#include "serve/server.h"

/* An id or prefix, quoted; null for none. */
struct quoted_name {
    char text[WEIR_QUOTED_MAX(WEIR_TOKEN_ID_MAX)];
};

static struct quoted_name quote(const char *bytes, size_t length, bool there)
{
    char masked[WEIR_TOKEN_ID_MAX];
    struct quoted_name quoted = {.text = "null"};

    if (there && length == 0) {
        (void)memcpy(quoted.text, "\"\"", sizeof "\"\"");
    } else if (there) {
        /* Somebody may have put one where an id belongs. */
        length = length < sizeof masked ? length : sizeof masked;
        memcpy(masked, bytes, length);
        (void)weir_quote((struct weir_text){masked, mask_credentials(masked, length)}, quoted.text,
                         sizeof quoted.text);
    }
    return quoted;
}

/* Why evaluation denied it, if it did. */
static struct quoted_name quote_reason(const struct answer *answer, const struct weir_audit *audit)
{
    const char *reason = weir_reason_name(audit->reason);

    return quote(reason, strlen(reason),
                 answer->outcome == OUTCOME_PERMISSION_DENIED && audit->reason != WEIR_ALLOWED);
}

static size_t make_line(const struct connection *connection, const struct weir_audit *audit,
                        char *line, size_t size)
{
    const struct target *target = &connection->request.target;
    const struct answer *answer = &connection->request.answer;
    bool has_token = audit->token_id_length > 0;
    struct quoted_name token =
        has_token ? quote(audit->token_id, audit->token_id_length, true)
                  : quote(target->id.bytes, target->id.length, target->id.length > 0);
    char time[WEIR_INSTANT_SIZE];

    (void)weir_instant_print(weir_instant_now(), time);
    return (size_t)snprintf(
        line, size,
        "{\"time\":\"%s\",\"peer\":\"%s\",\"operator\":%s,\"requestor\":%s,"
        "\"requestor_number\":%" PRIu64 ",\"call\":\"%s\",\"token\":%s,\"token_number\":%" PRIu64
        ",\"prefix\":%s,\"sequence\":%" PRIu64 ",\"revoked\":%" PRIu64
        ",\"outcome\":\"%s\",\"reason\":%s}\n",
        time, connection->peer, audit->is_operator ? "true" : "false",
        quote(audit->requestor_id, audit->requestor_id_length, audit->requestor_id_length > 0).text,
        audit->requestor_number, call_name(target->call), token.text, audit->token_number,
        quote(target->prefix.bytes, target->prefix.length, target->has_prefix).text,
        audit->sequence, connection->request.revoked, outcome_code(answer->outcome),
        quote_reason(answer, audit).text);
}

void audit_write(struct connection *connection, const struct weir_audit *audit)
{
    struct server *server = connection->server;
    char line[4 * sizeof(struct quoted_name) + 512];
    size_t length = make_line(connection, audit, line, sizeof line);

    if (!record_write(&server->audit, line, length)) {
        log_write_some(&server->log, LOG_LEVEL_ERROR, "the audit trail cannot be written: %s",
                       strerror(errno));
    }
}
