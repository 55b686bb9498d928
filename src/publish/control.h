/* control.h - the control page: mapping it, and its three words that change. */
#ifndef WEIR_PUBLISH_CONTROL_H
#define WEIR_PUBLISH_CONTROL_H

#include "publish/directory.h"
#include "publish/format.h"

struct weir_control_map {
    struct weir_control *page; /* written by the publisher only */
    struct weir_control_header header;
    dev_t device; /* which file it is */
    ino_t inode;
    bool foreign; /* published before the machine last booted */
};

/* Maps the control page of that name. WEIR_OK, WEIR_ERROR_NOT_FOUND, _OWNER, _IO, _DAMAGED. */
enum weir_status weir_control_open(const struct weir_directory *directory, const char *name,
                                   bool writable, struct weir_control_map *map,
                                   struct weir_error *error);
void weir_control_close(struct weir_control_map *map);

/* Whether the directory's control page is another file by now. */
bool weir_control_replaced(const struct weir_directory *directory,
                           const struct weir_control_map *map);

/* Makes the control page of a directory whose first image and segment are there. */
enum weir_status weir_control_make(const struct weir_directory *directory, uint64_t identity,
                                   uint64_t lease, uint64_t sequence, struct weir_error *error);

/* The letters are those of the memory model in format.h. */

static inline uint64_t weir_control_sequence(const struct weir_control_map *map)
{
    return __atomic_load_n(&map->page->sequence, __ATOMIC_ACQUIRE); /* S */
}

static inline uint64_t weir_control_heartbeat(const struct weir_control_map *map)
{
    return __atomic_load_n(&map->page->heartbeat, __ATOMIC_ACQUIRE); /* H */
}

static inline uint64_t weir_control_snapshot(const struct weir_control_map *map)
{
    return __atomic_load_n(&map->page->snapshot, __ATOMIC_ACQUIRE); /* N */
}

/* Stores S and wakes who waits for it. */
void weir_control_publish(const struct weir_control_map *map, uint64_t sequence);

/* Waits until S is another number than `sequence`, or for `timeout` nanoseconds; may return early.
 */
void weir_control_wait(const struct weir_control_map *map, uint64_t sequence, uint64_t timeout);

#endif
