/*
 * comparison.h - two tokens beside each other: what each says of which names, and which names one
 * grants and the other does not. difference.c tells it.
 */
#ifndef WEIR_ANSWER_COMPARISON_H
#define WEIR_ANSWER_COMPARISON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/difference.h>

#include "answer/alike.h"
#include "answer/regions.h"
#include "image/block.h"
#include "image/tries.h"
#include "vocabulary/arena.h"

enum { OLD, NEW, SIDES };

/* One of the two tokens. */
struct side {
    const struct weir_compiled_token *token; /* NULL: none, or it has expired */
    const struct weir_block *block;          /* likewise */
    const struct weir_tries *tries;          /* NULL: its sets are beside its id */
    bool auto_prefix;
    size_t longest_stream; /* that its client may name */
};

/* What a side says from a name on. */
struct rule {
    struct weir_text name;
    struct weir_grant prefix; /* on the names that begin so */
    struct weir_grant exact;  /* on the name itself */
};

/* In byte order. */
struct rules {
    struct rule *rules;
    size_t count;
    size_t capacity;
};

/* The places of both sides' rules, and what each side grants there. */
struct union_place {
    struct weir_grant rest[SIDES];
    struct weir_grant exact[SIDES];
};

struct union_places {
    struct weir_place *places;
    struct union_place *grants; /* one a place */
    size_t count;
};

/* Streams that one side grants and the other does not: the value of basins where it is so. */
struct stream_value {
    struct weir_region_value value; /* of basins */
    const struct weir_region_set *streams;
    uint64_t hash;
    struct stream_value *next;  /* in its bucket */
    struct stream_value *later; /* in the order in which they were found */
};

/* What became of a pair of sets of streams. */
struct pair {
    uint32_t roots[SIDES];
    struct stream_value *value; /* NULL: nothing is granted more */
    struct pair *next;
};

struct comparison {
    struct side sides[SIDES];
    struct weir_arena kept;    /* until the end */
    struct weir_arena scratch; /* until the next operation and direction */
    struct weir_arena passing; /* until two sets of names have been compared */
    struct union_places basins;
    struct weir_alike alike; /* if both have tries */
    size_t steps;            /* rules gone through */
    bool steps_exceeded;
    weir_difference_visitor *visit;
    void *context;

    /* Of the operation and direction at hand: `to` may do something that `from` may not. */
    enum weir_operation operation;
    uint32_t bit;
    unsigned to;
    unsigned from;
    struct pair **pairs;
    struct stream_value **values;
    size_t buckets; /* of pairs, and of values: a power of two */
    struct stream_value *first_value;
    struct stream_value **last_link;
};

static inline bool weir_side_permits(const struct side *side, uint32_t bit)
{
    return side->block != NULL && (side->block->operations & bit) != 0;
}

/* In the place of a trie's root, which is a multiple of four: the set beside the token's id. */
#define INLINE_SET 1u

/*
 * ---- Sides and their rules (sides.c) ----
 */

/* The token as it is at that instant; NULL for none. */
struct side weir_side_of(const struct weir_compiled_token *token, struct weir_instant now);

/* What each side grants, as far as that matters for the difference. */
bool weir_both_rules(struct comparison *comparison, const uint32_t roots[SIDES],
                     struct rules rules[SIDES]);

/* The places of both sides' rules, in byte order. False: no memory. */
bool weir_join_rules(struct weir_arena *arena, const struct rules rules[SIDES],
                     struct union_places *joined);

/* `basins` of the comparison. False: no memory. */
bool weir_join_basins(struct comparison *comparison);

/*
 * ---- Names that one side grants and the other does not (subtract.c) ----
 */

/* What the set at the first root has and that at the second has not; NULL for nothing. They are
 * names of streams, or ids, as the operation has it. False: no memory. */
bool weir_subtract(struct comparison *comparison, const uint32_t roots[SIDES],
                   const struct weir_region_set **more);

/* Begins with no pair and no value. False: no memory. */
bool weir_make_pairs(struct comparison *comparison);

/* The value of a basin on which the sides grant that. False: no memory. */
bool weir_stream_value(struct comparison *comparison, const struct weir_grant grants[SIDES],
                       bool both_needed, struct weir_region_value **value);

#endif
