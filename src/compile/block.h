/* block.h - from a declaration to a block. */
#ifndef WEIR_COMPILE_BLOCK_H
#define WEIR_COMPILE_BLOCK_H

#include <weir/error.h>
#include <weir/token.h>

#include "compile/emit.h"
#include "vocabulary/arena.h"

/* What a token will be as a block. */
struct weir_block_plan {
    const struct weir_token *token;
    struct weir_emission emission; /* of a token with more than one scope */
    uint32_t operations;
    size_t size;
};

/* Checks the token and plans its block, in the arena's memory. Errors as weir_compiler_add. */
enum weir_status weir_block_plan(const struct weir_token *token, struct weir_arena *arena,
                                 struct weir_block_plan *plan, struct weir_error *error);

/* Writes the block: `plan->size` bytes. */
void weir_block_write(const struct weir_block_plan *plan, char *bytes);

#endif
