#include "s2/answer_order.h"

#include <stdint.h>
#include <string.h>

/* As many of the last character as are put behind a place, to be behind what begins like it. */
#define LAST_CHARACTERS 4

static bool is_continuation(char byte)
{
    return ((unsigned char)byte & 0xc0) == 0x80;
}

struct weir_text s2_order_cut(struct weir_text text, size_t most)
{
    if (most < text.length) {
        while (most > 0 && is_continuation(text.bytes[most])) {
            most--;
        }
        text.length = most;
    }
    return text;
}

/* The character that these bytes are, of which there is at least one. */
static uint32_t read_character(const char *bytes, size_t length)
{
    uint32_t value = (unsigned char)bytes[0];

    value = length == 1 ? value : value & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        value = value << 6 | ((unsigned char)bytes[i] & 0x3fu);
    }
    return value;
}

static size_t write_character(uint32_t value, char *out)
{
    const size_t length = value < 0x80 ? 1 : value < 0x800 ? 2 : value < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};

    for (size_t i = length; i > 1; i--) {
        out[i - 1] = (char)(0x80 | (value & 0x3f));
        value >>= 6;
    }
    out[0] = (char)(lead[length] | value);
    return length;
}

struct weir_text s2_order_before_stream(struct weir_text stream, char *room)
{
    size_t length = stream.length > 0 ? s2_order_cut(stream, stream.length - 1).length : 0;
    uint32_t last =
        stream.length > 0 ? read_character(stream.bytes + length, stream.length - length) : 0;

    if (stream.length == 0) {
        return (struct weir_text){"", 0};
    }
    memcpy(room, stream.bytes, length);
    if (last > 1) {
        length += write_character(last == 0xe000 ? 0xd7ff : last - 1, room + length);
        for (size_t i = 0; i < LAST_CHARACTERS && length + 4 <= WEIR_STREAM_MAX; i++) {
            length += write_character(0x10ffff, room + length);
        }
    }
    return (struct weir_text){room, length};
}

struct weir_text s2_order_before_basin(struct weir_text basin, char *room)
{
    static const char order[] = "-0123456789abcdefghijklmnopqrstuvwxyz";
    size_t length = basin.length > 0 ? basin.length - 1 : 0;
    const char *last = basin.length > 0 ? strchr(order, basin.bytes[length]) : order;

    if (length == 0 && (last == order || last == order + 1)) {
        return (struct weir_text){"", 0}; /* none begins with a hyphen */
    }
    memcpy(room, basin.bytes, length);
    if (last != order) {
        room[length++] = last[-1];
        while (length < WEIR_BASIN_MAX) {
            room[length++] = 'z';
        }
    }
    return (struct weir_text){room, length};
}
