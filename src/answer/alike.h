/*
 * alike.h - which nodes of two tokens' tries of names say the same.
 *
 * Nodes that say the same of the names that begin there, by the same label and keys, get the same
 * number, in whichever of the two tokens they are. So what both have in common is seen at its root.
 */
#ifndef WEIR_ANSWER_ALIKE_H
#define WEIR_ANSWER_ALIKE_H

#include <stdbool.h>
#include <stdint.h>

#include "image/tries.h"
#include "vocabulary/arena.h"

struct weir_alike {
    const struct weir_tries *tries[2];
    uint32_t *numbers[2]; /* of the node at each fourth byte of the names */
};

/* Numbers the nodes, in time and memory in proportion to them. False: no memory. */
bool weir_alike_number(struct weir_arena *arena, const struct weir_tries *left,
                       const struct weir_tries *right, struct weir_alike *alike);

static inline uint32_t weir_alike_at(const struct weir_alike *alike, unsigned side, uint32_t offset)
{
    return alike->numbers[side][(offset - alike->tries[side]->names) / 4];
}

#endif
