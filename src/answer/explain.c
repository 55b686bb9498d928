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

/* Which of a node's own rules have been shown already, since they match. */
struct shown {
    bool prefix;
    bool exact;
};

/* Shows up to WEIR_NEAREST_RULES rules of a node and what is below it, without those of its own
 * that have been shown, that grant one of `operations`; returns how many. */
static unsigned show_some(const struct audience *audience, const struct weir_trie *below,
                          struct weir_text before, struct shown own, struct weir_grant inherited,
                          uint32_t operations)
{
    struct weir_grant passed_on[WEIR_STREAM_MAX + 2];
    struct weir_walk walk;
    unsigned count = 0;

    passed_on[0] = inherited;
    weir_walk_start(&walk, below, before);
    do {
        struct weir_grant above =
            below->is_basins ? passed_on[walk.depth] : (struct weir_grant){0, 0};
        struct weir_trie_step node = walk.node;

        if (!own.prefix && (node.prefix.operations & operations) != 0 &&
            is_rule(node.prefix, above)) {
            show(audience, WEIR_SET_PREFIX, walk.name, node.prefix.operations);
            count++;
        }
        if (!own.exact && count < WEIR_NEAREST_RULES && (node.exact.operations & operations) != 0 &&
            is_rule(node.exact, below->is_basins ? node.prefix : (struct weir_grant){0, 0})) {
            show(audience, WEIR_SET_EXACT, walk.name, node.exact.operations);
            count++;
        }
        passed_on[walk.depth + 1] = node.prefix;
        own = (struct shown){false, false};
    } while (count < WEIR_NEAREST_RULES && weir_walk_next(&walk, true));
    return count;
}

static void show_nearest(const struct audience *audience, const struct weir_trie *below,
                         struct weir_text before, struct shown own, struct weir_grant inherited)
{
    if (show_some(audience, below, before, own, inherited, audience->bit) == 0) {
        (void)show_some(audience, below, before, own, inherited, UINT32_MAX);
    }
}

/*
 * Shows the rules on the name's way through the trie, then, if what they grant together lacks the
 * operation, some of those that begin as the name does up to where the way ends. Returns what the
 * way grants: of a trie of basins the last node's grant, of names all together.
 */
static struct weir_grant show_way(const struct audience *audience, const struct weir_trie *trie)
{
    struct weir_trie below = *trie;
    struct weir_text rest = audience->name;
    struct weir_grant granted = {0, 0};

    while (below.root != 0) {
        struct weir_trie_step node = weir_trie_step_at(&below, below.root);
        struct weir_grant inherited = trie->is_basins ? granted : (struct weir_grant){0, 0};
        struct weir_text before = {audience->name.bytes, audience->name.length - rest.length};
        struct weir_text here;
        uint32_t child = 0;
        bool ends = false;

        if (!weir_edges_pass(&node.edges, &rest)) {
            if ((granted.operations & audience->bit) == 0) {
                show_nearest(audience, &below, before, (struct shown){false, false}, inherited);
            }
            return granted;
        }
        here = (struct weir_text){audience->name.bytes, audience->name.length - rest.length};
        ends = rest.length == 0;
        if (is_rule(node.prefix, inherited)) {
            show(audience, WEIR_SET_PREFIX, here, node.prefix.operations);
        }
        if (ends &&
            is_rule(node.exact, trie->is_basins ? node.prefix : (struct weir_grant){0, 0})) {
            show(audience, WEIR_SET_EXACT, here, node.exact.operations);
        }
        granted.operations =
            trie->is_basins ? node.prefix.operations : granted.operations | node.prefix.operations;
        granted.streams = node.prefix.streams;
        if (ends) {
            granted.operations |= node.exact.operations;
            granted.streams = node.exact.streams;
        } else {
            child = weir_edges_step(&node.edges, &rest);
        }
        if (child == 0 && (granted.operations & audience->bit) == 0) {
            show_nearest(audience, &below, before, (struct shown){true, ends}, inherited);
        }
        below.root = child;
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

        *granted = show_way(audience, &trie);
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

        (void)show_way(audience, &trie);
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

        (void)show_way(audience, &trie);
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
