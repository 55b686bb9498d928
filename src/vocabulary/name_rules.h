/* name_rules.h - the rules for names, inlined where each check needs them. */
#ifndef WEIR_VOCABULARY_NAME_RULES_H
#define WEIR_VOCABULARY_NAME_RULES_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include <weir/name.h>

/* Whether the bytes are valid UTF-8 without a NUL; for names that are not all ASCII. */
bool weir_utf8_valid(struct weir_text text);

#define WEIR_EACH_BYTE UINT64_C(0x0101010101010101)
#define WEIR_HIGH_BITS (WEIR_EACH_BYTE * 0x80)

static inline uint64_t weir_load_word(const char *bytes)
{
    uint64_t word;

    memcpy(&word, bytes, sizeof word);
    return word;
}

/*
 * Names are looked at in pieces of the machine's width, the last of which ends where the name does:
 * so none reads a byte that is not the name's. A piece of which some byte is not as it should be
 * has a bit set; the pieces of a name are taken together.
 */
#ifdef __SSE2__

typedef __m128i weir_piece;
#define WEIR_PIECE ((size_t)16)

static inline weir_piece weir_piece_load(const char *bytes)
{
    return _mm_loadu_si128((const __m128i *)(const void *)bytes);
}

/* A piece of 8 to 16 bytes: the first eight and the last eight. */
static inline weir_piece weir_piece_load_short(const char *bytes, size_t length)
{
    return _mm_set_epi64x((long long)weir_load_word(bytes + length - 8),
                          (long long)weir_load_word(bytes));
}

static inline weir_piece weir_piece_none(void)
{
    return _mm_setzero_si128();
}

static inline weir_piece weir_piece_or(weir_piece left, weir_piece right)
{
    return _mm_or_si128(left, right);
}

/* Whether the high bit of some byte is set. */
static inline bool weir_piece_any(weir_piece bad)
{
    return _mm_movemask_epi8(bad) != 0;
}

/* All bits of each byte that lies between the two, inclusive. */
static inline __m128i weir_bytes_between(__m128i piece, char low, char high)
{
    __m128i above_low = _mm_sub_epi8(piece, _mm_set1_epi8(low));

    return _mm_cmpeq_epi8(_mm_subs_epu8(above_low, _mm_set1_epi8((char)(high - low))),
                          _mm_setzero_si128());
}

/* Bytes that may not stand in the name of a basin. */
static inline weir_piece weir_piece_not_basin(weir_piece piece)
{
    __m128i good = _mm_or_si128(
        _mm_or_si128(weir_bytes_between(piece, 'a', 'z'), weir_bytes_between(piece, '0', '9')),
        _mm_cmpeq_epi8(piece, _mm_set1_epi8('-')));

    return _mm_xor_si128(good, _mm_set1_epi8(-1));
}

/* Bytes that are NUL or not ASCII. */
static inline weir_piece weir_piece_not_plain(weir_piece piece)
{
    return _mm_or_si128(piece, _mm_cmpeq_epi8(piece, _mm_setzero_si128()));
}

#else

typedef uint64_t weir_piece;
#define WEIR_PIECE ((size_t)8)

static inline weir_piece weir_piece_load(const char *bytes)
{
    return weir_load_word(bytes);
}

static inline weir_piece weir_piece_load_short(const char *bytes, size_t length)
{
    (void)length; /* is eight */
    return weir_load_word(bytes);
}

static inline weir_piece weir_piece_none(void)
{
    return 0;
}

static inline weir_piece weir_piece_or(weir_piece left, weir_piece right)
{
    return left | right;
}

static inline bool weir_piece_any(weir_piece bad)
{
    return (bad & WEIR_HIGH_BITS) != 0;
}

/* The high bit of each byte of an all-ASCII word that lies between the two, inclusive. Neither sum
 * carries into the next byte, since no byte exceeds 0x7f. */
static inline uint64_t weir_bytes_between(uint64_t word, unsigned low, unsigned high)
{
    uint64_t at_least = word + WEIR_EACH_BYTE * (0x80 - low);
    uint64_t beyond = word + WEIR_EACH_BYTE * (0x7f - high);

    return at_least & ~beyond & WEIR_HIGH_BITS;
}

static inline weir_piece weir_piece_not_basin(weir_piece piece)
{
    uint64_t ascii = piece & ~WEIR_HIGH_BITS;
    uint64_t good = weir_bytes_between(ascii, 'a', 'z') | weir_bytes_between(ascii, '0', '9') |
                    weir_bytes_between(ascii, '-', '-');

    return ~good | piece;
}

/* A byte of 1 to 0x7f less one has no high bit, and a borrow comes only from a NUL, which is found
 * itself. */
static inline weir_piece weir_piece_not_plain(weir_piece piece)
{
    return (piece - WEIR_EACH_BYTE) | piece;
}

#endif

/* weir_basin_valid */
static inline bool weir_basin_allowed(struct weir_text name)
{
    weir_piece bad;

    if (name.length < WEIR_BASIN_MIN || name.length > WEIR_BASIN_MAX) {
        return false;
    }
    if (name.length <= WEIR_PIECE) {
        bad = weir_piece_not_basin(weir_piece_load_short(name.bytes, name.length));
    } else {
        bad = weir_piece_not_basin(weir_piece_load(name.bytes + name.length - WEIR_PIECE));
        for (size_t i = 0; i + WEIR_PIECE < name.length; i += WEIR_PIECE) {
            bad = weir_piece_or(bad, weir_piece_not_basin(weir_piece_load(name.bytes + i)));
        }
    }
    return !weir_piece_any(bad) && name.bytes[0] != '-' && name.bytes[name.length - 1] != '-';
}

/* Whether the text is ASCII without a NUL. */
static inline bool weir_text_plain(struct weir_text text)
{
    weir_piece bad = weir_piece_none();

    if (text.length < 8) {
        for (size_t i = 0; i < text.length; i++) {
            if ((signed char)text.bytes[i] <= 0) {
                return false;
            }
        }
        return true;
    }
    if (text.length <= WEIR_PIECE) {
        bad = weir_piece_not_plain(weir_piece_load_short(text.bytes, text.length));
    } else {
        bad = weir_piece_not_plain(weir_piece_load(text.bytes + text.length - WEIR_PIECE));
        for (size_t i = 0; i + WEIR_PIECE < text.length; i += WEIR_PIECE) {
            bad = weir_piece_or(bad, weir_piece_not_plain(weir_piece_load(text.bytes + i)));
        }
    }
    return !weir_piece_any(bad);
}

/* Whether the text is valid UTF-8 without a NUL. */
static inline bool weir_text_valid(struct weir_text text)
{
    return weir_text_plain(text) || weir_utf8_valid(text);
}

static inline bool weir_text_is_dots(struct weir_text text)
{
    return (text.length == 1 || text.length == 2) && text.bytes[0] == '.' &&
           text.bytes[text.length - 1] == '.';
}

/* weir_stream_valid */
static inline bool weir_stream_allowed(struct weir_text name)
{
    return name.length - 1 < WEIR_STREAM_MAX && weir_text_valid(name) && !weir_text_is_dots(name);
}

/* weir_token_id_valid */
static inline bool weir_token_id_allowed(struct weir_text id)
{
    return id.length - 1 < WEIR_TOKEN_ID_MAX && weir_text_valid(id) && !weir_text_is_dots(id);
}

#endif
