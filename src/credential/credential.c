#include <weir/credential.h>

#include <string.h>
#include <zlib.h>

#include "credential/crypto.h"
#include "vocabulary/failure.h"

/*
 *     | weir_ | drawn | checksum |
 *     0       5       48         54
 */
enum {
    PREFIX_LENGTH = sizeof WEIR_CREDENTIAL_PREFIX - 1,
    DRAWN_LENGTH = 43, /* 62 ^ 43 > 2 ^ 256 */
    CHECKED_LENGTH = PREFIX_LENGTH + DRAWN_LENGTH,
    CHECKSUM_LENGTH = 6, /* 62 ^ 6 > 2 ^ 32 */
    BASE = 62
};

_Static_assert(CHECKED_LENGTH + CHECKSUM_LENGTH == WEIR_CREDENTIAL_LENGTH, "it has these parts");
_Static_assert(WEIR_DIGEST_SIZE == WEIR_SHA256_SIZE, "a digest is a SHA-256");
_Static_assert(WEIR_CREDENTIAL_LENGTH + 9 <= 64, "it is one block of SHA-256, padding included");

/*
 * ---- Digits ----
 */

static const char digits[BASE + 1] =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/* The value of each byte that is a digit, and that it is one. */
#define IS_DIGIT 0x40u
#define DIGIT(byte, value) [byte] = IS_DIGIT | (value)
static const uint8_t values[UINT8_MAX + 1] = {
    DIGIT('0', 0),  DIGIT('1', 1),  DIGIT('2', 2),  DIGIT('3', 3),  DIGIT('4', 4),  DIGIT('5', 5),
    DIGIT('6', 6),  DIGIT('7', 7),  DIGIT('8', 8),  DIGIT('9', 9),  DIGIT('A', 10), DIGIT('B', 11),
    DIGIT('C', 12), DIGIT('D', 13), DIGIT('E', 14), DIGIT('F', 15), DIGIT('G', 16), DIGIT('H', 17),
    DIGIT('I', 18), DIGIT('J', 19), DIGIT('K', 20), DIGIT('L', 21), DIGIT('M', 22), DIGIT('N', 23),
    DIGIT('O', 24), DIGIT('P', 25), DIGIT('Q', 26), DIGIT('R', 27), DIGIT('S', 28), DIGIT('T', 29),
    DIGIT('U', 30), DIGIT('V', 31), DIGIT('W', 32), DIGIT('X', 33), DIGIT('Y', 34), DIGIT('Z', 35),
    DIGIT('a', 36), DIGIT('b', 37), DIGIT('c', 38), DIGIT('d', 39), DIGIT('e', 40), DIGIT('f', 41),
    DIGIT('g', 42), DIGIT('h', 43), DIGIT('i', 44), DIGIT('j', 45), DIGIT('k', 46), DIGIT('l', 47),
    DIGIT('m', 48), DIGIT('n', 49), DIGIT('o', 50), DIGIT('p', 51), DIGIT('q', 52), DIGIT('r', 53),
    DIGIT('s', 54), DIGIT('t', 55), DIGIT('u', 56), DIGIT('v', 57), DIGIT('w', 58), DIGIT('x', 59),
    DIGIT('y', 60), DIGIT('z', 61)};
#undef DIGIT

/* Whether all are digits: a byte at a time, as what holds more of a secret at once may be left on
 * the stack; without a branch for each. */
static bool all_digits(const char *text, size_t length)
{
    unsigned all = IS_DIGIT;

    for (size_t i = 0; i < length; i++) {
        all &= values[(unsigned char)text[i]];
    }
    return all != 0;
}

/* The value of what is a digit. */
static inline unsigned digit_value(char digit)
{
    return values[(unsigned char)digit] & ~IS_DIGIT;
}

/*
 * ---- Checksum ----
 */

static uint32_t checksum_of(const char *text)
{
    return (uint32_t)crc32(0, (const Bytef *)text, CHECKED_LENGTH);
}

static void write_checksum(char *text)
{
    uint32_t checksum = checksum_of(text);

    for (size_t i = WEIR_CREDENTIAL_LENGTH; i-- > CHECKED_LENGTH;) {
        text[i] = digits[checksum % BASE];
        checksum /= BASE;
    }
}

static uint64_t read_checksum(const char *text)
{
    uint64_t checksum = 0;

    for (size_t i = CHECKED_LENGTH; i < WEIR_CREDENTIAL_LENGTH; i++) {
        checksum = checksum * BASE + digit_value(text[i]);
    }
    return checksum;
}

/*
 * ---- Credentials ----
 */

/* Fills what is to be drawn. A byte is a digit and two bits to spare; the eight that would be none
 * are drawn again, so that each digit is as likely as the next. False: no random bits. */
static bool draw_digits(char *drawn)
{
    unsigned char bytes[64];
    size_t used = sizeof bytes;
    bool filled = true;

    for (size_t count = 0; count < DRAWN_LENGTH && filled;) {
        if (used == sizeof bytes) {
            filled = weir_crypto_random(bytes, sizeof bytes);
            used = 0;
        } else if (bytes[used++] / 4 < BASE) {
            drawn[count++] = digits[bytes[used - 1] / 4];
        }
    }
    weir_wipe(bytes, sizeof bytes);
    return filled;
}

enum weir_status weir_credential_draw(struct weir_credential *credential, struct weir_error *error)
{
    struct weir_credential made = {WEIR_CREDENTIAL_PREFIX};

    if (!draw_digits(made.text + PREFIX_LENGTH)) {
        enum weir_status status = weir_fail_errno(error, "getrandom");

        weir_wipe(&made, sizeof made);
        return status;
    }
    write_checksum(made.text);
    *credential = made;
    weir_wipe(&made, sizeof made);
    return WEIR_OK;
}

bool weir_credential_well_formed(struct weir_text text)
{
    return text.length == WEIR_CREDENTIAL_LENGTH &&
           memcmp(text.bytes, WEIR_CREDENTIAL_PREFIX, PREFIX_LENGTH) == 0 &&
           all_digits(text.bytes + PREFIX_LENGTH, WEIR_CREDENTIAL_LENGTH - PREFIX_LENGTH) &&
           read_checksum(text.bytes) == checksum_of(text.bytes);
}

bool weir_credential_digest(struct weir_text text, uint8_t digest[WEIR_DIGEST_SIZE])
{
    return weir_credential_well_formed(text) && weir_crypto_sha256(text.bytes, text.length, digest);
}

void weir_wipe(void *memory, size_t size)
{
    weir_crypto_wipe(memory, size);
}
