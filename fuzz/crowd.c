#include "crowd.h"

#include <string.h>

#include "demand.h"
#include "image/image.h"

struct key {
    uint64_t hash;
    struct weir_text bytes;
    uint32_t offset;
};

static int compare_keys(const void *left_pointer, const void *right_pointer)
{
    const struct key *left = left_pointer;
    const struct key *right = right_pointer;

    if (left->hash != right->hash) {
        return left->hash < right->hash ? -1 : 1;
    }
    return memcmp(left->bytes.bytes, right->bytes.bytes,
                  left->bytes.length < right->bytes.length ? left->bytes.length
                                                           : right->bytes.length);
}

/* The keys of all blocks that have one of that kind, in the order of the overflow. */
static size_t gather(const struct weir_view *view, enum weir_key_kind kind, uint64_t hash_key,
                     struct key *keys)
{
    size_t count = 0;

    for (uint64_t start = WEIR_BLOCKS_FIRST; start < view->blocks_end;
         start = weir_view_next(view, start)) {
        const struct weir_block *block = weir_view_block(view, start);
        struct weir_text bytes = weir_block_id(block);

        if (kind == WEIR_KEY_DIGEST) {
            bytes = (struct weir_text){(const char *)weir_block_digest(block), WEIR_DIGEST_SIZE};
        }
        if (kind == WEIR_KEY_ID || (block->flags & WEIR_FLAG_DIGEST) != 0) {
            keys[count++] = (struct key){weir_hash(bytes, hash_key), bytes,
                                         (uint32_t)(start >> view->blocks.shift)};
        }
    }
    qsort(keys, count, sizeof *keys, compare_keys);
    return count;
}

/* Puts the key where it has room; false if that is nowhere. */
static bool put(struct weir_bucket *bucket, const struct key *key)
{
    for (unsigned reach = 0; reach < WEIR_REACH; reach++, bucket++) {
        for (unsigned slot = 0; slot < WEIR_SLOTS; slot++) {
            if (bucket->tag[slot] == 0) {
                bucket->tag[slot] = weir_hash_tag(key->hash);
                bucket->offset[slot] = key->offset;
                return true;
            }
        }
        bucket->spilled++;
    }
    return false;
}

/* Writes an index of `homes` homes; returns how many keys are in the overflow. */
static uint64_t write_index(const struct key *keys, size_t count, uint64_t homes,
                            struct weir_bucket *buckets, struct weir_overflow *overflow)
{
    uint64_t spilled = 0;

    memset(buckets, 0, (size_t)weir_bucket_total(homes) * sizeof *buckets);
    for (size_t i = 0; i < count; i++) {
        if (!put(buckets + weir_hash_home(keys[i].hash, homes), &keys[i])) {
            overflow[spilled++] = (struct weir_overflow){keys[i].hash, keys[i].offset, 0};
        }
    }
    return spilled;
}

/* One of an image's two indexes while it is made. */
struct index {
    struct weir_bucket *buckets;
    struct weir_overflow *overflow;
    struct weir_index_header header;
};

static void make_index(struct index *index, const struct weir_view *view, enum weir_key_kind kind,
                       uint64_t homes, uint64_t hash_key)
{
    size_t most = (size_t)view->header->token_count + 1;
    struct key *keys = calloc(most, sizeof *keys);

    index->buckets = calloc((size_t)weir_bucket_total(homes), sizeof *index->buckets);
    index->overflow = calloc(most, sizeof *index->overflow);
    demand(keys != NULL && index->buckets != NULL && index->overflow != NULL);
    index->header.bucket_count = homes;
    index->header.overflow_count = write_index(keys, gather(view, kind, hash_key, keys), homes,
                                               index->buckets, index->overflow);
    free(keys);
}

static void copy_index(uint8_t *bytes, uint64_t buckets, uint64_t overflow,
                       const struct index *index)
{
    memcpy(bytes + buckets, index->buckets,
           (size_t)weir_bucket_total(index->header.bucket_count) * sizeof *index->buckets);
    memcpy(bytes + overflow, index->overflow,
           (size_t)index->header.overflow_count * sizeof *index->overflow);
}

/* Writes the image, whose header is ready, over the one that the blocks come from. */
static void write_image(uint8_t *bytes, const struct weir_image_header *header,
                        const uint8_t *old_blocks, const struct index *id,
                        const struct index *digest)
{
    struct weir_layout layout = weir_layout_of(header);
    size_t blocks_size = (size_t)header->blocks_size;

    memmove(bytes + layout.blocks, old_blocks, blocks_size);
    memset(bytes + WEIR_PAGE, 0, (size_t)layout.blocks - WEIR_PAGE);
    memcpy(bytes, header, sizeof *header);
    copy_index(bytes, layout.id_buckets, layout.id_overflow, id);
    copy_index(bytes, layout.digest_buckets, layout.digest_overflow, digest);
}

size_t crowd_image(uint8_t *bytes, size_t size, size_t size_max, uint64_t homes, uint64_t hash_key)
{
    struct weir_image_header header;
    struct weir_view view;
    struct index id;
    struct index digest;

    if (weir_image_validate(bytes, size, NULL, NULL) != WEIR_OK) {
        return 0;
    }
    view = weir_view_of(bytes);
    make_index(&id, &view, WEIR_KEY_ID, homes, hash_key);
    make_index(&digest, &view, WEIR_KEY_DIGEST, homes, hash_key);
    memcpy(&header, bytes, sizeof header);
    header.hash_key = hash_key;
    header.id = id.header;
    header.digest = digest.header;
    header.file_size = weir_layout_of(&header).file_size;
    size = header.file_size <= size_max ? (size_t)header.file_size : 0;
    if (size > 0) {
        write_image(bytes, &header, (const uint8_t *)view.blocks.section, &id, &digest);
    }
    free(id.buckets);
    free(id.overflow);
    free(digest.buckets);
    free(digest.overflow);
    return size;
}
