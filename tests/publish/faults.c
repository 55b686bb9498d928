#include "publish/faults.h"

#include <errno.h>
#include <unistd.h>

struct faults faults;

ssize_t __real_pwrite(int file, const void *bytes, size_t size, off_t offset);
ssize_t __wrap_pwrite(int file, const void *bytes, size_t size, off_t offset);

ssize_t __wrap_pwrite(int file, const void *bytes, size_t size, off_t offset)
{
    size_t call = ++faults.calls;

    if (faults.fails_at == 0 || call < faults.fails_at) {
        return __real_pwrite(file, bytes, size, offset);
    }
    if (faults.halfway && call == faults.fails_at && size > 1) {
        faults.fails_at++;
        return __real_pwrite(file, bytes, size / 2, offset);
    }
    if (call > faults.fails_at && !faults.ever_after) {
        return __real_pwrite(file, bytes, size, offset);
    }
    errno = ENOSPC;
    return -1;
}
