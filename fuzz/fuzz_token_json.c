/*
 * A token file, of any form: what is read is compiled, and the image is asked everything. However
 * the bytes arrive the same is read, unless reading fails, or memory runs out.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <weir/compile.h>
#include <weir/wire.h>

#include "ask.h"
#include "demand.h"
#include "scarce_json.h"
#include "scarcity.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Nearly as many bytes as arrive before what is not yet taken of them is moved to the front. */
enum { MANY_BLANKS = 49152 - 8 };

struct input {
    size_t blanks; /* that arrive before the data */
    const uint8_t *data;
    size_t size;
    size_t piece;     /* the most bytes that arrive at once */
    ptrdiff_t last;   /* what the read after the last byte returns: 0, or -1 for an error */
    bool exaggerates; /* that read claims more than there was room for */
};

static ptrdiff_t read_input(void *context, void *buffer, size_t size)
{
    struct input *input = context;

    if (input->blanks > 0) {
        size = size < input->blanks ? size : input->blanks;
        memset(buffer, ' ', size);
        input->blanks -= size;
        return (ptrdiff_t)size;
    }
    if (input->size == 0) {
        errno = EIO;
        return input->exaggerates ? (ptrdiff_t)size + 1 : input->last;
    }
    size = size < input->size ? size : input->size;
    size = size < input->piece ? size : input->piece;
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

static enum weir_status read_tokens(struct input input, const struct weir_allocator *allocator,
                                    struct weir_compiler *compiler)
{
    enum weir_token_file_form form = WEIR_FORM_OBJECT;
    struct weir_error error = {.status = WEIR_OK};
    enum weir_status status =
        weir_token_file_read(read_input, &input, allocator, add_token, compiler, &form, &error);

    demand(error.status == status);
    return status;
}

/* ---- With all the memory that is wanted ---- */

static void ask_image(const struct weir_image *image, const uint8_t *data, size_t size)
{
    size_t image_size = 0;
    const void *bytes = weir_image_bytes(image, &image_size);

    demand(weir_image_validate(bytes, image_size, NULL, NULL) == WEIR_OK);
    ask_everything(image, (const char *)data, size);
}

/* Reads, compiles, asks; returns the first status that is not WEIR_OK. */
static enum weir_status read_and_compile(const uint8_t *data, size_t size)
{
    const struct input input = {.data = data, .size = size, .piece = SIZE_MAX};
    struct weir_compiler *compiler = NULL;
    struct weir_image *image = NULL;
    uint64_t duplicate = UINT64_MAX;
    enum weir_status status = WEIR_OK;

    demand(weir_compiler_new(NULL, &compiler, NULL) == WEIR_OK);
    status = read_tokens(input, NULL, compiler);
    if (status == WEIR_OK) {
        status = weir_compile(compiler, 0, &image, &duplicate, NULL);
        demand((status == WEIR_ERROR_DUPLICATE) == (duplicate != UINT64_MAX));
    }
    if (status == WEIR_OK) {
        ask_image(image, data, size);
        weir_image_close(image);
    }
    weir_compiler_free(compiler);
    return status;
}

/* ---- In pieces, and not to the end ---- */

static void sum_bytes(uint64_t *sum, const void *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        *sum = (*sum ^ ((const uint8_t *)bytes)[i]) * UINT64_C(0x100000001b3);
    }
    *sum = (*sum ^ size) * UINT64_C(0x100000001b3);
}

static void sum_set(uint64_t *sum, const struct weir_set *set)
{
    *sum += set->kind;
    if (set->kind != WEIR_SET_NOTHING) {
        sum_bytes(sum, set->name.bytes, set->name.length);
    }
}

/* All that a token says, as a number. */
static enum weir_status sum_token(void *context, const struct weir_token *token, uint64_t position,
                                  struct weir_error *error)
{
    uint64_t *sum = context;

    (void)error;
    *sum += position;
    sum_bytes(sum, token->id.bytes, token->id.length);
    for (size_t i = 0; i < token->scope_count; i++) {
        const struct weir_scope *scope = &token->scopes[i];

        sum_set(sum, &scope->basins);
        sum_set(sum, &scope->streams);
        sum_set(sum, &scope->access_tokens);
        sum_bytes(sum, &scope->ops, sizeof scope->ops);
        sum_bytes(sum, &scope->op_groups, sizeof scope->op_groups);
    }
    sum_bytes(sum, token->credential_digest, sizeof token->credential_digest);
    *sum +=
        token->expires ? (uint64_t)token->expires_at.seconds + token->expires_at.nanoseconds : 0;
    *sum += token->auto_prefix_streams;
    return WEIR_OK;
}

struct outcome {
    enum weir_status status;
    uint64_t sum; /* of the tokens, if all were read */
};

static struct outcome read_alone(struct input input)
{
    struct outcome outcome = {WEIR_OK, 0};

    outcome.status =
        weir_token_file_read(read_input, &input, NULL, sum_token, &outcome.sum, NULL, NULL);
    return outcome;
}

static bool same(struct outcome left, struct outcome right)
{
    return left.status == right.status && (left.status != WEIR_OK || left.sum == right.sum);
}

/* A file that is wrong is wrong before its end is, or is not looked at to the end. */
static void read_in_pieces(const uint8_t *data, size_t size)
{
    struct input input = {.data = data, .size = size, .piece = SIZE_MAX};
    struct outcome whole = read_alone(input);
    bool wrong = whole.status != WEIR_OK;
    struct outcome other;

    input.piece = 1 + size % 7;
    demand(same(read_alone(input), whole));
    if (size % 8 == 0) {
        input.blanks = MANY_BLANKS;
        demand(same(read_alone(input), whole));
        input.blanks = 0;
    }
    input.last = -1;
    other = read_alone(input);
    demand(other.status == WEIR_ERROR_IO || (wrong && same(other, whole)));
    input.exaggerates = true;
    other = read_alone(input);
    demand(other.status == WEIR_ERROR_ARGUMENT || (wrong && same(other, whole)));
}

/* ---- Memory that runs out ---- */

/* The input's size says which allocation fails. */
static void compile_scarcely(const uint8_t *data, size_t size, enum weir_status expected)
{
    const struct input input = {.data = data, .size = size, .piece = SIZE_MAX};
    struct scarcity scarcity = {.left = size % 61, .once = size % 2 == 0};
    const struct weir_allocator scarce = scarce_allocator(&scarcity);
    struct weir_compiler *compiler = NULL;
    struct weir_image *image = NULL;
    enum weir_status status = weir_compiler_new(&scarce, &compiler, NULL);

    if (status == WEIR_OK) {
        status = read_tokens(input, &scarce, compiler);
        if (status == WEIR_OK) {
            status = weir_compile(compiler, 0, &image, NULL, NULL);
        }
        weir_compiler_free(compiler);
    }
    demand(status == (scarcity.lacked ? WEIR_ERROR_MEMORY : expected));
    if (status == WEIR_OK) {
        weir_image_close(image);
    }
    demand(scarcity.blocks == 0);
}

/* Nothing is made up in the place of what jansson had no memory for. */
static void read_without_jansson(const uint8_t *data, size_t size)
{
    const struct input input = {.data = data, .size = size, .piece = SIZE_MAX};
    struct outcome whole = read_alone(input);
    struct outcome without = {WEIR_OK, 0};
    bool lacked = false;

    scarce_json_begin(size % 37, size % 2 == 0, whole.status == WEIR_OK ? (const char *)data : NULL,
                      size);
    without = read_alone(input);
    lacked = scarce_json_end();
    demand(same(without, whole) || (lacked && without.status == WEIR_ERROR_MEMORY));
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
    const struct weir_text json = {size > 0 ? (const char *)data : NULL, size};
    struct scarcity scarcity = {.left = size % 3};
    const struct weir_allocator scarce = scarce_allocator(&scarcity);
    struct weir_token *token = NULL;
    enum weir_status status = weir_token_parse(json, NULL, &token, NULL);
    enum weir_status without = WEIR_OK;

    if (status == WEIR_OK) {
        demand(weir_token_check(token, NULL) == WEIR_OK);
        write_and_read(token);
        weir_token_free(token, NULL);
    }
    without = weir_token_parse(json, &scarce, &token, NULL);
    demand(without == (scarcity.lacked ? WEIR_ERROR_MEMORY : status));
    if (without == WEIR_OK) {
        weir_token_free(token, &scarce);
    }
    demand(scarcity.blocks == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum weir_status status = read_and_compile(data, size);

    read_one(data, size);
    read_in_pieces(data, size);
    compile_scarcely(data, size, status);
    read_without_jansson(data, size);
    return 0;
}
