/* json.h - JSON values as jansson reads them, strictly, and failures in plain words. */
#ifndef WEIR_WIRE_JSON_H
#define WEIR_WIRE_JSON_H

#include <jansson.h>

#include <stdbool.h>
#include <stddef.h>

#include <weir/error.h>
#include <weir/name.h>

/* What weir_json_load says of a text that is the beginning of a value and no more. */
#define WEIR_JSON_ENDS_EARLY "the text ends in the middle of a value"

/* A byte-order mark is not part of JSON. What is said of one: */
#define WEIR_JSON_BYTE_ORDER_MARK "the text begins with a byte-order mark: save it as plain UTF-8"

/* Whether the text begins with the byte-order mark of UTF-8, or with one of UTF-16. */
bool weir_json_marked(struct weir_text text);

/*
 * Reads one value of any kind, of at most `values_max` values in all, with nothing but blanks
 * around it; `*value` is for the caller to release with json_decref. A failure has the line and
 * column in `text` but no place.
 *
 * jansson drops bytes of a string when a buffer of its own cannot grow, and may still succeed. Such
 * a value is never returned, provided that the process-wide allocator of jansson sets errno to
 * ENOMEM where it fails, as malloc does.
 */
enum weir_status weir_json_load(struct weir_text text, size_t values_max, json_t **value,
                                struct weir_error *error);

/*
 * Writes the value on one line, without blanks, to be released with free() where jansson's
 * allocator is malloc; NULL: no memory. jansson leaves a key out whose buffer cannot grow, and
 * succeeds: such a text is never returned, on the same condition.
 */
char *weir_json_write(const json_t *value, size_t *length);

/* Fails because `value` is not `wanted`, such as "an object". */
enum weir_status weir_json_fail_kind(const json_t *value, const char *wanted,
                                     struct weir_error *error);

/* Fails because of a field that nobody knows, or that occurs twice. */
enum weir_status weir_json_fail_unknown(struct weir_text field, struct weir_error *error);
enum weir_status weir_json_fail_duplicate(struct weir_text field, struct weir_error *error);

/* Fails because of a field that is not there. */
enum weir_status weir_json_fail_missing(const char *field, struct weir_error *error);

/* Reads a value into what is at `into`, whose type the function knows. */
typedef enum weir_status weir_json_reader(json_t *value, void *into, struct weir_error *error);

/* A field that an object may have. */
struct weir_json_field {
    struct weir_text name;
    bool nullable; /* null is the same as no such field */
    size_t offset; /* of what `read` fills, in the structure that the object is read into */
    weir_json_reader *read;
};

/*
 * Reads an object with no other than these fields into the structure at `into`. Fields that are
 * absent leave their part of it alone. A failure inside a field has that step in its place, as in
 * ".scope.streams".
 */
enum weir_status weir_json_read_object(json_t *value, const struct weir_json_field *fields,
                                       size_t count, void *into, struct weir_error *error);

/* Takes the leading dot, if there is one, off the place of a failure that is complete. */
void weir_json_finish_place(struct weir_error *error);

/* A string into a struct weir_text, which lives as long as `value`. */
weir_json_reader weir_json_read_text;

/* true or false into a bool. */
weir_json_reader weir_json_read_boolean;

#endif
