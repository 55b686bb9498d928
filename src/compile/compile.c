#include <weir/compile.h>

#include "compile/block.h"
#include "image/image.h"
#include "image/layout.h"
#include "vocabulary/failure.h"
#include "vocabulary/memory.h"

/* Blocks are kept one after the other in chunks of at least this size. */
#define CHUNK_SIZE ((size_t)1 << 20)

struct block_chunk {
    struct block_chunk *older;
    size_t size; /* of `bytes` */
    size_t used;
    char bytes[];
};

struct weir_compiler {
    struct weir_allocator allocator;
    struct weir_arena scratch; /* for the token being added */
    struct block_chunk *chunks;
    struct weir_compiled_entry *entries;
    size_t capacity;
    struct weir_content content;
};

enum weir_status weir_compiler_new(const struct weir_allocator *allocator,
                                   struct weir_compiler **compiler, struct weir_error *error)
{
    struct weir_allocator memory = weir_allocator_or_default(allocator);
    struct weir_compiler *made = weir_allocate(&memory, sizeof *made);

    if (made == NULL) {
        return weir_fail_memory(error);
    }
    *made = (struct weir_compiler){
        .allocator = memory,
        .scratch = {.allocator = memory, .limit = WEIR_COMPILE_MEMORY_MAX},
    };
    *compiler = made;
    return WEIR_OK;
}

size_t weir_compiler_count(const struct weir_compiler *compiler)
{
    return (size_t)compiler->content.count;
}

static bool reserve_entry(struct weir_compiler *compiler)
{
    size_t capacity = compiler->capacity == 0 ? 64 : 2 * compiler->capacity;
    struct weir_compiled_entry *entries = NULL;

    if (compiler->content.count < compiler->capacity) {
        return true;
    }
    entries = weir_reallocate(&compiler->allocator, compiler->entries,
                              compiler->capacity * sizeof *entries, capacity * sizeof *entries);
    if (entries == NULL) {
        return false;
    }
    compiler->entries = entries;
    compiler->capacity = capacity;
    return true;
}

/* Room for `size` bytes at the end of the newest chunk, which is a new one if need be. */
static char *reserve_block(struct weir_compiler *compiler, size_t size)
{
    struct block_chunk *chunk = compiler->chunks;

    if (chunk == NULL || chunk->size - chunk->used < size) {
        size_t chunk_size = size > CHUNK_SIZE ? size : CHUNK_SIZE;

        chunk = weir_allocate(&compiler->allocator, sizeof *chunk + chunk_size);
        if (chunk == NULL) {
            return NULL;
        }
        *chunk = (struct block_chunk){.older = compiler->chunks, .size = chunk_size};
        compiler->chunks = chunk;
    }
    return chunk->bytes + chunk->used;
}

static enum weir_status add_planned(struct weir_compiler *compiler,
                                    const struct weir_block_plan *plan, uint64_t position,
                                    struct weir_error *error)
{
    char *bytes = NULL;

    if (compiler->content.count == WEIR_IMAGE_TOKENS_MAX) {
        return weir_fail(error, WEIR_ERROR_LIMIT, "too many tokens for one image");
    }
    bytes = reserve_entry(compiler) ? reserve_block(compiler, plan->size) : NULL;
    if (bytes == NULL) {
        return weir_fail_memory(error);
    }
    weir_block_write(plan, bytes);
    compiler->entries[compiler->content.count] =
        (struct weir_compiled_entry){(const struct weir_block *)(void *)bytes, position};
    weir_content_add(&compiler->content, (const struct weir_block *)(void *)bytes, plan->size);
    compiler->chunks->used += plan->size;
    return WEIR_OK;
}

enum weir_status weir_compiler_add(struct weir_compiler *compiler, const struct weir_token *token,
                                   uint64_t position, struct weir_error *error)
{
    struct weir_block_plan plan;
    enum weir_status status = weir_block_plan(token, &compiler->scratch, &plan, error);

    if (status == WEIR_OK) {
        status = add_planned(compiler, &plan, position, error);
    }
    weir_arena_reset(&compiler->scratch);
    return status;
}

enum weir_status weir_compile(struct weir_compiler *compiler, uint64_t sequence,
                              struct weir_image **image, uint64_t *duplicate,
                              struct weir_error *error)
{
    return weir_lay_out(compiler->entries, &compiler->content, sequence, &compiler->allocator,
                        image, duplicate, error);
}

void weir_compiler_free(struct weir_compiler *compiler)
{
    struct weir_allocator allocator;

    if (compiler == NULL) {
        return;
    }
    allocator = compiler->allocator;
    weir_arena_release(&compiler->scratch);
    while (compiler->chunks != NULL) {
        struct block_chunk *chunk = compiler->chunks;

        compiler->chunks = chunk->older;
        weir_release(&allocator, chunk, sizeof *chunk + chunk->size);
    }
    weir_release(&allocator, compiler->entries, compiler->capacity * sizeof *compiler->entries);
    weir_release(&allocator, compiler, sizeof *compiler);
}
