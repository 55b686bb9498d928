/* A token file, of any form: what is read is compiled, and the image is asked everything. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <weir/compile.h>
#include <weir/wire.h>

#include "ask.h"
#include "demand.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
    const uint8_t *data;
    size_t size;
};

static ptrdiff_t read_input(void *context, void *buffer, size_t size)
{
    struct input *input = context;

    size = size < input->size ? size : input->size;
    memcpy(buffer, input->data, size);
    input->data += size;
    input->size -= size;
    return (ptrdiff_t)size;
}

static enum weir_status add_token(void *context, const struct weir_token *token, uint64_t position,
                                  struct weir_error *error)
{
    return weir_compiler_add(context, token, position, error);
}

static void compile_and_ask(struct weir_compiler *compiler, const uint8_t *data, size_t size)
{
    struct weir_image *image = NULL;
    const void *bytes = NULL;
    size_t image_size = 0;

    if (weir_compile(compiler, 0, &image, NULL, NULL) != WEIR_OK) {
        return;
    }
    bytes = weir_image_bytes(image, &image_size);
    if (weir_image_validate(bytes, image_size, NULL, NULL) != WEIR_OK) {
        abort();
    }
    ask_everything(image, (const char *)data, size);
    weir_image_close(image);
}

/* ---- Memory that runs out ---- */

struct scarcity {
    size_t left; /* allocations that succeed */
};

static bool one_less(struct scarcity *scarcity)
{
    return scarcity->left > 0 && scarcity->left-- > 0;
}

static void *allocate(void *context, size_t size)
{
    return one_less(context) ? malloc(size) : NULL;
}

static void *reallocate(void *context, void *memory, size_t old_size, size_t new_size)
{
    (void)old_size;
    return one_less(context) ? realloc(memory, new_size) : NULL;
}

static void release(void *context, void *memory, size_t size)
{
    (void)context;
    (void)size;
    free(memory);
}

static void read_and_compile(const struct weir_allocator *allocator, const uint8_t *data,
                             size_t size)
{
    struct input input = {data, size};
    struct weir_compiler *compiler = NULL;
    struct weir_error error;

    if (weir_compiler_new(allocator, &compiler, &error) != WEIR_OK) {
        return;
    }
    if (weir_token_file_read(read_input, &input, allocator, add_token, compiler, NULL, &error) ==
        WEIR_OK) {
        compile_and_ask(compiler, data, size);
    }
    weir_compiler_free(compiler);
}

/* The token as JSON, for the caller to free. */
static char *written(const struct weir_token *token, size_t *length)
{
    char *json = NULL;

    *length = weir_token_write(token, NULL, 0);
    json = malloc(*length);
    demand(json != NULL && weir_token_write(token, json, *length) == *length);
    return json;
}

/* What is written is read as a token that is written the same. */
static void write_and_read(const struct weir_token *token)
{
    size_t length = 0;
    size_t again_length = 0;
    char *json = written(token, &length);
    char *again = NULL;
    struct weir_token *read = NULL;

    demand(weir_token_parse((struct weir_text){json, length}, NULL, &read, NULL) == WEIR_OK);
    again = written(read, &again_length);
    demand(again_length == length && memcmp(json, again, length) == 0);
    weir_token_free(read, NULL);
    free(again);
    free(json);
}

/* As one token, which then is one that may be compiled. */
static void read_one(const uint8_t *data, size_t size)
{
    struct weir_token *token = NULL;

    if (weir_token_parse((struct weir_text){(const char *)data, size}, NULL, &token, NULL) ==
        WEIR_OK) {
        demand(weir_token_check(token, NULL) == WEIR_OK);
        write_and_read(token);
        weir_token_free(token, NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* Some allocation fails, the input says which. */
    struct scarcity scarcity = {size % 61};
    const struct weir_allocator scarce = {allocate, reallocate, release, &scarcity};

    read_one(data, size);
    read_and_compile(NULL, data, size);
    read_and_compile(&scarce, data, size);
    return 0;
}
