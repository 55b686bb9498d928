/* image.h - compiled tokens as immutable bytes: opening, saving, finding. */
#ifndef WEIR_IMAGE_H
#define WEIR_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/allocator.h>
#include <weir/declarations.h>
#include <weir/error.h>
#include <weir/instant.h>
#include <weir/name.h>

WEIR_DECLARATIONS_BEGIN

/* A set of compiled tokens with its indexes. Immutable: any number of threads may use one at once.
 */
struct weir_image;

/* A compiled token: inside an image, where it lives as long as that, or alone, as
 * weir_compile_token (compile.h) makes it. Whatever takes one takes either, unless it says
 * otherwise. What reads it may load WEIR_TOKEN_MARGIN bytes more than it has: they are there, in an
 * image, an engine and the memory that weir_compile_token makes, and whoever copies a token to ask
 * the copy leaves room for them, whatever they hold. */
struct weir_compiled_token;

#define WEIR_TOKEN_MARGIN 32

/* Whose bytes an image works on. */
enum weir_image_mode {
    /* The file, mapped read-only and shared with every other process that maps it, or the caller's
     * memory, which must stay as it is until the image is closed. Whoever may write to it could
     * change it after it was validated, and cutting a mapped file short kills its readers: only for
     * files whose writers are trusted. The file stays open as long as the image. */
    WEIR_IMAGE_SHARED = 0,
    /* A private copy, made before it is validated. */
    WEIR_IMAGE_COPY = 1
};

/*
 * Opens the image file `path`. Nothing is parsed or fixed up, but all of it is read once and
 * validated: afterwards no question can make a reader leave it, loop, or list without end, whatever
 * its bytes are. Validation is not authentication: that a file says what its owner meant is for
 * its permissions to ensure.
 *
 * WEIR_OK, WEIR_ERROR_MEMORY, _IO, _NOT_IMAGE, _VERSION, _TRUNCATED, _CHECKSUM, _DAMAGED. Any
 * thread.
 */
enum weir_status weir_image_open(const char *path, enum weir_image_mode mode,
                                 const struct weir_allocator *allocator, struct weir_image **image,
                                 struct weir_error *error);

/* Likewise from `size` bytes in memory, of any alignment, that were an image file. */
enum weir_status weir_image_open_memory(const void *bytes, size_t size, enum weir_image_mode mode,
                                        const struct weir_allocator *allocator,
                                        struct weir_image **image, struct weir_error *error);

/*
 * Whether `size` bytes are a valid image: what opening does, without opening. The allocator serves
 * for scratch memory that is released before the return. Any thread.
 */
enum weir_status weir_image_validate(const void *bytes, size_t size,
                                     const struct weir_allocator *allocator,
                                     struct weir_error *error);

/*
 * Writes the image to `path`, replacing what is there: to a new file beside it, synced, then
 * renamed, and the directory synced. After a crash at any moment `path` is the old file or the new
 * one, whole. After an error it is the old one, unless it is the last step that failed, the syncing
 * of the directory: then it is the new one, which a power cut might undo. `path` keeps its mode if
 * there was a file, and its owner and group as far as this process may set them (a group that it
 * may not set gets no access); the new file has all that from the start. Without one it is 0666
 * less the umask. A crash may leave a file `.weir-PID-N.tmp` behind. A link is followed; what is
 * there and is no regular file is refused.
 *
 * WEIR_OK, WEIR_ERROR_IO. Any thread; about twenty KiB of stack.
 */
enum weir_status weir_image_save(const struct weir_image *image, const char *path,
                                 struct weir_error *error);

/* The image's bytes, as weir_image_save writes them; they live as long as the image. */
const void *weir_image_bytes(const struct weir_image *image, size_t *size);

/* Closes the image; no thread may be using it. NULL is fine. */
void weir_image_close(struct weir_image *image);

/* Number of tokens; of tokens with a credential digest; of the last change contained. */
uint64_t weir_image_token_count(const struct weir_image *image);
uint64_t weir_image_digest_count(const struct weir_image *image);
uint64_t weir_image_sequence(const struct weir_image *image);

/*
 * The token of that id, or NULL. `id` may be anything. The work is bounded whatever ids the image
 * holds: four index lines and the at most 40 tokens they lead to, then a binary search. Any thread,
 * wait-free, no allocation.
 */
const struct weir_compiled_token *weir_image_find(const struct weir_image *image,
                                                  struct weir_text id);

/* The token whose credential has this SHA-256, or NULL. Digests are compared in constant time. Any
 * thread, wait-free, no allocation. */
const struct weir_compiled_token *weir_image_find_by_digest(const struct weir_image *image,
                                                            const uint8_t digest[32]);

/* The token after `token` in the image's own order (which is no order of ids), the first one for
 * NULL, or NULL after the last. `token` is one of this image. Any thread, wait-free. */
const struct weir_compiled_token *weir_image_next(const struct weir_image *image,
                                                  const struct weir_compiled_token *token);

/* What a compiled token says of itself. Any thread, wait-free. */
struct weir_text weir_compiled_token_id(const struct weir_compiled_token *token);
uint64_t weir_compiled_token_issue_number(const struct weir_compiled_token *token);
size_t weir_compiled_token_size(const struct weir_compiled_token *token);

/* False if the token never expires; else `*expires_at` is the instant from which it is invalid. */
bool weir_compiled_token_expires(const struct weir_compiled_token *token,
                                 struct weir_instant *expires_at);

/* What stands before every stream name that the token's client uses: the prefix of a token with
 * auto-prefix, empty for all others. Lives as long as the token. */
struct weir_text weir_compiled_token_stream_prefix(const struct weir_compiled_token *token);

/* The digest of the token's credential, or NULL if it has none. */
const uint8_t *weir_compiled_token_digest(const struct weir_compiled_token *token);

/* Takes text, a piece at a time; `text` lives until the sink returns. */
typedef void weir_text_sink(void *context, struct weir_text text);

/*
 * Writes a compiled token's sets, or its tries, as text for a person: a node a line, under its
 * parent; what several places share is written once and referred to by its offset where it is met
 * again. Takes time and text in proportion to the token's size. The allocator serves for scratch
 * memory. WEIR_OK, or WEIR_ERROR_MEMORY with nothing written. Any thread; `sink` runs in it; about
 * twenty KiB of stack.
 */
enum weir_status weir_compiled_token_dump(const struct weir_compiled_token *token,
                                          const struct weir_allocator *allocator,
                                          weir_text_sink *sink, void *context,
                                          struct weir_error *error);

/*
 * Likewise as a digraph in the language of Graphviz (`dot -Tsvg`): nodes with what they grant,
 * basins coloured, dashed edges from them to their streams; what several places share is drawn
 * once. A name is read along the way to a node: each edge shows the byte that leads on, each node
 * what follows it. Names may be anything: a byte that is no visible ASCII, or is a backslash, is
 * shown as \xHH. man weir-inspect tells how to read the rest.
 */
enum weir_status weir_compiled_token_dot(const struct weir_compiled_token *token,
                                         const struct weir_allocator *allocator,
                                         weir_text_sink *sink, void *context,
                                         struct weir_error *error);

WEIR_DECLARATIONS_END

#endif
