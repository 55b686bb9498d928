/* make_image.c - writes the image of one token, `reader`, to the path given. */
#include <stdio.h>

#include <weir/compile.h>

int main(int argc, char **argv)
{
    struct weir_scope scope = {
        .basins = {WEIR_SET_PREFIX, WEIR_TEXT("acme-")},
        .streams = {WEIR_SET_PREFIX, WEIR_TEXT("users/1234/")},
        .op_groups = WEIR_GROUP_BIT(WEIR_GROUP_STREAM, WEIR_ACCESS_READ),
    };
    struct weir_token token = {.id = WEIR_TEXT("reader"), .scopes = &scope, .scope_count = 1};
    struct weir_compiler *compiler = NULL;
    struct weir_image *image = NULL;
    struct weir_error error = {.message = "usage: make_image IMAGE"};
    bool made = argc == 2 && weir_compiler_new(NULL, &compiler, &error) == WEIR_OK &&
                weir_compiler_add(compiler, &token, 0, &error) == WEIR_OK &&
                weir_compile(compiler, 0, &image, NULL, &error) == WEIR_OK &&
                weir_image_save(image, argv[1], &error) == WEIR_OK;

    weir_image_close(image);
    weir_compiler_free(compiler);
    if (!made) {
        (void)fprintf(stderr, "make_image: %s\n", error.message);
    }
    return made ? 0 : 1;
}
