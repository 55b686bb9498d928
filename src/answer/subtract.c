#include "answer/comparison.h"

#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "vocabulary/operation_sets.h"
#include "vocabulary/text.h"

/* Whether a side with auto-prefix has the name, or names that begin so, for its client. */
static bool side_has_room(const struct side *side, struct weir_text name)
{
    return name.length <= side->longest_stream;
}

/* Whether it grants the operation where it says so: as the length of names allows, too. */
static bool grants_name(const struct comparison *comparison, unsigned side, struct weir_grant grant,
                        struct weir_text name)
{
    return grant.operations != 0 && ((comparison->bit & WEIR_USES_STREAMS) == 0 ||
                                     side_has_room(&comparison->sides[side], name));
}

static struct weir_region_value *more_value(const struct comparison *comparison,
                                            const struct weir_grant grants[SIDES],
                                            struct weir_text name, struct weir_region_value *value)
{
    return grants_name(comparison, comparison->to, grants[comparison->to], name) &&
                   !grants_name(comparison, comparison->from, grants[comparison->from], name)
               ? value
               : NULL;
}

static struct weir_text keep_text(struct weir_arena *arena, struct weir_text text)
{
    char *bytes = weir_arena_allocate(arena, text.length + 1);

    if (bytes != NULL && text.length > 0) {
        memcpy(bytes, text.bytes, text.length);
    }
    return (struct weir_text){bytes, text.length};
}

static bool keep_texts(struct weir_arena *arena, const struct weir_text **texts, size_t count)
{
    struct weir_text *kept = weir_arena_allocate(arena, (count + 1) * sizeof *kept);

    for (size_t i = 0; kept != NULL && i < count; i++) {
        kept[i] = keep_text(arena, (*texts)[i]);
        if (kept[i].bytes == NULL) {
            return false;
        }
    }
    *texts = kept;
    return kept != NULL;
}

static bool keep_listing(struct weir_arena *arena, struct weir_listing *listing)
{
    return keep_texts(arena, &listing->exact, listing->exact_count) &&
           keep_texts(arena, &listing->prefixes, listing->prefix_count);
}

/* Copies the sets; NULL for none. False: no memory. */
static bool keep_sets(struct weir_arena *arena, const struct weir_region_set *sets,
                      const struct weir_region_set **kept)
{
    struct weir_region_set *first = NULL;
    struct weir_region_set **link = &first;

    for (; sets != NULL; sets = sets->within) {
        struct weir_region_set *set = weir_arena_allocate(arena, sizeof *set);

        if (set == NULL) {
            return false;
        }
        *set = (struct weir_region_set){.names = sets->names};
        set->example = keep_text(arena, sets->example);
        if (set->example.bytes == NULL || !keep_listing(arena, &set->names.included) ||
            !keep_listing(arena, &set->names.except)) {
            return false;
        }
        *link = set;
        link = &set->within;
    }
    *kept = first;
    return true;
}

bool weir_subtract(struct comparison *comparison, const uint32_t roots[SIDES],
                   const struct weir_region_set **more)
{
    const bool streams = (comparison->bit & WEIR_USES_STREAMS) != 0;
    struct weir_region_value value = {NULL};
    struct weir_beginning none;
    struct union_places joined;
    struct rules rules[SIDES] = {{0}};

    *more = NULL;
    weir_arena_reset(&comparison->passing);
    if (roots[comparison->to] == 0) {
        return true;
    }
    if (!weir_both_rules(comparison, roots, rules) ||
        !weir_join_rules(&comparison->passing, rules, &joined)) {
        return false;
    }
    for (size_t i = 0; i < joined.count; i++) {
        struct weir_place *place = &joined.places[i];

        place->rest = more_value(comparison, joined.grants[i].rest, place->name, &value);
        place->exact = more_value(comparison, joined.grants[i].exact, place->name, &value);
    }
    none = streams ? weir_beginning_of(WEIR_NAME_STREAM,
                                       comparison->sides[comparison->to].longest_stream)
                   : weir_beginning_of(WEIR_NAME_TOKEN_ID, WEIR_TOKEN_ID_MAX);
    return weir_regions_examine(&comparison->passing, joined.places, joined.count, none) &&
           weir_regions_gather(&comparison->passing, joined.places, joined.count) &&
           keep_sets(&comparison->scratch, value.sets, more);
}

/*
 * ---- Streams, by basin ----
 */

static void hash_listing(XXH3_state_t *state, const struct weir_listing *listing)
{
    const struct weir_text *parts[] = {listing->exact, listing->prefixes};
    const size_t counts[] = {listing->exact_count, listing->prefix_count};

    for (unsigned part = 0; part < 2; part++) {
        (void)XXH3_64bits_update(state, &counts[part], sizeof counts[part]);
        for (size_t i = 0; i < counts[part]; i++) {
            const struct weir_text text = parts[part][i];

            (void)XXH3_64bits_update(state, &text.length, sizeof text.length);
            (void)XXH3_64bits_update(state, text.bytes, text.length);
        }
    }
}

static uint64_t hash_names(const struct weir_name_set *names)
{
    XXH3_state_t state;

    (void)XXH3_64bits_reset(&state);
    hash_listing(&state, &names->included);
    hash_listing(&state, &names->except);
    return XXH3_64bits_digest(&state);
}

static bool texts_equal(const struct weir_text *left, const struct weir_text *right, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!weir_text_equal(left[i], right[i])) {
            return false;
        }
    }
    return true;
}

static bool listings_equal(const struct weir_listing *left, const struct weir_listing *right)
{
    return left->exact_count == right->exact_count && left->prefix_count == right->prefix_count &&
           texts_equal(left->exact, right->exact, left->exact_count) &&
           texts_equal(left->prefixes, right->prefixes, left->prefix_count);
}

/* The value of that set of streams; NULL: no memory. */
static struct stream_value *value_of(struct comparison *comparison,
                                     const struct weir_region_set *streams)
{
    const uint64_t hash = hash_names(&streams->names);
    struct stream_value **bucket = &comparison->values[hash & (comparison->buckets - 1)];
    struct stream_value *value = *bucket;

    for (; value != NULL; value = value->next) {
        if (value->hash == hash &&
            listings_equal(&value->streams->names.included, &streams->names.included) &&
            listings_equal(&value->streams->names.except, &streams->names.except)) {
            return value;
        }
    }
    value = weir_arena_allocate(&comparison->scratch, sizeof *value);
    if (value != NULL) {
        *value = (struct stream_value){.streams = streams, .hash = hash, .next = *bucket};
        *bucket = value;
        *comparison->last_link = value;
        comparison->last_link = &value->later;
    }
    return value;
}

static struct pair **pair_link(struct comparison *comparison, const uint32_t roots[SIDES])
{
    size_t bucket = (size_t)((roots[OLD] * UINT64_C(0x9e3779b97f4a7c15) + roots[NEW]) *
                                 UINT64_C(0x9e3779b97f4a7c15) >>
                             32) &
                    (comparison->buckets - 1);
    struct pair **link = &comparison->pairs[bucket];

    while (*link != NULL && memcmp((*link)->roots, roots, sizeof(*link)->roots) != 0) {
        link = &(*link)->next;
    }
    return link;
}

bool weir_stream_value(struct comparison *comparison, const struct weir_grant grants[SIDES],
                       bool both_needed, struct weir_region_value **value)
{
    uint32_t roots[SIDES];
    const struct weir_region_set *more = NULL;
    struct pair **link = NULL;

    *value = NULL;
    for (unsigned side = OLD; side < SIDES; side++) {
        bool permitted = (grants[side].operations & comparison->bit) != 0;

        if (!permitted && (both_needed || side == comparison->to)) {
            return true;
        }
        roots[side] = permitted ? grants[side].streams : 0;
    }
    link = pair_link(comparison, roots);
    if (*link == NULL) {
        struct pair *pair = weir_arena_allocate(&comparison->scratch, sizeof *pair);

        if (pair == NULL || !weir_subtract(comparison, roots, &more)) {
            return false;
        }
        memcpy(pair->roots, roots, sizeof roots);
        pair->value = more != NULL ? value_of(comparison, more) : NULL;
        if (more != NULL && pair->value == NULL) {
            return false;
        }
        *link = pair;
    }
    *value = (*link)->value != NULL ? &(*link)->value->value : NULL;
    return true;
}

bool weir_make_pairs(struct comparison *comparison)
{
    comparison->buckets = 16;
    while (comparison->buckets < 2 * comparison->basins.count) {
        comparison->buckets *= 2;
    }
    comparison->pairs =
        weir_arena_allocate(&comparison->scratch, comparison->buckets * sizeof *comparison->pairs);
    comparison->values =
        weir_arena_allocate(&comparison->scratch, comparison->buckets * sizeof *comparison->values);
    comparison->first_value = NULL;
    comparison->last_link = &comparison->first_value;
    return comparison->pairs != NULL && comparison->values != NULL;
}
