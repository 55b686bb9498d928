#include "memory.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define LARGE_PAGE ((size_t)2 << 20)

/* What lies in large pages begins at one, and ends with one. */
static size_t mapped_size(size_t size)
{
    return (size + LARGE_PAGE - 1) & ~(LARGE_PAGE - 1);
}

/* Maps a large page more, and gives back what lies before and behind. */
static char *map_aligned(size_t size)
{
    char *mapped = mmap(NULL, size + LARGE_PAGE, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    size_t before = 0;

    if (mapped == MAP_FAILED) {
        (void)fprintf(stderr, "weir_bench: no memory for %zu bytes\n", size);
        exit(EXIT_FAILURE);
    }
    before = -(uintptr_t)mapped & (LARGE_PAGE - 1);
    if (before > 0) {
        (void)munmap(mapped, before);
    }
    (void)munmap(mapped + before + size, LARGE_PAGE - before);
    return mapped + before;
}

void *memory_touched_in(enum memory_pages pages, size_t size)
{
    char *memory = map_aligned(mapped_size(size));

    (void)madvise(memory, mapped_size(size),
                  pages == MEMORY_LARGE_PAGES ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
    memset(memory, 0, size);
    return memory;
}

void *memory_touched(size_t size)
{
    return memory_touched_in(MEMORY_LARGE_PAGES, size);
}

void memory_release(void *memory, size_t size)
{
    (void)munmap(memory, mapped_size(size));
}

static size_t rounded(size_t size)
{
    return (size + 63) & ~(size_t)63;
}

static void *arena_allocate(void *context, size_t size)
{
    struct memory_arena *arena = context;
    char *memory = arena->bytes + arena->used;

    if (rounded(size) > arena->size - arena->used) {
        return NULL;
    }
    arena->used += rounded(size);
    arena->live += size;
    arena->peak = arena->live > arena->peak ? arena->live : arena->peak;
    return memory;
}

/* Only the last block makes room again. */
static void arena_release(void *context, void *memory, size_t size)
{
    struct memory_arena *arena = context;

    arena->live -= size;
    if ((char *)memory + rounded(size) == arena->bytes + arena->used) {
        arena->used -= rounded(size);
    }
}

static void *arena_reallocate(void *context, void *memory, size_t old_size, size_t new_size)
{
    struct memory_arena *arena = context;
    void *moved = NULL;

    if ((char *)memory + rounded(old_size) == arena->bytes + arena->used) {
        arena_release(context, memory, old_size);
        return arena_allocate(context, new_size);
    }
    moved = arena_allocate(context, new_size);
    if (moved != NULL) {
        memcpy(moved, memory, old_size < new_size ? old_size : new_size);
        arena->live -= old_size;
    }
    return moved;
}

void memory_arena_make(struct memory_arena *arena, size_t size)
{
    *arena = (struct memory_arena){
        .allocator = {arena_allocate, arena_reallocate, arena_release, arena},
        .bytes = memory_touched(size),
        .size = size,
    };
}

void memory_arena_restart(struct memory_arena *arena)
{
    arena->used = 0;
    arena->live = 0;
    arena->peak = 0;
}

void memory_arena_release(struct memory_arena *arena)
{
    memory_release(arena->bytes, arena->size);
}
