/* block.h - reading a block: the only place that knows where in it things are. */
#ifndef WEIR_IMAGE_BLOCK_H
#define WEIR_IMAGE_BLOCK_H

#include <stdbool.h>

#include <weir/image.h>
#include <weir/instant.h>
#include <weir/token.h>

#include "image/format.h"

static inline const struct weir_block *weir_block_of(const struct weir_compiled_token *token)
{
    return (const struct weir_block *)(const void *)token;
}

static inline const struct weir_compiled_token *weir_block_token(const struct weir_block *block)
{
    return (const struct weir_compiled_token *)(const void *)block;
}

/* The next multiple of 4. */
static inline size_t weir_round_up_4(size_t size)
{
    return (size + 3) & ~(size_t)3;
}

/* The names follow the header, one after the other. */
static inline struct weir_text weir_block_id(const struct weir_block *block)
{
    return (struct weir_text){(const char *)(block + 1), block->id_length};
}

static inline struct weir_text weir_block_basin(const struct weir_block *block)
{
    return (struct weir_text){(const char *)(block + 1) + block->id_length, block->basin_length};
}

static inline struct weir_text weir_block_stream(const struct weir_block *block)
{
    struct weir_text basin = weir_block_basin(block);

    return (struct weir_text){basin.bytes + basin.length, block->stream_length};
}

static inline struct weir_text weir_block_access_token(const struct weir_block *block)
{
    struct weir_text stream = weir_block_stream(block);

    return (struct weir_text){stream.bytes + stream.length, block->access_token_length};
}

/* Where the digest is, if there is one. */
static inline const uint8_t *weir_block_digest(const struct weir_block *block)
{
    struct weir_text access_token = weir_block_access_token(block);

    return (const uint8_t *)access_token.bytes + access_token.length;
}

/* Bytes before the tries, or in all where there are none. */
static inline size_t weir_block_size_without_tries(const struct weir_block *block)
{
    return sizeof *block + block->id_length + block->basin_length + block->stream_length +
           block->access_token_length +
           ((block->flags & WEIR_FLAG_DIGEST) != 0 ? WEIR_DIGEST_SIZE : 0);
}

static inline const struct weir_tries *weir_block_tries(const struct weir_block *block)
{
    return (const struct weir_tries *)((const char *)block +
                                       weir_round_up_4(weir_block_size_without_tries(block)));
}

static inline size_t weir_block_size(const struct weir_block *block)
{
    size_t size = weir_block_size_without_tries(block);

    return (block->flags & WEIR_FLAG_TRIES) == 0
               ? size
               : weir_round_up_4(size) + weir_block_tries(block)->size;
}

/* The longest name of a stream that the token's client may use: what its own prefix leaves. */
static inline size_t weir_block_longest_stream(const struct weir_block *block)
{
    return WEIR_STREAM_MAX -
           ((block->flags & WEIR_FLAG_AUTO_PREFIX) != 0 ? block->stream_length : 0u);
}

/* Asks for a block's memory: its first two cache lines. */
static inline void weir_block_prefetch(const struct weir_block *block)
{
    __builtin_prefetch(block);
    __builtin_prefetch((const char *)block + 64);
}

/* `shift` is one of WEIR_KIND_BASINS, _STREAMS, _ACCESS_TOKENS. */
static inline enum weir_set_kind weir_block_kind(const struct weir_block *block, unsigned shift)
{
    return (enum weir_set_kind)(block->kinds >> shift & 3);
}

/* An instant as a block holds it; they compare first by `high`, then by `low`. */
struct weir_expiry {
    uint64_t high;
    unsigned low;
};

static inline struct weir_expiry weir_expiry_of(struct weir_instant instant)
{
    if (instant.seconds < WEIR_INSTANT_SECONDS_MIN) {
        instant = (struct weir_instant){WEIR_INSTANT_SECONDS_MIN, 0};
    } else if (instant.seconds > WEIR_INSTANT_SECONDS_MAX) {
        instant = (struct weir_instant){WEIR_INSTANT_SECONDS_MAX + 1, 0};
    }
    return (struct weir_expiry){(uint64_t)(instant.seconds - WEIR_INSTANT_SECONDS_MIN)
                                        << WEIR_EXPIRES_SECONDS_SHIFT |
                                    instant.nanoseconds >> WEIR_EXPIRES_LOW_BITS,
                                instant.nanoseconds & ((1u << WEIR_EXPIRES_LOW_BITS) - 1)};
}

static inline bool weir_block_expired(const struct weir_block *block, struct weir_expiry now)
{
    return now.high >= block->expires &&
           (now.high > block->expires || now.low >= block->expires_low);
}

/* Whether it expired before that instant, which is not before its expiry's second nanosecond. */
static inline bool weir_block_expired_before(const struct weir_block *block,
                                             struct weir_expiry then)
{
    return then.high >= block->expires &&
           (then.high > block->expires || then.low > block->expires_low);
}

#endif
