/* Runs a fuzz target on each file of the folders named, where there is no libFuzzer. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data = NULL;
    long size = 0;

    if (file == NULL || fseek(file, 0, SEEK_END) != 0 || (size = ftell(file)) < 0) {
        perror(path);
        return 1;
    }
    rewind(file);
    /* At its exact size, so that a sanitizer sees each byte too many. */
    data = malloc(size > 0 ? (size_t)size : 1);
    if (data == NULL || fread(data, 1, (size_t)size, file) != (size_t)size) {
        perror(path);
        return 1;
    }
    (void)fclose(file);
    (void)LLVMFuzzerTestOneInput(data, (size_t)size);
    free(data);
    return 0;
}

static int replay_folder(const char *folder, unsigned *count)
{
    DIR *entries = opendir(folder);
    const struct dirent *entry = NULL;
    int failed = 0;

    if (entries == NULL) {
        perror(folder);
        return 1;
    }
    while ((entry = readdir(entries)) != NULL) {
        char path[4096];

        if (entry->d_name[0] != '.') {
            (void)snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
            failed |= replay_file(path);
            ++*count;
        }
    }
    (void)closedir(entries);
    return failed;
}

int main(int argc, char **argv)
{
    unsigned count = 0;
    int failed = 0;

    for (int i = 1; i < argc; i++) {
        failed |= replay_folder(argv[i], &count);
    }
    (void)printf("%u inputs\n", count);
    return failed != 0 || count == 0;
}
