#include "compile/merge.h"

#include "token/set.h"
#include "vocabulary/operation_sets.h"
#include "vocabulary/sort.h"
#include "vocabulary/text.h"

/* What one scope says of one kind of names: these operations on `set`; of basins, on `streams` in
 * them. */
struct rule {
    const struct weir_set *set;
    const struct weir_set *streams; /* NULL in rules about access tokens */
    uint32_t operations;
};

struct rules {
    struct rule *list;
    size_t count;
};

/* By name, a prefix before the exact name: so what covers comes before what it covers. */
static int compare_sets(const struct weir_set *left, const struct weir_set *right)
{
    int order = weir_text_compare(left->name, right->name);

    return order != 0 ? order : (int)right->kind - (int)left->kind;
}

static int compare_stream_sets(const struct weir_set *left, const struct weir_set *right)
{
    if (left == NULL || weir_set_is_nothing(left) || weir_set_is_nothing(right)) {
        return left == NULL ? 0 : (int)weir_set_is_nothing(right) - (int)weir_set_is_nothing(left);
    }
    return compare_sets(left, right);
}

static int compare_rules(const void *left_pointer, const void *right_pointer, const void *context)
{
    const struct rule *left = left_pointer;
    const struct rule *right = right_pointer;
    int order = compare_sets(left->set, right->set);

    (void)context;
    if (order == 0) {
        order = compare_stream_sets(left->streams, right->streams);
    }
    if (order == 0) {
        order = (left->operations > right->operations) - (left->operations < right->operations);
    }
    return order;
}

/* The rules about one kind of names, sorted: of the scopes whose operations look at such names. */
static bool gather_rules(struct weir_arena *arena, const struct weir_scope *scopes, size_t count,
                         bool about_basins, struct rules *rules)
{
    const uint32_t uses = about_basins ? WEIR_USES_BASINS : WEIR_USES_ACCESS_TOKENS;

    *rules = (struct rules){.list = weir_arena_allocate(arena, count * sizeof *rules->list)};
    if (rules->list == NULL) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        const struct weir_scope *scope = &scopes[i];
        uint32_t operations = (uint32_t)weir_scope_operations(scope) & uses;
        const struct weir_set *set = about_basins ? &scope->basins : &scope->access_tokens;

        if (operations != 0 && !weir_set_is_nothing(set)) {
            rules->list[rules->count++] =
                (struct rule){set, about_basins ? &scope->streams : NULL, operations};
        }
    }
    weir_sort(rules->list, rules->count, sizeof *rules->list, compare_rules, NULL);
    return true;
}

static bool add_streams(struct weir_arena *arena, const struct rule *rule, uint32_t edition,
                        struct weir_trie_node **streams)
{
    uint32_t operations = rule->operations & WEIR_USES_STREAMS;

    return operations == 0 || weir_set_is_nothing(rule->streams) ||
           weir_trie_add(arena, streams, edition, rule->streams, operations);
}

/* A prefix of basins and all that is granted on what begins with it. */
struct enclosing {
    struct weir_text prefix;
    struct weir_trie_grant grant;
};

/* The prefixes that enclose the basins now looked at, each beginning with the one below it. */
struct enclosing_stack {
    struct enclosing list[WEIR_BASIN_MAX + 1];
    unsigned count;
};

static struct weir_trie_grant inherited_grant(struct enclosing_stack *stack, struct weir_text name)
{
    while (stack->count > 0 && !weir_text_begins_with(name, stack->list[stack->count - 1].prefix)) {
        stack->count--;
    }
    return stack->count > 0 ? stack->list[stack->count - 1].grant : (struct weir_trie_grant){0};
}

/* Enters a grant in the trie of basins. That trie has one edition, 0. */
static bool enter_grant(struct weir_arena *arena, struct weir_trie_node **basins,
                        const struct weir_set *set, struct weir_trie_grant grant)
{
    struct weir_trie_node *node = weir_trie_reach(arena, basins, 0, set->name);

    if (node == NULL) {
        return false;
    }
    if (set->kind == WEIR_SET_PREFIX) {
        node->prefix = grant;
    } else {
        node->exact = grant;
    }
    return true;
}

/*
 * Merges the rules of one set of basins, which stand together: what it inherits and what they add.
 * A set that adds nothing gets no node of its own.
 */
static bool merge_basin_rules(struct weir_arena *arena, const struct rule *rules, size_t count,
                              uint32_t edition, struct enclosing_stack *stack,
                              struct weir_trie_node **basins)
{
    const struct weir_set *set = rules[0].set;
    struct weir_trie_grant inherited = inherited_grant(stack, set->name);
    struct weir_trie_grant grant = inherited;

    for (size_t i = 0; i < count; i++) {
        grant.operations |= rules[i].operations;
        if (!add_streams(arena, &rules[i], edition, &grant.streams)) {
            return false;
        }
    }
    if ((grant.operations != inherited.operations || grant.streams != inherited.streams) &&
        !enter_grant(arena, basins, set, grant)) {
        return false;
    }
    if (set->kind == WEIR_SET_PREFIX) {
        stack->list[stack->count++] = (struct enclosing){set->name, grant};
    }
    return true;
}

/* Puts what a shorter prefix grants wherever a longer one or an exact name has nothing of its own:
 * what they have includes it already. */
static void push_down(struct weir_trie_node *node, struct weir_trie_grant inherited)
{
    if (node->prefix.operations == 0) {
        node->prefix = inherited;
    }
    if (node->exact.operations == 0) {
        node->exact = node->prefix;
    }
    for (unsigned i = 0; i < node->child_count; i++) {
        push_down(node->children[i], node->prefix);
    }
}

static bool merge_basins(struct weir_arena *arena, const struct rules *rules,
                         struct weir_trie_node **basins)
{
    struct enclosing_stack stack = {.count = 0};
    uint32_t edition = 0;

    for (size_t begin = 0, end = 0; begin < rules->count; begin = end) {
        while (end < rules->count &&
               compare_sets(rules->list[begin].set, rules->list[end].set) == 0) {
            end++;
        }
        edition++;
        if (!merge_basin_rules(arena, rules->list + begin, end - begin, edition, &stack, basins)) {
            return false;
        }
    }
    if (*basins != NULL) {
        push_down(*basins, (struct weir_trie_grant){0});
    }
    return true;
}

bool weir_merge_scopes(struct weir_arena *arena, const struct weir_scope *scopes, size_t count,
                       struct weir_merged *merged)
{
    struct rules basins;
    struct rules access_tokens;

    *merged = (struct weir_merged){0};
    if (!gather_rules(arena, scopes, count, true, &basins) ||
        !gather_rules(arena, scopes, count, false, &access_tokens) ||
        !merge_basins(arena, &basins, &merged->basins)) {
        return false;
    }
    for (size_t i = 0; i < access_tokens.count; i++) {
        const struct rule *rule = &access_tokens.list[i];

        if (!weir_trie_add(arena, &merged->access_tokens, 0, rule->set, rule->operations)) {
            return false;
        }
    }
    return true;
}
