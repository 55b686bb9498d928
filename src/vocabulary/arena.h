/* arena.h - memory that is released all at once. */
#ifndef WEIR_VOCABULARY_ARENA_H
#define WEIR_VOCABULARY_ARENA_H

#include <stdbool.h>
#include <stddef.h>

#include <weir/allocator.h>

struct weir_arena_chunk;

/* All zero but for `allocator` and `limit` is an empty arena. */
struct weir_arena {
    struct weir_allocator allocator;
    size_t limit;                    /* the most bytes to take from the allocator */
    size_t taken;                    /* so far */
    bool exceeded;                   /* the last failure was for the limit, not for memory */
    struct weir_arena_chunk *chunks; /* the newest first */
    char *free;                      /* in the newest chunk */
    size_t free_size;
};

/* `size` bytes, zeroed and aligned for any type, that live until the arena is reset or released; or
 * NULL, and `exceeded` says why. */
void *weir_arena_allocate(struct weir_arena *arena, size_t size);

/* Forgets everything allocated, keeping one chunk for what comes next. */
void weir_arena_reset(struct weir_arena *arena);

void weir_arena_release(struct weir_arena *arena);

#endif
