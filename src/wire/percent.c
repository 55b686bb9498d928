#include "wire/percent.h"

#include <string.h>

static int digit_value(char digit)
{
    static const char digits[] = "0123456789abcdefABCDEF";
    const char *found = digit != '\0' ? strchr(digits, digit) : NULL;
    int value = found != NULL ? (int)(found - digits) : -1;

    return value < 16 ? value : value - 6;
}

bool weir_percent_decode(struct weir_text encoded, bool plus_is_space, char *room,
                         struct weir_text *text)
{
    unsigned char *out = (unsigned char *)room;

    for (size_t i = 0; i < encoded.length; i++) {
        const char *in = encoded.bytes + i;

        if (*in == '%') {
            int high = encoded.length - i > 2 ? digit_value(in[1]) : -1;
            int low = high >= 0 ? digit_value(in[2]) : -1;

            if (low < 0) {
                return false;
            }
            *out++ = (unsigned char)(high * 16 + low);
            i += 2;
        } else {
            *out++ = (unsigned char)(plus_is_space && *in == '+' ? ' ' : *in);
        }
    }
    *text = (struct weir_text){room, (size_t)(out - (unsigned char *)room)};
    return true;
}

static bool is_unreserved(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '-' || byte == '.' || byte == '_' || byte == '~';
}

size_t weir_percent_encode(struct weir_text text, char *room)
{
    static const char digits[] = "0123456789ABCDEF";
    char *out = room;

    for (size_t i = 0; i < text.length; i++) {
        if (is_unreserved(text.bytes[i])) {
            *out++ = text.bytes[i];
        } else {
            unsigned char byte = (unsigned char)text.bytes[i];

            *out++ = '%';
            *out++ = digits[byte >> 4];
            *out++ = digits[byte & 15];
        }
    }
    return (size_t)(out - room);
}
