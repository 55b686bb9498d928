/* index.h - finding blocks. */
#ifndef WEIR_IMAGE_INDEX_H
#define WEIR_IMAGE_INDEX_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <weir/name.h>

#include "image/block.h"
#include "image/format.h"
#include "vocabulary/name_rules.h"
#include "vocabulary/pieces.h"
#include "vocabulary/text.h"
#include "vocabulary/vector.h"

struct weir_index {
    const struct weir_bucket *buckets;
    uint64_t bucket_count; /* homes */
    const struct weir_overflow *overflow;
    uint64_t overflow_count;
};

/* The buckets of an index with so many homes: those that the last homes spill into follow them. */
static inline uint64_t weir_bucket_total(uint64_t bucket_count)
{
    return bucket_count + WEIR_REACH - 1;
}

/* Where the blocks are that offsets lead to. */
struct weir_blocks {
    const char *section;
    unsigned shift;
    unsigned reach; /* most blocks end within so many bytes of where they begin, or within 64 */
};

static inline uint64_t weir_hash(struct weir_text key, uint64_t hash_key)
{
    return XXH3_64bits_withSeed(key.bytes, key.length, hash_key);
}

static inline uint16_t weir_hash_tag(uint64_t hash)
{
    uint16_t tag = (uint16_t)hash;

    return tag != 0 ? tag : 1;
}

__extension__ typedef unsigned __int128 weir_uint128;

static inline uint64_t weir_hash_home(uint64_t hash, uint64_t bucket_count)
{
    return (uint64_t)(((weir_uint128)hash * bucket_count) >> 64);
}

static inline const struct weir_block *weir_blocks_at(struct weir_blocks blocks, uint32_t offset)
{
    return (const struct weir_block *)(blocks.section + ((uint64_t)offset << blocks.shift));
}

/* The slots of the bucket that have this tag, two bits a slot of which the lower one is set: taken
 * apart by WEIR_SLOT_OF, the first of them, and `matches & (matches - 1)`, the others. */
static inline uint32_t weir_bucket_matches(const struct weir_bucket *bucket, uint16_t tag)
{
#if WEIR_SSE2
    /* Slots 0 to 7 are the first sixteen bytes, 8 and 9 the four after them. */
    const char *tags = (const char *)bucket;
    int32_t last_two;
    __m128i wanted = _mm_set1_epi16((short)tag);
    __m128i first = _mm_loadu_si128((const __m128i *)(const void *)tags);
    __m128i last;

    memcpy(&last_two, tags + 16, sizeof last_two);
    last = _mm_cvtsi32_si128(last_two);
    return ((uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi16(first, wanted)) |
            (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi16(last, wanted)) << 16) &
           0x55555;
#else
    uint32_t matches = 0;

    for (unsigned slot = 0; slot < WEIR_SLOTS; slot++) {
        matches |= (uint32_t)(bucket->tag[slot] == tag) << (2 * slot);
    }
    return matches;
#endif
}

#define WEIR_SLOT_OF(matches) ((unsigned)__builtin_ctz(matches) / 2)

_Static_assert(WEIR_READ_AHEAD <= WEIR_TOKEN_MARGIN && WEIR_READ_AHEAD <= WEIR_BLOCKS_MARGIN,
               "what is read beside a token is there");

/* The longest id of those that are found quickly. */
#define WEIR_SOUGHT_MAX 48

/* Which key of a block an index is about. */
enum weir_key_kind { WEIR_KEY_ID, WEIR_KEY_DIGEST };

/* Whether the two digests are the same, in a time that does not depend on where they differ. */
static inline bool weir_digest_equal(const uint8_t *left, const uint8_t *right)
{
    uint64_t difference = 0;

    for (unsigned i = 0; i < WEIR_DIGEST_SIZE; i += 8) {
        difference |=
            weir_load_word((const char *)left + i) ^ weir_load_word((const char *)right + i);
    }
    return difference == 0;
}

/* Whether an id is of those that are found quickly. */
static inline bool weir_id_is_usual(struct weir_text id)
{
    return id.length >= WEIR_WORD && id.length <= WEIR_SOUGHT_MAX;
}

/* Whether a block has that id, a usual one. */
static inline bool weir_block_has_sought(const struct weir_block *block, struct weir_text id)
{
    return block->id_length == id.length &&
           weir_names_equal(id.bytes, (const char *)(block + 1), id.length);
}

static inline bool weir_block_has_id(const struct weir_block *block, struct weir_text id)
{
    return weir_id_is_usual(id) ? weir_block_has_sought(block, id)
                                : weir_text_equal(weir_block_id(block), id);
}

static inline bool weir_block_has_key(const struct weir_block *block, struct weir_text key,
                                      enum weir_key_kind kind)
{
    if (kind == WEIR_KEY_DIGEST) {
        return (block->flags & WEIR_FLAG_DIGEST) != 0 &&
               weir_digest_equal(weir_block_digest(block), (const uint8_t *)key.bytes);
    }
    return weir_block_has_id(block, key);
}

/* Looks in the overflow. Out of line: few keys come this far. */
const struct weir_block *weir_index_find_spilled(const struct weir_index *index,
                                                 struct weir_blocks blocks, struct weir_text key,
                                                 uint64_t hash, enum weir_key_kind kind);

/* The block with that key (an id of at most WEIR_TOKEN_ID_MAX bytes, or the 32 of a digest), or
 * NULL. `kind` is a constant where this is inlined. */
static inline const struct weir_block *weir_index_find(const struct weir_index *index,
                                                       struct weir_blocks blocks,
                                                       struct weir_text key, uint64_t hash,
                                                       enum weir_key_kind kind)
{
    const struct weir_bucket *bucket = index->buckets + weir_hash_home(hash, index->bucket_count);
    uint16_t tag = weir_hash_tag(hash);

    for (unsigned reach = 0; reach < WEIR_REACH; reach++, bucket++) {
        uint32_t matches = weir_bucket_matches(bucket, tag);

        for (; matches != 0; matches &= matches - 1) {
            uint32_t offset = bucket->offset[WEIR_SLOT_OF(matches)];
            const struct weir_block *block = weir_blocks_at(blocks, offset);

            if (weir_block_has_key(block, key, kind)) {
                return block;
            }
        }
        if (bucket->spilled == 0) {
            return NULL;
        }
    }
    return weir_index_find_spilled(index, blocks, key, hash, kind);
}

/*
 * ---- Finding in two steps ----
 *
 * For whoever has something to do while the memory comes. Either step gives up (then it returns
 * false, and says nothing) where it is not done with a usual id and its home bucket.
 */

struct weir_sought {
    const struct weir_bucket *home;
    uint16_t tag;
};

/* Asks for the home bucket of what has that hash. */
static inline void weir_seek_hashed(const struct weir_bucket *buckets, uint64_t bucket_count,
                                    uint64_t hash, struct weir_sought *sought)
{
    sought->home = buckets + weir_hash_home(hash, bucket_count);
    sought->tag = weir_hash_tag(hash);
    __builtin_prefetch(sought->home);
}

/* Asks for the home bucket of an id. */
static inline __attribute__((always_inline)) bool weir_seek(const struct weir_bucket *buckets,
                                                            uint64_t bucket_count,
                                                            uint64_t hash_key, struct weir_text id,
                                                            struct weir_sought *sought)
{
    if (!weir_id_is_usual(id)) {
        return false;
    }
    weir_seek_hashed(buckets, bucket_count, weir_hash(id, hash_key), sought);
    return true;
}

/* Asks for a block's memory, so that no part of it waits until another has said how long it is. */
static inline void weir_blocks_prefetch(struct weir_blocks blocks, const struct weir_block *block)
{
    weir_block_prefetch(block);
    __builtin_prefetch((const char *)block + blocks.reach);
}

/* Loads from each line of a block in an image that it is likely to lie in. A processor that has as
 * many lines on their way as it can ignores a prefetch, but not a load: a round of loads that
 * nothing waits for makes sure. No line beyond the margin of the blocks is looked at. */
static inline void weir_block_load(const struct weir_block *block)
{
    const volatile char *bytes = (const volatile char *)block;

    (void)bytes[0];
    (void)bytes[WEIR_BLOCKS_MARGIN];
    (void)bytes[WEIR_BLOCKS_MARGIN + sizeof *block];
}

/* What is asked for of a block with tries before it is walked: all, if it has a few scopes. */
#define WEIR_TRIES_ASKED_FOR 512

/* Asks for that, of which two lines have come. */
static inline void weir_block_prefetch_tries(const struct weir_block *block)
{
    if ((block->flags & WEIR_FLAG_TRIES) != 0) {
        for (unsigned start = 128; start < WEIR_TRIES_ASKED_FOR; start += 64) {
            __builtin_prefetch((const char *)block + start);
        }
    }
}

#endif
