#include "side_by_side.h"

#include "words.h"

/* Columns that are shown before the mark, and columns that a name may take in all. */
#define COLUMNS_BEFORE ((size_t)48)
#define COLUMNS_IN_ALL ((size_t)100)

/* Where the character begins that the byte before `place` belongs to. */
static size_t character_before(struct weir_text text, size_t place)
{
    place--;
    while (place > 0 && is_continuation(text, place)) {
        place--;
    }
    return place;
}

/* Columns that a few bytes take when they are quoted, the quotes not counted. */
static size_t columns(struct weir_text text, size_t begin, size_t end)
{
    char quoted[WEIR_QUOTED_MAX(COLUMNS_BEFORE)];
    struct weir_text part = {text.bytes + begin, end - begin};

    return weir_quote(part, quoted, sizeof quoted) - 2;
}

/* The earliest beginning from which the names can be shown up to the mark. */
static size_t first_shown(struct weir_text text, size_t mark)
{
    size_t begin = mark;
    size_t width = 0;

    while (begin > 0) {
        size_t before = character_before(text, begin);

        width += columns(text, before, begin);
        if (width > COLUMNS_BEFORE) {
            break;
        }
        begin = before;
    }
    return begin;
}

static void write_from(struct output *output, const char *label, struct weir_text text,
                       size_t begin)
{
    char quoted[COLUMNS_IN_ALL + 3];
    struct weir_text shown = {text.bytes + begin, text.length - begin};

    output_format(output, "%-6s %s", label, begin > 0 ? "... " : "");
    output_bytes(output, quoted, weir_quote(shown, quoted, sizeof quoted));
    output_string(output, "\n");
}

static void write_mark(struct output *output, const struct weir_set *set, struct weir_text asked,
                       size_t mark)
{
    output_string(output, "^ ");
    if (mark == set->name.length) {
        output_format(output, "the name asked for goes on after %zu bytes", mark);
    } else if (mark == asked.length) {
        output_format(output, "the name asked for ends after %zu bytes", mark);
    } else if (mark == 0) {
        output_string(output, "they part at the first character");
    } else {
        output_format(output, "they part after %zu bytes", mark);
    }
    output_string(output, "\n");
}

void write_side_by_side(struct output *output, size_t column, const struct weir_set *set,
                        struct weir_text asked)
{
    const size_t label_width = 7;
    size_t mark = 0;
    size_t begin = 0;

    if (set->kind == WEIR_SET_NOTHING || set->name.length == 0) {
        write_set(output, set);
        output_string(output, "\n");
        return;
    }
    mark = common_length(set->name, asked);
    begin = first_shown(asked, mark);
    write_from(output, set->kind == WEIR_SET_EXACT ? "exact" : "prefix", set->name, begin);
    output_spaces(output, column);
    write_from(output, "asked", asked, begin);
    output_spaces(output,
                  column + label_width + (begin > 0 ? 4 : 0) + 1 + columns(asked, begin, mark));
    write_mark(output, set, asked, mark);
}
