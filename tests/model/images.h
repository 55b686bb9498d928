/* images.h - a world's tokens, compiled. */
#ifndef WEIR_TESTS_IMAGES_H
#define WEIR_TESTS_IMAGES_H

#include <check.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/image.h>
#include <weir/token.h>

#include "model/generate.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* Compiles the tokens in this order; what fails ends the test case. */
struct weir_image *compile_tokens(const struct world *world, const struct weir_token *tokens,
                                  size_t count, uint64_t sequence);
struct weir_image *compile_world(const struct world *world);

/* The block of one token alone; free it with free(). */
struct weir_compiled_token *compile_alone(const struct world *world, const struct weir_token *token,
                                          size_t *size);

/* Opens a copy of the image's bytes in memory of exactly their number: `*memory`, for the caller to
 * free once the image is closed. */
struct weir_image *open_at_exact_size(const struct world *world, const struct weir_image *image,
                                      void **memory);

/* Saves the image to a new file and opens that. */
struct weir_image *save_and_open(const struct world *world, const struct weir_image *image,
                                 enum weir_image_mode mode);

/* Runs the cases and returns the exit status of the program. */
int run_cases(const char *name, const TTest *const *cases, size_t count);

#endif
