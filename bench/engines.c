#include "engines.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "tokens.h"

/* More than any cache holds. */
#define EVICTING_SIZE ((size_t)96 << 20)

void engines_must(enum weir_status status, const char *what)
{
    if (status != WEIR_OK) {
        (void)fprintf(stderr, "weir_bench: %s: %s\n", what, weir_status_name(status));
        exit(EXIT_FAILURE);
    }
}

static struct weir_engine *open_engine(const struct weir_image *image)
{
    struct weir_engine *engine = NULL;

    engines_must(weir_engine_open(image, NULL, &engine, NULL), "opening an engine");
    return engine;
}

struct weir_engine *engines_of_image(void)
{
    static struct weir_engine *engine;

    return engine = engine != NULL ? engine : open_engine(tokens_image());
}

void engines_put_all(struct weir_engine *engine)
{
    const struct weir_compiled_token *token = weir_image_next(tokens_image(), NULL);

    for (; token != NULL; token = weir_image_next(tokens_image(), token)) {
        engines_must(weir_engine_put(engine, token, NULL), "putting a token");
    }
}

static struct weir_engine *open_and_put(const struct weir_image *image)
{
    struct weir_engine *engine = open_engine(image);

    engines_put_all(engine);
    return engine;
}

struct weir_engine *engines_of_replaced(void)
{
    static struct weir_engine *engine;

    return engine = engine != NULL ? engine : open_and_put(tokens_image());
}

struct weir_engine *engines_of_issued(void)
{
    static struct weir_engine *engine;

    return engine = engine != NULL ? engine : open_and_put(NULL);
}

size_t engines_block_bytes(void)
{
    const struct weir_compiled_token *token = weir_image_next(tokens_image(), NULL);
    size_t bytes = 0;

    for (; token != NULL; token = weir_image_next(tokens_image(), token)) {
        bytes += weir_compiled_token_size(token);
    }
    return bytes;
}

/*
 * ---- Tokens to change ----
 */

struct stock {
    char *bytes;
    size_t *offsets; /* one more than there are tokens */
};

static struct stock *stock_new(void)
{
    struct stock *stock = calloc(1, sizeof *stock);

    stock->bytes = memory_touched(STOCK_COUNT * 256);
    stock->offsets = memory_touched((STOCK_COUNT + 1) * sizeof *stock->offsets);
    return stock;
}

static void stock_add(struct stock *stock, size_t place, const struct weir_compiled_token *token,
                      size_t size)
{
    size_t offset = stock->offsets[place];

    memcpy(stock->bytes + offset, token, size);
    stock->offsets[place + 1] = offset + ((size + 63) & ~(size_t)63);
}

const struct stock *stock_of_image(void)
{
    static struct stock *stock;

    if (stock != NULL) {
        return stock;
    }
    stock = stock_new();
    for (size_t i = 0; i < STOCK_COUNT; i++) {
        const struct weir_compiled_token *token = NULL;
        struct names names;

        names_make(i, &names);
        token = weir_image_find(tokens_image(), (struct weir_text){names.bytes, names.id_length});
        stock_add(stock, i, token, weir_compiled_token_size(token));
    }
    return stock;
}

const struct stock *stock_of_others(void)
{
    static struct stock *stock;

    if (stock != NULL) {
        return stock;
    }
    stock = stock_new();
    for (size_t i = 0; i < STOCK_COUNT; i++) {
        struct weir_compiled_token *token = NULL;
        struct names names;
        struct names_token declared;
        size_t size = 0;

        names_make(TOKEN_COUNT + i, &names);
        names_declare(&names, &declared);
        engines_must(weir_compile_token(&declared.token, NULL, &token, &size, NULL),
                     "compiling a token");
        stock_add(stock, i, token, size);
        free(token);
    }
    return stock;
}

void stock_stage(const struct stock *stock, size_t first, struct staged *staged)
{
    size_t begin = first % STOCK_COUNT;
    size_t from = stock->offsets[begin];

    memcpy(staged->bytes, stock->bytes + from, stock->offsets[begin + CHUNK] - from);
    for (size_t i = 0; i < CHUNK; i++) {
        const void *token = staged->bytes + (stock->offsets[begin + i] - from);

        staged->tokens[i] = token;
        staged->ids[i] = weir_compiled_token_id(token);
    }
}

/* In no order that a cache could see through. */
void engines_evict(void)
{
    static volatile char *memory;
    size_t lines = EVICTING_SIZE / 64;

    memory = memory != NULL ? memory : memory_touched(EVICTING_SIZE);
    for (size_t i = 0; i < lines; i++) {
        memory[tokens_mix(i) % lines * 64]++;
    }
}
