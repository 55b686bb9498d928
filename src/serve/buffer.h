/* buffer.h - memory that grows, as long as the requestor whose lane it is counted in may have more.
 */
#ifndef WEIR_SERVE_BUFFER_H
#define WEIR_SERVE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

#include "serve/lane.h"

/* All zero, but for the lane, is an empty one. */
struct buffer {
    struct lane *lane; /* NULL: it is not counted */
    char *bytes;
    size_t length;
    size_t room;
};

/* Makes room for so many bytes more, exactly so many if it is `exact`. False, the buffer as it was:
 * there is no memory, or none that the lane may have. */
bool buffer_reserve(struct buffer *buffer, size_t more);
bool buffer_reserve_exactly(struct buffer *buffer, size_t more);

bool buffer_add(struct buffer *buffer, const void *bytes, size_t length);
__attribute__((format(printf, 2, 3))) bool buffer_format(struct buffer *buffer, const char *format,
                                                         ...);

/* Wipes what it holds and gives it back; it is empty then. */
void buffer_release(struct buffer *buffer);

#endif
