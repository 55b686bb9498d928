/* answer_strip.h - taking a token's stream prefix off what the server says. */
#ifndef WEIR_S2_ANSWER_STRIP_H
#define WEIR_S2_ANSWER_STRIP_H

#include <stddef.h>

#include <weir/name.h>

/*
 * A copy of a message in which the stream's effective name, `prefix` and `stream`, is the name that
 * the client knows. If the prefix is in it elsewhere, too, another message instead. Terminated;
 * NULL: no memory. To be released with free().
 */
char *s2_message_strip(struct weir_text message, struct weir_text prefix, struct weir_text stream,
                       size_t *length);

/* The body of an error whose message is not known. */
#define S2_UNKNOWN_ERROR "{\"code\":\"other\",\"message\":\"\"}"

/* Likewise of the body of an error, JSON or not. */
char *s2_error_strip(struct weir_text body, struct weir_text prefix, struct weir_text stream,
                     size_t *length);

#endif
