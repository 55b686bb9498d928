/*
 * find.h - the read path: from an id or a digest to a block, inside a read section. The letters are
 * those of the memory model in engine.h.
 */
#ifndef WEIR_LIVE_FIND_H
#define WEIR_LIVE_FIND_H

#include "live/engine.h"
#include "vocabulary/vector.h"

static inline const struct weir_edition *weir_engine_edition(const struct weir_engine *engine)
{
    return __atomic_load_n(&engine->edition, __ATOMIC_ACQUIRE); /* A */
}

/*
 * ---- Handles ----
 */

static inline uintptr_t *weir_handles_entry(const struct weir_handles *handles, uint32_t handle)
{
    uint32_t position = handle + (UINT32_C(1) << WEIR_HANDLES_FIRST_LOG);
    unsigned log = 31 - (unsigned)__builtin_clz(position);
    uintptr_t *segment =
        __atomic_load_n(&handles->segments[log - WEIR_HANDLES_FIRST_LOG], __ATOMIC_RELAXED); /* D */

    return segment + (position - (UINT32_C(1) << log));
}

static inline const struct weir_block *weir_handles_block(const struct weir_handles *handles,
                                                          uint32_t handle)
{
    return (const struct weir_block *)__atomic_load_n(weir_handles_entry(handles, handle),
                                                      __ATOMIC_ACQUIRE); /* C */
}

/*
 * ---- Slots ----
 *
 * The members of a bucket are packed for images at any address; here they lie as drawn.
 */

static inline uint32_t *weir_bucket_slot(const struct weir_bucket *bucket, unsigned slot)
{
    return (uint32_t *)(uintptr_t)((const char *)bucket + offsetof(struct weir_bucket, offset) +
                                   slot * sizeof(uint32_t));
}

static inline uint16_t *weir_bucket_tag(const struct weir_bucket *bucket, unsigned slot)
{
    return (uint16_t *)(uintptr_t)((const char *)bucket + slot * sizeof(uint16_t));
}

static inline uint32_t *weir_bucket_spilled(const struct weir_bucket *bucket)
{
    return (uint32_t *)(uintptr_t)((const char *)bucket + offsetof(struct weir_bucket, spilled));
}

/* Offset and, in the upper half, whether the token was revoked: changed together. */
static inline uint64_t *weir_overflow_word(const struct weir_overflow *entry)
{
    return (uint64_t *)(uintptr_t)((const char *)entry + offsetof(struct weir_overflow, offset));
}

#define WEIR_OVERFLOW_REVOKED (UINT64_C(1) << 32)

_Static_assert(offsetof(struct weir_overflow, offset) == 8 &&
                   offsetof(struct weir_overflow, zero) == 12,
               "offset and what follows it are one word");

/* weir_bucket_matches, beside a writer (D). */
static inline uint32_t weir_live_matches(const struct weir_bucket *bucket, uint16_t tag)
{
#if WEIR_SSE2 && !WEIR_TSAN
    return weir_bucket_matches(bucket, tag);
#else
    uint32_t matches = 0;

    for (unsigned slot = 0; slot < WEIR_SLOTS; slot++) {
        uint16_t there = __atomic_load_n(weir_bucket_tag(bucket, slot), __ATOMIC_RELAXED);

        matches |= (uint32_t)(there == tag) << (2 * slot);
    }
    return matches;
#endif
}

/* To be passed before a key is said to be missing: what was loaded before, tags and counts, comes
 * with all that the writer had done before it stored them (D). Costs nothing on x86. */
static inline void weir_live_missing(void)
{
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
}

/* The block that an offset, not 0, leads to. */
static inline const struct weir_block *
weir_live_block(const struct weir_engine *engine, const struct weir_base *base, uint32_t offset)
{
    if ((offset & WEIR_OFFSET_OWN) != 0) {
        return weir_handles_block(&engine->handles, offset & ~WEIR_OFFSET_OWN);
    }
    return weir_blocks_at(base->blocks, offset);
}

/*
 * ---- Finding ----
 */

/* The bucket in which looking for a key of that hash begins. */
static inline struct weir_bucket *weir_live_home(const struct weir_live_index *index, uint64_t hash)
{
    return index->buckets + weir_hash_home(hash, index->bucket_count);
}

/* A digest as the key of an index. */
static inline struct weir_text weir_digest_text(const uint8_t *digest)
{
    return (struct weir_text){(const char *)digest, WEIR_DIGEST_SIZE};
}

/* Looks in the overflow of the image's index. Out of line: few keys come this far. An entry stays
 * that of one id, whose block it leads to, revoked or not. */
const struct weir_block *weir_live_find_spilled(const struct weir_engine *engine,
                                                const struct weir_base *base, struct weir_text id,
                                                uint64_t hash, struct weir_overflow **entry);

/* The block with that key in the buckets. `*further` if it may lie in the overflow. */
static inline const struct weir_block *
weir_live_find_near(const struct weir_engine *engine, const struct weir_base *base,
                    const struct weir_live_index *index, struct weir_text key, uint64_t hash,
                    enum weir_key_kind kind, uint32_t **slot, bool *further)
{
    const struct weir_bucket *bucket = weir_live_home(index, hash);
    uint16_t tag = weir_hash_tag(hash);

    *further = false;
    for (unsigned reach = 0; reach < WEIR_REACH; reach++, bucket++) {
        uint32_t matches = weir_live_matches(bucket, tag);

        for (; matches != 0; matches &= matches - 1) {
            uint32_t *at = weir_bucket_slot(bucket, WEIR_SLOT_OF(matches));
            uint32_t offset = __atomic_load_n(at, __ATOMIC_ACQUIRE); /* B */
            const struct weir_block *block = NULL;

            if (offset == 0) {
                continue;
            }
            block = weir_live_block(engine, base, offset);
            if (weir_block_has_key(block, key, kind)) {
                *slot = at;
                return block;
            }
        }
        if (__atomic_load_n(weir_bucket_spilled(bucket), __ATOMIC_RELAXED) == 0) { /* D */
            weir_live_missing();
            return NULL;
        }
    }
    weir_live_missing();
    *further = true;
    return NULL;
}

static inline uint64_t weir_own_hash(const struct weir_own *own, struct weir_text key)
{
    return XXH3_64bits_withSecret(key.bytes, key.length, own->secret, WEIR_SECRET_SIZE);
}

/* Looks for the token of an id: `hash` is that of the id in the image's index. */
static inline const struct weir_block *weir_live_find_hashed(const struct weir_engine *engine,
                                                             const struct weir_edition *edition,
                                                             struct weir_text id, uint64_t hash,
                                                             uint32_t **slot)
{
    const struct weir_base *base = &edition->base;
    bool further = false;
    const struct weir_block *block =
        weir_live_find_near(engine, base, &base->id, id, hash, WEIR_KEY_ID, slot, &further);

    if (further) {
        struct weir_overflow *entry = NULL;

        block = weir_live_find_spilled(engine, base, id, hash, &entry);
    }
    if (block == NULL && edition->own != NULL) {
        block = weir_live_find_near(engine, base, &edition->own->id, id,
                                    weir_own_hash(edition->own, id), WEIR_KEY_ID, slot, &further);
    }
    return block;
}

static inline const struct weir_block *weir_live_find(const struct weir_engine *engine,
                                                      const struct weir_edition *edition,
                                                      struct weir_text id)
{
    uint32_t *slot = NULL;

    if (!weir_id_length_possible(id)) {
        return NULL;
    }
    return weir_live_find_hashed(engine, edition, id, weir_hash(id, edition->base.hash_key), &slot);
}

/*
 * Likewise in two steps, the first of which is weir_seek, or the next below. `*slot` is that of the
 * first token that may have the id, or NULL: there is none, as this index is the `last` to have it.
 * False says nothing.
 */
static inline bool weir_live_sought_slot(const struct weir_sought *sought, bool last,
                                         uint32_t **slot)
{
    const struct weir_bucket *home = sought->home;
    uint32_t matches = weir_live_matches(home, sought->tag);

    if (matches == 0) {
        *slot = NULL;
        if (!last || __atomic_load_n(weir_bucket_spilled(home), __ATOMIC_RELAXED) != 0) { /* D */
            return false;
        }
        weir_live_missing();
        return true;
    }
    *slot = weir_bucket_slot(home, WEIR_SLOT_OF(matches));
    return true;
}

/* Asks for the home bucket of an id in the second index (NULL: there is none), after that in the
 * image's, whose tags it does not match; false if the image may have it further on. */
static inline bool weir_live_seek_in_own(const struct weir_own *own, struct weir_text id,
                                         struct weir_sought *sought)
{
    if (own == NULL ||
        __atomic_load_n(weir_bucket_spilled(sought->home), __ATOMIC_RELAXED) != 0) { /* D */
        return false;
    }
    weir_seek_hashed(own->id.buckets, own->id.bucket_count, weir_own_hash(own, id), sought);
    return true;
}

/* The block in a slot, or NULL. */
static inline const struct weir_block *weir_live_slot_block(const struct weir_engine *engine,
                                                            const struct weir_base *base,
                                                            const uint32_t *slot)
{
    uint32_t offset = __atomic_load_n(slot, __ATOMIC_ACQUIRE); /* B */

    return offset == 0 ? NULL : weir_live_block(engine, base, offset);
}

static inline bool weir_live_seek(const struct weir_edition *edition, struct weir_text id,
                                  struct weir_sought *sought)
{
    const struct weir_base *base = &edition->base;

    return weir_seek(base->id.buckets, base->id.bucket_count, base->hash_key, id, sought);
}

/* The token whose credential has that digest. */
const struct weir_block *weir_live_find_by_digest(const struct weir_engine *engine,
                                                  const struct weir_edition *edition,
                                                  const uint8_t *digest);

#endif
