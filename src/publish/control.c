#include "publish/control.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "vocabulary/failure.h"

static uint64_t header_checksum(const struct weir_control_header *header)
{
    return XXH3_64bits(header, offsetof(struct weir_control_header, checksum));
}

static enum weir_status check_header(const struct weir_control_header *header,
                                     struct weir_error *error)
{
    if (memcmp(header->magic, WEIR_CONTROL_MAGIC, WEIR_PUBLISH_MAGIC_SIZE) != 0) {
        return weir_fail(error, WEIR_ERROR_DAMAGED, "is no control page of a published directory");
    }
    if (header->version != WEIR_PUBLISH_VERSION) {
        return weir_fail(error, WEIR_ERROR_VERSION,
                         "is of version %u; this library reads version %d",
                         (unsigned)header->version, WEIR_PUBLISH_VERSION);
    }
    if (header->checksum != header_checksum(header)) {
        return weir_fail(error, WEIR_ERROR_CHECKSUM, "has changed since it was written");
    }
    return WEIR_OK;
}

static enum weir_status map_page(int file, bool writable, struct weir_control_map *map,
                                 struct weir_error *error)
{
    struct stat status;
    void *page = NULL;

    if (fstat(file, &status) != 0) {
        return weir_fail_errno(error, "fstat");
    }
    if (status.st_size < WEIR_CONTROL_SIZE) {
        return weir_fail(error, WEIR_ERROR_TRUNCATED, "is no page");
    }
    page = mmap(NULL, WEIR_CONTROL_SIZE, writable ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED,
                file, 0);
    if (page == MAP_FAILED) {
        return weir_fail_errno(error, "mmap");
    }
    map->page = page;
    map->device = status.st_dev;
    map->inode = status.st_ino;
    return WEIR_OK;
}

enum weir_status weir_control_open(const struct weir_directory *directory, const char *name,
                                   bool writable, struct weir_control_map *map,
                                   struct weir_error *error)
{
    char boot_id[WEIR_BOOT_ID_SIZE];
    struct weir_control_map made = {0};
    int file = -1;
    enum weir_status status = weir_boot_id(boot_id, error);

    if (status == WEIR_OK) {
        status =
            weir_directory_open_file(directory, name, writable ? O_RDWR : O_RDONLY, &file, error);
    }
    if (status != WEIR_OK) {
        return status;
    }
    status = map_page(file, writable, &made, error);
    (void)close(file);
    if (status == WEIR_OK) {
        memcpy(&made.header, &made.page->header, sizeof made.header);
        status = check_header(&made.header, error);
        if (status != WEIR_OK) {
            weir_control_close(&made);
        }
    }
    if (status != WEIR_OK) {
        weir_error_within(error, "%s", name);
        return status;
    }
    made.foreign = memcmp(boot_id, made.header.boot_id, sizeof boot_id) != 0;
    *map = made;
    return WEIR_OK;
}

void weir_control_close(struct weir_control_map *map)
{
    if (map->page != NULL) {
        (void)munmap(map->page, WEIR_CONTROL_SIZE);
        map->page = NULL;
    }
}

bool weir_control_replaced(const struct weir_directory *directory,
                           const struct weir_control_map *map)
{
    struct stat status;

    return fstatat(directory->file, WEIR_CONTROL_NAME, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
           (status.st_ino != map->inode || status.st_dev != map->device);
}

enum weir_status weir_control_make(const struct weir_directory *directory, uint64_t identity,
                                   uint64_t lease, uint64_t sequence, struct weir_error *error)
{
    struct weir_control control;
    enum weir_status status = WEIR_OK;

    memset(&control, 0, sizeof control);
    memcpy(control.header.magic, WEIR_CONTROL_MAGIC, WEIR_PUBLISH_MAGIC_SIZE);
    control.header.version = WEIR_PUBLISH_VERSION;
    control.header.identity = identity;
    control.header.lease = lease;
    control.sequence = sequence;
    control.snapshot = sequence;
    status = weir_boot_id(control.header.boot_id, error);
    if (status != WEIR_OK) {
        return status;
    }
    control.header.checksum = header_checksum(&control.header);
    return weir_directory_make_file(directory, WEIR_CONTROL_NAME, &control, sizeof control,
                                    WEIR_CONTROL_SIZE, NULL, error);
}

/*
 * ---- Waiting for S ----
 */

/* The lower half of S, which changes with every change. */
static uint32_t *futex_word(const struct weir_control_map *map)
{
    return (uint32_t *)(void *)&map->page->sequence;
}

void weir_control_publish(const struct weir_control_map *map, uint64_t sequence)
{
    __atomic_store_n(&map->page->sequence, sequence, __ATOMIC_SEQ_CST); /* S */
    (void)syscall(SYS_futex, futex_word(map), FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

void weir_control_wait(const struct weir_control_map *map, uint64_t sequence, uint64_t timeout)
{
    struct timespec relative = {(time_t)(timeout / 1000000000u), (long)(timeout % 1000000000u)};

    (void)syscall(SYS_futex, futex_word(map), FUTEX_WAIT, (uint32_t)sequence, &relative, NULL, 0);
}
