/* side_by_side.h - two names, one below the other, and where they part. */
#ifndef WEIR_COMMAND_SIDE_BY_SIDE_H
#define WEIR_COMMAND_SIDE_BY_SIDE_H

#include <stddef.h>

#include <weir/name.h>
#include <weir/token.h>

#include "output.h"

/*
 * Writes a set that does not match, the name asked for below it, and a mark below the first
 * character in which they differ:
 *
 *     prefix "users/1234/"
 *     asked  "users/1235/inbox"
 *                      ^ they part after 9 bytes
 *
 * The first line goes on where the output stands, which is `column`; the others are indented to it.
 * Of long names only what lies around the mark is shown.
 */
void write_side_by_side(struct output *output, size_t column, const struct weir_set *set,
                        struct weir_text asked);

#endif
