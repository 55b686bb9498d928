#include "s2/json_text.h"

#include <stdint.h>
#include <string.h>

#include "vocabulary/vector.h"

/* The first byte that ends a string, begins an escape, or is a control character; or one before it
 * in the same piece. `*high` gets a bit that is set if there is a byte before it that is not ASCII.
 */
#if WEIR_SSE2

static const char *pass_over_plain(const char *at, const char *end, unsigned *high)
{
    const __m128i quote = _mm_set1_epi8('"');
    const __m128i backslash = _mm_set1_epi8('\\');
    const __m128i control = _mm_set1_epi8(0x1f);

    while (end - at >= 16) {
        const __m128i piece = _mm_loadu_si128((const __m128i *)(const void *)at);
        const __m128i special = _mm_or_si128(
            _mm_or_si128(_mm_cmpeq_epi8(piece, quote), _mm_cmpeq_epi8(piece, backslash)),
            _mm_cmpeq_epi8(_mm_min_epu8(piece, control), piece));
        const unsigned found = (unsigned)_mm_movemask_epi8(special);
        const unsigned not_ascii = (unsigned)_mm_movemask_epi8(piece);

        if (found != 0) {
            *high |= not_ascii & ((found & -found) - 1);
            return at + __builtin_ctz(found);
        }
        *high |= not_ascii;
        at += 16;
    }
    return at;
}

#else

#define EACH_BYTE UINT64_C(0x0101010101010101)

/* Bit 7 of at least one byte if one of them is zero; of none if none is. */
static uint64_t zero_bytes(uint64_t word)
{
    return (word - EACH_BYTE) & ~word & (EACH_BYTE << 7);
}

static const char *pass_over_plain(const char *at, const char *end, unsigned *high)
{
    while (end - at >= 8) {
        uint64_t word = 0;

        memcpy(&word, at, sizeof word);
        if ((zero_bytes(word ^ EACH_BYTE * '"') | zero_bytes(word ^ EACH_BYTE * '\\') |
             zero_bytes(word & (EACH_BYTE * 0xe0))) != 0) {
            return at;
        }
        *high |= (word & (EACH_BYTE << 7)) != 0;
        at += 8;
    }
    return at;
}

#endif

static bool continues(unsigned char byte)
{
    return (byte & 0xc0) == 0x80;
}

/* The length of the character of two bytes or more that is there; 0: it is not UTF-8. What its
 * second byte may be depends on the first: no longer form than needed, no surrogate, nothing past
 * U+10FFFF. */
static size_t character_length(const unsigned char *at, size_t left)
{
    const unsigned char first = at[0];

    if (left < 2 || !continues(at[1])) {
        return 0;
    }
    if (first < 0xe0) {
        return first >= 0xc2 ? 2 : 0;
    }
    if (left < 3 || !continues(at[2])) {
        return 0;
    }
    if (first < 0xf0) {
        return first == 0xe0 ? (at[1] >= 0xa0 ? 3 : 0) : first == 0xed && at[1] >= 0xa0 ? 0 : 3;
    }
    if (left < 4 || !continues(at[3]) || first > 0xf4) {
        return 0;
    }
    return first == 0xf0 ? (at[1] >= 0x90 ? 4 : 0) : first == 0xf4 && at[1] >= 0x90 ? 0 : 4;
}

static bool is_utf8(struct weir_text text)
{
    const unsigned char *at = (const unsigned char *)text.bytes;
    const unsigned char *const end = at + text.length;

    while (at < end) {
        if (*at < 0x80) {
            at++;
        } else {
            const size_t length = character_length(at, (size_t)(end - at));

            if (length == 0) {
                return false;
            }
            at += length;
        }
    }
    return true;
}

const char *s2_json_text_read(const char *at, const char *end, struct s2_json_text *text)
{
    const char *const start = at;
    unsigned high = 0;

    text->escaped = false;
    for (;;) {
        unsigned char byte = 0;

        at = pass_over_plain(at, end, &high);
        if (at == end) {
            return NULL;
        }
        byte = (unsigned char)*at++;
        if (byte == '"') {
            break;
        }
        if (byte < ' ') {
            return NULL;
        }
        high |= byte & 0x80u;
        if (byte == '\\') {
            /* What it stands before cannot end the string; whether it may be there is looked at
             * when it is unescaped. */
            text->escaped = true;
            if (at == end || (unsigned char)*at < ' ' || (unsigned char)*at >= 0x80) {
                return NULL;
            }
            at++;
        }
    }
    text->raw = (struct weir_text){start, (size_t)(at - 1 - start)};
    return high == 0 || is_utf8(text->raw) ? at : NULL;
}

static bool read_unit(const char *at, const char *end, uint32_t *unit)
{
    if (end - at < 6 || at[0] != '\\' || at[1] != 'u') {
        return false;
    }
    *unit = 0;
    for (int i = 2; i < 6; i++) {
        const unsigned char digit = (unsigned char)at[i];
        const unsigned char letter = digit | 0x20;

        if (digit >= '0' && digit <= '9') {
            *unit = *unit << 4 | (uint32_t)(digit - '0');
        } else if (letter >= 'a' && letter <= 'f') {
            *unit = *unit << 4 | (uint32_t)(letter - 'a' + 10);
        } else {
            return false;
        }
    }
    return true;
}

static char *write_character(uint32_t code_point, char *out)
{
    if (code_point < 0x80) {
        *out++ = (char)code_point;
        return out;
    }
    if (code_point < 0x800) {
        *out++ = (char)(0xc0 | code_point >> 6);
    } else if (code_point < 0x10000) {
        *out++ = (char)(0xe0 | code_point >> 12);
        *out++ = (char)(0x80 | (code_point >> 6 & 0x3f));
    } else {
        *out++ = (char)(0xf0 | code_point >> 18);
        *out++ = (char)(0x80 | (code_point >> 12 & 0x3f));
        *out++ = (char)(0x80 | (code_point >> 6 & 0x3f));
    }
    *out++ = (char)(0x80 | (code_point & 0x3f));
    return out;
}

/* The character of an escape of one or two units; returns what is behind it, or NULL. */
static const char *read_units(const char *at, const char *end, uint32_t *code_point)
{
    uint32_t low = 0;

    if (!read_unit(at, end, code_point)) {
        return NULL;
    }
    if (*code_point < 0xd800 || *code_point > 0xdfff) {
        return at + 6;
    }
    if (*code_point > 0xdbff || !read_unit(at + 6, end, &low) || low < 0xdc00 || low > 0xdfff) {
        return NULL;
    }
    *code_point = 0x10000 + ((*code_point & 0x3ff) << 10) + (low & 0x3ff);
    return at + 12;
}

/* What a backslash and such a character stand for; 0: nothing. */
static const char short_escapes[256] = {
    ['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
    ['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t',
};

/* Copies up to the next backslash, or to the end; returns where that is. `*out` has room for all
 * that is left. */
static const char *copy_plain(const char *at, const char *end, char **out)
{
    char *to = *out;
#if WEIR_SSE2
    const __m128i backslash = _mm_set1_epi8('\\');

    while (end - at >= 16) {
        const __m128i piece = _mm_loadu_si128((const __m128i *)(const void *)at);
        const unsigned found = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(piece, backslash));

        _mm_storeu_si128((__m128i *)(void *)to, piece);
        if (found != 0) {
            *out = to + __builtin_ctz(found);
            return at + __builtin_ctz(found);
        }
        at += 16;
        to += 16;
    }
#endif
    while (at < end && *at != '\\') {
        *to++ = *at++;
    }
    *out = to;
    return at;
}

bool s2_json_text_unescape(struct weir_text raw, char *out, size_t *length)
{
    const char *const end = raw.bytes + raw.length;
    const char *at = copy_plain(raw.bytes, end, &out);
    char *const start = out - (at - raw.bytes);

    while (at < end) {
        uint32_t code_point = 0;

        if (end - at < 2) {
            return false;
        }
        code_point = (unsigned char)short_escapes[(unsigned char)at[1]];
        if (code_point != 0) {
            *out++ = (char)code_point;
            at += 2;
        } else {
            at = read_units(at, end, &code_point);
            if (at == NULL) {
                return false;
            }
            out = write_character(code_point, out);
        }
        at = copy_plain(at, end, &out);
    }
    *length = (size_t)(out - start);
    return true;
}
