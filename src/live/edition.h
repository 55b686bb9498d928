/*
 * edition.h - editions: what readers go through, whole. The writer's.
 *
 * An edition is prepared, may be changed (change.h) while nobody reads it, and is then published,
 * or discarded. So a snapshot and the changes since come into view at one moment.
 */
#ifndef WEIR_LIVE_EDITION_H
#define WEIR_LIVE_EDITION_H

#include "image/block.h"
#include "live/engine.h"

/*
 * Prepares an edition of the image's tokens (NULL: none). With `take_over` the engine closes the
 * image, once it is published and some other edition has taken its place. WEIR_OK,
 * WEIR_ERROR_MEMORY.
 */
enum weir_status weir_edition_prepare(struct weir_engine *engine, const struct weir_image *image,
                                      bool take_over, struct weir_edition **edition,
                                      struct weir_error *error);

/* Publishes a prepared edition in the place of the current one, waits for a grace period, and
 * releases that and all of its tokens. Not in a read section. */
void weir_edition_publish(struct weir_engine *engine, struct weir_edition *edition);

/* Releases an edition that no reader sees, its tokens, and its image if that was taken over. */
void weir_edition_discard(struct weir_engine *engine, struct weir_edition *edition);

/* Makes `own` the edition's second index, which has the keys of the one before: see
 * weir_own_reserve. WEIR_OK, WEIR_ERROR_MEMORY. */
enum weir_status weir_edition_set_own(struct weir_engine *engine, struct weir_edition **edition,
                                      struct weir_own *own, struct weir_error *error);

/* What expired before this, more than an hour before `now`, is dropped by compacting. */
struct weir_expiry weir_first_kept(struct weir_instant now);

/* Calls `visit` for the offset of every token of the edition, until it returns false; returns
 * whether it never did. Beside a writer: what changes meanwhile may be in or not. */
typedef bool weir_offset_visitor(void *context, uint32_t offset);
bool weir_edition_each(const struct weir_edition *edition, weir_offset_visitor *visit,
                       void *context);

#endif
