#include "wire/source.h"

#include <errno.h>
#include <string.h>

#include "vocabulary/failure.h"

#define FIRST_SIZE ((size_t)64 << 10)

/* Moves the text to the start of the buffer; makes that twice as large if the text fills more than
 * half of it. */
static bool make_free(struct weir_source *source)
{
    struct weir_text text = weir_source_text(source);
    struct weir_room *buffer = &source->buffer;
    size_t size = buffer->size > 0 ? 2 * buffer->size : FIRST_SIZE;
    void *memory = NULL;

    if (source->begin > 0) {
        memmove(buffer->memory, text.bytes, text.length);
    }
    source->begin = 0;
    source->end = text.length;
    if (text.length <= buffer->size / 2 && buffer->size > 0) {
        return true;
    }
    memory = weir_reallocate(&source->allocator, buffer->memory, buffer->size, size);
    if (memory == NULL) {
        return false;
    }
    *buffer = (struct weir_room){memory, size};
    return true;
}

enum weir_status weir_source_more(struct weir_source *source, struct weir_error *error)
{
    ptrdiff_t count = 0;
    size_t room = 0;

    if (source->buffer.size - source->end <= source->buffer.size / 4 && !make_free(source)) {
        return weir_fail_memory(error);
    }
    room = source->buffer.size - source->end;
    errno = 0;
    count = source->read(source->context, (char *)source->buffer.memory + source->end, room);
    if (count < 0) {
        return weir_fail_errno(error, "reading failed");
    }
    if ((size_t)count > room) {
        return weir_fail(error, WEIR_ERROR_ARGUMENT, "more bytes were read than there is room for");
    }
    source->end += (size_t)count;
    source->ended = count == 0;
    return WEIR_OK;
}

void weir_source_take(struct weir_source *source, size_t length)
{
    struct weir_text text = weir_source_text(source);
    const char *at = text.bytes;
    const char *end = text.bytes + length;

    for (const char *line_break = NULL; (line_break = memchr(at, '\n', (size_t)(end - at))) != NULL;
         at = line_break + 1) {
        source->lines++;
        source->columns = 0;
    }
    for (; at < end; at++) {
        source->columns += (*at & 0xc0) != 0x80;
    }
    source->begin += length;
}

void weir_source_take_line(struct weir_source *source, size_t length)
{
    source->lines++;
    source->columns = 0;
    source->begin += length;
}

void weir_source_locate(const struct weir_source *source, struct weir_error *error)
{
    if (error == NULL || error->line == 0) {
        return;
    }
    if (error->line == 1) {
        error->column += source->columns;
    }
    error->line += source->lines;
}

enum weir_status weir_source_fail(const struct weir_source *source, enum weir_status status,
                                  const char *message, struct weir_error *error)
{
    (void)weir_fail(error, status, "%s", message);
    if (error != NULL) {
        error->line = source->lines + 1;
        error->column = source->columns + 1;
    }
    return status;
}

void weir_source_fini(struct weir_source *source)
{
    weir_room_release(&source->buffer, &source->allocator);
}
