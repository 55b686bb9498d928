/*
 * Text that may be a credential, or hold some: it has a credential's form
 * exactly if the naive reader says so, and none is left where they are masked.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <weir/credential.h>

#include "credential/naive_credential.h"
#include "demand.h"
#include "serve/mask.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_digit(char byte)
{
    return byte != '\0' && strchr(NAIVE_DIGITS, byte) != NULL;
}

/* Whether what has a credential's form is one that has a digest, too. */
static void expect_form(struct weir_text text, bool expected)
{
    uint8_t digest[WEIR_DIGEST_SIZE] = {0};
    const uint8_t none[WEIR_DIGEST_SIZE] = {0};

    demand(weir_credential_well_formed(text) == expected);
    demand(weir_credential_digest(text, digest) == expected);
    demand((memcmp(digest, none, sizeof none) != 0) == expected);
}

/* Made a credential of what is drawn from the input, and then none by one other
 * byte. */
static void mend_and_spoil(const uint8_t *data, size_t size)
{
    char text[NAIVE_LENGTH] = "weir_";
    size_t at = size > 0 ? data[0] % sizeof text : 0;
    char byte = size > 1 ? (char)data[1] : '\0';
    char other;

    for (size_t i = NAIVE_PREFIX; i < NAIVE_CHECKED; i++) {
        text[i] = NAIVE_DIGITS[(i < size ? data[i] : i) % 62];
    }
    naive_write_checksum(text, naive_crc32(text, NAIVE_CHECKED));
    expect_form((struct weir_text){text, sizeof text}, true);
    expect_form((struct weir_text){text, sizeof text - 1}, false);
    other = text[at];
    text[at] = byte;
    expect_form((struct weir_text){text, sizeof text}, byte == other);
}

/* ---- Masks ---- */

/* Writes what the masked text has to be: each longest run that begins as a
 * credential, and is not shorter than one, is a mask. Its length. */
static size_t mask_naively(const char *bytes, size_t length, char *masked)
{
    const char mask[] = "(a credential)";
    size_t done = 0;

    for (size_t i = 0; i < length;) {
        size_t run = 0;

        if (length - i >= NAIVE_LENGTH && strncmp(bytes + i, "weir_", NAIVE_PREFIX) == 0) {
            for (run = NAIVE_PREFIX; i + run < length && is_digit(bytes[i + run]);) {
                run++;
            }
        }
        if (run >= NAIVE_LENGTH) {
            memcpy(masked + done, mask, sizeof mask - 1);
            done += sizeof mask - 1;
            i += run;
        } else {
            masked[done++] = bytes[i++];
        }
    }
    return done;
}

static void mask(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    char *expected = malloc(size + 1);
    size_t length = 0;

    demand(text != NULL && expected != NULL);
    memcpy(text, data, size);
    length = mask_naively(text, size, expected);
    demand(mask_credentials(text, size) == length && memcmp(text, expected, length) == 0);
    for (size_t i = 0; i + NAIVE_LENGTH <= length; i++) {
        demand(!naive_credential((struct weir_text){text + i, NAIVE_LENGTH}));
    }
    free(text);
    free(expected);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct weir_text text = {(const char *)data, size};

    expect_form(text, size == NAIVE_LENGTH && naive_credential(text));
    mend_and_spoil(data, size);
    if (size > 0) {
        mask(data, size);
    }
    return 0;
}
