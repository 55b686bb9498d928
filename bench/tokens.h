/* tokens.h - a million tokens, as declarations and as an image. */
#ifndef WEIR_BENCH_TOKENS_H
#define WEIR_BENCH_TOKENS_H

#include <stdint.h>

#include <weir/compile.h>

#include "memory.h"

#define TOKEN_COUNT 1000000

/* The moment of all questions; no token has expired. */
#define BENCH_NOW ((struct weir_instant){1795435200, 0})

/* A number that looks random and follows from `number`. */
uint64_t tokens_mix(uint64_t number);

/*
 * The names of a token: an id of 12 to 40 bytes, prefixes of basins of 4 to 20 and of streams of 4
 * to 24, 52 bytes in all on average and 80 at most, one after the other.
 */
struct names {
    uint8_t id_length;
    uint8_t basin_length;
    uint8_t stream_length;
    char bytes[80];
};

void names_make(uint64_t number, struct names *names);

/* How many bytes of a struct names are used, rounded up: how they lie in declarations. */
static inline size_t names_stride(const struct names *names)
{
    return (sizeof *names - sizeof names->bytes + names->id_length + names->basin_length +
            names->stream_length + 7) &
           ~(size_t)7;
}

/* The token that names make: it may do everything to the streams under its prefixes. */
struct names_token {
    struct weir_scope scope;
    struct weir_token token;
};

void names_declare(const struct names *names, struct names_token *declared);

/* TOKEN_COUNT names, packed by names_stride. */
struct declarations {
    char *bytes;
    size_t size;
    size_t strings; /* bytes of names in all */
};

/* In an order that has nothing to do with ids, or by id. Made once. */
const struct declarations *declarations_in_random_order(void);
const struct declarations *declarations_by_id(void);

/* Compiles declarations, each the token that its names make. */
struct weir_image *tokens_compile(const struct declarations *declarations,
                                  const struct weir_allocator *allocator);

/* The image of the declarations. Made once, in large pages. */
const struct weir_image *tokens_image(void);

/* The image of the tokens that names 0 to `count` - 1 make, in such pages. Made anew each time, and
 * lives as long as the program. */
const struct weir_image *tokens_image_of(uint64_t count, enum memory_pages pages);

/* A copy of an image in such pages; lives as long as the program. */
const struct weir_image *tokens_copy(const struct weir_image *image, enum memory_pages pages);

#endif
