#include "vocabulary/arena.h"

#include <string.h>

#include "vocabulary/memory.h"

#define CHUNK_MIN ((size_t)16 << 10)
#define CHUNK_MAX ((size_t)4 << 20)
#define ALIGNMENT _Alignof(max_align_t)

struct weir_arena_chunk {
    struct weir_arena_chunk *older;
    size_t size; /* this header included */
    max_align_t start[];
};

/* Each chunk is twice as large as the one before, so that small tokens take little. */
static size_t next_chunk_size(const struct weir_arena *arena, size_t size)
{
    size_t wanted = arena->chunks == NULL ? CHUNK_MIN : 2 * arena->chunks->size;

    wanted = wanted > CHUNK_MAX ? CHUNK_MAX : wanted;
    return wanted > size + sizeof(struct weir_arena_chunk) ? wanted
                                                           : size + sizeof(struct weir_arena_chunk);
}

static void use_chunk(struct weir_arena *arena, struct weir_arena_chunk *chunk)
{
    arena->free = (char *)chunk->start;
    arena->free_size = chunk->size - sizeof *chunk;
}

static bool add_chunk(struct weir_arena *arena, size_t size)
{
    size_t chunk_size = 0;
    struct weir_arena_chunk *chunk = NULL;

    arena->exceeded = size > arena->limit - arena->taken;
    if (arena->exceeded) {
        return false;
    }
    chunk_size = next_chunk_size(arena, size);
    arena->exceeded = chunk_size > arena->limit - arena->taken;
    if (arena->exceeded) {
        return false;
    }
    chunk = weir_allocate(&arena->allocator, chunk_size);
    if (chunk == NULL) {
        return false;
    }
    chunk->older = arena->chunks;
    chunk->size = chunk_size;
    arena->chunks = chunk;
    arena->taken += chunk_size;
    use_chunk(arena, chunk);
    return true;
}

void *weir_arena_allocate(struct weir_arena *arena, size_t size)
{
    void *memory = NULL;

    size = (size + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
    if (size > arena->free_size && !add_chunk(arena, size)) {
        return NULL;
    }
    memory = arena->free;
    arena->free += size;
    arena->free_size -= size;
    return memset(memory, 0, size);
}

static void release_chunks(struct weir_arena *arena, const struct weir_arena_chunk *keep)
{
    while (arena->chunks != keep) {
        struct weir_arena_chunk *chunk = arena->chunks;

        arena->chunks = chunk->older;
        arena->taken -= chunk->size;
        weir_release(&arena->allocator, chunk, chunk->size);
    }
}

void weir_arena_reset(struct weir_arena *arena)
{
    struct weir_arena_chunk *oldest = arena->chunks;

    if (oldest == NULL) {
        return;
    }
    while (oldest->older != NULL) {
        oldest = oldest->older;
    }
    release_chunks(arena, oldest);
    use_chunk(arena, oldest);
}

void weir_arena_release(struct weir_arena *arena)
{
    release_chunks(arena, NULL);
    arena->free = NULL;
    arena->free_size = 0;
}
