#include "faults/system_calls.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

struct system_calls system_calls;

void system_calls_fail(size_t fails_at, enum failure how, int number)
{
    system_calls =
        (struct system_calls){.watches = true, .how = how, .fails_at = fails_at, .number = number};
}

void system_calls_end(void)
{
    system_calls.watches = false;
}

/* Counts a call; true if it is to fail, with errno set. */
static bool call_fails(const char *name)
{
    size_t fails_at = system_calls.fails_at;

    if (!system_calls.watches) {
        return false;
    }
    system_calls.calls++;
    if (fails_at == 0 || system_calls.calls < fails_at || system_calls.how == BY_PARTS ||
        (system_calls.calls > fails_at && system_calls.how == FAILS_ONCE)) {
        return false;
    }
    if (system_calls.failed == NULL) {
        system_calls.failed = name;
    }
    errno = system_calls.number;
    return true;
}

/* As call_fails, for what may be interrupted, or take a part. */
static bool transfer_fails(const char *name)
{
    if (system_calls.watches && system_calls.how == BY_PARTS) {
        system_calls.interrupts = !system_calls.interrupts;
        errno = EINTR;
        return system_calls.interrupts;
    }
    return call_fails(name);
}

static size_t part_of(size_t size)
{
    return system_calls.watches && system_calls.how == BY_PARTS && size > 1 ? size / 2 : size;
}

/* The library's call of `name` comes here, and goes on to the system's own, or fails. */
#define IN_THE_WAY(type, name, parameters, arguments, failure)                                     \
    type __real_##name parameters;                                                                 \
    type __wrap_##name parameters;                                                                 \
    type __wrap_##name parameters                                                                  \
    {                                                                                              \
        return call_fails(#name) ? (failure) : __real_##name arguments;                            \
    }

#define TRANSFER(name, parameters, arguments)                                                      \
    ssize_t __real_##name parameters;                                                              \
    ssize_t __wrap_##name parameters;                                                              \
    ssize_t __wrap_##name parameters                                                               \
    {                                                                                              \
        return transfer_fails(#name) ? -1 : __real_##name arguments;                               \
    }

IN_THE_WAY(DIR *, fdopendir, (int file), (file), NULL)
IN_THE_WAY(struct dirent *, readdir, (DIR * folder), (folder), NULL)
IN_THE_WAY(int, fstat, (int file, struct stat *status), (file, status), -1)
IN_THE_WAY(int, stat, (const char *path, struct stat *status), (path, status), -1)
IN_THE_WAY(int, lstat, (const char *path, struct stat *status), (path, status), -1)
IN_THE_WAY(int, fstatat, (int folder, const char *path, struct stat *status, int flags),
           (folder, path, status, flags), -1)
IN_THE_WAY(void *, mmap, (void *at, size_t size, int rights, int flags, int file, off_t offset),
           (at, size, rights, flags, file, offset), MAP_FAILED)
TRANSFER(read, (int file, void *bytes, size_t size), (file, bytes, part_of(size)))
TRANSFER(pread, (int file, void *bytes, size_t size, off_t offset),
         (file, bytes, part_of(size), offset))
TRANSFER(pwrite, (int file, const void *bytes, size_t size, off_t offset),
         (file, bytes, part_of(size), offset))
TRANSFER(write, (int file, const void *bytes, size_t size), (file, bytes, part_of(size)))
IN_THE_WAY(int, rename, (const char *from, const char *to), (from, to), -1)
IN_THE_WAY(int, renameat, (int folder, const char *from, int other, const char *to),
           (folder, from, other, to), -1)
IN_THE_WAY(int, linkat, (int folder, const char *from, int other, const char *to, int flags),
           (folder, from, other, to, flags), -1)
IN_THE_WAY(int, unlink, (const char *path), (path), -1)
IN_THE_WAY(int, unlinkat, (int folder, const char *path, int flags), (folder, path, flags), -1)
IN_THE_WAY(int, mkdir, (const char *path, mode_t mode), (path, mode), -1)
IN_THE_WAY(int, flock, (int file, int operation), (file, operation), -1)
IN_THE_WAY(int, fsync, (int file), (file), -1)
IN_THE_WAY(int, ftruncate, (int file, off_t size), (file, size), -1)
IN_THE_WAY(int, fchmod, (int file, mode_t mode), (file, mode), -1)
IN_THE_WAY(ssize_t, getrandom, (void *bytes, size_t size, unsigned flags), (bytes, size, flags), -1)

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __real_openat(int folder, const char *path, int flags, ...);
int __wrap_openat(int folder, const char *path, int flags, ...);

int __wrap_open(const char *path, int flags, ...)
{
    va_list arguments;
    mode_t mode = 0;

    va_start(arguments, flags);
    mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    return call_fails("open") ? -1 : __real_open(path, flags, mode);
}

int __wrap_openat(int folder, const char *path, int flags, ...)
{
    va_list arguments;
    mode_t mode = 0;

    va_start(arguments, flags);
    mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    return call_fails("openat") ? -1 : __real_openat(folder, path, flags, mode);
}
