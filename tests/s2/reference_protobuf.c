/*
 * reference_protobuf.c - protobuf, by the rules of its encoding guide and the limits of prost:
 * first into a list of fields, whatever they are called, then into records.
 */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "s2/reference_append.h"

struct field {
    uint64_t number;
    unsigned wire;
    uint64_t value;
    struct weir_text bytes;
};

struct fields {
    struct field *list;
    size_t count;
};

static bool read_varint(struct weir_text text, size_t *at, uint64_t *value)
{
    unsigned char bytes[10] = {0};
    size_t count = 0;

    do {
        if (count == 10 || *at == text.length) {
            return false;
        }
        bytes[count++] = (unsigned char)text.bytes[(*at)++];
    } while (bytes[count - 1] >= 128);
    if (count == 10 && bytes[9] > 1) {
        return false;
    }
    *value = 0;
    for (size_t i = count; i > 0; i--) {
        *value = *value * 128 + bytes[i - 1] % 128;
    }
    return true;
}

static bool read_key(struct weir_text text, size_t *at, struct field *field)
{
    uint64_t key = 0;

    if (!read_varint(text, at, &key) || key > 0xffffffff) {
        return false;
    }
    field->number = key / 8;
    field->wire = key % 8;
    return field->number > 0;
}

/* The value of a field, of which so many may still lie in one another. */
static bool read_value(struct weir_text text, size_t *at, struct field *field, unsigned depth_left)
{
    uint64_t length = 0;
    struct field inner = {0};

    if (depth_left == 0) {
        return false;
    }
    switch (field->wire) {
    case 0:
        return read_varint(text, at, &field->value);
    case 1:
        length = 8;
        break;
    case 2:
        if (!read_varint(text, at, &length)) {
            return false;
        }
        break;
    case 3:
        for (;;) {
            if (!read_key(text, at, &inner)) {
                return false;
            }
            if (inner.wire == 4) {
                return inner.number == field->number;
            }
            if (!read_value(text, at, &inner, depth_left - 1)) {
                return false;
            }
        }
    case 5:
        length = 4;
        break;
    default:
        return false;
    }
    if (length > text.length - *at) {
        return false;
    }
    field->bytes = (struct weir_text){text.bytes + *at, (size_t)length};
    *at += (size_t)length;
    return true;
}

static bool read_fields(struct weir_text text, unsigned depth_left, struct fields *fields)
{
    size_t at = 0;

    *fields = (struct fields){NULL, 0};
    while (at < text.length) {
        struct field field = {0};

        if (!read_key(text, &at, &field) || !read_value(text, &at, &field, depth_left)) {
            return false;
        }
        fields->list = realloc(fields->list, (fields->count + 1) * sizeof field);
        if (fields->list == NULL) {
            abort();
        }
        fields->list[fields->count++] = field;
    }
    return true;
}

/* Whether every field of that number is on the wire as it must be; `*last` is the last of them. */
static bool find_last(const struct fields *fields, uint64_t number, unsigned wire,
                      const struct field **last)
{
    *last = NULL;
    for (size_t i = 0; i < fields->count; i++) {
        if (fields->list[i].number == number) {
            *last = &fields->list[i];
            if (fields->list[i].wire != wire) {
                return false;
            }
        }
    }
    return true;
}

static bool find_number(const struct fields *fields, uint64_t number, bool *has, uint64_t *value)
{
    const struct field *last = NULL;

    if (!find_last(fields, number, 0, &last)) {
        return false;
    }
    *has = last != NULL;
    *value = last != NULL ? last->value : 0;
    return true;
}

static bool find_bytes(const struct fields *fields, uint64_t number, struct reference_bytes *bytes)
{
    const struct field *last = NULL;

    if (!find_last(fields, number, 2, &last)) {
        return false;
    }
    if (last != NULL) {
        *bytes = reference_copy(last->bytes);
    }
    return true;
}

static bool read_header(struct weir_text text, struct reference_header *header)
{
    struct fields fields;
    const bool read = read_fields(text, 98, &fields) && find_bytes(&fields, 1, &header->name) &&
                      find_bytes(&fields, 2, &header->value);

    free(fields.list);
    return read;
}

static bool read_record(struct weir_text text, struct reference_record *record)
{
    struct fields fields;
    const struct field *last = NULL;
    bool read = read_fields(text, 99, &fields) &&
                find_number(&fields, 1, &record->has_timestamp, &record->timestamp) &&
                find_last(&fields, 2, 2, &last) && find_bytes(&fields, 3, &record->body);

    for (size_t i = 0; read && i < fields.count; i++) {
        read = fields.list[i].number != 2 ||
               read_header(fields.list[i].bytes, reference_add_header(record));
    }
    free(fields.list);
    return read;
}

static bool is_utf8(struct weir_text text)
{
    json_t *string = json_stringn(text.length > 0 ? text.bytes : "", text.length);

    json_decref(string);
    return string != NULL;
}

static bool read_token(const struct fields *fields, struct reference_batch *batch)
{
    for (size_t i = 0; i < fields->count; i++) {
        if (fields->list[i].number == 3) {
            batch->has_fencing_token = true;
            if (fields->list[i].wire != 2 || !is_utf8(fields->list[i].bytes)) {
                return false;
            }
        }
    }
    return find_bytes(fields, 3, &batch->fencing_token);
}

bool reference_protobuf(struct weir_text message, struct reference_batch *batch)
{
    struct fields fields;
    const struct field *last = NULL;
    bool read = false;

    *batch = (struct reference_batch){0};
    read = read_fields(message, 100, &fields) && find_last(&fields, 1, 2, &last) &&
           find_number(&fields, 2, &batch->has_match_seq_num, &batch->match_seq_num) &&
           read_token(&fields, batch);
    for (size_t i = 0; read && i < fields.count; i++) {
        read = fields.list[i].number != 1 ||
               read_record(fields.list[i].bytes, reference_add_record(batch));
    }
    free(fields.list);
    return read;
}
