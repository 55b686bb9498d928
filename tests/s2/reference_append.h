/*
 * reference_append.h - the bodies of appends, read slowly and obviously: what the library's reader
 * is held against. Nothing here is shared with it.
 */
#ifndef WEIR_TESTS_S2_REFERENCE_APPEND_H
#define WEIR_TESTS_S2_REFERENCE_APPEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <weir/name.h>
#include <weir/operation.h>

/* Bytes that were allocated. */
struct reference_bytes {
    char *bytes;
    size_t length;
};

struct reference_header {
    struct reference_bytes name;
    struct reference_bytes value;
};

struct reference_record {
    bool has_timestamp;
    uint64_t timestamp;
    struct reference_header *headers;
    size_t header_count;
    struct reference_bytes body;
};

/* All zero: none. */
struct reference_batch {
    struct reference_record *records;
    size_t record_count;
    bool has_match_seq_num;
    uint64_t match_seq_num;
    bool has_fencing_token;
    struct reference_bytes fencing_token;
};

/* Each reads a whole message. False: it is none; then the batch is to be freed, too. */
bool reference_json(struct weir_text text, bool base64, struct reference_batch *batch);
bool reference_protobuf(struct weir_text message, struct reference_batch *batch);
void reference_free(struct reference_batch *batch);

/* What the batch needs. */
weir_operations reference_operations(const struct reference_batch *batch);

bool reference_same(const struct reference_batch *left, const struct reference_batch *right);

/* For a person. */
void reference_print(const struct reference_batch *batch, FILE *out);

/* Decodes a content that is compressed so, or is not. False: it cannot be, or to more than `most`
 * bytes. */
enum reference_compression { REFERENCE_PLAIN, REFERENCE_ZSTD, REFERENCE_GZIP };
bool reference_decompress(struct weir_text content, enum reference_compression compression,
                          size_t most, struct reference_bytes *decoded);

/* For building: a copy of bytes, another header, another record. */
struct reference_bytes reference_copy(struct weir_text text);
struct reference_header *reference_add_header(struct reference_record *record);
struct reference_record *reference_add_record(struct reference_batch *batch);

#endif
