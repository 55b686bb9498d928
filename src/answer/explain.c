#include <weir/decision.h>

#include "answer/walk.h"
#include "match/decide.h"

/* Whom to show rules, about which names. */
struct audience {
    weir_rule_visitor *visit;
    void *context;
    enum weir_set_role role;
    struct weir_text name; /* what the rules are compared with */
    uint32_t bit;          /* of the operation asked about */
};

static void show(const struct audience *audience, enum weir_set_kind kind, struct weir_text name,
                 uint32_t operations)
{
    struct weir_rule rule = {
        .role = audience->role,
        .set = {kind, name},
        .operations = operations,
        .common = weir_text_common(name, audience->name),
    };

    rule.matches = weir_set_matches(&rule.set, audience->name);
    audience->visit(audience->context, &rule);
}

/* A basin node that merely passes on what a shorter prefix grants is no rule of its own. */
static bool is_rule(struct weir_grant grant, struct weir_grant inherited)
{
    return grant.operations != 0 && !weir_grants_equal(grant, inherited);
}

/* Rules that are looked for beside the way: those that grant one of `operations` and do not match.
 * Twice: first for how much the nearest have in common with the name, then to show them. */
struct search {
    const struct audience *audience;
    uint32_t operations;
    size_t common; /* the most found, while nothing is shown; then what the rules to show have */
    unsigned found;
    bool shows;
};

static void consider(struct search *search, enum weir_set_kind kind, struct weir_text name,
                     uint32_t operations)
{
    const struct weir_set set = {kind, name};
    size_t common = weir_text_common(name, search->audience->name);

    if ((operations & search->operations) == 0 || weir_set_matches(&set, search->audience->name)) {
        return;
    }
    if (!search->shows) {
        search->common = common > search->common ? common : search->common;
        search->found++;
    } else if (common == search->common && search->found < WEIR_NEAREST_RULES) {
        show(search->audience, kind, name, operations);
        search->found++;
    }
}

static void search_trie(struct search *search, const struct weir_trie *trie)
{
    const struct weir_grant nothing = {0, 0};
    struct weir_grant above[WEIR_STREAM_MAX + 2] = {{0, 0}};
    struct weir_walk walk;

    weir_walk_start(&walk, trie, (struct weir_text){NULL, 0});
    do {
        struct weir_trie_step node = walk.node;

        if (is_rule(node.prefix, trie->is_basins ? above[walk.depth] : nothing)) {
            consider(search, WEIR_SET_PREFIX, walk.name, node.prefix.operations);
        }
        if (is_rule(node.exact, trie->is_basins ? node.prefix : nothing)) {
            consider(search, WEIR_SET_EXACT, walk.name, node.exact.operations);
        }
        above[walk.depth + 1] = node.prefix;
    } while (weir_walk_next(&walk, true));
}

/* Shows the rules that came nearest: of those that permit the operation, if there are any. */
static void show_nearest(const struct audience *audience, const struct weir_trie *trie)
{
    const uint32_t choices[] = {audience->bit, UINT32_MAX};

    for (size_t i = 0; i < sizeof choices / sizeof choices[0]; i++) {
        struct search search = {.audience = audience, .operations = choices[i]};

        search_trie(&search, trie);
        if (search.found > 0) {
            search.found = 0;
            search.shows = true;
            search_trie(&search, trie);
            return;
        }
    }
}

/*
 * Shows the rules on the name's way through the trie. Returns what the way grants: of a trie of
 * basins the last node's grant, of names all together.
 */
static struct weir_grant show_way(const struct audience *audience, const struct weir_trie *trie)
{
    const struct weir_grant nothing = {0, 0};
    struct weir_text rest = audience->name;
    struct weir_grant granted = {0, 0};
    uint32_t offset = trie->root;

    while (offset != 0) {
        struct weir_trie_step node = weir_trie_step_at(trie, offset);
        struct weir_text here = {audience->name.bytes, 0};
        bool ends = false;

        if (!weir_edges_pass(&node.edges, &rest)) {
            break;
        }
        here.length = audience->name.length - rest.length;
        ends = rest.length == 0;
        if (is_rule(node.prefix, trie->is_basins ? granted : nothing)) {
            show(audience, WEIR_SET_PREFIX, here, node.prefix.operations);
        }
        if (ends && is_rule(node.exact, trie->is_basins ? node.prefix : nothing)) {
            show(audience, WEIR_SET_EXACT, here, node.exact.operations);
        }
        if (trie->is_basins) {
            granted = ends ? node.exact : node.prefix;
        } else {
            granted.operations |= node.prefix.operations | (ends ? node.exact.operations : 0);
        }
        offset = ends ? 0 : weir_edges_step(&node.edges, &rest);
    }
    return granted;
}

/* Shows the rules on the way and, if they do not permit the operation, the nearest beside it. */
static struct weir_grant explain_trie(const struct audience *audience, const struct weir_trie *trie)
{
    struct weir_grant granted = show_way(audience, trie);

    if (trie->root != 0 && (granted.operations & audience->bit) == 0) {
        show_nearest(audience, trie);
    }
    return granted;
}

static void show_inline(struct audience *audience, const struct weir_block *block,
                        unsigned kind_shift, struct weir_text set)
{
    enum weir_set_kind kind = weir_block_kind(block, kind_shift);

    if (kind != WEIR_SET_NOTHING) {
        show(audience, kind, set, block->operations);
    }
}

static void explain_basin(struct audience *audience, const struct weir_block *block,
                          struct weir_grant *granted)
{
    audience->role = WEIR_BASINS;
    if ((block->flags & WEIR_FLAG_TRIES) != 0) {
        struct weir_trie trie = weir_basin_trie(weir_block_tries(block));

        *granted = explain_trie(audience, &trie);
    } else {
        show_inline(audience, block, WEIR_KIND_BASINS, weir_block_basin(block));
    }
}

static void explain_stream(struct audience *audience, const struct weir_block *block,
                           struct weir_grant basin, struct weir_text stream)
{
    audience->role = WEIR_STREAMS;
    audience->name = stream;
    if ((block->flags & WEIR_FLAG_TRIES) != 0) {
        struct weir_trie trie = weir_name_trie(weir_block_tries(block), basin.streams);

        (void)explain_trie(audience, &trie);
    } else if ((block->flags & WEIR_FLAG_AUTO_PREFIX) != 0) {
        audience->name = weir_block_stream(block); /* what every effective name begins with */
        show_inline(audience, block, WEIR_KIND_STREAMS, weir_block_stream(block));
    } else {
        show_inline(audience, block, WEIR_KIND_STREAMS, weir_block_stream(block));
    }
}

static void explain_access_token(struct audience *audience, const struct weir_block *block)
{
    audience->role = WEIR_ACCESS_TOKENS;
    if ((block->flags & WEIR_FLAG_TRIES) != 0) {
        const struct weir_tries *tries = weir_block_tries(block);
        struct weir_trie trie = weir_name_trie(tries, tries->access_tokens);

        (void)explain_trie(audience, &trie);
    } else {
        show_inline(audience, block, WEIR_KIND_ACCESS_TOKENS, weir_block_access_token(block));
    }
}

struct weir_decision weir_explain(const struct weir_compiled_token *token,
                                  const struct weir_request *request, struct weir_instant now,
                                  weir_rule_visitor *visit, void *context)
{
    struct weir_decision decision = weir_check_token(token, request, now);
    const struct weir_block *block = weir_block_of(token);
    enum weir_target target = weir_operation_target(request->operation);
    struct audience audience = {
        .visit = visit, .context = context, .bit = weir_operation_bit(request->operation)};
    struct weir_grant basin = {0, 0};

    if (decision.reason < WEIR_BASIN_OUT_OF_SCOPE || target == WEIR_TARGET_NONE) {
        return decision;
    }
    if (target == WEIR_TARGET_ACCESS_TOKEN) {
        audience.name = request->access_token;
        explain_access_token(&audience, block);
        return decision;
    }
    audience.name = request->basin;
    explain_basin(&audience, block, &basin);
    if (target == WEIR_TARGET_STREAM && decision.reason != WEIR_BASIN_OUT_OF_SCOPE) {
        explain_stream(&audience, block, basin, request->stream);
    }
    return decision;
}
