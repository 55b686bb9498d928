/*
 * naive_difference.h - what a difference of two tokens must be, name by name.
 *
 * The oracle that weir_diff is held against: it knows no tries and no regions,
 * only whether each of two declarations allows or lists a name, and which names
 * a set of names has.
 */
#ifndef WEIR_TESTS_NAIVE_DIFFERENCE_H
#define WEIR_TESTS_NAIVE_DIFFERENCE_H

#include <stdbool.h>
#include <stddef.h>

#include <weir/difference.h>
#include <weir/token.h>

/* Names of each role that are allowed. */
bool naive_valid(enum weir_set_role role, struct weir_text name);

/* Whether some allowed name, of at most `longest` bytes, begins so. */
bool naive_begins_some(enum weir_set_role role, size_t longest, struct weir_text beginning);

/* Whether the name is in the set. */
bool naive_set_has(const struct weir_name_set *set, struct weir_text name);

/* What is wrong with the set as something to print; NULL if nothing is: members
 * in order, none covered by another, none that no name can be, exceptions
 * within the prefixes. */
const char *naive_set_fault(enum weir_set_role role, size_t longest,
                            const struct weir_name_set *set);

/* The longest stream that the token's client may name; WEIR_STREAM_MAX for
 * NULL. */
size_t naive_longest_stream(const struct weir_token *token);

/* Whether the token, NULL for none, allows this. */
bool naive_allows(const struct weir_token *token, const struct weir_request *request,
                  struct weir_instant now);

/* Whether it lists the name, which its client uses, to whoever may list (in
 * that basin). */
bool naive_shows(const struct weir_token *token, enum weir_operation operation,
                 struct weir_text basin, struct weir_text name);

#endif
