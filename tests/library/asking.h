/* asking.h - everything that an image can be asked. */
#ifndef WEIR_TESTS_LIBRARY_ASKING_H
#define WEIR_TESTS_LIBRARY_ASKING_H

#include <weir/image.h>

/* A sum of all answers, so that two images can be compared by what they say. */
typedef uint64_t answers;

/*
 * Asks a valid image everything: each token about itself, in every operation, narrowed, explained
 * and dumped, and who may what. Demands that nothing lies outside the image's bytes, that each
 * token is found by its id and digest, and that nothing goes on for longer than the image is large.
 */
answers ask_everything(const struct weir_image *image);

#endif
