/* percent.h - percent-encoding, as URIs have it. */
#ifndef WEIR_WIRE_PERCENT_H
#define WEIR_WIRE_PERCENT_H

#include <stdbool.h>
#include <stddef.h>

#include <weir/name.h>

/*
 * Decodes once. `room` has `encoded.length` bytes, and may be where the encoded bytes are; `*text`
 * is what was put there. False: a percent sign that is not followed by two hexadecimal digits.
 */
bool weir_percent_decode(struct weir_text encoded, bool plus_is_space, char *room,
                         struct weir_text *text);

/* Encodes everything but unreserved characters: at most WEIR_PERCENT_MAX(text.length) bytes, which
 * are put into `room`. Returns their number. */
#define WEIR_PERCENT_MAX(length) (3 * (length))
size_t weir_percent_encode(struct weir_text text, char *room);

#endif
