/* own.h - the second index: ids and digests of tokens that the image lacks. The writer's. */
#ifndef WEIR_LIVE_OWN_H
#define WEIR_LIVE_OWN_H

#include "live/engine.h"

/*
 * Makes sure that the edition's second index has room for one key more in each: the id and the
 * digest (NULL: none) of `block`. May put another index, with the same keys, in its place; of the
 * edition that readers use, by publishing another edition, which is then engine->edition. WEIR_OK,
 * WEIR_ERROR_MEMORY, WEIR_ERROR_IO (no random bits), with nothing changed.
 */
enum weir_status weir_own_reserve(struct weir_engine *engine, struct weir_edition **edition,
                                  const struct weir_block *block, struct weir_error *error);

/* Adds a key, for which there is room, that leads to the handle. */
void weir_own_insert(struct weir_live_index *index, uint64_t hash, uint32_t handle);

/* The slot that leads to the handle, of a key with that hash; or NULL. */
uint32_t *weir_own_slot(const struct weir_live_index *index, uint64_t hash, uint32_t handle);

/* Whether the slot is one of the index. */
bool weir_own_has_slot(const struct weir_live_index *index, const uint32_t *slot);

/* Takes away the key of that hash from its slot. */
void weir_own_remove(struct weir_live_index *index, uint64_t hash, uint32_t *slot);

#endif
