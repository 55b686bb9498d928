/* token_reading.h - from the JSON value of a token to its declaration. */
#ifndef WEIR_WIRE_TOKEN_READING_H
#define WEIR_WIRE_TOKEN_READING_H

#include <jansson.h>

#include <stdbool.h>

#include <weir/allocator.h>
#include <weir/error.h>
#include <weir/token.h>

#include "wire/room.h"
#include "wire/token_declared.h"

/* Reads one token after the other. All zero but for the allocator is the start. */
struct weir_token_reading {
    struct weir_allocator allocator;
    bool for_issue; /* as weir_token_parse_declared (token_declared.h), of one token */
    struct weir_error permission; /* what it puts off; all zero if nothing */
    struct weir_token token;      /* the last one read */
    struct weir_room scopes;      /* what its scopes lie in, for the next token again */
    bool one_scope_given;         /* as `scope` */
    bool several_scopes_given;    /* as `scopes`, even if it is but one */
};

/*
 * Reads `value` into reading->token, which passes weir_token_check then. Its texts live as long as
 * `value`, its scopes until the next token is read. The place of a failure is a path within the
 * token, without a leading dot.
 */
enum weir_status weir_token_reading_next(struct weir_token_reading *reading, json_t *value,
                                         struct weir_error *error);

void weir_token_reading_fini(struct weir_token_reading *reading);

#endif
