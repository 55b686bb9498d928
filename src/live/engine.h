/*
 * engine.h - the engine's parts, and the memory model that makes them safe to read while they
 * change. The promises E1 to E10 are in weir/engine.h.
 *
 *   struct weir_engine
 *     edition ──► struct weir_edition         what readers go through, one pointer away
 *                   base.id ──► the engine's own copy of the image's index of ids; slots change
 *                   base.digest ──► the image's index of digests, as it is
 *                   base.blocks ──► the image's blocks, as they are
 *                   own ──► struct weir_own     the second index: ids and digests that the image
 *                                               lacks, hashed with a random secret; or NULL
 *     handles ──► block, block, …             the engine's own blocks, by handle
 *
 * A slot of an index of ids leads to a block: of the image, or, with WEIR_OFFSET_OWN, by a handle
 * to one of the engine's own. *That slot, and behind it the handle's entry, is the only place that
 * says whether a token is there and which*: an id has at most one slot that is not 0. An index of
 * digests only says where to ask: a block found by digest counts if the token of its id, looked for
 * by id, has that digest. So each change is one store, and all ways to a token agree (E3).
 *
 * ---- Who writes what ----
 *
 * One thread at a time, the writer, writes everything here. Readers write nothing but their record
 * in liburcu. Each atomic, the store and the load that are partners, and what they order:
 *
 *   A  engine->edition. Stored (release) by weir_edition_publish and own.c, loaded (acquire) by
 *      weir_engine_edition. Whoever sees an edition sees it, its indexes and its second index as
 *      they were when it was published, or later.
 *   B  an offset of a bucket; the last eight bytes of an overflow entry. Stored (release) by
 *      change.c, loaded (acquire) by find.h. Whoever sees an own offset sees the handle's entry and
 *      the segment that it is in. An image's blocks are there since A.
 *   C  a handle's entry. Stored (release) by change.c, loaded (acquire) by weir_handles_block.
 *      Whoever sees a block sees all its bytes: they are written before, and never again (E3: no
 *      half token).
 *   D  tags and counts of spilled keys of the second index; handles.segments. Stored before the
 *      slot (B) that needs them, loaded relaxed. Who sees the slot 0 or an old tag misses a token
 *      whose change is not done; who sees a new slot under an old tag compares another key and
 *      goes on. Tags and counts of the image's index are never written: what an edition without a
 *      second index lacks is missing since A.
 *
 *      A key may be missed by D alone: another key's tag is where its own was, or a count includes
 *      it no more. That says that it is gone, as a slot 0 does, but relaxed loads say nothing of
 *      what was stored before: on a weakly ordered processor, what the thread loads next may be
 *      older still - no token yet where one was issued before that one went, or the very slot that
 *      was emptied, full. So an acquire fence stands between these loads and saying that a key is
 *      missing (weir_live_missing). Its partners: the store that counts a key no more, which comes
 *      after that of its slot, releases (weir_own_remove); and before a slot has another tag, the
 *      change that emptied it has ended with its fence.
 *
 * Each change ends with a sequentially consistent fence: when the function returns, its store has
 * left the processor, and a load that any processor makes later, told of it or not, sees it (E1,
 * E2). A thread that was told of it by anything that orders memory loads later; where nothing told
 * it, a processor that reads ahead may make a check's loads a little before the check is called.
 *
 * Loads of one location never go back; and whatever an answer comes from - an edition, a slot, a
 * block, the fence of D - brings with it all that the writer had done before. So neither do one
 * thread's answers go back in time, about one token or about several (E3).
 *
 * ---- When memory is released ----
 *
 * What readers can no longer reach - a replaced block, a revoked token's block and handle, an
 * edition, a second index - is put on the list of what is retired. It stays as it is, handles
 * included, until a grace period has passed: all readers that were in a read section then have left
 * it (E5). The writer waits for one when the list exceeds half of retired_max, and at each swap;
 * what was on the list is then released a little with each change, so that no change takes long,
 * and wholly before the next grace period (E8). The list runs through headers that lie before the
 * blocks and tables themselves, so retiring, and with it revoking, takes no memory (E7).
 *
 * Every change allocates all that it needs, then commits with stores that cannot fail (E7).
 */
#ifndef WEIR_LIVE_ENGINE_H
#define WEIR_LIVE_ENGINE_H

#include <weir/allocator.h>
#include <weir/engine.h>

#include "image/image.h"

/* Parts that readers use and parts that the writer writes lie this far apart. */
#define WEIR_CACHE_LINE 64

/*
 * ---- What is retired ----
 */

enum weir_retired_kind { WEIR_RETIRED_BLOCK, WEIR_RETIRED_TOKEN, WEIR_RETIRED_MEMORY };

/* Lies before whatever may be retired. */
struct weir_retired {
    struct weir_retired *next;
    size_t size;     /* of the allocation, this included */
    uint32_t handle; /* of a block; free again with WEIR_RETIRED_TOKEN */
    uint32_t kind;
};

/*
 * ---- The engine's own blocks ----
 */

/* A block in memory of its own. */
struct weir_own_block {
    struct weir_retired retired;
    struct weir_block block;
};

#define WEIR_HANDLES_FIRST_LOG 9
#define WEIR_HANDLE_SEGMENTS 22
/* Handles fit in an offset without its highest bit. */
#define WEIR_HANDLES_MAX                                                                           \
    ((UINT32_C(1) << (WEIR_HANDLES_FIRST_LOG + WEIR_HANDLE_SEGMENTS)) -                            \
     (UINT32_C(1) << WEIR_HANDLES_FIRST_LOG))

_Static_assert(WEIR_HANDLES_MAX <= WEIR_OFFSET_OWN, "a handle fits beside WEIR_OFFSET_OWN");

/* Entries, by handle: a block, or while the handle is free the next free one. Segment k holds 512
 * << k of them and never moves. */
struct weir_handles {
    uintptr_t *segments[WEIR_HANDLE_SEGMENTS];
};

/*
 * ---- Indexes ----
 */

/* An index whose slots change. Its buckets lie at cache lines, its overflow entries at multiples of
 * 8. */
struct weir_live_index {
    struct weir_bucket *buckets;
    uint64_t bucket_count; /* homes */
    struct weir_overflow *overflow;
    uint64_t overflow_count;
};

#define WEIR_SECRET_SIZE 192

/* The second index, in one allocation. It has no overflow: a key that finds no room makes it grow,
 * with another secret. */
struct weir_own {
    struct weir_retired retired;
    struct weir_live_index id;
    struct weir_live_index digest;
    size_t id_count; /* slots in use; the writer's */
    size_t digest_count;
    char secret[WEIR_SECRET_SIZE];
};

/* An image and what the engine copied of it. */
struct weir_base {
    struct weir_live_index id;
    struct weir_index digest;
    struct weir_blocks blocks;
    uint64_t hash_key;
    /* The writer's: */
    const struct weir_image *image;
    struct weir_image *own_image; /* the same, if the engine is to close it; or NULL */
    void *copy;                   /* of the index of ids */
    size_t copy_size;
    bool copy_mapped;
};

struct weir_edition {
    struct weir_retired retired;
    uint64_t generation; /* no other edition of the engine had this one */
    struct weir_base base;
    struct weir_own *own; /* NULL: nothing that the image lacks */
    uint64_t token_count; /* the writer's */
};

/*
 * ---- The engine ----
 */

struct weir_writer {
    struct weir_allocator allocator;
    size_t retired_max;
    struct weir_retired *retired; /* since the last grace period */
    struct weir_retired *passed;  /* before it: no reader sees these any more */
    size_t retired_bytes;         /* of the first list */
    size_t passed_bytes;          /* of the second */
    size_t own_bytes;             /* of blocks, retired ones not included */
    uint64_t own_count;
    uint64_t generation;     /* the last one given */
    uint32_t handles_used;   /* handles below this have been used */
    uint32_t handles_usable; /* and below this have an entry */
    uint32_t free_handle;    /* first free one below handles_used, or WEIR_HANDLES_MAX */
};

struct weir_engine {
    char before[WEIR_CACHE_LINE];
    struct weir_edition *edition;
    struct weir_handles handles;
    char between[WEIR_CACHE_LINE];
    struct weir_writer writer;
};

#endif
