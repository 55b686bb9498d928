/* failure.h - filling a struct weir_error. */
#ifndef WEIR_VOCABULARY_FAILURE_H
#define WEIR_VOCABULARY_FAILURE_H

#include <weir/error.h>
#include <weir/name.h>

/*
 * Fills `error` (which may be NULL) with the status and the formatted message, no place and no
 * line, and returns the status, so that a function fails with `return weir_fail(…)`. A message that
 * is too long is cut. What the message holds of a name must have gone through weir_quote; any other
 * byte that is not printable ASCII is written as '?'.
 */
__attribute__((format(printf, 3, 4))) enum weir_status
weir_fail(struct weir_error *error, enum weir_status status, const char *format, ...);

/* weir_fail for memory that could not be had. */
enum weir_status weir_fail_memory(struct weir_error *error);

/* weir_fail for a system call that set errno: WEIR_ERROR_IO, what was tried and why it failed. */
enum weir_status weir_fail_errno(struct weir_error *error, const char *what);

/* Passes on the error of an attempt, if it failed for good: what was tried and then succeeded
 * leaves the caller's as it was. Returns the status. */
enum weir_status weir_fail_as(struct weir_error *error, enum weir_status status,
                              const struct weir_error *attempt);

/* An analyzer that looks at one file at a time cannot know what these return. */
#if defined(__clang_analyzer__) || defined(WEIR_ANALYZED)
#define weir_known(call, status) ((void)(call), (enum weir_status)(status))
#define weir_fail(error, status, ...) weir_known(weir_fail(error, status, __VA_ARGS__), status)
#define weir_fail_memory(error) weir_known(weir_fail_memory(error), WEIR_ERROR_MEMORY)
#define weir_fail_errno(error, what) weir_known(weir_fail_errno(error, what), WEIR_ERROR_IO)
#define weir_fail_as(error, status, attempt)                                                       \
    weir_known(weir_fail_as(error, status, attempt), status)
#endif

/* Puts a step before the place that the error has already: "scopes[3]" before ".streams". */
__attribute__((format(printf, 2, 3))) void weir_error_within(struct weir_error *error,
                                                             const char *format, ...);

/* A token id, quoted, for a message. */
struct weir_quoted_id {
    char text[WEIR_QUOTED_MAX(WEIR_TOKEN_ID_MAX)];
};
struct weir_quoted_id weir_quoted_id(struct weir_text id);

#endif
