#include "vocabulary/memory.h"

#include <stdlib.h>

static void *allocate_by_malloc(void *context, size_t size)
{
    (void)context;
    return malloc(size);
}

static void *reallocate_by_realloc(void *context, void *memory, size_t old_size, size_t new_size)
{
    (void)context;
    (void)old_size;
    return realloc(memory, new_size);
}

static void release_by_free(void *context, void *memory, size_t size)
{
    (void)context;
    (void)size;
    free(memory);
}

struct weir_allocator weir_allocator_or_default(const struct weir_allocator *allocator)
{
    static const struct weir_allocator by_malloc = {
        .allocate = allocate_by_malloc,
        .reallocate = reallocate_by_realloc,
        .release = release_by_free,
    };

    return allocator != NULL ? *allocator : by_malloc;
}
