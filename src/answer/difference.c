#include <weir/difference.h>

#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "answer/alike.h"
#include "answer/gather.h"
#include "answer/regions.h"
#include "answer/walk.h"
#include "vocabulary/failure.h"
#include "vocabulary/memory.h"
#include "vocabulary/operation_sets.h"
#include "vocabulary/sort.h"
#include "vocabulary/text.h"

enum { OLD, NEW, SIDES };

/* One of the two tokens. */
struct side {
    const struct weir_compiled_token *token; /* NULL: none, or it has expired */
    const struct weir_block *block;          /* likewise */
    const struct weir_tries *tries;          /* NULL: its sets are beside its id */
    bool auto_prefix;
    size_t longest_stream; /* that its client may name */
};

/* What a side says from a name on. */
struct rule {
    struct weir_text name;
    struct weir_grant prefix; /* on the names that begin so */
    struct weir_grant exact;  /* on the name itself */
};

/* In byte order. */
struct rules {
    struct rule *rules;
    size_t count;
    size_t capacity;
};

/* The places of both sides' rules, and what each side grants there. */
struct union_place {
    struct weir_grant rest[SIDES];
    struct weir_grant exact[SIDES];
};

struct union_places {
    struct weir_place *places;
    struct union_place *grants; /* one a place */
    size_t count;
};

/* Streams that one side grants and the other does not: the value of basins where it is so. */
struct stream_value {
    struct weir_region_value value; /* of basins */
    const struct weir_region_set *streams;
    uint64_t hash;
    struct stream_value *next;  /* in its bucket */
    struct stream_value *later; /* in the order in which they were found */
};

/* What became of a pair of sets of streams. */
struct pair {
    uint32_t roots[SIDES];
    struct stream_value *value; /* NULL: nothing is granted more */
    struct pair *next;
};

struct comparison {
    struct side sides[SIDES];
    struct weir_arena kept;    /* until the end */
    struct weir_arena scratch; /* until the next operation and direction */
    struct weir_arena passing; /* until two sets of names have been compared */
    struct union_places basins;
    struct weir_alike alike; /* if both have tries */
    size_t steps;            /* rules gone through */
    bool steps_exceeded;
    weir_difference_visitor *visit;
    void *context;

    /* Of the operation and direction at hand: `to` may do something that `from` may not. */
    enum weir_operation operation;
    uint32_t bit;
    unsigned to;
    unsigned from;
    struct pair **pairs;
    struct stream_value **values;
    size_t buckets; /* of pairs, and of values: a power of two */
    struct stream_value *first_value;
    struct stream_value **last_link;
};

/*
 * ---- Sides ----
 */

static struct side side_of(const struct weir_compiled_token *token, struct weir_instant now)
{
    struct side side = {.longest_stream = WEIR_STREAM_MAX};

    if (token == NULL || weir_block_expired(weir_block_of(token), weir_expiry_of(now))) {
        return side;
    }
    side.token = token;
    side.block = weir_block_of(token);
    side.auto_prefix = (side.block->flags & WEIR_FLAG_AUTO_PREFIX) != 0;
    side.longest_stream = weir_block_longest_stream(side.block);
    if ((side.block->flags & WEIR_FLAG_TRIES) != 0) {
        side.tries = weir_block_tries(side.block);
    }
    return side;
}

static bool side_permits(const struct side *side, uint32_t bit)
{
    return side->block != NULL && (side->block->operations & bit) != 0;
}

/* In the place of a trie's root, which is a multiple of four: the set beside the token's id. */
#define INLINE_SET 1u

/*
 * ---- Rules ----
 */

static bool add_rule(struct weir_arena *arena, struct rules *rules, struct weir_text name,
                     struct weir_grant prefix, struct weir_grant exact)
{
    char *bytes = weir_arena_allocate(arena, name.length + 1);

    if (bytes == NULL) {
        return false;
    }
    if (rules->count == rules->capacity) {
        size_t capacity = rules->capacity == 0 ? 8 : 2 * rules->capacity;
        struct rule *grown = weir_arena_allocate(arena, capacity * sizeof *grown);

        if (grown == NULL) {
            return false;
        }
        if (rules->count > 0) {
            memcpy(grown, rules->rules, rules->count * sizeof *grown);
        }
        rules->rules = grown;
        rules->capacity = capacity;
    }
    if (name.length > 0) {
        memcpy(bytes, name.bytes, name.length);
    }
    rules->rules[rules->count++] = (struct rule){{bytes, name.length}, prefix, exact};
    return true;
}

static bool add_set(struct weir_arena *arena, struct rules *rules, enum weir_set_kind kind,
                    struct weir_text name, struct weir_grant grant)
{
    const struct weir_grant nothing = {0, 0};

    return kind == WEIR_SET_NOTHING ||
           add_rule(arena, rules, name, kind == WEIR_SET_PREFIX ? grant : nothing, grant);
}

/* What the trie grants and the token permits at all. */
static struct weir_grant permitted_grant(const struct side *side, struct weir_grant grant)
{
    grant.operations &= side->block->operations;
    return grant;
}

/* All that a side says about basins. */
static bool basin_rules(struct weir_arena *arena, const struct side *side, struct rules *rules)
{
    struct weir_trie trie;
    struct weir_walk walk;

    if (side->block == NULL) {
        return true;
    }
    if (side->tries == NULL) {
        return add_set(arena, rules, weir_block_kind(side->block, WEIR_KIND_BASINS),
                       weir_block_basin(side->block),
                       (struct weir_grant){side->block->operations, INLINE_SET});
    }
    trie = weir_basin_trie(side->tries);
    if (trie.root == 0) {
        return true;
    }
    weir_walk_start(&walk, &trie, (struct weir_text){NULL, 0});
    do {
        if (!add_rule(arena, rules, walk.name, permitted_grant(side, walk.node.prefix),
                      permitted_grant(side, walk.node.exact))) {
            return false;
        }
    } while (weir_walk_next(&walk, true));
    return true;
}

static bool count_step(struct comparison *comparison)
{
    comparison->steps_exceeded = ++comparison->steps > WEIR_DIFFERENCE_STEPS_MAX;
    return !comparison->steps_exceeded;
}

/* A set of names, each member of which is a rule that grants the operation at hand. */
struct member_rules {
    struct comparison *comparison;
    struct weir_arena *arena;
    struct rules rules;
    struct weir_grant grant;
};

static bool add_member_rule(void *context, struct weir_text name, bool is_prefix)
{
    struct member_rules *members = context;

    return count_step(members->comparison) &&
           add_set(members->arena, &members->rules, is_prefix ? WEIR_SET_PREFIX : WEIR_SET_EXACT,
                   name, members->grant);
}

/* The names to which the trie at that root, or the set in its place, grants the operation. */
static bool name_rules(struct comparison *comparison, const struct side *side, uint32_t root,
                       struct rules *rules)
{
    struct member_rules members = {
        .comparison = comparison,
        .arena = &comparison->passing,
        .grant = {comparison->bit, 0},
    };
    bool complete = true;

    if (root == INLINE_SET && (comparison->bit & WEIR_USES_ACCESS_TOKENS) != 0) {
        complete = add_set(members.arena, &members.rules,
                           weir_block_kind(side->block, WEIR_KIND_ACCESS_TOKENS),
                           weir_block_access_token(side->block), members.grant);
    } else if (root == INLINE_SET && side->auto_prefix) {
        complete = add_member_rule(&members, (struct weir_text){"", 0}, true);
    } else if (root == INLINE_SET) {
        complete =
            add_set(members.arena, &members.rules, weir_block_kind(side->block, WEIR_KIND_STREAMS),
                    weir_block_stream(side->block), members.grant);
    } else if (root != 0) {
        struct weir_trie trie = weir_name_trie(side->tries, root);

        complete = weir_walk_members(&trie, (struct weir_text){NULL, 0}, comparison->bit,
                                     add_member_rule, &members);
    }
    *rules = members.rules;
    return complete;
}

/* Adds the rule that the walk is at, if there is one. */
static bool add_walked_rule(struct comparison *comparison, const struct weir_walk *walk,
                            struct rules *rules)
{
    const struct weir_grant grant = {comparison->bit, 0};
    const bool is_prefix = (walk->node.prefix.operations & comparison->bit) != 0;

    if (!is_prefix && (walk->node.exact.operations & comparison->bit) == 0) {
        return true;
    }
    return add_set(&comparison->passing, rules, is_prefix ? WEIR_SET_PREFIX : WEIR_SET_EXACT,
                   walk->name, grant);
}

/*
 * The names to which two tries grant the operation at hand, without what both have in common: a
 * node that says the same in both is met by both walks at once, since neither has met a prefix
 * before that grants all below it. What is left out so is granted by both and makes no difference.
 */
static bool differing_rules(struct comparison *comparison, const uint32_t roots[SIDES],
                            struct rules rules[SIDES])
{
    struct weir_walk walks[SIDES];
    bool ended[SIDES] = {false, false};

    for (unsigned side = OLD; side < SIDES; side++) {
        struct weir_trie trie = weir_name_trie(comparison->sides[side].tries, roots[side]);

        weir_walk_start(&walks[side], &trie, (struct weir_text){NULL, 0});
    }
    while (!ended[OLD] || !ended[NEW]) {
        int order = ended[OLD]   ? 1
                    : ended[NEW] ? -1
                                 : weir_text_compare(walks[OLD].name, walks[NEW].name);
        bool alike =
            order == 0 &&
            weir_alike_at(&comparison->alike, OLD, walks[OLD].stack[walks[OLD].depth].offset) ==
                weir_alike_at(&comparison->alike, NEW, walks[NEW].stack[walks[NEW].depth].offset);

        for (unsigned side = OLD; side < SIDES; side++) {
            struct weir_walk *walk = &walks[side];

            if (side == OLD ? order > 0 : order < 0) {
                continue;
            }
            if (!count_step(comparison) ||
                (!alike && !add_walked_rule(comparison, walk, &rules[side]))) {
                return false;
            }
            ended[side] = !weir_walk_next(
                walk, !alike && (walk->node.prefix.operations & comparison->bit) == 0);
        }
    }
    return true;
}

static bool is_root(uint32_t root)
{
    return root != 0 && root != INLINE_SET;
}

/* What each side grants, as far as that matters for the difference. */
static bool both_rules(struct comparison *comparison, const uint32_t roots[SIDES],
                       struct rules rules[SIDES])
{
    if (is_root(roots[OLD]) && is_root(roots[NEW])) {
        return differing_rules(comparison, roots, rules);
    }
    return name_rules(comparison, &comparison->sides[OLD], roots[OLD], &rules[OLD]) &&
           name_rules(comparison, &comparison->sides[NEW], roots[NEW], &rules[NEW]);
}

/*
 * ---- Both sides' places ----
 */

/* How far one side's rules have been gone through: up to the place at hand, those of whose names it
 * begins with are in the stack. */
struct cursor {
    const struct rules *rules;
    size_t next;
    unsigned depth;
    size_t stack[WEIR_STREAM_MAX + 1];
};

static const struct rule *cursor_next(const struct cursor *cursor)
{
    return cursor->next < cursor->rules->count ? &cursor->rules->rules[cursor->next] : NULL;
}

static void cursor_move(struct cursor *cursor, struct weir_text name, struct weir_grant *rest,
                        struct weir_grant *exact)
{
    const struct rule *rules = cursor->rules->rules;
    const struct rule *next = cursor_next(cursor);
    bool is_here = next != NULL && weir_text_equal(next->name, name);

    while (cursor->depth > 0 &&
           !weir_text_begins_with(name, rules[cursor->stack[cursor->depth - 1]].name)) {
        cursor->depth--;
    }
    if (is_here) {
        cursor->stack[cursor->depth++] = cursor->next++;
    }
    *rest = cursor->depth > 0 ? rules[cursor->stack[cursor->depth - 1]].prefix
                              : (struct weir_grant){0, 0};
    *exact = is_here ? next->exact : *rest;
}

static bool join_rules(struct weir_arena *arena, const struct rules rules[SIDES],
                       struct union_places *joined)
{
    struct cursor cursors[SIDES] = {{.rules = &rules[OLD]}, {.rules = &rules[NEW]}};
    size_t most = rules[OLD].count + rules[NEW].count;

    joined->count = 0;
    joined->places = weir_arena_allocate(arena, (most + 1) * sizeof *joined->places);
    joined->grants = weir_arena_allocate(arena, (most + 1) * sizeof *joined->grants);
    if (joined->places == NULL || joined->grants == NULL) {
        return false;
    }
    for (;;) {
        const struct rule *old_rule = cursor_next(&cursors[OLD]);
        const struct rule *new_rule = cursor_next(&cursors[NEW]);
        const struct rule *rule = old_rule == NULL ? new_rule : old_rule;
        struct union_place *grants = &joined->grants[joined->count];

        if (rule == NULL) {
            return true;
        }
        if (new_rule != NULL && weir_text_compare(new_rule->name, rule->name) < 0) {
            rule = new_rule;
        }
        for (unsigned side = OLD; side < SIDES; side++) {
            cursor_move(&cursors[side], rule->name, &grants->rest[side], &grants->exact[side]);
        }
        joined->places[joined->count++] = (struct weir_place){.name = rule->name};
    }
}

static bool join_basins(struct comparison *comparison)
{
    struct rules rules[SIDES] = {{0}};

    for (unsigned side = OLD; side < SIDES; side++) {
        if (!basin_rules(&comparison->kept, &comparison->sides[side], &rules[side])) {
            return false;
        }
    }
    return join_rules(&comparison->kept, rules, &comparison->basins) &&
           weir_regions_examine(&comparison->kept, comparison->basins.places,
                                comparison->basins.count,
                                weir_beginning_of(WEIR_NAME_BASIN, WEIR_BASIN_MAX));
}

/*
 * ---- Names that one side grants and the other does not ----
 */

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

/* What the set at the first root has and that at the second has not; NULL for nothing. They are
 * names of streams, or ids, as the operation has it. False: no memory. */
static bool subtract(struct comparison *comparison, const uint32_t roots[SIDES],
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
    if (!both_rules(comparison, roots, rules) ||
        !join_rules(&comparison->passing, rules, &joined)) {
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

/* The value of a basin on which the sides grant that. False: no memory. */
static bool stream_value(struct comparison *comparison, const struct weir_grant grants[SIDES],
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

        if (pair == NULL || !subtract(comparison, roots, &more)) {
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

static bool make_pairs(struct comparison *comparison)
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

/*
 * ---- One operation, in one direction ----
 */

static void emit(const struct comparison *comparison, enum weir_difference_change change,
                 struct weir_difference difference)
{
    const struct side *old_side = &comparison->sides[OLD];
    const struct side *new_side = &comparison->sides[NEW];

    difference.change = change;
    difference.operation = comparison->operation;
    difference.request.operation = comparison->operation;
    difference.old_token = old_side->token;
    difference.new_token = new_side->token;
    difference.token_id =
        weir_compiled_token_id(old_side->token != NULL ? old_side->token : new_side->token);
    comparison->visit(comparison->context, &difference);
}

static enum weir_difference_change more_or_less(const struct comparison *comparison,
                                                enum weir_difference_change more,
                                                enum weir_difference_change less)
{
    return comparison->to == NEW ? more : less;
}

/* What is said of streams in a set of basins. */
struct saying {
    const struct weir_region_set *basins;
    const struct stream_value *value;
};

static int compare_texts(const struct weir_text *left, size_t left_count,
                         const struct weir_text *right, size_t right_count)
{
    for (size_t i = 0; i < left_count && i < right_count; i++) {
        int order = weir_text_compare(left[i], right[i]);

        if (order != 0) {
            return order;
        }
    }
    return (left_count > right_count) - (left_count < right_count);
}

/* No two sayings have a basin in common: what their sets include tells them apart. */
static int compare_sayings(const void *left, const void *right, const void *context)
{
    const struct weir_listing *a = &((const struct saying *)left)->basins->names.included;
    const struct weir_listing *b = &((const struct saying *)right)->basins->names.included;
    int order = compare_texts(a->exact, a->exact_count, b->exact, b->exact_count);

    (void)context;
    return order != 0 ? order
                      : compare_texts(a->prefixes, a->prefix_count, b->prefixes, b->prefix_count);
}

static size_t count_sets(const struct weir_region_set *set)
{
    size_t count = 0;

    for (; set != NULL; set = set->within) {
        count++;
    }
    return count;
}

/* All that is to be said, in an order that does not depend on how it came about. NULL: no memory.
 */
static struct saying *gather_sayings(struct comparison *comparison, size_t *count)
{
    struct saying *sayings = NULL;
    size_t all = 0;

    *count = 0;
    for (const struct stream_value *value = comparison->first_value; value != NULL;
         value = value->later) {
        all += count_sets(value->value.sets);
    }
    sayings = weir_arena_allocate(&comparison->scratch, (all + 1) * sizeof *sayings);
    if (sayings == NULL) {
        return NULL;
    }
    for (const struct stream_value *value = comparison->first_value; value != NULL;
         value = value->later) {
        for (const struct weir_region_set *set = value->value.sets; set != NULL;
             set = set->within) {
            sayings[(*count)++] = (struct saying){set, value};
        }
    }
    weir_sort(sayings, *count, sizeof *sayings, compare_sayings, NULL);
    return sayings;
}

static bool compare_basins_and_streams(struct comparison *comparison,
                                       enum weir_difference_change change, bool both_needed)
{
    struct union_places *basins = &comparison->basins;
    const struct saying *sayings = NULL;
    size_t count = 0;

    if (!make_pairs(comparison)) {
        return false;
    }
    for (size_t i = 0; i < basins->count; i++) {
        struct weir_place *place = &basins->places[i];

        if (!stream_value(comparison, basins->grants[i].rest, both_needed, &place->rest) ||
            !stream_value(comparison, basins->grants[i].exact, both_needed, &place->exact)) {
            return false;
        }
    }
    if (!weir_regions_gather(&comparison->scratch, basins->places, basins->count)) {
        return false;
    }
    sayings = gather_sayings(comparison, &count);
    for (size_t i = 0; sayings != NULL && i < count; i++) {
        const struct weir_region_set *set = sayings[i].basins;
        const struct weir_region_set *streams = sayings[i].value->streams;

        emit(comparison, change,
             (struct weir_difference){
                 .basins = &set->names,
                 .streams = &streams->names,
                 .request = {.basin = set->example, .stream = streams->example}});
    }
    return sayings != NULL;
}

static bool compare_basins(struct comparison *comparison, enum weir_difference_change change)
{
    struct union_places *basins = &comparison->basins;
    struct weir_region_value value = {NULL};

    for (size_t i = 0; i < basins->count; i++) {
        struct weir_place *place = &basins->places[i];
        const struct union_place *grants = &basins->grants[i];

        place->rest = (grants->rest[comparison->to].operations & comparison->bit) != 0 &&
                              (grants->rest[comparison->from].operations & comparison->bit) == 0
                          ? &value
                          : NULL;
        place->exact = (grants->exact[comparison->to].operations & comparison->bit) != 0 &&
                               (grants->exact[comparison->from].operations & comparison->bit) == 0
                           ? &value
                           : NULL;
    }
    if (!weir_regions_gather(&comparison->scratch, basins->places, basins->count)) {
        return false;
    }
    for (const struct weir_region_set *set = value.sets; set != NULL; set = set->within) {
        emit(comparison, change,
             (struct weir_difference){.basins = &set->names, .request = {.basin = set->example}});
    }
    return true;
}

static bool compare_access_tokens(struct comparison *comparison, enum weir_difference_change change)
{
    uint32_t roots[SIDES] = {0, 0};
    const struct weir_region_set *more = NULL;

    for (unsigned side = OLD; side < SIDES; side++) {
        const struct side *at = &comparison->sides[side];

        if (side_permits(at, comparison->bit)) {
            roots[side] = at->tries != NULL ? at->tries->access_tokens : INLINE_SET;
        }
    }
    if (!subtract(comparison, roots, &more)) {
        return false;
    }
    for (; more != NULL; more = more->within) {
        emit(comparison, change,
             (struct weir_difference){.access_tokens = &more->names,
                                      .request = {.access_token = more->example}});
    }
    return true;
}

/* What `to` may do and `from` may not. */
static bool compare_permitted(struct comparison *comparison)
{
    const enum weir_difference_change change = more_or_less(comparison, WEIR_GAINED, WEIR_LOST);

    if (!side_permits(&comparison->sides[comparison->to], comparison->bit)) {
        return true;
    }
    switch (weir_operation_target(comparison->operation)) {
    case WEIR_TARGET_BASIN:
        return compare_basins(comparison, change);
    case WEIR_TARGET_STREAM:
        return compare_basins_and_streams(comparison, change, false);
    case WEIR_TARGET_ACCESS_TOKEN:
        return compare_access_tokens(comparison, change);
    default:
        if (!side_permits(&comparison->sides[comparison->from], comparison->bit)) {
            emit(comparison, change, (struct weir_difference){.operation = comparison->operation});
        }
        return true;
    }
}

/* What `to` lists and `from` does not, where both may list. */
static bool compare_listed(struct comparison *comparison)
{
    const enum weir_difference_change change =
        more_or_less(comparison, WEIR_LISTS_MORE, WEIR_LISTS_LESS);

    if (!side_permits(&comparison->sides[OLD], comparison->bit) ||
        !side_permits(&comparison->sides[NEW], comparison->bit)) {
        return true;
    }
    switch (comparison->operation) {
    case WEIR_LIST_BASINS:
        return compare_basins(comparison, change);
    case WEIR_LIST_STREAMS:
        return compare_basins_and_streams(comparison, change, true);
    case WEIR_LIST_ACCESS_TOKENS:
        return compare_access_tokens(comparison, change);
    default:
        return true;
    }
}

static bool compare_both_ways(struct comparison *comparison,
                              bool compare(struct comparison *comparison))
{
    for (unsigned to = SIDES; to-- > 0;) {
        comparison->to = to;
        comparison->from = SIDES - 1 - to;
        weir_arena_reset(&comparison->scratch);
        if (!compare(comparison)) {
            return false;
        }
    }
    return true;
}

static bool compare_operations(struct comparison *comparison)
{
    for (unsigned number = 1; number <= WEIR_OPERATION_COUNT; number++) {
        comparison->operation = (enum weir_operation)number;
        comparison->bit = weir_operation_bit(comparison->operation);
        if (!compare_both_ways(comparison, compare_permitted) ||
            !compare_both_ways(comparison, compare_listed)) {
            return false;
        }
    }
    return true;
}

/*
 * ---- Tokens ----
 */

static bool expiries_equal(const struct weir_block *left, const struct weir_block *right)
{
    return left->expires == right->expires && left->expires_low == right->expires_low;
}

/* An empty prefix and none put nothing before a name. */
static bool prefixes_equal(const struct side *left, const struct side *right)
{
    return weir_text_equal(weir_compiled_token_stream_prefix(left->token),
                           weir_compiled_token_stream_prefix(right->token));
}

static void compare_terms(struct comparison *comparison)
{
    const struct side *old_side = &comparison->sides[OLD];
    const struct side *new_side = &comparison->sides[NEW];

    comparison->operation = (enum weir_operation)0;
    if (old_side->block == NULL || new_side->block == NULL) {
        return;
    }
    if (!expiries_equal(old_side->block, new_side->block)) {
        emit(comparison, WEIR_EXPIRES_ELSE, (struct weir_difference){.change = WEIR_EXPIRES_ELSE});
    }
    if (!prefixes_equal(old_side, new_side)) {
        emit(comparison, WEIR_AUTO_PREFIX_ELSE,
             (struct weir_difference){.change = WEIR_AUTO_PREFIX_ELSE});
    }
}

/* Whether the two are the same but for their issue numbers, which mean nothing here. */
static bool blocks_equal(const struct weir_block *left, const struct weir_block *right)
{
    const size_t skipped = offsetof(struct weir_block, expires);
    size_t size = weir_block_size(left);

    return weir_block_size(right) == size &&
           memcmp((const char *)left + skipped, (const char *)right + skipped, size - skipped) == 0;
}

static bool number_alike(struct comparison *comparison)
{
    const struct weir_tries *old_tries = comparison->sides[OLD].tries;
    const struct weir_tries *new_tries = comparison->sides[NEW].tries;

    return old_tries == NULL || new_tries == NULL ||
           weir_alike_number(&comparison->kept, old_tries, new_tries, &comparison->alike);
}

static enum weir_status fail(const struct comparison *comparison, struct weir_error *error)
{
    const struct side *side = &comparison->sides[comparison->sides[OLD].token == NULL ? NEW : OLD];

    if (comparison->steps_exceeded) {
        return weir_fail(
            error, WEIR_ERROR_LIMIT, "the differences of token %s take more than %zu steps to find",
            weir_quoted_id(weir_compiled_token_id(side->token)).text, WEIR_DIFFERENCE_STEPS_MAX);
    }
    if (!comparison->kept.exceeded && !comparison->scratch.exceeded &&
        !comparison->passing.exceeded) {
        return weir_fail_memory(error);
    }
    return weir_fail(
        error, WEIR_ERROR_LIMIT, "the differences of token %s take more than %zu MiB to find",
        weir_quoted_id(weir_compiled_token_id(side->token)).text, WEIR_DIFFERENCE_MEMORY_MAX >> 20);
}

enum weir_status weir_diff_tokens(const struct weir_compiled_token *old_token,
                                  const struct weir_compiled_token *new_token,
                                  struct weir_instant now, const struct weir_allocator *allocator,
                                  weir_difference_visitor *visit, void *context,
                                  struct weir_error *error)
{
    struct weir_allocator memory = weir_allocator_or_default(allocator);
    struct comparison comparison = {
        .sides = {[OLD] = side_of(old_token, now), [NEW] = side_of(new_token, now)},
        .kept = {.allocator = memory, .limit = WEIR_DIFFERENCE_MEMORY_MAX / 4},
        .scratch = {.allocator = memory, .limit = WEIR_DIFFERENCE_MEMORY_MAX / 2},
        .passing = {.allocator = memory, .limit = WEIR_DIFFERENCE_MEMORY_MAX / 4},
        .visit = visit,
        .context = context,
    };
    const struct weir_block *old_block = comparison.sides[OLD].block;
    const struct weir_block *new_block = comparison.sides[NEW].block;
    enum weir_status status = WEIR_OK;

    if ((old_block == NULL && new_block == NULL) ||
        (old_block != NULL && new_block != NULL && blocks_equal(old_block, new_block))) {
        return WEIR_OK;
    }
    compare_terms(&comparison);
    if (!number_alike(&comparison) || !join_basins(&comparison) ||
        !compare_operations(&comparison)) {
        status = fail(&comparison, error);
    }
    weir_arena_release(&comparison.passing);
    weir_arena_release(&comparison.scratch);
    weir_arena_release(&comparison.kept);
    return status;
}

/*
 * ---- Images ----
 */

static bool gather_image(const struct weir_image *image, struct weir_gathered *gathered)
{
    for (const struct weir_compiled_token *token = weir_image_next(image, NULL); token != NULL;
         token = weir_image_next(image, token)) {
        if (!weir_gather(gathered, token)) {
            return false;
        }
    }
    return true;
}

static enum weir_status sorted_tokens(const struct weir_image *image,
                                      const struct weir_allocator *allocator,
                                      struct weir_tokens *tokens, struct weir_error *error)
{
    struct weir_gathered gathered = {.allocator = weir_allocator_or_default(allocator)};
    bool complete = gather_image(image, &gathered);

    return weir_gathered_finish(&gathered, complete, tokens, error);
}

/* Negative if the next token is the old image's alone, positive if the new one's, 0 if both's. */
static int next_of(const struct weir_tokens tokens[SIDES], const size_t next[SIDES])
{
    if (next[OLD] == tokens[OLD].count || next[NEW] == tokens[NEW].count) {
        return next[OLD] == tokens[OLD].count ? 1 : -1;
    }
    return weir_text_compare(weir_compiled_token_id(tokens[OLD].tokens[next[OLD]]),
                             weir_compiled_token_id(tokens[NEW].tokens[next[NEW]]));
}

enum weir_status weir_diff(const struct weir_image *old_image, const struct weir_image *new_image,
                           struct weir_instant now, const struct weir_allocator *allocator,
                           weir_difference_visitor *visit, void *context, struct weir_error *error)
{
    struct weir_tokens tokens[SIDES] = {{NULL, 0}, {NULL, 0}};
    size_t next[SIDES] = {0, 0};
    enum weir_status status = sorted_tokens(old_image, allocator, &tokens[OLD], error);

    if (status == WEIR_OK) {
        status = sorted_tokens(new_image, allocator, &tokens[NEW], error);
    }
    while (status == WEIR_OK && (next[OLD] < tokens[OLD].count || next[NEW] < tokens[NEW].count)) {
        int order = next_of(tokens, next);

        status = weir_diff_tokens(order <= 0 ? tokens[OLD].tokens[next[OLD]++] : NULL,
                                  order >= 0 ? tokens[NEW].tokens[next[NEW]++] : NULL, now,
                                  allocator, visit, context, error);
    }
    weir_tokens_free(&tokens[OLD], allocator);
    weir_tokens_free(&tokens[NEW], allocator);
    return status;
}

bool weir_name_set_has(const struct weir_name_set *set, struct weir_text name)
{
    return weir_listing_admits(&set->included, name) && !weir_listing_admits(&set->except, name);
}

const char *weir_difference_change_name(enum weir_difference_change change)
{
    static const char *const names[] = {
        [WEIR_GAINED] = "gained",         [WEIR_LOST] = "lost",
        [WEIR_LISTS_MORE] = "lists_more", [WEIR_LISTS_LESS] = "lists_less",
        [WEIR_EXPIRES_ELSE] = "expires",  [WEIR_AUTO_PREFIX_ELSE] = "auto_prefix",
    };

    return (unsigned)change - 1 < WEIR_AUTO_PREFIX_ELSE ? names[change] : "unknown";
}
