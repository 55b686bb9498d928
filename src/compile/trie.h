/*
 * trie.h - tries while they are made.
 *
 * A trie is persistent: it may be taken as the start of another, which then shares all nodes that
 * it does not change. Nodes belong to an edition; those of another edition are copied before they
 * are changed. So adding one name to a trie of ten thousand copies the nodes on that name's way,
 * and adding ten thousand to one that is new copies none.
 */
#ifndef WEIR_COMPILE_TRIE_H
#define WEIR_COMPILE_TRIE_H

#include <stdbool.h>
#include <stdint.h>

#include <weir/name.h>
#include <weir/token.h>

#include "vocabulary/arena.h"

struct weir_trie_node;
struct weir_record;

/* What is granted at a node. `streams` is the root of a trie of names, in a trie of basins. */
struct weir_trie_grant {
    uint32_t operations;
    struct weir_trie_node *streams;
};

struct weir_trie_node {
    struct weir_text
        label; /* what leads here from the parent, its first byte included; a root: "" */
    struct weir_trie_grant prefix;
    struct weir_trie_grant exact;
    struct weir_trie_node **children; /* in the order of the first bytes of their labels */
    uint32_t edition;
    uint16_t child_count;
    uint16_t child_capacity;
    struct weir_record *record; /* what it has become in the block; see emit.h */
};

/*
 * The node of that name in the trie, made if there is none, along with what has to be copied on the
 * way to it, so that it may be changed. `*root` may be NULL for an empty trie. The name's bytes
 * must live as long as the arena. NULL if memory is short; the trie is then fit for nothing.
 */
struct weir_trie_node *weir_trie_reach(struct weir_arena *arena, struct weir_trie_node **root,
                                       uint32_t edition, struct weir_text name);

/* What the trie grants already on every name of that set. */
uint32_t weir_trie_granted(const struct weir_trie_node *root, const struct weir_set *set);

/* Grants the operations on the names of the set, leaving out those that are granted there already.
 * False if memory is short. */
bool weir_trie_add(struct weir_arena *arena, struct weir_trie_node **root, uint32_t edition,
                   const struct weir_set *set, uint32_t operations);

#endif
