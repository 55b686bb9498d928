/* input.h - the tokens of a FILE, be it JSON, an image or a directory. */
#ifndef WEIR_COMMAND_INPUT_H
#define WEIR_COMMAND_INPUT_H

#include <stdbool.h>
#include <stddef.h>

#include <weir/decision.h>
#include <weir/image.h>
#include <weir/name.h>

#include "declaration.h"
#include "directory.h"

/* Tokens that have been read, or that are followed. Whatever FILE is, questions are asked of an
 * image; of an engine, where it is a directory that is published. */
struct tokens {
    struct weir_image *image;        /* of a directory: see tokens_image */
    char *bytes;                     /* of the image, where FILE is one: its memory */
    bool compiled;                   /* FILE is an image */
    struct declaration *declaration; /* of the token asked for, if FILE is JSON and has it */

    struct directory directory;
    const struct weir_engine *engine; /* in a look: NULL if the directory is stale */
};

/*
 * Reads the tokens of the file that --tokens names, which may be a pipe; or follows it, where it is
 * a directory. With `wanted` the declaration of the token of that id is kept. On an error, which is
 * reported, returns false and leaves nothing behind.
 */
bool tokens_load(struct tokens *tokens, const struct options *options,
                 const struct weir_text *wanted);

/* As tokens_load, of the file of that path. */
bool tokens_load_path(struct tokens *tokens, const char *path, const struct options *options);

/* Likewise of a file that has to be an image, or a directory. */
bool tokens_load_image(struct tokens *tokens, const char *path, const struct options *options);

void tokens_release(struct tokens *tokens);

/* Whether FILE is a directory. */
bool tokens_followed(const struct tokens *tokens);

/*
 * ---- Looking ----
 *
 * Questions are asked between tokens_begin and tokens_end, which do not nest; what is found lives
 * until the latter. Every change that was published before tokens_begin is seen.
 */
void tokens_begin(struct tokens *tokens);
void tokens_end(struct tokens *tokens);

/* Whether nothing can be said: a directory whose publisher is not heard of. Nothing is found then,
 * and everything is denied as stale. */
bool tokens_stale(const struct tokens *tokens);

const struct weir_compiled_token *tokens_find(const struct tokens *tokens, struct weir_text id);

struct weir_decision tokens_check(const struct tokens *tokens, struct weir_text id,
                                  const struct weir_request *request, struct weir_instant now);

/* As weir_who; of tokens that are not stale. */
enum weir_status tokens_who(const struct tokens *tokens, const struct weir_request *request,
                            struct weir_instant now, struct weir_tokens *found,
                            struct weir_error *error);

/*
 * All tokens as an image, which lives as long as `tokens`: what a directory has, be it stale, is
 * laid out as one, in proportion to it. NULL, with the error filled in, if that fails.
 */
const struct weir_image *tokens_image(struct tokens *tokens, struct weir_error *error);

#endif
