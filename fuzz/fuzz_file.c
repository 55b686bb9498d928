/*
 * Files and what may be in their place, of which images are made and to which they are saved: each
 * answer is what reading the file oneself says, and what failed has changed nothing.
 */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <weir/compile.h>
#include <weir/image.h>

#include "demand.h"
#include "program.h"
#include "scarcity.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { IMAGES = 3, CONTENT_MAX = 65536, PATH_ROOM = 2 * PATH_MAX };

/* Below the folder that all happens in. Two lie in what may be a directory, a file or nothing. The
 * last are a name that is longer than a name may be, a path that is longer than a path, and one
 * that nearly is. */
static const char *const names[] = {"a", "b", "c", "a/b", "b/c", "long", "deep", "near"};

enum { PLACES = 3, NAMES = sizeof names / sizeof names[0] };

static struct world {
    char folder[64];
    struct weir_image *images[IMAGES];
} world;

struct content {
    uint8_t bytes[CONTENT_MAX];
    size_t size;
    mode_t mode;
    bool is_file; /* a regular one, links followed */
};

/* ---- The folder ---- */

/* Too few bytes for the name of the file that is written beside one. */
enum { NEARLY = 12 };

/* Makes the folder's path longer, and none the less the folder's. */
static size_t lengthen(char *path, size_t length, size_t wanted)
{
    for (; length + 2 <= wanted; length += 2) {
        path[length] = '/';
        path[length + 1] = '.';
    }
    return length;
}

static void path_of(const char *name, char path[PATH_ROOM])
{
    size_t length = strlen(world.folder);

    memcpy(path, world.folder, length + 1);
    if (strcmp(name, "long") == 0) {
        path[length++] = '/';
        memset(path + length, 'x', NAME_MAX + 1);
        path[length + NAME_MAX + 1] = '\0';
        return;
    } else if (strcmp(name, "deep") == 0) {
        length = lengthen(path, length, PATH_MAX);
    } else if (strcmp(name, "near") == 0) {
        length = lengthen(path, length, PATH_MAX - NEARLY);
    }
    (void)snprintf(path + length, PATH_ROOM - length, "/%s", name);
}

static void take_path(struct program *program, char path[PATH_ROOM])
{
    path_of(names[program_number(program, NAMES)], path);
}

/* Takes away what is there. */
static void clear(const char *path)
{
    struct stat status;

    if (lstat(path, &status) != 0) {
        return;
    }
    if (S_ISDIR(status.st_mode)) {
        for (size_t i = 0; i < PLACES; i++) {
            char inner[PATH_ROOM + 2];

            (void)snprintf(inner, sizeof inner, "%s/%s", path, names[i]);
            (void)unlink(inner);
        }
        demand(rmdir(path) == 0);
    } else {
        demand(unlink(path) == 0);
    }
}

static void clear_folder(void)
{
    for (size_t i = 0; i < PLACES; i++) {
        char path[PATH_ROOM];

        path_of(names[i], path);
        clear(path);
    }
}

static void remove_folder(void)
{
    clear_folder();
    (void)rmdir(world.folder);
}

/* How many names there are in the folder, and in the directories in it. */
static size_t count_names(const char *folder)
{
    DIR *entries = opendir(folder);
    const struct dirent *entry = NULL;
    size_t count = 0;

    while (entries != NULL && (entry = readdir(entries)) != NULL) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            char path[PATH_ROOM];
            struct stat status;

            (void)snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
            count +=
                1 + (lstat(path, &status) == 0 && S_ISDIR(status.st_mode) ? count_names(path) : 0);
        }
    }
    if (entries != NULL) {
        (void)closedir(entries);
    }
    return count;
}

/* What anybody sees who reads there. */
static void look(const char *path, struct content *content)
{
    struct stat status;
    FILE *file = NULL;

    content->size = 0;
    content->is_file = stat(path, &status) == 0 && S_ISREG(status.st_mode);
    if (content->is_file) {
        content->mode = status.st_mode & 07777;
        file = fopen(path, "rb");
        demand(file != NULL);
        content->size = fread(content->bytes, 1, sizeof content->bytes, file);
        (void)fclose(file);
    }
}

static bool same_content(const struct content *left, const struct content *right)
{
    return left->is_file == right->is_file &&
           (!left->is_file || (left->size == right->size && left->mode == right->mode &&
                               memcmp(left->bytes, right->bytes, left->size) == 0));
}

/* ---- What is put there by others ---- */

static void write_file(const char *path, const void *bytes, size_t size, mode_t mode)
{
    FILE *file = fopen(path, "wb");

    if (file != NULL) {
        demand(fwrite(bytes, 1, size, file) == size);
        (void)fclose(file);
        demand(chmod(path, mode) == 0);
    }
}

/* An image, part of one, or one with a byte changed. */
static void put_image(struct program *program, const char *path)
{
    static const mode_t modes[] = {0644, 0600, 0640, 0444};
    uint8_t bytes[CONTENT_MAX];
    size_t size = 0;
    const void *image = weir_image_bytes(world.images[program_number(program, IMAGES)], &size);

    demand(size <= sizeof bytes);
    memcpy(bytes, image, size);
    switch (program_number(program, 4)) {
    case 0:
        size = size * program_number(program, 255) / 255;
        break;
    case 1:
        bytes[size * program_number(program, 255) / 255] ^=
            (uint8_t)(1u << program_number(program, 8));
        break;
    default:
        break;
    }
    write_file(path, bytes, size, modes[program_number(program, 4)]);
}

static void put_link(struct program *program, const char *path)
{
    char target[PATH_ROOM];

    take_path(program, target);
    demand(symlink(target, path) == 0 || strlen(target) >= PATH_MAX);
}

/* Something takes the place of what is at a name. */
static void put(struct program *program)
{
    char path[PATH_ROOM];

    path_of(names[program_number(program, PLACES)], path);
    clear(path);
    switch (program_number(program, 8)) {
    case 0:
        break;
    case 1:
        demand(mkdir(path, 0755) == 0);
        break;
    case 2:
        demand(mkfifo(path, 0644) == 0);
        break;
    case 3:
        put_link(program, path);
        break;
    case 4:
        write_file(path, "", 0, 0644);
        break;
    default:
        put_image(program, path);
        break;
    }
}

/* ---- Saving ---- */

/* Whether a regular file is there, or could be: nothing is, in a directory. */
static bool may_save(const char *path, const struct content *before)
{
    struct stat status;
    char folder[PATH_ROOM];

    if (before->is_file) {
        return true;
    }
    if (strlen(path) >= PATH_MAX - NEARLY || lstat(path, &status) == 0) {
        return false;
    }
    (void)snprintf(folder, sizeof folder, "%s", path);
    *strrchr(folder, '/') = '\0';
    return stat(folder, &status) == 0 && S_ISDIR(status.st_mode) &&
           strlen(strrchr(path, '/') + 1) <= NAME_MAX;
}

/* Files may be no larger than this. */
static void limit_files(rlim_t size)
{
    struct rlimit limit;

    demand(getrlimit(RLIMIT_FSIZE, &limit) == 0);
    limit.rlim_cur = size < limit.rlim_max ? size : limit.rlim_max;
    demand(setrlimit(RLIMIT_FSIZE, &limit) == 0);
}

static void save(struct program *program)
{
    static struct content before;
    static struct content after;
    const struct weir_image *image = world.images[program_number(program, IMAGES)];
    size_t names_before = count_names(world.folder);
    size_t size = 0;
    const void *bytes = weir_image_bytes(image, &size);
    bool is_full = program_number(program, 4) == 0; /* the disk */
    enum weir_status status = WEIR_OK;
    char path[PATH_ROOM];
    bool possible = false;

    take_path(program, path);
    look(path, &before);
    possible = may_save(path, &before) && !is_full;
    if (is_full) {
        limit_files(size * program_number(program, 255) / 255);
    }
    status = weir_image_save(image, path, NULL);
    limit_files(RLIM_INFINITY);
    demand(status == (possible ? WEIR_OK : WEIR_ERROR_IO));
    look(path, &after);
    if (!possible) {
        demand(same_content(&before, &after) && count_names(world.folder) == names_before);
        return;
    }
    demand(count_names(world.folder) == names_before + !before.is_file);
    demand(after.is_file && after.size == size && memcmp(after.bytes, bytes, size) == 0);
    demand(!before.is_file || after.mode == before.mode);
}

/* ---- Opening ---- */

static enum weir_status expect_opened(const struct content *content)
{
    if (!content->is_file) {
        return WEIR_ERROR_IO;
    }
    return content->size == 0 ? WEIR_ERROR_NOT_IMAGE
                              : weir_image_validate(content->bytes, content->size, NULL, NULL);
}

static void expect_image(const struct weir_image *image, const struct content *content)
{
    size_t size = 0;
    const void *bytes = weir_image_bytes(image, &size);

    demand(size == content->size && memcmp(bytes, content->bytes, size) == 0);
}

static void open_image(struct program *program)
{
    static struct content content;
    enum weir_image_mode mode = (enum weir_image_mode)program_number(program, 2);
    unsigned left = program_number(program, 8);
    struct scarcity scarcity = {.left = left == 0 ? PLENTY : left - 1};
    const struct weir_allocator allocator = scarce_allocator(&scarcity);
    struct weir_image *image = NULL;
    enum weir_status status = WEIR_OK;
    char path[PATH_ROOM];

    take_path(program, path);
    look(path, &content);
    status = weir_image_open(path, mode, &allocator, &image, NULL);
    demand(status == (scarcity.lacked ? WEIR_ERROR_MEMORY : expect_opened(&content)));
    if (status == WEIR_OK) {
        expect_image(image, &content);
        weir_image_close(image);
    }
    demand(scarcity.blocks == 0);
}

/* ---- Running ---- */

/* Of no token, of one, and of some. */
static void make_image(size_t number)
{
    static const char *const ids[] = {"a", "user-1", "user-12"};
    const struct weir_scope scope = {.basins = {WEIR_SET_PREFIX, WEIR_TEXT("")},
                                     .streams = {WEIR_SET_PREFIX, WEIR_TEXT("users/1/")},
                                     .op_groups = WEIR_GROUP_BITS_ALL};
    struct weir_compiler *compiler = NULL;

    demand(weir_compiler_new(NULL, &compiler, NULL) == WEIR_OK);
    for (size_t i = 0; i < number * (number + 1) / 2; i++) {
        const struct weir_token token = {
            .id = {ids[i], strlen(ids[i])}, .scopes = &scope, .scope_count = 1};

        demand(weir_compiler_add(compiler, &token, i, NULL) == WEIR_OK);
    }
    demand(weir_compile(compiler, number, &world.images[number], NULL, NULL) == WEIR_OK);
    weir_compiler_free(compiler);
}

static void make_world(void)
{
    (void)snprintf(world.folder, sizeof world.folder, "%s/weir-fuzz-XXXXXX",
                   access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    demand(mkdtemp(world.folder) != NULL);
    demand(atexit(remove_folder) == 0);
    /* What exceeds a limit then is an error like any other. */
    demand(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
    for (size_t i = 0; i < IMAGES; i++) {
        make_image(i);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const steps[])(struct program *) = {put, put, save, open_image};
    struct program program;

    if (world.images[0] == NULL) {
        make_world();
    }
    program_init(&program, data, size < 256 ? size : 256);
    while (program.left > 0) {
        steps[program_number(&program, sizeof steps / sizeof steps[0])](&program);
    }
    program_fini(&program);
    clear_folder();
    return 0;
}
