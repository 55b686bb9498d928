#include "wire/extent.h"

enum byte_class { ORDINARY = 0, QUOTE, OPENING, CLOSING, SEPARATOR };

static const unsigned char byte_classes[256] = {
    ['"'] = QUOTE,      ['{'] = OPENING,    ['['] = OPENING,    ['}'] = CLOSING,
    [']'] = CLOSING,    [','] = SEPARATOR,  [':'] = SEPARATOR,  [' '] = SEPARATOR,
    ['\t'] = SEPARATOR, ['\n'] = SEPARATOR, ['\r'] = SEPARATOR,
};

/* Goes on inside a string; false if the text ends before it. */
static bool leave_string(struct weir_extent *extent, struct weir_text text)
{
    for (size_t i = extent->length; i < text.length; i++) {
        if (extent->escaped) {
            extent->escaped = false;
        } else if (text.bytes[i] == '\\') {
            extent->escaped = true;
        } else if (text.bytes[i] == '"') {
            extent->in_string = false;
            extent->length = i + 1;
            return true;
        }
    }
    extent->length = text.length;
    return false;
}

/* Whether a byte of this class, outside of brackets, ends the value without belonging to it. */
static bool ends_before(const struct weir_extent *extent, enum byte_class class)
{
    return extent->depth == 0 && class != ORDINARY && (class == CLOSING || extent->length > 0);
}

bool weir_extent_find(struct weir_extent *extent, struct weir_text text)
{
    while (extent->in_string || extent->length < text.length) {
        enum byte_class class = ORDINARY;

        if (extent->in_string) {
            if (!leave_string(extent, text)) {
                return false;
            }
            if (extent->depth == 0) {
                return true;
            }
            continue;
        }
        class = byte_classes[(unsigned char)text.bytes[extent->length]];
        if (ends_before(extent, class)) {
            return true;
        }
        extent->length++;
        extent->in_string = class == QUOTE;
        extent->depth += class == OPENING;
        if (class == CLOSING && --extent->depth == 0) {
            return true;
        }
    }
    return false;
}
