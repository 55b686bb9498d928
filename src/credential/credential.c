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

/* The value of each byte that is a digit, and the bit that says so. */
#define IS_DIGIT 0x40u
static const uint8_t values[UINT8_MAX + 1] = {
    ['0'] = 0x40, ['1'] = 0x41, ['2'] = 0x42, ['3'] = 0x43, ['4'] = 0x44, ['5'] = 0x45,
    ['6'] = 0x46, ['7'] = 0x47, ['8'] = 0x48, ['9'] = 0x49, ['A'] = 0x4a, ['B'] = 0x4b,
    ['C'] = 0x4c, ['D'] = 0x4d, ['E'] = 0x4e, ['F'] = 0x4f, ['G'] = 0x50, ['H'] = 0x51,
    ['I'] = 0x52, ['J'] = 0x53, ['K'] = 0x54, ['L'] = 0x55, ['M'] = 0x56, ['N'] = 0x57,
    ['O'] = 0x58, ['P'] = 0x59, ['Q'] = 0x5a, ['R'] = 0x5b, ['S'] = 0x5c, ['T'] = 0x5d,
    ['U'] = 0x5e, ['V'] = 0x5f, ['W'] = 0x60, ['X'] = 0x61, ['Y'] = 0x62, ['Z'] = 0x63,
    ['a'] = 0x64, ['b'] = 0x65, ['c'] = 0x66, ['d'] = 0x67, ['e'] = 0x68, ['f'] = 0x69,
    ['g'] = 0x6a, ['h'] = 0x6b, ['i'] = 0x6c, ['j'] = 0x6d, ['k'] = 0x6e, ['l'] = 0x6f,
    ['m'] = 0x70, ['n'] = 0x71, ['o'] = 0x72, ['p'] = 0x73, ['q'] = 0x74, ['r'] = 0x75,
    ['s'] = 0x76, ['t'] = 0x77, ['u'] = 0x78, ['v'] = 0x79, ['w'] = 0x7a, ['x'] = 0x7b,
    ['y'] = 0x7c, ['z'] = 0x7d};

/*
 * Both go a byte at a time, without a branch for each: what holds more of a secret at once may be
 * left on the stack.
 */
static bool has_prefix(const char *text)
{
    unsigned difference = 0;

    for (size_t i = 0; i < PREFIX_LENGTH; i++) {
        difference |= (unsigned)(text[i] ^ WEIR_CREDENTIAL_PREFIX[i]);
    }
    return difference == 0;
}

/* Whether all are digits. */
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
    return text.length == WEIR_CREDENTIAL_LENGTH && has_prefix(text.bytes) &&
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
