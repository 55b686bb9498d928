/*
 * regions.h - what is so of which names: a value for each region of all names of a kind, and the
 * sets of names that have a value.
 *
 * A place is a name, or a beginning of names. Of the places that a name begins with, the longest
 * tells its value: `exact`, if that place is the whole name, else `rest`.
 */
#ifndef WEIR_ANSWER_REGIONS_H
#define WEIR_ANSWER_REGIONS_H

#include <stdbool.h>
#include <stddef.h>

#include <weir/difference.h>

#include "vocabulary/arena.h"
#include "vocabulary/completion.h"

/* The names that have a value, as far as one set can say it: a part of a set that lies in what the
 * set excepts is a set of its own. */
struct weir_region_set {
    struct weir_name_set names;
    struct weir_text example;       /* one of them */
    struct weir_region_set *within; /* what lies within its exceptions; NULL: nothing */
    size_t capacities[4];
};

struct weir_region_value {
    struct weir_region_set *sets;
};

struct weir_place {
    struct weir_text name;
    struct weir_region_value *rest; /* NULL is a value, too: that of all names beside the places */
    struct weir_region_value *exact;
    struct weir_text rest_example; /* a name that has `rest`; `bytes` NULL: nobody can bear one */
    bool exact_allowed;            /* whether `name` is a name */
};

/*
 * Fills in the last two members of the places, which are in byte order and differ. `none` is a
 * beginning of nothing, of names of their kind. False: no memory.
 */
bool weir_regions_examine(struct weir_arena *arena, struct weir_place *places, size_t count,
                          struct weir_beginning none);

/* Gives each value its sets. What nobody can bear is in none, nor excepted. False: no memory. */
bool weir_regions_gather(struct weir_arena *arena, const struct weir_place *places, size_t count);

#endif
