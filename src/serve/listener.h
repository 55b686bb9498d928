/* listener.h - sockets that clients connect to. */
#ifndef WEIR_SERVE_LISTENER_H
#define WEIR_SERVE_LISTENER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <weir/error.h>

#define LISTENERS_MAX 16
#define LISTENER_NAME_SIZE 160

struct listener {
    int descriptor;                /* -1: somebody else's by now */
    char name[LISTENER_NAME_SIZE]; /* printable: `127.0.0.1:8080`, `unix:"/run/weir.socket"` */
    const char *path;              /* of a Unix socket, else NULL */
    dev_t device;                  /* with the number of its file: whether it is still ours */
    ino_t file;
};

/*
 * Opens a Unix socket at `path`, which outlives it: of mode 0600 if it is `private`, else 0666. One
 * that is there already goes if nobody listens on it. WEIR_OK; WEIR_ERROR_BUSY: somebody does;
 * WEIR_ERROR_IO; WEIR_ERROR_ARGUMENT: the path is too long. Changes the process's umask meanwhile.
 */
enum weir_status listener_open_unix(struct listener *listener, const char *path, bool private,
                                    struct weir_error *error);

/*
 * Opens what `address` stands for: `unix:PATH`, or HOST:PORT, which may be several sockets. They
 * are added to `listeners`. WEIR_ERROR_DENIED: one that other machines reach, and not
 * `allow_remote`; WEIR_ERROR_LIMIT: more than LISTENERS_MAX; else as listener_open_unix.
 */
enum weir_status listeners_open(struct listener listeners[LISTENERS_MAX], size_t *count,
                                const char *address, bool allow_remote, struct weir_error *error);

/* Closes it; a Unix socket's file goes, if it is still ours. */
void listener_close(struct listener *listener);

#endif
