/* reference_content.c - what is compressed, decoded in small pieces. */
#include <stdlib.h>
#include <string.h>

#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "s2/reference_append.h"

enum { PIECE = 1000, WINDOW_LOG_MAX = 21 };

static void add(struct reference_bytes *bytes, const char *piece, size_t length)
{
    bytes->bytes = realloc(bytes->bytes, bytes->length + length + 1);
    if (bytes->bytes == NULL) {
        abort();
    }
    if (length > 0) {
        memcpy(bytes->bytes + bytes->length, piece, length);
    }
    bytes->length += length;
}

static bool decode_gzip(struct weir_text content, size_t most, struct reference_bytes *decoded)
{
    z_stream stream = {.next_in = (Bytef *)content.bytes, .avail_in = (uInt)content.length};
    int result = Z_OK;

    if (inflateInit2(&stream, 15 + 16) != Z_OK) {
        abort();
    }
    while (result == Z_OK && decoded->length <= most) {
        char piece[PIECE];

        stream.next_out = (Bytef *)piece;
        stream.avail_out = PIECE;
        result = inflate(&stream, Z_NO_FLUSH);
        add(decoded, piece, PIECE - stream.avail_out);
    }
    (void)inflateEnd(&stream);
    return result == Z_STREAM_END && stream.avail_in == 0 && decoded->length <= most;
}

/* Of a frame whose window is large, which then is the result itself. */
static bool decode_zstd_at_once(struct weir_text content, size_t most,
                                struct reference_bytes *decoded)
{
    size_t result = 0;

    decoded->bytes = realloc(decoded->bytes, most + 1);
    if (decoded->bytes == NULL) {
        abort();
    }
    result = ZSTD_decompress(decoded->bytes, most + 1, content.bytes, content.length);
    decoded->length = ZSTD_isError(result) ? 0 : result;
    return !ZSTD_isError(result) && result <= most;
}

static bool decode_zstd(struct weir_text content, size_t most, struct reference_bytes *decoded)
{
    ZSTD_DCtx *context = ZSTD_createDCtx();
    ZSTD_inBuffer in = {content.bytes, content.length, 0};
    size_t result = 1;
    bool moves = true;

    (void)ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, WINDOW_LOG_MAX);
    while (!ZSTD_isError(result) && moves && decoded->length <= most &&
           (result != 0 || in.pos < in.size)) {
        char piece[PIECE];
        ZSTD_outBuffer out = {piece, PIECE, 0};
        const size_t before = in.pos;

        result = ZSTD_decompressStream(context, &out, &in);
        add(decoded, piece, out.pos);
        moves = in.pos != before || out.pos > 0;
    }
    (void)ZSTD_freeDCtx(context);
    if (ZSTD_getErrorCode(result) == ZSTD_error_frameParameter_windowTooLarge) {
        return decode_zstd_at_once(content, most, decoded);
    }
    return result == 0 && in.pos == in.size && decoded->length <= most;
}

bool reference_decompress(struct weir_text content, enum reference_compression compression,
                          size_t most, struct reference_bytes *decoded)
{
    *decoded = (struct reference_bytes){NULL, 0};
    switch (compression) {
    case REFERENCE_GZIP:
        return decode_gzip(content, most, decoded);
    case REFERENCE_ZSTD:
        return decode_zstd(content, most, decoded);
    default:
        add(decoded, content.bytes, content.length);
        return decoded->length <= most;
    }
}
