/* place.h - where in a declaration something is wrong. */
#ifndef WEIR_TOKEN_PLACE_H
#define WEIR_TOKEN_PLACE_H

#include <stddef.h>

#include <weir/error.h>
#include <weir/token.h>

#include "vocabulary/failure.h"

/* Puts the token's scope of that index before the place that the error has already: `scopes[2]`, or
 * `scope` if there is only one. */
static inline void weir_error_within_scope(struct weir_error *error, const struct weir_token *token,
                                           size_t index)
{
    if (token->scope_count == 1) {
        weir_error_within(error, "scope");
    } else {
        weir_error_within(error, "scopes[%zu]", index);
    }
}

#endif
