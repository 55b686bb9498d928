/* text.h - comparing texts, and parts of them. */
#ifndef WEIR_VOCABULARY_TEXT_H
#define WEIR_VOCABULARY_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include <weir/name.h>

/* memcmp and memcpy want valid pointers even for no bytes at all; an empty text may have none. */
static inline bool weir_bytes_equal(const char *left, const char *right, size_t length)
{
    return length == 0 || memcmp(left, right, length) == 0;
}

static inline bool weir_text_equal(struct weir_text left, struct weir_text right)
{
    return left.length == right.length && weir_bytes_equal(left.bytes, right.bytes, left.length);
}

static inline bool weir_text_begins_with(struct weir_text text, struct weir_text prefix)
{
    return text.length >= prefix.length &&
           weir_bytes_equal(text.bytes, prefix.bytes, prefix.length);
}

/* Byte order; a text comes before every longer one that begins with it. */
static inline int weir_text_compare(struct weir_text left, struct weir_text right)
{
    size_t shorter = left.length < right.length ? left.length : right.length;
    int order = shorter == 0 ? 0 : memcmp(left.bytes, right.bytes, shorter);

    if (order != 0) {
        return order;
    }
    return (left.length > right.length) - (left.length < right.length);
}

/* Number of leading bytes that the two have in common. */
static inline size_t weir_text_common(struct weir_text left, struct weir_text right)
{
    size_t shorter = left.length < right.length ? left.length : right.length;
    size_t common = 0;

    while (common < shorter && left.bytes[common] == right.bytes[common]) {
        common++;
    }
    return common;
}

/* Whether the text is this word, in any case. */
static inline bool weir_text_is_word(struct weir_text text, const char *word)
{
    return text.length == strlen(word) &&
           (text.length == 0 || strncasecmp(text.bytes, word, text.length) == 0);
}

/* The text from that byte on. */
static inline struct weir_text weir_text_from(struct weir_text text, size_t start)
{
    if (start > 0) {
        text.bytes += start;
        text.length -= start;
    }
    return text;
}

static inline bool weir_is_space_or_tab(char byte)
{
    return byte == ' ' || byte == '\t';
}

/* The text without spaces and tabs at its ends. */
static inline struct weir_text weir_text_trim(struct weir_text text)
{
    while (text.length > 0 && weir_is_space_or_tab(text.bytes[0])) {
        text.bytes++;
        text.length--;
    }
    while (text.length > 0 && weir_is_space_or_tab(text.bytes[text.length - 1])) {
        text.length--;
    }
    return text;
}

#endif
