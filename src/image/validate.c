/*
 * What opening an image proves, once, so that no reader need ever doubt it: see format.h for what
 * is valid. Bounds are checked by comparing with what is left, never by adding to what is given.
 */
#include <inttypes.h>
#include <string.h>

#include "image/image.h"
#include "image/tries.h"
#include "vocabulary/failure.h"
#include "vocabulary/memory.h"
#include "vocabulary/name_rules.h"
#include "vocabulary/operation_sets.h"

/*
 * ---- Sets of offsets ----
 */

/* One bit for each unit of some region. */
struct bitmap {
    uint64_t *words;
    size_t capacity; /* words */
};

static bool bitmap_reserve(struct bitmap *bitmap, uint64_t bits,
                           const struct weir_allocator *allocator)
{
    size_t words = (size_t)(bits / 64 + 1);

    if (bitmap->words == NULL || words > bitmap->capacity) {
        weir_release(allocator, bitmap->words, bitmap->capacity * sizeof *bitmap->words);
        bitmap->capacity = 0;
        bitmap->words = weir_allocate(allocator, words * sizeof *bitmap->words);
        if (bitmap->words == NULL) {
            return false;
        }
        bitmap->capacity = words;
    }
    memset(bitmap->words, 0, words * sizeof *bitmap->words);
    return true;
}

static void bitmap_release(struct bitmap *bitmap, const struct weir_allocator *allocator)
{
    weir_release(allocator, bitmap->words, bitmap->capacity * sizeof *bitmap->words);
}

static bool bitmap_has(const struct bitmap *bitmap, uint64_t bit)
{
    return (bitmap->words[bit / 64] >> bit % 64 & 1) != 0;
}

static void bitmap_set(struct bitmap *bitmap, uint64_t bit)
{
    bitmap->words[bit / 64] |= UINT64_C(1) << bit % 64;
}

static void bitmap_clear(struct bitmap *bitmap, uint64_t bit)
{
    bitmap->words[bit / 64] &= ~(UINT64_C(1) << bit % 64);
}

/*
 * ---- Tries ----
 */

/* The nodes of one kind, and what a node of that kind may be. */
struct region {
    uint32_t begin;
    uint32_t end;
    uint32_t fixed_size; /* of a node, before its label */
    uint32_t height_max;
    uint32_t rules_max;
    bool is_basins;
};

/* A trie section while it is gone through. `awaited` has a bit for each offset that some node has
 * referred to and that has not been reached yet; all must turn out to be nodes. */
struct trie_check {
    const struct weir_tries *tries;
    struct region basins;
    struct region names;
    struct bitmap *awaited;
};

/* Notes a reference to a node, and returns that node's fixed part, or NULL if none can be there.
 * What is read from it is believed only in the end, when it has turned out to be a node. */
static const struct weir_node *await_node(const struct trie_check *check,
                                          const struct region *region, uint32_t offset,
                                          bool must_be_first)
{
    if (offset % 4 != 0 || offset < region->begin || offset >= region->end ||
        region->end - offset < region->fixed_size ||
        (must_be_first && bitmap_has(check->awaited, offset / 4))) {
        return NULL;
    }
    bitmap_set(check->awaited, offset / 4);
    return weir_tries_at(check->tries, offset);
}

static bool wide_keys_valid(const struct weir_edges *edges)
{
    const struct weir_wide_keys *wide = (const struct weir_wide_keys *)edges->keys;
    unsigned count = 0;

    for (unsigned word = 0; word < 4; word++) {
        if (wide->before[word] != count) {
            return false;
        }
        count += weir_count_bits(wide->bitmap[word]);
    }
    return count == edges->key_count;
}

static bool keys_valid(const struct weir_edges *edges)
{
    if (edges->key_count > WEIR_FEW_KEYS) {
        return wide_keys_valid(edges);
    }
    for (unsigned rank = 1; rank < edges->key_count; rank++) {
        if (edges->keys[rank - 1] >= edges->keys[rank]) {
            return false;
        }
    }
    return true;
}

/* Awaits the children of the node at `offset`, adds up their rules and finds the highest. */
static bool children_valid(const struct trie_check *check, const struct region *region,
                           uint32_t offset, const struct weir_edges *edges, uint64_t *rules,
                           uint32_t *height)
{
    for (unsigned rank = 0; rank < edges->key_count; rank++) {
        uint32_t child_offset = weir_edges_child(edges, rank);
        const struct weir_node *child = NULL;
        uint32_t child_height = 0;

        if (child_offset > offset) {
            child = await_node(check, region, child_offset, region->is_basins);
        }
        if (child == NULL) {
            return false;
        }
        child_height = WEIR_SHAPE_HEIGHT(child->shape) + 1;
        *rules += child->rules;
        *height = child_height > *height ? child_height : *height;
    }
    return true;
}

static bool grant_valid(const struct trie_check *check, uint32_t operations, uint32_t streams)
{
    if ((operations & ~WEIR_USES_BASINS) != 0 || (operations == 0 && streams != 0)) {
        return false;
    }
    return streams == 0 || await_node(check, &check->names, streams, false) != NULL;
}

/* Counts the grants of a node, and proves that they are such as may be there. */
static bool grants_valid(const struct trie_check *check, const struct region *region,
                         const struct weir_node *node, uint64_t *rules)
{
    uint32_t prefix = 0;
    uint32_t exact = 0;

    if (region->is_basins) {
        const struct weir_basin_node *basin = (const struct weir_basin_node *)(const void *)node;

        prefix = basin->prefix.operations;
        exact = basin->exact.operations;
        if (!grant_valid(check, prefix, basin->prefix.streams) ||
            !grant_valid(check, exact, basin->exact.streams) || (prefix & ~exact) != 0) {
            return false;
        }
    } else {
        const struct weir_name_node *name = (const struct weir_name_node *)(const void *)node;

        prefix = name->prefix;
        exact = name->exact;
        if (((prefix | exact) & ~(WEIR_USES_STREAMS | WEIR_USES_ACCESS_TOKENS)) != 0) {
            return false;
        }
    }
    *rules = (uint64_t)(prefix != 0) + (uint64_t)(exact != 0);
    return true;
}

/* Where the node at `offset` ends, or 0 if it is not valid. At least the fixed part is there. */
static uint32_t node_end(const struct trie_check *check, const struct region *region,
                         uint32_t offset)
{
    const struct weir_node *node = weir_tries_at(check->tries, offset);
    struct weir_edges edges = weir_node_edges(node, (const char *)node + region->fixed_size);
    /* A node's numbers make a few thousand bytes at most: no sum here overflows. */
    size_t before_children = (size_t)(edges.children - (const unsigned char *)node);
    size_t size = before_children + (size_t)edges.key_count * sizeof(uint32_t);
    uint64_t rules = 0;
    uint32_t height = 0;

    if (WEIR_SHAPE_ZERO(node->shape) != 0 || edges.key_count > 256 || size > region->end - offset ||
        !keys_valid(&edges) || !grants_valid(check, region, node, &rules) ||
        (rules == 0 && edges.key_count < 2) ||
        !children_valid(check, region, offset, &edges, &rules, &height)) {
        return 0;
    }
    height += edges.label_length;
    if (rules != node->rules || rules > region->rules_max ||
        height != WEIR_SHAPE_HEIGHT(node->shape) || height > region->height_max) {
        return 0;
    }
    return offset + (uint32_t)size;
}

/* Goes through the nodes of a region, each of which must have been awaited. */
static bool region_valid(const struct trie_check *check, const struct region *region)
{
    uint32_t offset = region->begin;

    while (offset < region->end) {
        if (region->end - offset < region->fixed_size || !bitmap_has(check->awaited, offset / 4)) {
            return false;
        }
        bitmap_clear(check->awaited, offset / 4);
        offset = node_end(check, region, offset);
        if (offset == 0) {
            return false;
        }
    }
    return offset == region->end;
}

static bool nothing_awaited(const struct bitmap *awaited, uint32_t size)
{
    uint64_t left = 0;

    for (size_t word = 0; word <= size / 4 / 64; word++) {
        left |= awaited->words[word];
    }
    return left == 0;
}

static bool nodes_valid(const struct trie_check *check)
{
    const struct weir_tries *tries = check->tries;

    if (check->basins.begin < check->basins.end &&
        await_node(check, &check->basins, check->basins.begin, true) == NULL) {
        return false;
    }
    if (tries->access_tokens != 0) {
        const struct weir_node *root =
            await_node(check, &check->names, tries->access_tokens, false);

        if (root == NULL || WEIR_SHAPE_HEIGHT(root->shape) > WEIR_TOKEN_ID_MAX) {
            return false;
        }
    }
    return region_valid(check, &check->basins) && region_valid(check, &check->names) &&
           nothing_awaited(check->awaited, tries->size);
}

/* `room` bytes are there, from the start of the tries. `*memory` is cleared if there is none. */
static bool tries_valid(const struct weir_tries *tries, uint64_t room, struct bitmap *scratch,
                        const struct weir_allocator *allocator, bool *memory)
{
    struct trie_check check = {.tries = tries, .awaited = scratch};

    if (room < sizeof *tries || tries->size > room || tries->size % 4 != 0 ||
        tries->names < sizeof *tries || tries->names > tries->size || tries->names % 4 != 0 ||
        tries->zero != 0) {
        return false;
    }
    check.basins = (struct region){.begin = sizeof *tries,
                                   .end = tries->names,
                                   .fixed_size = sizeof(struct weir_basin_node),
                                   .height_max = WEIR_BASIN_MAX,
                                   .rules_max = UINT32_MAX,
                                   .is_basins = true};
    check.names = (struct region){.begin = tries->names,
                                  .end = tries->size,
                                  .fixed_size = sizeof(struct weir_name_node),
                                  .height_max = WEIR_STREAM_MAX,
                                  .rules_max = WEIR_RULES_MAX,
                                  .is_basins = false};
    *memory = bitmap_reserve(scratch, tries->size / 4, allocator);
    return *memory && nodes_valid(&check);
}

/*
 * ---- Blocks ----
 */

static bool kind_valid(enum weir_set_kind kind, struct weir_text name, bool exact_valid,
                       bool prefix_valid)
{
    switch (kind) {
    case WEIR_SET_NOTHING:
        return name.length == 0;
    case WEIR_SET_EXACT:
        return exact_valid;
    case WEIR_SET_PREFIX:
        return prefix_valid;
    default:
        return false;
    }
}

static bool sets_valid(const struct weir_block *block)
{
    struct weir_text basin = weir_block_basin(block);
    struct weir_text stream = weir_block_stream(block);
    struct weir_text access_token = weir_block_access_token(block);

    return (block->kinds & ~WEIR_KINDS_VALID) == 0 &&
           kind_valid(weir_block_kind(block, WEIR_KIND_BASINS), basin, weir_basin_valid(basin),
                      weir_basin_prefix_valid(basin)) &&
           kind_valid(weir_block_kind(block, WEIR_KIND_STREAMS), stream, weir_stream_valid(stream),
                      weir_stream_prefix_valid(stream)) &&
           kind_valid(weir_block_kind(block, WEIR_KIND_ACCESS_TOKENS), access_token,
                      weir_token_id_valid(access_token), weir_token_id_prefix_valid(access_token));
}

static bool flags_valid(const struct weir_block *block)
{
    if ((block->flags & ~WEIR_FLAGS_VALID) != 0) {
        return false;
    }
    if ((block->flags & WEIR_FLAG_TRIES) != 0) {
        return (block->flags & WEIR_FLAG_AUTO_PREFIX) == 0 && block->kinds == 0;
    }
    return (block->flags & WEIR_FLAG_AUTO_PREFIX) == 0 ||
           weir_block_kind(block, WEIR_KIND_STREAMS) == WEIR_SET_PREFIX;
}

static bool expires_valid(const struct weir_block *block)
{
    struct weir_instant expires_at = {0};
    const struct weir_instant last = {WEIR_INSTANT_SECONDS_MAX, 999999999};

    if (!weir_compiled_token_expires(weir_block_token(block), &expires_at)) {
        return block->expires_low == 0;
    }
    return block->expires_low < 1u << WEIR_EXPIRES_LOW_BITS && expires_at.seconds <= last.seconds &&
           expires_at.nanoseconds <= last.nanoseconds;
}

/* `room` bytes are there, from the start of the block. */
static bool block_valid(const struct weir_block *block, uint64_t room, struct bitmap *scratch,
                        const struct weir_allocator *allocator, bool *memory)
{
    size_t size = 0;

    if (room < sizeof *block) {
        return false;
    }
    size = weir_block_size_without_tries(block);
    if (size > room || !flags_valid(block) || !expires_valid(block) || !sets_valid(block) ||
        !weir_token_id_valid(weir_block_id(block)) || block->operations == 0 ||
        (block->operations & ~(uint32_t)WEIR_OPERATIONS_ALL) != 0) {
        return false;
    }
    if ((block->flags & WEIR_FLAG_TRIES) == 0) {
        return true;
    }
    size = weir_round_up_4(size);
    return size <= room &&
           tries_valid(weir_block_tries(block), room - size, scratch, allocator, memory);
}

/*
 * ---- The image ----
 */

/* An image while it is gone through. `starts` has a bit for each unit at which a block starts. */
struct image_check {
    struct weir_view view;
    struct bitmap starts;
    struct bitmap scratch;
    struct weir_allocator allocator;
    struct weir_error *error;
};

static enum weir_status damaged(const struct image_check *check, const char *what)
{
    return weir_fail(check->error, WEIR_ERROR_DAMAGED, "the image is damaged: %s", what);
}

static enum weir_status damaged_block(const struct image_check *check, uint64_t start,
                                      const char *what)
{
    uint64_t at = (uint64_t)(check->view.blocks.section - (const char *)check->view.header) + start;

    return weir_fail(check->error, WEIR_ERROR_DAMAGED,
                     "the image is damaged: the block at byte %" PRIu64 " %s", at, what);
}

static bool all_zero(const char *bytes, uint64_t size)
{
    unsigned any = 0;

    for (uint64_t i = 0; i < size; i++) {
        any |= (unsigned char)bytes[i];
    }
    return any == 0;
}

/* Proves that there is nothing between the sections, nor around the blocks. */
static enum weir_status check_gaps(const struct image_check *check)
{
    const struct weir_view *view = &check->view;
    const char *bytes = (const char *)view->header;
    struct weir_layout layout = weir_layout_of(view->header);
    const struct {
        const void *begin;
        uint64_t end;
    } gaps[] = {
        {view->header + 1, layout.id_buckets},
        {view->id.buckets + weir_bucket_total(view->id.bucket_count), layout.id_overflow},
        {view->id.overflow + view->id.overflow_count, layout.digest_buckets},
        {view->digest.buckets + weir_bucket_total(view->digest.bucket_count),
         layout.digest_overflow},
        {view->digest.overflow + view->digest.overflow_count, layout.blocks},
        {bytes + layout.blocks, layout.blocks + WEIR_BLOCKS_MARGIN},
        {bytes + layout.file_size - WEIR_BLOCKS_MARGIN, layout.file_size},
    };

    for (size_t i = 0; i < sizeof gaps / sizeof gaps[0]; i++) {
        const char *begin = gaps[i].begin;

        if (!all_zero(begin, gaps[i].end - (uint64_t)(begin - bytes))) {
            return damaged(check, "something is where nothing should be");
        }
    }
    return WEIR_OK;
}

/* Proves every block valid and notes where it starts. */
static enum weir_status check_blocks(struct image_check *check)
{
    const struct weir_view *view = &check->view;
    uint64_t start = WEIR_BLOCKS_FIRST;
    uint64_t blocks = 0;
    uint64_t digests = 0;

    while (start < view->blocks_end) {
        const struct weir_block *block = weir_view_block(view, start);
        bool memory = true;

        if (!block_valid(block, view->blocks_end - start, &check->scratch, &check->allocator,
                         &memory)) {
            return memory ? damaged_block(check, start, "is not valid")
                          : weir_fail_memory(check->error);
        }
        bitmap_set(&check->starts, start >> view->blocks.shift);
        blocks++;
        digests += (block->flags & WEIR_FLAG_DIGEST) != 0;
        start = weir_view_next(view, start);
    }
    if (start != view->blocks_end || blocks != view->header->token_count ||
        digests != view->header->digest_count) {
        return damaged(check, "the blocks do not add up");
    }
    return WEIR_OK;
}

static bool offset_valid(const struct image_check *check, uint32_t offset)
{
    uint64_t units = check->view.blocks_end >> check->view.blocks.shift;

    return offset < units && bitmap_has(&check->starts, offset);
}

static bool bucket_valid(const struct image_check *check, const struct weir_bucket *bucket,
                         uint64_t *slots)
{
    for (unsigned slot = 0; slot < WEIR_SLOTS; slot++) {
        if (bucket->tag[slot] == 0 ? bucket->offset[slot] != 0
                                   : !offset_valid(check, bucket->offset[slot])) {
            return false;
        }
        *slots += bucket->tag[slot] != 0;
    }
    return true;
}

/* Proves that every offset of the index leads to a block, and that there are `count` of them. */
static enum weir_status check_index(const struct image_check *check, const struct weir_index *index,
                                    uint64_t count)
{
    uint64_t slots = index->overflow_count;

    for (uint64_t i = 0; i < weir_bucket_total(index->bucket_count); i++) {
        if (!bucket_valid(check, &index->buckets[i], &slots)) {
            return damaged(check, "an index leads to no block");
        }
    }
    for (uint64_t i = 0; i < index->overflow_count; i++) {
        if (!offset_valid(check, index->overflow[i].offset) || index->overflow[i].zero != 0) {
            return damaged(check, "an index leads to no block");
        }
    }
    return slots == count ? WEIR_OK : damaged(check, "an index has not one entry for each block");
}

/* Proves that looking for a block's id and digest finds it and no other. */
static enum weir_status check_finding(const struct image_check *check)
{
    const struct weir_view *view = &check->view;

    for (uint64_t start = WEIR_BLOCKS_FIRST; start < view->blocks_end;
         start = weir_view_next(view, start)) {
        const struct weir_block *block = weir_view_block(view, start);

        if (weir_view_find(view, weir_block_id(block)) != block) {
            return damaged_block(check, start, "is not found by its id");
        }
        if ((block->flags & WEIR_FLAG_DIGEST) != 0 &&
            weir_view_find_by_digest(view, weir_block_digest(block)) != block) {
            return damaged_block(check, start, "is not found by its digest");
        }
    }
    return WEIR_OK;
}

static enum weir_status check_content(struct image_check *check)
{
    const struct weir_view *view = &check->view;
    enum weir_status status = WEIR_OK;

    if (!bitmap_reserve(&check->starts, view->blocks_end >> view->blocks.shift,
                        &check->allocator)) {
        return weir_fail_memory(check->error);
    }
    status = check_gaps(check);
    if (status == WEIR_OK) {
        status = check_blocks(check);
    }
    if (status == WEIR_OK) {
        status = check_index(check, &view->id, view->header->token_count);
    }
    if (status == WEIR_OK) {
        status = check_index(check, &view->digest, view->header->digest_count);
    }
    return status == WEIR_OK ? check_finding(check) : status;
}

/* Whether the header may be believed: what weir_view_of makes of it lies within the file. */
static bool header_valid(const struct weir_image_header *header)
{
    const uint64_t most = WEIR_IMAGE_COUNT_MAX;

    return header->block_shift >= WEIR_BLOCK_SHIFT_MIN &&
           header->block_shift <= WEIR_BLOCK_SHIFT_MAX &&
           header->token_count <= WEIR_IMAGE_TOKENS_MAX &&
           header->digest_count <= header->token_count && header->id.bucket_count >= 1 &&
           header->id.bucket_count <= most && header->digest.bucket_count >= 1 &&
           header->digest.bucket_count <= most && header->id.overflow_count <= most &&
           header->digest.overflow_count <= most &&
           header->blocks_size >= 2 * (uint64_t)WEIR_BLOCKS_MARGIN &&
           header->blocks_size <= header->file_size &&
           header->blocks_size >> header->block_shift <= ~WEIR_OFFSET_OWN &&
           weir_layout_of(header).file_size == header->file_size;
}

static enum weir_status check_header(const void *bytes, size_t size, struct weir_error *error)
{
    const struct weir_image_header *header = bytes;

    if (size == 0 ||
        memcmp(bytes, WEIR_MAGIC, size < WEIR_MAGIC_SIZE ? size : WEIR_MAGIC_SIZE) != 0) {
        return weir_fail(error, WEIR_ERROR_NOT_IMAGE, "not an image");
    }
    if (size < sizeof *header) {
        return weir_fail(error, WEIR_ERROR_TRUNCATED,
                         "the image is truncated: %zu bytes, too few for a header", size);
    }
    if (header->version != WEIR_FORMAT_VERSION) {
        return weir_fail(error, WEIR_ERROR_VERSION,
                         "an image of version %" PRIu32 "; this library reads version %d",
                         header->version, WEIR_FORMAT_VERSION);
    }
    if (header->file_size > size) {
        return weir_fail(error, WEIR_ERROR_TRUNCATED,
                         "the image is truncated: %zu bytes of %" PRIu64, size, header->file_size);
    }
    if (header->checksum != weir_image_checksum(bytes, size)) {
        return weir_fail(error, WEIR_ERROR_CHECKSUM,
                         "the image has changed since it was written: wrong checksum");
    }
    if (header->file_size != size || !header_valid(header)) {
        return weir_fail(error, WEIR_ERROR_DAMAGED,
                         "the image is damaged: the header does not fit the file");
    }
    return WEIR_OK;
}

enum weir_status weir_block_validate(const void *bytes, size_t size,
                                     const struct weir_allocator *allocator,
                                     struct weir_error *error)
{
    const struct weir_block *block = bytes;
    struct bitmap scratch = {0};
    bool memory = true;
    bool valid = block_valid(block, size, &scratch, allocator, &memory);

    bitmap_release(&scratch, allocator);
    if (!memory) {
        return weir_fail_memory(error);
    }
    return valid && weir_block_size(block) == size
               ? WEIR_OK
               : weir_fail(error, WEIR_ERROR_DAMAGED, "not a compiled token");
}

enum weir_status weir_image_validate(const void *bytes, size_t size,
                                     const struct weir_allocator *allocator,
                                     struct weir_error *error)
{
    struct image_check check = {.allocator = weir_allocator_or_default(allocator), .error = error};
    enum weir_status status = check_header(bytes, size, error);

    if (status != WEIR_OK) {
        return status;
    }
    check.view = weir_view_of(bytes);
    status = check_content(&check);
    bitmap_release(&check.starts, &check.allocator);
    bitmap_release(&check.scratch, &check.allocator);
    return status;
}
