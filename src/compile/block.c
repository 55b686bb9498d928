#include "compile/block.h"

#include <string.h>

#include <weir/compile.h>

#include "image/block.h"
#include "token/set.h"
#include "vocabulary/failure.h"
#include "vocabulary/memory.h"
#include "vocabulary/pieces.h"

/* A set as it stands in a block: an exact set without a name is nothing. */
static struct weir_set normal_set(const struct weir_set *set)
{
    if (weir_set_is_nothing(set)) {
        return (struct weir_set){.kind = WEIR_SET_NOTHING, .name = {NULL, 0}};
    }
    return *set;
}

static enum weir_status fail_limit(const struct weir_token *token, size_t limit,
                                   struct weir_error *error)
{
    return weir_fail(error, WEIR_ERROR_LIMIT,
                     "token %s has scopes that take more than %zu MiB to compile",
                     weir_quoted_id(token->id).text, limit >> 20);
}

static enum weir_status plan_tries(const struct weir_token *token, struct weir_arena *arena,
                                   struct weir_block_plan *plan, struct weir_error *error)
{
    struct weir_merged merged;

    if (!weir_merge_scopes(arena, token->scopes, token->scope_count, &merged) ||
        !weir_emit_plan(arena, &merged, &plan->emission)) {
        return arena->exceeded ? fail_limit(token, WEIR_COMPILE_MEMORY_MAX, error)
                               : weir_fail_memory(error);
    }
    plan->size = weir_round_up_4(plan->size) + plan->emission.size;
    if (plan->size > WEIR_COMPILED_TOKEN_MAX) {
        return fail_limit(token, WEIR_COMPILED_TOKEN_MAX, error);
    }
    return WEIR_OK;
}

enum weir_status weir_block_plan(const struct weir_token *token, struct weir_arena *arena,
                                 struct weir_block_plan *plan, struct weir_error *error)
{
    enum weir_status status = weir_token_check(token, error);

    if (status != WEIR_OK) {
        return status;
    }
    *plan = (struct weir_block_plan){
        .token = token,
        .size = sizeof(struct weir_block) + token->id.length +
                (token->has_credential_digest ? WEIR_DIGEST_SIZE : 0),
    };
    for (size_t i = 0; i < token->scope_count; i++) {
        plan->operations |= (uint32_t)weir_scope_operations(&token->scopes[i]);
    }
    if (token->scope_count > 1) {
        return plan_tries(token, arena, plan, error);
    }
    plan->size += normal_set(&token->scopes[0].basins).name.length +
                  normal_set(&token->scopes[0].streams).name.length +
                  normal_set(&token->scopes[0].access_tokens).name.length;
    return WEIR_OK;
}

static void set_expiry(const struct weir_token *token, struct weir_block *block)
{
    struct weir_expiry expiry = {WEIR_EXPIRES_NEVER, 0};

    if (token->expires) {
        expiry = weir_expiry_of(token->expires_at);
    }
    block->expires = expiry.high;
    block->expires_low = (uint8_t)expiry.low;
}

/* memcpy of `4 * size` bytes at most and `size` at least: four pieces of that size, a constant,
 * that overlap. */
static inline __attribute__((always_inline)) void copy_pieces(char *to, const char *from,
                                                              size_t length, size_t size)
{
    const size_t last = length - size;
    const size_t second = weir_smaller(last, size);
    const size_t third = weir_smaller(last, 2 * size);

    memcpy(to, from, size);
    memcpy(to + second, from + second, size);
    memcpy(to + third, from + third, size);
    memcpy(to + last, from + last, size);
}

/* Copies a text and returns where it ends. Lengths vary from one token to the next, and a wrongly
 * guessed branch costs more than a needless piece: so most names are of one kind here. */
static inline char *append(char *end, const char *bytes, size_t length)
{
    if (length >= 8 && length <= 32) {
        copy_pieces(end, bytes, length, 8);
    } else if (length > 64) {
        memcpy(end, bytes, length);
    } else if (length > 32) {
        copy_pieces(end, bytes, length, 16);
    } else if (length >= 2) {
        copy_pieces(end, bytes, length, 2);
    } else if (length == 1) {
        *end = *bytes;
    }
    return end + length;
}

/* Writes the header, and the names of an only scope; returns where they end. */
static char *write_sets(const struct weir_scope *scope, struct weir_block *block, char *end)
{
    struct weir_set basins = normal_set(&scope->basins);
    struct weir_set streams = normal_set(&scope->streams);
    struct weir_set access_tokens = normal_set(&scope->access_tokens);

    block->kinds = (uint8_t)((unsigned)basins.kind << WEIR_KIND_BASINS |
                             (unsigned)streams.kind << WEIR_KIND_STREAMS |
                             (unsigned)access_tokens.kind << WEIR_KIND_ACCESS_TOKENS);
    block->basin_length = (uint8_t)basins.name.length;
    block->stream_length = (uint16_t)streams.name.length;
    block->access_token_length = (uint8_t)access_tokens.name.length;
    end = append(end, basins.name.bytes, basins.name.length);
    end = append(end, streams.name.bytes, streams.name.length);
    return append(end, access_tokens.name.bytes, access_tokens.name.length);
}

void weir_block_write(const struct weir_block_plan *plan, char *bytes)
{
    const struct weir_token *token = plan->token;
    struct weir_block block = {
        .issue_number = token->issue_number,
        .operations = plan->operations,
        .id_length = (uint8_t)token->id.length,
    };
    char *end = append(bytes + sizeof block, token->id.bytes, token->id.length);

    set_expiry(token, &block);
    block.flags = (uint8_t)((token->auto_prefix_streams ? WEIR_FLAG_AUTO_PREFIX : 0) |
                            (token->has_credential_digest ? WEIR_FLAG_DIGEST : 0) |
                            (token->scope_count > 1 ? WEIR_FLAG_TRIES : 0));
    if (token->scope_count == 1) {
        end = write_sets(&token->scopes[0], &block, end);
    }
    memcpy(bytes, &block, sizeof block);
    if (token->has_credential_digest) {
        end = append(end, (const char *)token->credential_digest, WEIR_DIGEST_SIZE);
    }
    if (token->scope_count > 1) {
        char *tries = bytes + weir_round_up_4((size_t)(end - bytes));

        memset(end, 0, plan->size - (size_t)(end - bytes));
        weir_emit_write(&plan->emission, tries);
    }
}

enum weir_status weir_compile_token(const struct weir_token *token,
                                    const struct weir_allocator *allocator,
                                    struct weir_compiled_token **compiled, size_t *size,
                                    struct weir_error *error)
{
    struct weir_arena arena = {.allocator = weir_allocator_or_default(allocator),
                               .limit = WEIR_COMPILE_MEMORY_MAX};
    struct weir_block_plan plan;
    enum weir_status status = weir_block_plan(token, &arena, &plan, error);

    if (status == WEIR_OK) {
        char *bytes = weir_allocate(&arena.allocator, plan.size + WEIR_TOKEN_MARGIN);

        if (bytes != NULL) {
            weir_block_write(&plan, bytes);
            memset(bytes + plan.size, 0, WEIR_TOKEN_MARGIN);
            *compiled = (struct weir_compiled_token *)(void *)bytes;
            *size = plan.size + WEIR_TOKEN_MARGIN;
        } else {
            status = weir_fail_memory(error);
        }
    }
    weir_arena_release(&arena);
    return status;
}
