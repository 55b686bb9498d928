/* json_text.h - what JSON has between two quotes. */
#ifndef WEIR_S2_JSON_TEXT_H
#define WEIR_S2_JSON_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include <weir/name.h>

struct s2_json_text {
    struct weir_text raw; /* as it stands there */
    bool escaped;         /* there is a backslash in it */
};

/* Reads from behind a quote to the next one that ends the string; returns what is behind that one.
 * NULL: there is none before `end`, or a control character or what is not UTF-8 before it. */
const char *s2_json_text_read(const char *at, const char *end, struct s2_json_text *text);

/* Writes the text without its escapes: no more bytes than it has with them. False: an escape is
 * none, or is half a surrogate pair. */
bool s2_json_text_unescape(struct weir_text raw, char *out, size_t *length);

#endif
