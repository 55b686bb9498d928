#include <weir/listing.h>

#include <string.h>

#include "answer/walk.h"
#include "match/decide.h"
#include "vocabulary/failure.h"
#include "vocabulary/memory.h"

/* A listing with what it takes to free it; the texts and their bytes follow. */
struct owned_listing {
    struct weir_listing listing;
    struct weir_allocator allocator;
    size_t size;
    struct weir_text texts[];
};

/* Takes the names and prefixes of a listing, twice: first to count them, then to copy them. */
struct collector {
    bool is_basins;
    size_t exact_count;
    size_t prefix_count;
    size_t byte_count;
    struct weir_text *exact; /* where the next one goes; NULL while counting */
    struct weir_text *prefixes;
    char *bytes;
};

static struct weir_text copy_text(struct collector *collector, struct weir_text text)
{
    char *bytes = collector->bytes;

    if (text.length > 0) {
        memcpy(bytes, text.bytes, text.length);
    }
    collector->bytes += text.length;
    return (struct weir_text){bytes, text.length};
}

static void collect_exact(struct collector *collector, struct weir_text name)
{
    collector->exact_count++;
    collector->byte_count += name.length;
    if (collector->exact != NULL) {
        *collector->exact++ = copy_text(collector, name);
    }
}

/* A basin of the greatest length cannot end in '-': no valid name can carry such a prefix. */
static void collect_prefix(struct collector *collector, struct weir_text prefix)
{
    if (collector->is_basins && prefix.length == WEIR_BASIN_MAX &&
        prefix.bytes[prefix.length - 1] == '-') {
        return;
    }
    collector->prefix_count++;
    collector->byte_count += prefix.length;
    if (collector->prefixes != NULL) {
        *collector->prefixes++ = copy_text(collector, prefix);
    }
}

/* What may be listed: the members of one set, or those of a trie that grant the operation. */
struct source {
    bool is_trie;
    struct weir_set set;
    struct weir_trie trie;
    uint32_t bit;
    bool is_basins;
};

static void collect_set(const struct weir_set *set, struct weir_text requested,
                        struct collector *collector)
{
    if (set->kind == WEIR_SET_EXACT && weir_text_begins_with(set->name, requested)) {
        collect_exact(collector, set->name);
    } else if (set->kind == WEIR_SET_PREFIX) {
        if (weir_text_begins_with(set->name, requested)) {
            collect_prefix(collector, set->name);
        } else if (weir_text_begins_with(requested, set->name)) {
            collect_prefix(collector, requested);
        }
    }
}

static bool collect_member(void *context, struct weir_text name, bool is_prefix)
{
    if (is_prefix) {
        collect_prefix(context, name);
    } else {
        collect_exact(context, name);
    }
    return true;
}

/* Goes down the trie along the requested prefix, until it ends or something covers it. */
static void collect_trie(const struct weir_trie *trie, struct weir_text requested, uint32_t bit,
                         struct collector *collector)
{
    struct weir_trie below = *trie;
    struct weir_text rest = requested;

    while (below.root != 0) {
        struct weir_trie_step node = weir_trie_step_at(&below, below.root);
        struct weir_text label = {(const char *)node.edges.label, node.edges.label_length};
        struct weir_text before = {requested.bytes, requested.length - rest.length};

        if (weir_text_begins_with(label, rest)) {
            (void)weir_walk_members(&below, before, bit, collect_member, collector);
            return;
        }
        if (!weir_edges_pass(&node.edges, &rest)) {
            return;
        }
        if ((node.prefix.operations & bit) != 0) {
            collect_prefix(collector, requested);
            return;
        }
        below.root = weir_edges_step(&node.edges, &rest);
    }
}

static void collect(const struct source *source, struct weir_text requested,
                    struct collector *collector)
{
    collector->is_basins = source->is_basins;
    if (source->is_trie) {
        collect_trie(&source->trie, requested, source->bit, collector);
    } else {
        collect_set(&source->set, requested, collector);
    }
}

static struct weir_set inline_set(const struct weir_block *block, unsigned kind_shift,
                                  struct weir_text name)
{
    return (struct weir_set){weir_block_kind(block, kind_shift), name};
}

static struct source source_in_tries(const struct weir_tries *tries, enum weir_operation operation,
                                     struct weir_text basin)
{
    struct source source = {.is_trie = true, .bit = weir_operation_bit(operation)};

    if (operation == WEIR_LIST_BASINS) {
        source.trie = weir_basin_trie(tries);
        source.is_basins = true;
    } else if (operation == WEIR_LIST_STREAMS) {
        source.trie = weir_name_trie(tries, weir_tries_walk_basins(tries, basin).streams);
    } else {
        source.trie = weir_name_trie(tries, tries->access_tokens);
    }
    return source;
}

/* What of the token's sets the operation lists. It is permitted, on the basin if it has one. */
static struct source source_of(const struct weir_block *block, enum weir_operation operation,
                               struct weir_text basin)
{
    struct source source = {.is_basins = operation == WEIR_LIST_BASINS};

    if ((block->flags & WEIR_FLAG_TRIES) != 0) {
        return source_in_tries(weir_block_tries(block), operation, basin);
    }
    if (operation == WEIR_LIST_BASINS) {
        source.set = inline_set(block, WEIR_KIND_BASINS, weir_block_basin(block));
    } else if (operation == WEIR_LIST_STREAMS) {
        source.set = inline_set(block, WEIR_KIND_STREAMS, weir_block_stream(block));
    } else {
        source.set = inline_set(block, WEIR_KIND_ACCESS_TOKENS, weir_block_access_token(block));
    }
    return source;
}

static enum weir_status make_listing(const struct source *source, struct weir_text requested,
                                     const struct weir_allocator *allocator,
                                     struct weir_listing **listing, struct weir_error *error)
{
    struct weir_allocator memory = weir_allocator_or_default(allocator);
    struct collector counted = {0};
    struct collector copied = {0};
    struct owned_listing *owned = NULL;
    size_t texts = 0;
    size_t size = 0;

    collect(source, requested, &counted);
    texts = counted.exact_count + counted.prefix_count;
    size = sizeof *owned + texts * sizeof owned->texts[0] + counted.byte_count;
    owned = weir_allocate(&memory, size);
    if (owned == NULL) {
        return weir_fail_memory(error);
    }
    owned->allocator = memory;
    owned->size = size;
    owned->listing = (struct weir_listing){
        .exact = owned->texts,
        .exact_count = counted.exact_count,
        .prefixes = owned->texts + counted.exact_count,
        .prefix_count = counted.prefix_count,
    };
    copied.exact = owned->texts;
    copied.prefixes = owned->texts + counted.exact_count;
    copied.bytes = (char *)(owned->texts + texts);
    collect(source, requested, &copied);
    *listing = &owned->listing;
    return WEIR_OK;
}

static bool prefix_valid(enum weir_operation operation, struct weir_text prefix)
{
    switch (operation) {
    case WEIR_LIST_BASINS:
        return weir_basin_prefix_valid(prefix);
    case WEIR_LIST_STREAMS:
        return weir_stream_prefix_valid(prefix);
    default:
        return weir_token_id_prefix_valid(prefix);
    }
}

/* A token with auto-prefix lists what begins with its own prefix and the requested one; nothing, if
 * the two together are longer than any name. */
static enum weir_status make_auto_prefix_listing(const struct weir_block *block,
                                                 struct weir_text requested,
                                                 const struct weir_allocator *allocator,
                                                 struct weir_listing **listing,
                                                 struct weir_error *error)
{
    char effective[WEIR_STREAM_MAX];
    struct weir_text own = weir_block_stream(block);
    struct source source = {.set = {.kind = WEIR_SET_PREFIX}};

    if (own.length + requested.length > sizeof effective) {
        source.set.kind = WEIR_SET_NOTHING;
    } else {
        if (own.length > 0) {
            memcpy(effective, own.bytes, own.length);
        }
        if (requested.length > 0) {
            memcpy(effective + own.length, requested.bytes, requested.length);
        }
        source.set.name = (struct weir_text){effective, own.length + requested.length};
    }
    return make_listing(&source, WEIR_TEXT(""), allocator, listing, error);
}

enum weir_status weir_narrow(const struct weir_compiled_token *token, enum weir_operation operation,
                             struct weir_text basin, struct weir_text prefix,
                             struct weir_instant now, const struct weir_allocator *allocator,
                             enum weir_reason *reason, struct weir_listing **listing,
                             struct weir_error *error)
{
    const struct weir_request request = {.operation = operation, .basin = basin};
    const struct weir_block *block = weir_block_of(token);
    struct source source;

    *listing = NULL;
    *reason = WEIR_STALE;
    if (operation != WEIR_LIST_BASINS && operation != WEIR_LIST_STREAMS &&
        operation != WEIR_LIST_ACCESS_TOKENS) {
        return weir_fail(error, WEIR_ERROR_ARGUMENT, "%s lists no names",
                         weir_operation_name(operation));
    }
    *reason = weir_check_token(token, &request, now).reason;
    if (*reason != WEIR_ALLOWED) {
        return WEIR_OK;
    }
    if (!prefix_valid(operation, prefix)) {
        char quoted[128];

        (void)weir_quote(prefix, quoted, sizeof quoted);
        return weir_fail(error, WEIR_ERROR_NAME, "not a valid prefix to list: %s", quoted);
    }
    if (operation == WEIR_LIST_STREAMS && (block->flags & WEIR_FLAG_AUTO_PREFIX) != 0) {
        return make_auto_prefix_listing(block, prefix, allocator, listing, error);
    }
    source = source_of(block, operation, basin);
    return make_listing(&source, prefix, allocator, listing, error);
}

/* Number of texts, of `count` sorted ones, that do not come after the name. */
static size_t count_up_to(const struct weir_text *texts, size_t count, struct weir_text name)
{
    size_t low = 0;
    size_t high = count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (weir_text_compare(texts[middle], name) <= 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* Since no prefix covers another, the last one that does not come after the name is the only one
 * that it can begin with. */
bool weir_listing_admits(const struct weir_listing *listing, struct weir_text name)
{
    size_t exact = count_up_to(listing->exact, listing->exact_count, name);
    size_t prefixes = count_up_to(listing->prefixes, listing->prefix_count, name);

    return (exact > 0 && weir_text_equal(listing->exact[exact - 1], name)) ||
           (prefixes > 0 && weir_text_begins_with(name, listing->prefixes[prefixes - 1]));
}

void weir_listing_free(struct weir_listing *listing)
{
    struct owned_listing *owned = (struct owned_listing *)(void *)listing;
    struct weir_allocator allocator;

    if (owned != NULL) {
        allocator = owned->allocator;
        weir_release(&allocator, owned, owned->size);
    }
}
