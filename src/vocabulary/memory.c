#include "vocabulary/memory.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

/* Where large pages begin; and from what size on malloc has memory of its own for a block, at the
 * latest, whose pages go with it. */
#define LARGE_PAGE ((uintptr_t)2 << 20)
#define LARGE_MIN ((size_t)32 << 20)

void weir_memory_prefer_large_pages(void *memory, size_t size)
{
#ifdef MADV_HUGEPAGE
    uintptr_t begin = ((uintptr_t)memory + LARGE_PAGE - 1) & ~(LARGE_PAGE - 1);
    uintptr_t end = ((uintptr_t)memory + size) & ~(LARGE_PAGE - 1);

    if (memory != NULL && size >= LARGE_MIN) {
        int before = errno;

        /* Advice: a system that has none of them says so, and nothing else happens. */
        (void)madvise((char *)memory + (begin - (uintptr_t)memory), end - begin, MADV_HUGEPAGE);
        errno = before;
    }
#else
    (void)memory;
    (void)size;
#endif
}

static void *allocate_by_malloc(void *context, size_t size)
{
    void *memory = malloc(size);

    (void)context;
    weir_memory_prefer_large_pages(memory, size);
    return memory;
}

static void *reallocate_by_realloc(void *context, void *memory, size_t old_size, size_t new_size)
{
    void *moved = realloc(memory, new_size);

    (void)context;
    (void)old_size;
    weir_memory_prefer_large_pages(moved, new_size);
    return moved;
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
