#include <weir/decision.h>

#include "image/image.h"
#include "match/decide.h"

struct weir_decision weir_check(const struct weir_image *image, struct weir_text token_id,
                                const struct weir_request *request, struct weir_instant now)
{
    return weir_decision_of(weir_view_find(&image->view, token_id), request, weir_expiry_of(now));
}

struct weir_decision weir_check_token(const struct weir_compiled_token *token,
                                      const struct weir_request *request, struct weir_instant now)
{
    return weir_decision_of(weir_block_of(token), request, weir_expiry_of(now));
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
