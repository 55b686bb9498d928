#include "wire/token_copy.h"

#include <stddef.h>
#include <string.h>

#include <weir/wire.h>

#include "token/set.h"
#include "vocabulary/memory.h"

/* What a copy allocates: this, the scopes, then the bytes of all texts. */
struct token_block {
    size_t size;
    struct weir_token token;
    struct weir_scope scopes[];
};

static size_t set_size(const struct weir_set *set, struct weir_text prefix)
{
    return weir_set_is_nothing(set) ? 0 : prefix.length + set->name.length;
}

static size_t block_size(const struct weir_token *token, struct weir_text stream_prefix)
{
    const struct weir_text none = {0};
    size_t size = sizeof(struct token_block) + token->scope_count * sizeof(struct weir_scope) +
                  token->id.length;

    for (size_t i = 0; i < token->scope_count; i++) {
        size += set_size(&token->scopes[i].basins, none) +
                set_size(&token->scopes[i].streams, stream_prefix) +
                set_size(&token->scopes[i].access_tokens, none);
    }
    return size;
}

static void copy_bytes(struct weir_text text, char **end)
{
    if (text.length > 0) {
        memcpy(*end, text.bytes, text.length);
    }
    *end += text.length;
}

/* Copies the two texts' bytes to `*end`, one behind the other, moves it behind them, and makes the
 * second text refer to both. */
static void settle_text(struct weir_text prefix, struct weir_text *text, char **end)
{
    struct weir_text settled = {*end, prefix.length + text->length};

    copy_bytes(prefix, end);
    copy_bytes(*text, end);
    *text = settled;
}

static void settle_set(struct weir_text prefix, struct weir_set *set, char **end)
{
    if (weir_set_is_nothing(set)) {
        prefix = set->name = (struct weir_text){0};
    }
    settle_text(prefix, &set->name, end);
}

struct weir_token *weir_token_copy(const struct weir_token *token, struct weir_text stream_prefix,
                                   const struct weir_allocator *allocator)
{
    const struct weir_text none = {0};
    struct weir_allocator own = weir_allocator_or_default(allocator);
    size_t size = block_size(token, stream_prefix);
    struct token_block *block = weir_allocate(&own, size);
    char *end = NULL;

    if (block == NULL) {
        return NULL;
    }
    block->size = size;
    block->token = *token;
    block->token.scopes = block->scopes;
    end = (char *)(block->scopes + token->scope_count);
    settle_text(none, &block->token.id, &end);
    for (size_t i = 0; i < token->scope_count; i++) {
        block->scopes[i] = token->scopes[i];
        settle_set(none, &block->scopes[i].basins, &end);
        settle_set(stream_prefix, &block->scopes[i].streams, &end);
        settle_set(none, &block->scopes[i].access_tokens, &end);
    }
    return &block->token;
}

void weir_token_free(struct weir_token *token, const struct weir_allocator *allocator)
{
    struct weir_allocator own = weir_allocator_or_default(allocator);
    struct token_block *block = NULL;

    if (token != NULL) {
        block = (struct token_block *)((char *)token - offsetof(struct token_block, token));
        weir_release(&own, block, block->size);
    }
}
