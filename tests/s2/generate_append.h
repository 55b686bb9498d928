/* generate_append.h - random batches, and the many ways to send each. */
#ifndef WEIR_TESTS_S2_GENERATE_APPEND_H
#define WEIR_TESTS_S2_GENERATE_APPEND_H

#include "model/dice.h"
#include "s2/reference_append.h"

/* A batch whose bytes are UTF-8 throughout if `text`; to be given to reference_free. */
struct reference_batch generate_batch(struct dice *dice, bool text);

/* The same batch, written otherwise each time; to be freed. */
struct reference_bytes generate_json(struct dice *dice, const struct reference_batch *batch,
                                     bool base64);
struct reference_bytes generate_protobuf(struct dice *dice, const struct reference_batch *batch);
struct reference_bytes generate_compressed(struct dice *dice, struct weir_text plain,
                                           enum reference_compression compression);

/* Adds a frame of that content, which is compressed so. */
void generate_frame(struct dice *dice, struct weir_text plain,
                    enum reference_compression compression, FILE *out);

/* Changes a few bytes, or moves some, or puts in something that means something. */
void generate_spoilt(struct dice *dice, struct reference_bytes *bytes);

#endif
