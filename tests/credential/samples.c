#include "credential/samples.h"

#include <string.h>

#include "credential/naive_credential.h"

const uint8_t sample_digest[WEIR_DIGEST_SIZE] = {
    0xbd, 0xd8, 0x43, 0x62, 0xe2, 0x8a, 0x6d, 0xa6, 0x85, 0xc7, 0xe3, 0x8c, 0x68, 0x66, 0x58, 0xb2,
    0x5f, 0x87, 0x67, 0x77, 0xff, 0xeb, 0x76, 0x3b, 0xc2, 0x9d, 0xa5, 0x8c, 0xfd, 0x9f, 0x80, 0xf7};

struct weir_credential credential_of(struct dice *dice)
{
    struct weir_credential made = {"weir_"};

    for (size_t i = NAIVE_PREFIX; i < NAIVE_CHECKED; i++) {
        made.text[i] = NAIVE_DIGITS[dice_below(dice, 62)];
    }
    naive_write_checksum(made.text, naive_crc32(made.text, NAIVE_CHECKED));
    return made;
}
