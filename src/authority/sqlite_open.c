/*
 * sqlite_open.c - opening a store, and refusing what is none without leaving a trace.
 *
 * The file is locked (flock) by a descriptor of our own before SQLite opens it, and until SQLite
 * has closed it: closing a descriptor drops all POSIX locks that its process has on the file,
 * SQLite's among them. SQLite is told that it has the file to itself as well. It then keeps other
 * programs out, and its index of the WAL in memory of its own: there is no third file, and no
 * mapped one.
 */
#include "authority/sqlite_store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "authority/sqlite_database.h"
#include "vocabulary/failure.h"
#include "vocabulary/memory.h"

/*
 * ---- The file ----
 */

/* That the path leads to the open file still. */
static enum weir_status expect_at(const char *path, const struct stat *file,
                                  struct weir_error *error)
{
    struct stat there;
    bool found = stat(path, &there) == 0;

    if (!found && errno != ENOENT) {
        return weir_fail_errno(error, "stat");
    }
    if (!found || there.st_ino != file->st_ino || there.st_dev != file->st_dev) {
        return weir_fail(error, WEIR_ERROR_BUSY, "the file was replaced while it was opened");
    }
    return WEIR_OK;
}

static enum weir_status lock_file(int file, const char *path, struct weir_error *error)
{
    struct stat facts;

    if (fstat(file, &facts) != 0) {
        return weir_fail_errno(error, "fstat");
    }
    if (!S_ISREG(facts.st_mode)) {
        return weir_fail(error, WEIR_ERROR_DAMAGED, "not a regular file");
    }
    if (flock(file, LOCK_EX | LOCK_NB) != 0) {
        return errno == EWOULDBLOCK
                   ? weir_fail(error, WEIR_ERROR_BUSY, "another process owns the store")
                   : weir_fail_errno(error, "flock");
    }
    return expect_at(path, &facts, error);
}

static enum weir_status open_file(const char *path, bool create, int *file,
                                  struct weir_error *error)
{
    /* O_NONBLOCK: opening what is no file must not wait. */
    int flags = O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | (create ? O_CREAT : 0);
    int opened = open(path, flags, 0600);
    enum weir_status status = WEIR_OK;

    if (opened < 0) {
        return errno == ENOENT && !create
                   ? weir_fail(error, WEIR_ERROR_NOT_FOUND, "there is no store")
                   : weir_fail_errno(error, "open");
    }
    status = lock_file(opened, path, error);
    if (status != WEIR_OK) {
        (void)close(opened);
        return status;
    }
    *file = opened;
    return WEIR_OK;
}

/* Whether there may be something in a file that SQLite keeps beside the store. */
static bool has_beside(const char *path, const char *suffix)
{
    char name[PATH_MAX + 16];
    struct stat facts;

    (void)snprintf(name, sizeof name, "%s%s", path, suffix);
    return stat(name, &facts) == 0 ? facts.st_size > 0 : errno != ENOENT;
}

/*
 * ---- Its header, before SQLite sees it ----
 */

#define HEADER_SIZE 100 /* of https://www.sqlite.org/fileformat.html, 1.3 */
#define HEADER_ENCODING 56
#define HEADER_USER_VERSION 60
#define HEADER_APPLICATION_ID 68

static uint32_t number_at(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* A file whose header is another's, or a newer version's, is not for SQLite to open. One that was
 * being written when the power failed may have anything for a header: what it is to be stands in
 * the file beside it. */
static enum weir_status check_header(int file, const char *path,
                                     const struct weir_sqlite_schema *schema, bool *empty,
                                     struct weir_error *error)
{
    uint8_t header[HEADER_SIZE];
    ssize_t size = pread(file, header, sizeof header, 0);

    if (size < 0) {
        return weir_fail_errno(error, "pread");
    }
    *empty = size == 0;
    if (size == sizeof header && memcmp(header, "SQLite format 3", 16) == 0 &&
        number_at(header + HEADER_ENCODING) <= SQLITE_UTF8) {
        return weir_sqlite_check_version(schema, number_at(header + HEADER_APPLICATION_ID),
                                         (int32_t)number_at(header + HEADER_USER_VERSION), error);
    }
    if (*empty || has_beside(path, "-journal") || has_beside(path, "-wal")) {
        return WEIR_OK;
    }
    return weir_fail(error, WEIR_ERROR_DAMAGED, "no store: not a database of SQLite's");
}

/*
 * ---- The database ----
 */

/* What a file could bring along and have run is switched off: triggers, views, functions in its
 * schema. A code of SQLite's. */
static int harden(sqlite3 *database)
{
    static const struct {
        int option;
        int value;
    } options[] = {
        {SQLITE_DBCONFIG_DEFENSIVE, 1},      {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
        {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0}, {SQLITE_DBCONFIG_ENABLE_VIEW, 0},
        {SQLITE_DBCONFIG_DQS_DDL, 0},        {SQLITE_DBCONFIG_DQS_DML, 0},
    };
    int code = SQLITE_OK;

    for (size_t i = 0; code == SQLITE_OK && i < sizeof options / sizeof options[0]; i++) {
        code = sqlite3_db_config(database, options[i].option, options[i].value, NULL);
    }
    return code;
}

/*
 * locking_mode comes before anything is read. With less than FULL a power cut could undo what was
 * acknowledged. The WAL is written back at four megabytes: often enough that no commit waits long
 * for it, seldom enough that pages which change often are written once. Nothing is written to
 * it before its transaction commits, however large that is. Nothing in the file is secret: what is
 * deleted need not be overwritten.
 */
static const char settings[] = "PRAGMA locking_mode = EXCLUSIVE;"
                               "PRAGMA cell_size_check = ON;"
                               "PRAGMA mmap_size = 0;"
                               "PRAGMA synchronous = FULL;"
                               "PRAGMA temp_store = MEMORY;"
                               "PRAGMA secure_delete = OFF;"
                               "PRAGMA cache_size = -16384;"
                               "PRAGMA cache_spill = OFF;"
                               "PRAGMA wal_autocheckpoint = 1000;"
                               "PRAGMA journal_size_limit = 16777216;";

static enum weir_status open_database(const char *path, sqlite3 **database,
                                      struct weir_error *error)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    int code = sqlite3_open_v2(path, database, flags, NULL);

    if (code == SQLITE_OK) {
        code = harden(*database);
    }
    /* While there is something in the WAL that has not been accepted, it stays. */
    if (code == SQLITE_OK && has_beside(path, "-wal")) {
        code = sqlite3_db_config(*database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    }
    if (code != SQLITE_OK) {
        return weir_sqlite_fail(*database, code, "opening the store", error);
    }
    return weir_sqlite_run(*database, settings, "opening the store", error);
}

/* The mode is told first, and written to the file when that was taken. */
static enum weir_status use_wal(sqlite3 *database, struct weir_error *error)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(database, "PRAGMA journal_mode = WAL", -1, &statement, NULL);
    bool is_wal = false;
    enum weir_status status = WEIR_OK;

    if (code == SQLITE_OK) {
        code = sqlite3_step(statement);
    }
    if (code == SQLITE_ROW) {
        const char *mode = (const char *)sqlite3_column_text(statement, 0);

        is_wal = mode != NULL && strcmp(mode, "wal") == 0;
        code = sqlite3_step(statement);
    }
    if (code != SQLITE_DONE) {
        status = weir_sqlite_fail(database, code, "opening the store's log", error);
    } else if (!is_wal) {
        status = weir_fail(error, WEIR_ERROR_IO, "the store cannot have a write-ahead log");
    }
    (void)sqlite3_finalize(statement);
    return status;
}

static enum weir_status create_or_migrate(struct weir_store *store,
                                          const struct weir_sqlite_schema *schema, bool create,
                                          struct weir_error *error)
{
    int64_t pages = 0;
    int64_t version = 0;
    enum weir_status status =
        weir_sqlite_number(store->database, "PRAGMA page_count", &pages, error);

    if (status == WEIR_OK && pages == 0) {
        if (!create) {
            return weir_fail(error, WEIR_ERROR_NOT_FOUND, "there is no store: the file is empty");
        }
        if (fchmod(store->lock, 0600) != 0) {
            return weir_fail_errno(error, "fchmod");
        }
        return weir_sqlite_create(store->database, schema, error);
    }
    if (status == WEIR_OK && create) {
        status = weir_sqlite_number(store->database, "PRAGMA user_version", &version, error);
    }
    if (status != WEIR_OK) {
        return status;
    }
    if (create && version < schema->version) {
        return weir_fail(error, WEIR_ERROR_DUPLICATE, "there is a store already, of an older Weir");
    }
    return weir_sqlite_migrate(store->database, schema, error);
}

static enum weir_status begin_use(struct weir_store *store, const struct weir_sqlite_schema *schema,
                                  bool create, struct weir_error *error)
{
    enum weir_status status = create_or_migrate(store, schema, create, error);

    if (status == WEIR_OK) {
        status = use_wal(store->database, error);
    }
    if (status == WEIR_OK) {
        status = weir_store_begin_use(store, error);
    }
    if (status != WEIR_OK) {
        return status;
    }
    if (create && (store->counters.sequence > 0 || store->counters.issue_number > 0)) {
        return weir_fail(error, WEIR_ERROR_DUPLICATE, "there is a store already");
    }
    (void)sqlite3_db_config(store->database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
    return weir_store_begin_log(store, error);
}

/*
 * ---- Both ----
 */

static enum weir_status open_locked(struct weir_store *store, const char *path,
                                    const struct weir_sqlite_schema *schema, bool create,
                                    struct weir_error *error)
{
    /* Absolute, without links: what SQLite names its files after, and reads no meaning into. */
    char *real = realpath(path, NULL);
    bool empty = false;
    enum weir_status status = WEIR_OK;

    if (real == NULL) {
        return errno == ENOMEM ? weir_fail_memory(error) : weir_fail_errno(error, "realpath");
    }
    status = check_header(store->lock, real, schema, &empty, error);
    if (status == WEIR_OK && empty && !create) {
        status = weir_fail(error, WEIR_ERROR_NOT_FOUND, "there is no store: the file is empty");
    }
    if (status == WEIR_OK) {
        status = open_database(real, &store->database, error);
    }
    if (status == WEIR_OK) {
        status = begin_use(store, schema, create, error);
    }
    free(real);
    return status;
}

enum weir_status weir_sqlite_store_open(const struct weir_sqlite_schema *schema, const char *path,
                                        bool create, const struct weir_allocator *allocator,
                                        struct weir_store **store, struct weir_error *error)
{
    struct weir_allocator memory = weir_allocator_or_default(allocator);
    struct weir_store *opened = weir_allocate(&memory, sizeof *opened);
    enum weir_status status = WEIR_OK;

    if (opened == NULL) {
        return weir_fail_memory(error);
    }
    *opened = (struct weir_store){.allocator = memory, .lock = -1};
    status = open_file(path, create, &opened->lock, error);
    if (status == WEIR_OK) {
        status = open_locked(opened, path, schema, create, error);
    }
    if (status != WEIR_OK) {
        weir_store_close(opened);
        return status;
    }
    *store = opened;
    return WEIR_OK;
}

enum weir_status weir_store_open(const char *path, bool create,
                                 const struct weir_allocator *allocator, struct weir_store **store,
                                 struct weir_error *error)
{
    return weir_sqlite_store_open(&weir_sqlite_schema, path, create, allocator, store, error);
}

void weir_store_close(struct weir_store *store)
{
    struct weir_allocator memory;

    if (store == NULL) {
        return;
    }
    memory = store->allocator;
    weir_store_end_use(store);
    (void)sqlite3_close(store->database);
    if (store->lock >= 0) {
        (void)close(store->lock);
    }
    weir_release(&memory, store, sizeof *store);
}

void weir_store_identity(const struct weir_store *store, uint8_t identity[16])
{
    memcpy(identity, store->identity, WEIR_STORE_IDENTITY_SIZE);
}
