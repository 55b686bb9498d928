#include <weir/name.h>

#include <stdint.h>

#include "vocabulary/name_rules.h"

/*
 * Reads the character at the start of `text`, which is not empty. Returns its length in bytes and
 * its code point, or 0 if the bytes are not UTF-8: a stray or missing continuation byte, a longer
 * form than needed, a surrogate, a value past U+10FFFF.
 */
static size_t read_character(struct weir_text text, uint32_t *code_point)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char first = (unsigned char)text.bytes[0];
    size_t length = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    uint32_t value = length == 1 ? first : first & (0xffu >> (length + 1));

    if (length == 0 || first > 0xf4 || length > text.length) {
        return 0;
    }
    for (size_t i = 1; i < length; i++) {
        unsigned char next = (unsigned char)text.bytes[i];

        if ((next & 0xc0) != 0x80) {
            return 0;
        }
        value = value << 6 | (next & 0x3f);
    }
    if (value < least[length] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff)) {
        return 0;
    }
    *code_point = value;
    return length;
}

bool weir_utf8_valid(struct weir_text text)
{
    while (text.length > 0) {
        uint32_t code_point = 0;
        size_t length = read_character(text, &code_point);

        if (length == 0 || code_point == 0) {
            return false;
        }
        text.bytes += length;
        text.length -= length;
    }
    return true;
}

bool weir_basin_valid(struct weir_text name)
{
    return weir_basin_allowed(name);
}

bool weir_basin_prefix_valid(struct weir_text prefix)
{
    return weir_basin_prefix_allowed(prefix);
}

bool weir_stream_valid(struct weir_text name)
{
    return weir_stream_allowed(name);
}

bool weir_stream_prefix_valid(struct weir_text prefix)
{
    return weir_stream_prefix_allowed(prefix);
}

bool weir_token_id_valid(struct weir_text id)
{
    return weir_token_id_allowed(id);
}

bool weir_token_id_prefix_valid(struct weir_text prefix)
{
    return weir_token_id_prefix_allowed(prefix);
}

static size_t write_escape(char *out, uint32_t unit)
{
    static const char digits[] = "0123456789abcdef";

    out[0] = '\\';
    out[1] = 'u';
    for (int i = 0; i < 4; i++) {
        out[2 + i] = digits[unit >> (12 - 4 * i) & 15];
    }
    return 6;
}

/* Writes one character as it stands in a JSON string: at most twelve bytes. */
static size_t write_character(char *out, uint32_t code_point)
{
    if (code_point > 0xffff) {
        size_t length = write_escape(out, 0xd800 + ((code_point - 0x10000) >> 10));

        return length + write_escape(out + length, 0xdc00 + ((code_point - 0x10000) & 0x3ff));
    }
    if (code_point < ' ' || code_point > '~') {
        return write_escape(out, code_point);
    }
    if (code_point == '"' || code_point == '\\') {
        out[0] = '\\';
        out[1] = (char)code_point;
        return 2;
    }
    out[0] = (char)code_point;
    return 1;
}

size_t weir_quote(struct weir_text text, char *buffer, size_t size)
{
    /* Where the text is cut, if it is: the last place that leaves room for the dots and the end. */
    const size_t room_for_end = 5; /* ..." and the terminator */
    size_t length = 1;
    size_t cut = 1;
    bool whole = true;

    buffer[0] = '"';
    while (text.length > 0) {
        char character[12];
        uint32_t code_point = 0xfffd;
        size_t taken = read_character(text, &code_point);
        size_t written = write_character(character, code_point);

        if (length + written + 2 > size) {
            whole = false;
            break;
        }
        memcpy(buffer + length, character, written);
        length += written;
        if (length + room_for_end <= size) {
            cut = length;
        }
        taken += taken == 0;
        text.bytes += taken;
        text.length -= taken;
    }
    if (!whole) {
        memcpy(buffer + cut, "...", 3);
        length = cut + 3;
    }
    buffer[length++] = '"';
    buffer[length] = '\0';
    return length;
}
