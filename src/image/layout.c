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
    content->digests += (block->flags & WEIR_FLAG_DIGEST) != 0;
}

/* The hash key of an image of that content. */
static uint64_t content_hash_key(const struct weir_content *content)
{
    const uint64_t parts[] = {content->low, content->high, content->count};

    return XXH3_64bits(parts, sizeof parts);
}

/* An index is filled up to this many keys for each hundred slots. */
#define LOAD_PERCENT 70

/* A block on its way into an index: what its key hashes to, how long it is, which entry. */
struct key {
    uint64_t hash;
    const struct weir_block *block;
    uint32_t size; /* UINT32_MAX: that or more, as the block itself says */
    uint32_t entry;
};

static inline size_t key_size(const struct key *key)
{
    return key->size < UINT32_MAX ? key->size : weir_block_size(key->block);
}

/* The keys of one index, in order of hash and then key; what it will take in the image. */
struct index_plan {
    enum weir_key_kind kind;
    struct key *keys;
    struct key *spare; /* as long as keys, for sorting, as is the next */
    uint32_t *ends;    /* of the values of both digits: see settle_keys */
    uint8_t *fill;     /* for each bucket, the number of slots taken */
    size_t count;
    struct weir_index_header header;
};

struct layout_plan {
    const struct weir_compiled_entry *entries;
    size_t count;
    struct index_plan id;
    struct index_plan digest;
    uint32_t *offsets; /* of each entry's block, in units; NULL if there is no digest */
    struct weir_image_header header;
    struct weir_allocator allocator;
};

/*
 * ---- Keys ----
 */

/* How many bits number at least `count` things, up to `most`. */
static unsigned bits_for(size_t count, unsigned most)
{
    unsigned bits = 1;

    while (bits < most && (size_t)1 << bits < count) {
        bits++;
    }
    return bits;
}

/*
 * Keys are sorted by two digits of their hashes, each with so many values that few keys share one:
 * first into parts, by the highest bits, then each part, which a cache holds, by those that follow.
 */
#define PART_BITS_MAX 12
#define PART_KEYS 512 /* what a part is to have */
#define DIGIT_BITS_MAX 13

static unsigned part_bits_of(const struct index_plan *index)
{
    return bits_for(index->count / PART_KEYS, PART_BITS_MAX);
}

static unsigned digit_bits_for(size_t count)
{
    return bits_for(2 * count, DIGIT_BITS_MAX);
}

static size_t ends_size(const struct index_plan *index)
{
    return (((size_t)1 << part_bits_of(index)) + ((size_t)1 << digit_bits_for(index->count))) *
           sizeof *index->ends;
}

static bool allocate_keys(struct layout_plan *plan, struct index_plan *index)
{
    size_t size = index->count * sizeof *index->keys;

    if (size == 0) {
        return true;
    }
    index->keys = weir_allocate(&plan->allocator, size);
    index->spare = weir_allocate(&plan->allocator, size);
    index->ends = weir_allocate(&plan->allocator, ends_size(index));
    return index->keys != NULL && index->spare != NULL && index->ends != NULL;
}

static struct weir_text block_key(const struct weir_block *block, enum weir_key_kind kind)
{
    if (kind == WEIR_KEY_ID) {
        return weir_block_id(block);
    }
    return (struct weir_text){(const char *)weir_block_digest(block), WEIR_DIGEST_SIZE};
}

static struct key make_key(const struct layout_plan *plan, uint32_t entry, enum weir_key_kind kind)
{
    const struct weir_block *block = plan->entries[entry].block;
    size_t size = weir_block_size(block);

    return (struct key){weir_hash(block_key(block, kind), plan->header.hash_key), block,
                        size < UINT32_MAX ? (uint32_t)size : UINT32_MAX, entry};
}

/* Looks at each block once, in the order they came in. */
static void hash_keys(struct layout_plan *plan)
{
    struct key *digest_key = plan->digest.keys;

    for (uint32_t entry = 0; entry < plan->count; entry++) {
        plan->id.keys[entry] = make_key(plan, entry, WEIR_KEY_ID);
        if ((plan->entries[entry].block->flags & WEIR_FLAG_DIGEST) != 0) {
            *digest_key++ = make_key(plan, entry, WEIR_KEY_DIGEST);
        }
    }
}

/*
 * ---- Keys in order ----
 */

static int compare_keys(enum weir_key_kind kind, const struct key *left, const struct key *right)
{
    if (left->hash != right->hash) {
        return left->hash < right->hash ? -1 : 1;
    }
    return weir_text_compare(block_key(left->block, kind), block_key(right->block, kind));
}

/* A weir_comparison, of keys of the kind that `kind` points to: entries of the same key in the
 * order they came in. */
static int compare_entries(const void *left_pointer, const void *right_pointer, const void *kind)
{
    const struct key *left = left_pointer;
    const struct key *right = right_pointer;
    int order = compare_keys(*(const enum weir_key_kind *)kind, left, right);

    return order != 0 ? order : (left->entry > right->entry) - (left->entry < right->entry);
}

/* Moves keys from one array to another in the order of a digit of the hash: `bits` wide, the
 * highest of those that are left when `skipped` are shifted out. `ends` is zero, as many as the
 * digit has values, and becomes where each value's keys end. */
static void move_by_digit(const struct key *from, struct key *to, size_t count, unsigned skipped,
                          unsigned bits, uint32_t *ends)
{
    const unsigned shift = 64 - bits;
    uint32_t start = 0;

    for (size_t i = 0; i < count; i++) {
        ends[from[i].hash << skipped >> shift]++;
    }
    for (size_t digit = 0; digit < (size_t)1 << bits; digit++) {
        uint32_t here = ends[digit];

        ends[digit] = start;
        start += here;
    }
    for (size_t i = 0; i < count; i++) {
        to[ends[from[i].hash << skipped >> shift]++] = from[i];
    }
}

/* So far does a key move at most, where keys are nearly in order. */
#define NEARLY 16

/* Sorts keys of which each is near its place; any others, in a longer time. */
static void sort_nearly_sorted(struct key *keys, size_t count, const enum weir_key_kind *kind)
{
    for (size_t i = 1; i < count; i++) {
        struct key key = keys[i];
        size_t to = i;

        if (keys[i - 1].hash < key.hash) {
            continue;
        }
        while (to > 0 && i - to < NEARLY && compare_entries(&keys[to - 1], &key, kind) > 0) {
            keys[to] = keys[to - 1];
            to--;
        }
        keys[to] = key;
        if (i - to == NEARLY) {
            /* Few keys share a digit, by nature, but somebody who made them so gains nothing. */
            weir_sort(keys, count, sizeof *keys, compare_entries, kind);
            return;
        }
    }
}

/* Sorts the keys of a part, from `spare` to `keys`. */
static void sort_part(struct index_plan *index, size_t start, size_t count, unsigned part_bits,
                      uint32_t *ends)
{
    const unsigned bits = digit_bits_for(count);

    memset(ends, 0, sizeof *ends << bits);
    move_by_digit(index->spare + start, index->keys + start, count, part_bits, bits, ends);
    sort_nearly_sorted(index->keys + start, count, &index->kind);
}

/* The earlier in the order they came in; either may be NULL. */
static const struct key *earlier_key(const struct key *left, const struct key *right)
{
    return left == NULL || (right != NULL && right->entry < left->entry) ? right : left;
}

/* Of sorted keys that are the same as one before: the first, in the order they came in; or NULL. */
static const struct key *find_duplicate(const struct key *keys, size_t count,
                                        enum weir_key_kind kind)
{
    const struct key *found = NULL;

    for (size_t i = 1; i < count; i++) {
        if (keys[i].hash == keys[i - 1].hash && compare_keys(kind, &keys[i], &keys[i - 1]) == 0) {
            found = earlier_key(found, &keys[i]);
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

static bool allocate_fill(struct layout_plan *plan, struct index_plan *index)
{
    index->header.bucket_count = bucket_count_for(index->count);
    index->fill = weir_allocate(&plan->allocator, fill_size(index));
    if (index->fill == NULL) {
        return false;
    }
    memset(index->fill, 0, fill_size(index));
    return true;
}

static uint64_t count_overflow(struct index_plan *index, const struct key *keys, size_t count)
{
    uint64_t overflow_count = 0;

    for (size_t i = 0; i < count; i++) {
        overflow_count += take_slot(index, keys[i].hash) == WEIR_REACH;
    }
    return overflow_count;
}

/* Puts a key into an empty index whose keys come in order. `*overflow` is where the next one goes
 * that finds no room. */
static void write_key(struct index_plan *index, uint64_t hash, uint32_t offset,
                      struct weir_bucket *buckets, struct weir_overflow **overflow)
{
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
        *(*overflow)++ = (struct weir_overflow){hash, offset, 0};
    }
}

/*
 * ---- The plan ----
 */

static enum weir_status fail_duplicate(const struct layout_plan *plan, const struct key *key,
                                       enum weir_key_kind kind, uint64_t *duplicate,
                                       struct weir_error *error)
{
    if (duplicate != NULL) {
        *duplicate = plan->entries[key->entry].position;
    }
    return weir_fail(error, WEIR_ERROR_DUPLICATE,
                     kind == WEIR_KEY_ID ? "another token has the id %s"
                                         : "another token has the credential digest of token %s",
                     weir_quoted_id(weir_block_id(key->block)).text);
}

static void release_spare(struct layout_plan *plan, struct index_plan *index)
{
    weir_release(&plan->allocator, index->spare, index->count * sizeof *index->spare);
    weir_release(&plan->allocator, index->ends, ends_size(index));
    index->spare = NULL;
    index->ends = NULL;
}

/* Sorts the keys, part by part, and takes their slots. Returns what find_duplicate does of all. */
static const struct key *settle_keys(struct index_plan *index)
{
    const unsigned part_bits = part_bits_of(index);
    const struct key *duplicate = NULL;
    uint32_t *part_ends = index->ends;
    uint32_t *digit_ends = NULL;
    size_t start = 0;

    if (index->count == 0) {
        return NULL;
    }
    digit_ends = part_ends + ((size_t)1 << part_bits);
    memset(part_ends, 0, sizeof *part_ends << part_bits);
    move_by_digit(index->keys, index->spare, index->count, 0, part_bits, part_ends);
    for (size_t part = 0; part < (size_t)1 << part_bits; part++) {
        const struct key *keys = index->keys + start;
        size_t count = part_ends[part] - start;

        sort_part(index, start, count, part_bits, digit_ends);
        duplicate = earlier_key(duplicate, find_duplicate(keys, count, index->kind));
        index->header.overflow_count += count_overflow(index, keys, count);
        start += count;
    }
    return duplicate;
}

static enum weir_status plan_index(struct layout_plan *plan, struct index_plan *index,
                                   uint64_t *duplicate, struct weir_error *error)
{
    const struct key *key = NULL;

    if (!allocate_fill(plan, index)) {
        return weir_fail_memory(error);
    }
    key = settle_keys(index);
    release_spare(plan, index);
    return key == NULL ? WEIR_OK : fail_duplicate(plan, key, index->kind, duplicate, error);
}

/* Size of the section of blocks, each at a multiple of 1 << shift bytes. */
static uint64_t blocks_size(const struct layout_plan *plan, unsigned shift)
{
    uint64_t size = 2 * (uint64_t)WEIR_BLOCKS_MARGIN;

    for (size_t i = 0; i < plan->count; i++) {
        size += weir_round_up(key_size(&plan->id.keys[i]), UINT64_C(1) << shift);
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

static size_t offsets_size(const struct layout_plan *plan)
{
    return plan->digest.count == 0 ? 0 : plan->count * sizeof *plan->offsets;
}

static bool allocate_offsets(struct layout_plan *plan)
{
    if (offsets_size(plan) > 0) {
        plan->offsets = weir_allocate(&plan->allocator, offsets_size(plan));
    }
    return plan->offsets != NULL || offsets_size(plan) == 0;
}

static enum weir_status plan_layout(struct layout_plan *plan, uint64_t *duplicate,
                                    struct weir_error *error)
{
    enum weir_status status = WEIR_OK;

    if (!allocate_keys(plan, &plan->id) || !allocate_keys(plan, &plan->digest)) {
        return weir_fail_memory(error);
    }
    hash_keys(plan);
    status = plan_index(plan, &plan->id, duplicate, error);
    if (status == WEIR_OK) {
        status = plan_index(plan, &plan->digest, duplicate, error);
    }
    if (status == WEIR_OK) {
        status = plan_blocks(plan, error);
    }
    if (status == WEIR_OK && !allocate_offsets(plan)) {
        status = weir_fail_memory(error);
    }
    if (status == WEIR_OK) {
        plan->header.id = plan->id.header;
        plan->header.digest = plan->digest.header;
        plan->header.file_size = weir_layout_of(&plan->header).file_size;
    }
    return status;
}

static void release_index(struct layout_plan *plan, struct index_plan *index)
{
    release_spare(plan, index);
    weir_release(&plan->allocator, index->keys, index->count * sizeof *index->keys);
    weir_release(&plan->allocator, index->fill, fill_size(index));
}

static void release_plan(struct layout_plan *plan)
{
    release_index(plan, &plan->id);
    release_index(plan, &plan->digest);
    weir_release(&plan->allocator, plan->offsets, offsets_size(plan));
}

/*
 * ---- Writing ----
 */

/* An image while it is written, from its start to its end. */
struct writer {
    char *bytes;
    uint64_t end;    /* of what is written */
    uint64_t summed; /* of that, what the checksum contains */
    XXH3_state_t checksum;
};

/* What most images round the size of a block up to. */
#define SMALLEST_UNIT (1 << WEIR_BLOCK_SHIFT_MIN)

/* So much is summed at a time, while a cache holds it. */
#define SUMMED_AT_ONCE ((uint64_t)8 << 10)

static void sum_written(struct writer *writer)
{
    (void)XXH3_64bits_update(&writer->checksum, writer->bytes + writer->summed,
                             (size_t)(writer->end - writer->summed));
    writer->summed = writer->end;
}

static void write_zeros(struct writer *writer, uint64_t end)
{
    memset(writer->bytes + writer->end, 0, (size_t)(end - writer->end));
    writer->end = end;
}

/* The id index, whose order the blocks will have; notes where each will be, for the other. */
static void write_id_index(struct layout_plan *plan, struct weir_bucket *buckets,
                           struct weir_overflow *overflow)
{
    struct index_plan *index = &plan->id;
    const unsigned shift = plan->header.block_shift;
    uint64_t start = WEIR_BLOCKS_FIRST;

    memset(index->fill, 0, fill_size(index));
    for (size_t i = 0; i < index->count; i++) {
        const struct key *key = &index->keys[i];

        write_key(index, key->hash, (uint32_t)(start >> shift), buckets, &overflow);
        if (plan->offsets != NULL) {
            plan->offsets[key->entry] = (uint32_t)(start >> shift);
        }
        start = weir_round_up(start + key_size(key), UINT64_C(1) << shift);
    }
}

static void write_digest_index(struct layout_plan *plan, struct weir_bucket *buckets,
                               struct weir_overflow *overflow)
{
    struct index_plan *index = &plan->digest;

    memset(index->fill, 0, fill_size(index));
    for (size_t i = 0; i < index->count; i++) {
        const struct key *key = &index->keys[i];

        write_key(index, key->hash, plan->offsets[key->entry], buckets, &overflow);
    }
}

/* How many blocks ahead to ask for: they lie in the order they came in, and are written in another.
 */
#define AHEAD 16

/* Asks for what the loop below needs later. A call could be left out, as one that has no effect. */
static inline __attribute__((always_inline)) void prefetch_blocks(const struct layout_plan *plan,
                                                                  size_t i)
{
    const struct key *keys = plan->id.keys;

    if (i + AHEAD < plan->count) {
        const struct key *key = &keys[i + AHEAD];

        weir_block_prefetch(key->block);
        __builtin_prefetch((const char *)key->block + key->size - 1);
    }
}

/* Writes the blocks in the order of the index of ids. */
static void write_blocks(const struct layout_plan *plan, struct writer *writer)
{
    const struct key *keys = plan->id.keys;
    const uint64_t unit = UINT64_C(1) << plan->header.block_shift;

    for (size_t i = 0; i < plan->count; i++) {
        size_t size = key_size(&keys[i]);
        uint64_t end = weir_round_up(writer->end + size, unit);

        prefetch_blocks(plan, i);
        /* The zeros that round a block up, and its last bytes, which follow. */
        memset(writer->bytes + end - SMALLEST_UNIT, 0, SMALLEST_UNIT);
        memcpy(writer->bytes + writer->end, keys[i].block, size);
        if (unit > SMALLEST_UNIT) {
            memset(writer->bytes + writer->end + size, 0, (size_t)(end - writer->end) - size);
        }
        writer->end = end;
        if (writer->end - writer->summed >= SUMMED_AT_ONCE) {
            sum_written(writer);
        }
    }
}

static void write_image(struct layout_plan *plan, char *bytes)
{
    struct weir_layout layout = weir_layout_of(&plan->header);
    struct writer writer = {.bytes = bytes};

    (void)XXH3_64bits_reset(&writer.checksum);
    write_zeros(&writer, layout.blocks + WEIR_BLOCKS_MARGIN);
    memcpy(bytes, &plan->header, sizeof plan->header);
    write_id_index(plan, (struct weir_bucket *)(void *)(bytes + layout.id_buckets),
                   (struct weir_overflow *)(void *)(bytes + layout.id_overflow));
    write_digest_index(plan, (struct weir_bucket *)(void *)(bytes + layout.digest_buckets),
                       (struct weir_overflow *)(void *)(bytes + layout.digest_overflow));
    sum_written(&writer);
    write_blocks(plan, &writer);
    write_zeros(&writer, layout.file_size);
    sum_written(&writer);
    plan->header.checksum = XXH3_64bits_digest(&writer.checksum);
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
        .id = {.kind = WEIR_KEY_ID, .count = (size_t)content->count},
        .digest = {.kind = WEIR_KEY_DIGEST, .count = (size_t)content->digests},
        .header =
            {
                .version = WEIR_FORMAT_VERSION,
                .token_count = content->count,
                .digest_count = content->digests,
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
