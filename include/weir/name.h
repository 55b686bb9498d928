/* name.h - the names of basins, streams and tokens, and which of them are allowed. */
#ifndef WEIR_NAME_H
#define WEIR_NAME_H

#include <stdbool.h>
#include <stddef.h>

#include <weir/declarations.h>

WEIR_DECLARATIONS_BEGIN

/*
 * Bytes that somebody else owns: not terminated, compared byte by byte. `bytes` may be NULL where
 * `length` is 0. A structure that Weir fills says how long they live; one that a caller fills must
 * only live as long as the call, unless the function says otherwise.
 */
struct weir_text {
    const char *bytes;
    size_t length;
};

/* A string literal as a text: `WEIR_TEXT("users/")`. An initializer, in C and in C++. */
#ifdef __cplusplus
#define WEIR_TEXT(literal) (weir_text{"" literal, sizeof(literal) - 1})
#else
#define WEIR_TEXT(literal) ((struct weir_text){"" literal, sizeof(literal) - 1})
#endif

/* Lengths in bytes. */
#define WEIR_BASIN_MIN 8
#define WEIR_BASIN_MAX 48
#define WEIR_STREAM_MAX 512
#define WEIR_TOKEN_ID_MAX 96

/*
 * Whether a name is allowed:
 *
 *   basin            8-48 bytes: a-z, 0-9 and '-'; begins and ends with a letter or digit
 *   basin prefix     0-48 bytes: likewise, but may end in '-'
 *   stream           1-512 bytes of UTF-8, except exactly "." and ".."
 *   stream prefix    0-512 bytes of UTF-8
 *   token id         1-96 bytes of UTF-8, except exactly "." and ".."
 *   token id prefix  0-96 bytes of UTF-8
 *
 * None may hold a NUL. Any thread; no allocation.
 */
bool weir_basin_valid(struct weir_text name);
bool weir_basin_prefix_valid(struct weir_text prefix);
bool weir_stream_valid(struct weir_text name);
bool weir_stream_prefix_valid(struct weir_text prefix);
bool weir_token_id_valid(struct weir_text id);
bool weir_token_id_prefix_valid(struct weir_text prefix);

/* Enough for weir_quote to write any allowed name whole, terminated: six bytes for each byte. */
#define WEIR_QUOTED_MAX(length) (6 * (length) + 3)

/*
 * Writes `text` as a JSON string that holds printable ASCII only: everything else becomes \u
 * escapes, a byte that is not part of valid UTF-8 becomes \ufffd. Names are hostile text; whatever
 * shows one to a person or to a reader of lines should pass it through here.
 *
 * Writes at most `size` bytes, terminated; what does not fit is cut at a character and marked by
 * three dots before the closing quote. Needs `size` >= 6. Returns the length written, without the
 * terminator. Any thread.
 */
size_t weir_quote(struct weir_text text, char *buffer, size_t size);

WEIR_DECLARATIONS_END

#endif
