#include "serve/mask.h"

#include <stdbool.h>
#include <string.h>

#include <weir/credential.h>

#define PREFIX "weir_"
#define MASK "(a credential)"

static bool is_digit(char byte)
{
    return (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= 'a' && byte <= 'z');
}

/* How long what has a credential's letters is here, whatever its checksum; 0: it has not. */
static size_t credential_at(const char *bytes, size_t length)
{
    size_t end = strlen(PREFIX);

    if (length < WEIR_CREDENTIAL_LENGTH || memcmp(bytes, PREFIX, end) != 0) {
        return 0;
    }
    while (end < length && is_digit(bytes[end])) {
        end++;
    }
    return end >= WEIR_CREDENTIAL_LENGTH ? end : 0;
}

size_t mask_credentials(char *bytes, size_t length)
{
    size_t done = 0;
    size_t at = 0;

    while (at < length) {
        size_t size = credential_at(bytes + at, length - at);

        if (size > 0) {
            for (const char *byte = MASK; *byte != '\0'; byte++) {
                bytes[done++] = *byte;
            }
            at += size;
        } else {
            bytes[done++] = bytes[at++];
        }
    }
    return done;
}
