/* server.h - a `weir serve` of its own for a test. */
#ifndef WEIR_TESTS_AUTHORITY_SERVER_H
#define WEIR_TESTS_AUTHORITY_SERVER_H

#include <sys/types.h>

struct server_place {
    const char *program; /* weir */
    const char *store;
    const char *directory; /* where it publishes */
    const char *lease;     /* in seconds; NULL: what weir serve takes without */
    const char *api;       /* the path of its socket */
    const char *log;       /* the path of its log */
};

/* Starts it; it ends with the thread that did. -1: there is no process for it. */
pid_t server_start(const struct server_place *place);

#endif
