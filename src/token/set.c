#include <weir/token.h>

#include "vocabulary/text.h"

bool weir_set_matches(const struct weir_set *set, struct weir_text name)
{
    switch (set->kind) {
    case WEIR_SET_EXACT:
        return set->name.length > 0 && weir_text_equal(set->name, name);
    case WEIR_SET_PREFIX:
        return weir_text_begins_with(name, set->name);
    case WEIR_SET_NOTHING:
    default:
        return false;
    }
}
