/* rewrite.h - a token declared otherwise: with another meaning, or with the
 * same. */
#ifndef WEIR_TESTS_REWRITE_H
#define WEIR_TESTS_REWRITE_H

#include <stdbool.h>

#include "model/generate.h"

/* A declaration that may be compiled; it borrows texts of the world. */
struct rewriting {
    struct weir_token token;
    struct weir_scope *scopes;
    size_t room;
    struct weir_text *texts; /* of its own */
    size_t text_count;
    size_t text_room;
};

/* Changes one thing or more, which need not change what it means. */
void token_change(struct rewriting *rewriting, struct world *world, const struct weir_token *token);

/* Changes how it is written and nothing that it means. Returns whether a prefix
 * was split. */
bool token_rewrite(struct rewriting *rewriting, struct world *world,
                   const struct weir_token *token);

void rewriting_fini(struct rewriting *rewriting);

#endif
