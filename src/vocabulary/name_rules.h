/* name_rules.h - the rules for names, inlined where each check needs them. */
#ifndef WEIR_VOCABULARY_NAME_RULES_H
#define WEIR_VOCABULARY_NAME_RULES_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

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

/* The high bit of each byte of an all-ASCII word that lies between the two, inclusive. Neither sum
 * carries into the next byte, since no byte exceeds 0x7f. */
static inline uint64_t weir_bytes_between(uint64_t word, unsigned low, unsigned high)
{
    uint64_t at_least = word + WEIR_EACH_BYTE * (0x80 - low);
    uint64_t beyond = word + WEIR_EACH_BYTE * (0x7f - high);

    return at_least & ~beyond & WEIR_HIGH_BITS;
}

/* Nonzero if one of eight bytes may not stand in the name of a basin. */
static inline uint64_t weir_basin_word_bad(uint64_t word)
{
    uint64_t ascii = word & ~WEIR_HIGH_BITS;
    uint64_t good = weir_bytes_between(ascii, 'a', 'z') | weir_bytes_between(ascii, '0', '9') |
                    weir_bytes_between(ascii, '-', '-');

    return (good ^ WEIR_HIGH_BITS) | (word & WEIR_HIGH_BITS);
}

/* weir_basin_valid. Eight bytes at a time; the last word ends where the name does. */
static inline bool weir_basin_allowed(struct weir_text name)
{
    uint64_t bad = 0;

    if (name.length < WEIR_BASIN_MIN || name.length > WEIR_BASIN_MAX) {
        return false;
    }
    for (size_t i = 0; i + 8 < name.length; i += 8) {
        bad |= weir_basin_word_bad(weir_load_word(name.bytes + i));
    }
    bad |= weir_basin_word_bad(weir_load_word(name.bytes + name.length - 8));
    return bad == 0 && name.bytes[0] != '-' && name.bytes[name.length - 1] != '-';
}

/* Nonzero if one of eight bytes is NUL or not ASCII: a byte of 1 to 0x7f less one has no high bit,
 * and a borrow comes only from a NUL, which is found itself. */
static inline uint64_t weir_word_not_plain(uint64_t word)
{
    return ((word - WEIR_EACH_BYTE) | word) & WEIR_HIGH_BITS;
}

/* Whether the text is valid UTF-8 without a NUL. */
static inline bool weir_text_valid(struct weir_text text)
{
    uint64_t not_plain = 0;

    if (text.length >= 8) {
        for (size_t i = 0; i + 8 < text.length; i += 8) {
            not_plain |= weir_word_not_plain(weir_load_word(text.bytes + i));
        }
        not_plain |= weir_word_not_plain(weir_load_word(text.bytes + text.length - 8));
    } else {
        for (size_t i = 0; i < text.length; i++) {
            not_plain |= (uint64_t)((signed char)text.bytes[i] <= 0);
        }
    }
    return not_plain == 0 || weir_utf8_valid(text);
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
