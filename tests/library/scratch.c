#include "library/scratch.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "library/support.h"

void scratch_make(struct scratch *scratch)
{
    const char *parent = getenv("TMPDIR");
    int length = snprintf(scratch->folder, sizeof scratch->folder, "%s/weir-test-XXXXXX",
                          parent != NULL && parent[0] == '/' ? parent : "/tmp");

    ck_assert_int_lt(length, (int)sizeof scratch->folder);
    ck_assert_ptr_nonnull(mkdtemp(scratch->folder));
    (void)snprintf(scratch->path, sizeof scratch->path, "%s/image", scratch->folder);
}

/* Calls unlink for each file in the folder if `removes`, and returns their number. */
static size_t each_file(const struct scratch *scratch, bool removes)
{
    DIR *folder = opendir(scratch->folder);
    struct dirent *entry = NULL;
    size_t count = 0;

    ck_assert_ptr_nonnull(folder);
    while ((entry = readdir(folder)) != NULL) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            count++;
            ck_assert(!removes || unlinkat(dirfd(folder), entry->d_name, 0) == 0);
        }
    }
    (void)closedir(folder);
    return count;
}

void scratch_remove(const struct scratch *scratch)
{
    (void)chmod(scratch->folder, 0700);
    (void)each_file(scratch, true);
    ck_assert_int_eq(rmdir(scratch->folder), 0);
}

size_t scratch_file_count(const struct scratch *scratch)
{
    return each_file(scratch, false);
}

void write_file(const char *path, const void *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");

    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(size == 0 ? 0 : fwrite(bytes, 1, size, file), size);
    ck_assert_int_eq(fclose(file), 0);
}

int file_has(const char *path, const void *bytes, size_t size)
{
    FILE *file = fopen(path, "rb");
    char *have = malloc(size + 1);
    int same = 0;

    if (file != NULL && have != NULL) {
        same = fread(have, 1, size + 1, file) == size && memcmp(have, bytes, size) == 0;
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    free(have);
    return same;
}
