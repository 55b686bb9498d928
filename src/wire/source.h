/* source.h - the bytes of a file through a sliding buffer, and the line and column reached. */
#ifndef WEIR_WIRE_SOURCE_H
#define WEIR_WIRE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/allocator.h>
#include <weir/error.h>
#include <weir/name.h>
#include <weir/wire.h>

#include "vocabulary/text.h"
#include "wire/room.h"

/*
 *   buffer   [ taken | not taken yet | free ]
 *             0       begin           end    size
 *
 * The buffer grows only when more than half of it is not taken yet: it stays within a small
 * multiple of the longest piece that its user wants to see whole.
 */
struct weir_source {
    weir_read_function *read;
    void *context;
    struct weir_allocator allocator;
    struct weir_room buffer;
    size_t begin;
    size_t end;
    bool ended;       /* there is no more than what the buffer has */
    uint64_t lines;   /* line breaks among what was taken */
    uint64_t columns; /* characters taken after the last of them */
};

/* What is not taken yet. Its bytes live until more is read. */
static inline struct weir_text weir_source_text(const struct weir_source *source)
{
    return weir_text_from((struct weir_text){source->buffer.memory, source->end}, source->begin);
}

/* Adds at least one byte to the text, or sets `ended`. WEIR_OK, WEIR_ERROR_MEMORY, _IO. */
enum weir_status weir_source_more(struct weir_source *source, struct weir_error *error);

/* Takes `length` bytes of the text. */
void weir_source_take(struct weir_source *source, size_t length);

/* Takes `length` bytes of which the last, and no other, is a line break. */
void weir_source_take_line(struct weir_source *source, size_t length);

/* Makes a line and column that are relative to the text those of the file. */
void weir_source_locate(const struct weir_source *source, struct weir_error *error);

/* Fails at the first byte of the text. */
enum weir_status weir_source_fail(const struct weir_source *source, enum weir_status status,
                                  const char *message, struct weir_error *error);

void weir_source_fini(struct weir_source *source);

#endif
