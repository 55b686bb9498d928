/* layout.h - from blocks to an image. */
#ifndef WEIR_COMPILE_LAYOUT_H
#define WEIR_COMPILE_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

#include <weir/allocator.h>
#include <weir/error.h>
#include <weir/image.h>

#include "image/format.h"

/* A block that has been compiled, and the caller's number for it. */
struct weir_compiled_entry {
    const struct weir_block *block;
    uint64_t position;
};

/* Makes the image of the blocks. Errors as weir_compile. */
enum weir_status weir_lay_out(const struct weir_compiled_entry *entries, size_t count,
                              uint64_t hash_key, uint64_t sequence,
                              const struct weir_allocator *allocator, struct weir_image **image,
                              uint64_t *duplicate, struct weir_error *error);

#endif
