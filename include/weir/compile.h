/* compile.h - from declarations to an image. Needs the library weir_compile. */
#ifndef WEIR_COMPILE_H
#define WEIR_COMPILE_H

#include <stddef.h>
#include <stdint.h>

#include <weir/allocator.h>
#include <weir/declarations.h>
#include <weir/error.h>
#include <weir/image.h>
#include <weir/token.h>

WEIR_DECLARATIONS_BEGIN

/* The most bytes that one compiled token may take, and the most memory that compiling it may. A
 * token beyond either is WEIR_ERROR_LIMIT; the message names it. */
#define WEIR_COMPILED_TOKEN_MAX (64u << 20)
#define WEIR_COMPILE_MEMORY_MAX ((size_t)512 << 20)

/* Gathers tokens and turns them into an image. Owner thread: one caller at a time. */
struct weir_compiler;

/* An empty compiler. WEIR_OK or WEIR_ERROR_MEMORY. Free it with weir_compiler_free. */
enum weir_status weir_compiler_new(const struct weir_allocator *allocator,
                                   struct weir_compiler **compiler, struct weir_error *error);

/*
 * Checks the declaration (weir_token_check), compiles it and keeps the result; nothing of `token`
 * is needed afterwards. `position` is the caller's own number for it (a line, an index):
 * weir_compile tells it when the token turns out to bear the id or digest of another.
 *
 * Besides the codes of weir_token_check: WEIR_ERROR_MEMORY, and WEIR_ERROR_LIMIT for a token that
 * exceeds one of the limits above. After an error the compiler is as it was before the call.
 */
enum weir_status weir_compiler_add(struct weir_compiler *compiler, const struct weir_token *token,
                                   uint64_t position, struct weir_error *error);

/* Number of tokens added. */
size_t weir_compiler_count(const struct weir_compiler *compiler);

/*
 * Makes the image of all tokens added, in memory: the same bytes whatever the order they came in.
 * `sequence` is the number of the last change that the image contains, 0 where there is no log.
 * The image is the caller's, to be closed with weir_image_close; the compiler stays usable.
 *
 * WEIR_OK, WEIR_ERROR_MEMORY, WEIR_ERROR_DUPLICATE (two tokens of one id or digest: `*duplicate`,
 * unless NULL, is then the `position` of the one that came later), WEIR_ERROR_LIMIT (more than
 * 2^31 - 1 tokens, or too large an image).
 */
enum weir_status weir_compile(struct weir_compiler *compiler, uint64_t sequence,
                              struct weir_image **image, uint64_t *duplicate,
                              struct weir_error *error);

/* Frees the compiler and what it gathered, not the images it made. NULL is fine. */
void weir_compiler_free(struct weir_compiler *compiler);

/*
 * Compiles a single token into one relocatable block: the very bytes that stand for it in an image.
 * On WEIR_OK `*compiled` is memory of `*size` bytes from the allocator, for the caller to release:
 * the token's own (weir_compiled_token_size: what to take to store or send it), and
 * WEIR_TOKEN_MARGIN zeros. Errors as weir_compiler_add. Any thread.
 */
enum weir_status weir_compile_token(const struct weir_token *token,
                                    const struct weir_allocator *allocator,
                                    struct weir_compiled_token **compiled, size_t *size,
                                    struct weir_error *error);

WEIR_DECLARATIONS_END

#endif
