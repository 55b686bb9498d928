/* scratch.h - a folder for a test's files. */
#ifndef WEIR_TESTS_LIBRARY_SCRATCH_H
#define WEIR_TESTS_LIBRARY_SCRATCH_H

#include <stddef.h>

struct scratch {
    char folder[256];
    char path[320]; /* of a file in it, which does not exist yet */
};

void scratch_make(struct scratch *scratch);

/* Removes the folder and the files in it. */
void scratch_remove(const struct scratch *scratch);

/* Number of files in the folder. */
size_t scratch_file_count(const struct scratch *scratch);

void write_file(const char *path, const void *bytes, size_t size);

/* Whether the file has just these bytes. */
int file_has(const char *path, const void *bytes, size_t size);

#endif
