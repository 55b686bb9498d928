/*
 * Everything under a prefix. Mostly one rule covers the prefix. Where none does, the rules below it
 * may still do so together: then each byte by which a name may go on has a child, at each node on
 * the way. So the walk goes below the prefix only as long as that is true.
 */
#include <weir/decision.h>

#include "answer/walk.h"
#include "match/decide.h"
#include "vocabulary/completion.h"

/* A set of names, and the operation that is to be granted on them. A set that lies inline is the
 * root of a trie that has no other node. */
struct granted {
    struct weir_trie trie;
    struct weir_trie_step root;
    bool is_empty;
    uint32_t bit;
};

static struct granted granted_by_trie(struct weir_trie trie, uint32_t bit)
{
    struct granted granted = {.trie = trie, .is_empty = trie.root == 0, .bit = bit};

    if (trie.root != 0) {
        granted.root = weir_trie_step_at(&trie, trie.root);
    }
    return granted;
}

static struct granted granted_inline(enum weir_set_kind kind, struct weir_text set, uint32_t bit)
{
    struct granted granted = {.is_empty = kind == WEIR_SET_NOTHING, .bit = bit};

    granted.root.edges.label = (const unsigned char *)set.bytes;
    granted.root.edges.label_length = (unsigned)set.length;
    granted.root.exact.operations = bit;
    granted.root.prefix.operations = kind == WEIR_SET_PREFIX ? bit : 0;
    return granted;
}

static struct weir_text label_of(const struct weir_trie_step *node)
{
    return (struct weir_text){(const char *)node->edges.label, node->edges.label_length};
}

/* A place in a trie: at a node, or within its label. */
struct place {
    uint32_t offset; /* of the node; that of a set that lies inline does not matter */
    struct weir_trie_step node;
    struct weir_text label; /* what is left of it */
};

static void go_to(const struct granted *granted, uint32_t offset, struct place *place)
{
    place->offset = offset;
    place->node = weir_trie_step_at(&granted->trie, offset);
    place->label = label_of(&place->node);
}

/* Where a prefix ends. */
enum ending {
    UNDER_RULE,  /* a node above grants everything that begins so */
    IN_TRIE,     /* at the place */
    OUTSIDE_TRIE /* no rule begins so */
};

static enum ending descend(const struct granted *granted, struct weir_text prefix,
                           struct place *place)
{
    uint32_t child = granted->trie.root;

    if (granted->is_empty) {
        return OUTSIDE_TRIE;
    }
    *place = (struct place){child, granted->root, label_of(&granted->root)};
    for (;;) {
        size_t common = weir_text_common(place->label, prefix);

        place->label = weir_text_from(place->label, common);
        prefix = weir_text_from(prefix, common);
        if (place->label.length > 0) {
            return prefix.length == 0 ? IN_TRIE : OUTSIDE_TRIE;
        }
        if ((place->node.prefix.operations & granted->bit) != 0) {
            return UNDER_RULE;
        }
        if (prefix.length == 0) {
            return IN_TRIE;
        }
        child = weir_edges_step(&place->node.edges, &prefix);
        if (child == 0) {
            return OUTSIDE_TRIE;
        }
        go_to(granted, child, place);
    }
}

/* Goes through the label; false if a name begins as `beginning` does, but not with the label. */
static bool pass_label(struct weir_beginning *beginning, struct weir_text label)
{
    for (size_t i = 0; i < label.length; i++) {
        unsigned char byte = (unsigned char)label.bytes[i];

        if (weir_beginning_is_name(beginning) || weir_beginning_next(beginning, 0) != byte ||
            weir_beginning_next(beginning, byte + 1u) != WEIR_NO_BYTE) {
            return false;
        }
        (void)weir_beginning_add(beginning, byte);
    }
    return true;
}

/* The nodes above the place where the walk is. Each lies at least a byte deeper in the names than
 * the one before, and names go on from all of them. */
struct way {
    size_t depth;
    struct {
        uint32_t offset;
        uint16_t next;                   /* the byte to go on with, or the first one after it */
        struct weir_beginning beginning; /* at the node's end */
    } stack[WEIR_STREAM_MAX];
};

/* Ends the visit to a node at whose end `beginning` stands: false if a name ends there, or goes on,
 * and is not granted. Puts the node on the way if there is more to see below it. */
static bool leave(struct way *way, const struct place *place, struct weir_beginning beginning,
                  uint32_t bit)
{
    const struct weir_trie_step *node = &place->node;

    if ((node->prefix.operations & bit) != 0) {
        return true;
    }
    if (weir_beginning_is_name(&beginning) && (node->exact.operations & bit) == 0) {
        return false;
    }
    if (node->edges.key_count == 0 || way->depth == WEIR_STREAM_MAX) {
        return weir_beginning_next(&beginning, 0) == WEIR_NO_BYTE;
    }
    way->stack[way->depth].offset = place->offset;
    way->stack[way->depth].next = 0;
    way->stack[way->depth].beginning = beginning;
    way->depth++;
    return true;
}

/* The byte to go on with at the deepest node that has one left; the way then ends there. */
static unsigned next_byte(struct way *way)
{
    for (; way->depth > 0; way->depth--) {
        unsigned byte = weir_beginning_next(&way->stack[way->depth - 1].beginning,
                                            way->stack[way->depth - 1].next);

        if (byte != WEIR_NO_BYTE) {
            way->stack[way->depth - 1].next = (uint16_t)(byte + 1);
            return byte;
        }
    }
    return WEIR_NO_BYTE;
}

/* Goes to the child for that byte of the last node on the way; false if there is none. */
static bool step(const struct granted *granted, const struct way *way, unsigned byte,
                 struct place *place, struct weir_beginning *beginning)
{
    struct weir_trie_step above =
        weir_trie_step_at(&granted->trie, way->stack[way->depth - 1].offset);
    uint32_t child = weir_edges_find(&above.edges, (unsigned char)byte);

    if (child == 0) {
        return false;
    }
    *beginning = way->stack[way->depth - 1].beginning;
    (void)weir_beginning_add(beginning, (unsigned char)byte);
    go_to(granted, child, place);
    return true;
}

/* Whether all names are granted that begin as `beginning` does, which ends at the place. */
static bool all_below(const struct granted *granted, struct place *place,
                      struct weir_beginning beginning)
{
    struct way way;
    unsigned byte = 0;

    way.depth = 0;
    while (pass_label(&beginning, place->label) && leave(&way, place, beginning, granted->bit)) {
        byte = next_byte(&way);
        if (byte == WEIR_NO_BYTE) {
            return true;
        }
        if (!step(granted, &way, byte, place, &beginning)) {
            return false;
        }
    }
    return false;
}

/* Whether every name of the kind that begins with the prefix, which is valid, is granted: by a rule
 * that covers it, or, if there is such a name at all, by several together. */
static bool covers(const struct granted *granted, enum weir_name_kind kind, struct weir_text prefix)
{
    struct weir_beginning beginning = weir_beginning_of(kind, weir_name_longest(kind));
    struct place place;
    enum ending ending = descend(granted, prefix, &place);

    return ending == UNDER_RULE ||
           (ending == IN_TRIE && weir_beginning_add_text(&beginning, prefix) &&
            all_below(granted, &place, beginning));
}

static bool covers_streams(const struct weir_block *block, uint32_t bit, struct weir_grant basin,
                           struct weir_text prefix)
{
    struct granted granted;

    if ((block->flags & WEIR_FLAG_TRIES) != 0) {
        granted = granted_by_trie(weir_name_trie(weir_block_tries(block), basin.streams), bit);
    } else if ((block->flags & WEIR_FLAG_AUTO_PREFIX) != 0) {
        return true;
    } else {
        granted = granted_inline(weir_block_kind(block, WEIR_KIND_STREAMS),
                                 weir_block_stream(block), bit);
    }
    return covers(&granted, WEIR_NAME_STREAM, prefix);
}

static bool covers_basins(const struct weir_block *block, uint32_t bit, struct weir_text prefix)
{
    struct granted granted = (block->flags & WEIR_FLAG_TRIES) != 0
                                 ? granted_by_trie(weir_basin_trie(weir_block_tries(block)), bit)
                                 : granted_inline(weir_block_kind(block, WEIR_KIND_BASINS),
                                                  weir_block_basin(block), bit);

    return covers(&granted, WEIR_NAME_BASIN, prefix);
}

static bool covers_access_tokens(const struct weir_block *block, uint32_t bit,
                                 struct weir_text prefix)
{
    const struct weir_tries *tries = weir_block_tries(block);
    struct granted granted = (block->flags & WEIR_FLAG_TRIES) != 0
                                 ? granted_by_trie(weir_name_trie(tries, tries->access_tokens), bit)
                                 : granted_inline(weir_block_kind(block, WEIR_KIND_ACCESS_TOKENS),
                                                  weir_block_access_token(block), bit);

    return covers(&granted, WEIR_NAME_TOKEN_ID, prefix);
}

/* Whether the prefix is allowed, and stays so when the token's own is put before it. */
static bool stream_prefix_valid(const struct weir_block *block, struct weir_text prefix)
{
    return weir_stream_prefix_allowed(prefix) && prefix.length <= weir_block_longest_stream(block);
}

static enum weir_reason decide_streams(const struct weir_block *block, uint32_t bit,
                                       const struct weir_request *request)
{
    struct weir_grant basin;

    if (!weir_basin_allowed(request->basin) || !stream_prefix_valid(block, request->stream)) {
        return WEIR_INVALID_NAME;
    }
    if ((block->operations & bit) == 0) {
        return WEIR_OP_NOT_PERMITTED;
    }
    basin = weir_block_grant(block, request->basin);
    if ((basin.operations & bit) == 0) {
        return WEIR_BASIN_OUT_OF_SCOPE;
    }
    return covers_streams(block, bit, basin, request->stream) ? WEIR_ALLOWED
                                                              : WEIR_STREAM_OUT_OF_SCOPE;
}

static enum weir_reason decide_basins(const struct weir_block *block, uint32_t bit,
                                      struct weir_text prefix)
{
    if (!weir_basin_prefix_allowed(prefix)) {
        return WEIR_INVALID_NAME;
    }
    if ((block->operations & bit) == 0) {
        return WEIR_OP_NOT_PERMITTED;
    }
    return covers_basins(block, bit, prefix) ? WEIR_ALLOWED : WEIR_BASIN_OUT_OF_SCOPE;
}

static enum weir_reason decide_access_tokens(const struct weir_block *block, uint32_t bit,
                                             struct weir_text prefix)
{
    if (!weir_token_id_prefix_allowed(prefix)) {
        return WEIR_INVALID_NAME;
    }
    if ((block->operations & bit) == 0) {
        return WEIR_OP_NOT_PERMITTED;
    }
    return covers_access_tokens(block, bit, prefix) ? WEIR_ALLOWED : WEIR_ACCESS_TOKEN_OUT_OF_SCOPE;
}

static enum weir_reason decide_under(const struct weir_block *block,
                                     const struct weir_request *request, struct weir_expiry now)
{
    uint32_t bit = weir_operation_bit(request->operation);

    if (weir_block_expired(block, now)) {
        return WEIR_EXPIRED;
    }
    if ((bit & WEIR_STREAM_OPERATIONS) != 0) {
        return decide_streams(block, bit, request);
    }
    if ((bit & WEIR_BASIN_OPERATIONS) != 0) {
        return decide_basins(block, bit, request->basin);
    }
    if ((bit & WEIR_ACCESS_TOKEN_OPERATIONS) != 0) {
        return decide_access_tokens(block, bit, request->access_token);
    }
    return weir_decide(block, request, now);
}

struct weir_decision weir_check_token_under(const struct weir_compiled_token *token,
                                            const struct weir_request *request,
                                            struct weir_instant now)
{
    if (token == NULL) {
        return (struct weir_decision){WEIR_UNKNOWN_TOKEN, NULL};
    }
    return (struct weir_decision){decide_under(weir_block_of(token), request, weir_expiry_of(now)),
                                  token};
}

struct weir_decision weir_check_under(const struct weir_image *image, struct weir_text token_id,
                                      const struct weir_request *request, struct weir_instant now)
{
    return weir_check_token_under(weir_image_find(image, token_id), request, now);
}
