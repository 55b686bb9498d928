/* check.h - one question to the engine, inside a read section: quickly, or thoroughly. */
#ifndef WEIR_LIVE_CHECK_H
#define WEIR_LIVE_CHECK_H

#include "live/find.h"
#include "match/quick.h"

/* Whether the token in that slot has the id, one that is sought, and quickly allows the request. */
WEIR_QUICK bool weir_live_allows(const struct weir_engine *engine, const struct weir_base *base,
                                 const uint32_t *slot, struct weir_text token_id,
                                 const struct weir_request *request, struct weir_instant now)
{
    const struct weir_block *block = weir_live_slot_block(engine, base, slot);

    if (block == NULL) {
        return false;
    }
    weir_blocks_prefetch(base->blocks, block);
    return weir_request_is_usual(request) && weir_block_has_sought(block, token_id) &&
           weir_block_is_usual(block) && weir_allows_quickly(block, request, now);
}

/* What is answered where that says nothing. Never inlined: the quick way must not save registers
 * for this one. */
enum weir_reason weir_live_check_thoroughly(const struct weir_engine *engine,
                                            struct weir_text token_id,
                                            const struct weir_request *request,
                                            struct weir_instant now);

#endif
