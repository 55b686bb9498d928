/* append_read.h - the two forms in which a batch comes, read into what is written of it. */
#ifndef WEIR_S2_APPEND_READ_H
#define WEIR_S2_APPEND_READ_H

#include <stdbool.h>

#include <weir/name.h>
#include <weir/operation.h>

#include "s2/records.h"

/*
 * Reads a whole message and writes the same records to `output`. NULL: done, `*operations` is what
 * they need. Otherwise a static sentence that says what is wrong, unless `output` has lacked
 * memory.
 */
const char *s2_json_read(struct weir_text text, bool base64, struct s2_output *output,
                         weir_operations *operations);
const char *s2_protobuf_read(struct weir_text message, struct s2_output *output,
                             weir_operations *operations);

#endif
