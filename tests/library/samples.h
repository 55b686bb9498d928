/* samples.h - declarations to make images of. */
#ifndef WEIR_TESTS_LIBRARY_SAMPLES_H
#define WEIR_TESTS_LIBRARY_SAMPLES_H

#include <stdint.h>

#include <weir/compile.h>

/* A moment at which those samples that expire have not expired yet, but for one. */
#define SAMPLE_NOW ((struct weir_instant){1795435200, 0})

#define SAMPLE_COUNT 10

/* Ten tokens that between them have every shape that a compiled token can have. */
struct samples {
    struct weir_token tokens[SAMPLE_COUNT];
    struct weir_scope scopes[SAMPLE_COUNT + 64];
    char names[32][16];
    char long_name[160];
};

void samples_make(struct samples *samples);

/* The image of the tokens; demands success. */
struct weir_image *compile_tokens(const struct weir_token *tokens, size_t count,
                                  const struct weir_allocator *allocator);

/* Token number `number`, with an id, prefixes and maybe an expiry or a digest of its own. */
struct numbered_token {
    struct weir_token token;
    struct weir_scope scope;
    char id[32];
    char basin[24];
    char stream[32];
};

void numbered_token_make(struct numbered_token *numbered, uint64_t number);

#endif
