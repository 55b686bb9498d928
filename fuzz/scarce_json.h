/* scarce_json.h - jansson without memory. */
#ifndef WEIR_FUZZ_SCARCE_JSON_H
#define WEIR_FUZZ_SCARCE_JSON_H

#include <stdbool.h>
#include <stddef.h>

/* So many of jansson's allocations succeed from now on, then one fails, or (not `once`) all do.
 * What it will read is `text`, or NULL for what is not well-formed. */
void scarce_json_begin(size_t left, bool once, const char *text, size_t size);

/* As before; whether one has failed. */
bool scarce_json_end(void);

#endif
