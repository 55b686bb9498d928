/* output.h - standard output, buffered, every failure noticed. */
#ifndef WEIR_COMMAND_OUTPUT_H
#define WEIR_COMMAND_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

#include <weir/name.h>

#define OUTPUT_SIZE ((size_t)1 << 16)

/*
 * Begins as all zero. Once a write has failed, `failure` is its error number and everything more is
 * dropped; the number is reported by output_finish.
 */
struct output {
    int failure;
    size_t used;
    char buffer[OUTPUT_SIZE];
};

void output_bytes(struct output *output, const char *bytes, size_t length);
void output_string(struct output *output, const char *string);
void output_spaces(struct output *output, size_t count);
__attribute__((format(printf, 2, 3))) void output_format(struct output *output, const char *format,
                                                         ...);

/* A name as it stands inside a JSON string, and as a JSON string: printable ASCII only. Texts of
 * any length that a name may have are written whole. */
void output_escaped(struct output *output, struct weir_text text);
void output_quoted(struct output *output, struct weir_text text);

/* Drops what is buffered: of a text shorter than the buffer, all. */
void output_discard(struct output *output);

/* Writes what is buffered. False once anything has failed. */
bool output_flush(struct output *output);

/* Flushes and closes standard output. On a failure, reports it if `report` says so, and returns
 * false. */
bool output_finish(struct output *output, bool report);

#endif
