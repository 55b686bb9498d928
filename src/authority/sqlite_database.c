#include "authority/sqlite_database.h"

#include <string.h>

#include "vocabulary/failure.h"

static enum weir_status fail_system(sqlite3 *database, int code, const char *what,
                                    struct weir_error *error)
{
    char words[128];
    int number = sqlite3_system_errno(database);

    if (number == 0) {
        return weir_fail(error, WEIR_ERROR_IO, "%s: %s", what, sqlite3_errstr(code));
    }
    return weir_fail(error, WEIR_ERROR_IO, "%s: %s: %s", what, sqlite3_errstr(code),
                     strerror_r(number, words, sizeof words));
}

enum weir_status weir_sqlite_fail(sqlite3 *database, int code, const char *what,
                                  struct weir_error *error)
{
    if (code == SQLITE_IOERR_NOMEM) {
        return weir_fail_memory(error);
    }
    switch (code & 0xff) {
    case SQLITE_NOMEM:
        return weir_fail_memory(error);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_ERROR: /* the statements are right, so the tables are not */
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
        return weir_fail(error, WEIR_ERROR_DAMAGED, "%s: the store is damaged: %s", what,
                         sqlite3_errstr(code));
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return weir_fail(error, WEIR_ERROR_BUSY, "%s: another process uses the store", what);
    case SQLITE_TOOBIG:
        return weir_fail(error, WEIR_ERROR_LIMIT, "%s: more than a store can hold", what);
    default:
        return fail_system(database, code, what, error);
    }
}

enum weir_status weir_sqlite_run(sqlite3 *database, const char *statements, const char *what,
                                 struct weir_error *error)
{
    int code = sqlite3_exec(database, statements, NULL, NULL, NULL);

    return code == SQLITE_OK ? WEIR_OK : weir_sqlite_fail(database, code, what, error);
}

enum weir_status weir_sqlite_number(sqlite3 *database, const char *query, int64_t *number,
                                    struct weir_error *error)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(database, query, -1, &statement, NULL);
    enum weir_status status = WEIR_OK;

    if (code == SQLITE_OK) {
        code = sqlite3_step(statement);
    }
    if (code == SQLITE_ROW) {
        *number = sqlite3_column_int64(statement, 0);
        code = SQLITE_OK;
    } else if (code == SQLITE_DONE) {
        code = SQLITE_CORRUPT; /* a row is missing */
    }
    /* First, for finalizing forgets what the system said. */
    status =
        code == SQLITE_OK ? WEIR_OK : weir_sqlite_fail(database, code, "reading the store", error);
    (void)sqlite3_finalize(statement);
    return status;
}
