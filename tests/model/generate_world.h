/* generate_world.h - what the parts of the generator share. */
#ifndef WEIR_TESTS_GENERATE_WORLD_H
#define WEIR_TESTS_GENERATE_WORLD_H

#include <stddef.h>

#include "model/generate.h"
#include "model/generate_names.h"

struct range {
    size_t least, most;
};

/* What a world is rich in. */
struct world_shape {
    const char *name;
    struct range tokens;
    struct range scopes;  /* of a token */
    size_t texts;         /* in each pool, before the fan */
    size_t common_scopes; /* all tokens draw from so many; 0: each has its own */
    size_t questions;     /* worth asking */
    unsigned wildcard;    /* percent of basin sets that are all basins */
    unsigned fan;         /* percent of pools with a fan-out */
    unsigned longest;     /* percent of texts of a greatest length, or one less */
    unsigned nested;      /* percent of texts that go on from the last one */
    unsigned auto_prefix; /* percent of the tokens that may have it */
    struct strangeness strangeness;
};

/* Memory that lives as long as the world. */
void *world_allocate(struct world *world, size_t size);

/* A copy of the text in memory of exactly its length. */
struct weir_text world_keep(struct world *world, struct weir_text text);

/* One of the pool's, empty if there is none. */
struct weir_text world_any_text(struct world *world, enum weir_set_role role);

#endif
