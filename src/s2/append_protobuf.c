/*
 * append_protobuf.c - protobuf, read as S2's server reads it (prost): fields in any order, the last
 * of several wins, unknown ones are passed over and groups with them; a known field of another type
 * is an error.
 */
#include "s2/append_read.h"

#include "vocabulary/name_rules.h"

/* How deep messages and groups may lie in one another, the outermost message included. */
#define DEPTH_MAX 100

enum wire { VARINT, EIGHT_BYTES, BYTES, GROUP_BEGIN, GROUP_END, FOUR_BYTES };

static const char malformed[] = "The body is not well-formed protobuf.";

struct cursor {
    const unsigned char *at;
    const unsigned char *end;
};

struct field {
    uint32_t number;
    unsigned wire;
    uint64_t value;         /* of VARINT */
    struct weir_text bytes; /* of BYTES */
};

static struct cursor cursor_of(struct weir_text text)
{
    const unsigned char *at = (const unsigned char *)text.bytes;

    return (struct cursor){at, text.length > 0 ? at + text.length : at};
}

/* At most ten bytes, of which the last holds one bit. */
static bool read_varint(struct cursor *in, uint64_t *value)
{
    uint64_t read = 0;

    for (unsigned i = 0; i < S2_VARINT_MAX && in->at < in->end; i++) {
        const unsigned char byte = *in->at++;

        read |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte < 0x80) {
            *value = read;
            return i < S2_VARINT_MAX - 1 || byte < 2;
        }
    }
    return false;
}

static bool read_key(struct cursor *in, struct field *field)
{
    uint64_t key = 0;

    if (!read_varint(in, &key) || key > UINT32_MAX) {
        return false;
    }
    field->number = (uint32_t)key >> 3;
    field->wire = key & 7;
    return field->number != 0;
}

static bool pass_over(struct cursor *in, uint64_t length)
{
    if (length > (size_t)(in->end - in->at)) {
        return false;
    }
    in->at += length;
    return true;
}

/* Reads what is behind a key that begins or ends no group. */
static bool read_value(struct cursor *in, struct field *field)
{
    uint64_t length = 0;

    switch (field->wire) {
    case VARINT:
        return read_varint(in, &field->value);
    case EIGHT_BYTES:
        return pass_over(in, 8);
    case FOUR_BYTES:
        return pass_over(in, 4);
    case BYTES:
        if (!read_varint(in, &length) || !pass_over(in, length)) {
            return false;
        }
        field->bytes = (struct weir_text){(const char *)in->at - length, length};
        return true;
    default:
        return false;
    }
}

/* Passes over a group that has begun, and those within it, `room` of them at most; what lies within
 * so many is one too deep. */
static bool pass_over_group(struct cursor *in, uint32_t number, size_t room)
{
    uint32_t open[DEPTH_MAX] = {number};
    size_t depth = 1;

    while (depth > 0) {
        struct field field = {0};

        if (!read_key(in, &field)) {
            return false;
        }
        if (field.wire == GROUP_END) {
            if (field.number != open[--depth]) {
                return false;
            }
            continue;
        }
        if (depth == room || (field.wire != GROUP_BEGIN && !read_value(in, &field))) {
            return false;
        }
        if (field.wire == GROUP_BEGIN) {
            open[depth++] = field.number;
        }
    }
    return true;
}

/* Reads a field of a message that lies within `outer` others. */
static bool read_field(struct cursor *in, size_t outer, struct field *field)
{
    if (!read_key(in, field)) {
        return false;
    }
    return field->wire == GROUP_BEGIN ? pass_over_group(in, field->number, DEPTH_MAX - outer)
                                      : read_value(in, field);
}

static bool take_number(const struct field *field, bool *has, uint64_t *number)
{
    if (field->wire != VARINT) {
        return false;
    }
    *has = true;
    *number = field->value;
    return true;
}

static bool take_bytes(const struct field *field, struct weir_text *bytes)
{
    if (field->wire != BYTES) {
        return false;
    }
    *bytes = field->bytes;
    return true;
}

static bool read_header(struct weir_text message, struct weir_text *name, struct weir_text *value)
{
    struct cursor in = cursor_of(message);

    *name = *value = (struct weir_text){"", 0};
    while (in.at < in.end) {
        struct field field;

        if (!read_field(&in, 2, &field) ||
            (field.number == S2_HEADER_NAME && !take_bytes(&field, name)) ||
            (field.number == S2_HEADER_VALUE && !take_bytes(&field, value))) {
            return false;
        }
    }
    return true;
}

/* The bytes of a field, which is not written if it is empty. */
static size_t field_size(struct weir_text bytes)
{
    return bytes.length == 0 ? 0 : 1 + s2_varint_width(bytes.length) + bytes.length;
}

static bool write_filled(struct s2_output *output, unsigned field, struct weir_text bytes)
{
    return bytes.length == 0 || s2_output_bytes(output, field, bytes);
}

static bool take_header(struct weir_text message, struct s2_record *record,
                        struct s2_output *output)
{
    struct weir_text name;
    struct weir_text value;
    struct s2_message written;

    if (!read_header(message, &name, &value)) {
        return false;
    }
    s2_record_header(record, name.length > 0, value);
    return s2_message_begin(output, S2_RECORD_HEADERS,
                            s2_varint_width(field_size(name) + field_size(value)), &written) &&
           write_filled(output, S2_HEADER_NAME, name) &&
           write_filled(output, S2_HEADER_VALUE, value) && s2_message_end(output, &written) != 0;
}

/* What is written at a record's end, since it may come again. */
struct last {
    bool has_timestamp;
    uint64_t timestamp;
    struct weir_text body;
};

static bool take_record_field(const struct field *field, struct s2_record *record,
                              struct last *last, struct s2_output *output)
{
    switch (field->number) {
    case S2_RECORD_TIMESTAMP:
        return take_number(field, &last->has_timestamp, &last->timestamp);
    case S2_RECORD_HEADERS:
        return field->wire == BYTES && take_header(field->bytes, record, output);
    case S2_RECORD_BODY:
        return take_bytes(field, &last->body);
    default:
        return true;
    }
}

static bool take_record(struct weir_text message, struct s2_output *output,
                        weir_operations *operations)
{
    struct cursor in = cursor_of(message);
    struct s2_record record = {0};
    struct last last = {.body = {"", 0}};
    struct s2_message written;

    if (!s2_message_begin(output, S2_INPUT_RECORDS, s2_varint_width(message.length), &written)) {
        return false;
    }
    while (in.at < in.end) {
        struct field field;

        if (!read_field(&in, 1, &field) || !take_record_field(&field, &record, &last, output)) {
            return false;
        }
    }
    *operations |= s2_record_operation(&record);
    return (!last.has_timestamp || s2_output_number(output, S2_RECORD_TIMESTAMP, last.timestamp)) &&
           write_filled(output, S2_RECORD_BODY, last.body) && s2_message_end(output, &written) != 0;
}

/* Whether a text, which may hold NUL bytes, is UTF-8. */
static bool is_utf8(struct weir_text text)
{
    while (text.length > 0) {
        const char *nul = memchr(text.bytes, '\0', text.length);
        const size_t length = nul != NULL ? (size_t)(nul - text.bytes) : text.length;

        if (!weir_text_valid((struct weir_text){text.bytes, length})) {
            return false;
        }
        text.bytes += length + (nul != NULL);
        text.length -= length + (nul != NULL);
    }
    return true;
}

/* What is written behind all records, since it may come again. */
struct condition {
    bool has_match_seq_num;
    bool has_fencing_token;
    uint64_t match_seq_num;
    struct weir_text fencing_token;
};

static bool take_input_field(const struct field *field, struct condition *condition,
                             struct s2_output *output, weir_operations *operations)
{
    switch (field->number) {
    case S2_INPUT_RECORDS:
        return field->wire == BYTES && take_record(field->bytes, output, operations);
    case S2_INPUT_MATCH_SEQ_NUM:
        return take_number(field, &condition->has_match_seq_num, &condition->match_seq_num);
    case S2_INPUT_FENCING_TOKEN:
        condition->has_fencing_token = true;
        return take_bytes(field, &condition->fencing_token) && is_utf8(condition->fencing_token);
    default:
        return true;
    }
}

static bool write_condition(const struct condition *condition, struct s2_output *output)
{
    return (!condition->has_match_seq_num ||
            s2_output_number(output, S2_INPUT_MATCH_SEQ_NUM, condition->match_seq_num)) &&
           (!condition->has_fencing_token ||
            s2_output_bytes(output, S2_INPUT_FENCING_TOKEN, condition->fencing_token));
}

const char *s2_protobuf_read(struct weir_text message, struct s2_output *output,
                             weir_operations *operations)
{
    struct cursor in = cursor_of(message);
    struct condition condition = {0};
    weir_operations of_records = 0;

    *operations = 0;
    while (in.at < in.end) {
        struct field field;

        if (!read_field(&in, 0, &field) ||
            !take_input_field(&field, &condition, output, &of_records)) {
            return malformed;
        }
    }
    *operations = s2_batch_operations(of_records);
    return write_condition(&condition, output) ? NULL : malformed;
}
