#include "answer/alike.h"

#include <string.h>
#include <sys/random.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

/* The first node met of those that say the same. */
struct original {
    uint64_t hash;
    uint32_t offset; /* 0: the place in the table is free */
    uint32_t side;
};

struct numbering {
    uint64_t seed; /* the labels are strangers': where they go is not for them to choose */
    struct weir_alike *alike;
    struct original *table;
    size_t mask;
};

static uint32_t child_number(const struct weir_alike *alike, unsigned side,
                             const struct weir_edges *edges, unsigned rank)
{
    return weir_alike_at(alike, side, weir_edges_child(edges, rank));
}

static uint64_t hash_node(uint64_t seed, const struct weir_alike *alike, unsigned side,
                          const struct weir_name_node *node)
{
    const struct weir_edges edges = weir_name_node_edges(node);
    uint64_t hash = XXH3_64bits_withSeed(edges.label, edges.label_length,
                                         seed ^ ((uint64_t)node->prefix << 32 | node->exact));

    for (unsigned rank = 0; rank < edges.key_count; rank++) {
        const uint64_t edge =
            (uint64_t)weir_edges_key(&edges, rank) << 32 | child_number(alike, side, &edges, rank);

        hash = XXH3_64bits_withSeed(&edge, sizeof edge, hash);
    }
    return hash;
}

static bool nodes_alike(const struct weir_alike *alike, unsigned side, uint32_t offset,
                        const struct original *original)
{
    const struct weir_name_node *left = weir_name_node_at(alike->tries[side], offset);
    const struct weir_name_node *right =
        weir_name_node_at(alike->tries[original->side], original->offset);
    const struct weir_edges left_edges = weir_name_node_edges(left);
    const struct weir_edges right_edges = weir_name_node_edges(right);

    if (left->prefix != right->prefix || left->exact != right->exact ||
        left_edges.label_length != right_edges.label_length ||
        left_edges.key_count != right_edges.key_count ||
        memcmp(left_edges.label, right_edges.label, left_edges.label_length) != 0) {
        return false;
    }
    for (unsigned rank = 0; rank < left_edges.key_count; rank++) {
        if (weir_edges_key(&left_edges, rank) != weir_edges_key(&right_edges, rank) ||
            child_number(alike, side, &left_edges, rank) !=
                child_number(alike, original->side, &right_edges, rank)) {
            return false;
        }
    }
    return true;
}

/* The number of a node is the place of its original in the table. */
static void number_node(struct numbering *numbering, unsigned side, uint32_t offset)
{
    struct weir_alike *alike = numbering->alike;
    const uint64_t hash =
        hash_node(numbering->seed, alike, side, weir_name_node_at(alike->tries[side], offset));
    size_t place = (size_t)hash & numbering->mask;

    while (numbering->table[place].offset != 0 &&
           (numbering->table[place].hash != hash ||
            !nodes_alike(alike, side, offset, &numbering->table[place]))) {
        place = (place + 1) & numbering->mask;
    }
    if (numbering->table[place].offset == 0) {
        numbering->table[place] = (struct original){hash, offset, side};
    }
    alike->numbers[side][(offset - alike->tries[side]->names) / 4] = (uint32_t)place;
}

static uint32_t node_end(const struct weir_tries *tries, uint32_t offset)
{
    const struct weir_edges edges = weir_name_node_edges(weir_name_node_at(tries, offset));

    return (uint32_t)(edges.children + (size_t)edges.key_count * 4 - (const unsigned char *)tries);
}

/* Offsets of all nodes, in `offsets` unless that is NULL; they lie one after the other. */
static size_t list_nodes(const struct weir_tries *tries, uint32_t *offsets)
{
    size_t count = 0;

    for (uint32_t offset = tries->names; offset < tries->size; offset = node_end(tries, offset)) {
        if (offsets != NULL) {
            offsets[count] = offset;
        }
        count++;
    }
    return count;
}

/* Children come after their parents, so the last node is numbered first. */
static bool number_side(struct weir_arena *arena, struct numbering *numbering, unsigned side,
                        size_t count)
{
    const struct weir_tries *tries = numbering->alike->tries[side];
    uint32_t *offsets = weir_arena_allocate(arena, (count + 1) * sizeof *offsets);

    if (offsets == NULL) {
        return false;
    }
    (void)list_nodes(tries, offsets);
    while (count-- > 0) {
        number_node(numbering, side, offsets[count]);
    }
    return true;
}

bool weir_alike_number(struct weir_arena *arena, const struct weir_tries *left,
                       const struct weir_tries *right, struct weir_alike *alike)
{
    const size_t counts[] = {list_nodes(left, NULL), list_nodes(right, NULL)};
    struct numbering numbering = {.alike = alike, .mask = 16};

    *alike = (struct weir_alike){.tries = {left, right}};
    while (numbering.mask < 2 * (counts[0] + counts[1])) {
        numbering.mask *= 2;
    }
    numbering.table = weir_arena_allocate(arena, numbering.mask * sizeof *numbering.table);
    numbering.mask--;
    if (getrandom(&numbering.seed, sizeof numbering.seed, GRND_NONBLOCK) < 0) {
        numbering.seed = (uint64_t)(uintptr_t)numbering.table;
    }
    for (unsigned side = 0; side < 2; side++) {
        const struct weir_tries *tries = alike->tries[side];

        alike->numbers[side] = weir_arena_allocate(arena, tries->size - tries->names + 4);
        if (numbering.table == NULL || alike->numbers[side] == NULL ||
            !number_side(arena, &numbering, side, counts[side])) {
            return false;
        }
    }
    return true;
}
