/* answer.h - what a request is answered with. */
#ifndef WEIR_SERVE_ANSWER_H
#define WEIR_SERVE_ANSWER_H

#include <stdbool.h>

#include <microhttpd.h>

#include <weir/error.h>

#include "serve/buffer.h"
#include "serve/outcome.h"

#define CONTENT_JSON "application/json"

/* All zero is OK, without a body. */
struct answer {
    enum outcome outcome;
    unsigned status;   /* of HTTP; 0: the outcome's */
    const char *type;  /* of the body */
    const char *allow; /* of METHOD_NOT_ALLOWED */
    struct buffer body;
};

/* {"code":…,"message":…}; the message is printable ASCII. What was there goes. */
void answer_error(struct answer *answer, enum outcome outcome, const char *message);

/* Likewise with the line, column and place that the error has. */
void answer_failure(struct answer *answer, enum outcome outcome, const struct weir_error *error);

void answer_release(struct answer *answer);

/* Queues it, `to_browsers` with the headers that let pages of any origin read it, `closing` the
 * connection after it. The body is released when it has been sent. What MHD's handler is to return.
 */
enum MHD_Result answer_send(struct answer *answer, struct MHD_Connection *connection,
                            bool to_browsers, bool closing);

#endif
