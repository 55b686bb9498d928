#include "s2/records.h"

bool s2_output_open(struct s2_output *output, size_t size, struct s2_budget *budget)
{
    *output = (struct s2_output){.budget = budget, .bytes = s2_budget_take(budget, size)};
    output->size = output->bytes != NULL ? size : 0;
    output->lacked = output->bytes == NULL;
    return !output->lacked;
}

void s2_output_release(struct s2_output *output)
{
    s2_budget_give(output->budget, output->bytes, output->size);
    *output = (struct s2_output){.budget = output->budget};
}

bool s2_output_grow(struct s2_output *output, size_t more)
{
    const size_t least = output->length + more;
    const size_t size = least > output->size * 2 ? least : output->size * 2;
    char *bytes = s2_budget_resize(output->budget, output->bytes, output->size, size);

    if (bytes == NULL) {
        output->lacked = true;
        return false;
    }
    output->bytes = bytes;
    output->size = size;
    return true;
}

bool s2_output_number(struct s2_output *output, unsigned field, uint64_t number)
{
    char *out = s2_output_room(output, 1 + S2_VARINT_MAX);

    if (out == NULL) {
        return false;
    }
    *out++ = s2_field_key(field, S2_WIRE_VARINT);
    output->length = (size_t)(s2_varint_write(number, out) - output->bytes);
    return true;
}

bool s2_output_bytes(struct s2_output *output, unsigned field, struct weir_text bytes)
{
    char *out = s2_output_room(output, 1 + S2_VARINT_MAX + bytes.length);

    if (out == NULL) {
        return false;
    }
    *out++ = s2_field_key(field, S2_WIRE_BYTES);
    out = s2_varint_write(bytes.length, out);
    if (bytes.length > 0) {
        memcpy(out, bytes.bytes, bytes.length);
    }
    output->length = (size_t)(out - output->bytes) + bytes.length;
    return true;
}

bool s2_message_begin(struct s2_output *output, unsigned field, size_t width,
                      struct s2_message *message)
{
    char *out = s2_output_room(output, 1 + width);

    if (out == NULL) {
        return false;
    }
    *out = s2_field_key(field, S2_WIRE_BYTES);
    output->length += 1 + width;
    *message = (struct s2_message){output->length, width};
    return true;
}

size_t s2_message_end(struct s2_output *output, const struct s2_message *message)
{
    const size_t length = output->length - message->start;
    const size_t width = s2_varint_width(length);
    char *content = NULL;

    if (width > message->width && s2_output_room(output, width - message->width) == NULL) {
        return 0;
    }
    content = output->bytes + message->start;
    if (width != message->width) {
        memmove(content - message->width + width, content, length);
    }
    (void)s2_varint_write(length, content - message->width);
    output->length = message->start - message->width + width + length;
    return width;
}
