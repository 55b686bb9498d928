/* A token file, of any form: what is read is compiled, and the image is asked everything. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <weir/compile.h>
#include <weir/wire.h>

#include "ask.h"

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    struct weir_compiler *compiler = NULL;
    struct weir_error error;

    if (weir_compiler_new(NULL, &compiler, &error) != WEIR_OK) {
        return 0;
    }
    if (weir_token_file_read(read_input, &input, NULL, add_token, compiler, NULL, &error) ==
        WEIR_OK) {
        compile_and_ask(compiler, data, size);
    }
    weir_compiler_free(compiler);
    return 0;
}
