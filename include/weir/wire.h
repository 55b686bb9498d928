/* wire.h - tokens and requests as JSON. Needs the library weir_wire, and jansson. */
#ifndef WEIR_WIRE_H
#define WEIR_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/allocator.h>
#include <weir/decision.h>
#include <weir/declarations.h>
#include <weir/error.h>
#include <weir/name.h>
#include <weir/token.h>

WEIR_DECLARATIONS_BEGIN

/*
 * JSON is read by jansson, whose allocator is one for the whole process (json_set_alloc_funcs) and
 * whose hash seed is drawn once (json_object_seed): the only state here that is not in an object.
 * What jansson allocates while a token or request is read goes through its allocator and is freed
 * before the function returns; everything else goes through the caller's. An allocator given to
 * jansson must set errno to ENOMEM where it fails, as malloc does: jansson 2.14 itself does not
 * always notice, and what it then made up is refused by that sign; and it aborts the process
 * (assert) where the buffer of a string or word cannot grow. So a host that runs under a memory
 * limit does better to end in such an allocator than to return NULL from it.
 *
 * Input is strict: unknown fields, duplicate keys, wrong types, invalid UTF-8, a byte-order mark,
 * names that are not allowed, unknown operations, trailing bytes are errors, each with its place.
 */

/* The most bytes that one token or request may take as JSON, and the most values (objects, arrays,
 * strings, all others). Bytes bound the reading, values the memory: jansson takes up to a quarter
 * of a kilobyte for each. */
#define WEIR_TOKEN_JSON_MAX ((size_t)256 << 20)
#define WEIR_REQUEST_JSON_MAX ((size_t)16 << 20)
#define WEIR_TOKEN_JSON_VALUES_MAX 4000000
#define WEIR_REQUEST_JSON_VALUES_MAX 100000

/*
 * Reads one token from a JSON object. On WEIR_OK `*token` is a declaration in one piece of memory
 * that holds all it refers to, freed with weir_token_free and the same allocator. It has passed
 * weir_token_check. Any thread.
 */
enum weir_status weir_token_parse(struct weir_text json, const struct weir_allocator *allocator,
                                  struct weir_token **token, struct weir_error *error);

/*
 * Writes a token as JSON, in full and on one line, as a list response has it: `id`, `expires_at`,
 * `auto_prefix_streams`, `scope` or `scopes` with all their fields (null for a set that is nothing,
 * all groups, `ops` in number order), and `credential_digest` if it has one. weir_token_parse reads
 * the same declaration back. Returns the length; writes no more than `size` bytes, and no
 * terminator: a second call with enough room is needed where the length is larger. Printable ASCII
 * but for the UTF-8 of names, which are written as they are where JSON allows it. Any thread.
 */
size_t weir_token_write(const struct weir_token *token, char *json, size_t size);

/* NULL is fine. */
void weir_token_free(struct weir_token *token, const struct weir_allocator *allocator);

/* Reads up to `size` bytes: the number read, 0 at the end, -1 on an error, for which errno is set
 * and which ends the reading (so a wrapper of read(2) goes on after EINTR itself). */
typedef ptrdiff_t weir_read_function(void *context, void *buffer, size_t size);

/*
 * Called for each token of a file, in order. `position` is its line in NDJSON, else its index from
 * 0. `token` lives until the visitor returns. Any other return than WEIR_OK ends the reading with
 * that status; the visitor fills `error` then (never NULL), in which the place of the token is
 * added to the place it gives.
 */
typedef enum weir_status weir_token_visitor(void *context, const struct weir_token *token,
                                            uint64_t position, struct weir_error *error);

/* How the tokens of a file are told apart in messages. */
enum weir_token_file_form {
    WEIR_FORM_OBJECT = 0, /* {"access_tokens": [TOKEN, …]}: access_tokens[3] */
    WEIR_FORM_ARRAY = 1,  /* [TOKEN, …]: [3] */
    WEIR_FORM_LINES = 2   /* NDJSON: line 3 */
};

/*
 * Reads a token file of any of the three forms, an element at a time: memory is in proportion to
 * the largest token, whatever the form. Duplicate ids are for the visitor to find (the compiler
 * does). `*form`, unless NULL, is the form, as soon as the first token is visited.
 *
 * WEIR_OK; WEIR_ERROR_IO, _MEMORY, _SYNTAX, _SCHEMA, _NAME, _OPERATION, _PERMISSION, _LIMIT;
 * WEIR_ERROR_ARGUMENT if `read` claims more than it was given room for; or what the visitor
 * returned. Any thread.
 */
enum weir_status weir_token_file_read(weir_read_function *read, void *read_context,
                                      const struct weir_allocator *allocator,
                                      weir_token_visitor *visit, void *visit_context,
                                      enum weir_token_file_form *form, struct weir_error *error);

/* Fills the error's place or line with that of the token at `position` in a file of that form, as
 * weir_token_file_read does. */
void weir_token_file_place(enum weir_token_file_form form, uint64_t position,
                           struct weir_error *error);

/* Room for what a question refers to once it has been read. */
struct weir_question_buffer;

/*
 * A buffer for weir_question_parse, to be used for one question after the other. One caller at a
 * time. WEIR_OK or WEIR_ERROR_MEMORY.
 */
enum weir_status weir_question_buffer_new(const struct weir_allocator *allocator,
                                          struct weir_question_buffer **buffer,
                                          struct weir_error *error);
/* NULL is fine. */
void weir_question_buffer_free(struct weir_question_buffer *buffer);

/*
 * Reads a request: {"token": ID, "op": NAME} with exactly the fields of the operation's target:
 * "basin"; "basin" and "stream"; "access_token"; or none. Names are taken as they are (a name that
 * is not allowed is for the check to deny). On WEIR_OK the texts of `*question` live in the buffer
 * until it is used again. Otherwise WEIR_ERROR_SYNTAX, _SCHEMA, _OPERATION, _LIMIT, _MEMORY.
 */
enum weir_status weir_question_parse(struct weir_text json, struct weir_question_buffer *buffer,
                                     struct weir_question *question, struct weir_error *error);

WEIR_DECLARATIONS_END

#endif
