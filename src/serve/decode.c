#include "serve/decode.h"

#include <string.h>
#include <strings.h>

#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

/* zlib's: the largest window, and gzip's header and trailer around it. */
#define GZIP_WINDOW_BITS (15 + 16)

bool encoding_parse(struct weir_text value, enum encoding *encoding)
{
    static const struct {
        const char *name;
        enum encoding encoding;
    } encodings[] = {
        {"identity", ENCODING_IDENTITY},
        {"gzip", ENCODING_GZIP},
        {"x-gzip", ENCODING_GZIP},
        {"zstd", ENCODING_ZSTD},
    };

    for (size_t i = 0; i < sizeof encodings / sizeof encodings[0]; i++) {
        if (value.length == strlen(encodings[i].name) &&
            strncasecmp(value.bytes, encodings[i].name, value.length) == 0) {
            *encoding = encodings[i].encoding;
            return true;
        }
    }
    return false;
}

static enum outcome fail(enum outcome outcome, const char *why, const char **message)
{
    *message = why;
    return outcome;
}

static enum outcome fail_too_large(const char **message)
{
    return fail(OUTCOME_TOO_LARGE, "the decoded body is more than 4 MiB", message);
}

static enum outcome fail_memory(const char **message)
{
    return fail(OUTCOME_UNAVAILABLE, "too many bodies are being read; try again", message);
}

/* Inflates one or several members, one behind the other, until the input ends with one. */
static enum outcome inflate_all(z_stream *stream, const char **message)
{
    int result = Z_STREAM_END;

    do {
        if (result == Z_STREAM_END) {
            (void)inflateReset(stream);
        }
        result = inflate(stream, Z_NO_FLUSH);
        if (result == Z_MEM_ERROR) {
            return fail_memory(message);
        }
        if (stream->avail_out == 0) {
            return fail_too_large(message);
        }
        if (result != Z_OK && result != Z_STREAM_END) {
            return fail(OUTCOME_BAD_JSON, "the body is not gzip, as Content-Encoding says",
                        message);
        }
    } while (result != Z_STREAM_END || stream->avail_in > 0);
    return OUTCOME_OK;
}

static enum outcome decode_gzip(const struct buffer *body, struct buffer *decoded,
                                const char **message)
{
    z_stream stream = {.next_in = (Bytef *)body->bytes, .avail_in = (uInt)body->length};
    enum outcome outcome = OUTCOME_OK;

    if (!buffer_reserve_exactly(decoded, BODY_DECODED_MAX + 1) ||
        inflateInit2(&stream, GZIP_WINDOW_BITS) != Z_OK) {
        return fail_memory(message);
    }
    stream.next_out = (Bytef *)decoded->bytes;
    stream.avail_out = (uInt)decoded->room;
    outcome = inflate_all(&stream, message);
    decoded->length = decoded->room - stream.avail_out;
    (void)inflateEnd(&stream);
    return outcome;
}

static enum outcome decode_zstd(const struct buffer *body, struct buffer *decoded,
                                const char **message)
{
    size_t result = 0;

    if (!buffer_reserve_exactly(decoded, BODY_DECODED_MAX)) {
        return fail_memory(message);
    }
    result = ZSTD_decompress(decoded->bytes, BODY_DECODED_MAX, body->bytes, body->length);
    if (!ZSTD_isError(result)) {
        decoded->length = result;
        return OUTCOME_OK;
    }
    switch (ZSTD_getErrorCode(result)) {
    case ZSTD_error_dstSize_tooSmall:
        return fail_too_large(message);
    case ZSTD_error_memory_allocation:
        return fail_memory(message);
    default:
        return fail(OUTCOME_BAD_JSON, "the body is not zstd, as Content-Encoding says", message);
    }
}

enum outcome body_decode(struct buffer *body, enum encoding encoding, const char **message)
{
    struct buffer decoded = {.lane = body->lane};
    enum outcome outcome = OUTCOME_OK;

    if (encoding == ENCODING_IDENTITY) {
        return OUTCOME_OK;
    }
    outcome = encoding == ENCODING_GZIP ? decode_gzip(body, &decoded, message)
                                        : decode_zstd(body, &decoded, message);
    if (outcome != OUTCOME_OK) {
        buffer_release(&decoded);
        return outcome;
    }
    buffer_release(body);
    *body = decoded;
    return OUTCOME_OK;
}
