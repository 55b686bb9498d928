/* last_connection.h - the connection behind a store, to see or disturb what it does. */
#ifndef WEIR_TESTS_AUTHORITY_LAST_CONNECTION_H
#define WEIR_TESTS_AUTHORITY_LAST_CONNECTION_H

#include <stdbool.h>

#include <sqlite3.h>

/* Notes, from now on, which connection SQLite makes. False: there is no memory. */
bool watch_connections(void);

/* The one that it has made last in this process. */
sqlite3 *last_connection(void);

#endif
