/*
 * naive_containment.h - SPEC's sentences about what an issuer may give, read off the declarations.
 *
 * The oracle that src/authority/containment.c is held against. It shares nothing with that but the
 * plain structures of the public headers: it looks at one operation after the other, and joins
 * names instead of comparing their ends.
 */
#ifndef WEIR_TESTS_NAIVE_CONTAINMENT_H
#define WEIR_TESTS_NAIVE_CONTAINMENT_H

#include <stdbool.h>
#include <stddef.h>

#include <weir/token.h>

/* Longer than any name behind any prefix. */
#define NAIVE_JOINED_MAX (2 * WEIR_STREAM_MAX)

/* What becomes of a child that an issuer declares. */
enum naive_verdict { NAIVE_GIVEN, NAIVE_TOO_LONG, NAIVE_DENIED };

enum naive_verdict naive_child(const struct weir_token *issuer, const struct weir_token *child);

/* The set of streams as the server sees it, of a child that is declared by the issuer; its name is
 * in `buffer`. */
struct weir_set naive_absolute_streams(const struct weir_token *issuer,
                                       const struct weir_set *streams,
                                       char buffer[NAIVE_JOINED_MAX]);

/* Whether the set of streams lies outside what the requestor's clients can name: such are not
 * shown. */
bool naive_streams_hidden(const struct weir_token *requestor, const struct weir_set *streams);

/* Whether the one set is the other; sets that nothing is in are all the same. */
bool naive_same_set(const struct weir_set *left, const struct weir_set *right);

#endif
