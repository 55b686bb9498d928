/* sqlite_store.h - what opening a store and using it share. */
#ifndef WEIR_AUTHORITY_SQLITE_STORE_H
#define WEIR_AUTHORITY_SQLITE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include <sqlite3.h>

#include "authority/sqlite_schema.h"
#include "authority/store.h"

/* Prepared when the store is opened. */
enum weir_store_statement {
    WEIR_STATEMENT_BEGIN_READING,
    WEIR_STATEMENT_BEGIN_WRITING,
    WEIR_STATEMENT_COMMIT,
    WEIR_STATEMENT_ROLLBACK,
    WEIR_STATEMENT_READ_COUNTERS,
    WEIR_STATEMENT_WRITE_COUNTERS,
    WEIR_STATEMENT_FIND,
    WEIR_STATEMENT_FIND_BY_DIGEST,
    WEIR_STATEMENT_ISSUE,
    WEIR_STATEMENT_REMOVE,
    WEIR_STATEMENT_LOG,
    WEIR_STATEMENT_EACH,
    WEIR_STATEMENT_EACH_ISSUE,
    WEIR_STATEMENT_ALL,
    WEIR_STATEMENT_ALL_ISSUES,
    WEIR_STATEMENT_EXPIRED,
    WEIR_STATEMENT_COUNT_LIVING,
    WEIR_STATEMENT_CHANGES,
    WEIR_STATEMENT_OLDEST_CHANGES,
    WEIR_STATEMENT_FORGET,
    WEIR_STATEMENT_COUNT
};

/* The row of the table `store`. */
struct weir_store_counters {
    int64_t sequence;
    int64_t issue_number;
    int64_t tokens;
};

struct weir_store {
    struct weir_allocator allocator;
    int lock; /* whoever has it locked owns the store; open for longer than the database */
    sqlite3 *database;
    sqlite3_stmt *statements[WEIR_STATEMENT_COUNT];
    sqlite3_stmt *handed_out; /* whose row a caller may be looking at */
    uint8_t identity[WEIR_STORE_IDENTITY_SIZE];
    struct weir_store_counters counters; /* as of the transaction at hand */
    bool counted;                        /* they are to be written when it commits */
    bool failed;                         /* it is half-done, and must not commit */
    bool in_doubt;                       /* see sqlite_store.c */
};

/* Prepares the statements, and reads the identity and the counters, which must agree with the
 * tables. WEIR_OK, WEIR_ERROR_MEMORY, _IO, _DAMAGED. */
enum weir_status weir_store_begin_use(struct weir_store *store, struct weir_error *error);

/* Makes durable what was found when the store was opened. WEIR_OK, WEIR_ERROR_MEMORY, _IO. */
enum weir_status weir_store_begin_log(struct weir_store *store, struct weir_error *error);

/* Releases the statements. */
void weir_store_end_use(struct weir_store *store);

#endif
