#include "s2/json_text.h"

#include <stdint.h>
#include <string.h>

#include "vocabulary/name_rules.h"
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
    return high == 0 || weir_text_valid(text->raw) ? at : NULL;
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

/* What a backslash and this character stand for; 0: nothing. */
static char short_escape(char character)
{
    switch (character) {
    case '"':
    case '\\':
    case '/':
        return character;
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    default:
        return '\0';
    }
}

bool s2_json_text_unescape(struct weir_text raw, char *out, size_t *length)
{
    const char *at = raw.bytes;
    const char *const end = raw.bytes + raw.length;
    char *const start = out;

    while (at < end) {
        const char *backslash = memchr(at, '\\', (size_t)(end - at));
        const size_t plain = (size_t)((backslash != NULL ? backslash : end) - at);
        uint32_t code_point = 0;

        memcpy(out, at, plain);
        out += plain;
        at += plain;
        if (at == end) {
            break;
        }
        code_point = end - at < 2 ? 0 : (unsigned char)short_escape(at[1]);
        at = code_point != 0 ? at + 2 : read_units(at, end, &code_point);
        if (at == NULL) {
            return false;
        }
        out = write_character(code_point, out);
    }
    *length = (size_t)(out - start);
    return true;
}
