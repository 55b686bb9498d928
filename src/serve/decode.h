/* decode.h - the content encodings of request bodies. */
#ifndef WEIR_SERVE_DECODE_H
#define WEIR_SERVE_DECODE_H

#include <stdbool.h>
#include <stddef.h>

#include <weir/name.h>

#include "serve/buffer.h"
#include "serve/outcome.h"

/* The most bytes of a body, as it is sent and once it is decoded. */
#define BODY_ENCODED_MAX ((size_t)1 << 20)
#define BODY_DECODED_MAX ((size_t)4 << 20)

enum encoding { ENCODING_IDENTITY, ENCODING_GZIP, ENCODING_ZSTD };

/* Reads the value of a Content-Encoding header. False: not one of ours, or several. */
bool encoding_parse(struct weir_text value, enum encoding *encoding);

/*
 * Decodes a whole body in its place. Whatever the body, it takes memory of at most
 * BODY_DECODED_MAX and a little, within what the buffer's lane may have: zstd's window is the
 * result itself. OUTCOME_OK, _BAD_JSON (not encoded so), _TOO_LARGE, _UNAVAILABLE; then `*message`,
 * static, says it in words.
 */
enum outcome body_decode(struct buffer *body, enum encoding encoding, const char **message);

#endif
