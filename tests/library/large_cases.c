/*
 * large_cases.c - images that are larger than memory, which are planned and then not made.
 *
 * A layout looks at the beginning of each block only, until it has the image's memory: so blocks of
 * 4 GiB need not be there. The allocator tells how large the image would have been.
 */
#include "library/image_cases.h"

#include <stdlib.h>
#include <string.h>

#include "image/block.h"
#include "image/layout.h"
#include "library/support.h"

/* What is on the shelf is for the plan; an image is larger. */
#define SHELF ((size_t)1 << 20)

/* An index of few tokens, and the header, take less. */
#define INDEX_MOST 65536

/* Remembers the largest of what it was asked for, and has only what is small. */
static void *allocate_small(void *context, size_t size)
{
    size_t *largest = context;

    *largest = size > *largest ? size : *largest;
    return size <= SHELF ? malloc(size) : NULL;
}

static void release_small(void *context, void *memory, size_t size)
{
    (void)context;
    (void)size;
    free(memory);
}

/* The beginning of a block with tries that go on for so long. */
struct giant {
    struct weir_block block;
    char id[4];
    struct weir_tries tries;
};

_Static_assert(offsetof(struct giant, tries) == sizeof(struct weir_block) + 4, "as in a block");

/* As many as are too many for one image. */
enum { GIANTS = 32 };

struct giants {
    struct giant giants[GIANTS];
    struct weir_compiled_entry entries[GIANTS];
    size_t largest; /* what was asked of the allocator */
};

/* Makes blocks of `size` bytes each, a multiple of 4. */
static void giants_make(struct giants *giants, uint64_t size)
{
    const uint64_t before = offsetof(struct giant, tries);

    memset(giants, 0, sizeof *giants);
    for (size_t i = 0; i < GIANTS; i++) {
        struct giant *giant = &giants->giants[i];

        giant->block = (struct weir_block){.id_length = sizeof giant->id, .flags = WEIR_FLAG_TRIES};
        memset(giant->id, 'A' + (int)i, sizeof giant->id);
        giant->tries.size = (uint32_t)(size - before);
        giants->entries[i] = (struct weir_compiled_entry){&giant->block, i};
    }
}

/* The size of an image of the first `count` giants; 0 if they are too large for one. */
static uint64_t size_of_image(struct giants *giants, size_t count)
{
    const struct weir_allocator allocator = {allocate_small, NULL, release_small, &giants->largest};
    const struct weir_content content = {.count = count};
    struct weir_image *image = NULL;
    struct weir_error error = {0};
    enum weir_status status =
        weir_lay_out(giants->entries, &content, 0, &allocator, &image, NULL, &error);

    expect_error(&error, status);
    ck_assert_ptr_null(image);
    if (status == WEIR_ERROR_LIMIT) {
        ck_assert_uint_le(giants->largest, SHELF);
        return 0;
    }
    ck_assert_int_eq(status, WEIR_ERROR_MEMORY);
    ck_assert_uint_gt(giants->largest, SHELF);
    return giants->largest;
}

/* With what is before its tries, a block may have more bytes than fit in 32 bits. */
START_TEST(a_block_of_more_than_4_gib_takes_all_its_bytes_of_an_image)
{
    static const uint64_t sizes[] = {UINT32_MAX - 3, UINT64_C(1) << 32, UINT64_C(0x100000010)};
    struct giants giants;
    uint64_t besides = 0; /* what an image has that is no block */

    giants_make(&giants, UINT32_MAX - 19);
    besides = size_of_image(&giants, 1) - (UINT32_MAX - 19);
    ck_assert_uint_lt(besides, INDEX_MOST);
    for (size_t i = 0; i < COUNT(sizes); i++) {
        giants_make(&giants, sizes[i]);
        ck_assert_uint_eq(size_of_image(&giants, 1), sizes[i] + besides);
    }
}
END_TEST

/* Where they are in the image is counted in units, 2^31 of them: of 4 bytes, which three such
 * blocks exceed, up to 64. */
START_TEST(units_are_as_large_as_it_takes_and_blocks_begin_at_whole_ones)
{
    static const struct {
        size_t count;
        uint64_t unit;
    } images[] = {{1, 4}, {3, 8}, {5, 16}, {9, 32}, {17, 64}};
    const uint64_t size = UINT64_C(0xffff0004);
    struct giants giants;
    struct giants whole; /* ending where a unit does */

    giants_make(&giants, size);
    for (size_t i = 0; i < COUNT(images); i++) {
        const uint64_t rounded = (size + images[i].unit - 1) / images[i].unit * images[i].unit;
        const uint64_t image_size = size_of_image(&giants, images[i].count);

        ck_assert_uint_gt(image_size, images[i].count * rounded);
        ck_assert_uint_lt(image_size, images[i].count * rounded + INDEX_MOST);
        giants_make(&whole, rounded);
        ck_assert_uint_eq(size_of_image(&whole, images[i].count), image_size);
        giants.largest = 0;
    }
}
END_TEST

START_TEST(tokens_of_128_gib_are_too_large_for_one_image)
{
    struct giants giants;

    giants_make(&giants, UINT64_C(1) << 32);
    ck_assert_uint_gt(size_of_image(&giants, GIANTS - 1), UINT64_C(31) << 32);
    giants.largest = 0;
    ck_assert_uint_eq(size_of_image(&giants, GIANTS), 0);
}
END_TEST

TCase *large_cases(void)
{
    TCase *cases = tcase_create("large");

    tcase_add_test(cases, a_block_of_more_than_4_gib_takes_all_its_bytes_of_an_image);
    tcase_add_test(cases, units_are_as_large_as_it_takes_and_blocks_begin_at_whole_ones);
    tcase_add_test(cases, tokens_of_128_gib_are_too_large_for_one_image);
    return cases;
}
