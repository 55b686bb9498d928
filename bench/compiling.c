/* compiling.c - making images, and what they weigh. */
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "benches.h"
#include "instructions.h"
#include "memory.h"
#include "rounds.h"
#include "times.h"
#include "tokens.h"

/* Enough for compiling a million tokens, whatever grows by moving. */
#define ARENA_SIZE ((size_t)1536 << 20)

/* All that is measured here takes its memory from one arena, and starts it anew. */
void *compile_setup(void)
{
    static struct memory_arena arena;

    if (arena.bytes == NULL) {
        memory_arena_make(&arena, ARENA_SIZE);
    }
    (void)declarations_in_random_order();
    (void)declarations_by_id();
    return &arena;
}

void compile_teardown(void *subject)
{
    struct memory_arena *arena = subject;

    if (arena->bytes != NULL) {
        memory_arena_release(arena);
        arena->bytes = NULL;
    }
}

static void compile(const struct declarations *declarations, struct memory_arena *arena,
                    const struct weir_allocator *allocator, struct bench_round *round)
{
    struct weir_image *image = NULL;
    double start = 0;

    memory_arena_restart(arena);
    instructions_begin();
    start = times_own();
    image = tokens_compile(declarations, allocator);
    bench_time(round, (times_own() - start) / TOKEN_COUNT);
    instructions_end(TOKEN_COUNT);
    if (allocator != NULL) {
        bench_count(round, "peak_bytes_a_token", (double)arena->peak / TOKEN_COUNT);
    }
    weir_image_close(image);
}

void compile_in_random_order(void *subject, struct bench_round *round)
{
    struct memory_arena *arena = subject;

    compile(declarations_in_random_order(), arena, &arena->allocator, round);
}

void compile_by_id(void *subject, struct bench_round *round)
{
    struct memory_arena *arena = subject;

    compile(declarations_by_id(), arena, &arena->allocator, round);
}

void compile_with_malloc(void *subject, struct bench_round *round)
{
    compile(declarations_in_random_order(), subject, NULL, round);
}

void image_validate(void *subject, struct bench_round *round)
{
    const struct weir_image *image = tokens_image();
    size_t size = 0;
    const void *bytes = weir_image_bytes(image, &size);
    enum weir_status status = WEIR_OK;
    double start = 0;

    (void)subject;
    instructions_begin();
    start = times_own();
    status = weir_image_validate(bytes, size, NULL, NULL);
    bench_time(round, (times_own() - start) / TOKEN_COUNT);
    instructions_end(TOKEN_COUNT);
    if (status != WEIR_OK) {
        bench_wrong(round, "the image is not valid");
    }
}

void image_size(void *subject, struct bench_round *round)
{
    const struct declarations *declarations = declarations_in_random_order();
    size_t size = 0;

    (void)subject;
    (void)weir_image_bytes(tokens_image(), &size);
    bench_count(round, "bytes_a_token", (double)size / TOKEN_COUNT);
    bench_count(round, "bytes_a_token_beyond_strings",
                (double)(size - declarations->strings) / TOKEN_COUNT);
}

/*
 * ---- Floors ----
 */

/* What a token of one scope takes at least besides its names: issue number, expiry, operations,
 * lengths. */
struct record {
    uint64_t issue_number;
    uint64_t expires;
    uint32_t operations;
    uint8_t lengths[4];
    char bytes[];
};

void floor_copy(void *subject, struct bench_round *round)
{
    const struct declarations *declarations = declarations_in_random_order();
    struct memory_arena *arena = subject;
    double start = times_own();

    memcpy(arena->bytes, declarations->bytes, declarations->size);
    bench_time(round, (times_own() - start) / TOKEN_COUNT);
}

/* Writes a record where `out` is, and returns where the next one goes. */
static char *write_record(char *out, const struct names *names)
{
    struct record *record = (struct record *)(void *)out;
    size_t length = (size_t)names->id_length + names->basin_length + names->stream_length;

    record->issue_number = 0;
    record->expires = UINT64_MAX;
    record->operations = (uint32_t)WEIR_OPERATIONS_ALL;
    memcpy(record->lengths, &names->id_length, 3);
    record->lengths[3] = 0;
    memcpy(record->bytes, names->bytes, length);
    return out + ((sizeof *record + length + 7) & ~(size_t)7);
}

void floor_hash_and_write(void *subject, struct bench_round *round)
{
    const struct declarations *declarations = declarations_in_random_order();
    struct memory_arena *arena = subject;
    const char *at = declarations->bytes;
    char *out = arena->bytes;
    uint64_t sum = 0;
    double start = 0;

    instructions_begin();
    start = times_own();
    for (size_t i = 0; i < TOKEN_COUNT; i++) {
        const struct names *names = (const struct names *)(const void *)at;

        sum += XXH3_64bits_withSeed(names->bytes, names->id_length, 1);
        out = write_record(out, names);
        at += names_stride(names);
    }
    (void)rounds_keep(sum);
    bench_time(round, (times_own() - start) / TOKEN_COUNT);
    instructions_end(TOKEN_COUNT);
}
