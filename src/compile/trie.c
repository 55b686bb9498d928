#include "compile/trie.h"

#include <string.h>

#include "vocabulary/text.h"

static unsigned char first_byte(struct weir_text label)
{
    return (unsigned char)label.bytes[0];
}

/* Index of the first child whose label begins with `byte` or a greater one. */
static unsigned child_index(const struct weir_trie_node *node, unsigned char byte)
{
    unsigned low = 0;
    unsigned high = node->child_count;

    while (low < high) {
        unsigned middle = (low + high) / 2;

        if (first_byte(node->children[middle]->label) < byte) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static bool has_child_at(const struct weir_trie_node *node, unsigned index, unsigned char byte)
{
    return index < node->child_count && first_byte(node->children[index]->label) == byte;
}

static struct weir_trie_node *new_node(struct weir_arena *arena, uint32_t edition,
                                       struct weir_text label)
{
    struct weir_trie_node *node = weir_arena_allocate(arena, sizeof *node);

    if (node != NULL) {
        node->edition = edition;
        node->label = label;
    }
    return node;
}

/* Makes room for `capacity` children. */
static bool reserve_children(struct weir_arena *arena, struct weir_trie_node *node,
                             unsigned capacity)
{
    struct weir_trie_node **children = weir_arena_allocate(arena, capacity * sizeof *children);

    if (children == NULL) {
        return false;
    }
    if (node->child_count > 0) {
        memcpy(children, node->children, node->child_count * sizeof *children);
    }
    node->children = children;
    node->child_capacity = (uint16_t)capacity;
    return true;
}

static bool insert_child(struct weir_arena *arena, struct weir_trie_node *node, unsigned index,
                         struct weir_trie_node *child)
{
    if (node->child_count == node->child_capacity &&
        !reserve_children(arena, node, node->child_capacity == 0 ? 1 : 2u * node->child_capacity)) {
        return false;
    }
    memmove(node->children + index + 1, node->children + index,
            (node->child_count - index) * sizeof(struct weir_trie_node *));
    node->children[index] = child;
    node->child_count++;
    return true;
}

/* Puts in the place of `*slot` a copy of this edition, unless it is of it. */
static struct weir_trie_node *own(struct weir_arena *arena, struct weir_trie_node **slot,
                                  uint32_t edition)
{
    struct weir_trie_node *node = *slot;
    struct weir_trie_node *copy = NULL;

    if (node->edition == edition) {
        return node;
    }
    copy = weir_arena_allocate(arena, sizeof *copy);
    if (copy == NULL) {
        return NULL;
    }
    *copy = *node;
    copy->edition = edition;
    copy->record = NULL;
    if (node->child_count > 0 && !reserve_children(arena, copy, node->child_count)) {
        return NULL;
    }
    *slot = copy;
    return copy;
}

/* Cuts the label of `*slot`, which is of this edition, after `length` bytes: a new node takes the
 * front part and the place, the old one becomes its child. */
static struct weir_trie_node *split(struct weir_arena *arena, struct weir_trie_node **slot,
                                    size_t length)
{
    struct weir_trie_node *lower = *slot;
    struct weir_text front = {lower->label.bytes, length};
    struct weir_trie_node *upper = new_node(arena, lower->edition, front);

    if (upper == NULL || !insert_child(arena, upper, 0, lower)) {
        return NULL;
    }
    lower->label = weir_text_from(lower->label, length);
    *slot = upper;
    return upper;
}

struct weir_trie_node *weir_trie_reach(struct weir_arena *arena, struct weir_trie_node **root,
                                       uint32_t edition, struct weir_text name)
{
    struct weir_trie_node *node = NULL;

    if (*root == NULL) {
        *root = new_node(arena, edition, (struct weir_text){NULL, 0});
    }
    node = *root != NULL ? own(arena, root, edition) : NULL;
    while (node != NULL && name.length > 0) {
        unsigned index = child_index(node, first_byte(name));
        struct weir_trie_node **slot = NULL;
        size_t common = 0;

        if (!has_child_at(node, index, first_byte(name))) {
            struct weir_trie_node *leaf = new_node(arena, edition, name);

            return leaf != NULL && insert_child(arena, node, index, leaf) ? leaf : NULL;
        }
        slot = &node->children[index];
        node = own(arena, slot, edition);
        if (node == NULL) {
            return NULL;
        }
        common = weir_text_common(node->label, name);
        if (common < node->label.length) {
            node = split(arena, slot, common);
        }
        name = weir_text_from(name, common);
    }
    return node;
}

uint32_t weir_trie_granted(const struct weir_trie_node *root, const struct weir_set *set)
{
    const struct weir_trie_node *node = root;
    struct weir_text name = set->name;
    uint32_t granted = 0;

    while (node != NULL && weir_text_begins_with(name, node->label)) {
        unsigned index = 0;

        name = weir_text_from(name, node->label.length);
        granted |= node->prefix.operations;
        if (name.length == 0) {
            return set->kind == WEIR_SET_EXACT ? granted | node->exact.operations : granted;
        }
        index = child_index(node, first_byte(name));
        node = has_child_at(node, index, first_byte(name)) ? node->children[index] : NULL;
    }
    return granted;
}

bool weir_trie_add(struct weir_arena *arena, struct weir_trie_node **root, uint32_t edition,
                   const struct weir_set *set, uint32_t operations)
{
    struct weir_trie_node *node = NULL;

    operations &= ~weir_trie_granted(*root, set);
    if (operations == 0) {
        return true;
    }
    node = weir_trie_reach(arena, root, edition, set->name);
    if (node == NULL) {
        return false;
    }
    if (set->kind == WEIR_SET_PREFIX) {
        node->prefix.operations |= operations;
    } else {
        node->exact.operations |= operations;
    }
    return true;
}
