#include "answer/regions.h"

#include <string.h>

#include "vocabulary/text.h"

/*
 * ---- What nobody can bear ----
 */

struct search {
    struct weir_beginning beginning; /* its bytes are in `bytes` */
    char bytes[WEIR_STREAM_MAX + WEIR_COMPLETION_MAX];
    size_t length; /* of the name that was found */
};

/* The places that begin with a byte more, as a part of those that begin with `length` bytes. */
static size_t count_with_byte(const struct weir_place *places, size_t count, size_t length)
{
    const unsigned char byte = (unsigned char)places[0].name.bytes[length];
    size_t low = 1;
    size_t high = count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if ((unsigned char)places[middle].name.bytes[length] == byte) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* Goes on with a byte, or stays, and returns false, where no name does. */
static bool try_byte(struct search *search, unsigned byte)
{
    const struct weir_beginning before = search->beginning;

    if (!weir_beginning_add(&search->beginning, (unsigned char)byte)) {
        search->beginning = before;
        return false;
    }
    search->bytes[before.length] = (char)byte;
    return true;
}

/* Goes on with a byte that no place goes on with, if there is one, and completes the name. */
static bool complete_beside(struct search *search, const struct weir_place *places, size_t count)
{
    const struct weir_beginning before = search->beginning;
    bool taken[256] = {false};

    for (size_t i = 0; i < count; i += count_with_byte(places + i, count - i, before.length)) {
        taken[(unsigned char)places[i].name.bytes[before.length]] = true;
    }
    /* Letters first: examples are for persons. */
    for (unsigned i = 0; i < 256; i++) {
        unsigned byte = (i + 'a') % 256;

        if (!taken[byte] && try_byte(search, byte)) {
            search->length = search->beginning.length +
                             weir_beginning_complete(search->beginning,
                                                     search->bytes + search->beginning.length);
            return true;
        }
    }
    return false;
}

/*
 * Looks for a name that is longer than what has been said, and that none of the places (all longer,
 * and beginning so) is a beginning of. Each step down needs places with all bytes that may follow,
 * so there are few steps; at most as many as a name has bytes.
 */
static bool search_beyond(struct search *search, const struct weir_place *places, size_t count)
{
    const struct weir_beginning before = search->beginning;
    size_t with_byte = 0;

    if (complete_beside(search, places, count)) {
        return true;
    }
    for (size_t i = 0; i < count; i += with_byte) {
        with_byte = count_with_byte(places + i, count - i, before.length);
        if (places[i].name.length > before.length + 1u &&
            try_byte(search, (unsigned char)places[i].name.bytes[before.length])) {
            if (weir_beginning_is_name(&search->beginning)) {
                search->length = search->beginning.length;
                return true;
            }
            if (search_beyond(search, places + i, with_byte)) {
                return true;
            }
            search->beginning = before;
        }
    }
    return false;
}

/* Number of places after the first that begin with its name. */
static size_t count_below(const struct weir_place *places, size_t count)
{
    size_t low = 1;
    size_t high = count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (weir_text_begins_with(places[middle].name, places[0].name)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low - 1;
}

static bool examine(struct weir_arena *arena, struct weir_place *places, size_t count,
                    struct weir_beginning none)
{
    struct search search = {.beginning = none};
    struct weir_text name = places[0].name;
    char *kept = NULL;

    if (!weir_beginning_add_text(&search.beginning, name)) {
        return true;
    }
    places[0].exact_allowed = weir_beginning_is_name(&search.beginning);
    if (name.length > 0) {
        memcpy(search.bytes, name.bytes, name.length);
    }
    if (!search_beyond(&search, places + 1, count_below(places, count))) {
        return true;
    }
    kept = weir_arena_allocate(arena, search.length);
    if (kept == NULL) {
        return false;
    }
    memcpy(kept, search.bytes, search.length);
    places[0].rest_example = (struct weir_text){kept, search.length};
    return true;
}

bool weir_regions_examine(struct weir_arena *arena, struct weir_place *places, size_t count,
                          struct weir_beginning none)
{
    for (size_t i = 0; i < count; i++) {
        places[i].exact_allowed = false;
        places[i].rest_example = (struct weir_text){NULL, 0};
        if (!examine(arena, places + i, count - i, none)) {
            return false;
        }
    }
    return true;
}

/*
 * ---- Sets ----
 */

enum member { INCLUDED_EXACT, INCLUDED_PREFIX, EXCEPTED_EXACT, EXCEPTED_PREFIX };

static bool add_member(struct weir_arena *arena, struct weir_region_set *set, enum member member,
                       struct weir_text name)
{
    struct weir_listing *listing =
        member >= EXCEPTED_EXACT ? &set->names.except : &set->names.included;
    bool is_prefix = member == INCLUDED_PREFIX || member == EXCEPTED_PREFIX;
    const struct weir_text **texts = is_prefix ? &listing->prefixes : &listing->exact;
    size_t *count = is_prefix ? &listing->prefix_count : &listing->exact_count;

    if (*count == set->capacities[member]) {
        size_t capacity = *count == 0 ? 4 : 2 * *count;
        struct weir_text *grown = weir_arena_allocate(arena, capacity * sizeof *grown);

        if (grown == NULL) {
            return false;
        }
        if (*count > 0) {
            memcpy(grown, *texts, *count * sizeof *grown);
        }
        *texts = grown;
        set->capacities[member] = capacity;
    }
    /* The array is the arena's, and grows only here. */
    ((struct weir_text *)(uintptr_t)*texts)[(*count)++] = name;
    return true;
}

/* A region around the place at hand: from a place on, the names that begin so. */
struct region {
    const struct weir_place *place;
    struct weir_region_value *value;
    struct weir_region_set *set; /* that it is a part of; NULL if `value` is */
};

struct gathering {
    struct weir_arena *arena;
    unsigned depth; /* the outermost is all names, without a value */
    struct region regions[WEIR_STREAM_MAX + 2];
};

/* The set of the value that may have another part here: not one around this place, but the one
 * within it. NULL: no memory. */
static struct weir_region_set *set_for(struct gathering *gathering, struct weir_region_value *value)
{
    struct weir_region_set **link = &value->sets;

    for (unsigned i = gathering->depth + 1; i-- > 0;) {
        if (gathering->regions[i].value == value) {
            link = &gathering->regions[i].set->within;
            break;
        }
    }
    if (*link == NULL) {
        *link = weir_arena_allocate(gathering->arena, sizeof **link);
    }
    return *link;
}

static bool include(struct gathering *gathering, struct weir_region_value *value,
                    enum member member, struct weir_text name, struct weir_text example,
                    struct weir_region_set **set)
{
    *set = NULL;
    if (value == NULL) {
        return true;
    }
    *set = set_for(gathering, value);
    if (*set == NULL) {
        return false;
    }
    if ((*set)->example.bytes == NULL) {
        (*set)->example = example;
    }
    return add_member(gathering->arena, *set, member, name);
}

static bool except(struct gathering *gathering, enum member member, struct weir_text name)
{
    struct weir_region_set *set = gathering->regions[gathering->depth].set;

    return set == NULL || add_member(gathering->arena, set, member, name);
}

static bool gather_rest(struct gathering *gathering, const struct weir_place *place)
{
    struct region region = {place, place->rest, NULL};

    if (place->rest_example.bytes == NULL ||
        place->rest == gathering->regions[gathering->depth].value) {
        return true;
    }
    if (!except(gathering, EXCEPTED_PREFIX, place->name) ||
        !include(gathering, place->rest, INCLUDED_PREFIX, place->name, place->rest_example,
                 &region.set)) {
        return false;
    }
    gathering->regions[++gathering->depth] = region;
    return true;
}

static bool gather_exact(struct gathering *gathering, const struct weir_place *place)
{
    struct weir_region_set *set = NULL;

    if (!place->exact_allowed || place->exact == gathering->regions[gathering->depth].value) {
        return true;
    }
    return except(gathering, EXCEPTED_EXACT, place->name) &&
           include(gathering, place->exact, INCLUDED_EXACT, place->name, place->name, &set);
}

bool weir_regions_gather(struct weir_arena *arena, const struct weir_place *places, size_t count)
{
    struct gathering gathering = {.arena = arena};

    for (size_t i = 0; i < count; i++) {
        while (gathering.depth > 0 &&
               !weir_text_begins_with(places[i].name,
                                      gathering.regions[gathering.depth].place->name)) {
            gathering.depth--;
        }
        if (!gather_rest(&gathering, &places[i]) || !gather_exact(&gathering, &places[i])) {
            return false;
        }
    }
    return true;
}
