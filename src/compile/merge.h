/* merge.h - from the scopes of a token to its tries. */
#ifndef WEIR_COMPILE_MERGE_H
#define WEIR_COMPILE_MERGE_H

#include <weir/token.h>

#include "compile/trie.h"
#include "vocabulary/arena.h"

struct weir_merged {
    struct weir_trie_node *basins;        /* or NULL */
    struct weir_trie_node *access_tokens; /* or NULL */
};

/* Merges scopes that are valid. What they are made of depends on the set of scopes only, not on
 * their order. False if memory is short. */
bool weir_merge_scopes(struct weir_arena *arena, const struct weir_scope *scopes, size_t count,
                       struct weir_merged *merged);

#endif
