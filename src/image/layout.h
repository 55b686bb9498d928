/* layout.h - from blocks to an image. */
#ifndef WEIR_IMAGE_LAYOUT_H
#define WEIR_IMAGE_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

#include <weir/allocator.h>
#include <weir/error.h>
#include <weir/image.h>

#include "image/format.h"

/* The sum of the hashes of all blocks of an image, and their number: the same whatever their order.
 * All zero is that of none. */
struct weir_content {
    uint64_t low;
    uint64_t high;
    uint64_t count;
    uint64_t digests; /* blocks that have one */
};

/* Adds a block of that size to the sum. */
void weir_content_add(struct weir_content *content, const struct weir_block *block, size_t size);

/* A block that has been compiled, and the caller's number for it. */
struct weir_compiled_entry {
    const struct weir_block *block;
    uint64_t position;
};

/* Makes the image of the blocks, whose sum and number `content` is. Errors as weir_compile. */
enum weir_status weir_lay_out(const struct weir_compiled_entry *entries,
                              const struct weir_content *content, uint64_t sequence,
                              const struct weir_allocator *allocator, struct weir_image **image,
                              uint64_t *duplicate, struct weir_error *error);

#endif
