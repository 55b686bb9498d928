/*
 * sought.h - what single checks and batches do when they have sought a token: quickly, or else
 * thoroughly. The thorough ways are never inlined: the quick one must not save registers for them.
 */
#ifndef WEIR_MATCH_SOUGHT_H
#define WEIR_MATCH_SOUGHT_H

#include <weir/decision.h>

#include "image/image.h"
#include "match/quick.h"

/* As weir_check, and as weir_check_token. */
struct weir_decision weir_check_thoroughly(const struct weir_image *image,
                                           struct weir_text token_id,
                                           const struct weir_request *request,
                                           struct weir_instant now);
struct weir_decision weir_check_token_thoroughly(const struct weir_compiled_token *token,
                                                 const struct weir_request *request,
                                                 struct weir_instant now);

/* As weir_check, when weir_view_sought_block has found `block`. What is asked of the request comes
 * before what waits for the block's memory. */
WEIR_QUICK struct weir_decision weir_check_sought(const struct weir_image *image,
                                                  const struct weir_block *block,
                                                  struct weir_text token_id,
                                                  const struct weir_request *request,
                                                  struct weir_instant now)
{
    enum weir_reason reason = WEIR_STALE;
    bool usual = false;

    if (block == NULL) {
        return (struct weir_decision){WEIR_UNKNOWN_TOKEN, NULL};
    }
    usual = weir_request_is_usual(request);
    if (!weir_block_has_sought(block, token_id)) {
        return weir_check_thoroughly(image, token_id, request, now);
    }
    if (usual && weir_block_is_usual(block)) {
        reason = weir_decide_quickly(block, request, now);
    }
    if (reason == WEIR_STALE) {
        return weir_check_token_thoroughly(weir_block_token(block), request, now);
    }
    return (struct weir_decision){reason, weir_block_token(block)};
}

#endif
