/*
 * To be loaded before the program: while the file WEIR_REFUSING exists, the disk has no room for
 * what is written into the folder WEIR_REFUSED.
 */
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool is_refused(int file)
{
    const char *refusing = getenv("WEIR_REFUSING");
    const char *folder = getenv("WEIR_REFUSED");
    char link[32];
    char path[PATH_MAX];
    ssize_t length = 0;

    if (refusing == NULL || folder == NULL || access(refusing, F_OK) != 0) {
        return false;
    }
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    length = readlink(link, path, sizeof path);
    return length > (ssize_t)strlen(folder) && strncmp(path, folder, strlen(folder)) == 0;
}

typedef ssize_t write_function(int file, const void *bytes, size_t size, off_t offset);

__attribute__((visibility("default"))) ssize_t pwrite(int file, const void *bytes, size_t size,
                                                      off_t offset)
{
    void *found = dlsym(RTLD_NEXT, "pwrite");
    write_function *next = NULL;

    if (is_refused(file)) {
        errno = ENOSPC;
        return -1;
    }
    memcpy(&next, &found, sizeof next);
    return next(file, bytes, size, offset);
}
