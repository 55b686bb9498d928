#include "live/own.h"

#include <string.h>
#include <sys/random.h>

#include "live/edition.h"
#include "live/find.h"
#include "live/memory.h"
#include "vocabulary/failure.h"

/* An index of more keys than this share of its slots grows, to where they are half that share. */
#define FULL_PERCENT 50

/* A secret under which some key finds no room is as good as impossible, unless the index is small
 * and unlucky. */
#define ATTEMPTS 64

/*
 * ---- Slots ----
 */

/* The first slot with that offset of those that a key of that hash may have, or NULL. */
static uint32_t *slot_with(const struct weir_live_index *index, uint64_t hash, uint32_t offset)
{
    struct weir_bucket *bucket = weir_live_home(index, hash);

    for (unsigned reach = 0; reach < WEIR_REACH; reach++, bucket++) {
        for (unsigned slot = 0; slot < WEIR_SLOTS; slot++) {
            if (bucket->offset[slot] == offset) {
                return weir_bucket_slot(bucket, slot);
            }
        }
    }
    return NULL;
}

/* The first free slot that a key of that hash may have, or NULL. */
static uint32_t *free_slot(const struct weir_live_index *index, uint64_t hash)
{
    return slot_with(index, hash, 0);
}

static struct weir_bucket *bucket_of(const struct weir_live_index *index, const uint32_t *slot)
{
    size_t distance = (size_t)((const char *)slot - (const char *)index->buckets);

    return index->buckets + distance / sizeof(struct weir_bucket);
}

/* Counts a key more, or one less, as having gone by the buckets before its own. Whoever sees that a
 * key is counted no more sees that its slot is 0, or what came there later. */
static void count_spilled(const struct weir_live_index *index, uint64_t hash,
                          const struct weir_bucket *end, uint32_t difference)
{
    for (struct weir_bucket *bucket = weir_live_home(index, hash); bucket < end; bucket++) {
        __atomic_store_n(weir_bucket_spilled(bucket), bucket->spilled + difference,
                         __ATOMIC_RELEASE); /* D */
    }
}

void weir_own_insert(struct weir_live_index *index, uint64_t hash, uint32_t handle)
{
    uint32_t *slot = free_slot(index, hash);
    struct weir_bucket *bucket = bucket_of(index, slot);
    unsigned number = (unsigned)(slot - weir_bucket_slot(bucket, 0));

    count_spilled(index, hash, bucket, 1);
    __atomic_store_n(weir_bucket_tag(bucket, number), weir_hash_tag(hash),
                     __ATOMIC_RELAXED);                                 /* D */
    __atomic_store_n(slot, handle | WEIR_OFFSET_OWN, __ATOMIC_RELEASE); /* B */
}

uint32_t *weir_own_slot(const struct weir_live_index *index, uint64_t hash, uint32_t handle)
{
    return slot_with(index, hash, handle | WEIR_OFFSET_OWN);
}

bool weir_own_has_slot(const struct weir_live_index *index, const uint32_t *slot)
{
    const char *begin = (const char *)index->buckets;
    const char *end = (const char *)(index->buckets + weir_bucket_total(index->bucket_count));

    return (const char *)slot >= begin && (const char *)slot < end;
}

void weir_own_remove(struct weir_live_index *index, uint64_t hash, uint32_t *slot)
{
    __atomic_store_n(slot, 0, __ATOMIC_RELEASE); /* B */
    count_spilled(index, hash, bucket_of(index, slot), UINT32_MAX);
}

/*
 * ---- Growing ----
 */

static uint64_t homes_for(size_t keys)
{
    return (uint64_t)keys * 200 / ((uint64_t)WEIR_SLOTS * FULL_PERCENT) + 1;
}

static bool is_full(const struct weir_live_index *index, size_t keys)
{
    return (uint64_t)keys * 100 >= index->bucket_count * WEIR_SLOTS * FULL_PERCENT;
}

static bool has_room(const struct weir_own *own, const struct weir_block *block)
{
    if (own == NULL || is_full(&own->id, own->id_count) ||
        free_slot(&own->id, weir_own_hash(own, weir_block_id(block))) == NULL) {
        return false;
    }
    return (block->flags & WEIR_FLAG_DIGEST) == 0 ||
           (!is_full(&own->digest, own->digest_count) &&
            free_slot(&own->digest,
                      weir_own_hash(own, weir_digest_text(weir_block_digest(block)))) != NULL);
}

/* An empty index of that many homes each. */
static struct weir_own *own_new(struct weir_engine *engine, uint64_t id_homes,
                                uint64_t digest_homes)
{
    size_t buckets = (size_t)(weir_bucket_total(id_homes) + weir_bucket_total(digest_homes));
    size_t size = sizeof(struct weir_own) + WEIR_CACHE_LINE + buckets * sizeof(struct weir_bucket);
    struct weir_own *own = weir_retirable_new(engine, size);
    uintptr_t first = 0;

    if (own == NULL) {
        return NULL;
    }
    memset((char *)own + sizeof own->retired, 0, size - sizeof own->retired);
    first = weir_round_up((uintptr_t)(own + 1), WEIR_CACHE_LINE);
    own->id =
        (struct weir_live_index){.buckets = (struct weir_bucket *)first, .bucket_count = id_homes};
    own->digest = (struct weir_live_index){.buckets = own->id.buckets + weir_bucket_total(id_homes),
                                           .bucket_count = digest_homes};
    return own;
}

/* Adds the keys of one index to another, hashed with that one's secret; false if one finds no room.
 */
static bool add_all(const struct weir_engine *engine, const struct weir_live_index *from,
                    enum weir_key_kind kind, const struct weir_own *own, struct weir_live_index *to)
{
    const struct weir_bucket *end = from->buckets + weir_bucket_total(from->bucket_count);

    for (const struct weir_bucket *bucket = from->buckets; bucket < end; bucket++) {
        for (unsigned slot = 0; slot < WEIR_SLOTS; slot++) {
            uint32_t handle = bucket->offset[slot] & ~WEIR_OFFSET_OWN;
            const struct weir_block *block = NULL;
            uint64_t hash = 0;

            if (bucket->offset[slot] == 0) {
                continue;
            }
            block = weir_handles_block(&engine->handles, handle);
            hash = weir_own_hash(own, kind == WEIR_KEY_ID
                                          ? weir_block_id(block)
                                          : weir_digest_text(weir_block_digest(block)));
            if (free_slot(to, hash) == NULL) {
                return false;
            }
            weir_own_insert(to, hash, handle);
        }
    }
    return true;
}

/* Fills an index with the keys of the old one (NULL: none), under a new secret. */
static bool fill(const struct weir_engine *engine, const struct weir_own *old,
                 const struct weir_block *block, struct weir_own *own)
{
    if (old != NULL && (!add_all(engine, &old->id, WEIR_KEY_ID, own, &own->id) ||
                        !add_all(engine, &old->digest, WEIR_KEY_DIGEST, own, &own->digest))) {
        return false;
    }
    own->id_count = old != NULL ? old->id_count : 0;
    own->digest_count = old != NULL ? old->digest_count : 0;
    return has_room(own, block);
}

/* Another index with the keys of `old`, and room for those of the block. */
static enum weir_status regrow(struct weir_engine *engine, const struct weir_own *old,
                               const struct weir_block *block, struct weir_own **grown,
                               struct weir_error *error)
{
    uint64_t id_homes = homes_for(old != NULL ? old->id_count + 1 : 1);
    uint64_t digest_homes = homes_for(old != NULL ? old->digest_count + 1 : 1);

    for (unsigned attempt = 0; attempt < ATTEMPTS; attempt++) {
        struct weir_own *own = own_new(engine, id_homes, digest_homes);

        if (own == NULL) {
            return weir_fail_memory(error);
        }
        if (getrandom(own->secret, sizeof own->secret, 0) != (ssize_t)sizeof own->secret) {
            weir_retirable_free(engine, &own->retired);
            return weir_fail_errno(error, "getrandom");
        }
        if (fill(engine, old, block, own)) {
            *grown = own;
            return WEIR_OK;
        }
        weir_retirable_free(engine, &own->retired);
    }
    return weir_fail(error, WEIR_ERROR_LIMIT, "the second index finds no room for a token");
}

enum weir_status weir_own_reserve(struct weir_engine *engine, struct weir_edition **edition,
                                  const struct weir_block *block, struct weir_error *error)
{
    struct weir_own *old = (*edition)->own;
    struct weir_own *grown = NULL;
    enum weir_status status = WEIR_OK;

    if (has_room(old, block)) {
        return WEIR_OK;
    }
    status = regrow(engine, old, block, &grown, error);
    if (status == WEIR_OK) {
        status = weir_edition_set_own(engine, edition, grown, error);
        if (status != WEIR_OK) {
            weir_retirable_free(engine, &grown->retired);
        }
    }
    return status;
}
