#include "scarce_json.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

/* jansson hands its functions no context. */
static struct {
    size_t left;
    bool once;
    bool lacked;
    bool spares_buffer;
} scarcity;

/* The buffer of a string, word or number grows to such sizes. */
static bool may_be_buffer(size_t size)
{
    return size >= 32 && (size & (size - 1)) == 0;
}

static bool is_of_word(char byte)
{
    return isalnum((unsigned char)byte) || byte == '-' || byte == '+' || byte == '.';
}

/* Whether the text has a word, or number, for which the buffer grows. */
static bool has_long_word(const char *text, size_t size)
{
    bool inside = false; /* a string */
    size_t length = 0;

    for (size_t i = 0; i < size && length < 15; i++) {
        inside ^= text[i] == '"';
        length = inside || !is_of_word(text[i]) ? 0 : length + 1;
    }
    return length == 15;
}

/* Where the buffer cannot grow, an assert of jansson 2.14 ends the process if it grew for a
 * character that is put back then (lex_unget_unsave): that behind a word, and what is wrong in a
 * string. */
static bool must_spare_buffer(const char *text, size_t size)
{
    return text == NULL || memchr(text, '\\', size) != NULL || has_long_word(text, size);
}

static void *allocate(size_t size)
{
    if ((scarcity.spares_buffer && may_be_buffer(size)) || (scarcity.once && scarcity.lacked)) {
        return malloc(size);
    }
    if (scarcity.left == 0) {
        scarcity.lacked = true;
        errno = ENOMEM;
        return NULL;
    }
    scarcity.left--;
    return malloc(size);
}

void scarce_json_begin(size_t left, bool once, const char *text, size_t size)
{
    scarcity.left = left;
    scarcity.once = once;
    scarcity.lacked = false;
    scarcity.spares_buffer = must_spare_buffer(text, size);
    json_set_alloc_funcs(allocate, free);
}

bool scarce_json_end(void)
{
    json_set_alloc_funcs(malloc, free);
    return scarcity.lacked;
}
