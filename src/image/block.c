#include "image/block.h"

struct weir_text weir_compiled_token_id(const struct weir_compiled_token *token)
{
    return weir_block_id(weir_block_of(token));
}

uint64_t weir_compiled_token_issue_number(const struct weir_compiled_token *token)
{
    return weir_block_of(token)->issue_number;
}

size_t weir_compiled_token_size(const struct weir_compiled_token *token)
{
    return weir_block_size(weir_block_of(token));
}

bool weir_compiled_token_expires(const struct weir_compiled_token *token,
                                 struct weir_instant *expires_at)
{
    const uint64_t fraction_mask = (UINT64_C(1) << WEIR_EXPIRES_SECONDS_SHIFT) - 1;
    const struct weir_block *block = weir_block_of(token);

    if (block->expires == WEIR_EXPIRES_NEVER) {
        return false;
    }
    expires_at->seconds =
        (int64_t)(block->expires >> WEIR_EXPIRES_SECONDS_SHIFT) + WEIR_INSTANT_SECONDS_MIN;
    expires_at->nanoseconds =
        (uint32_t)((block->expires & fraction_mask) << WEIR_EXPIRES_LOW_BITS) | block->expires_low;
    return true;
}

struct weir_text weir_compiled_token_stream_prefix(const struct weir_compiled_token *token)
{
    const struct weir_block *block = weir_block_of(token);

    if ((block->flags & WEIR_FLAG_AUTO_PREFIX) == 0) {
        return (struct weir_text){NULL, 0};
    }
    return weir_block_stream(block);
}

const uint8_t *weir_compiled_token_digest(const struct weir_compiled_token *token)
{
    const struct weir_block *block = weir_block_of(token);

    return (block->flags & WEIR_FLAG_DIGEST) != 0 ? weir_block_digest(block) : NULL;
}
