#include "authority/store_older.h"

#include <stdio.h>
#include <string.h>

#include "authority/store_stage.h"

/* Each token's change was logged in its row; no log was kept. */
#define OLDER                                                                                      \
    "PRAGMA application_id = 0x57656972;"                                                          \
    "CREATE TABLE about (identity BLOB, last INTEGER);"                                            \
    "INSERT INTO about VALUES (CAST('0123456789abcdef' AS BLOB), 5);"                              \
    "CREATE TABLE token (name BLOB PRIMARY KEY, number INTEGER, digest BLOB, json TEXT,"           \
    " until INTEGER, made INTEGER);"                                                               \
    "INSERT INTO token VALUES (CAST('first' AS BLOB), 1, zeroblob(32), '{}', NULL, 100);"          \
    "INSERT INTO token VALUES (CAST('second' AS BLOB), 3, randomblob(32), '{\"a\":1}', 7, 101);"   \
    "CREATE INDEX token_until ON token (until);"

#define STEP_AFTER                                                                                 \
    "INSERT INTO store SELECT identity, last, (SELECT max(number) FROM token),"                    \
    " (SELECT count(*) FROM token) FROM about;"                                                    \
    "INSERT INTO tokens SELECT number, name, digest, until, iif(until IS NULL, NULL, 0),"          \
    " CAST('' AS BLOB), 0, made, 0, json FROM token;"                                              \
    "DROP TABLE token; DROP TABLE about;"

const struct weir_sqlite_schema *older_schema(void)
{
    static char step[4096];
    static const char *const steps[] = {step};
    static struct weir_sqlite_schema schema;

    step[0] = '\0';
    for (const char *const *object = weir_sqlite_schema.objects; *object != NULL; object++) {
        (void)snprintf(step + strlen(step), sizeof step - strlen(step), "%s;", *object);
    }
    (void)snprintf(step + strlen(step), sizeof step - strlen(step), "%s", STEP_AFTER);
    schema = weir_sqlite_schema;
    schema.steps = steps;
    return &schema;
}

const struct weir_sqlite_schema *newer_schema(void)
{
    static const char *const steps[] = {NULL, "SELECT 1"};
    static struct weir_sqlite_schema schema;

    schema = weir_sqlite_schema;
    schema.version++;
    schema.steps = steps;
    return &schema;
}

void older_make(const char *path)
{
    sqlite3 *database = NULL;

    ck_assert_int_eq(sqlite3_open(path, &database), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(database, OLDER, NULL, NULL, NULL), SQLITE_OK);
    ck_assert_int_eq(sqlite3_close(database), SQLITE_OK);
}

static bool is_second(const struct weir_stored_token *token)
{
    return token->issue_number == 3 && token->expires && token->expires_at.seconds == 7 &&
           token->issued_at.seconds == 101 && token->issued_by.length == 0 &&
           token->declaration.length == 7 && memcmp(token->declaration.bytes, "{\"a\":1}", 7) == 0;
}

const char *older_difference(struct weir_store *store)
{
    struct weir_stored_token token;
    uint64_t sequence = 0;
    uint64_t tokens = 0;
    uint64_t number = 0;
    uint8_t identity[16];
    bool same = false;

    weir_store_identity(store, identity);
    same = memcmp(identity, "0123456789abcdef", 16) == 0 &&
           weir_store_begin(store, true, NULL) == WEIR_OK &&
           weir_store_sequence(store, &sequence, NULL) == WEIR_OK && sequence == 5 &&
           weir_store_count(store, &tokens, NULL) == WEIR_OK && tokens == 2 &&
           weir_store_next_issue_number(store, &number, NULL) == WEIR_OK && number == 4 &&
           weir_store_find(store, WEIR_TEXT("first"), &token, NULL) == WEIR_OK &&
           token.issue_number == 1 && !token.expires &&
           weir_store_find(store, WEIR_TEXT("second"), &token, NULL) == WEIR_OK &&
           is_second(&token);
    weir_store_rollback(store);
    return same ? NULL : "not what the older store was";
}
