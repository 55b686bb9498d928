/* set.h - what a set of names comes to. */
#ifndef WEIR_TOKEN_SET_H
#define WEIR_TOKEN_SET_H

#include <stdbool.h>

#include <weir/token.h>

/* Whether no name is in the set, however that is said. */
static inline bool weir_set_is_nothing(const struct weir_set *set)
{
    return set->kind == WEIR_SET_NOTHING || (set->kind == WEIR_SET_EXACT && set->name.length == 0);
}

#endif
