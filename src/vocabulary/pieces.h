/*
 * pieces.h - the comparisons of the read path: names in pieces of sixteen bytes or of a word.
 *
 * What a token says comes from memory that may be far away. Whatever waits for it takes a place in
 * the processor that the next question's work could have, and a branch that depends on it is
 * guessed, often wrongly, where lengths vary. So pieces are cut as the name asked about says, whose
 * length is known; they overlap where that is no multiple of theirs. No byte of that name's
 * neighbours is read. Of the token's, which is the `kept` side, bytes after a name may be
 * (WEIR_READ_AHEAD).
 */
#ifndef WEIR_VOCABULARY_PIECES_H
#define WEIR_VOCABULARY_PIECES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <weir/name.h>

#include "vocabulary/text.h"
#include "vocabulary/vector.h"

#define WEIR_WORD 8
#define WEIR_PIECE 16

/* So many bytes from its beginning on may be read of whatever name is in a block: the margin of
 * compiled tokens, for a name that ends one. */
#define WEIR_READ_AHEAD 32

static inline uint64_t weir_load_word(const char *bytes)
{
    uint64_t word;

    memcpy(&word, bytes, sizeof word);
    return word;
}

static inline uint32_t weir_load_half(const char *bytes)
{
    uint32_t half;

    memcpy(&half, bytes, sizeof half);
    return half;
}

static inline size_t weir_smaller(size_t left, size_t right)
{
    return left < right ? left : right;
}

/* A text of up to 8 bytes as a word, zeros behind it. */
static inline uint64_t weir_load_short_text(struct weir_text text)
{
    const unsigned char *bytes = (const unsigned char *)text.bytes;
    size_t length = text.length;

    if (length >= 4) {
        return weir_load_half(text.bytes) | (uint64_t)weir_load_half(text.bytes + length - 4)
                                                << (8 * (length - 4));
    }
    if (length == 0) {
        return 0;
    }
    return bytes[0] | (uint64_t)bytes[length / 2] << (8 * (length / 2)) |
           (uint64_t)bytes[length - 1] << (8 * (length - 1));
}

/* How many of the lowest bytes of two words are the same; `differ` is one exclusive-or the other.
 */
static inline unsigned weir_same_bytes(uint64_t differ)
{
    return differ == 0 ? WEIR_WORD : (unsigned)__builtin_ctzll(differ) / 8;
}

#if WEIR_SSE2

static inline __m128i weir_load_piece(const char *bytes)
{
    return _mm_loadu_si128((const __m128i *)(const void *)bytes);
}

/* The word at `bytes`, and the one at `last`. */
static inline __m128i weir_load_two_words(const char *bytes, size_t last)
{
    return _mm_unpacklo_epi64(_mm_loadl_epi64((const __m128i *)(const void *)bytes),
                              _mm_loadl_epi64((const __m128i *)(const void *)(bytes + last)));
}

/* A bit for each byte that is the same in both. */
static inline uint32_t weir_same_in_piece(__m128i left, __m128i right)
{
    return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(left, right));
}

/* A bit for each of the first bytes, 32 at most, that is the same in the text and in what is kept.
 * The text has 8 bytes or more. */
static inline uint32_t weir_same_at_start(struct weir_text text, const char *kept)
{
    if (text.length < WEIR_PIECE) {
        size_t last = text.length - WEIR_WORD;
        uint32_t same = weir_same_in_piece(weir_load_two_words(text.bytes, last),
                                           weir_load_two_words(kept, last));

        return (same & 0xff) | same >> 8 << last;
    } else {
        size_t second = weir_smaller(text.length - WEIR_PIECE, WEIR_PIECE);

        return weir_same_in_piece(weir_load_piece(text.bytes), weir_load_piece(kept)) |
               weir_same_in_piece(weir_load_piece(text.bytes + second),
                                  weir_load_piece(kept + second))
                   << second;
    }
}

/* How many bytes at the start of the text are those that are kept, WEIR_READ_AHEAD at most. The
 * text has 8 bytes or more. */
static inline unsigned weir_common_start(struct weir_text text, const char *kept)
{
    return (unsigned)__builtin_ctzll(~(uint64_t)weir_same_at_start(text, kept));
}

/* Whether 16 to 48 bytes are the same. */
static inline bool weir_pieces_equal(const char *bytes, const char *kept, size_t length)
{
    size_t last = length - WEIR_PIECE;
    size_t second = weir_smaller(last, WEIR_PIECE);
    __m128i same =
        _mm_and_si128(_mm_and_si128(_mm_cmpeq_epi8(weir_load_piece(bytes), weir_load_piece(kept)),
                                    _mm_cmpeq_epi8(weir_load_piece(bytes + second),
                                                   weir_load_piece(kept + second))),
                      _mm_cmpeq_epi8(weir_load_piece(bytes + last), weir_load_piece(kept + last)));

    return _mm_movemask_epi8(same) == 0xffff;
}

#else

static inline unsigned weir_common_start(struct weir_text text, const char *kept)
{
    size_t compared = weir_smaller(text.length, WEIR_READ_AHEAD) / WEIR_WORD * WEIR_WORD;
    size_t last = weir_smaller(text.length, WEIR_READ_AHEAD) - WEIR_WORD;

    for (size_t i = 0; i < compared; i += WEIR_WORD) {
        uint64_t differ = weir_load_word(text.bytes + i) ^ weir_load_word(kept + i);

        if (differ != 0) {
            return (unsigned)i + weir_same_bytes(differ);
        }
    }
    return (unsigned)last +
           weir_same_bytes(weir_load_word(text.bytes + last) ^ weir_load_word(kept + last));
}

static inline bool weir_pieces_equal(const char *bytes, const char *kept, size_t length)
{
    uint64_t differ =
        weir_load_word(bytes + length - WEIR_WORD) ^ weir_load_word(kept + length - WEIR_WORD);

    for (size_t i = 0; i + WEIR_WORD < length; i += WEIR_WORD) {
        differ |= weir_load_word(bytes + i) ^ weir_load_word(kept + i);
    }
    return differ == 0;
}

#endif

/* Whether 8 to 48 bytes are the same. */
static inline bool weir_names_equal(const char *bytes, const char *kept, size_t length)
{
    if (length < WEIR_PIECE) {
        size_t last = length - WEIR_WORD;

        return ((weir_load_word(bytes) ^ weir_load_word(kept)) |
                (weir_load_word(bytes + last) ^ weir_load_word(kept + last))) == 0;
    }
    return weir_pieces_equal(bytes, kept, length);
}

/* weir_text_begins_with, for a prefix that is in a block: most often a short one. */
static inline bool weir_text_begins_with_kept(struct weir_text text, const char *kept,
                                              size_t length)
{
    if (length > text.length) {
        return false;
    }
    if (length <= WEIR_WORD) {
        uint64_t start =
            text.length < WEIR_WORD ? weir_load_short_text(text) : weir_load_word(text.bytes);

        return weir_same_bytes(start ^ weir_load_word(kept)) >= length;
    }
    return length <= WEIR_READ_AHEAD ? weir_common_start(text, kept) >= length
                                     : memcmp(text.bytes, kept, length) == 0;
}

#endif
