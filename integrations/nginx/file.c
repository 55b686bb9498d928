#include <errno.h>
#include <unistd.h>

#include <weir/compile.h>
#include <weir/wire.h>

#include "ngx_http_weir.h"

/* A weir_read_function. */
static ptrdiff_t read_file(void *context, void *buffer, size_t size)
{
    const ngx_fd_t *file = context;
    ssize_t length = 0;

    do {
        length = read(*file, buffer, size);
    } while (length < 0 && errno == EINTR);
    return length;
}

/* A weir_token_visitor. */
static enum weir_status add_token(void *context, const struct weir_token *token, uint64_t position,
                                  struct weir_error *error)
{
    return weir_compiler_add(context, token, position, error);
}

/* Compiles a file of JSON. */
static enum weir_status compile_file(const char *path, struct weir_image **image,
                                     struct weir_error *error)
{
    ngx_fd_t file = ngx_open_file(path, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);
    struct weir_compiler *compiler = NULL;
    enum weir_token_file_form form = WEIR_FORM_OBJECT;
    uint64_t duplicate = 0;
    enum weir_status status = WEIR_OK;

    if (file == NGX_INVALID_FILE) {
        *error = (struct weir_error){.status = WEIR_ERROR_IO, .message = "it cannot be opened"};
        return WEIR_ERROR_IO;
    }
    status = weir_compiler_new(NULL, &compiler, error);
    if (status == WEIR_OK) {
        status = weir_token_file_read(read_file, &file, NULL, add_token, compiler, &form, error);
    }
    if (status == WEIR_OK) {
        status = weir_compile(compiler, 0, image, &duplicate, error);
        if (status == WEIR_ERROR_DUPLICATE) {
            weir_token_file_place(form, duplicate, error);
        }
    }
    weir_compiler_free(compiler);
    (void)ngx_close_file(file);
    return status;
}

enum weir_status ngx_http_weir_open_file(const char *path, struct weir_image **image,
                                         struct weir_engine **engine, struct weir_error *error)
{
    enum weir_status status = weir_image_open(path, WEIR_IMAGE_COPY, NULL, image, error);

    if (status == WEIR_ERROR_NOT_IMAGE) {
        status = compile_file(path, image, error);
    }
    if (status == WEIR_OK) {
        status = weir_engine_open(*image, NULL, engine, error);
        if (status != WEIR_OK) {
            weir_image_close(*image);
            *image = NULL;
        }
    }
    return status;
}
