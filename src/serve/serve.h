/* serve.h - the authority as a server of HTTP: S2's /v1/access-tokens. Needs libmicrohttpd, zlib
 * and libzstd. */
#ifndef WEIR_SERVE_SERVE_H
#define WEIR_SERVE_SERVE_H

#include <stdbool.h>
#include <stddef.h>

#include <weir/authority.h>
#include <weir/error.h>

struct serve_options {
    const char *const *addresses; /* `unix:PATH`, `HOST:PORT` */
    size_t address_count;
    const char *metrics; /* likewise, where metrics are answered; NULL: the operator is alone */
    const char *operator_path;
    const char *audit; /* NULL: none; "-": standard error */
    const char *log;   /* likewise */
    bool allow_remote;
    unsigned connections; /* at one time, on all sockets but the operator's */
    unsigned connections_per_address;
};

/*
 * Serves until SIGINT or SIGTERM, then finishes what was begun; SIGHUP opens the files of the log
 * and the audit trail anew. Gives the authority's heartbeats and keeps its house. Blocks these
 * signals, raises the limit of open files to what it may be, and leaves no core behind. To be
 * called by a process that has one thread.
 *
 * False on an error, before anything has been served: `*about` is what it is about, an option's
 * value or NULL, and `error` says what.
 */
bool serve(struct weir_authority *authority, const struct serve_options *options,
           const char **about, struct weir_error *error);

#endif
