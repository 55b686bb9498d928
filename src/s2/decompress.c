#include "s2/decompress.h"

#include <stdint.h>

#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

/* zlib's: the largest window, and gzip's header and trailer around it. */
#define GZIP_WINDOW_BITS (15 + 16)

/* gzip's header and trailer, at least; and what deflate makes of a byte, at most. */
#define GZIP_MIN 18
#define DEFLATE_RATIO_MAX 1032

/* What is supposed of a zstd frame that doesn't say how long its content is. */
#define ZSTD_RATIO_SUPPOSED 8
#define ZSTD_SIZE_SUPPOSED 4096

static bool resize(struct s2_decoded *decoded, size_t size, struct s2_budget *budget)
{
    /* One byte where there is nothing, since there is a place for it all the same. */
    const size_t wanted = size > 0 ? size : 1;
    char *bytes = s2_budget_resize(budget, decoded->bytes, decoded->size, wanted);

    if (bytes == NULL) {
        return false;
    }
    decoded->bytes = bytes;
    decoded->size = wanted;
    return true;
}

/* The length that a member's trailer claims, which zlib then holds it to. */
static size_t gzip_claim(struct weir_text content)
{
    const unsigned char *trailer = (const unsigned char *)content.bytes + content.length - 4;

    return (size_t)trailer[0] | (size_t)trailer[1] << 8 | (size_t)trailer[2] << 16 |
           (size_t)trailer[3] << 24;
}

static enum s2_decompression inflate_member(struct weir_text content, struct s2_decoded *decoded)
{
    z_stream stream = {.next_in = (Bytef *)content.bytes, .avail_in = (uInt)content.length};
    int result = Z_OK;

    if (inflateInit2(&stream, GZIP_WINDOW_BITS) != Z_OK) {
        return S2_SHORT_OF_MEMORY;
    }
    stream.next_out = (Bytef *)decoded->bytes;
    stream.avail_out = (uInt)decoded->size;
    result = inflate(&stream, Z_FINISH);
    decoded->length = decoded->size - stream.avail_out;
    (void)inflateEnd(&stream);
    if (result == Z_MEM_ERROR) {
        return S2_SHORT_OF_MEMORY;
    }
    return result == Z_STREAM_END && stream.avail_in == 0 ? S2_DECOMPRESSED : S2_MALFORMED;
}

static enum s2_decompression decode_gzip(struct weir_text content, size_t most,
                                         struct s2_budget *budget, struct s2_decoded *decoded)
{
    size_t claim = 0;

    if (content.length < GZIP_MIN || content.length > UINT32_MAX) {
        return S2_MALFORMED;
    }
    claim = gzip_claim(content);
    if (claim / DEFLATE_RATIO_MAX > content.length) {
        return S2_MALFORMED;
    }
    if (claim > most) {
        return S2_TOO_LARGE;
    }
    if (!resize(decoded, claim, budget)) {
        return S2_SHORT_OF_MEMORY;
    }
    return inflate_member(content, decoded);
}

/* The length of the first frame's content, as it claims or as is supposed: it is the only one as a
 * rule. More than `most` only if it claims that. */
static size_t zstd_claim(struct weir_text content, size_t most)
{
    const unsigned long long claim = ZSTD_getFrameContentSize(content.bytes, content.length);
    const size_t supposed = content.length * ZSTD_RATIO_SUPPOSED + ZSTD_SIZE_SUPPOSED;

    if (claim == ZSTD_CONTENTSIZE_UNKNOWN || claim == ZSTD_CONTENTSIZE_ERROR) {
        return supposed < most ? supposed : most;
    }
    return claim > most ? most + 1 : (size_t)claim;
}

/* What is tried after so much was too small: `most` at last, and then more than that. */
static size_t next_room(size_t room, size_t most)
{
    const size_t larger = room * 4 + ZSTD_SIZE_SUPPOSED;

    return room == most ? most + 1 : larger < most ? larger : most;
}

static enum s2_decompression decode_zstd(struct weir_text content, size_t most,
                                         struct s2_budget *budget, struct s2_decoded *decoded)
{
    size_t room = content.length > 0 ? zstd_claim(content, most) : 0;

    if (content.length == 0) {
        return S2_MALFORMED;
    }
    while (room <= most) {
        size_t result = 0;

        if (!resize(decoded, room, budget)) {
            return S2_SHORT_OF_MEMORY;
        }
        result = ZSTD_decompress(decoded->bytes, room, content.bytes, content.length);
        if (!ZSTD_isError(result)) {
            decoded->length = result;
            return S2_DECOMPRESSED;
        }
        if (ZSTD_getErrorCode(result) == ZSTD_error_memory_allocation) {
            return S2_SHORT_OF_MEMORY;
        }
        if (ZSTD_getErrorCode(result) != ZSTD_error_dstSize_tooSmall) {
            return S2_MALFORMED;
        }
        room = next_room(room, most);
    }
    return S2_TOO_LARGE;
}

enum s2_decompression s2_decompress(struct weir_text content, enum s2_encoding encoding,
                                    size_t most, struct s2_budget *budget,
                                    struct s2_decoded *decoded)
{
    enum s2_decompression result = S2_MALFORMED;

    *decoded = (struct s2_decoded){0};
    if (encoding == S2_ENCODING_GZIP) {
        result = decode_gzip(content, most, budget, decoded);
    } else if (encoding == S2_ENCODING_ZSTD) {
        result = decode_zstd(content, most, budget, decoded);
    }
    if (result != S2_DECOMPRESSED) {
        s2_decoded_release(decoded, budget);
    }
    return result;
}

void s2_decoded_release(struct s2_decoded *decoded, struct s2_budget *budget)
{
    s2_budget_give(budget, decoded->bytes, decoded->size);
    *decoded = (struct s2_decoded){0};
}
