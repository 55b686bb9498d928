/* room.h - memory that is used again and again and grows to what is needed. */
#ifndef WEIR_WIRE_ROOM_H
#define WEIR_WIRE_ROOM_H

#include <stdbool.h>
#include <stddef.h>

#include <weir/allocator.h>

#include "vocabulary/memory.h"

/* All zero is the start. */
struct weir_room {
    void *memory;
    size_t size;
};

/* Makes room for `size` bytes; what was in it may be lost. False, with the room as it was, if the
 * memory cannot be had. Growing at least twofold keeps the number of allocations small. */
static inline bool weir_room_make(struct weir_room *room, const struct weir_allocator *allocator,
                                  size_t size)
{
    size_t wanted = size > 2 * room->size ? size : 2 * room->size;
    void *memory = NULL;

    if (size <= room->size) {
        return true;
    }
    memory = weir_allocate(allocator, wanted);
    if (memory == NULL) {
        return false;
    }
    weir_release(allocator, room->memory, room->size);
    *room = (struct weir_room){memory, wanted};
    return true;
}

static inline void weir_room_release(struct weir_room *room, const struct weir_allocator *allocator)
{
    weir_release(allocator, room->memory, room->size);
    *room = (struct weir_room){0};
}

#endif
