#include "live/hostile.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "library/bytes.h"
#include "live/recipes.h"

/* Written out from the format. */
enum {
    PAGE = 4096,
    BUCKET = 64,
    SLOTS = 10,
    REACH = 4,
    AT_OFFSETS = 20, /* in a bucket, behind the tags */
    AT_SPILLED = 60,
    OVERFLOW_ENTRY = 16
};

#define HASH_KEY UINT64_C(0x6b6579206f662074)
#define TAG 0xbeef

/* An image may say under which key its ids are hashed: so we may choose, and look for ids. */
static uint64_t hash_of(const char *id)
{
    return XXH3_64bits_withSeed(id, strlen(id), HASH_KEY);
}

static void find_colliding_ids(struct hostile *hostile)
{
    size_t found = 0;

    for (unsigned i = 0; found < HOSTILE_IDS; i++) {
        (void)snprintf(hostile->ids[found], sizeof hostile->ids[found], "crowd/%07u", i);
        found += (hash_of(hostile->ids[found]) & 0xffff) == TAG;
    }
}

/* A token of the image: in the overflow they are in the order of their hashes. */
struct placed {
    uint64_t hash;
    uint32_t offset;
};

static int compare_placed(const void *left, const void *right)
{
    const struct placed *a = left;
    const struct placed *b = right;

    return (a->hash > b->hash) - (a->hash < b->hash);
}

static void place(const struct weir_image *image, const unsigned char *source,
                  const unsigned char *blocks, struct placed *placed)
{
    uint64_t shift = number_at(source + AT_BLOCK_SHIFT, 4);
    const struct weir_compiled_token *token = NULL;

    for (size_t i = 0; (token = weir_image_next(image, token)) != NULL; i++) {
        struct weir_text id = weir_compiled_token_id(token);

        placed[i].hash = XXH3_64bits_withSeed(id.bytes, id.length, HASH_KEY);
        placed[i].offset = (uint32_t)((size_t)((const unsigned char *)token - blocks) >> shift);
    }
}

static void fill_buckets(unsigned char *buckets, const struct placed *placed, size_t count,
                         size_t slots)
{
    for (size_t i = 0; i < count && i < slots; i++) {
        unsigned char *bucket = buckets + i / SLOTS * BUCKET;

        put_number(bucket + i % SLOTS * 2, 2, TAG);
        put_number(bucket + AT_OFFSETS + i % SLOTS * 4, 4, placed[i].offset);
    }
    for (size_t bucket = 0; bucket < REACH; bucket++) {
        size_t in_or_before = (bucket + 1) * SLOTS < slots ? (bucket + 1) * SLOTS : slots;

        put_number(buckets + bucket * BUCKET + AT_SPILLED, 4,
                   count > in_or_before ? count - in_or_before : 0);
    }
}

/* Home 0 or 1, of two, is the highest bit of the hash. */
static void fill_homes(unsigned char *buckets, const struct placed *placed, size_t count)
{
    size_t used[2] = {0, 0};

    for (size_t i = 0; i < count; i++) {
        unsigned home = (unsigned)(placed[i].hash >> 63);
        unsigned char *bucket = buckets + (size_t)home * BUCKET;
        size_t slot = used[home]++;

        ck_assert_uint_lt(slot, SLOTS);
        put_number(bucket + slot * 2, 2, TAG);
        put_number(bucket + AT_OFFSETS + slot * 4, 4, placed[i].offset);
    }
}

/* One home or two: a page of buckets, one of overflow, one of buckets for no digests, the blocks.
 */
static unsigned char *bend(const struct weir_image *image, size_t homes, size_t slots, size_t *size)
{
    size_t source_size = 0;
    const unsigned char *source = weir_image_bytes(image, &source_size);
    size_t count = (size_t)weir_image_token_count(image);
    size_t blocks_size = (size_t)number_at(source + AT_BLOCKS_SIZE, 8);
    const unsigned char *blocks = source + source_size - blocks_size;
    size_t spilled = count > slots ? count - slots : 0;
    size_t digests_at = (size_t)PAGE * (spilled > 0 ? 3 : 2);
    struct placed placed[HOSTILE_IDS];
    unsigned char *made = NULL;

    *size = digests_at + PAGE + blocks_size;
    made = calloc(1, *size);
    place(image, source, blocks, placed);
    memcpy(made, source, PAGE);
    put_number(made + AT_FILE_SIZE, 8, *size);
    put_number(made + AT_HASH_KEY, 8, HASH_KEY);
    put_number(made + AT_ID_BUCKET_COUNT, 8, homes);
    put_number(made + AT_ID_OVERFLOW_COUNT, 8, spilled);
    put_number(made + AT_DIGEST_BUCKET_COUNT, 8, 1);
    if (homes == 1) {
        fill_buckets(made + PAGE, placed, count, slots);
    } else {
        fill_homes(made + PAGE, placed, count);
    }
    if (spilled > 0) {
        qsort(placed + slots, spilled, sizeof *placed, compare_placed);
    }
    for (size_t i = 0; i < spilled; i++) {
        unsigned char *entry = made + (size_t)2 * PAGE + i * OVERFLOW_ENTRY;

        put_number(entry, 8, placed[slots + i].hash);
        put_number(entry + 8, 4, placed[slots + i].offset);
    }
    memcpy(made + digests_at + PAGE, blocks, blocks_size);
    mend_checksum(made, *size);
    return made;
}

static void make(struct hostile *hostile, size_t homes, size_t count, size_t slots)
{
    struct recipe recipes[HOSTILE_IDS];
    struct weir_image *image = NULL;
    struct weir_error error = {0};
    size_t size = 0;

    find_colliding_ids(hostile);
    for (size_t i = 0; i < count; i++) {
        recipes[i] = (struct recipe){hostile->ids[i], .version = 1, .issue_number = i + 1};
    }
    image = compile_recipes(recipes, count, 0);
    hostile->bytes = bend(image, homes, slots, &size);
    weir_image_close(image);
    ck_assert_msg(weir_image_open_memory(hostile->bytes, size, WEIR_IMAGE_SHARED, NULL,
                                         &hostile->image, &error) == WEIR_OK,
                  "%s", error.message);
}

void hostile_make(struct hostile *hostile, size_t count, size_t slots)
{
    make(hostile, 1, count, slots);
}

void hostile_make_of_two_homes(struct hostile *hostile, size_t count)
{
    make(hostile, 2, count, count);
}

unsigned hostile_home(const char *id)
{
    return (unsigned)(hash_of(id) >> 63);
}

void hostile_free(struct hostile *hostile)
{
    weir_image_close(hostile->image);
    free(hostile->bytes);
}
