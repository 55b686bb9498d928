/*
 * decide.h - the read path: from a block and a request to a reason.
 *
 * Nothing here allocates, locks, writes to anything shared, makes a system call or fails: a block
 * has been validated when its image was opened, and what is not allowed is denied. Cost: one
 * comparison a name for a token of one scope, one walk a name for any other.
 */
#ifndef WEIR_MATCH_DECIDE_H
#define WEIR_MATCH_DECIDE_H

#include <weir/decision.h>

#include "image/block.h"
#include "image/tries.h"
#include "vocabulary/name_rules.h"
#include "vocabulary/operation_sets.h"
#include "vocabulary/text.h"

/* What the deepest node that matches the basin grants; nothing if none does. */
static inline struct weir_grant weir_tries_walk_basins(const struct weir_tries *tries,
                                                       struct weir_text basin)
{
    const struct weir_basin_node *node = weir_tries_basins(tries);
    struct weir_grant granted = {0, 0};

    while (node != NULL) {
        struct weir_edges edges = weir_basin_node_edges(node);
        uint32_t child = 0;

        if (!weir_edges_pass(&edges, &basin)) {
            break;
        }
        if (basin.length == 0) {
            return node->exact;
        }
        granted = node->prefix;
        child = weir_edges_step(&edges, &basin);
        node = child != 0 ? weir_basin_node_at(tries, child) : NULL;
    }
    return granted;
}

/* All that the nodes on the name's way grant, from the root at that offset (0: no trie). */
static inline uint32_t weir_tries_walk_names(const struct weir_tries *tries, uint32_t root,
                                             struct weir_text name)
{
    uint32_t granted = 0;

    while (root != 0) {
        const struct weir_name_node *node = weir_name_node_at(tries, root);
        struct weir_edges edges = weir_name_node_edges(node);

        if (!weir_edges_pass(&edges, &name)) {
            break;
        }
        granted |= node->prefix;
        if (name.length == 0) {
            return granted | node->exact;
        }
        root = weir_edges_step(&edges, &name);
    }
    return granted;
}

/* Whether an inline set has the name in it. */
static inline bool weir_inline_matches(enum weir_set_kind kind, struct weir_text set,
                                       struct weir_text name)
{
    if (kind == WEIR_SET_PREFIX) {
        return weir_text_begins_with(name, set);
    }
    return kind == WEIR_SET_EXACT && weir_text_equal(name, set);
}

/* What the token grants on the basin. Of a token without tries only `operations` means anything. */
static inline struct weir_grant weir_block_grant(const struct weir_block *block,
                                                 struct weir_text basin)
{
    if ((block->flags & WEIR_FLAG_TRIES) != 0) {
        return weir_tries_walk_basins(weir_block_tries(block), basin);
    }
    if (weir_inline_matches(weir_block_kind(block, WEIR_KIND_BASINS), weir_block_basin(block),
                            basin)) {
        return (struct weir_grant){block->operations, 0};
    }
    return (struct weir_grant){0, 0};
}

/* What the token grants on the stream, as its client names it, in a basin with that grant. With
 * auto-prefix every name is in scope: the prefix is put before it. */
static inline uint32_t weir_block_stream_grant(const struct weir_block *block,
                                               struct weir_grant basin, struct weir_text stream)
{
    if ((block->flags & WEIR_FLAG_TRIES) != 0) {
        return weir_tries_walk_names(weir_block_tries(block), basin.streams, stream);
    }
    if ((block->flags & WEIR_FLAG_AUTO_PREFIX) != 0 ||
        weir_inline_matches(weir_block_kind(block, WEIR_KIND_STREAMS), weir_block_stream(block),
                            stream)) {
        return block->operations;
    }
    return 0;
}

static inline uint32_t weir_block_access_token_grant(const struct weir_block *block,
                                                     struct weir_text id)
{
    if ((block->flags & WEIR_FLAG_TRIES) != 0) {
        const struct weir_tries *tries = weir_block_tries(block);

        return weir_tries_walk_names(tries, tries->access_tokens, id);
    }
    if (weir_inline_matches(weir_block_kind(block, WEIR_KIND_ACCESS_TOKENS),
                            weir_block_access_token(block), id)) {
        return block->operations;
    }
    return 0;
}

/* Whether the stream's name is allowed, and stays so when a prefix is put before it: the prefix is
 * valid UTF-8 and the name not empty, so only the length can be wrong. */
static inline bool weir_block_stream_valid(const struct weir_block *block, struct weir_text stream)
{
    return weir_stream_allowed(stream) && stream.length <= weir_block_longest_stream(block);
}

static inline enum weir_reason weir_decide_stream(const struct weir_block *block, uint32_t bit,
                                                  const struct weir_request *request)
{
    struct weir_grant basin;

    if (!weir_basin_allowed(request->basin) || !weir_block_stream_valid(block, request->stream)) {
        return WEIR_INVALID_NAME;
    }
    if ((block->operations & bit) == 0) {
        return WEIR_OP_NOT_PERMITTED;
    }
    basin = weir_block_grant(block, request->basin);
    if ((basin.operations & bit) == 0) {
        return WEIR_BASIN_OUT_OF_SCOPE;
    }
    return (weir_block_stream_grant(block, basin, request->stream) & bit) != 0
               ? WEIR_ALLOWED
               : WEIR_STREAM_OUT_OF_SCOPE;
}

static inline enum weir_reason weir_decide_basin(const struct weir_block *block, uint32_t bit,
                                                 struct weir_text basin)
{
    if (!weir_basin_allowed(basin)) {
        return WEIR_INVALID_NAME;
    }
    if ((block->operations & bit) == 0) {
        return WEIR_OP_NOT_PERMITTED;
    }
    return (weir_block_grant(block, basin).operations & bit) != 0 ? WEIR_ALLOWED
                                                                  : WEIR_BASIN_OUT_OF_SCOPE;
}

static inline enum weir_reason weir_decide_access_token(const struct weir_block *block,
                                                        uint32_t bit, struct weir_text id)
{
    if (!weir_token_id_allowed(id)) {
        return WEIR_INVALID_NAME;
    }
    if ((block->operations & bit) == 0) {
        return WEIR_OP_NOT_PERMITTED;
    }
    return (weir_block_access_token_grant(block, id) & bit) != 0 ? WEIR_ALLOWED
                                                                 : WEIR_ACCESS_TOKEN_OUT_OF_SCOPE;
}

/* The whole question, of a token that is known. */
static inline enum weir_reason weir_decide(const struct weir_block *block,
                                           const struct weir_request *request,
                                           struct weir_expiry now)
{
    uint32_t bit = weir_operation_bit(request->operation);

    if (weir_block_expired(block, now)) {
        return WEIR_EXPIRED;
    }
    if ((bit & WEIR_STREAM_OPERATIONS) != 0) {
        return weir_decide_stream(block, bit, request);
    }
    if ((bit & WEIR_BASIN_OPERATIONS) != 0) {
        return weir_decide_basin(block, bit, request->basin);
    }
    if ((bit & WEIR_ACCESS_TOKEN_OPERATIONS) != 0) {
        return weir_decide_access_token(block, bit, request->access_token);
    }
    return (block->operations & bit) != 0 ? WEIR_ALLOWED : WEIR_OP_NOT_PERMITTED;
}

/* Likewise of a token that may be unknown (NULL). */
static inline struct weir_decision weir_decision_of(const struct weir_block *block,
                                                    const struct weir_request *request,
                                                    struct weir_expiry now)
{
    if (block == NULL) {
        return (struct weir_decision){WEIR_UNKNOWN_TOKEN, NULL};
    }
    return (struct weir_decision){weir_decide(block, request, now), weir_block_token(block)};
}

#endif
