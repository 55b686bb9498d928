/* store_older.h - a made-up older store, and the schema that knows how to bring it up to date. */
#ifndef WEIR_TESTS_AUTHORITY_STORE_OLDER_H
#define WEIR_TESTS_AUTHORITY_STORE_OLDER_H

#include "authority/sqlite_schema.h"

/* Today's, with a step from version 0. Lives until the next call. */
const struct weir_sqlite_schema *older_schema(void);
/* The same with one more version, which adds nothing. */
const struct weir_sqlite_schema *newer_schema(void);

/* A store of version 0 with two tokens, "first" (number 1) and "second" (number 3), whose identity
 * is "0123456789abcdef"; its last change has number 5. */
void older_make(const char *path);
/* NULL, or how the store differs from what `older_make` must become. */
const char *older_difference(struct weir_store *store);

#endif
