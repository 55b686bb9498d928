/* base64.h - RFC 4648's base64, as strictly as S2's server reads it. */
#ifndef WEIR_S2_BASE64_H
#define WEIR_S2_BASE64_H

#include <stdbool.h>
#include <stddef.h>

#include <weir/name.h>

/*
 * Decodes a text of the standard alphabet, padded, without anything else in it, the bits that are
 * left over zero. `out` has text.length / 4 * 3 bytes, or is where the text itself begins. False:
 * it is not such a text; what is in `out` then means nothing.
 */
bool s2_base64_decode(struct weir_text text, char *out, size_t *length);

#endif
