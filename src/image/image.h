/* image.h - an open image, and how its sections follow from its header. */
#ifndef WEIR_IMAGE_IMAGE_H
#define WEIR_IMAGE_IMAGE_H

#include <weir/allocator.h>
#include <weir/error.h>
#include <weir/image.h>

#include "image/format.h"
#include "image/index.h"

/* Where the sections of an image are: offsets in bytes from its start. */
struct weir_layout {
    uint64_t id_buckets;
    uint64_t id_overflow;
    uint64_t digest_buckets;
    uint64_t digest_overflow;
    uint64_t blocks;
    uint64_t file_size;
};

/* The largest number of tokens that an image may have, and the largest count that a header may
 * give of anything: no sum or product of such counts and sizes overflows 64 bits. */
#define WEIR_IMAGE_TOKENS_MAX UINT64_C(0x7fffffff)
#define WEIR_IMAGE_COUNT_MAX (UINT64_C(1) << 40)

/* The layout that the counts in the header make; none of them exceeds WEIR_IMAGE_COUNT_MAX. */
struct weir_layout weir_layout_of(const struct weir_image_header *header);

/* The checksum that bytes 8 to 15 should hold; `size` is at least that of a header. */
uint64_t weir_image_checksum(const void *bytes, size_t size);

/* What a reader needs of an image; pointers are into its bytes. */
struct weir_view {
    const struct weir_image_header *header;
    struct weir_index id;
    struct weir_index digest;
    struct weir_blocks blocks;
    uint64_t blocks_end; /* where the last block ends, from the start of their section */
    uint64_t hash_key;
};

/* The view of bytes whose header is valid. */
struct weir_view weir_view_of(const void *bytes);

/* How an image came by its bytes, and must give them back. */
enum weir_ownership { WEIR_BORROWED, WEIR_MAPPED, WEIR_ALLOCATED };

struct weir_image {
    struct weir_view view;
    const void *bytes;
    size_t size;
    enum weir_ownership ownership;
    int file; /* what is mapped, for those who map parts of it again; else -1 */
    struct weir_allocator allocator;
};

/* Makes an image of bytes that are valid; on failure they stay the caller's. */
enum weir_status weir_image_wrap(const void *bytes, size_t size, enum weir_ownership ownership,
                                 const struct weir_allocator *allocator, struct weir_image **image,
                                 struct weir_error *error);

/* Whether `size` bytes are one valid block and nothing else. WEIR_OK, WEIR_ERROR_MEMORY, _DAMAGED.
 */
enum weir_status weir_block_validate(const void *bytes, size_t size,
                                     const struct weir_allocator *allocator,
                                     struct weir_error *error);

/* As weir_image_open, from a file that is open for reading and that is taken over, whatever is
 * returned. */
enum weir_status weir_image_open_file(int file, enum weir_image_mode mode,
                                      const struct weir_allocator *allocator,
                                      struct weir_image **image, struct weir_error *error);

/* Reads `size` bytes of the file at `offset`; fewer than that are WEIR_ERROR_TRUNCATED. */
enum weir_status weir_read_at(int file, void *bytes, size_t size, uint64_t offset,
                              struct weir_error *error);

/* Whether some token could have an id of that length; any other needs no looking for. */
static inline bool weir_id_length_possible(struct weir_text id)
{
    return id.length - 1 < WEIR_TOKEN_ID_MAX;
}

static inline const struct weir_block *weir_view_find(const struct weir_view *view,
                                                      struct weir_text id)
{
    if (!weir_id_length_possible(id)) {
        return NULL;
    }
    return weir_index_find(&view->id, view->blocks, id, weir_hash(id, view->hash_key), WEIR_KEY_ID);
}

static inline __attribute__((always_inline)) bool
weir_view_seek(const struct weir_view *view, struct weir_text id, struct weir_sought *sought)
{
    return weir_seek(view->id.buckets, view->id.bucket_count, view->hash_key, id, sought);
}

/* The second step: `*block` is the first block that may have the id, or NULL if none has. */
static inline __attribute__((always_inline)) bool
weir_view_sought_block(const struct weir_view *view, const struct weir_sought *sought,
                       const struct weir_block **block)
{
    uint32_t matches = weir_bucket_matches(sought->home, sought->tag);

    if (matches == 0) {
        *block = NULL;
        return sought->home->spilled == 0;
    }
    *block = weir_blocks_at(view->blocks, sought->home->offset[WEIR_SLOT_OF(matches)]);
    weir_blocks_prefetch(view->blocks, *block);
    return true;
}

static inline const struct weir_block *weir_view_find_by_digest(const struct weir_view *view,
                                                                const uint8_t *digest)
{
    struct weir_text key = {(const char *)digest, WEIR_DIGEST_SIZE};

    return weir_index_find(&view->digest, view->blocks, key, weir_hash(key, view->hash_key),
                           WEIR_KEY_DIGEST);
}

/* The block at this distance from the start of the section, and that of the one after it; the end
 * is view->blocks_end. */
#define WEIR_BLOCKS_FIRST WEIR_BLOCKS_MARGIN

static inline const struct weir_block *weir_view_block(const struct weir_view *view, uint64_t start)
{
    return (const struct weir_block *)(view->blocks.section + start);
}

static inline uint64_t weir_round_up(uint64_t size, uint64_t unit)
{
    return (size + unit - 1) & ~(unit - 1);
}

static inline uint64_t weir_view_next(const struct weir_view *view, uint64_t start)
{
    return weir_round_up(start + weir_block_size(weir_view_block(view, start)),
                         UINT64_C(1) << view->blocks.shift);
}

#endif
