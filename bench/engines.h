/* engines.h - engines of a million tokens, and the tokens to change them with. */
#ifndef WEIR_BENCH_ENGINES_H
#define WEIR_BENCH_ENGINES_H

#include <weir/engine.h>

#include "requests.h"

/*
 * Each holds the million tokens, and differs in where it has them. Made once; never changed.
 */
struct weir_engine *engines_of_image(void);    /* in the image */
struct weir_engine *engines_of_replaced(void); /* replaced: by the image's index to its own block */
struct weir_engine *engines_of_issued(void);   /* issued: in the second index, and no image */

/* Puts each of the million tokens into the engine. */
void engines_put_all(struct weir_engine *engine);

/* The bytes of the blocks of all those tokens. */
size_t engines_block_bytes(void);

/* Ends the program unless it is WEIR_OK. */
void engines_must(enum weir_status status, const char *what);

/*
 * ---- Tokens to change ----
 */

/* Compiled tokens, laid one after the other so that reading them disturbs nothing else. */
struct stock;

/* So many tokens that a stock has; a multiple of CHUNK. */
#define STOCK_COUNT ((size_t)1 << 19)

/* Of the million tokens, in an order that has nothing to do with where they lie; and others, whose
 * ids the image lacks. Made once. */
const struct stock *stock_of_image(void);
const struct stock *stock_of_others(void);

/* Some tokens in a row, in the first caches: what they change is as cold as it was. */
struct staged {
    const struct weir_compiled_token *tokens[CHUNK];
    struct weir_text ids[CHUNK];
    char bytes[CHUNK * 256] __attribute__((aligned(64)));
};

/* Stages CHUNK tokens from number `first` on, a multiple of CHUNK, which may go beyond the end. */
void stock_stage(const struct stock *stock, size_t first, struct staged *staged);

/* Drives all else from the caches. */
void engines_evict(void);

#endif
