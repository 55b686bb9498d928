/*
 * sqlite_schema.h - what a store's file holds, and how an older one becomes one of today's.
 *
 * A store is an SQLite database whose application_id is WEIR_SQLITE_APPLICATION and whose
 * user_version is the version of its schema.
 */
#ifndef WEIR_AUTHORITY_SQLITE_SCHEMA_H
#define WEIR_AUTHORITY_SQLITE_SCHEMA_H

#include <stdbool.h>
#include <stdint.h>

#include <sqlite3.h>

#include <weir/allocator.h>
#include <weir/error.h>

#include "authority/store.h"

#define WEIR_SQLITE_APPLICATION 0x57656972 /* "Weir" */
#define WEIR_STORE_IDENTITY_SIZE 16

struct weir_sqlite_schema {
    uint32_t version;
    /* The statements that create each table and index, in the words that SQLite keeps; NULL ends
     * them. A store holds these and nothing else. */
    const char *const *objects;
    /* For each version before: the statements that lead to the next one; NULL: there was no such
     * version. What they leave must be `objects`, to the letter. */
    const char *const *steps;
};

extern const struct weir_sqlite_schema weir_sqlite_schema;

/* weir_store_open, with another schema than today's. */
enum weir_status weir_sqlite_store_open(const struct weir_sqlite_schema *schema, const char *path,
                                        bool create, const struct weir_allocator *allocator,
                                        struct weir_store **store, struct weir_error *error);

/* Makes an empty database a store. Whole or not at all. */
enum weir_status weir_sqlite_create(sqlite3 *database, const struct weir_sqlite_schema *schema,
                                    struct weir_error *error);

/*
 * Brings a store to the schema's version. Whole or not at all. WEIR_ERROR_VERSION: it is newer, or
 * of a version that there never was; _DAMAGED: it is no store, or holds something else. Nothing is
 * written unless there is a step to take.
 */
enum weir_status weir_sqlite_migrate(sqlite3 *database, const struct weir_sqlite_schema *schema,
                                     struct weir_error *error);

/* WEIR_ERROR_VERSION, _DAMAGED: what is said to be a store's application_id and user_version is not
 * one that the schema can take. */
enum weir_status weir_sqlite_check_version(const struct weir_sqlite_schema *schema,
                                           int64_t application, int64_t version,
                                           struct weir_error *error);

#endif
