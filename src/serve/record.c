#include "serve/record.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static bool is_file(const struct record *record)
{
    return record->path != NULL && strcmp(record->path, "-") != 0;
}

/* Whom it names may be nobody's business: the owner alone reads it. */
static int open_file(const char *path)
{
    return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, S_IRUSR | S_IWUSR);
}

bool record_open(struct record *record, const char *path)
{
    *record = (struct record){.path = path, .descriptor = STDERR_FILENO};
    (void)pthread_mutex_init(&record->lock, NULL);
    if (is_file(record)) {
        record->descriptor = open_file(path);
    }
    return record->descriptor >= 0;
}

void record_close(struct record *record)
{
    if (is_file(record) && record->descriptor >= 0) {
        (void)close(record->descriptor);
    }
    (void)pthread_mutex_destroy(&record->lock);
}

bool record_reopen(struct record *record)
{
    int descriptor = -1;
    int old = -1;

    if (!is_file(record)) {
        return true;
    }
    descriptor = open_file(record->path);
    if (descriptor < 0) {
        return false;
    }
    (void)pthread_mutex_lock(&record->lock);
    old = record->descriptor;
    record->descriptor = descriptor;
    record->torn = false;
    (void)pthread_mutex_unlock(&record->lock);
    (void)close(old);
    return true;
}

/* How many bytes of it were written; errno is set if that is not all. */
static size_t write_some(int descriptor, const char *bytes, size_t length)
{
    size_t done = 0;

    while (done < length) {
        ssize_t written = write(descriptor, bytes + done, length - done);

        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            return done;
        }
        done += (size_t)written;
    }
    return done;
}

/* Takes back the last bytes of a file that nobody else appends to. */
static bool take_back(const struct record *record, size_t size)
{
    off_t end = is_file(record) ? lseek(record->descriptor, 0, SEEK_END) : -1;

    return end >= (off_t)size && ftruncate(record->descriptor, end - (off_t)size) == 0;
}

static bool write_line(struct record *record, const char *line, size_t length)
{
    size_t written = 0;
    int error = 0;

    if (record->torn && write_some(record->descriptor, "\n", 1) != 1) {
        return false;
    }
    record->torn = false;
    written = write_some(record->descriptor, line, length);
    error = errno;
    if (written > 0 && written < length) {
        record->torn = !take_back(record, written);
    }
    errno = error;
    return written == length;
}

bool record_write(struct record *record, const char *line, size_t length)
{
    bool written = true;
    int error = 0;

    if (record->path == NULL) {
        return true;
    }
    (void)pthread_mutex_lock(&record->lock);
    written = write_line(record, line, length);
    error = errno;
    record->failures += !written;
    (void)pthread_mutex_unlock(&record->lock);
    errno = error;
    return written;
}

uint64_t record_failures(struct record *record)
{
    uint64_t failures = 0;

    (void)pthread_mutex_lock(&record->lock);
    failures = record->failures;
    (void)pthread_mutex_unlock(&record->lock);
    return failures;
}
