/* caller.h - a client of HTTP over a Unix socket, whose server may be killed at any moment. */
#ifndef WEIR_TESTS_SERVE_CALLER_H
#define WEIR_TESTS_SERVE_CALLER_H

#include <stdbool.h>
#include <stddef.h>

#define ANSWER_MAX 65536

struct caller {
    int socket; /* -1: there is no connection */
    int status; /* of the answer */
    size_t length;
    char answer[ANSWER_MAX]; /* head and body, terminated */
    const char *body;        /* in it */
};

void caller_init(struct caller *caller);

/* False: nobody listens. */
bool caller_connect(struct caller *caller, const char *path);
void caller_disconnect(struct caller *caller);

/* Whether a whole answer came; if not, the connection is ended. `body` is JSON, or NULL. */
bool caller_ask(struct caller *caller, const char *method, const char *path, const char *credential,
                const char *body);

#endif
