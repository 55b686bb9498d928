/*
 * hostile.c - an image whose ids were chosen against it.
 *
 * Its index has a single home, and all ids have one tag. So forty of them fill the buckets, all
 * others are in the overflow, and each of those is looked for in four lines of the index, compared
 * with forty tokens, and found by a binary search. The compiler makes no such image: the key of its
 * hash follows from all of the tokens. Here the key is chosen, as by somebody who writes images.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engines.h"
#include "image/image.h"
#include "memory.h"
#include "requests.h"
#include "tokens.h"
#include "workloads.h"

#define HASH_KEY UINT64_C(0x6b6579206f662074)
#define TAG 0xbeef
#define HELD 1000             /* ids that the image has */
#define IDS (HELD + HELD / 8) /* that were found */
#define IN_SLOTS ((size_t)WEIR_SLOTS * WEIR_REACH)
#define REQUESTS ((size_t)1 << 15)
#define PREFIX "users/"

struct chosen {
    char id[24];
    uint64_t hash;
    uint32_t offset;
};

static void choose(struct chosen chosen[IDS])
{
    size_t found = 0;

    for (uint64_t number = 0; found < IDS; number++) {
        struct chosen *next = &chosen[found];
        int length = snprintf(next->id, sizeof next->id, "id-%llx", (unsigned long long)number);

        next->hash = weir_hash((struct weir_text){next->id, (size_t)length}, HASH_KEY);
        found += weir_hash_tag(next->hash) == TAG;
    }
}

static int compare_hashes(const void *left, const void *right)
{
    const struct chosen *a = left;
    const struct chosen *b = right;

    return (a->hash > b->hash) - (a->hash < b->hash);
}

/* The image as the compiler makes it. */
static struct weir_image *compile(const struct chosen chosen[HELD])
{
    struct weir_scope scope = {.basins = {WEIR_SET_PREFIX, WEIR_TEXT("")},
                               .streams = {WEIR_SET_PREFIX, WEIR_TEXT(PREFIX)},
                               .ops = WEIR_OPERATIONS_ALL};
    struct weir_compiler *compiler = NULL;
    struct weir_image *image = NULL;

    engines_must(weir_compiler_new(NULL, &compiler, NULL), "compiling hostile ids");
    for (size_t i = 0; i < HELD; i++) {
        struct weir_token token = {
            .id = {chosen[i].id, strlen(chosen[i].id)}, .scopes = &scope, .scope_count = 1};

        engines_must(weir_compiler_add(compiler, &token, i, NULL), "compiling hostile ids");
    }
    engines_must(weir_compile(compiler, 0, &image, NULL, NULL), "compiling hostile ids");
    weir_compiler_free(compiler);
    return image;
}

/* Where each token's block is, in units. */
static void locate(const struct weir_image *image, struct chosen chosen[HELD])
{
    for (size_t i = 0; i < HELD; i++) {
        const char *block = (const char *)weir_image_find(
            image, (struct weir_text){chosen[i].id, strlen(chosen[i].id)});

        chosen[i].offset =
            (uint32_t)((size_t)(block - image->view.blocks.section) >> image->view.blocks.shift);
    }
}

static void fill_buckets(struct weir_bucket *buckets, const struct chosen chosen[IN_SLOTS])
{
    for (size_t i = 0; i < IN_SLOTS; i++) {
        buckets[i / WEIR_SLOTS].tag[i % WEIR_SLOTS] = TAG;
        buckets[i / WEIR_SLOTS].offset[i % WEIR_SLOTS] = chosen[i].offset;
    }
    for (size_t i = 0; i < WEIR_REACH; i++) {
        buckets[i].spilled = (uint32_t)(HELD - (i + 1) * WEIR_SLOTS);
    }
}

static void fill_overflow(struct weir_overflow *overflow, struct chosen *chosen, size_t count)
{
    qsort(chosen, count, sizeof *chosen, compare_hashes);
    for (size_t i = 0; i < count; i++) {
        overflow[i] = (struct weir_overflow){.hash = chosen[i].hash, .offset = chosen[i].offset};
    }
}

/* The same blocks with an index of one home. */
static const struct weir_image *bend(const struct weir_image *compiled, struct chosen chosen[HELD])
{
    struct weir_image_header header = *compiled->view.header;
    struct weir_image *image = NULL;
    struct weir_layout layout;
    char *bytes = NULL;

    header.hash_key = HASH_KEY;
    header.id.bucket_count = 1;
    header.id.overflow_count = HELD - IN_SLOTS;
    layout = weir_layout_of(&header);
    header.file_size = layout.file_size;
    bytes = memory_touched((size_t)layout.file_size);
    memcpy(bytes + layout.blocks, compiled->view.blocks.section, (size_t)header.blocks_size);
    fill_buckets((struct weir_bucket *)(void *)(bytes + layout.id_buckets), chosen);
    fill_overflow((struct weir_overflow *)(void *)(bytes + layout.id_overflow), chosen + IN_SLOTS,
                  HELD - IN_SLOTS);
    memcpy(bytes, &header, sizeof header);
    header.checksum = weir_image_checksum(bytes, (size_t)layout.file_size);
    memcpy(bytes, &header, sizeof header);
    engines_must(weir_image_open_memory(bytes, (size_t)layout.file_size, WEIR_IMAGE_SHARED, NULL,
                                        &image, NULL),
                 "opening hostile ids");
    return image;
}

static const struct weir_image *image_of(struct chosen chosen[IDS])
{
    struct weir_image *compiled = NULL;
    const struct weir_image *image = NULL;

    choose(chosen);
    compiled = compile(chosen);
    locate(compiled, chosen);
    image = bend(compiled, chosen);
    weir_image_close(compiled);
    return image;
}

void *requests_hostile(void)
{
    static struct requests *requests;
    static struct chosen chosen[IDS];

    if (requests != NULL) {
        return requests;
    }
    requests = requests_new(image_of(chosen), REQUESTS);
    for (size_t i = 0; i < REQUESTS; i++) {
        uint64_t random = tokens_mix(i);
        bool known = random % 10 != 0;
        size_t number = known ? (random >> 8) % HELD : HELD + (random >> 8) % (IDS - HELD);
        struct weir_request request = {.operation = requests_operation(random >> 32),
                                       .basin = WEIR_TEXT("acme-production-eu-1"),
                                       .stream = WEIR_TEXT(PREFIX "1234/inbox")};
        struct weir_text id = {chosen[number].id, strlen(chosen[number].id)};

        requests_add(requests,
                     &(struct kept_request){.question = {.token_id = id, .request = request},
                                            .allowed = known});
    }
    return requests;
}
