/* token_copy.h - a declaration in one piece of memory. */
#ifndef WEIR_WIRE_TOKEN_COPY_H
#define WEIR_WIRE_TOKEN_COPY_H

#include <weir/allocator.h>
#include <weir/name.h>
#include <weir/token.h>

/*
 * Copies the token and all it refers to, `stream_prefix` put before the names of its sets of
 * streams, where those are not nothing. Freed with weir_token_free (wire.h). NULL if the memory
 * cannot be had.
 */
struct weir_token *weir_token_copy(const struct weir_token *token, struct weir_text stream_prefix,
                                   const struct weir_allocator *allocator);

#endif
