/*
 * test_interrupted_save.c - a save whose every system call may fail.
 *
 * The linker leads the library's calls to the functions below, which fail when told to, or end the
 * process, and note the order in which they were called.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <weir/image.h>

#include "library/samples.h"
#include "library/scratch.h"
#include "library/support.h"

enum call { OPEN, WRITE, FCHMOD, FSYNC, CLOSE, RENAME };

static struct {
    bool on;
    enum call made[256];
    size_t count;
    size_t fails_at; /* the call, from 1, that fails with `fails_with`; 0 for none */
    int fails_with;
    size_t killed_at;  /* the call, from 1, before which the process is killed; 0 for none */
    size_t write_most; /* the most bytes that a write takes; 0 for no limit */
    mode_t open_to;    /* the modes that files had while they were written, together */
} system_calls;

/* Notes a call; true if it is to fail, with errno set. */
static bool call_fails(enum call call)
{
    if (!system_calls.on) {
        return false;
    }
    ck_assert_uint_lt(system_calls.count, COUNT(system_calls.made));
    system_calls.made[system_calls.count++] = call;
    if (system_calls.count == system_calls.killed_at) {
        (void)kill(getpid(), SIGKILL);
    }
    errno = system_calls.fails_with;
    return system_calls.count == system_calls.fails_at;
}

/* What the linker calls the library's way in and the system's own function. */
int __wrap_open(const char *path, int flags, ...);
int __real_open(const char *path, int flags, ...);
ssize_t __wrap_write(int file, const void *bytes, size_t size);
ssize_t __real_write(int file, const void *bytes, size_t size);
int __wrap_fchmod(int file, mode_t mode);
int __real_fchmod(int file, mode_t mode);
int __wrap_fsync(int file);
int __real_fsync(int file);
int __wrap_close(int file);
int __real_close(int file);
int __wrap_rename(const char *from, const char *to);
int __real_rename(const char *from, const char *to);

int __wrap_open(const char *path, int flags, ...)
{
    va_list arguments;
    mode_t mode = 0;

    va_start(arguments, flags);
    mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    return call_fails(OPEN) ? -1 : __real_open(path, flags, mode);
}

ssize_t __wrap_write(int file, const void *bytes, size_t size)
{
    struct stat status;

    if (call_fails(WRITE)) {
        return -1;
    }
    if (system_calls.on && fstat(file, &status) == 0) {
        system_calls.open_to |= status.st_mode & 07777;
    }
    if (system_calls.on && system_calls.write_most != 0 && size > system_calls.write_most) {
        size = system_calls.write_most;
    }
    return __real_write(file, bytes, size);
}

int __wrap_fchmod(int file, mode_t mode)
{
    return call_fails(FCHMOD) ? -1 : __real_fchmod(file, mode);
}

int __wrap_fsync(int file)
{
    return call_fails(FSYNC) ? -1 : __real_fsync(file);
}

/* As on Linux, the file is closed even if closing it fails. */
int __wrap_close(int file)
{
    bool fails = call_fails(CLOSE);
    int result = __real_close(file);

    return fails ? -1 : result;
}

int __wrap_rename(const char *from, const char *to)
{
    return call_fails(RENAME) ? -1 : __real_rename(from, to);
}

/*
 * ---- The cases ----
 */

struct saving {
    struct scratch scratch;
    struct weir_image *old;
    struct weir_image *new;
};

static void saving_make(struct saving *saving)
{
    struct samples samples;

    memset(&system_calls, 0, sizeof system_calls);
    samples_make(&samples);
    scratch_make(&saving->scratch);
    saving->old = compile_tokens(samples.tokens, 1, NULL);
    saving->new = compile_tokens(samples.tokens, SAMPLE_COUNT, NULL);
}

static void saving_remove(struct saving *saving)
{
    weir_image_close(saving->old);
    weir_image_close(saving->new);
    scratch_remove(&saving->scratch);
}

static bool path_has(const struct saving *saving, const struct weir_image *image)
{
    size_t size = 0;
    const void *bytes = weir_image_bytes(image, &size);

    return file_has(saving->scratch.path, bytes, size) != 0;
}

/* Saves the new image with calls noted, and failing as `fails_at` says. */
static enum weir_status save(const struct saving *saving, size_t fails_at, int fails_with,
                             struct weir_error *error)
{
    enum weir_status status = WEIR_OK;

    system_calls.count = 0;
    system_calls.fails_at = fails_at;
    system_calls.fails_with = fails_with;
    system_calls.on = true;
    status = weir_image_save(saving->new, saving->scratch.path, error);
    system_calls.on = false;
    return status;
}

/* Where the rename is among the calls made; the number of calls if there was none. */
static size_t rename_place(void)
{
    size_t place = 0;

    while (place < system_calls.count && system_calls.made[place] != RENAME) {
        place++;
    }
    return place;
}

START_TEST(a_file_is_synced_before_it_takes_its_name_and_the_folder_after)
{
    struct saving saving;
    size_t renamed = 0;
    bool synced_before = false;
    bool synced_after = false;

    saving_make(&saving);
    ck_assert_int_eq(save(&saving, 0, 0, NULL), WEIR_OK);
    renamed = rename_place();
    ck_assert_uint_lt(renamed, system_calls.count);
    for (size_t i = 0; i < system_calls.count; i++) {
        synced_before |= i < renamed && system_calls.made[i] == FSYNC;
        synced_after |= i > renamed && system_calls.made[i] == FSYNC;
        ck_assert(system_calls.made[i] != WRITE || (i < renamed && !synced_before));
        ck_assert(system_calls.made[i] != FCHMOD || i < renamed);
    }
    ck_assert(synced_before && synced_after);
    saving_remove(&saving);
}
END_TEST

START_TEST(a_file_that_others_may_not_read_is_never_open_to_them)
{
    struct saving saving;

    saving_make(&saving);
    ck_assert_int_eq(weir_image_save(saving.old, saving.scratch.path, NULL), WEIR_OK);
    ck_assert_int_eq(chmod(saving.scratch.path, 0600), 0);
    ck_assert_int_eq(save(&saving, 0, 0, NULL), WEIR_OK);
    ck_assert_uint_eq(system_calls.open_to, 0600);
    saving_remove(&saving);
}
END_TEST

/* Fails each system call of a save in turn, over an old file or none. */
static void fail_each_call(bool has_old)
{
    struct saving saving;
    enum weir_status status = WEIR_ERROR_IO;
    size_t files = 0;

    saving_make(&saving);
    files = open_files();
    for (size_t fails_at = 1; status != WEIR_OK; fails_at++) {
        struct weir_error error = {0};
        bool failed_after_rename = false;

        (void)unlink(saving.scratch.path);
        ck_assert(!has_old || weir_image_save(saving.old, saving.scratch.path, NULL) == WEIR_OK);
        status = save(&saving, fails_at, EIO, &error);
        failed_after_rename = rename_place() + 1 < system_calls.count;
        if (status == WEIR_OK || failed_after_rename) {
            ck_assert(path_has(&saving, saving.new));
        } else if (has_old) {
            ck_assert(path_has(&saving, saving.old));
        }
        if (status != WEIR_OK) {
            expect_error(&error, WEIR_ERROR_IO);
        }
        ck_assert_uint_eq(scratch_file_count(&saving.scratch),
                          has_old || status == WEIR_OK || failed_after_rename ? 1 : 0);
        ck_assert_uint_eq(open_files(), files);
        ck_assert_uint_lt(fails_at, 100);
    }
    /* Only the last call, closing the folder, may fail and change nothing. */
    ck_assert_int_eq(system_calls.made[system_calls.fails_at - 1], CLOSE);
    saving_remove(&saving);
}

START_TEST(whichever_call_fails_the_old_file_stays_or_the_new_one_is_whole)
{
    fail_each_call(true);
}
END_TEST

START_TEST(whichever_call_fails_a_new_file_is_whole_or_not_there)
{
    fail_each_call(false);
}
END_TEST

START_TEST(writes_that_take_a_part_are_gone_on_with)
{
    static const size_t most[] = {100, 4095, 4096};
    struct saving saving;

    saving_make(&saving);
    for (size_t i = 0; i < COUNT(most); i++) {
        system_calls.write_most = most[i];
        ck_assert_int_eq(save(&saving, 0, 0, NULL), WEIR_OK);
        ck_assert(path_has(&saving, saving.new));
    }
    saving_remove(&saving);
}
END_TEST

START_TEST(a_write_that_a_signal_interrupts_is_made_again)
{
    struct saving saving;
    size_t writes = 0;

    saving_make(&saving);
    for (size_t fails_at = 1; writes == 0; fails_at++) {
        enum weir_status status = save(&saving, fails_at, EINTR, NULL);

        if (system_calls.made[fails_at - 1] == WRITE) {
            ck_assert_int_eq(status, WEIR_OK);
            ck_assert(path_has(&saving, saving.new));
            writes++;
        }
    }
    saving_remove(&saving);
}
END_TEST

/* Saves in a process that is killed before that call. False: it made fewer, and lived. */
static bool save_and_die(const struct saving *saving, size_t killed_at)
{
    pid_t process = fork();
    int outcome = 0;

    ck_assert_int_ge(process, 0);
    if (process == 0) {
        system_calls.killed_at = killed_at;
        _exit(save(saving, 0, 0, NULL) == WEIR_OK ? 0 : 1);
    }
    ck_assert_int_eq(waitpid(process, &outcome, 0), process);
    ck_assert(WIFSIGNALED(outcome) || outcome == 0);
    return WIFSIGNALED(outcome);
}

/* Demands that a save which was killed left the old file, or none, or the new one, each whole, and
 * at most what it was writing beside it; and that the next save succeeds. */
static void expect_whole(const struct saving *saving, bool has_old)
{
    bool has_new = path_has(saving, saving->new);
    bool exists = access(saving->scratch.path, F_OK) == 0;

    ck_assert(has_new || exists == has_old);
    ck_assert(has_new || !has_old || path_has(saving, saving->old));
    ck_assert_uint_le(scratch_file_count(&saving->scratch), exists + (has_new ? 0u : 1u));
    ck_assert_int_eq(save(saving, 0, 0, NULL), WEIR_OK);
    ck_assert(path_has(saving, saving->new));
}

/* Kills a save before each of its calls in turn, over an old file or none. */
static void kill_before_each_call(bool has_old)
{
    bool killed = true;

    for (size_t killed_at = 1; killed; killed_at++) {
        struct saving saving;

        ck_assert_uint_lt(killed_at, 100);
        saving_make(&saving);
        ck_assert(!has_old || weir_image_save(saving.old, saving.scratch.path, NULL) == WEIR_OK);
        killed = save_and_die(&saving, killed_at);
        expect_whole(&saving, has_old);
        /* Opened, written, synced, closed, renamed; the folder opened, synced, closed. */
        ck_assert(killed || killed_at > 8);
        saving_remove(&saving);
    }
}

START_TEST(whenever_it_is_killed_the_old_file_stays_or_the_new_one_is_whole)
{
    kill_before_each_call(true);
}
END_TEST

START_TEST(whenever_it_is_killed_a_new_file_is_whole_or_not_there)
{
    kill_before_each_call(false);
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("interrupted saves");

    tcase_add_test(cases, a_file_is_synced_before_it_takes_its_name_and_the_folder_after);
    tcase_add_test(cases, a_file_that_others_may_not_read_is_never_open_to_them);
    tcase_add_test(cases, whichever_call_fails_the_old_file_stays_or_the_new_one_is_whole);
    tcase_add_test(cases, whichever_call_fails_a_new_file_is_whole_or_not_there);
    tcase_add_test(cases, whenever_it_is_killed_the_old_file_stays_or_the_new_one_is_whole);
    tcase_add_test(cases, whenever_it_is_killed_a_new_file_is_whole_or_not_there);
    tcase_add_test(cases, writes_that_take_a_part_are_gone_on_with);
    tcase_add_test(cases, a_write_that_a_signal_interrupts_is_made_again);
    return run_cases("interrupted_save", &cases, 1);
}
