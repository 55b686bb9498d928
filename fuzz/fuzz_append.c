/*
 * The body of an append, of any form, whole or in pieces: what is read of it is what a slow
 * reference reads, and what is sent on is that.
 *
 * The first byte says how the body is sent: bits 0-1 the content, bits 2-3 the encoding, bit 4 that
 * memory is scarce. The second says how scarce, and in what pieces a session's bytes come. The rest
 * is the body.
 */
#include <stdint.h>

#include "demand.h"
#include "s2/append_agreement.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CONTENT_JSON, CONTENT_BASE64, CONTENT_PROTOBUF, CONTENT_SESSION };

/* More than the largest body can take. */
#define PLENTY ((size_t)64 << 20)

struct pieces {
    uint32_t state;
};

static size_t next_piece(void *context)
{
    struct pieces *pieces = context;

    pieces->state = pieces->state * 1664525 + 1013904223;
    return 1 + (pieces->state >> 24) % (1 + (pieces->state >> 16) % 64);
}

static void check_unary(struct weir_text body, unsigned mode, size_t most)
{
    static const enum s2_encoding encodings[] = {S2_ENCODING_IDENTITY, S2_ENCODING_ZSTD,
                                                 S2_ENCODING_GZIP, S2_ENCODING_IDENTITY};
    const struct sending sending = {(mode & 3) == CONTENT_PROTOBUF ? S2_CONTENT_PROTOBUF
                                                                   : S2_CONTENT_JSON,
                                    encodings[mode >> 2 & 3], (mode & 3) == CONTENT_BASE64};
    bool read = false;

    demand(unary_disagreement(body, sending, most, &read) == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const unsigned mode = size > 0 ? data[0] : 0;
    const unsigned second = size > 1 ? data[1] : 0;
    const struct weir_text body = {size > 2 ? (const char *)data + 2 : NULL,
                                   size > 2 ? size - 2 : 0};
    const size_t most = (mode & 16) != 0 ? (size_t)second * 32 : PLENTY;
    struct pieces pieces = {second};
    size_t frames = 0;

    if ((mode & 3) == CONTENT_SESSION) {
        demand(session_disagreement(body, next_piece, &pieces, most, &frames) == NULL);
    } else {
        check_unary(body, mode, most);
    }
    return 0;
}
