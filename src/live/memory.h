/* memory.h - the engine's memory: handles, blocks, what is retired. The writer's. */
#ifndef WEIR_LIVE_MEMORY_H
#define WEIR_LIVE_MEMORY_H

#include <stdbool.h>

#include "live/engine.h"

static inline struct weir_own_block *weir_own_block_of(const struct weir_block *block)
{
    return (struct weir_own_block *)(uintptr_t)((const char *)block -
                                                offsetof(struct weir_own_block, block));
}

/* A copy of the block, with a header; NULL if there is no memory. */
struct weir_own_block *weir_own_block_new(struct weir_engine *engine,
                                          const struct weir_block *block);

/* Memory of `size` bytes, of which a struct weir_retired is the first, with its size set. */
void *weir_retirable_new(struct weir_engine *engine, size_t size);

/* Releases what no reader has ever seen, or sees any more. */
void weir_retirable_free(struct weir_engine *engine, struct weir_retired *retired);

/* Takes a free handle. WEIR_OK, WEIR_ERROR_MEMORY, WEIR_ERROR_LIMIT. */
enum weir_status weir_handle_take(struct weir_engine *engine, uint32_t *handle,
                                  struct weir_error *error);

/* Gives back a handle that no reader can come by. */
void weir_handle_give_back(struct weir_engine *engine, uint32_t handle);

void weir_handles_release(struct weir_engine *engine);

/* Puts on the list what readers cannot reach any more from now on. */
void weir_retire(struct weir_engine *engine, struct weir_retired *retired,
                 enum weir_retired_kind kind);

/* Waits for a grace period and releases the whole list. */
void weir_retired_release(struct weir_engine *engine);

/* Releases a little of what no reader sees any more, and waits for a grace period if the list is
 * longer than it may be (E8). */
void weir_retired_settle(struct weir_engine *engine);

#endif
