/* api.h - the calls that requests make. */
#ifndef WEIR_SERVE_API_H
#define WEIR_SERVE_API_H

#include <stdbool.h>

#include <weir/authority.h>

#include "serve/connection.h"

/* Makes the call, with the whole body decoded, and fills in the request's answer and `audit`. */
void api_call(struct connection *connection, struct weir_audit *audit);

/* Whether the request's credential is one that may make the call at all, which is asked before more
 * of it is taken. False: the answer is filled in. */
bool api_admit(struct connection *connection, struct weir_audit *audit);

#endif
