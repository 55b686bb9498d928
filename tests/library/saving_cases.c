/* saving_cases.c - a save leaves the old file or the new one, and nothing else. */
#include "library/image_cases.h"

#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "library/bytes.h"
#include "library/samples.h"
#include "library/scratch.h"
#include "library/support.h"

/* A folder, and two images that differ in size. */
struct saving {
    struct scratch scratch;
    struct weir_image *small;
    struct weir_image *large;
};

static void saving_make(struct saving *saving)
{
    struct samples samples;

    samples_make(&samples);
    scratch_make(&saving->scratch);
    saving->small = compile_tokens(samples.tokens, 1, NULL);
    saving->large = compile_tokens(samples.tokens, SAMPLE_COUNT, NULL);
}

static void saving_remove(struct saving *saving)
{
    weir_image_close(saving->small);
    weir_image_close(saving->large);
    scratch_remove(&saving->scratch);
}

static int path_has(const char *path, const struct weir_image *image)
{
    size_t size = 0;
    const void *bytes = weir_image_bytes(image, &size);

    return file_has(path, bytes, size);
}

static mode_t mode_of(const char *path)
{
    struct stat status;

    ck_assert_int_eq(stat(path, &status), 0);
    return status.st_mode & 07777;
}

START_TEST(a_save_replaces_what_is_there_and_leaves_nothing_beside_it)
{
    struct saving saving;

    saving_make(&saving);
    for (unsigned round = 0; round < 6; round++) {
        const struct weir_image *image = round % 2 == 0 ? saving.large : saving.small;

        ck_assert_int_eq(weir_image_save(image, saving.scratch.path, NULL), WEIR_OK);
        ck_assert(path_has(saving.scratch.path, image));
        ck_assert_uint_eq(scratch_file_count(&saving.scratch), 1);
    }
    saving_remove(&saving);
}
END_TEST

START_TEST(a_save_replaces_what_is_no_image)
{
    struct saving saving;

    saving_make(&saving);
    write_file(saving.scratch.path, "anything", 8);
    ck_assert_int_eq(weir_image_save(saving.small, saving.scratch.path, NULL), WEIR_OK);
    ck_assert(path_has(saving.scratch.path, saving.small));
    saving_remove(&saving);
}
END_TEST

START_TEST(an_image_may_be_saved_over_the_file_that_it_maps)
{
    struct saving saving;
    struct weir_image *mapped = NULL;

    saving_make(&saving);
    ck_assert_int_eq(weir_image_save(saving.large, saving.scratch.path, NULL), WEIR_OK);
    ck_assert_int_eq(weir_image_open(saving.scratch.path, WEIR_IMAGE_SHARED, NULL, &mapped, NULL),
                     WEIR_OK);
    ck_assert_int_eq(weir_image_save(mapped, saving.scratch.path, NULL), WEIR_OK);
    ck_assert(path_has(saving.scratch.path, saving.large));
    weir_image_close(mapped);
    saving_remove(&saving);
}
END_TEST

START_TEST(a_save_keeps_the_mode_of_what_it_replaces)
{
    static const mode_t modes[] = {0600, 0640, 0644, 0666, 0444, 0400};
    struct saving saving;

    saving_make(&saving);
    for (size_t i = 0; i < COUNT(modes); i++) {
        write_file(saving.scratch.path, "old", 3);
        ck_assert_int_eq(chmod(saving.scratch.path, modes[i]), 0);
        ck_assert_int_eq(weir_image_save(saving.small, saving.scratch.path, NULL), WEIR_OK);
        ck_assert_uint_eq(mode_of(saving.scratch.path), modes[i]);
        ck_assert_int_eq(unlink(saving.scratch.path), 0);
    }
    saving_remove(&saving);
}
END_TEST

/* Root may give a file away; whoever may not keeps what they have. */
START_TEST(a_save_keeps_the_owner_of_what_it_replaces)
{
    const uid_t owner = getuid() == 0 ? 65534 : getuid();
    const gid_t group = getuid() == 0 ? 65534 : getgid();
    struct saving saving;
    struct stat status;

    saving_make(&saving);
    write_file(saving.scratch.path, "old", 3);
    ck_assert_int_eq(chown(saving.scratch.path, owner, group), 0);
    ck_assert_int_eq(chmod(saving.scratch.path, 0640), 0);
    ck_assert_int_eq(weir_image_save(saving.small, saving.scratch.path, NULL), WEIR_OK);
    ck_assert_int_eq(stat(saving.scratch.path, &status), 0);
    ck_assert_uint_eq(status.st_uid, owner);
    ck_assert_uint_eq(status.st_gid, group);
    ck_assert_uint_eq(status.st_mode & 07777, 0640);
    saving_remove(&saving);
}
END_TEST

START_TEST(a_new_file_gets_its_mode_from_the_umask)
{
    static const mode_t masks[] = {022, 027, 077, 0};
    struct saving saving;

    saving_make(&saving);
    for (size_t i = 0; i < COUNT(masks); i++) {
        mode_t kept = umask(masks[i]);

        ck_assert_int_eq(weir_image_save(saving.small, saving.scratch.path, NULL), WEIR_OK);
        (void)umask(kept);
        ck_assert_uint_eq(mode_of(saving.scratch.path), 0666 & ~masks[i]);
        ck_assert_int_eq(unlink(saving.scratch.path), 0);
    }
    saving_remove(&saving);
}
END_TEST

START_TEST(a_path_without_a_folder_is_in_the_present_one)
{
    struct saving saving;
    int home = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    saving_make(&saving);
    ck_assert_int_eq(chdir(saving.scratch.folder), 0);
    ck_assert_int_eq(weir_image_save(saving.small, "image", NULL), WEIR_OK);
    ck_assert_int_eq(weir_image_save(saving.large, "image", NULL), WEIR_OK);
    ck_assert_int_eq(fchdir(home), 0);
    (void)close(home);
    ck_assert(path_has(saving.scratch.path, saving.large));
    ck_assert_uint_eq(scratch_file_count(&saving.scratch), 1);
    saving_remove(&saving);
}
END_TEST

START_TEST(a_link_is_followed_and_stays_a_link)
{
    struct saving saving;
    char target[300];
    struct stat status;

    saving_make(&saving);
    (void)snprintf(target, sizeof target, "%s/target", saving.scratch.folder);
    write_file(target, "old", 3);
    ck_assert_int_eq(symlink("target", saving.scratch.path), 0);
    ck_assert_int_eq(weir_image_save(saving.small, saving.scratch.path, NULL), WEIR_OK);
    ck_assert(path_has(target, saving.small));
    ck_assert_int_eq(lstat(saving.scratch.path, &status), 0);
    ck_assert(S_ISLNK(status.st_mode));
    ck_assert_uint_eq(scratch_file_count(&saving.scratch), 2);
    saving_remove(&saving);
}
END_TEST

static void expect_save_refused(const struct saving *saving, const char *path)
{
    size_t files = scratch_file_count(&saving->scratch);
    struct weir_error error = {0};

    ck_assert_int_eq(weir_image_save(saving->small, path, &error), WEIR_ERROR_IO);
    expect_error(&error, WEIR_ERROR_IO);
    ck_assert_uint_eq(scratch_file_count(&saving->scratch), files);
}

START_TEST(what_is_no_regular_file_is_not_replaced)
{
    struct saving saving;
    char path[400];
    struct stat status;

    saving_make(&saving);
    expect_save_refused(&saving, saving.scratch.folder);
    expect_save_refused(&saving, "");
    (void)snprintf(path, sizeof path, "%s/absent/image", saving.scratch.folder);
    expect_save_refused(&saving, path);
    (void)snprintf(path, sizeof path, "%s/", saving.scratch.path);
    expect_save_refused(&saving, path);
    ck_assert_int_eq(symlink("absent", saving.scratch.path), 0);
    expect_save_refused(&saving, saving.scratch.path);
    ck_assert_int_eq(unlink(saving.scratch.path), 0);
    ck_assert_int_eq(mkfifo(saving.scratch.path, 0600), 0);
    expect_save_refused(&saving, saving.scratch.path);
    ck_assert_int_eq(stat(saving.scratch.path, &status), 0);
    ck_assert(S_ISFIFO(status.st_mode));
    saving_remove(&saving);
}
END_TEST

START_TEST(a_path_too_long_is_an_error)
{
    struct saving saving;
    char *path = malloc(100001);

    saving_make(&saving);
    memset(path, 'p', 100000);
    for (size_t length = 256; length <= 100000; length = length * 5 / 2) {
        path[length] = '\0';
        expect_save_refused(&saving, path);
        path[length] = 'p';
    }
    free(path);
    saving_remove(&saving);
}
END_TEST

/* Runs in a child of its own, whose privileges and limits are its own too, and returns whether it
 * says that all was as it should be. */
static bool in_child(bool (*body)(const struct saving *saving), const struct saving *saving)
{
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        _exit(body(saving) ? 0 : 1);
    }
    ck_assert_int_gt(child, 0);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool fails_in_folder_without_write(const struct saving *saving)
{
    struct weir_error error = {0};

    if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0)) {
        return false;
    }
    return weir_image_save(saving->large, saving->scratch.path, &error) == WEIR_ERROR_IO &&
           error.status == WEIR_ERROR_IO;
}

/* A path to the folder's file that is `length` bytes long. */
static void write_long_path(const struct saving *saving, char *path, size_t length)
{
    const char *name = strrchr(saving->scratch.path, '/');
    size_t before = (size_t)(name - saving->scratch.path);

    memset(path, '/', length);
    memcpy(path, saving->scratch.path, before);
    memcpy(path + length - strlen(name), name, strlen(name) + 1);
}

/* The file that is written has a name of its own, in the same folder. */
START_TEST(a_path_as_long_as_may_be_leaves_no_room_for_a_name_beside_it)
{
    struct saving saving;
    struct weir_error error = {0};
    char path[PATH_MAX];

    saving_make(&saving);
    write_long_path(&saving, path, PATH_MAX - 1);
    ck_assert_int_eq(weir_image_save(saving.large, path, &error), WEIR_ERROR_IO);
    expect_error(&error, WEIR_ERROR_IO);
    ck_assert_uint_eq(scratch_file_count(&saving.scratch), 0);
    write_long_path(&saving, path, PATH_MAX - 64);
    ck_assert_int_eq(weir_image_save(saving.large, path, NULL), WEIR_OK);
    ck_assert_uint_eq(scratch_file_count(&saving.scratch), 1);
    saving_remove(&saving);
}
END_TEST

START_TEST(a_folder_that_may_not_be_written_keeps_its_old_file)
{
    struct saving saving;

    saving_make(&saving);
    ck_assert_int_eq(weir_image_save(saving.small, saving.scratch.path, NULL), WEIR_OK);
    ck_assert_int_eq(chmod(saving.scratch.folder, 0555), 0);
    ck_assert(in_child(fails_in_folder_without_write, &saving));
    ck_assert(path_has(saving.scratch.path, saving.small));
    ck_assert_uint_eq(scratch_file_count(&saving.scratch), 1);
    saving_remove(&saving);
}
END_TEST

/* The file system refuses to let files grow beyond each of some sizes. */
static bool fails_at_each_size(const struct saving *saving)
{
    size_t size = 0;

    (void)weir_image_bytes(saving->large, &size);
    (void)signal(SIGXFSZ, SIG_IGN);
    for (size_t limit = 0; limit < size; limit += 1000) {
        struct rlimit sizes = {limit, RLIM_INFINITY};

        if (setrlimit(RLIMIT_FSIZE, &sizes) != 0 ||
            weir_image_save(saving->large, saving->scratch.path, NULL) != WEIR_ERROR_IO ||
            !path_has(saving->scratch.path, saving->small)) {
            return false;
        }
    }
    return true;
}

START_TEST(a_file_system_that_is_full_keeps_its_old_file)
{
    struct saving saving;

    saving_make(&saving);
    ck_assert_int_eq(weir_image_save(saving.small, saving.scratch.path, NULL), WEIR_OK);
    ck_assert(in_child(fails_at_each_size, &saving));
    ck_assert(path_has(saving.scratch.path, saving.small));
    ck_assert_uint_eq(scratch_file_count(&saving.scratch), 1);
    saving_remove(&saving);
}
END_TEST

/* Saves one image and the other in turn until it is killed. */
static void save_for_ever(const struct saving *saving)
{
    for (unsigned round = 0;; round++) {
        const struct weir_image *image = round % 2 == 0 ? saving->small : saving->large;

        if (weir_image_save(image, saving->scratch.path, NULL) != WEIR_OK) {
            _exit(1);
        }
    }
}

START_TEST(whoever_is_killed_while_saving_leaves_the_old_file_or_the_new)
{
    struct saving saving;
    struct random random = {12};

    saving_make(&saving);
    ck_assert_int_eq(weir_image_save(saving.small, saving.scratch.path, NULL), WEIR_OK);
    for (unsigned round = 0; round < 40; round++) {
        int status = 0;
        pid_t child = fork();

        if (child == 0) {
            save_for_ever(&saving);
        }
        ck_assert_int_gt(child, 0);
        (void)usleep((useconds_t)(2000 + random_below(&random, 10000)));
        ck_assert_int_eq(kill(child, SIGKILL), 0);
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert(WIFSIGNALED(status));
        ck_assert(path_has(saving.scratch.path, saving.small) ||
                  path_has(saving.scratch.path, saving.large));
    }
    saving_remove(&saving);
}
END_TEST

static void *save_by_turns(void *context)
{
    const struct saving *saving = context;

    for (unsigned round = 0; round < 200; round++) {
        const struct weir_image *image = round % 2 == 0 ? saving->large : saving->small;

        if (weir_image_save(image, saving->scratch.path, NULL) != WEIR_OK) {
            return context;
        }
    }
    return NULL;
}

START_TEST(whoever_opens_while_others_save_finds_a_whole_image)
{
    struct saving saving;
    pthread_t threads[2];
    unsigned opened = 0;

    saving_make(&saving);
    ck_assert_int_eq(weir_image_save(saving.small, saving.scratch.path, NULL), WEIR_OK);
    for (size_t i = 0; i < COUNT(threads); i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, save_by_turns, &saving), 0);
    }
    for (; opened < 300; opened++) {
        struct weir_image *image = NULL;
        struct weir_error error = {0};

        if (weir_image_open(saving.scratch.path, (enum weir_image_mode)(opened % 2), NULL, &image,
                            &error) != WEIR_OK) {
            ck_abort_msg("%s", error.message);
        }
        ck_assert(weir_image_token_count(image) == 1 ||
                  weir_image_token_count(image) == SAMPLE_COUNT);
        weir_image_close(image);
    }
    for (size_t i = 0; i < COUNT(threads); i++) {
        void *failure = NULL;

        ck_assert_int_eq(pthread_join(threads[i], &failure), 0);
        ck_assert_ptr_null(failure);
    }
    ck_assert_uint_eq(scratch_file_count(&saving.scratch), 1);
    saving_remove(&saving);
}
END_TEST

TCase *saving_cases(void)
{
    TCase *cases = tcase_create("saving");

    tcase_add_test(cases, a_save_replaces_what_is_there_and_leaves_nothing_beside_it);
    tcase_add_test(cases, a_save_replaces_what_is_no_image);
    tcase_add_test(cases, an_image_may_be_saved_over_the_file_that_it_maps);
    tcase_add_test(cases, a_save_keeps_the_mode_of_what_it_replaces);
    tcase_add_test(cases, a_save_keeps_the_owner_of_what_it_replaces);
    tcase_add_test(cases, a_new_file_gets_its_mode_from_the_umask);
    tcase_add_test(cases, a_path_without_a_folder_is_in_the_present_one);
    tcase_add_test(cases, a_link_is_followed_and_stays_a_link);
    tcase_add_test(cases, what_is_no_regular_file_is_not_replaced);
    tcase_add_test(cases, a_path_too_long_is_an_error);
    tcase_add_test(cases, a_path_as_long_as_may_be_leaves_no_room_for_a_name_beside_it);
    tcase_add_test(cases, a_folder_that_may_not_be_written_keeps_its_old_file);
    tcase_add_test(cases, a_file_system_that_is_full_keeps_its_old_file);
    tcase_add_test(cases, whoever_is_killed_while_saving_leaves_the_old_file_or_the_new);
    tcase_add_test(cases, whoever_opens_while_others_save_finds_a_whole_image);
    return cases;
}
