#include "vocabulary/failure.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* The functions themselves: what analyzers see is in the header. */
#undef weir_fail
#undef weir_fail_memory
#undef weir_fail_errno
#undef weir_fail_as

const char *weir_status_name(enum weir_status status)
{
    static const char *const names[] = {
        [WEIR_OK] = "ok",
        [WEIR_ERROR_MEMORY] = "memory",
        [WEIR_ERROR_ARGUMENT] = "argument",
        [WEIR_ERROR_SYNTAX] = "syntax",
        [WEIR_ERROR_SCHEMA] = "schema",
        [WEIR_ERROR_NAME] = "name",
        [WEIR_ERROR_OPERATION] = "operation",
        [WEIR_ERROR_PERMISSION] = "permission",
        [WEIR_ERROR_DUPLICATE] = "duplicate",
        [WEIR_ERROR_LIMIT] = "limit",
        [WEIR_ERROR_IO] = "io",
        [WEIR_ERROR_NOT_IMAGE] = "not_image",
        [WEIR_ERROR_VERSION] = "version",
        [WEIR_ERROR_TRUNCATED] = "truncated",
        [WEIR_ERROR_CHECKSUM] = "checksum",
        [WEIR_ERROR_DAMAGED] = "damaged",
        [WEIR_ERROR_NOT_FOUND] = "not_found",
        [WEIR_ERROR_BUSY] = "busy",
        [WEIR_ERROR_OWNER] = "owner",
        [WEIR_ERROR_CREDENTIAL] = "credential",
        [WEIR_ERROR_DENIED] = "denied",
        [WEIR_ERROR_EXPIRY] = "expiry",
        [WEIR_ERROR_BEHIND] = "behind",
        [WEIR_ERROR_UNPUBLISHED] = "unpublished",
    };

    if ((unsigned)status >= sizeof names / sizeof names[0]) {
        return "unknown";
    }
    return names[status];
}

static void keep_printable(char *text)
{
    for (; *text != '\0'; text++) {
        if (*text < ' ' || *text > '~') {
            *text = '?';
        }
    }
}

enum weir_status weir_fail(struct weir_error *error, enum weir_status status, const char *format,
                           ...)
{
    va_list arguments;

    if (error == NULL) {
        return status;
    }
    error->status = status;
    error->line = 0;
    error->column = 0;
    error->place[0] = '\0';
    va_start(arguments, format);
    (void)vsnprintf(error->message, sizeof error->message, format, arguments);
    va_end(arguments);
    keep_printable(error->message);
    return status;
}

enum weir_status weir_fail_memory(struct weir_error *error)
{
    return weir_fail(error, WEIR_ERROR_MEMORY, "out of memory");
}

enum weir_status weir_fail_errno(struct weir_error *error, const char *what)
{
    char words[128];

    return weir_fail(error, WEIR_ERROR_IO, "%s: %s", what, strerror_r(errno, words, sizeof words));
}

enum weir_status weir_fail_as(struct weir_error *error, enum weir_status status,
                              const struct weir_error *attempt)
{
    if (status != WEIR_OK && error != NULL) {
        *error = *attempt;
    }
    return status;
}

void weir_error_within(struct weir_error *error, const char *format, ...)
{
    char inner[WEIR_PLACE_SIZE];
    va_list arguments;
    size_t length = 0;

    if (error == NULL) {
        return;
    }
    memcpy(inner, error->place, sizeof inner);
    va_start(arguments, format);
    (void)vsnprintf(error->place, sizeof error->place, format, arguments);
    va_end(arguments);
    keep_printable(error->place);
    length = strlen(error->place);
    (void)snprintf(error->place + length, sizeof error->place - length, "%s", inner);
}

struct weir_quoted_id weir_quoted_id(struct weir_text id)
{
    struct weir_quoted_id quoted;

    (void)weir_quote(id, quoted.text, sizeof quoted.text);
    return quoted;
}
