/*
 * records.h - a batch of records, written as the protobuf message that S2 calls AppendInput: what
 * is sent on is made of nothing but what was written here.
 *
 *   AppendInput   1 records: AppendRecord…   2 match_seq_num: uint64   3 fencing_token: string
 *   AppendRecord  1 timestamp: uint64        2 headers: Header…        3 body: bytes
 *   Header        1 name: bytes              2 value: bytes
 *
 * An empty name, value or body is not written.
 */
#ifndef WEIR_S2_RECORDS_H
#define WEIR_S2_RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <weir/name.h>
#include <weir/operation.h>

#include "s2/budget.h"

enum s2_input_field {
    S2_INPUT_RECORDS = 1,
    S2_INPUT_MATCH_SEQ_NUM = 2,
    S2_INPUT_FENCING_TOKEN = 3
};
enum s2_record_field { S2_RECORD_TIMESTAMP = 1, S2_RECORD_HEADERS = 2, S2_RECORD_BODY = 3 };
enum s2_header_field { S2_HEADER_NAME = 1, S2_HEADER_VALUE = 2 };

/* How a field is put on the wire, of the kinds that there are here. */
enum s2_wire { S2_WIRE_VARINT = 0, S2_WIRE_BYTES = 2 };

/* The most bytes of a number as a varint. */
#define S2_VARINT_MAX ((size_t)10)

/* What is written so far. */
struct s2_output {
    struct s2_budget *budget;
    char *bytes;
    size_t length;
    size_t size;
    bool lacked; /* there was no memory for something, which is not there then */
};

/* Room for `size` bytes, and for more if they come. False: there is no memory. */
bool s2_output_open(struct s2_output *output, size_t size, struct s2_budget *budget);
void s2_output_release(struct s2_output *output);

/* Where the next `more` bytes are to be put; NULL: there is no memory. */
static inline char *s2_output_room(struct s2_output *output, size_t more);

/* The bytes that a number takes as a varint. */
static inline size_t s2_varint_width(uint64_t number);

/* Writes a varint, and returns what is behind it. */
static inline char *s2_varint_write(uint64_t number, char *out);

static inline char s2_field_key(unsigned field, enum s2_wire wire)
{
    return (char)(field << 3 | wire);
}

/* Writes a field. False: there is no memory. */
bool s2_output_number(struct s2_output *output, unsigned field, uint64_t number);
bool s2_output_bytes(struct s2_output *output, unsigned field, struct weir_text bytes);

/* A message within a message, whose length is known at its end. */
struct s2_message {
    size_t start;
    size_t width; /* that was left for its length */
};

/* Begins one, with room for a length of `width` bytes; another length costs a move of its content.
 */
bool s2_message_begin(struct s2_output *output, unsigned field, size_t width,
                      struct s2_message *message);

/* Ends it, and returns the width of its length; 0: there is no memory. */
size_t s2_message_end(struct s2_output *output, const struct s2_message *message);

/*
 * ---- What a record needs ----
 */

/* All zero: it has no header yet. */
struct s2_record {
    size_t header_count;
    weir_operations command; /* what the first header makes of it, if it is the only one */
};

/* Takes a header into account. */
static inline void s2_record_header(struct s2_record *record, bool has_name,
                                    struct weir_text value);

/* The one operation that a record needs. */
static inline weir_operations s2_record_operation(const struct s2_record *record)
{
    return record->header_count == 1 && record->command != 0 ? record->command
                                                             : WEIR_OPERATION_BIT(WEIR_APPEND);
}

/* What a batch needs, of what its records need: one without records needs what most have. */
static inline weir_operations s2_batch_operations(weir_operations of_records)
{
    return of_records != 0 ? of_records : WEIR_OPERATION_BIT(WEIR_APPEND);
}

/* ---- Inlined ---- */

/* Makes room for so many bytes more. False: there is no memory. */
bool s2_output_grow(struct s2_output *output, size_t more);

static inline char *s2_output_room(struct s2_output *output, size_t more)
{
    if (more > output->size - output->length && !s2_output_grow(output, more)) {
        return NULL;
    }
    return output->bytes + output->length;
}

static inline size_t s2_varint_width(uint64_t number)
{
    size_t width = 1;

    while (number >= 0x80) {
        number >>= 7;
        width++;
    }
    return width;
}

static inline char *s2_varint_write(uint64_t number, char *out)
{
    while (number >= 0x80) {
        *out++ = (char)(number | 0x80);
        number >>= 7;
    }
    *out++ = (char)number;
    return out;
}

static inline void s2_record_header(struct s2_record *record, bool has_name, struct weir_text value)
{
    if (record->header_count++ == 0 && !has_name) {
        if (value.length == 5 && memcmp(value.bytes, "fence", 5) == 0) {
            record->command = WEIR_OPERATION_BIT(WEIR_FENCE);
        } else if (value.length == 4 && memcmp(value.bytes, "trim", 4) == 0) {
            record->command = WEIR_OPERATION_BIT(WEIR_TRIM);
        }
    }
}

#endif
