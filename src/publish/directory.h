/*
 * directory.h - the files of a published directory: their names, who may have written them, and
 * how one comes to be whole.
 */
#ifndef WEIR_PUBLISH_DIRECTORY_H
#define WEIR_PUBLISH_DIRECTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <weir/error.h>

#include "publish/format.h"
#include "vocabulary/clock.h"

struct weir_directory {
    int file;
    uid_t owner;
};

/* Opens a directory that nobody but its owner may write, and whose owner is one of those that this
 * process follows: root, itself, `owner`. WEIR_OK, WEIR_ERROR_NOT_FOUND, _OWNER, _IO. */
enum weir_status weir_directory_open(const char *path, uid_t owner,
                                     struct weir_directory *directory, struct weir_error *error);
void weir_directory_close(struct weir_directory *directory);

/* Whether the path leads to another directory by now. */
bool weir_directory_replaced(const struct weir_directory *directory, const char *path);

#define WEIR_FILE_NAME_SIZE 64

struct weir_file_name {
    char text[WEIR_FILE_NAME_SIZE];
};

struct weir_file_name weir_image_name(uint64_t identity, uint64_t sequence);
struct weir_file_name weir_segment_name(uint64_t identity, uint64_t first);
struct weir_file_name weir_spare_name(uint64_t identity);

/* What a name in the directory says. */
enum weir_file_kind {
    WEIR_FILE_OTHER,
    WEIR_FILE_IMAGE,
    WEIR_FILE_SEGMENT,
    WEIR_FILE_SPARE,
    WEIR_FILE_TEMPORARY
};

struct weir_file_facts {
    enum weir_file_kind kind;
    uint64_t identity;
    uint64_t sequence;
};

/* Calls `visit` for each file whose name means something, until it returns false. WEIR_OK,
 * WEIR_ERROR_IO. */
typedef bool weir_file_visitor(void *context, const char *name,
                               const struct weir_file_facts *facts);
enum weir_status weir_directory_each(const struct weir_directory *directory,
                                     weir_file_visitor *visit, void *context,
                                     struct weir_error *error);

/*
 * Opens a regular file that belongs to the directory's owner and that nobody else may write; no
 * link. `flags` are open's. WEIR_OK, WEIR_ERROR_NOT_FOUND, _OWNER, _IO; the place is the name.
 */
enum weir_status weir_directory_open_file(const struct weir_directory *directory, const char *name,
                                          int flags, int *file, struct weir_error *error);

/* The size of an open file. */
enum weir_status weir_file_size(int file, uint64_t *size, struct weir_error *error);

/* Writes all of the bytes there. WEIR_OK, WEIR_ERROR_IO. */
enum weir_status weir_write_at(int file, const void *bytes, size_t size, uint64_t offset,
                               struct weir_error *error);

/*
 * Makes a file of `size` bytes, all of them written: `bytes` (`count` of them), then zeros. It has
 * its name, in the place of what had it, when it is whole. `*file`, unless `file` is NULL, is open
 * for reading and writing.
 */
enum weir_status weir_directory_make_file(const struct weir_directory *directory, const char *name,
                                          const void *bytes, size_t count, uint64_t size, int *file,
                                          struct weir_error *error);

/* The id of the machine's boot. */
enum weir_status weir_boot_id(char boot_id[WEIR_BOOT_ID_SIZE], struct weir_error *error);

#endif
