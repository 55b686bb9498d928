#include "publish/directory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/image.h"
#include "vocabulary/failure.h"

/*
 * ---- Whose it is ----
 */

static enum weir_status check_directory(const struct stat *status, uid_t owner,
                                        struct weir_error *error)
{
    if (status->st_uid != 0 && status->st_uid != geteuid() && status->st_uid != owner) {
        return weir_fail(error, WEIR_ERROR_OWNER, "the directory belongs to another user");
    }
    if ((status->st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        return weir_fail(error, WEIR_ERROR_OWNER,
                         "others than its owner may write to the directory");
    }
    return WEIR_OK;
}

static enum weir_status fail_open(const char *what, struct weir_error *error)
{
    if (errno == ENOENT) {
        return weir_fail(error, WEIR_ERROR_NOT_FOUND, "no such %s", what);
    }
    if (errno == ELOOP) {
        return weir_fail(error, WEIR_ERROR_OWNER, "is a link");
    }
    return weir_fail_errno(error, "open");
}

enum weir_status weir_directory_open(const char *path, uid_t owner,
                                     struct weir_directory *directory, struct weir_error *error)
{
    struct stat status;
    enum weir_status result = WEIR_OK;
    int file = -1;

    if (lstat(path, &status) == 0 && S_ISLNK(status.st_mode)) {
        return weir_fail(error, WEIR_ERROR_OWNER, "is a link");
    }
    file = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (file < 0) {
        return fail_open("directory", error);
    }
    result = fstat(file, &status) != 0 ? weir_fail_errno(error, "fstat")
                                       : check_directory(&status, owner, error);
    if (result != WEIR_OK) {
        (void)close(file);
        return result;
    }
    *directory = (struct weir_directory){file, status.st_uid};
    return WEIR_OK;
}

void weir_directory_close(struct weir_directory *directory)
{
    (void)close(directory->file);
    directory->file = -1;
}

bool weir_directory_replaced(const struct weir_directory *directory, const char *path)
{
    struct stat there;
    struct stat here;

    return stat(path, &there) == 0 && fstat(directory->file, &here) == 0 &&
           (there.st_ino != here.st_ino || there.st_dev != here.st_dev);
}

/*
 * ---- Names ----
 */

/* At the end of the name of a file that is being written. */
#define TEMPORARY ".tmp"

static struct weir_file_name numbered_name(uint64_t identity, uint64_t sequence, const char *suffix)
{
    struct weir_file_name name;

    (void)snprintf(name.text, sizeof name.text, "%016" PRIx64 "-%020" PRIu64 "%s", identity,
                   sequence, suffix);
    return name;
}

struct weir_file_name weir_image_name(uint64_t identity, uint64_t sequence)
{
    return numbered_name(identity, sequence, ".image");
}

struct weir_file_name weir_segment_name(uint64_t identity, uint64_t first)
{
    return numbered_name(identity, first, ".journal");
}

struct weir_file_name weir_spare_name(uint64_t identity)
{
    struct weir_file_name name;

    (void)snprintf(name.text, sizeof name.text, "%016" PRIx64 "-spare.journal", identity);
    return name;
}

static bool ends_with(const char *name, const char *suffix)
{
    size_t length = strlen(name);
    size_t suffix_length = strlen(suffix);

    return length >= suffix_length && strcmp(name + length - suffix_length, suffix) == 0;
}

static struct weir_file_facts facts_of_whole(const char *name)
{
    struct weir_file_facts facts = {WEIR_FILE_OTHER, 0, 0};
    const char *kinds[] = {[WEIR_FILE_IMAGE] = ".image", [WEIR_FILE_SEGMENT] = ".journal"};

    if (sscanf(name, "%16" SCNx64 "-%20" SCNu64, &facts.identity, &facts.sequence) == 2) {
        for (unsigned kind = WEIR_FILE_IMAGE; kind <= WEIR_FILE_SEGMENT; kind++) {
            if (strcmp(name, numbered_name(facts.identity, facts.sequence, kinds[kind]).text) ==
                0) {
                facts.kind = (enum weir_file_kind)kind;
            }
        }
    } else if (sscanf(name, "%16" SCNx64, &facts.identity) == 1 &&
               strcmp(name, weir_spare_name(facts.identity).text) == 0) {
        facts.kind = WEIR_FILE_SPARE;
    }
    return facts;
}

/* Of a name that this library gives; what has another is a stranger's. */
static struct weir_file_facts facts_of(const char *name)
{
    struct weir_file_facts facts = facts_of_whole(name);
    char stem[WEIR_FILE_NAME_SIZE];

    if (ends_with(name, TEMPORARY) && strlen(name) - strlen(TEMPORARY) < sizeof stem) {
        (void)snprintf(stem, sizeof stem, "%.*s", (int)(strlen(name) - strlen(TEMPORARY)), name);
        if (strcmp(stem, WEIR_CONTROL_NAME) == 0 || facts_of_whole(stem).kind != WEIR_FILE_OTHER) {
            facts.kind = WEIR_FILE_TEMPORARY;
        }
    }
    return facts;
}

/* The end of the entries and an error differ in errno alone: a list that is cut short is none. */
static enum weir_status read_entries(DIR *stream, weir_file_visitor *visit, void *context,
                                     struct weir_error *error)
{
    int before = errno;
    const struct dirent *entry = NULL;
    int number = 0;

    while (errno = 0, (entry = readdir(stream)) != NULL) {
        struct weir_file_facts facts = facts_of(entry->d_name);

        if (facts.kind != WEIR_FILE_OTHER && !visit(context, entry->d_name, &facts)) {
            break;
        }
    }
    number = entry == NULL ? errno : 0;
    errno = number != 0 ? number : before;
    return number != 0 ? weir_fail_errno(error, "readdir") : WEIR_OK;
}

enum weir_status weir_directory_each(const struct weir_directory *directory,
                                     weir_file_visitor *visit, void *context,
                                     struct weir_error *error)
{
    int file = openat(directory->file, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = file < 0 ? NULL : fdopendir(file);
    enum weir_status status = WEIR_OK;

    if (stream == NULL) {
        status = weir_fail_errno(error, "opendir");
        if (file >= 0) {
            (void)close(file);
        }
        return status;
    }
    status = read_entries(stream, visit, context, error);
    (void)closedir(stream);
    return status;
}

/*
 * ---- Files ----
 */

static enum weir_status at_place(enum weir_status status, const char *name,
                                 struct weir_error *error)
{
    if (status != WEIR_OK) {
        weir_error_within(error, "%s", name);
    }
    return status;
}

static enum weir_status check_file(int file, uid_t owner, struct weir_error *error)
{
    struct stat status;

    if (fstat(file, &status) != 0) {
        return weir_fail_errno(error, "fstat");
    }
    if (!S_ISREG(status.st_mode)) {
        return weir_fail(error, WEIR_ERROR_OWNER, "is no regular file");
    }
    if (status.st_uid != owner) {
        return weir_fail(error, WEIR_ERROR_OWNER, "belongs to another user than the directory");
    }
    if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        return weir_fail(error, WEIR_ERROR_OWNER, "may be written by others than its owner");
    }
    return WEIR_OK;
}

enum weir_status weir_directory_open_file(const struct weir_directory *directory, const char *name,
                                          int flags, int *file, struct weir_error *error)
{
    /* O_NONBLOCK: opening a FIFO must not wait. It means nothing to a regular file. */
    int opened =
        openat(directory->file, name, flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    enum weir_status status = WEIR_OK;

    if (opened < 0) {
        return at_place(fail_open("file", error), name, error);
    }
    status = check_file(opened, directory->owner, error);
    if (status != WEIR_OK) {
        (void)close(opened);
        return at_place(status, name, error);
    }
    *file = opened;
    return WEIR_OK;
}

enum weir_status weir_file_size(int file, uint64_t *size, struct weir_error *error)
{
    struct stat status;

    if (fstat(file, &status) != 0) {
        return weir_fail_errno(error, "fstat");
    }
    *size = (uint64_t)status.st_size;
    return WEIR_OK;
}

enum weir_status weir_write_at(int file, const void *bytes, size_t size, uint64_t offset,
                               struct weir_error *error)
{
    size_t done = 0;

    while (done < size) {
        ssize_t written =
            pwrite(file, (const char *)bytes + done, size - done, (off_t)(offset + done));

        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written < 0) {
            return weir_fail_errno(error, "pwrite");
        }
        done += (size_t)written;
    }
    return WEIR_OK;
}

static enum weir_status write_zeros(int file, uint64_t from, uint64_t size,
                                    struct weir_error *error)
{
    static const char zeros[65536];
    enum weir_status status = WEIR_OK;

    while (status == WEIR_OK && from < size) {
        size_t count = size - from < sizeof zeros ? (size_t)(size - from) : sizeof zeros;

        status = weir_write_at(file, zeros, count, from, error);
        from += count;
    }
    return status;
}

enum weir_status weir_directory_make_file(const struct weir_directory *directory, const char *name,
                                          const void *bytes, size_t count, uint64_t size, int *file,
                                          struct weir_error *error)
{
    char temporary[WEIR_FILE_NAME_SIZE + sizeof TEMPORARY];
    enum weir_status status = WEIR_OK;
    int made = -1;

    (void)snprintf(temporary, sizeof temporary, "%s" TEMPORARY, name);
    (void)unlinkat(directory->file, temporary, 0);
    made = openat(directory->file, temporary, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                  0644);
    if (made < 0) {
        return at_place(weir_fail_errno(error, "open"), name, error);
    }
    /* Whatever the umask: followers may be other users, and nobody else may write. */
    status = fchmod(made, 0644) != 0 ? weir_fail_errno(error, "fchmod")
                                     : weir_write_at(made, bytes, count, 0, error);
    if (status == WEIR_OK) {
        status = write_zeros(made, count, size, error);
    }
    if (status == WEIR_OK && renameat(directory->file, temporary, directory->file, name) != 0) {
        status = weir_fail_errno(error, "rename");
    }
    if (status != WEIR_OK) {
        (void)unlinkat(directory->file, temporary, 0);
    }
    if (status != WEIR_OK || file == NULL) {
        (void)close(made);
        return at_place(status, name, error);
    }
    *file = made;
    return WEIR_OK;
}

/*
 * ---- The boot ----
 */

enum weir_status weir_boot_id(char boot_id[WEIR_BOOT_ID_SIZE], struct weir_error *error)
{
    int file = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    enum weir_status status = WEIR_OK;

    if (file < 0) {
        return weir_fail_errno(error, "open of the boot id");
    }
    status = weir_read_at(file, boot_id, WEIR_BOOT_ID_SIZE, 0, error);
    (void)close(file);
    return status;
}
