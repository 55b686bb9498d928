#include "answer/walk.h"

#include <string.h>

#include "vocabulary/memory.h"

struct weir_trie weir_basin_trie(const struct weir_tries *tries)
{
    return (struct weir_trie){tries, weir_tries_basins(tries) != NULL ? sizeof *tries : 0, true};
}

struct weir_trie weir_name_trie(const struct weir_tries *tries, uint32_t root)
{
    return (struct weir_trie){tries, root, false};
}

struct weir_trie_step weir_trie_step_at(const struct weir_trie *trie, uint32_t offset)
{
    if (trie->is_basins) {
        const struct weir_basin_node *node = weir_basin_node_at(trie->tries, offset);

        return (struct weir_trie_step){weir_basin_node_edges(node), node->prefix, node->exact};
    } else {
        const struct weir_name_node *node = weir_name_node_at(trie->tries, offset);

        return (struct weir_trie_step){
            weir_name_node_edges(node), {node->prefix, 0}, {node->exact, 0}};
    }
}

bool weir_met_begin(struct weir_met *met, const struct weir_tries *tries,
                    const struct weir_allocator *allocator)
{
    met->size = tries->size / 32 + 1;
    met->bits = weir_allocate(allocator, met->size);
    if (met->bits == NULL) {
        return false;
    }
    memset(met->bits, 0, met->size);
    return true;
}

void weir_met_end(struct weir_met *met, const struct weir_allocator *allocator)
{
    weir_release(allocator, met->bits, met->size);
}

/* Enters the node at `offset`, at whose key or start the path ends after `length` bytes. */
static void enter(struct weir_walk *walk, uint32_t offset, size_t length)
{
    struct weir_trie_step node = weir_trie_step_at(&walk->trie, offset);

    memcpy(walk->path + length, node.edges.label, node.edges.label_length);
    length += node.edges.label_length;
    walk->stack[walk->depth].offset = offset;
    walk->stack[walk->depth].next_rank = 0;
    walk->stack[walk->depth].length = (uint16_t)length;
    walk->node = node;
    walk->name = (struct weir_text){walk->path, length};
}

void weir_walk_start(struct weir_walk *walk, const struct weir_trie *trie, struct weir_text before)
{
    walk->trie = *trie;
    walk->depth = 0;
    if (before.length > 0) {
        memcpy(walk->path, before.bytes, before.length);
    }
    enter(walk, trie->root, before.length);
}

bool weir_walk_next(struct weir_walk *walk, bool into)
{
    for (;;) {
        struct weir_trie_step node =
            weir_trie_step_at(&walk->trie, walk->stack[walk->depth].offset);
        unsigned rank = walk->stack[walk->depth].next_rank;
        size_t length = walk->stack[walk->depth].length;

        if (into && rank < node.edges.key_count) {
            walk->stack[walk->depth].next_rank++;
            walk->path[length] = (char)weir_edges_key(&node.edges, rank);
            walk->depth++;
            enter(walk, weir_edges_child(&node.edges, rank), length + 1);
            return true;
        }
        if (walk->depth == 0) {
            return false;
        }
        walk->depth--;
        into = true;
    }
}

bool weir_walk_members(const struct weir_trie *trie, struct weir_text before, uint32_t operation,
                       weir_member_visitor *visit, void *context)
{
    struct weir_walk walk;
    bool into = true;

    weir_walk_start(&walk, trie, before);
    do {
        into = (walk.node.prefix.operations & operation) == 0;
        if ((!into || (walk.node.exact.operations & operation) != 0) &&
            !visit(context, walk.name, !into)) {
            return false;
        }
    } while (weir_walk_next(&walk, into));
    return true;
}
