/* memory.h - calling a caller's allocator, or malloc where there is none. */
#ifndef WEIR_VOCABULARY_MEMORY_H
#define WEIR_VOCABULARY_MEMORY_H

#include <stddef.h>

#include <weir/allocator.h>

/* The allocator, or the one around malloc for NULL. */
struct weir_allocator weir_allocator_or_default(const struct weir_allocator *allocator);

/*
 * Asks the system for pages of two megabytes where memory is large: looking for a token among
 * millions then does not miss in the processor's table of pages as well. The memory is whole pages'
 * own, or a part of a larger allocation, whose neighbours keep the pages that they have.
 */
void weir_memory_prefer_large_pages(void *memory, size_t size);

static inline void *weir_allocate(const struct weir_allocator *allocator, size_t size)
{
    return allocator->allocate(allocator->context, size);
}

static inline void *weir_reallocate(const struct weir_allocator *allocator, void *memory,
                                    size_t old_size, size_t new_size)
{
    if (memory == NULL) {
        return weir_allocate(allocator, new_size);
    }
    return allocator->reallocate(allocator->context, memory, old_size, new_size);
}

static inline void weir_release(const struct weir_allocator *allocator, void *memory, size_t size)
{
    if (memory != NULL) {
        allocator->release(allocator->context, memory, size);
    }
}

#endif
