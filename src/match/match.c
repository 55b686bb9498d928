#include <weir/decision.h>

#include "image/image.h"
#include "match/decide.h"
#include "match/sought.h"

__attribute__((noinline)) struct weir_decision
weir_check_thoroughly(const struct weir_image *image, struct weir_text token_id,
                      const struct weir_request *request, struct weir_instant now)
{
    return weir_decision_of(weir_view_find(&image->view, token_id), request, weir_expiry_of(now));
}

__attribute__((noinline, flatten)) struct weir_decision
weir_decide_thoroughly(const struct weir_block *block, const struct weir_request *request,
                       struct weir_instant now)
{
    return weir_decision_of(block, request, weir_expiry_of(now));
}

__attribute__((flatten)) struct weir_decision weir_check(const struct weir_image *image,
                                                         struct weir_text token_id,
                                                         const struct weir_request *request,
                                                         struct weir_instant now)
{
    struct weir_sought sought;
    const struct weir_block *block = NULL;

    if (!weir_view_seek(&image->view, token_id, &sought) ||
        !weir_view_sought_block(&image->view, &sought, &block)) {
        return weir_check_thoroughly(image, token_id, request, now);
    }
    return weir_check_sought(image, block, token_id, request, now);
}

__attribute__((flatten)) struct weir_decision
weir_check_token(const struct weir_compiled_token *token, const struct weir_request *request,
                 struct weir_instant now)
{
    const struct weir_block *block = weir_block_of(token);
    bool usual = block != NULL && weir_block_is_usual(block) && weir_request_is_usual(request);

    return weir_decide_either_way(block, request, usual, now);
}

const char *weir_reason_name(enum weir_reason reason)
{
    static const char *const names[WEIR_REASON_COUNT] = {
        [WEIR_STALE] = "stale",
        [WEIR_UNKNOWN_TOKEN] = "unknown_token",
        [WEIR_EXPIRED] = "expired",
        [WEIR_INVALID_NAME] = "invalid_name",
        [WEIR_OP_NOT_PERMITTED] = "op_not_permitted",
        [WEIR_BASIN_OUT_OF_SCOPE] = "basin_out_of_scope",
        [WEIR_STREAM_OUT_OF_SCOPE] = "stream_out_of_scope",
        [WEIR_ACCESS_TOKEN_OUT_OF_SCOPE] = "access_token_out_of_scope",
        [WEIR_ALLOWED] = "allowed",
    };

    return (unsigned)reason < WEIR_REASON_COUNT ? names[reason] : "unknown";
}
