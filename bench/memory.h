/* memory.h - memory that costs nothing when it is first used. */
#ifndef WEIR_BENCH_MEMORY_H
#define WEIR_BENCH_MEMORY_H

#include <stddef.h>

#include <weir/allocator.h>

/* Pages that memory is made of, if the system has both kinds: of 4 KiB, or of 2 MiB. */
enum memory_pages { MEMORY_SMALL_PAGES, MEMORY_LARGE_PAGES };

/* `size` bytes in such pages, each of them written to. Ends the program if there is no memory. */
void *memory_touched_in(enum memory_pages pages, size_t size);

/* Likewise in large pages. */
void *memory_touched(size_t size);

/* Gives back what either returned. */
void memory_release(void *memory, size_t size);

/*
 * An allocator that takes from memory which has been touched before, so that what is measured is
 * the work, not the system's page faults. What is released comes back when all starts anew.
 */
struct memory_arena {
    struct weir_allocator allocator; /* hand this out */
    char *bytes;
    size_t size;
    size_t used;
    size_t peak; /* most bytes that were allocated at a time */
    size_t live;
};

void memory_arena_make(struct memory_arena *arena, size_t size);
void memory_arena_restart(struct memory_arena *arena);
void memory_arena_release(struct memory_arena *arena);

#endif
