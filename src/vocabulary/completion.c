#include "vocabulary/completion.h"

size_t weir_name_longest(enum weir_name_kind kind)
{
    return kind == WEIR_NAME_BASIN    ? WEIR_BASIN_MAX
           : kind == WEIR_NAME_STREAM ? WEIR_STREAM_MAX
                                      : WEIR_TOKEN_ID_MAX;
}

struct weir_beginning weir_beginning_of(enum weir_name_kind kind, size_t longest)
{
    return (struct weir_beginning){.kind = kind, .longest = (uint16_t)longest};
}

bool weir_beginning_is_name(const struct weir_beginning *beginning)
{
    if (beginning->length > beginning->longest) {
        return false;
    }
    if (beginning->kind == WEIR_NAME_BASIN) {
        return beginning->length >= WEIR_BASIN_MIN && !beginning->hyphen;
    }
    return beginning->length > 0 && beginning->continuation == 0 && beginning->dots == 3;
}

/* Bytes that it takes at least to make this a name. */
static unsigned missing(const struct weir_beginning *beginning)
{
    if (weir_beginning_is_name(beginning)) {
        return 0;
    }
    if (beginning->kind == WEIR_NAME_BASIN && beginning->length < WEIR_BASIN_MIN) {
        return WEIR_BASIN_MIN - beginning->length;
    }
    return beginning->continuation > 0 ? beginning->continuation : 1;
}

bool weir_beginning_possible(const struct weir_beginning *beginning)
{
    return beginning->length + missing(beginning) <= beginning->longest;
}

static bool add_to_basin(struct weir_beginning *beginning, unsigned char byte)
{
    beginning->hyphen = byte == '-';
    return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') ||
           (byte == '-' && beginning->length > 1);
}

/* Begins a character: notes how many bytes it has after this one and where the second may lie, so
 * that the form is not longer than needed, no surrogate, and not past U+10FFFF. */
static bool begin_character(struct weir_beginning *beginning, unsigned char first)
{
    beginning->low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    beginning->high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    beginning->continuation = first < 0x80 ? 0 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
    return first != 0 && (first < 0x80 || (first >= 0xc2 && first <= 0xf4));
}

static bool add_to_text(struct weir_beginning *beginning, unsigned char byte)
{
    beginning->dots = byte == '.' && beginning->dots < 3 ? (uint8_t)(beginning->dots + 1) : 3;
    if (beginning->continuation == 0) {
        return begin_character(beginning, byte);
    }
    if (byte < beginning->low || byte > beginning->high) {
        return false;
    }
    beginning->continuation--;
    beginning->low = 0x80;
    beginning->high = 0xbf;
    return true;
}

bool weir_beginning_add(struct weir_beginning *beginning, unsigned char byte)
{
    if (beginning->length >= beginning->longest) {
        return false;
    }
    beginning->length++;
    return (beginning->kind == WEIR_NAME_BASIN ? add_to_basin(beginning, byte)
                                               : add_to_text(beginning, byte)) &&
           weir_beginning_possible(beginning);
}

bool weir_beginning_add_text(struct weir_beginning *beginning, struct weir_text text)
{
    for (size_t i = 0; i < text.length; i++) {
        if (!weir_beginning_add(beginning, (unsigned char)text.bytes[i])) {
            return false;
        }
    }
    return true;
}

unsigned weir_beginning_next(const struct weir_beginning *beginning, unsigned from)
{
    for (unsigned byte = from; byte < WEIR_NO_BYTE; byte++) {
        struct weir_beginning longer = *beginning;

        if (weir_beginning_add(&longer, (unsigned char)byte)) {
            return byte;
        }
    }
    return WEIR_NO_BYTE;
}

size_t weir_beginning_complete(struct weir_beginning beginning, char buffer[WEIR_COMPLETION_MAX])
{
    size_t count = 0;

    while (!weir_beginning_is_name(&beginning) && count < WEIR_COMPLETION_MAX) {
        unsigned byte = weir_beginning_next(&beginning, beginning.continuation > 0 ? 0 : 'a');

        if (byte == WEIR_NO_BYTE) {
            break;
        }
        buffer[count++] = (char)byte;
        (void)weir_beginning_add(&beginning, (unsigned char)byte);
    }
    return count;
}
