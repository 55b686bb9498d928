/* error.h - what went wrong, where, in words. */
#ifndef WEIR_ERROR_H
#define WEIR_ERROR_H

#include <stdint.h>

#include <weir/declarations.h>

WEIR_DECLARATIONS_BEGIN

/* Stable numbers: a code keeps its meaning for ever, new ones are added at the end. */
enum weir_status {
    WEIR_OK = 0,
    WEIR_ERROR_MEMORY = 1,     /* the allocator returned NULL */
    WEIR_ERROR_ARGUMENT = 2,   /* an argument that the function's comment forbids */
    WEIR_ERROR_SYNTAX = 3,     /* text that is not well-formed: JSON, UTF-8, RFC 3339 */
    WEIR_ERROR_SCHEMA = 4,     /* well-formed, but a field is unknown, missing or of a wrong type */
    WEIR_ERROR_NAME = 5,       /* a name or prefix that is not allowed */
    WEIR_ERROR_OPERATION = 6,  /* no such operation */
    WEIR_ERROR_PERMISSION = 7, /* a scope that permits nothing, auto-prefix without a prefix */
    WEIR_ERROR_DUPLICATE = 8,  /* two tokens of one id, or of one credential digest */
    WEIR_ERROR_LIMIT = 9,      /* more than a stated limit */
    WEIR_ERROR_IO = 10,        /* the operating system's refusal, in its words */
    WEIR_ERROR_NOT_IMAGE = 11, /* the bytes are not a Weir image */
    WEIR_ERROR_VERSION = 12,   /* an image of a version that this library does not read */
    WEIR_ERROR_TRUNCATED = 13, /* an image that is shorter than it says */
    WEIR_ERROR_CHECKSUM = 14,  /* an image whose bytes have changed since it was written */
    WEIR_ERROR_DAMAGED = 15,   /* an image whose checksum is right and whose structure is not; a
                                  published directory whose files contradict each other */
    WEIR_ERROR_NOT_FOUND = 16, /* no token of that id; nothing published there */
    WEIR_ERROR_BUSY = 17,      /* another process has it */
    WEIR_ERROR_OWNER = 18,     /* a file that somebody else owns or may write, or a link */
    WEIR_ERROR_CREDENTIAL = 19, /* none, or one of no token that lives */
    WEIR_ERROR_DENIED = 20,     /* a token that may not do that */
    WEIR_ERROR_EXPIRY = 21,     /* not in the future, or later than the issuer's */
    WEIR_ERROR_BEHIND = 22,     /* no change can be published yet; nothing was changed */
    WEIR_ERROR_UNPUBLISHED = 23 /* changed durably, not published yet: do not try again */
};

#define WEIR_PLACE_SIZE 128
#define WEIR_MESSAGE_SIZE 768

/*
 * Filled by every function that takes one and does not return WEIR_OK; otherwise untouched. Where a
 * function takes a `struct weir_error *`, NULL means that only the code is wanted.
 *
 * `message` and `place` are always terminated and hold printable ASCII only: names in them are
 * quoted as JSON strings, so they are safe to print and to log. `message` is one line without the
 * place. `place` is a path such as `access_tokens[3].scope.streams`, empty where there is none.
 */
struct weir_error {
    enum weir_status status;
    uint64_t line;   /* in a text, from 1; 0 where there is no line */
    uint64_t column; /* likewise, in characters */
    char place[WEIR_PLACE_SIZE];
    char message[WEIR_MESSAGE_SIZE];
};

/* "ok", "memory", "argument" …: the code as a word, for logs; "unknown" for any other number. Any
 * thread; the string is static. */
const char *weir_status_name(enum weir_status status);

WEIR_DECLARATIONS_END

#endif
