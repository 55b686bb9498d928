#include "lines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIRST_CAPACITY ((size_t)1 << 18)

static struct weir_text take(struct lines *lines, size_t length, size_t with_end)
{
    struct weir_text line = {lines->buffer + lines->begin, length};

    lines->begin += with_end;
    lines->searched = lines->begin;
    lines->number++;
    return line;
}

enum lines_result lines_next(struct lines *lines, size_t longest, struct weir_text *line)
{
    size_t length = lines->end - lines->begin;
    const char *line_end = NULL;

    if (lines->end > lines->searched) {
        line_end = memchr(lines->buffer + lines->searched, '\n', lines->end - lines->searched);
    }
    if (line_end != NULL) {
        length = (size_t)(line_end - lines->buffer) - lines->begin;
        *line = take(lines, length, length + 1);
        return LINES_LINE;
    }
    if (length > longest || (lines->ended && length > 0)) {
        *line = take(lines, length, length);
        return LINES_LINE;
    }
    lines->searched = lines->end;
    return lines->ended ? LINES_END : LINES_EMPTY;
}

/* Makes room for reading: the line begun moves to the front, and the buffer grows when that line
 * fills it. */
static bool make_room(struct lines *lines)
{
    size_t begun = lines->end - lines->begin;

    if (begun > 0 && lines->begin > 0) {
        memmove(lines->buffer, lines->buffer + lines->begin, begun);
    }
    lines->searched -= lines->begin;
    lines->begin = 0;
    lines->end = begun;
    if (lines->end == lines->capacity) {
        size_t capacity = lines->capacity == 0 ? FIRST_CAPACITY : lines->capacity * 2;
        char *larger = realloc(lines->buffer, capacity);

        if (larger == NULL) {
            errno = ENOMEM;
            return false;
        }
        lines->buffer = larger;
        lines->capacity = capacity;
    }
    return true;
}

bool lines_read(struct lines *lines)
{
    ssize_t length = 0;

    if (!make_room(lines)) {
        return false;
    }
    do {
        length = read(lines->descriptor, lines->buffer + lines->end, lines->capacity - lines->end);
    } while (length < 0 && errno == EINTR);
    if (length < 0) {
        return false;
    }
    lines->ended = length == 0;
    lines->end += (size_t)length;
    return true;
}

void lines_release(struct lines *lines)
{
    free(lines->buffer);
    lines->buffer = NULL;
}
