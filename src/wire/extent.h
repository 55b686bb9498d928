/* extent.h - where a JSON value ends, without understanding it. */
#ifndef WEIR_WIRE_EXTENT_H
#define WEIR_WIRE_EXTENT_H

#include <stdbool.h>
#include <stddef.h>

#include <weir/name.h>

/* The four bytes that JSON allows between everything. */
static inline bool weir_is_blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

/*
 * How far the search for the end of a value has come. All zero is the start. An object or array
 * ends where as many brackets have closed as opened, a string at its quote, anything else before
 * the byte that cannot belong to it. What is not well-formed gets some end, too: whoever reads the
 * value finds the fault.
 */
struct weir_extent {
    size_t length; /* bytes that certainly belong to the value */
    size_t depth;  /* open brackets */
    bool in_string;
    bool escaped; /* the next byte follows a backslash */
};

/* Goes on from extent->length in `text`, which begins with the value and holds more of it than last
 * time. True if the value ends at extent->length. */
bool weir_extent_find(struct weir_extent *extent, struct weir_text text);

#endif
