/*
 * sqlite_store.c - a store's transactions.
 *
 * The counters are read when a transaction begins, counted in memory, and written when it commits.
 * A call that fails leaves its transaction half-done, or SQLite has rolled it back by itself: it
 * then changes nothing more, and can only be rolled back, which is what committing it does.
 *
 * A commit that fails is in doubt. It is told as failed, but if it was its sync that failed it is
 * whole in the WAL, and whoever reads that next, after a crash, takes it for done. Nor may another
 * transaction be written in its place: a WAL's checksum is a sum, so that a frame's header that is
 * torn while it is written over a former one's may, with that one's page, add up. So the log begins
 * anew, with other salts, at once, or before the next transaction that writes: what is committed is
 * written back, the WAL truncated, and a transaction that changes nothing written, whose sync makes
 * it so. The same when a store is opened, whose last owner may have been killed while it committed:
 * what is found is durable before anybody is told of it.
 */
#include "authority/sqlite_store.h"

#include <assert.h>
#include <string.h>

#include "authority/sqlite_database.h"
#include "vocabulary/failure.h"
#include "vocabulary/text.h"

#define ISSUE_COLUMNS "issue_number, id, digest, expires_seconds, expires_nanoseconds"
#define ISSUE_COLUMN_COUNT 5
#define TOKEN_COLUMNS                                                                              \
    ISSUE_COLUMNS                                                                                  \
    ", issued_by, issued_by_number, issued_seconds, issued_nanoseconds, declaration"
#define CHANGE_COLUMNS                                                                             \
    "sequence, kind, id, issue_number, by_id, by_number, at_seconds, at_nanoseconds"

static const char *const statement_texts[WEIR_STATEMENT_COUNT] = {
    [WEIR_STATEMENT_BEGIN_READING] = "BEGIN",
    [WEIR_STATEMENT_BEGIN_WRITING] = "BEGIN IMMEDIATE",
    [WEIR_STATEMENT_COMMIT] = "COMMIT",
    [WEIR_STATEMENT_ROLLBACK] = "ROLLBACK",
    [WEIR_STATEMENT_READ_COUNTERS] = "SELECT sequence, issue_number, tokens, identity FROM store",
    [WEIR_STATEMENT_WRITE_COUNTERS] =
        "UPDATE store SET sequence = ?1, issue_number = ?2, tokens = ?3",
    [WEIR_STATEMENT_FIND] = "SELECT " TOKEN_COLUMNS " FROM tokens WHERE id = ?1",
    [WEIR_STATEMENT_FIND_BY_DIGEST] = "SELECT " TOKEN_COLUMNS " FROM tokens WHERE digest = ?1",
    [WEIR_STATEMENT_ISSUE] =
        "INSERT INTO tokens (" TOKEN_COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    [WEIR_STATEMENT_REMOVE] = "DELETE FROM tokens WHERE issue_number = ?1 AND id = ?2",
    [WEIR_STATEMENT_LOG] =
        "INSERT INTO changes (" CHANGE_COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    [WEIR_STATEMENT_EACH] =
        "SELECT " TOKEN_COLUMNS " FROM tokens WHERE id >= ?1 AND id < ?2 ORDER BY id",
    [WEIR_STATEMENT_EACH_ISSUE] =
        "SELECT " ISSUE_COLUMNS " FROM tokens WHERE id >= ?1 AND id < ?2 ORDER BY id",
    [WEIR_STATEMENT_ALL] = "SELECT " TOKEN_COLUMNS " FROM tokens",
    [WEIR_STATEMENT_ALL_ISSUES] = "SELECT " ISSUE_COLUMNS " FROM tokens",
    [WEIR_STATEMENT_EXPIRED] = "SELECT " ISSUE_COLUMNS " FROM tokens WHERE expires_seconds <= ?1"
                               " ORDER BY expires_seconds, expires_nanoseconds",
    /* Each half in an index of its own: those that have expired, of any id, are few. */
    [WEIR_STATEMENT_COUNT_LIVING] =
        "SELECT (SELECT count(*) FROM tokens WHERE id >= ?1 AND id < ?2) -"
        " (SELECT count(*) FROM tokens INDEXED BY tokens_expiring WHERE expires_seconds <= ?3"
        " AND (expires_seconds < ?3 OR expires_nanoseconds <= ?4) AND id >= ?1 AND id < ?2)",
    [WEIR_STATEMENT_CHANGES] =
        "SELECT " CHANGE_COLUMNS " FROM changes WHERE sequence > ?1 ORDER BY sequence",
    [WEIR_STATEMENT_OLDEST_CHANGES] =
        "SELECT sequence, at_seconds, at_nanoseconds FROM changes ORDER BY sequence LIMIT ?1",
    [WEIR_STATEMENT_FORGET] = "DELETE FROM changes WHERE sequence <= ?1",
};

/*
 * ---- Statements ----
 */

static enum weir_status fail(struct weir_store *store, int code, const char *what,
                             struct weir_error *error)
{
    store->failed = true;
    return weir_sqlite_fail(store->database, code, what, error);
}

/* Nothing more is changed by a transaction of which a part has failed. */
static enum weir_status expect_whole(const struct weir_store *store, struct weir_error *error)
{
    return store->failed ? weir_fail(error, WEIR_ERROR_IO, "a part of the transaction has failed")
                         : WEIR_OK;
}

static enum weir_status fail_damaged(const char *what, struct weir_error *error)
{
    return weir_fail(error, WEIR_ERROR_DAMAGED, "the store is damaged: %s", what);
}

/* Ends what a former call has handed out. */
static void take_back(struct weir_store *store)
{
    if (store->handed_out != NULL) {
        (void)sqlite3_reset(store->handed_out);
        store->handed_out = NULL;
    }
}

/* A statement, ready for what is bound to it. */
static sqlite3_stmt *statement_of(struct weir_store *store, enum weir_store_statement which)
{
    take_back(store);
    return store->statements[which];
}

/* Runs a statement that has no rows. A code of SQLite's. */
static int run(sqlite3_stmt *statement)
{
    int code = sqlite3_step(statement);

    (void)sqlite3_reset(statement);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

static enum weir_status run_simple(struct weir_store *store, enum weir_store_statement which,
                                   const char *what, struct weir_error *error)
{
    int code = run(statement_of(store, which));

    return code == SQLITE_OK ? WEIR_OK : fail(store, code, what, error);
}

/*
 * Values are bound one after the other; the first that fails is told, when all are. Bytes must live
 * until the statement has run. Binding to a statement that stands at a row is misuse: it never does
 * here, for it was taken back.
 */
struct binding {
    sqlite3_stmt *statement;
    int next;
    int code;
};

static void bind_number(struct binding *binding, int64_t number)
{
    int code = sqlite3_bind_int64(binding->statement, binding->next++, number);

    binding->code = binding->code == SQLITE_OK ? code : binding->code;
}

static void bind_bytes(struct binding *binding, const void *bytes, size_t size)
{
    /* NULL would bind a NULL. */
    int code = sqlite3_bind_blob64(binding->statement, binding->next++, size > 0 ? bytes : "", size,
                                   SQLITE_STATIC);

    binding->code = binding->code == SQLITE_OK ? code : binding->code;
}

static void bind_text(struct binding *binding, struct weir_text text)
{
    int code =
        sqlite3_bind_text64(binding->statement, binding->next++, text.length > 0 ? text.bytes : "",
                            text.length, SQLITE_STATIC, SQLITE_UTF8);

    binding->code = binding->code == SQLITE_OK ? code : binding->code;
}

static void bind_instant(struct binding *binding, struct weir_instant instant)
{
    bind_number(binding, instant.seconds);
    bind_number(binding, instant.nanoseconds);
}

static void bind_nothing(struct binding *binding)
{
    int code = sqlite3_bind_null(binding->statement, binding->next++);

    binding->code = binding->code == SQLITE_OK ? code : binding->code;
}

/*
 * ---- Rows ----
 *
 * STRICT tables have the types that they say; what a damaged file says is seen here.
 */

struct row {
    sqlite3_stmt *statement;
    int next;
    bool damaged;
};

static int64_t take_number(struct row *row, int64_t least)
{
    int column = row->next++;
    int64_t number = sqlite3_column_int64(row->statement, column);

    row->damaged |= sqlite3_column_type(row->statement, column) != SQLITE_INTEGER || number < least;
    return number;
}

static struct weir_text take_text(struct row *row, int type, size_t longest)
{
    int column = row->next++;
    const char *bytes = sqlite3_column_blob(row->statement, column);
    struct weir_text text = {bytes, (size_t)sqlite3_column_bytes(row->statement, column)};

    row->damaged |= sqlite3_column_type(row->statement, column) != type || text.length > longest;
    return text;
}

static struct weir_instant take_instant(struct row *row)
{
    int64_t seconds = take_number(row, INT64_MIN);
    int64_t nanoseconds = take_number(row, 0);

    row->damaged |= nanoseconds > 999999999;
    return (struct weir_instant){seconds, (uint32_t)nanoseconds};
}

static void take_digest(struct row *row, uint8_t digest[WEIR_DIGEST_SIZE])
{
    struct weir_text bytes = take_text(row, SQLITE_BLOB, WEIR_DIGEST_SIZE);

    row->damaged |= bytes.length != WEIR_DIGEST_SIZE;
    if (!row->damaged) {
        memcpy(digest, bytes.bytes, WEIR_DIGEST_SIZE);
    }
}

/* False: there is none. */
static bool take_expiry(struct row *row, struct weir_instant *instant)
{
    if (sqlite3_column_type(row->statement, row->next) == SQLITE_NULL) {
        row->damaged |= sqlite3_column_type(row->statement, row->next + 1) != SQLITE_NULL;
        row->next += 2;
        return false;
    }
    *instant = take_instant(row);
    return true;
}

/* Of TOKEN_COLUMNS, or ISSUE_COLUMNS. */
static enum weir_status read_token(sqlite3_stmt *statement, struct weir_stored_token *token,
                                   struct weir_error *error)
{
    struct row row = {statement, 0, false};

    *token = (struct weir_stored_token){0};
    token->issue_number = (uint64_t)take_number(&row, 1);
    token->id = take_text(&row, SQLITE_BLOB, WEIR_TOKEN_ID_MAX);
    take_digest(&row, token->digest);
    token->expires = take_expiry(&row, &token->expires_at);
    if (sqlite3_column_count(statement) > ISSUE_COLUMN_COUNT) {
        token->issued_by = take_text(&row, SQLITE_BLOB, WEIR_TOKEN_ID_MAX);
        token->issued_by_number = (uint64_t)take_number(&row, 0);
        token->issued_at = take_instant(&row);
        token->declaration = take_text(&row, SQLITE_TEXT, SIZE_MAX);
    }
    if (row.damaged || token->id.length == 0) {
        return fail_damaged("a token that none can be", error);
    }
    return WEIR_OK;
}

/* Of CHANGE_COLUMNS. */
static enum weir_status read_change(sqlite3_stmt *statement, struct weir_logged_change *change,
                                    struct weir_error *error)
{
    struct row row = {statement, 0, false};
    int64_t kind = 0;

    *change = (struct weir_logged_change){0};
    change->sequence = (uint64_t)take_number(&row, 1);
    kind = take_number(&row, WEIR_CHANGE_ISSUED);
    change->id = take_text(&row, SQLITE_BLOB, WEIR_TOKEN_ID_MAX);
    change->issue_number = (uint64_t)take_number(&row, 1);
    change->by = take_text(&row, SQLITE_BLOB, WEIR_TOKEN_ID_MAX);
    change->by_number = (uint64_t)take_number(&row, 0);
    change->at = take_instant(&row);
    if (row.damaged || kind > WEIR_CHANGE_EXPIRED || change->id.length == 0) {
        return fail_damaged("a change that none can be", error);
    }
    change->kind = (enum weir_change_kind)kind;
    return WEIR_OK;
}

static bool is_after(struct weir_instant left, struct weir_instant right)
{
    return left.seconds != right.seconds ? left.seconds > right.seconds
                                         : left.nanoseconds > right.nanoseconds;
}

/*
 * ---- Transactions ----
 */

/* `identity` may be NULL. */
static enum weir_status read_counters(struct weir_store *store, uint8_t *identity,
                                      struct weir_error *error)
{
    sqlite3_stmt *statement = statement_of(store, WEIR_STATEMENT_READ_COUNTERS);
    struct row row = {statement, 0, false};
    int code = sqlite3_step(statement);
    struct weir_text bytes;
    enum weir_status status = WEIR_OK;

    if (code == SQLITE_ROW) {
        store->counters.sequence = take_number(&row, 0);
        store->counters.issue_number = take_number(&row, 0);
        store->counters.tokens = take_number(&row, 0);
        bytes = take_text(&row, SQLITE_BLOB, WEIR_STORE_IDENTITY_SIZE);
        row.damaged |= bytes.length != WEIR_STORE_IDENTITY_SIZE;
        if (!row.damaged && identity != NULL) {
            memcpy(identity, bytes.bytes, WEIR_STORE_IDENTITY_SIZE);
        }
        code = sqlite3_step(statement);
    } else {
        row.damaged = true;
    }
    if (code != SQLITE_DONE && code != SQLITE_ROW) {
        status = fail(store, code, "reading the store", error);
    } else if (code == SQLITE_ROW || row.damaged) {
        status = fail_damaged("its counters", error);
    }
    (void)sqlite3_reset(statement);
    return status;
}

static enum weir_status write_counters(struct weir_store *store, struct weir_error *error)
{
    struct binding binding = {statement_of(store, WEIR_STATEMENT_WRITE_COUNTERS), 1, SQLITE_OK};

    bind_number(&binding, store->counters.sequence);
    bind_number(&binding, store->counters.issue_number);
    bind_number(&binding, store->counters.tokens);
    if (binding.code == SQLITE_OK) {
        binding.code = run(binding.statement);
    }
    return binding.code == SQLITE_OK ? WEIR_OK
                                     : fail(store, binding.code, "writing the store", error);
}

static enum weir_status begin(struct weir_store *store, bool writes, struct weir_error *error)
{
    enum weir_status status =
        run_simple(store, writes ? WEIR_STATEMENT_BEGIN_WRITING : WEIR_STATEMENT_BEGIN_READING,
                   "begin", error);

    store->counted = false;
    store->failed = false;
    if (status == WEIR_OK) {
        status = read_counters(store, NULL, error);
        if (status != WEIR_OK) {
            weir_store_rollback(store);
        }
    }
    return status;
}

/* What is committed is written back, and durable; what is written next begins the WAL. A code of
 * SQLite's. */
static int begin_log_anew(struct weir_store *store)
{
    take_back(store);
    return sqlite3_wal_checkpoint_v2(store->database, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
}

/* A transaction that changes nothing. What is as it was is not written; what was changed and
 * changed back is. */
static enum weir_status write_nothing(struct weir_store *store, struct weir_error *error)
{
    enum weir_status status = begin(store, true, error);

    if (status != WEIR_OK) {
        return status;
    }
    store->counters.sequence ^= 1;
    status = write_counters(store, error);
    store->counters.sequence ^= 1;
    if (status == WEIR_OK) {
        status = write_counters(store, error);
    }
    if (status == WEIR_OK) {
        status = run_simple(store, WEIR_STATEMENT_COMMIT, "commit", error);
    }
    if (status != WEIR_OK) {
        weir_store_rollback(store);
    }
    return status;
}

/* What was in doubt has not happened. */
static enum weir_status settle(struct weir_store *store, struct weir_error *error)
{
    int code = begin_log_anew(store);
    enum weir_status status = WEIR_OK;

    if (code != SQLITE_OK) {
        return weir_sqlite_fail(store->database, code, "beginning the store's log anew", error);
    }
    status = write_nothing(store, error);
    store->in_doubt = status != WEIR_OK;
    return status;
}

enum weir_status weir_store_begin(struct weir_store *store, bool writes, struct weir_error *error)
{
    if (writes && store->in_doubt) {
        enum weir_status status = settle(store, error);

        if (status != WEIR_OK) {
            return status;
        }
    }
    return begin(store, writes, error);
}

enum weir_status weir_store_commit(struct weir_store *store, struct weir_error *error)
{
    enum weir_status status = expect_whole(store, error);

    if (status == WEIR_OK && store->counted) {
        status = write_counters(store, error);
    }
    if (status == WEIR_OK) {
        status = run_simple(store, WEIR_STATEMENT_COMMIT, "commit", error);
        store->in_doubt = status != WEIR_OK;
    }
    if (status != WEIR_OK) {
        weir_store_rollback(store);
    }
    if (store->in_doubt) {
        (void)settle(store, NULL);
    }
    return status;
}

void weir_store_rollback(struct weir_store *store)
{
    take_back(store);
    /* SQLite has rolled back already where it could not go on. */
    if (sqlite3_get_autocommit(store->database) == 0) {
        (void)run(store->statements[WEIR_STATEMENT_ROLLBACK]);
    }
}

/*
 * ---- Looking ----
 */

static enum weir_status find(struct weir_store *store, struct binding *binding,
                             struct weir_stored_token *token, struct weir_error *error)
{
    int code = binding->code == SQLITE_OK ? sqlite3_step(binding->statement) : binding->code;
    enum weir_status status = WEIR_OK;

    if (code == SQLITE_ROW) {
        store->handed_out = binding->statement;
        return read_token(binding->statement, token, error);
    }
    status = code == SQLITE_DONE ? weir_fail(error, WEIR_ERROR_NOT_FOUND, "there is no such token")
                                 : fail(store, code, "looking for a token", error);
    (void)sqlite3_reset(binding->statement);
    return status;
}

enum weir_status weir_store_find(struct weir_store *store, struct weir_text id,
                                 struct weir_stored_token *token, struct weir_error *error)
{
    struct binding binding = {statement_of(store, WEIR_STATEMENT_FIND), 1, SQLITE_OK};

    bind_bytes(&binding, id.bytes, id.length);
    return find(store, &binding, token, error);
}

enum weir_status weir_store_find_by_digest(struct weir_store *store,
                                           const uint8_t digest[WEIR_DIGEST_SIZE],
                                           struct weir_stored_token *token,
                                           struct weir_error *error)
{
    struct binding binding = {statement_of(store, WEIR_STATEMENT_FIND_BY_DIGEST), 1, SQLITE_OK};

    bind_bytes(&binding, digest, WEIR_DIGEST_SIZE);
    return find(store, &binding, token, error);
}

enum weir_status weir_store_sequence(struct weir_store *store, uint64_t *sequence,
                                     struct weir_error *error)
{
    (void)error;
    take_back(store);
    *sequence = (uint64_t)store->counters.sequence;
    return WEIR_OK;
}

enum weir_status weir_store_count(struct weir_store *store, uint64_t *tokens,
                                  struct weir_error *error)
{
    (void)error;
    take_back(store);
    *tokens = (uint64_t)store->counters.tokens;
    return WEIR_OK;
}

/* Which of the rows are visited. */
enum row_choice { CHOOSE_ROW, SKIP_ROW, END_ROWS };
typedef enum row_choice row_chooser(const struct weir_stored_token *token, struct weir_instant now);

static enum row_choice choose_any(const struct weir_stored_token *token, struct weir_instant now)
{
    (void)token;
    (void)now;
    return CHOOSE_ROW;
}

static enum row_choice choose_living(const struct weir_stored_token *token, struct weir_instant now)
{
    return !token->expires || is_after(token->expires_at, now) ? CHOOSE_ROW : SKIP_ROW;
}

static enum row_choice choose_expired(const struct weir_stored_token *token,
                                      struct weir_instant now)
{
    return is_after(token->expires_at, now) ? END_ROWS : CHOOSE_ROW;
}

static enum weir_status visit_tokens(struct weir_store *store, struct binding *binding,
                                     row_chooser *choose, struct weir_instant now,
                                     weir_stored_token_visitor *visit, void *context,
                                     struct weir_error *error)
{
    int code = binding->code;
    enum weir_status status = WEIR_OK;

    while (status == WEIR_OK && code == SQLITE_OK) {
        struct weir_stored_token token;
        enum row_choice choice = SKIP_ROW;

        code = sqlite3_step(binding->statement);
        if (code != SQLITE_ROW) {
            break;
        }
        code = SQLITE_OK;
        status = read_token(binding->statement, &token, error);
        if (status == WEIR_OK) {
            choice = choose(&token, now);
        }
        if (choice == END_ROWS || (choice == CHOOSE_ROW && !visit(context, &token))) {
            break;
        }
    }
    if (status == WEIR_OK && code != SQLITE_OK && code != SQLITE_DONE) {
        status = fail(store, code, "reading the tokens", error);
    }
    (void)sqlite3_reset(binding->statement);
    return status;
}

/* The first id that may be visited. A NUL is the least that can follow: an id plus a NUL comes next
 * to it. What follows the longest possible id in `after` makes it greater, not equal. */
static size_t lower_bound(struct weir_text prefix, struct weir_text after, bool after_included,
                          char bound[WEIR_TOKEN_ID_MAX + 1])
{
    size_t length = after.length < WEIR_TOKEN_ID_MAX ? after.length : WEIR_TOKEN_ID_MAX;

    if (weir_text_compare(after, prefix) < 0) {
        memcpy(bound, prefix.bytes, prefix.length);
        return prefix.length;
    }
    memcpy(bound, length > 0 ? after.bytes : "", length);
    if (!after_included || length < after.length) {
        bound[length++] = '\0';
    }
    return length;
}

/* The least that comes after everything that begins with the prefix. */
static size_t upper_bound(struct weir_text prefix, char bound[WEIR_TOKEN_ID_MAX + 1])
{
    size_t length = prefix.length;

    while (length > 0 && (unsigned char)prefix.bytes[length - 1] == 0xff) {
        length--;
    }
    if (length == 0) {
        /* Greater than any id, which is shorter. */
        memset(bound, 0xff, WEIR_TOKEN_ID_MAX + 1);
        return WEIR_TOKEN_ID_MAX + 1;
    }
    memcpy(bound, prefix.bytes, length);
    bound[length - 1] = (char)((unsigned char)bound[length - 1] + 1);
    return length;
}

enum weir_status weir_store_each(struct weir_store *store, struct weir_text prefix,
                                 struct weir_text after, bool after_included,
                                 struct weir_instant now, weir_stored_token_visitor *visit,
                                 void *context, struct weir_error *error)
{
    struct binding binding = {statement_of(store, WEIR_STATEMENT_EACH), 1, SQLITE_OK};
    char lower[WEIR_TOKEN_ID_MAX + 1];
    char upper[WEIR_TOKEN_ID_MAX + 1];

    if (prefix.length > WEIR_TOKEN_ID_MAX) {
        return WEIR_OK;
    }
    bind_bytes(&binding, lower, lower_bound(prefix, after, after_included, lower));
    bind_bytes(&binding, upper, upper_bound(prefix, upper));
    return visit_tokens(store, &binding, choose_living, now, visit, context, error);
}

enum weir_status weir_store_each_issue(struct weir_store *store, struct weir_text prefix,
                                       struct weir_instant now, weir_stored_token_visitor *visit,
                                       void *context, struct weir_error *error)
{
    struct binding binding = {statement_of(store, WEIR_STATEMENT_EACH_ISSUE), 1, SQLITE_OK};
    char upper[WEIR_TOKEN_ID_MAX + 1];

    if (prefix.length > WEIR_TOKEN_ID_MAX) {
        return WEIR_OK;
    }
    bind_bytes(&binding, prefix.bytes, prefix.length);
    bind_bytes(&binding, upper, upper_bound(prefix, upper));
    return visit_tokens(store, &binding, choose_living, now, visit, context, error);
}

enum weir_status weir_store_count_living(struct weir_store *store, struct weir_text prefix,
                                         struct weir_instant now, uint64_t *tokens,
                                         struct weir_error *error)
{
    struct binding binding = {statement_of(store, WEIR_STATEMENT_COUNT_LIVING), 1, SQLITE_OK};
    struct row row = {binding.statement, 0, false};
    char upper[WEIR_TOKEN_ID_MAX + 1];
    enum weir_status status = WEIR_OK;

    *tokens = 0;
    if (prefix.length > WEIR_TOKEN_ID_MAX) {
        return WEIR_OK;
    }
    bind_bytes(&binding, prefix.bytes, prefix.length);
    bind_bytes(&binding, upper, upper_bound(prefix, upper));
    bind_instant(&binding, now);
    if (binding.code == SQLITE_OK) {
        binding.code = sqlite3_step(binding.statement);
    }
    if (binding.code == SQLITE_ROW) {
        *tokens = (uint64_t)take_number(&row, 0);
        status = row.damaged ? fail_damaged("its indexes disagree", error) : WEIR_OK;
    } else {
        status = fail(store, binding.code, "counting the tokens", error);
    }
    (void)sqlite3_reset(binding.statement);
    return status;
}

enum weir_status weir_store_all_issues(struct weir_store *store, weir_stored_token_visitor *visit,
                                       void *context, struct weir_error *error)
{
    struct binding binding = {statement_of(store, WEIR_STATEMENT_ALL_ISSUES), 1, SQLITE_OK};

    return visit_tokens(store, &binding, choose_any, (struct weir_instant){0}, visit, context,
                        error);
}

enum weir_status weir_store_all(struct weir_store *store, weir_stored_token_visitor *visit,
                                void *context, struct weir_error *error)
{
    struct binding binding = {statement_of(store, WEIR_STATEMENT_ALL), 1, SQLITE_OK};

    return visit_tokens(store, &binding, choose_any, (struct weir_instant){0}, visit, context,
                        error);
}

enum weir_status weir_store_expired(struct weir_store *store, struct weir_instant now,
                                    weir_stored_token_visitor *visit, void *context,
                                    struct weir_error *error)
{
    struct binding binding = {statement_of(store, WEIR_STATEMENT_EXPIRED), 1, SQLITE_OK};

    bind_number(&binding, now.seconds);
    return visit_tokens(store, &binding, choose_expired, now, visit, context, error);
}

/*
 * ---- Changing ----
 */

enum weir_status weir_store_next_issue_number(struct weir_store *store, uint64_t *number,
                                              struct weir_error *error)
{
    take_back(store);
    if (store->counters.issue_number == INT64_MAX) {
        return weir_fail(error, WEIR_ERROR_LIMIT, "the store has no more issue numbers");
    }
    *number = (uint64_t)++store->counters.issue_number;
    store->counted = true;
    return WEIR_OK;
}

/* Logs it under the number after the last, which is filled in. */
static enum weir_status log_change(struct weir_store *store, struct weir_logged_change *change,
                                   struct weir_error *error)
{
    struct binding binding = {statement_of(store, WEIR_STATEMENT_LOG), 1, SQLITE_OK};

    if (store->counters.sequence == INT64_MAX) {
        store->failed = true;
        return weir_fail(error, WEIR_ERROR_LIMIT, "the store has no more numbers for changes");
    }
    bind_number(&binding, store->counters.sequence + 1);
    bind_number(&binding, change->kind);
    bind_bytes(&binding, change->id.bytes, change->id.length);
    bind_number(&binding, (int64_t)change->issue_number);
    bind_bytes(&binding, change->by.bytes, change->by.length);
    bind_number(&binding, (int64_t)change->by_number);
    bind_instant(&binding, change->at);
    if (binding.code == SQLITE_OK) {
        binding.code = run(binding.statement);
    }
    if (binding.code != SQLITE_OK) {
        return fail(store, binding.code, "logging a change", error);
    }
    change->sequence = (uint64_t)++store->counters.sequence;
    store->counted = true;
    return WEIR_OK;
}

/* A code of SQLite's. */
static int insert_token(struct weir_store *store, const struct weir_stored_token *token)
{
    struct binding binding = {statement_of(store, WEIR_STATEMENT_ISSUE), 1, SQLITE_OK};

    bind_number(&binding, (int64_t)token->issue_number);
    bind_bytes(&binding, token->id.bytes, token->id.length);
    bind_bytes(&binding, token->digest, WEIR_DIGEST_SIZE);
    if (token->expires) {
        bind_instant(&binding, token->expires_at);
    } else {
        bind_nothing(&binding);
        bind_nothing(&binding);
    }
    bind_bytes(&binding, token->issued_by.bytes, token->issued_by.length);
    bind_number(&binding, (int64_t)token->issued_by_number);
    bind_instant(&binding, token->issued_at);
    bind_text(&binding, token->declaration);
    return binding.code == SQLITE_OK ? run(binding.statement) : binding.code;
}

enum weir_status weir_store_issue(struct weir_store *store, const struct weir_stored_token *token,
                                  uint64_t *sequence, struct weir_error *error)
{
    struct weir_logged_change change = {.kind = WEIR_CHANGE_ISSUED,
                                        .id = token->id,
                                        .issue_number = token->issue_number,
                                        .by = token->issued_by,
                                        .by_number = token->issued_by_number,
                                        .at = token->issued_at};
    int code = SQLITE_OK;
    enum weir_status status = expect_whole(store, error);

    if (status != WEIR_OK) {
        return status;
    }
    assert(token->issue_number - 1 < (uint64_t)store->counters.issue_number);
    code = insert_token(store, token);
    if (code == SQLITE_CONSTRAINT_UNIQUE) {
        return weir_fail(error, WEIR_ERROR_DUPLICATE,
                         "there is a token of this id, or of this credential, already");
    }
    if (code != SQLITE_OK) {
        return fail(store, code, "adding a token", error);
    }
    status = log_change(store, &change, error);
    if (status == WEIR_OK) {
        store->counters.tokens++;
        *sequence = change.sequence;
    }
    return status;
}

enum weir_status weir_store_remove(struct weir_store *store, struct weir_logged_change *change,
                                   struct weir_error *error)
{
    struct binding binding = {statement_of(store, WEIR_STATEMENT_REMOVE), 1, SQLITE_OK};
    enum weir_status status = expect_whole(store, error);

    if (status != WEIR_OK) {
        return status;
    }
    bind_number(&binding, (int64_t)change->issue_number);
    bind_bytes(&binding, change->id.bytes, change->id.length);
    if (binding.code == SQLITE_OK) {
        binding.code = run(binding.statement);
    }
    if (binding.code != SQLITE_OK) {
        return fail(store, binding.code, "removing a token", error);
    }
    if (sqlite3_changes(store->database) == 0) {
        return weir_fail(error, WEIR_ERROR_NOT_FOUND, "there is no such token");
    }
    status = log_change(store, change, error);
    if (status == WEIR_OK) {
        store->counters.tokens--;
    }
    return status;
}

/*
 * ---- The log ----
 */

static enum weir_status fail_forgotten(struct weir_error *error)
{
    return weir_fail(error, WEIR_ERROR_NOT_FOUND, "the log does not have the changes since then");
}

static enum weir_status visit_changes(struct weir_store *store, struct binding *binding,
                                      int64_t sequence, weir_logged_change_visitor *visit,
                                      void *context, struct weir_error *error)
{
    int64_t last = sequence;
    int code = binding->code;

    while (code == SQLITE_OK && (code = sqlite3_step(binding->statement)) == SQLITE_ROW) {
        struct weir_logged_change change;
        enum weir_status status = read_change(binding->statement, &change, error);

        code = SQLITE_OK;
        if (status != WEIR_OK) {
            return status;
        }
        if ((int64_t)change.sequence != last + 1) {
            return last == sequence ? fail_forgotten(error)
                                    : fail_damaged("a change is missing", error);
        }
        last++;
        if (!visit(context, &change)) {
            return WEIR_OK;
        }
    }
    if (code != SQLITE_DONE) {
        return fail(store, code, "reading the log", error);
    }
    if (last != store->counters.sequence) {
        return last == sequence ? fail_forgotten(error)
                                : fail_damaged("the last change is missing", error);
    }
    return WEIR_OK;
}

enum weir_status weir_store_changes(struct weir_store *store, uint64_t sequence,
                                    weir_logged_change_visitor *visit, void *context,
                                    struct weir_error *error)
{
    struct binding binding = {statement_of(store, WEIR_STATEMENT_CHANGES), 1, SQLITE_OK};
    enum weir_status status = WEIR_OK;

    if (sequence > (uint64_t)store->counters.sequence) {
        return fail_forgotten(error);
    }
    bind_number(&binding, (int64_t)sequence);
    status = visit_changes(store, &binding, (int64_t)sequence, visit, context, error);
    (void)sqlite3_reset(binding.statement);
    return status;
}

/* The last of the oldest changes that all happened before `before`; 0: none. */
static enum weir_status last_before(struct weir_store *store, uint64_t sequence,
                                    struct weir_instant before, uint64_t most, int64_t *last,
                                    struct weir_error *error)
{
    struct binding binding = {statement_of(store, WEIR_STATEMENT_OLDEST_CHANGES), 1, SQLITE_OK};
    struct row row = {binding.statement, 0, false};

    *last = 0;
    bind_number(&binding, most < INT64_MAX ? (int64_t)most : INT64_MAX);
    while (binding.code == SQLITE_OK &&
           (binding.code = sqlite3_step(binding.statement)) == SQLITE_ROW) {
        int64_t number = 0;

        row.next = 0;
        number = take_number(&row, 1);
        binding.code = SQLITE_OK;
        if (!is_after(before, take_instant(&row)) || (uint64_t)number > sequence || row.damaged) {
            break;
        }
        *last = number;
    }
    if (row.damaged) {
        (void)sqlite3_reset(binding.statement);
        return fail_damaged("a change that none can be", error);
    }
    if (binding.code != SQLITE_OK && binding.code != SQLITE_DONE) {
        enum weir_status status = fail(store, binding.code, "reading the log", error);

        (void)sqlite3_reset(binding.statement);
        return status;
    }
    (void)sqlite3_reset(binding.statement);
    return WEIR_OK;
}

enum weir_status weir_store_forget(struct weir_store *store, uint64_t sequence,
                                   struct weir_instant before, uint64_t most,
                                   struct weir_error *error)
{
    int64_t last = 0;
    enum weir_status status = expect_whole(store, error);
    struct binding binding = {statement_of(store, WEIR_STATEMENT_FORGET), 1, SQLITE_OK};

    if (status == WEIR_OK) {
        status = last_before(store, sequence, before, most, &last, error);
    }
    if (status != WEIR_OK || last == 0) {
        return status;
    }
    bind_number(&binding, last);
    if (binding.code == SQLITE_OK) {
        binding.code = run(binding.statement);
    }
    if (binding.code != SQLITE_OK) {
        return fail(store, binding.code, "forgetting changes", error);
    }
    return WEIR_OK;
}

/*
 * ---- Opening and closing ----
 */

/* What is cheap to see: the last rows of both tables. */
static enum weir_status check_counters(struct weir_store *store, struct weir_error *error)
{
    int64_t sequence = 0;
    int64_t issue_number = 0;
    enum weir_status status = weir_sqlite_number(
        store->database, "SELECT coalesce(max(sequence), 0) FROM changes", &sequence, error);

    if (status == WEIR_OK) {
        status =
            weir_sqlite_number(store->database, "SELECT coalesce(max(issue_number), 0) FROM tokens",
                               &issue_number, error);
    }
    if (status == WEIR_OK && ((sequence != 0 && sequence != store->counters.sequence) ||
                              issue_number > store->counters.issue_number)) {
        status = fail_damaged("its counters and its tables disagree", error);
    }
    return status;
}

enum weir_status weir_store_begin_use(struct weir_store *store, struct weir_error *error)
{
    enum weir_status status = WEIR_OK;

    for (unsigned i = 0; i < WEIR_STATEMENT_COUNT; i++) {
        int code = sqlite3_prepare_v3(store->database, statement_texts[i], -1,
                                      SQLITE_PREPARE_PERSISTENT, &store->statements[i], NULL);

        if (code != SQLITE_OK) {
            return fail(store, code, "opening the store", error);
        }
    }
    status = read_counters(store, store->identity, error);
    return status == WEIR_OK ? check_counters(store, error) : status;
}

enum weir_status weir_store_begin_log(struct weir_store *store, struct weir_error *error)
{
    int code = begin_log_anew(store);

    /* No room to write back what the WAL has: that has been synced before. */
    store->in_doubt = code == SQLITE_FULL;
    return code == SQLITE_OK || code == SQLITE_FULL
               ? WEIR_OK
               : weir_sqlite_fail(store->database, code, "opening the store's log", error);
}

void weir_store_end_use(struct weir_store *store)
{
    if (store->statements[WEIR_STATEMENT_ROLLBACK] != NULL) {
        weir_store_rollback(store);
    }
    if (store->in_doubt) {
        (void)settle(store, NULL);
    }
    for (unsigned i = 0; i < WEIR_STATEMENT_COUNT; i++) {
        (void)sqlite3_finalize(store->statements[i]);
    }
}
