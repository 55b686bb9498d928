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
 * WEIR_ERROR_MEMORY. Any thread: it touches nothing that is there.
 */
enum weir_status weir_edition_prepare(struct weir_engine *engine, const struct weir_image *image,
                                      bool take_over, struct weir_edition **edition,
                                      struct weir_error *error);

/* Publishes a prepared edition in the place of the current one, which is returned, to be let go of.
 */
struct weir_edition *weir_edition_replace(struct weir_engine *engine, struct weir_edition *edition);

/* Waits for a grace period and releases an edition that was replaced, and its tokens. Not in a read
 * section. */
void weir_edition_let_go(struct weir_engine *engine, struct weir_edition *old);

/* Likewise in steps, between which other changes may be made: retires the tokens, `limit` positions
 * at a time, from 0 on, until that returns true; then the edition. What is left of it is released,
 * by any thread, when a grace period has passed since. */
bool weir_edition_retire_tokens(struct weir_engine *engine, const struct weir_edition *old,
                                uint64_t *position, uint64_t limit);
struct weir_base weir_edition_retire(struct weir_engine *engine, struct weir_edition *old);
void weir_base_release(struct weir_engine *engine, const struct weir_base *base);

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
