/* token_declared.h - a token as a requestor declares it, to have it issued. */
#ifndef WEIR_WIRE_TOKEN_DECLARED_H
#define WEIR_WIRE_TOKEN_DECLARED_H

#include <weir/allocator.h>
#include <weir/error.h>
#include <weir/name.h>
#include <weir/token.h>

/*
 * weir_token_parse (wire.h), for issuing: `credential_digest` is an unknown field, and what is
 * wrong with permissions alone is put off, since other checks come before it. `*permission`, which
 * is WEIR_OK otherwise, is then WEIR_ERROR_PERMISSION, `permission_error` (unless NULL) tells of
 * it, and WEIR_OK is returned, with a token that may not be compiled.
 */
enum weir_status weir_token_parse_declared(struct weir_text json,
                                           const struct weir_allocator *allocator,
                                           struct weir_token **token, enum weir_status *permission,
                                           struct weir_error *permission_error,
                                           struct weir_error *error);

#endif
