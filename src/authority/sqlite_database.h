/* sqlite_database.h - calling SQLite: its errors in Weir's words, statements without results. */
#ifndef WEIR_AUTHORITY_SQLITE_DATABASE_H
#define WEIR_AUTHORITY_SQLITE_DATABASE_H

#include <stdint.h>

#include <sqlite3.h>

#include <weir/error.h>
#include <weir/name.h>

/*
 * Fails with what a code of SQLite's means: WEIR_ERROR_MEMORY, _DAMAGED, _BUSY, _LIMIT (a text of
 * more than SQLite's billion bytes), else _IO with the system's words. `what` was tried. Nothing
 * that stands in the file goes into the message.
 */
enum weir_status weir_sqlite_fail(sqlite3 *database, int code, const char *what,
                                  struct weir_error *error);

/* Runs statements, whose rows are ignored. */
enum weir_status weir_sqlite_run(sqlite3 *database, const char *statements, const char *what,
                                 struct weir_error *error);

/* The number that is the only row of a query. */
enum weir_status weir_sqlite_number(sqlite3 *database, const char *query, int64_t *number,
                                    struct weir_error *error);

#endif
