/* crypto_system.c - what the system itself has, whichever library hashes. */
#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "credential/crypto.h"

bool weir_crypto_random(void *bytes, size_t size)
{
    unsigned char *at = bytes;

    while (size > 0) {
        ssize_t got = getrandom(at, size, 0);

        if (got > 0) {
            at += got;
            size -= (size_t)got;
        } else if (got == 0 || errno != EINTR) {
            errno = got == 0 ? EIO : errno;
            return false;
        }
    }
    return true;
}

void weir_crypto_wipe(void *bytes, size_t size)
{
    explicit_bzero(bytes, size);
}
