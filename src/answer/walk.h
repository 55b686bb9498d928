/*
 * walk.h - going through all that a trie holds, in byte order.
 *
 * A trie has as many levels at most as a name has bytes: the way to a node is kept in a fixed
 * stack, so that walking neither allocates nor recurses.
 */
#ifndef WEIR_ANSWER_WALK_H
#define WEIR_ANSWER_WALK_H

#include <stdbool.h>
#include <stdint.h>

#include <weir/allocator.h>
#include <weir/name.h>
#include <weir/token.h>

#include "image/tries.h"

/* A trie of basins or of names, and its root (0: there is nothing in it). */
struct weir_trie {
    const struct weir_tries *tries;
    uint32_t root;
    bool is_basins;
};

struct weir_trie weir_basin_trie(const struct weir_tries *tries);
struct weir_trie weir_name_trie(const struct weir_tries *tries, uint32_t root);

/* A node of either kind. */
struct weir_trie_step {
    struct weir_edges edges;
    struct weir_grant prefix;
    struct weir_grant exact;
};

struct weir_trie_step weir_trie_step_at(const struct weir_trie *trie, uint32_t offset);

static inline bool weir_grants_equal(struct weir_grant left, struct weir_grant right)
{
    return left.operations == right.operations && left.streams == right.streams;
}

/* The nodes of a token's tries that have been met, some of which several ways lead to. */
struct weir_met {
    uint8_t *bits; /* one for each place where a node may be */
    size_t size;
};

/* None yet. False: no memory. */
bool weir_met_begin(struct weir_met *met, const struct weir_tries *tries,
                    const struct weir_allocator *allocator);
void weir_met_end(struct weir_met *met, const struct weir_allocator *allocator);

static inline bool weir_is_met(const struct weir_met *met, uint32_t offset)
{
    return (met->bits[offset / 4 / 8] >> (offset / 4 % 8) & 1) != 0;
}

/* Meets a node; returns whether for the first time. */
static inline bool weir_meet(struct weir_met *met, uint32_t offset)
{
    bool first = !weir_is_met(met, offset);

    met->bits[offset / 4 / 8] |= (uint8_t)(1u << (offset / 4 % 8));
    return first;
}

/* A walk through the node at `root` and all below it. */
struct weir_walk {
    struct weir_trie trie;
    struct weir_trie_step node; /* where the walk is */
    struct weir_text name;      /* what leads there, its label included; bytes are in `path` */
    unsigned depth;             /* number of nodes above it in this walk */
    char path[WEIR_STREAM_MAX];
    struct {
        uint32_t offset;
        uint16_t next_rank; /* of the child to go to next */
        uint16_t length;    /* of the path, at the node's end */
    } stack[WEIR_STREAM_MAX + 1];
};

/* Starts a walk at the root of `trie`, to which the bytes of `before` (at most WEIR_STREAM_MAX less
 * the trie's height) lead. The trie must have a root. */
void weir_walk_start(struct weir_walk *walk, const struct weir_trie *trie, struct weir_text before);

/* Goes to the next node; not to those below this one, unless `into`. False at the end. */
bool weir_walk_next(struct weir_walk *walk, bool into);

/* A member of a set of names; its bytes live until the visit returns. False ends the walk. */
typedef bool weir_member_visitor(void *context, struct weir_text name, bool is_prefix);

/* Visits, as weir_walk_start has it, the names and prefixes to which the trie grants the operation,
 * in byte order, but for those that another covers. False if a visit was. */
bool weir_walk_members(const struct weir_trie *trie, struct weir_text before, uint32_t operation,
                       weir_member_visitor *visit, void *context);

/* What the token itself tells: with tries, the operations without a target, whose answer no node
 * gives; all others are told where they are granted. */
static inline uint32_t weir_own_operations(const struct weir_block *block)
{
    bool has_tries = (block->flags & WEIR_FLAG_TRIES) != 0;
    uint32_t told = has_tries ? (uint32_t)weir_target_operations(WEIR_TARGET_NONE) : UINT32_MAX;

    return block->operations & told;
}

#endif
