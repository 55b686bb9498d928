#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/image.h"
#include "vocabulary/failure.h"

/* A file being written beside the one that it is to replace. */
struct replacement {
    char path[PATH_MAX];      /* what is replaced: links followed */
    char temporary[PATH_MAX]; /* beside it */
    int file;
    bool replaces;   /* there is a file */
    struct stat old; /* of that file */
};

/* Finds out what `path` leads to: a regular file, or a name that is free in a directory that there
 * is. */
static enum weir_status resolve(const char *path, struct replacement *replacement,
                                struct weir_error *error)
{
    struct stat status;
    size_t length = strlen(path);

    replacement->replaces = stat(path, &replacement->old) == 0;
    if (replacement->replaces) {
        if (!S_ISREG(replacement->old.st_mode)) {
            return weir_fail(error, WEIR_ERROR_IO, "exists and is not a regular file");
        }
        return realpath(path, replacement->path) != NULL ? WEIR_OK
                                                         : weir_fail_errno(error, "realpath");
    }
    if (errno != ENOENT) {
        return weir_fail_errno(error, "stat");
    }
    if (lstat(path, &status) == 0) {
        return weir_fail(error, WEIR_ERROR_IO, "is a link that leads nowhere");
    }
    if (length >= sizeof replacement->path) {
        errno = ENAMETOOLONG;
        return weir_fail_errno(error, "open");
    }
    memcpy(replacement->path, path, length + 1);
    return WEIR_OK;
}

/* Opens a new file beside the path, under the first name that is free. Nobody can open it who could
 * not open what it replaces: it gets that file's mode before its content. */
static enum weir_status open_temporary(struct replacement *replacement, struct weir_error *error)
{
    const char *slash = strrchr(replacement->path, '/');
    int directory_length = slash == NULL ? 0 : (int)(slash + 1 - replacement->path);

    for (unsigned attempt = 0; attempt < 1000; attempt++) {
        int length =
            snprintf(replacement->temporary, sizeof replacement->temporary, "%.*s.weir-%ld-%u.tmp",
                     directory_length, replacement->path, (long)getpid(), attempt);

        if (length < 0 || (size_t)length >= sizeof replacement->temporary) {
            errno = ENAMETOOLONG;
            break;
        }
        replacement->file =
            open(replacement->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
                 replacement->replaces ? 0600 : 0666);
        if (replacement->file >= 0) {
            return WEIR_OK;
        }
        if (errno != EEXIST) {
            break;
        }
    }
    return weir_fail_errno(error, "open");
}

static enum weir_status write_whole(int file, const char *bytes, size_t size,
                                    struct weir_error *error)
{
    while (size > 0) {
        ssize_t written = write(file, bytes, size);

        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written < 0) {
            return weir_fail_errno(error, "write");
        }
        bytes += written;
        size -= (size_t)written;
    }
    return WEIR_OK;
}

/* Makes the rename durable: the directory is what holds names. */
static enum weir_status sync_directory(const char *path, struct weir_error *error)
{
    char directory[PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t length = slash == NULL ? 0 : slash == path ? 1 : (size_t)(slash - path);
    int file = -1;
    int result = -1;

    memcpy(directory, path, length);
    directory[length] = '\0';
    file = open(length == 0 ? "." : directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file < 0) {
        return weir_fail_errno(error, "open of the directory");
    }
    result = fsync(file);
    if (result != 0 && errno == EINVAL) {
        result = 0; /* a file system whose directories need no syncing */
    }
    if (result != 0) {
        (void)weir_fail_errno(error, "fsync of the directory");
    }
    (void)close(file);
    return result == 0 ? WEIR_OK : WEIR_ERROR_IO;
}

/* Gives the new file what the old one had: owner and group as far as this process may, the mode;
 * but nothing for a group that is not the old one's. */
static enum weir_status take_after(int file, const struct stat *old, struct weir_error *error)
{
    mode_t mode = old->st_mode & 07777;

    if (fchown(file, old->st_uid, old->st_gid) != 0 && fchown(file, (uid_t)-1, old->st_gid) != 0) {
        mode &= ~(mode_t)070;
    }
    return fchmod(file, mode) == 0 ? WEIR_OK : weir_fail_errno(error, "fchmod");
}

static enum weir_status fill_temporary(const struct replacement *replacement, const void *bytes,
                                       size_t size, struct weir_error *error)
{
    int file = replacement->file;
    enum weir_status status = WEIR_OK;

    if (replacement->replaces) {
        status = take_after(file, &replacement->old, error);
    }
    if (status == WEIR_OK) {
        status = write_whole(file, bytes, size, error);
    }
    if (status == WEIR_OK && fsync(file) != 0) {
        status = weir_fail_errno(error, "fsync");
    }
    if (close(file) != 0 && status == WEIR_OK) {
        status = weir_fail_errno(error, "close");
    }
    return status;
}

enum weir_status weir_image_save(const struct weir_image *image, const char *path,
                                 struct weir_error *error)
{
    struct replacement replacement;
    enum weir_status status = resolve(path, &replacement, error);

    if (status == WEIR_OK) {
        status = open_temporary(&replacement, error);
    }
    if (status != WEIR_OK) {
        return status;
    }
    status = fill_temporary(&replacement, image->bytes, image->size, error);
    if (status == WEIR_OK && rename(replacement.temporary, replacement.path) != 0) {
        status = weir_fail_errno(error, "rename");
    }
    if (status != WEIR_OK) {
        (void)unlink(replacement.temporary);
        return status;
    }
    return sync_directory(replacement.path, error);
}
