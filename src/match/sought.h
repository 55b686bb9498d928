/* sought.h - what single checks and batches do when they have sought a token. */
#ifndef WEIR_MATCH_SOUGHT_H
#define WEIR_MATCH_SOUGHT_H

#include <weir/decision.h>

#include "image/image.h"
#include "match/quick.h"

/* Questions of a batch that are sought together: enough to hide the memory's latency, few enough to
 * stay in the first cache. */
#define WEIR_ROUND 32

/* As weir_check, never inlined, for what is not sought quickly. */
struct weir_decision weir_check_thoroughly(const struct weir_image *image,
                                           struct weir_text token_id,
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
    bool usual = false;

    if (block == NULL) {
        return (struct weir_decision){WEIR_UNKNOWN_TOKEN, NULL};
    }
    usual = weir_request_is_usual(request);
    if (!weir_block_has_sought(block, token_id)) {
        return weir_check_thoroughly(image, token_id, request, now);
    }
    return weir_decide_either_way(block, request, usual, now);
}

#endif
