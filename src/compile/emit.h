/* emit.h - from tries to the bytes of a block. */
#ifndef WEIR_COMPILE_EMIT_H
#define WEIR_COMPILE_EMIT_H

#include <stddef.h>

#include "compile/merge.h"
#include "vocabulary/arena.h"

/* Tries laid out: what each node is and where it will be. */
struct weir_emission {
    struct weir_record *basins; /* all nodes of the trie of basins, parents before children */
    struct weir_record *names;  /* all nodes of the tries of names, likewise */
    struct weir_record *access_tokens;
    size_t names_start;
    size_t size; /* of the tries in a block, header included */
};

/* Lays out the tries: nodes that are alike are one. False if memory is short. */
bool weir_emit_plan(struct weir_arena *arena, const struct weir_merged *merged,
                    struct weir_emission *emission);

/* Writes the tries, `emission->size` zeroed bytes. */
void weir_emit_write(const struct weir_emission *emission, char *bytes);

#endif
