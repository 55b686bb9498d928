/* name_rules.h - the rules for names, inlined where each check needs them. */
#ifndef WEIR_VOCABULARY_NAME_RULES_H
#define WEIR_VOCABULARY_NAME_RULES_H

#include <stdbool.h>
#include <stdint.h>

#include <weir/name.h>

#include "vocabulary/pieces.h"

/* Whether the bytes are valid UTF-8 without a NUL; for names that are not all ASCII. */
bool weir_utf8_valid(struct weir_text text);

#define WEIR_EACH_BYTE UINT64_C(0x0101010101010101)
#define WEIR_HIGH_BITS (WEIR_EACH_BYTE * 0x80)

/* A text of up to 7 bytes as a word, filled up with what may stand in every name. */
static inline uint64_t weir_load_filled(struct weir_text text)
{
    return weir_load_short_text(text) | (WEIR_EACH_BYTE * 'a') << (8 * text.length);
}

/*
 * Of the two rules that every check applies there is a form for each of what a machine can compare
 * at once. No byte beside the name is read: pieces overlap where its length is no multiple of
 * theirs. The lengths of names vary from one question to the next, so the number of pieces does not
 * depend on them, where it can be helped: a wrongly guessed branch costs more than a needless
 * piece.
 */
#if WEIR_SSE2

/* The piece at `start`, or the last one of a name of `last` + 16 bytes, whichever comes first. */
static inline __m128i weir_load_piece_within(const char *bytes, size_t start, size_t last)
{
    return weir_load_piece(bytes + weir_smaller(start, last));
}

/* All bits of each byte that lies between the two, which are ASCII: moved up so that what is higher
 * becomes negative, as what is not ASCII does not become positive enough. */
static inline __m128i weir_between(__m128i piece, char low, char high)
{
    __m128i moved = _mm_add_epi8(piece, _mm_set1_epi8((char)(0x7f - high)));

    return _mm_cmpgt_epi8(moved, _mm_set1_epi8((char)(0x7f - high + low - 1)));
}

static inline __m128i weir_is_basin(__m128i piece)
{
    return _mm_or_si128(_mm_or_si128(weir_between(piece, 'a', 'z'), weir_between(piece, '0', '9')),
                        _mm_cmpeq_epi8(piece, _mm_set1_epi8('-')));
}

static inline __m128i weir_is_plain(__m128i piece)
{
    return _mm_cmpgt_epi8(piece, _mm_setzero_si128());
}

static inline bool weir_all_bytes(__m128i good)
{
    return _mm_movemask_epi8(good) == 0xffff;
}

static inline bool weir_basin_word(uint64_t word)
{
    return weir_all_bytes(weir_is_basin(_mm_set1_epi64x((long long)word)));
}

static inline bool weir_plain_word(uint64_t word)
{
    return weir_all_bytes(weir_is_plain(_mm_set1_epi64x((long long)word)));
}

/* Whether 8 to 48 bytes may all stand in the name of a basin. */
static inline bool weir_basin_bytes(const char *bytes, size_t length)
{
    __m128i good;

    if (length < 16) {
        good = weir_is_basin(weir_load_two_words(bytes, length - WEIR_WORD));
    } else {
        size_t last = length - 16;

        good = _mm_and_si128(weir_is_basin(weir_load_piece(bytes)),
                             weir_is_basin(weir_load_piece(bytes + last)));
        good = _mm_and_si128(good, weir_is_basin(weir_load_piece_within(bytes, 16, last)));
    }
    return weir_all_bytes(good);
}

/* Whether 16 to 64 bytes are all ASCII without a NUL. */
static inline bool weir_plain_window(const char *bytes, size_t length)
{
    size_t last = length - 16;
    __m128i first_half = _mm_and_si128(weir_is_plain(weir_load_piece(bytes)),
                                       weir_is_plain(weir_load_piece_within(bytes, 16, last)));
    __m128i second_half = _mm_and_si128(weir_is_plain(weir_load_piece_within(bytes, 32, last)),
                                        weir_is_plain(weir_load_piece(bytes + last)));

    return weir_all_bytes(_mm_and_si128(first_half, second_half));
}

/* Whether 8 bytes or more are all ASCII without a NUL. */
static inline bool weir_plain_bytes(const char *bytes, size_t length)
{
    if (length < 16) {
        return weir_all_bytes(weir_is_plain(weir_load_two_words(bytes, length - WEIR_WORD)));
    }
    for (; length > 64; bytes += 64, length -= 64) {
        if (length < 64 + 16) {
            /* So that what is left is not too short for a window of its own. */
            return weir_plain_window(bytes, 64) && weir_plain_window(bytes + length - 64, 64);
        }
        if (!weir_plain_window(bytes, 64)) {
            return false;
        }
    }
    return weir_plain_window(bytes, length);
}

#else

/* The high bit of each byte of an all-ASCII word that lies between the two, inclusive. Neither sum
 * carries into the next byte, since no byte exceeds 0x7f. */
static inline uint64_t weir_between(uint64_t word, unsigned low, unsigned high)
{
    uint64_t at_least = word + WEIR_EACH_BYTE * (0x80 - low);
    uint64_t beyond = word + WEIR_EACH_BYTE * (0x7f - high);

    return at_least & ~beyond & WEIR_HIGH_BITS;
}

/* The high bit of each byte that may not stand in the name of a basin. */
static inline uint64_t weir_not_basin(uint64_t word)
{
    uint64_t ascii = word & ~WEIR_HIGH_BITS;
    uint64_t good = weir_between(ascii, 'a', 'z') | weir_between(ascii, '0', '9') |
                    weir_between(ascii, '-', '-');

    return (~good | word) & WEIR_HIGH_BITS;
}

/* Nonzero if one of eight bytes is NUL or not ASCII: a byte of 1 to 0x7f less one has no high bit,
 * and a borrow comes only from a NUL, which is found itself. */
static inline uint64_t weir_not_plain(uint64_t word)
{
    return ((word - WEIR_EACH_BYTE) | word) & WEIR_HIGH_BITS;
}

static inline bool weir_basin_word(uint64_t word)
{
    return weir_not_basin(word) == 0;
}

static inline bool weir_plain_word(uint64_t word)
{
    return weir_not_plain(word) == 0;
}

/* Whether 8 to 48 bytes may all stand in the name of a basin. */
static inline bool weir_basin_bytes(const char *bytes, size_t length)
{
    uint64_t bad = weir_not_basin(weir_load_word(bytes + length - 8));

    for (size_t i = 0; i + 8 < length; i += 8) {
        bad |= weir_not_basin(weir_load_word(bytes + i));
    }
    return bad == 0;
}

/* Whether 8 bytes or more are all ASCII without a NUL. */
static inline bool weir_plain_bytes(const char *bytes, size_t length)
{
    uint64_t bad = weir_not_plain(weir_load_word(bytes + length - 8));

    for (size_t i = 0; i + 8 < length; i += 8) {
        bad |= weir_not_plain(weir_load_word(bytes + i));
    }
    return bad == 0;
}

#endif

/* weir_basin_valid */
static inline bool weir_basin_allowed(struct weir_text name)
{
    return name.length >= WEIR_BASIN_MIN && name.length <= WEIR_BASIN_MAX &&
           weir_basin_bytes(name.bytes, name.length) && name.bytes[0] != '-' &&
           name.bytes[name.length - 1] != '-';
}

/* weir_basin_prefix_valid */
static inline bool weir_basin_prefix_allowed(struct weir_text prefix)
{
    if (prefix.length - 1 >= WEIR_BASIN_MAX) {
        return prefix.length == 0;
    }
    return prefix.bytes[0] != '-' &&
           (prefix.length >= 8 ? weir_basin_bytes(prefix.bytes, prefix.length)
                               : weir_basin_word(weir_load_filled(prefix)));
}

/* Whether the text is ASCII without a NUL. */
static inline bool weir_text_plain(struct weir_text text)
{
    if (text.length >= 8) {
        return weir_plain_bytes(text.bytes, text.length);
    }
    return weir_plain_word(weir_load_filled(text));
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

/* weir_stream_prefix_valid */
static inline bool weir_stream_prefix_allowed(struct weir_text prefix)
{
    return prefix.length <= WEIR_STREAM_MAX && weir_text_valid(prefix);
}

/* weir_token_id_valid */
static inline bool weir_token_id_allowed(struct weir_text id)
{
    return id.length - 1 < WEIR_TOKEN_ID_MAX && weir_text_valid(id) && !weir_text_is_dots(id);
}

/* weir_token_id_prefix_valid */
static inline bool weir_token_id_prefix_allowed(struct weir_text prefix)
{
    return prefix.length <= WEIR_TOKEN_ID_MAX && weir_text_valid(prefix);
}

#endif
