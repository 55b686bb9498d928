/*
 * change.h - changing one token, in two steps: a plan, which finds out whether it may be and
 * allocates all that it takes, and a commit, which cannot fail. Between the two nothing has
 * changed; a publisher writes its journal there. The writer's.
 */
#ifndef WEIR_LIVE_CHANGE_H
#define WEIR_LIVE_CHANGE_H

#include "live/engine.h"

enum weir_put { WEIR_PUT_ISSUE, WEIR_PUT_REPLACE, WEIR_PUT_EITHER };

/* Where an edition has a token: in a slot, or in an entry of the image's overflow. */
struct weir_place {
    const struct weir_block *block; /* NULL: nowhere */
    uint32_t *slot;
    struct weir_overflow *entry;
    uint32_t offset;
};

struct weir_plan {
    struct weir_edition *edition;
    struct weir_place place;
    struct weir_own_block *block; /* what is put; NULL: a revocation */
    uint32_t handle;              /* of the block, or of the one revoked if that is the engine's */
    bool hint;                    /* the digest is to be added to the second index */
};

/*
 * Plans to put a copy of the token into the edition (NULL: the one that readers use). Codes as
 * weir_engine_issue, weir_engine_replace, weir_engine_put. A plan that was made is to be committed
 * or abandoned before the next.
 */
enum weir_status weir_plan_put(struct weir_engine *engine, struct weir_edition *edition,
                               const struct weir_block *block, enum weir_put put,
                               struct weir_plan *plan, struct weir_error *error);

/* Likewise to revoke the token of that id. Takes no memory. Codes as weir_engine_revoke. */
enum weir_status weir_plan_revoke(struct weir_engine *engine, struct weir_edition *edition,
                                  struct weir_text id, struct weir_plan *plan,
                                  struct weir_error *error);

void weir_plan_commit(struct weir_engine *engine, const struct weir_plan *plan);
void weir_plan_abandon(struct weir_engine *engine, const struct weir_plan *plan);

#endif
