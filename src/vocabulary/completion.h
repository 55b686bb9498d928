/*
 * completion.h - how the beginning of a name may go on until it is a name.
 *
 * Whoever asks whether something holds of every name under a prefix, or looks for one of which it
 * does not, goes from a beginning to its continuations, a byte at a time. Only such bytes are taken
 * as lead to some name that is allowed: of the alphabet, within the character of UTF-8 that has
 * begun, short enough. A beginning that has no continuation is a name itself.
 */
#ifndef WEIR_VOCABULARY_COMPLETION_H
#define WEIR_VOCABULARY_COMPLETION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/name.h>

/* The three kinds of name, numbered as enum weir_set_role (decision.h) is. */
enum weir_name_kind { WEIR_NAME_BASIN = 0, WEIR_NAME_STREAM = 1, WEIR_NAME_TOKEN_ID = 2 };

/* The beginning of a name, as far as it matters for what may follow. A value: copy it to come back
 * to it. */
struct weir_beginning {
    enum weir_name_kind kind;
    uint16_t length;      /* bytes that stand */
    uint16_t longest;     /* of a name */
    uint8_t continuation; /* bytes still missing of the character that has begun */
    uint8_t low;          /* the first of them is from here */
    uint8_t high;         /* to here */
    uint8_t dots;         /* as many dots stand and nothing else; 3: something else, or more */
    bool hyphen;          /* the last byte is '-' */
};

/* Nothing stands yet. Names may have up to `longest` bytes, less than their kind allows where
 * something else is put before them. */
struct weir_beginning weir_beginning_of(enum weir_name_kind kind, size_t longest);

/* The longest name of the kind. */
size_t weir_name_longest(enum weir_name_kind kind);

/* Adds a byte, or all those of the text. False if no name that is allowed begins so: then
 * `beginning` is of no more use. */
bool weir_beginning_add(struct weir_beginning *beginning, unsigned char byte);
bool weir_beginning_add_text(struct weir_beginning *beginning, struct weir_text text);

/* Whether any name that is allowed begins so. Of an empty one too, where `longest` is 0. */
bool weir_beginning_possible(const struct weir_beginning *beginning);

/* Whether what stands is itself a name that is allowed. */
bool weir_beginning_is_name(const struct weir_beginning *beginning);

#define WEIR_NO_BYTE 256u

/* The smallest byte, not below `from`, that may follow; WEIR_NO_BYTE if there is none. So
 *
 *     for (unsigned byte = weir_beginning_next(&b, 0); byte != WEIR_NO_BYTE;
 *          byte = weir_beginning_next(&b, byte + 1))
 *
 * goes through all. */
unsigned weir_beginning_next(const struct weir_beginning *beginning, unsigned from);

/* No beginning of a name needs more bytes to become one. */
#define WEIR_COMPLETION_MAX 8

/* Writes the fewest bytes that make a possible beginning a name (none, if it is one). Returns their
 * number. */
size_t weir_beginning_complete(struct weir_beginning beginning, char buffer[WEIR_COMPLETION_MAX]);

#endif
