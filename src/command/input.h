/* input.h - the tokens of a FILE, be it JSON or an image. */
#ifndef WEIR_COMMAND_INPUT_H
#define WEIR_COMMAND_INPUT_H

#include <stdbool.h>
#include <stddef.h>

#include <weir/image.h>
#include <weir/name.h>

#include "declaration.h"

/* Tokens that have been read. Whatever FILE is, questions are asked of an image. */
struct tokens {
    struct weir_image *image;
    char *bytes;                     /* of the image, where FILE is one: its memory */
    bool compiled;                   /* FILE is an image */
    struct declaration *declaration; /* of the token asked for, if FILE is JSON and has it */
};

/*
 * Reads the tokens of the file `path`, which may be a pipe. With `wanted` the declaration of the
 * token of that id is kept. On an error, which is reported, returns false and leaves nothing
 * behind.
 */
bool tokens_load(struct tokens *tokens, const char *path, const struct weir_text *wanted);

/* As tokens_load, of a file that has to be an image. */
bool tokens_load_image(struct tokens *tokens, const char *path);

void tokens_release(struct tokens *tokens);

#endif
