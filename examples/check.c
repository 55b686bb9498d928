/*
 * check TOKENS.json TOKEN OPERATION BASIN STREAM
 *
 * Compiles a token file and asks one question. Exits with 0 if the answer is yes, 1 if it is no.
 */
#include <stdio.h>
#include <string.h>

#include <weir/compile.h>
#include <weir/decision.h>
#include <weir/wire.h>

static ptrdiff_t read_file(void *file, void *buffer, size_t size)
{
    size_t read = fread(buffer, 1, size, file);

    return ferror(file) ? -1 : (ptrdiff_t)read;
}

static enum weir_status add_token(void *compiler, const struct weir_token *token, uint64_t position,
                                  struct weir_error *error)
{
    return weir_compiler_add(compiler, token, position, error);
}

/* The image of a file's tokens, or NULL. */
static struct weir_image *compile_file(FILE *file, struct weir_error *error)
{
    struct weir_compiler *compiler = NULL;
    struct weir_image *image = NULL;
    enum weir_token_file_form form = WEIR_FORM_OBJECT;
    uint64_t duplicate = 0;
    enum weir_status status = weir_compiler_new(NULL, &compiler, error);

    if (status == WEIR_OK) {
        status = weir_token_file_read(read_file, file, NULL, add_token, compiler, &form, error);
    }
    if (status == WEIR_OK) {
        status = weir_compile(compiler, 0, &image, &duplicate, error);
        if (status == WEIR_ERROR_DUPLICATE) {
            weir_token_file_place(form, duplicate, error);
        }
    }
    weir_compiler_free(compiler);
    return image;
}

static struct weir_text text_of(const char *string)
{
    return (struct weir_text){string, strlen(string)};
}

int main(int count, char **arguments)
{
    struct weir_request request = {0};
    struct weir_decision decision;
    struct weir_error error = {0};
    struct weir_image *image = NULL;
    FILE *file = NULL;

    if (count != 6 || !weir_operation_parse(text_of(arguments[3]), &request.operation)) {
        (void)fprintf(stderr, "usage: check TOKENS.json TOKEN OPERATION BASIN STREAM\n");
        return 2;
    }
    file = fopen(arguments[1], "rb");
    if (file == NULL) {
        perror(arguments[1]);
        return 2;
    }
    image = compile_file(file, &error);
    (void)fclose(file);
    if (image == NULL) {
        (void)fprintf(stderr, "%s: %s %s\n", arguments[1], error.place, error.message);
        return 2;
    }
    request.basin = text_of(arguments[4]);
    request.stream = text_of(arguments[5]);
    decision = weir_check(image, text_of(arguments[2]), &request, weir_instant_now());
    puts(weir_reason_name(decision.reason));
    weir_image_close(image);
    return weir_allowed(decision) ? 0 : 1;
}
