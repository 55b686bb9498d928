/* declaration.h - a declaration that outlives the reading of its file. */
#ifndef WEIR_COMMAND_DECLARATION_H
#define WEIR_COMMAND_DECLARATION_H

#include <weir/token.h>

/* One piece of memory that holds a token and all it refers to. */
struct declaration {
    struct weir_token token;
    struct weir_scope scopes[];
};

/* NULL if there is no memory. */
struct declaration *declaration_copy(const struct weir_token *token);

/* NULL is fine. */
void declaration_free(struct declaration *declaration);

#endif
