#include "authority/power_vfs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "model/dice.h"

#define SECTOR 512

/*
 * ---- What is kept ----
 */

struct bytes {
    unsigned char *bytes;
    size_t size;
};

/* A write, or a truncation to `offset`, since the last sync. */
struct change {
    bool truncates;
    size_t offset;
    struct bytes written;
};

/* A file, whatever its name. */
struct body {
    struct bytes synced;
    struct change *changes;
    size_t change_count;
};

struct name {
    char *path;
    struct body *body; /* NULL: removed */
};

/* Names that files have, or a list of what happened to names. */
struct names {
    struct name *names;
    size_t count;
};

struct power_scene {
    struct names now;
    struct names synced;
    struct names changes; /* since the directory was synced */
    struct body **bodies; /* all that there are */
    size_t body_count;
};

static struct {
    sqlite3_vfs vfs;
    sqlite3_vfs *real;
    bool watches;
    bool off;
    struct dice dice;
    uint64_t calls;
    uint64_t failures;
    uint64_t cuts_at;
    uint64_t fails_at;
    enum power_failure failure;
    int error; /* errno of the last failure */
    struct power_scene files;
} power;

static void *more(void *memory, size_t size)
{
    void *moved = realloc(memory, size > 0 ? size : 1);

    if (moved == NULL) {
        fputs("power_vfs: out of memory\n", stderr);
        abort();
    }
    return moved;
}

static void demand(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "power_vfs: %s\n", what);
        abort();
    }
}

/*
 * ---- Bytes of a file ----
 */

static void resize(struct bytes *file, size_t size)
{
    file->bytes = more(file->bytes, size);
    if (size > file->size) {
        memset(file->bytes + file->size, 0, size - file->size);
    }
    file->size = size;
}

static void put(struct bytes *file, size_t offset, const unsigned char *bytes, size_t size)
{
    if (offset + size > file->size) {
        resize(file, offset + size);
    }
    memcpy(file->bytes + offset, bytes, size);
}

static void apply(struct bytes *file, const struct change *change)
{
    if (change->truncates) {
        resize(file, change->offset);
    } else {
        put(file, change->offset, change->written.bytes, change->written.size);
    }
}

static struct bytes copy_of(const unsigned char *bytes, size_t size)
{
    struct bytes copy = {more(NULL, size), size};

    if (size > 0) {
        memcpy(copy.bytes, bytes, size);
    }
    return copy;
}

static struct bytes read_file(const char *path)
{
    struct bytes file = {NULL, 0};
    unsigned char part[65536];
    FILE *stream = fopen(path, "rb");
    size_t count = 0;

    while (stream != NULL && (count = fread(part, 1, sizeof part, stream)) > 0) {
        put(&file, file.size, part, count);
    }
    if (stream != NULL) {
        (void)fclose(stream);
    }
    return file;
}

static void write_whole(const char *path, const struct bytes *file)
{
    FILE *stream = fopen(path, "wb");

    demand(stream != NULL &&
               (file->size == 0 || fwrite(file->bytes, 1, file->size, stream) == file->size) &&
               fclose(stream) == 0,
           "a file cannot be written");
    (void)chmod(path, 0600);
}

/*
 * ---- Names ----
 */

static struct body *new_body(struct bytes synced)
{
    struct body *body = more(NULL, sizeof *body);

    *body = (struct body){.synced = synced};
    power.files.bodies =
        more(power.files.bodies, (power.files.body_count + 1) * sizeof(struct body *));
    power.files.bodies[power.files.body_count++] = body;
    return body;
}

static void add_name(struct names *names, const char *path, struct body *body)
{
    names->names = more(names->names, (names->count + 1) * sizeof names->names[0]);
    names->names[names->count++] = (struct name){strdup(path), body};
}

static struct name *find_name(const struct names *names, const char *path)
{
    for (size_t i = 0; i < names->count; i++) {
        if (strcmp(names->names[i].path, path) == 0) {
            return &names->names[i];
        }
    }
    return NULL;
}

static void clear_names(struct names *names)
{
    for (size_t i = 0; i < names->count; i++) {
        free(names->names[i].path);
    }
    free(names->names);
    *names = (struct names){NULL, 0};
}

/* The file has that name from now on; a body that is NULL: none has it. */
static void set_name(struct names *names, const char *path, struct body *body)
{
    struct name *name = find_name(names, path);

    if (name == NULL) {
        add_name(names, path, body);
    } else {
        name->body = body;
    }
}

static void sync_directory(void)
{
    for (size_t i = 0; i < power.files.changes.count; i++) {
        set_name(&power.files.synced, power.files.changes.names[i].path,
                 power.files.changes.names[i].body);
    }
    clear_names(&power.files.changes);
}

static void change_name(const char *path, struct body *body)
{
    set_name(&power.files.now, path, body);
    add_name(&power.files.changes, path, body);
}

static struct body *body_of(const char *path)
{
    struct name *name = find_name(&power.files.now, path);

    return name != NULL ? name->body : NULL;
}

/* Of a file that is on the disk, and that nobody has seen yet: whoever made an empty one has not
 * synced its name. */
static struct body *adopt(const char *path)
{
    struct bytes file = read_file(path);
    struct body *body = new_body(file);

    if (file.size > 0) {
        set_name(&power.files.now, path, body);
        set_name(&power.files.synced, path, body);
    } else {
        change_name(path, body);
    }
    return body;
}

static void drop_changes(struct body *body)
{
    for (size_t i = 0; i < body->change_count; i++) {
        free(body->changes[i].written.bytes);
    }
    free(body->changes);
    body->changes = NULL;
    body->change_count = 0;
}

static void clear(struct power_scene *files)
{
    for (size_t i = 0; i < files->body_count; i++) {
        drop_changes(files->bodies[i]);
        free(files->bodies[i]->synced.bytes);
        free(files->bodies[i]);
    }
    free(files->bodies);
    clear_names(&files->now);
    clear_names(&files->synced);
    clear_names(&files->changes);
    *files = (struct power_scene){.body_count = 0};
}

/*
 * ---- What becomes of a call ----
 */

enum fate { HAPPENS, FAILS, CUT };

static enum fate fate_of(bool lengthens)
{
    bool chosen = false;

    if (power.off) {
        return CUT;
    }
    if (!power.watches) {
        return HAPPENS;
    }
    power.calls++;
    if (power.calls == power.cuts_at) {
        power.off = true;
        return CUT;
    }
    chosen =
        power.fails_at != 0 && (power.failure == POWER_FAILS_ONCE ? power.calls == power.fails_at
                                                                  : power.calls >= power.fails_at);
    if (!chosen || (power.failure == POWER_IS_FULL && !lengthens)) {
        return HAPPENS;
    }
    power.failures++;
    power.error = power.failure == POWER_IS_FULL ? ENOSPC : EIO;
    return FAILS;
}

/*
 * ---- An open file ----
 */

struct handle {
    sqlite3_file file;
    struct body *body; /* NULL: nothing is kept of it */
    bool syncs_directory;
    sqlite3_file *real; /* after this structure */
};

static sqlite3_file *real_of(sqlite3_file *file)
{
    return ((struct handle *)file)->real;
}

static int close_file(sqlite3_file *file)
{
    sqlite3_file *real = real_of(file);

    return real->pMethods != NULL ? real->pMethods->xClose(real) : SQLITE_OK;
}

static int read_at(sqlite3_file *file, void *bytes, int count, sqlite3_int64 offset)
{
    if (power.off) {
        return SQLITE_IOERR_READ;
    }
    return real_of(file)->pMethods->xRead(real_of(file), bytes, count, offset);
}

static void keep_change(sqlite3_file *file, struct change change)
{
    struct body *body = ((struct handle *)file)->body;

    body->changes = more(body->changes, (body->change_count + 1) * sizeof change);
    body->changes[body->change_count++] = change;
}

static int write_now(sqlite3_file *file, const void *bytes, int count, sqlite3_int64 offset)
{
    if (power.watches) {
        keep_change(file, (struct change){.offset = (size_t)offset,
                                          .written = copy_of(bytes, (size_t)count)});
    }
    return real_of(file)->pMethods->xWrite(real_of(file), bytes, count, offset);
}

/* How much of a write that fails is done: often all but the end. */
static int draw_part(int count)
{
    int missing = dice_chance(&power.dice, 50) ? 1 + (int)dice_below(&power.dice, 4) : count;

    return missing < count ? count - missing : (int)dice_below(&power.dice, (size_t)count);
}

static int write_at(sqlite3_file *file, const void *bytes, int count, sqlite3_int64 offset)
{
    sqlite3_int64 size = 0;
    int code = real_of(file)->pMethods->xFileSize(real_of(file), &size);

    if (code != SQLITE_OK) {
        return code;
    }
    switch (fate_of(offset + count > size)) {
    case HAPPENS:
        return write_now(file, bytes, count, offset);
    case FAILS:
        (void)write_now(file, bytes, draw_part(count), offset);
        return power.error == ENOSPC ? SQLITE_FULL : SQLITE_IOERR_WRITE;
    case CUT:
    default:
        if (power.calls == power.cuts_at) {
            (void)write_now(file, bytes, count, offset);
        }
        return SQLITE_IOERR_WRITE;
    }
}

static int truncate_at(sqlite3_file *file, sqlite3_int64 size)
{
    enum fate fate = fate_of(false);

    if (fate != HAPPENS) {
        return SQLITE_IOERR_TRUNCATE;
    }
    if (power.watches) {
        keep_change(file, (struct change){.truncates = true, .offset = (size_t)size});
    }
    return real_of(file)->pMethods->xTruncate(real_of(file), size);
}

/* How much of what was not synced survives: nothing, all, or of a hundred so many. */
static unsigned draw_percent(struct dice *dice)
{
    static const unsigned percents[] = {0, 100, 50, 50, 10, 90};

    return percents[dice_below(dice, sizeof percents / sizeof percents[0])];
}

/* What a failing sync leaves behind: the system may take pages for written that are not. */
static void lose_some(struct body *body)
{
    unsigned percent = dice_chance(&power.dice, 50) ? 100 : draw_percent(&power.dice);
    size_t kept = 0;

    for (size_t i = 0; i < body->change_count; i++) {
        if (dice_chance(&power.dice, percent)) {
            body->changes[kept++] = body->changes[i];
        } else {
            free(body->changes[i].written.bytes);
        }
    }
    body->change_count = kept;
}

static int sync_file(sqlite3_file *file, int flags)
{
    struct handle *handle = (struct handle *)file;
    enum fate fate = fate_of(false);

    (void)flags;
    if (fate == FAILS && power.failure != POWER_KILLS) {
        lose_some(handle->body);
    }
    if (fate != HAPPENS) {
        return SQLITE_IOERR_FSYNC;
    }
    for (size_t i = 0; i < handle->body->change_count; i++) {
        apply(&handle->body->synced, &handle->body->changes[i]);
    }
    drop_changes(handle->body);
    if (handle->syncs_directory) {
        sync_directory();
        handle->syncs_directory = false;
    }
    return SQLITE_OK;
}

static int file_size(sqlite3_file *file, sqlite3_int64 *size)
{
    return power.off ? SQLITE_IOERR_FSTAT : real_of(file)->pMethods->xFileSize(real_of(file), size);
}

static int lock_file(sqlite3_file *file, int level)
{
    return real_of(file)->pMethods->xLock(real_of(file), level);
}

static int unlock_file(sqlite3_file *file, int level)
{
    return real_of(file)->pMethods->xUnlock(real_of(file), level);
}

static int check_reserved(sqlite3_file *file, int *reserved)
{
    return real_of(file)->pMethods->xCheckReservedLock(real_of(file), reserved);
}

static int control_file(sqlite3_file *file, int which, void *argument)
{
    if (which == SQLITE_FCNTL_SIZE_HINT || which == SQLITE_FCNTL_CHUNK_SIZE) {
        return SQLITE_OK;
    }
    return real_of(file)->pMethods->xFileControl(real_of(file), which, argument);
}

static int sector_size(sqlite3_file *file)
{
    return real_of(file)->pMethods->xSectorSize(real_of(file));
}

static int characteristics(sqlite3_file *file)
{
    return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}

/* Version 1: no shared memory and no mapping. A store needs neither. */
static const sqlite3_io_methods methods = {
    .iVersion = 1,
    .xClose = close_file,
    .xRead = read_at,
    .xWrite = write_at,
    .xTruncate = truncate_at,
    .xSync = sync_file,
    .xFileSize = file_size,
    .xLock = lock_file,
    .xUnlock = unlock_file,
    .xCheckReservedLock = check_reserved,
    .xFileControl = control_file,
    .xSectorSize = sector_size,
    .xDeviceCharacteristics = characteristics,
};

/*
 * ---- The VFS ----
 */

#define KEPT_KINDS (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_WAL)

/* The body of the file to be opened; `*code` if it is new and cannot be created. */
static struct body *body_to_open(const char *path, int flags, int *code)
{
    struct body *body = body_of(path);

    if (body != NULL) {
        return body;
    }
    if (access(path, F_OK) == 0) {
        return adopt(path);
    }
    if ((flags & SQLITE_OPEN_CREATE) == 0 || fate_of(true) != HAPPENS) {
        *code = SQLITE_CANTOPEN;
        return NULL;
    }
    body = new_body((struct bytes){NULL, 0});
    change_name(path, body);
    return body;
}

static int open_file(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags,
                     int *out_flags)
{
    struct handle *handle = (struct handle *)file;
    int code = SQLITE_OK;

    (void)vfs;
    if (path == NULL || (flags & KEPT_KINDS) == 0) {
        return power.real->xOpen(power.real, path, file, flags, out_flags);
    }
    *handle = (struct handle){.real = (sqlite3_file *)(handle + 1)};
    if (power.off) {
        return SQLITE_CANTOPEN;
    }
    handle->body = body_to_open(path, flags, &code);
    if (code != SQLITE_OK) {
        return code;
    }
    memset(handle->real, 0, (size_t)power.real->szOsFile);
    code = power.real->xOpen(power.real, path, handle->real, flags, out_flags);
    if (code == SQLITE_OK) {
        handle->file.pMethods = &methods;
        handle->syncs_directory =
            (flags & SQLITE_OPEN_CREATE) != 0 && (flags & SQLITE_OPEN_MAIN_DB) == 0;
    }
    return code;
}

static int delete_file(sqlite3_vfs *vfs, const char *path, int syncs)
{
    int code = SQLITE_OK;

    (void)vfs;
    if (access(path, F_OK) != 0) {
        return SQLITE_IOERR_DELETE_NOENT;
    }
    if (fate_of(false) != HAPPENS) {
        return SQLITE_IOERR_DELETE;
    }
    if (body_of(path) == NULL) {
        (void)adopt(path);
    }
    code = power.real->xDelete(power.real, path, 0);
    if (code == SQLITE_OK) {
        change_name(path, NULL);
        if (syncs != 0) {
            sync_directory();
        }
    }
    return code;
}

static int access_file(sqlite3_vfs *vfs, const char *path, int flags, int *result)
{
    (void)vfs;
    return power.off ? SQLITE_IOERR_ACCESS : power.real->xAccess(power.real, path, flags, result);
}

static int last_error(sqlite3_vfs *vfs, int size, char *text)
{
    (void)vfs;
    (void)size;
    (void)text;
    return power.error;
}

void power_vfs_install(void)
{
    if (power.real != NULL) {
        power_vfs_remove(); /* a test has ended early */
    }
    power.real = sqlite3_vfs_find(NULL);
    power.vfs = *power.real; /* what is not replaced does not look at its first argument */
    power.vfs.pNext = NULL;
    power.vfs.zName = "power";
    power.vfs.szOsFile = (int)sizeof(struct handle) + power.real->szOsFile;
    power.vfs.xOpen = open_file;
    power.vfs.xDelete = delete_file;
    power.vfs.xAccess = access_file;
    power.vfs.xGetLastError = last_error;
    demand(sqlite3_vfs_register(&power.vfs, 1) == SQLITE_OK, "cannot be registered");
    power_begin(0);
}

void power_vfs_remove(void)
{
    clear(&power.files);
    (void)sqlite3_vfs_unregister(&power.vfs);
    (void)sqlite3_vfs_register(power.real, 1);
    power.real = NULL;
}

/*
 * ---- What a test asks for ----
 */

void power_begin(uint64_t seed)
{
    clear(&power.files);
    power.watches = true;
    power.off = false;
    power.dice = (struct dice){seed};
    power.calls = 0;
    power.failures = 0;
    power.cuts_at = 0;
    power.fails_at = 0;
    power.error = 0;
}

void power_watch(bool watches)
{
    power.watches = watches;
}

uint64_t power_calls(void)
{
    return power.calls;
}

void power_cut_at(uint64_t call)
{
    power.cuts_at = call;
}

void power_cut(void)
{
    power.off = true;
}

bool power_is_off(void)
{
    return power.off;
}

void power_fail_at(uint64_t call, enum power_failure failure)
{
    power.fails_at = call;
    power.failure = failure;
}

void power_mend(void)
{
    power.fails_at = 0;
}

uint64_t power_failures(void)
{
    return power.failures;
}

/*
 * ---- After the power was off ----
 */

struct power_scene *power_scene_take(void)
{
    struct power_scene *scene = more(NULL, sizeof *scene);

    demand(power.off, "the power is on");
    *scene = power.files;
    power.files = (struct power_scene){.body_count = 0};
    return scene;
}

void power_scene_free(struct power_scene *scene)
{
    clear(scene);
    free(scene);
}

/* A sector of what was written: not there, there, or, rarely, lest it be always so, garbage or a
 * part, from its beginning or to its end. */
static void tear_sector(struct bytes *file, size_t offset, const unsigned char *written,
                        size_t size, unsigned percent, struct dice *dice)
{
    unsigned char garbage[SECTOR];
    size_t part = size;

    if (percent > 0 && percent < 100 && dice_chance(dice, 2)) {
        for (size_t i = 0; i < sizeof garbage; i++) {
            garbage[i] = (unsigned char)dice_bits(dice);
        }
        put(file, offset, garbage, size);
        return;
    }
    if (!dice_chance(dice, percent)) {
        return;
    }
    if (percent < 100 && dice_chance(dice, 5)) {
        part = dice_below(dice, size);
    }
    if (dice_chance(dice, 80)) {
        put(file, offset, written, part);
    } else {
        put(file, offset + size - part, written + size - part, part);
    }
}

static void tear(struct bytes *file, const struct change *change, unsigned percent,
                 struct dice *dice)
{
    size_t end = change->offset + change->written.size;
    size_t from = change->offset;

    while (from < end) {
        size_t next = (from / SECTOR + 1) * SECTOR;

        next = next < end ? next : end;
        tear_sector(file, from, change->written.bytes + (from - change->offset), next - from,
                    percent, dice);
        from = next;
    }
}

static struct bytes survivor_of(const struct body *body, struct dice *dice)
{
    struct bytes file = copy_of(body->synced.bytes, body->synced.size);
    unsigned percent = draw_percent(dice);
    bool tears = dice_chance(dice, 70);

    for (size_t i = 0; i < body->change_count; i++) {
        if (tears && !body->changes[i].truncates) {
            tear(&file, &body->changes[i], percent, dice);
        } else if (dice_chance(dice, percent)) {
            apply(&file, &body->changes[i]);
        }
    }
    return file;
}

static void remove_files(const struct names *names)
{
    for (size_t i = 0; i < names->count; i++) {
        (void)unlink(names->names[i].path);
    }
}

void power_survive(const struct power_scene *scene, uint64_t seed)
{
    struct dice dice = {seed};
    struct names names = {NULL, 0};
    unsigned percent = draw_percent(&dice);

    remove_files(&power.files.now);
    remove_files(&scene->now);
    for (size_t i = 0; i < scene->synced.count; i++) {
        add_name(&names, scene->synced.names[i].path, scene->synced.names[i].body);
    }
    for (size_t i = 0; i < scene->changes.count; i++) {
        if (dice_chance(&dice, percent)) {
            set_name(&names, scene->changes.names[i].path, scene->changes.names[i].body);
        }
    }
    for (size_t i = 0; i < names.count; i++) {
        if (names.names[i].body != NULL) {
            struct bytes file = survivor_of(names.names[i].body, &dice);

            write_whole(names.names[i].path, &file);
            free(file.bytes);
        }
    }
    clear_names(&names);
    power_begin(dice_bits(&dice));
}
