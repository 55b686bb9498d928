#include "directories.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engines.h"
#include "tokens.h"

/* All directories are in this one. */
static char root[48];

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    (void)status;
    (void)kind;
    (void)walk;
    return remove(path);
}

static void remove_tree(const char *path)
{
    (void)nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void remove_root(void)
{
    remove_tree(root);
}

static void make_root(void)
{
    const char *parent = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";

    (void)snprintf(root, sizeof root, "%s/weir-bench-XXXXXX", parent);
    engines_must(mkdtemp(root) != NULL ? WEIR_OK : WEIR_ERROR_IO, "making a directory");
    (void)atexit(remove_root);
}

struct directory directory_publish(const char *name, uint64_t lease)
{
    struct weir_publisher_options options = {.lease = lease};
    struct directory made = {0};

    if (root[0] == '\0') {
        make_root();
    }
    (void)snprintf(made.path, sizeof made.path, "%s/%.12s", root, name);
    engines_must(weir_publisher_create(made.path, tokens_image(), &options, &made.publisher, NULL),
                 "publishing");
    weir_publisher_heartbeat(made.publisher);
    return made;
}

void directory_remove(struct directory *directory)
{
    weir_publisher_close(directory->publisher);
    remove_tree(directory->path);
}

const struct directory *directory_still(void)
{
    static struct directory directory;

    if (directory.publisher == NULL) {
        directory = directory_publish("still", LEASE_LONG);
    }
    return &directory;
}

const struct directory *directory_busy(void)
{
    static struct directory directory;

    if (directory.publisher == NULL) {
        directory = directory_publish("busy", LEASE_LONG);
    }
    return &directory;
}
