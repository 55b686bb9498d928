#include "serve/buffer.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weir/credential.h>

#define ROOM_MIN 4096

/* The old memory is wiped, too, which realloc would not do. */
static bool grow(struct buffer *buffer, size_t room)
{
    char *bytes = NULL;

    if (!lane_take(buffer->lane, room)) {
        return false;
    }
    bytes = malloc(room);
    if (bytes == NULL) {
        lane_give_back(buffer->lane, room);
        return false;
    }
    if (buffer->bytes != NULL) {
        memcpy(bytes, buffer->bytes, buffer->length);
        weir_wipe(buffer->bytes, buffer->length);
        free(buffer->bytes);
        lane_give_back(buffer->lane, buffer->room);
    }
    buffer->bytes = bytes;
    buffer->room = room;
    return true;
}

bool buffer_reserve_exactly(struct buffer *buffer, size_t more)
{
    if (more > SIZE_MAX - buffer->length) {
        return false;
    }
    return more <= buffer->room - buffer->length || grow(buffer, buffer->length + more);
}

bool buffer_reserve(struct buffer *buffer, size_t more)
{
    size_t ample = buffer->room > ROOM_MIN ? buffer->room * 2 : ROOM_MIN;

    if (more <= buffer->room - buffer->length) {
        return true;
    }
    if (buffer->room <= SIZE_MAX / 2 && ample - buffer->length >= more && grow(buffer, ample)) {
        return true;
    }
    return buffer_reserve_exactly(buffer, more);
}

bool buffer_add(struct buffer *buffer, const void *bytes, size_t length)
{
    if (length == 0) {
        return true;
    }
    if (!buffer_reserve(buffer, length)) {
        return false;
    }
    memcpy(buffer->bytes + buffer->length, bytes, length);
    buffer->length += length;
    return true;
}

bool buffer_format(struct buffer *buffer, const char *format, ...)
{
    va_list arguments;
    va_list again;
    int length = 0;
    bool added = false;

    va_start(arguments, format);
    va_copy(again, arguments);
    length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    added = length >= 0 && buffer_reserve(buffer, (size_t)length + 1);
    if (added) {
        (void)vsnprintf(buffer->bytes + buffer->length, (size_t)length + 1, format, again);
        buffer->length += (size_t)length;
    }
    va_end(again);
    return added;
}

void buffer_release(struct buffer *buffer)
{
    if (buffer->bytes != NULL) {
        weir_wipe(buffer->bytes, buffer->length);
        free(buffer->bytes);
        lane_give_back(buffer->lane, buffer->room);
    }
    *buffer = (struct buffer){.lane = buffer->lane};
}
