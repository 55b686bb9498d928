/* brokers.h - names that tokens of many scopes are made of. */
#ifndef WEIR_BENCH_BROKERS_H
#define WEIR_BENCH_BROKERS_H

#include <stddef.h>
#include <stdint.h>

#include "requests.h"

/* Prefixes like org-07/audit/1c0ffe/, 9f86d081884c/, users/1234/. */
enum broker_kind { BROKER_SERVICES, BROKER_HEXADECIMAL, BROKER_USERS };

/* Bytes that a prefix takes at most, its end included. */
#define BROKER_PREFIX_MAX 48

/* What the basins of all those scopes begin with, and a basin of theirs. */
#define BROKER_BASINS "acme-"
#define BROKER_BASIN "acme-production-eu-1"

/* Writes prefix number `number`, and returns its length. */
int broker_prefix(enum broker_kind kind, uint64_t number, char *buffer, size_t size);

/* Everything about the streams under a prefix of such basins. */
struct weir_scope broker_scope(struct weir_text prefix);

/* Adds a request of that id, or of that token, under prefix number `number`, by a name of 20 to 60
 * bytes. Each tenth differs in its last byte but one, by a byte that no prefix has. */
void broker_add_request(struct requests *requests, enum broker_kind kind, uint64_t number,
                        struct weir_text id, const struct weir_compiled_token *token,
                        uint64_t random);

#endif
