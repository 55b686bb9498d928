#include "s2/base64.h"

#include <stdint.h>

/* Not in the alphabet. */
#define NO 0xff

/* clang-format off */
static const unsigned char digits[256] = {
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, 62, NO, NO, NO, 63,
    52, 53, 54, 55, 56, 57, 58, 59, 60, 61, NO, NO, NO, NO, NO, NO,
    NO, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
    15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, NO, NO, NO, NO, NO,
    NO, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
    41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, NO, NO, NO, NO, NO,
    [128] = NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
};
/* clang-format on */

/* The four digits that begin there, as 24 bits; above them 0 if all are in the alphabet. */
static uint32_t read_digits(const unsigned char *text)
{
    const uint32_t first = digits[text[0]], second = digits[text[1]], third = digits[text[2]],
                   fourth = digits[text[3]];

    return first << 18 | second << 12 | third << 6 | fourth |
           ((first | second | third | fourth) & 0x80) << 24;
}

/* The last four, of which one or two may be padding. */
static bool decode_last(const unsigned char *text, char *out, size_t *length)
{
    const size_t padding = text[3] != '=' ? 0 : text[2] != '=' ? 1 : 2;
    const unsigned char filled[4] = {text[0], text[1], padding < 2 ? text[2] : 'A',
                                     padding < 1 ? text[3] : 'A'};
    const uint32_t value = read_digits(filled);
    const uint32_t left_over = value & ((UINT32_C(1) << (8 * padding)) - 1);

    if (value >> 24 != 0 || left_over != 0) {
        return false;
    }
    *length = 3 - padding;
    for (size_t i = 0; i < *length; i++) {
        out[i] = (char)(value >> (16 - 8 * i));
    }
    return true;
}

bool s2_base64_decode(struct weir_text text, char *out, size_t *length)
{
    const unsigned char *in = (const unsigned char *)text.bytes;
    char *const start = out;
    uint32_t seen = 0;
    size_t last = 0;

    *length = 0;
    if (text.length == 0 || text.length % 4 != 0) {
        return text.length == 0;
    }
    for (size_t i = 0; i + 4 < text.length; i += 4) {
        const uint32_t value = read_digits(in + i);

        seen |= value;
        *out++ = (char)(value >> 16);
        *out++ = (char)(value >> 8);
        *out++ = (char)value;
    }
    if (seen >> 24 != 0 || !decode_last(in + text.length - 4, out, &last)) {
        return false;
    }
    *length = (size_t)(out - start) + last;
    return true;
}
