/* api.h - the calls that requests make. */
#ifndef WEIR_SERVE_API_H
#define WEIR_SERVE_API_H

#include <stdbool.h>

#include <weir/authority.h>

#include "serve/connection.h"

/* Makes the call, with the whole body decoded, and fills in the request's answer and `audit`. */
void api_call(struct connection *connection, struct weir_audit *audit);

/*
 * Whether the request's credential is one that may issue tokens at all, which is asked before a
 * body is taken: so nobody else's is held. False: the answer is filled in.
 */
bool api_may_issue(struct connection *connection, struct weir_audit *audit);

#endif
