/* audit.h - who did what to which token, and why it was refused: a JSON object a line. */
#ifndef WEIR_SERVE_AUDIT_H
#define WEIR_SERVE_AUDIT_H

#include <weir/authority.h>

#include "serve/connection.h"

/*
 * Writes the line of a call of the authority, which a change's is once it is durable and before it
 * is answered. A line that cannot be written is counted and logged, and undoes nothing. Credentials
 * and bodies are not in it.
 */
void audit_write(struct connection *connection, const struct weir_audit *audit);

#endif
