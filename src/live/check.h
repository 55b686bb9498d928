/* check.h - one question to the engine, inside a read section: quickly, or thoroughly. */
#ifndef WEIR_LIVE_CHECK_H
#define WEIR_LIVE_CHECK_H

#include "live/find.h"
#include "match/quick.h"

/* What is answered where the quick way says nothing. Never inlined: the quick way must not save
 * registers for this one. */
enum weir_reason weir_live_check_thoroughly(const struct weir_engine *engine,
                                            struct weir_text token_id,
                                            const struct weir_request *request,
                                            struct weir_instant now);
enum weir_reason weir_live_decide_thoroughly(const struct weir_block *block,
                                             const struct weir_request *request,
                                             struct weir_instant now);

/* The answer of a block, or of none. */
WEIR_QUICK enum weir_reason weir_live_decide(const struct weir_block *block,
                                             const struct weir_request *request, bool usual,
                                             struct weir_instant now)
{
    enum weir_reason reason = WEIR_STALE;

    if (usual && weir_block_is_usual(block)) {
        reason = weir_decide_quickly(block, request, now);
    }
    return reason != WEIR_STALE ? reason : weir_live_decide_thoroughly(block, request, now);
}

/* The answer when weir_live_sought_slot has found `slot`. */
WEIR_QUICK enum weir_reason weir_live_check_sought(const struct weir_engine *engine,
                                                   const struct weir_base *base,
                                                   const uint32_t *slot, struct weir_text token_id,
                                                   const struct weir_request *request,
                                                   struct weir_instant now)
{
    const struct weir_block *block = NULL;
    bool usual = false;

    if (slot == NULL) {
        return WEIR_UNKNOWN_TOKEN;
    }
    block = weir_live_slot_block(engine, base, slot);
    if (block != NULL) {
        weir_blocks_prefetch(base->blocks, block);
        usual = weir_request_is_usual(request);
        if (weir_block_has_sought(block, token_id)) {
            return weir_live_decide(block, request, usual, now);
        }
    }
    return weir_live_check_thoroughly(engine, token_id, request, now);
}

#endif
