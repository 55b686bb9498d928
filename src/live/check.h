/* check.h - one question to the engine, inside a read section: quickly, or thoroughly. */
#ifndef WEIR_LIVE_CHECK_H
#define WEIR_LIVE_CHECK_H

#include "live/find.h"
#include "match/sought.h"

/* The answer for what is not sought quickly. Never inlined. */
enum weir_reason weir_live_check_thoroughly(const struct weir_engine *engine,
                                            struct weir_text token_id,
                                            const struct weir_request *request,
                                            struct weir_instant now);

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
            return weir_decide_either_way(block, request, usual, now).reason;
        }
    }
    return weir_live_check_thoroughly(engine, token_id, request, now);
}

#endif
