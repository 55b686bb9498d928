/* words.h - what a person reads: times, names, lists of operations. */
#ifndef WEIR_COMMAND_WORDS_H
#define WEIR_COMMAND_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/decision.h>
#include <weir/image.h>
#include <weir/instant.h>
#include <weir/operation.h>
#include <weir/token.h>

#include "output.h"

/* `37 days 8 hours`: the two largest units. */
void write_duration(struct output *output, int64_t seconds);

/* `2027-01-01T00:00:00Z, in 37 days 8 hours`; `…, 3 days 4 hours ago`; `never`. */
void write_expiry(struct output *output, const struct weir_compiled_token *token,
                  struct weir_instant now);

void write_instant(struct output *output, struct weir_instant instant);

/* Seconds, of nanoseconds. */
double seconds_of(uint64_t nanoseconds);

/* `append, read and 3 more`: at most `limit` of them; `none` for none. */
void write_operations(struct output *output, weir_operations operations, size_t limit);

/* `84.0 MiB` */
void write_size(struct output *output, uint64_t bytes);

/* `exact "a"`, `prefix "users/"`, `nothing`, `prefix "" (everything)`. */
void write_set(struct output *output, const struct weir_set *set);

/* Number of leading bytes that two names have in common, of whole characters. */
size_t common_length(struct weir_text left, struct weir_text right);

/* Whether the byte at `place` goes on with a character of UTF-8 that began before it. */
bool is_continuation(struct weir_text text, size_t place);

/* A negative number, 0 or a positive one: byte order. */
int compare_texts(struct weir_text left, struct weir_text right);

#endif
