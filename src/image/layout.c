#include "image/layout.h"

#include <string.h>

#include "image/image.h"
#include "vocabulary/failure.h"
#include "vocabulary/memory.h"
#include "vocabulary/sort.h"

void weir_content_add(struct weir_content *content, const struct weir_block *block, size_t size)
{
    XXH128_hash_t hash = XXH3_128bits(block, size);

    content->low += hash.low64;
    content->high += hash.high64;
    content->count++;
}

/* The hash key of an image of that content. */
static uint64_t content_hash_key(const struct weir_content *content)
{
    const uint64_t parts[] = {content->low, content->high, content->count};

    return XXH3_64bits(parts, sizeof parts);
}

/* An index is filled up to this many keys for each hundred slots. */
#define LOAD_PERCENT 87

/* A block on its way into an index: what its key hashes to, and which entry it is. */
struct key {
    uint64_t hash;
    uint32_t entry;
};

/* The keys of one index, in order of hash and then key; what it will take in the image. */
struct index_plan {
    enum weir_key_kind kind;
    struct key *keys;
    struct key *spare; /* as long as keys, for sorting */
    uint8_t *fill;     /* for each bucket, the number of slots taken */
    size_t count;
    size_t capacity; /* of keys and spare */
    struct weir_index_header header;
};

struct layout_plan {
    const struct weir_compiled_entry *entries;
    size_t count;
    uint32_t *offsets; /* of each entry's block, in units */
    struct index_plan id;
    struct index_plan digest;
    struct weir_image_header header;
    struct weir_allocator allocator;
};

/*
 * ---- Keys in order ----
 */

static struct weir_text block_key(const struct weir_block *block, enum weir_key_kind kind)
{
    if (kind == WEIR_KEY_ID) {
        return weir_block_id(block);
    }
    return (struct weir_text){(const char *)weir_block_digest(block), WEIR_DIGEST_SIZE};
}

static int compare_keys(const struct layout_plan *plan, enum weir_key_kind kind,
                        const struct key *left, const struct key *right)
{
    if (left->hash != right->hash) {
        return left->hash < right->hash ? -1 : 1;
    }
    return weir_text_compare(block_key(plan->entries[left->entry].block, kind),
                             block_key(plan->entries[right->entry].block, kind));
}

/* What keys are compared by while they are sorted. */
struct key_order {
    const struct layout_plan *plan;
    enum weir_key_kind kind;
};

/* A weir_comparison: entries of the same key in the order they came in. */
static int compare_entries(const void *left_pointer, const void *right_pointer, const void *context)
{
    const struct key_order *key_order = context;
    const struct key *left = left_pointer;
    const struct key *right = right_pointer;
    int order = compare_keys(key_order->plan, key_order->kind, left, right);

    return order != 0 ? order : (left->entry > right->entry) - (left->entry < right->entry);
}

#define DIGIT_BITS 11
#define DIGITS (1u << DIGIT_BITS)

/* One pass of a radix sort: from `keys` to `spare`, by eleven bits of the hash, and swaps the two.
 */
static void sort_by_digit(struct index_plan *index, unsigned shift)
{
    size_t starts[DIGITS + 1] = {0};
    struct key *sorted = index->spare;

    for (size_t i = 0; i < index->count; i++) {
        starts[(index->keys[i].hash >> shift & (DIGITS - 1)) + 1]++;
    }
    for (unsigned digit = 0; digit < DIGITS; digit++) {
        starts[digit + 1] += starts[digit];
    }
    for (size_t i = 0; i < index->count; i++) {
        sorted[starts[index->keys[i].hash >> shift & (DIGITS - 1)]++] = index->keys[i];
    }
    index->spare = index->keys;
    index->keys = sorted;
}

/* Sorts by the upper 33 bits, then by all the rest where several keys have those in common: few, by
 * nature, but somebody who made them so should gain nothing. */
static void sort_keys(const struct layout_plan *plan, struct index_plan *index)
{
    const unsigned sorted_from = 64 - 3 * DIGIT_BITS;
    const struct key_order key_order = {plan, index->kind};
    size_t end = 0;

    for (unsigned shift = sorted_from; shift < 64; shift += DIGIT_BITS) {
        sort_by_digit(index, shift);
    }
    for (size_t begin = 0; begin < index->count; begin = end) {
        uint64_t upper = index->keys[begin].hash >> sorted_from;

        for (end = begin + 1;
             end < index->count && index->keys[end].hash >> sorted_from == upper;) {
            end++;
        }
        if (end - begin > 1) {
            weir_sort(index->keys + begin, end - begin, sizeof *index->keys, compare_entries,
                      &key_order);
        }
    }
}

/* Of all entries whose key an earlier one has: the first, in the order they came in; or NULL. */
static const struct weir_compiled_entry *find_duplicate(const struct layout_plan *plan,
                                                        const struct index_plan *index)
{
    const struct weir_compiled_entry *found = NULL;

    for (size_t i = 1; i < index->count; i++) {
        const struct key *key = &index->keys[i];

        if (key->hash == key[-1].hash && compare_keys(plan, index->kind, key, key - 1) == 0) {
            const struct weir_compiled_entry *entry = &plan->entries[key->entry];

            found = found == NULL || entry < found ? entry : found;
        }
    }
    return found;
}

/*
 * ---- Buckets ----
 */

static uint64_t bucket_count_for(size_t keys)
{
    const uint64_t filled = (uint64_t)WEIR_SLOTS * LOAD_PERCENT; /* of a bucket, in hundredths */

    return keys == 0 ? 1 : ((uint64_t)keys * 100 + filled - 1) / filled;
}

/* Takes a slot for a key of this hash. Returns how far from its home: WEIR_REACH for none. */
static unsigned take_slot(struct index_plan *index, uint64_t hash)
{
    uint8_t *fill = index->fill + weir_hash_home(hash, index->header.bucket_count);
    unsigned reach = 0;

    while (reach < WEIR_REACH && fill[reach] == WEIR_SLOTS) {
        reach++;
    }
    if (reach < WEIR_REACH) {
        fill[reach]++;
    }
    return reach;
}

static size_t fill_size(const struct index_plan *index)
{
    return (size_t)weir_bucket_total(index->header.bucket_count);
}

static bool plan_buckets(struct layout_plan *plan, struct index_plan *index)
{
    index->header.bucket_count = bucket_count_for(index->count);
    index->fill = weir_allocate(&plan->allocator, fill_size(index));
    if (index->fill == NULL) {
        return false;
    }
    memset(index->fill, 0, fill_size(index));
    for (size_t i = 0; i < index->count; i++) {
        index->header.overflow_count += take_slot(index, index->keys[i].hash) == WEIR_REACH;
    }
    return true;
}

static void write_index(const struct layout_plan *plan, struct index_plan *index,
                        struct weir_bucket *buckets, struct weir_overflow *overflow)
{
    memset(index->fill, 0, fill_size(index));
    for (size_t i = 0; i < index->count; i++) {
        uint64_t hash = index->keys[i].hash;
        uint32_t offset = plan->offsets[index->keys[i].entry];
        uint64_t home = weir_hash_home(hash, index->header.bucket_count);
        unsigned reach = take_slot(index, hash);

        for (unsigned passed = 0; passed < reach; passed++) {
            buckets[home + passed].spilled++;
        }
        if (reach < WEIR_REACH) {
            unsigned slot = index->fill[home + reach] - 1u;

            buckets[home + reach].tag[slot] = weir_hash_tag(hash);
            buckets[home + reach].offset[slot] = offset;
        } else {
            *overflow++ = (struct weir_overflow){hash, offset, 0};
        }
    }
}

/*
 * ---- The plan ----
 */

static bool allocate_keys(struct layout_plan *plan, struct index_plan *index, size_t capacity)
{
    size_t size = capacity * sizeof *index->keys;

    if (capacity == 0) {
        return true;
    }
    index->capacity = capacity;
    index->keys = weir_allocate(&plan->allocator, size);
    index->spare = weir_allocate(&plan->allocator, size);
    return index->keys != NULL && index->spare != NULL;
}

static size_t count_digests(const struct layout_plan *plan)
{
    size_t count = 0;

    for (size_t i = 0; i < plan->count; i++) {
        count += (plan->entries[i].block->flags & WEIR_FLAG_DIGEST) != 0;
    }
    return count;
}

static void hash_keys(const struct layout_plan *plan, struct index_plan *index)
{
    for (size_t i = 0; i < plan->count; i++) {
        const struct weir_block *block = plan->entries[i].block;

        if (index->kind == WEIR_KEY_ID || (block->flags & WEIR_FLAG_DIGEST) != 0) {
            index->keys[index->count++] = (struct key){
                weir_hash(block_key(block, index->kind), plan->header.hash_key), (uint32_t)i};
        }
    }
}

static enum weir_status fail_duplicate(const struct weir_compiled_entry *entry,
                                       enum weir_key_kind kind, uint64_t *duplicate,
                                       struct weir_error *error)
{
    if (duplicate != NULL) {
        *duplicate = entry->position;
    }
    return weir_fail(error, WEIR_ERROR_DUPLICATE,
                     kind == WEIR_KEY_ID ? "another token has the id %s"
                                         : "another token has the credential digest of token %s",
                     weir_quoted_id(weir_block_id(entry->block)).text);
}

static enum weir_status plan_index(struct layout_plan *plan, struct index_plan *index,
                                   size_t capacity, uint64_t *duplicate, struct weir_error *error)
{
    const struct weir_compiled_entry *entry = NULL;

    if (!allocate_keys(plan, index, capacity)) {
        return weir_fail_memory(error);
    }
    hash_keys(plan, index);
    sort_keys(plan, index);
    entry = find_duplicate(plan, index);
    if (entry != NULL) {
        return fail_duplicate(entry, index->kind, duplicate, error);
    }
    return plan_buckets(plan, index) ? WEIR_OK : weir_fail_memory(error);
}

/* Size of the section of blocks, each at a multiple of 1 << shift bytes. */
static uint64_t blocks_size(const struct layout_plan *plan, unsigned shift)
{
    uint64_t size = 2 * (uint64_t)WEIR_BLOCKS_MARGIN;

    for (size_t i = 0; i < plan->count; i++) {
        size += weir_round_up(weir_block_size(plan->entries[i].block), UINT64_C(1) << shift);
    }
    return size;
}

static enum weir_status plan_blocks(struct layout_plan *plan, struct weir_error *error)
{
    for (unsigned shift = WEIR_BLOCK_SHIFT_MIN; shift <= WEIR_BLOCK_SHIFT_MAX; shift++) {
        plan->header.blocks_size = blocks_size(plan, shift);
        plan->header.block_shift = shift;
        if (plan->header.blocks_size >> shift < WEIR_OFFSET_OWN) {
            return WEIR_OK;
        }
    }
    return weir_fail(error, WEIR_ERROR_LIMIT, "the tokens are too large for one image");
}

static enum weir_status plan_layout(struct layout_plan *plan, uint64_t *duplicate,
                                    struct weir_error *error)
{
    size_t digests = count_digests(plan);
    enum weir_status status = plan_index(plan, &plan->id, plan->count, duplicate, error);

    if (status == WEIR_OK) {
        status = plan_index(plan, &plan->digest, digests, duplicate, error);
    }
    if (status == WEIR_OK) {
        status = plan_blocks(plan, error);
    }
    if (status != WEIR_OK) {
        return status;
    }
    plan->offsets = weir_allocate(&plan->allocator, (plan->count + 1) * sizeof *plan->offsets);
    if (plan->offsets == NULL) {
        return weir_fail_memory(error);
    }
    plan->header.token_count = plan->count;
    plan->header.digest_count = digests;
    plan->header.id = plan->id.header;
    plan->header.digest = plan->digest.header;
    plan->header.file_size = weir_layout_of(&plan->header).file_size;
    return WEIR_OK;
}

static void release_index(struct layout_plan *plan, struct index_plan *index)
{
    size_t size = index->capacity * sizeof *index->keys;

    weir_release(&plan->allocator, index->keys, size);
    weir_release(&plan->allocator, index->spare, size);
    weir_release(&plan->allocator, index->fill, fill_size(index));
}

static void release_plan(struct layout_plan *plan)
{
    release_index(plan, &plan->id);
    release_index(plan, &plan->digest);
    weir_release(&plan->allocator, plan->offsets, (plan->count + 1) * sizeof *plan->offsets);
}

/*
 * ---- Writing ----
 */

/* How many blocks ahead to ask for: they lie in the order they came in, and are written in another.
 */
#define AHEAD 12

/* Writes the blocks in the order of the index of ids, and notes where each is. */
static void write_blocks(struct layout_plan *plan, char *section)
{
    const struct key *keys = plan->id.keys;
    unsigned shift = plan->header.block_shift;
    uint64_t start = WEIR_BLOCKS_FIRST;

    for (size_t i = 0; i < plan->count; i++) {
        const struct weir_block *block = plan->entries[keys[i].entry].block;
        size_t size = weir_block_size(block);

        if (i + AHEAD < plan->count) {
            weir_block_prefetch(plan->entries[keys[i + AHEAD].entry].block);
        }
        if (i + 2 * (size_t)AHEAD < plan->count) {
            __builtin_prefetch(&plan->entries[keys[i + 2 * (size_t)AHEAD].entry]);
        }
        memcpy(section + start, block, size);
        plan->offsets[keys[i].entry] = (uint32_t)(start >> shift);
        start = weir_round_up(start + size, UINT64_C(1) << shift);
    }
}

static void write_image(struct layout_plan *plan, char *bytes)
{
    struct weir_layout layout = weir_layout_of(&plan->header);

    memset(bytes, 0, (size_t)layout.file_size);
    write_blocks(plan, bytes + layout.blocks);
    write_index(plan, &plan->id, (struct weir_bucket *)(void *)(bytes + layout.id_buckets),
                (struct weir_overflow *)(void *)(bytes + layout.id_overflow));
    write_index(plan, &plan->digest, (struct weir_bucket *)(void *)(bytes + layout.digest_buckets),
                (struct weir_overflow *)(void *)(bytes + layout.digest_overflow));
    memcpy(bytes, &plan->header, sizeof plan->header);
    plan->header.checksum = weir_image_checksum(bytes, (size_t)layout.file_size);
    memcpy(bytes, &plan->header, sizeof plan->header);
}

static enum weir_status make_image(struct layout_plan *plan, struct weir_image **image,
                                   struct weir_error *error)
{
    size_t size = (size_t)plan->header.file_size;
    char *bytes = weir_allocate(&plan->allocator, size);
    enum weir_status status = WEIR_OK;

    if (bytes == NULL) {
        return weir_fail_memory(error);
    }
    write_image(plan, bytes);
    status = weir_image_wrap(bytes, size, WEIR_ALLOCATED, &plan->allocator, image, error);
    if (status != WEIR_OK) {
        weir_release(&plan->allocator, bytes, size);
    }
    return status;
}

enum weir_status weir_lay_out(const struct weir_compiled_entry *entries,
                              const struct weir_content *content, uint64_t sequence,
                              const struct weir_allocator *allocator, struct weir_image **image,
                              uint64_t *duplicate, struct weir_error *error)
{
    struct layout_plan plan = {
        .entries = entries,
        .count = (size_t)content->count,
        .id = {.kind = WEIR_KEY_ID},
        .digest = {.kind = WEIR_KEY_DIGEST},
        .header =
            {
                .version = WEIR_FORMAT_VERSION,
                .sequence = sequence,
                .hash_key = content_hash_key(content),
            },
        .allocator = *allocator,
    };
    enum weir_status status = WEIR_OK;

    memcpy(plan.header.magic, WEIR_MAGIC, WEIR_MAGIC_SIZE);
    status = plan_layout(&plan, duplicate, error);
    if (status == WEIR_OK) {
        status = make_image(&plan, image, error);
    }
    release_plan(&plan);
    return status;
}
