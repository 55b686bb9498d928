/* command.h - a world's questions, asked of the command. */
#ifndef WEIR_TESTS_DIFFERENTIAL_COMMAND_H
#define WEIR_TESTS_DIFFERENTIAL_COMMAND_H

#include <stdint.h>

#include "differential/places.h"

/* Asks `weir eval`, whose path is `weir`, up to `count` questions, about the world's tokens as JSON
 * or as an image, and demands the naive evaluator's lines. Returns how many decisions that were. */
uint64_t command_expect(const char *weir, struct world *world, const struct weir_image *image,
                        unsigned count);

#endif
