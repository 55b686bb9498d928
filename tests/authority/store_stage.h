/* store_stage.h - a store in a folder of its own, and the connection behind it. */
#ifndef WEIR_TESTS_AUTHORITY_STORE_STAGE_H
#define WEIR_TESTS_AUTHORITY_STORE_STAGE_H

#include "authority/last_connection.h"
#include "authority/store_model.h"
#include "library/scratch.h"
#include "library/support.h"

struct stage {
    struct scratch scratch;
    char store_path[400];
    struct weir_store *store; /* NULL: not open */
};

/* An empty folder; nothing is open. */
void stage_make(struct stage *stage);
void stage_remove(struct stage *stage);

/* Opens it, which must succeed. */
void stage_open(struct stage *stage, bool create);
void stage_close(struct stage *stage);
/* Opens it, which must return that. */
void expect_open(const struct stage *stage, bool create, enum weir_status expected);

/* A token of the sample of that seed, in a transaction of its own. Returns its issue number. */
uint64_t put_token(struct weir_store *store, const char *id, uint64_t seed);
/* Removes it, in a transaction of its own. */
void take_token(struct weir_store *store, const char *id, uint64_t number);

/* How many tokens there are, in a transaction of its own. */
uint64_t count_tokens(struct weir_store *store);

struct model_id id_named(const char *name);

#endif
