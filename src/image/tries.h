/* tries.h - reading the nodes of tries: the only place that knows where in them things are. */
#ifndef WEIR_IMAGE_TRIES_H
#define WEIR_IMAGE_TRIES_H

#include <stdbool.h>
#include <string.h>

#include <weir/name.h>

#include "image/block.h"
#include "image/format.h"
#include "vocabulary/pieces.h"

static inline const void *weir_tries_at(const struct weir_tries *tries, uint32_t offset)
{
    return (const char *)tries + offset;
}

static inline const struct weir_name_node *weir_name_node_at(const struct weir_tries *tries,
                                                             uint32_t offset)
{
    return weir_tries_at(tries, offset);
}

static inline const struct weir_basin_node *weir_basin_node_at(const struct weir_tries *tries,
                                                               uint32_t offset)
{
    return weir_tries_at(tries, offset);
}

/* The root of the basins, or NULL. */
static inline const struct weir_basin_node *weir_tries_basins(const struct weir_tries *tries)
{
    return tries->names > sizeof *tries ? weir_tries_at(tries, sizeof *tries) : NULL;
}

/* What follows the fixed part of a node of either kind. `body` is where it ends. */
struct weir_edges {
    const unsigned char *label;
    const unsigned char *keys;     /* few keys: the bytes; many: struct weir_wide_keys */
    const unsigned char *children; /* offsets, four bytes each */
    unsigned label_length;
    unsigned key_count;
};

static inline struct weir_edges weir_node_edges(const struct weir_node *node, const void *body)
{
    uint32_t shape = node->shape;
    struct weir_edges edges = {
        .label = body,
        .label_length = WEIR_SHAPE_LABEL_LENGTH(shape),
        .key_count = WEIR_SHAPE_KEY_COUNT(shape),
    };

    if (edges.key_count <= WEIR_FEW_KEYS) {
        edges.keys = edges.label + edges.label_length;
        edges.children =
            edges.label + weir_round_up_4((size_t)edges.label_length + edges.key_count);
    } else {
        edges.keys = edges.label + weir_round_up_4(edges.label_length);
        edges.children = edges.keys + sizeof(struct weir_wide_keys);
    }
    return edges;
}

static inline struct weir_edges weir_name_node_edges(const struct weir_name_node *node)
{
    return weir_node_edges(&node->node, node + 1);
}

static inline struct weir_edges weir_basin_node_edges(const struct weir_basin_node *node)
{
    return weir_node_edges(&node->node, node + 1);
}

/* Offset of the child of that rank among the keys. */
static inline uint32_t weir_edges_child(const struct weir_edges *edges, unsigned rank)
{
    uint32_t offset;

    memcpy(&offset, edges->children + (size_t)rank * sizeof offset, sizeof offset);
    return offset;
}

static inline unsigned weir_count_bits(uint64_t word)
{
#ifdef __POPCNT__
    return (unsigned)__builtin_popcountll(word);
#else
    word -= word >> 1 & UINT64_C(0x5555555555555555);
    word = (word & UINT64_C(0x3333333333333333)) + (word >> 2 & UINT64_C(0x3333333333333333));
    word = (word + (word >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    return (unsigned)((word * UINT64_C(0x0101010101010101)) >> 56);
#endif
}

#define WEIR_NO_RANK 256u

/* Sixteen bytes may be read from the first of few keys: see struct weir_name_node. */
static inline unsigned weir_few_keys_rank(const struct weir_edges *edges, unsigned char key)
{
#if WEIR_SSE2
    __m128i keys = _mm_loadu_si128((const __m128i *)(const void *)edges->keys);
    unsigned equal = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(keys, _mm_set1_epi8((char)key)));

    equal &= (1u << edges->key_count) - 1;
    return equal != 0 ? (unsigned)__builtin_ctz(equal) : WEIR_NO_RANK;
#else
    for (unsigned rank = 0; rank < edges->key_count; rank++) {
        if (edges->keys[rank] == key) {
            return rank;
        }
    }
    return WEIR_NO_RANK;
#endif
}

static inline unsigned weir_wide_keys_rank(const struct weir_edges *edges, unsigned char key)
{
    const struct weir_wide_keys *wide = (const struct weir_wide_keys *)edges->keys;
    uint64_t word = wide->bitmap[key / 64];
    uint64_t bit = UINT64_C(1) << key % 64;

    return (word & bit) != 0 ? wide->before[key / 64] + weir_count_bits(word & (bit - 1))
                             : WEIR_NO_RANK;
}

/* Rank of the key among the node's, or WEIR_NO_RANK. */
static inline unsigned weir_edges_rank(const struct weir_edges *edges, unsigned char key)
{
    if (edges->key_count == 0) {
        return WEIR_NO_RANK;
    }
    return edges->key_count <= WEIR_FEW_KEYS ? weir_few_keys_rank(edges, key)
                                             : weir_wide_keys_rank(edges, key);
}

/* Offset of the child for the key, or 0. */
static inline uint32_t weir_edges_find(const struct weir_edges *edges, unsigned char key)
{
    unsigned rank = weir_edges_rank(edges, key);

    return rank != WEIR_NO_RANK ? weir_edges_child(edges, rank) : 0;
}

/* The key of that rank, for whoever goes through all children in order. */
unsigned char weir_edges_key(const struct weir_edges *edges, unsigned rank);

/* Takes the node's label off the front of the name; false, if the name does not begin with it. */
static inline bool weir_edges_pass(const struct weir_edges *edges, struct weir_text *name)
{
    if (!weir_text_begins_with_kept(*name, (const char *)edges->label, edges->label_length)) {
        return false;
    }
    name->bytes += edges->label_length;
    name->length -= edges->label_length;
    return true;
}

/* Takes the next byte off the name, which has one, and returns the offset of its child, or 0. */
static inline uint32_t weir_edges_step(const struct weir_edges *edges, struct weir_text *name)
{
    unsigned char key = (unsigned char)*name->bytes;

    name->bytes++;
    name->length--;
    return weir_edges_find(edges, key);
}

#endif
