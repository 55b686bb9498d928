#include "model/images.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <weir/compile.h>

#include "model/report.h"

struct weir_image *compile_tokens(const struct world *world, const struct weir_token *tokens,
                                  size_t count, uint64_t sequence)
{
    struct weir_compiler *compiler = NULL;
    struct weir_image *image = NULL;
    struct weir_error error;

    must_succeed(weir_compiler_new(NULL, &compiler, &error), &error, world, "compiler");
    for (size_t i = 0; i < count; i++) {
        must_succeed(weir_compiler_add(compiler, &tokens[i], i, &error), &error, world,
                     "adding a token");
    }
    ck_assert_uint_eq(weir_compiler_count(compiler), count);
    must_succeed(weir_compile(compiler, sequence, &image, NULL, &error), &error, world,
                 "compiling");
    weir_compiler_free(compiler);
    return image;
}

struct weir_image *compile_world(const struct world *world)
{
    return compile_tokens(world, world->tokens, world->count, world->seed);
}

struct weir_compiled_token *compile_alone(const struct world *world, const struct weir_token *token,
                                          size_t *size)
{
    struct weir_compiled_token *compiled = NULL;
    struct weir_error error;

    must_succeed(weir_compile_token(token, NULL, &compiled, size, &error), &error, world,
                 "compiling one token");
    return compiled;
}

struct weir_image *open_at_exact_size(const struct world *world, const struct weir_image *image,
                                      void **memory)
{
    struct weir_image *opened = NULL;
    struct weir_error error;
    size_t size = 0;
    const void *bytes = weir_image_bytes(image, &size);

    *memory = must_allocate(size);
    memcpy(*memory, bytes, size);
    must_succeed(weir_image_open_memory(*memory, size, WEIR_IMAGE_SHARED, NULL, &opened, &error),
                 &error, world, "opening from memory");
    return opened;
}

struct weir_image *save_and_open(const struct world *world, const struct weir_image *image,
                                 enum weir_image_mode mode)
{
    const char *folder = getenv("TMPDIR");
    struct weir_image *opened = NULL;
    struct weir_error error;
    char path[4096];
    int file = -1;

    (void)snprintf(path, sizeof path, "%s/weir-model-XXXXXX",
                   folder == NULL || *folder == '\0' ? "/tmp" : folder);
    file = mkstemp(path);
    ck_assert_int_ge(file, 0);
    (void)close(file);
    must_succeed(weir_image_save(image, path, &error), &error, world, "saving");
    must_succeed(weir_image_open(path, mode, NULL, &opened, &error), &error, world, "opening");
    ck_assert_int_eq(unlink(path), 0);
    return opened;
}

int run_cases(const char *name, const TTest *const *cases, size_t count)
{
    Suite *suite = suite_create(name);
    SRunner *runner = srunner_create(suite);
    int failed = 0;

    for (size_t i = 0; i < count; i++) {
        TCase *tests = tcase_create(cases[i]->name);

        tcase_set_timeout(tests, 0);
        tcase_add_test(tests, cases[i]);
        suite_add_tcase(suite, tests);
    }
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
