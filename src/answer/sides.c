#include "answer/comparison.h"

#include <string.h>

#include "answer/walk.h"
#include "vocabulary/operation_sets.h"
#include "vocabulary/text.h"

struct side weir_side_of(const struct weir_compiled_token *token, struct weir_instant now)
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

bool weir_both_rules(struct comparison *comparison, const uint32_t roots[SIDES],
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

bool weir_join_rules(struct weir_arena *arena, const struct rules rules[SIDES],
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

bool weir_join_basins(struct comparison *comparison)
{
    struct rules rules[SIDES] = {{0}};

    for (unsigned side = OLD; side < SIDES; side++) {
        if (!basin_rules(&comparison->kept, &comparison->sides[side], &rules[side])) {
            return false;
        }
    }
    return weir_join_rules(&comparison->kept, rules, &comparison->basins) &&
           weir_regions_examine(&comparison->kept, comparison->basins.places,
                                comparison->basins.count,
                                weir_beginning_of(WEIR_NAME_BASIN, WEIR_BASIN_MAX));
}
