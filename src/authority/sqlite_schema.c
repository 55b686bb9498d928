#include "authority/sqlite_schema.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "authority/sqlite_database.h"
#include "credential/crypto.h"
#include "vocabulary/failure.h"

/*
 * Ids are BLOBs: what is compared is their bytes. Instants are two columns, in whose order an index
 * has them. Rows are found by their number, and the declaration stands last, so that what looks at
 * the columns before it does not read the pages of a long one.
 *
 * The row of `store` counts: the last change, the issue number drawn last, the tokens.
 */
static const char *const objects[] = {
    "CREATE TABLE store (identity BLOB NOT NULL, sequence INTEGER NOT NULL,"
    " issue_number INTEGER NOT NULL, tokens INTEGER NOT NULL) STRICT",

    "CREATE TABLE tokens (issue_number INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE,"
    " digest BLOB NOT NULL UNIQUE, expires_seconds INTEGER, expires_nanoseconds INTEGER,"
    " issued_by BLOB NOT NULL, issued_by_number INTEGER NOT NULL,"
    " issued_seconds INTEGER NOT NULL, issued_nanoseconds INTEGER NOT NULL,"
    " declaration TEXT NOT NULL) STRICT",

    "CREATE INDEX tokens_expiring ON tokens (expires_seconds, expires_nanoseconds)"
    " WHERE expires_seconds IS NOT NULL",

    "CREATE TABLE changes (sequence INTEGER PRIMARY KEY, kind INTEGER NOT NULL,"
    " id BLOB NOT NULL, issue_number INTEGER NOT NULL, by_id BLOB NOT NULL,"
    " by_number INTEGER NOT NULL, at_seconds INTEGER NOT NULL,"
    " at_nanoseconds INTEGER NOT NULL) STRICT",

    NULL,
};

const struct weir_sqlite_schema weir_sqlite_schema = {
    .version = 1,
    .objects = objects,
    .steps = (const char *const[]){NULL},
};

enum weir_status weir_sqlite_check_version(const struct weir_sqlite_schema *schema,
                                           int64_t application, int64_t version,
                                           struct weir_error *error)
{
    if (application != WEIR_SQLITE_APPLICATION) {
        return weir_fail(error, WEIR_ERROR_DAMAGED, "a database, but no store of Weir's");
    }
    if (version > schema->version) {
        return weir_fail(error, WEIR_ERROR_VERSION,
                         "a store of version %" PRId64 ", made by a newer Weir: this one reads "
                         "version %" PRIu32,
                         version, schema->version);
    }
    if (version < 0 || (version < schema->version && schema->steps[version] == NULL)) {
        return weir_fail(error, WEIR_ERROR_VERSION,
                         "a store of version %" PRId64 ", which this Weir does not read", version);
    }
    return WEIR_OK;
}

/*
 * ---- What it holds ----
 */

static bool is_object(const struct weir_sqlite_schema *schema, const char *sql)
{
    for (const char *const *object = schema->objects; *object != NULL; object++) {
        if (sql != NULL && strcmp(*object, sql) == 0) {
            return true;
        }
    }
    return false;
}

static unsigned object_count(const struct weir_sqlite_schema *schema)
{
    unsigned count = 0;

    while (schema->objects[count] != NULL) {
        count++;
    }
    return count;
}

/* SQLite's own tables and indexes (what ANALYZE makes, the index of a UNIQUE) are not counted. No
 * two objects have the same text, so as many as there are, each known, are all. */
static enum weir_status check_objects(sqlite3 *database, const struct weir_sqlite_schema *schema,
                                      struct weir_error *error)
{
    static const char query[] =
        "SELECT sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(database, query, -1, &statement, NULL);
    unsigned known = 0;
    bool stranger = false;
    enum weir_status status = WEIR_OK;

    while (code == SQLITE_OK && (code = sqlite3_step(statement)) == SQLITE_ROW) {
        stranger |= !is_object(schema, (const char *)sqlite3_column_text(statement, 0));
        known++;
        code = SQLITE_OK;
    }
    if (code != SQLITE_DONE) {
        status = weir_sqlite_fail(database, code, "reading the store's schema", error);
    } else if (stranger || known != object_count(schema)) {
        status =
            weir_fail(error, WEIR_ERROR_DAMAGED,
                      "its tables are not those of a store of version %" PRIu32, schema->version);
    }
    (void)sqlite3_finalize(statement);
    return status;
}

/*
 * ---- Creating and migrating, in one transaction each ----
 */

static enum weir_status set_version(sqlite3 *database, const struct weir_sqlite_schema *schema,
                                    struct weir_error *error)
{
    char statements[96];

    (void)snprintf(statements, sizeof statements,
                   "PRAGMA application_id = %d; PRAGMA user_version = %" PRIu32,
                   WEIR_SQLITE_APPLICATION, schema->version);
    return weir_sqlite_run(database, statements, "marking the store", error);
}

static enum weir_status insert_identity(sqlite3 *database, struct weir_error *error)
{
    uint8_t identity[WEIR_STORE_IDENTITY_SIZE];
    sqlite3_stmt *statement = NULL;
    int code = SQLITE_OK;
    enum weir_status status = WEIR_OK;

    if (!weir_crypto_random(identity, sizeof identity)) {
        return weir_fail_errno(error, "random bits");
    }
    code = sqlite3_prepare_v2(database, "INSERT INTO store VALUES (?1, 0, 0, 0)", -1, &statement,
                              NULL);
    if (code == SQLITE_OK) {
        code = sqlite3_bind_blob(statement, 1, identity, sizeof identity, SQLITE_STATIC);
    }
    if (code == SQLITE_OK) {
        code = sqlite3_step(statement);
    }
    if (code != SQLITE_DONE) {
        status = weir_sqlite_fail(database, code, "creating the store", error);
    }
    (void)sqlite3_finalize(statement);
    return status;
}

static enum weir_status create_objects(sqlite3 *database, const struct weir_sqlite_schema *schema,
                                       struct weir_error *error)
{
    enum weir_status status = WEIR_OK;

    for (const char *const *object = schema->objects; status == WEIR_OK && *object != NULL;
         object++) {
        status = weir_sqlite_run(database, *object, "creating the store", error);
    }
    return status == WEIR_OK ? insert_identity(database, error) : status;
}

static enum weir_status take_steps(sqlite3 *database, const struct weir_sqlite_schema *schema,
                                   int64_t version, struct weir_error *error)
{
    enum weir_status status = WEIR_OK;

    for (; status == WEIR_OK && version < schema->version; version++) {
        status = weir_sqlite_run(database, schema->steps[version], "migrating the store", error);
    }
    return status;
}

/* Commits what has led to `status` so far, if it is a store then; else nothing has happened. */
static enum weir_status finish(sqlite3 *database, const struct weir_sqlite_schema *schema,
                               enum weir_status status, struct weir_error *error)
{
    if (status == WEIR_OK) {
        status = set_version(database, schema, error);
    }
    if (status == WEIR_OK) {
        status = check_objects(database, schema, error);
    }
    if (status == WEIR_OK) {
        status = weir_sqlite_run(database, "COMMIT", "writing the store", error);
    }
    if (status != WEIR_OK) {
        (void)sqlite3_exec(database, "ROLLBACK", NULL, NULL, NULL);
    }
    return status;
}

enum weir_status weir_sqlite_create(sqlite3 *database, const struct weir_sqlite_schema *schema,
                                    struct weir_error *error)
{
    enum weir_status status =
        weir_sqlite_run(database, "BEGIN EXCLUSIVE", "creating the store", error);

    if (status != WEIR_OK) {
        return status;
    }
    return finish(database, schema, create_objects(database, schema, error), error);
}

enum weir_status weir_sqlite_migrate(sqlite3 *database, const struct weir_sqlite_schema *schema,
                                     struct weir_error *error)
{
    int64_t application = 0;
    int64_t version = 0;
    enum weir_status status =
        weir_sqlite_number(database, "PRAGMA application_id", &application, error);

    if (status == WEIR_OK) {
        status = weir_sqlite_number(database, "PRAGMA user_version", &version, error);
    }
    if (status == WEIR_OK) {
        status = weir_sqlite_check_version(schema, application, version, error);
    }
    if (status == WEIR_OK && version == schema->version) {
        return check_objects(database, schema, error);
    }
    /* In a log of its own: sqlite_store.c. */
    if (status == WEIR_OK) {
        status = weir_sqlite_run(database, "PRAGMA wal_checkpoint(TRUNCATE); BEGIN EXCLUSIVE",
                                 "migrating the store", error);
    }
    if (status != WEIR_OK) {
        return status;
    }
    return finish(database, schema, take_steps(database, schema, version, error), error);
}
