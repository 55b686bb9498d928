/* A compiled token as text. Nodes are written where they are first met. */
#include <weir/image.h>

#include <stdarg.h>
#include <stdio.h>

#include "answer/walk.h"
#include "vocabulary/failure.h"
#include "vocabulary/memory.h"
#include "vocabulary/text.h"

struct dump {
    weir_text_sink *sink;
    void *context;
    const struct weir_tries *tries;
    struct weir_met met;
};

__attribute__((format(printf, 2, 3))) static void print(const struct dump *dump, const char *format,
                                                        ...)
{
    char text[WEIR_QUOTED_MAX(WEIR_STREAM_MAX) + 64];
    va_list arguments;
    int length = 0;

    va_start(arguments, format);
    length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    dump->sink(dump->context, (struct weir_text){text, (size_t)length});
}

static void print_operations(const struct dump *dump, uint32_t operations)
{
    const char *separator = "";

    for (unsigned number = 1; number <= WEIR_OPERATION_COUNT; number++) {
        if ((operations >> number & 1) != 0) {
            print(dump, "%s%s", separator, weir_operation_name((enum weir_operation)number));
            separator = " ";
        }
    }
}

static void print_set(const struct dump *dump, const char *title, enum weir_set_kind kind,
                      struct weir_text name)
{
    char quoted[WEIR_QUOTED_MAX(WEIR_STREAM_MAX)];

    (void)weir_quote(name, quoted, sizeof quoted);
    print(dump, "%s: %s%s\n", title,
          kind == WEIR_SET_EXACT    ? "exact "
          : kind == WEIR_SET_PREFIX ? "prefix "
                                    : "nothing",
          kind == WEIR_SET_NOTHING ? "" : quoted);
}

static void dump_own_operations(const struct dump *dump, const struct weir_block *block)
{
    print(dump, "operations: ");
    print_operations(dump, weir_own_operations(block));
    print(dump, "\n");
}

static void dump_sets(const struct dump *dump, const struct weir_block *block)
{
    dump_own_operations(dump, block);
    print_set(dump, "basins", weir_block_kind(block, WEIR_KIND_BASINS), weir_block_basin(block));
    print_set(dump, "streams", weir_block_kind(block, WEIR_KIND_STREAMS), weir_block_stream(block));
    print_set(dump, "access tokens", weir_block_kind(block, WEIR_KIND_ACCESS_TOKENS),
              weir_block_access_token(block));
}

/* A label may begin or end within a character, so it is written byte by byte. */
static void print_label(const struct dump *dump, struct weir_text label)
{
    print(dump, "\"");
    for (size_t i = 0; i < label.length; i++) {
        unsigned char byte = (unsigned char)label.bytes[i];
        bool plain = byte >= ' ' && byte <= '~' && byte != '"' && byte != '\\';

        if (plain) {
            print(dump, "%c", byte);
        } else {
            print(dump, "\\x%02x", byte);
        }
    }
    print(dump, "\"");
}

static void print_grant(const struct dump *dump, const char *kind, struct weir_grant grant)
{
    if (grant.operations == 0) {
        return;
    }
    print(dump, "  %s: ", kind);
    print_operations(dump, grant.operations);
    if (grant.streams != 0) {
        print(dump, ", streams @%u", grant.streams);
    }
}

/* One node's line: what is granted there, unless it is just what a basin node passes on from above.
 * Returns whether it is met for the first time, and so what is below is due. */
static bool print_node(struct dump *dump, const struct weir_walk *walk, struct weir_grant above)
{
    const struct weir_trie_step *node = &walk->node;
    uint32_t offset = walk->stack[walk->depth].offset;
    unsigned label_length = node->edges.label_length + (walk->depth > 0);
    bool first = weir_meet(&dump->met, offset);

    print(dump, "%*s", 2 * (int)(walk->depth < 40 ? walk->depth : 40) + 2, "");
    print_label(dump, weir_text_from(walk->name, walk->name.length - label_length));
    print(dump, " @%u", offset);
    if (!first) {
        print(dump, "  as above");
    } else if (!walk->trie.is_basins) {
        print_grant(dump, "prefix", node->prefix);
        print_grant(dump, "exact", node->exact);
    } else {
        if (!weir_grants_equal(node->prefix, above)) {
            print_grant(dump, "prefix", node->prefix);
        }
        if (!weir_grants_equal(node->exact, node->prefix)) {
            print_grant(dump, "exact", node->exact);
        }
    }
    print(dump, "\n");
    return first;
}

static void dump_trie(struct dump *dump, const struct weir_trie *trie)
{
    struct weir_grant above[WEIR_STREAM_MAX + 2] = {{0, 0}};
    struct weir_walk walk;
    bool into = false;

    if (trie->root == 0) {
        print(dump, "  nothing\n");
        return;
    }
    weir_walk_start(&walk, trie, (struct weir_text){NULL, 0});
    do {
        into = print_node(dump, &walk, above[walk.depth]);
        above[walk.depth + 1] = walk.node.prefix;
    } while (weir_walk_next(&walk, into));
}

static void dump_streams(struct dump *dump, uint32_t root)
{
    struct weir_trie trie = weir_name_trie(dump->tries, root);

    if (root != 0 && !weir_is_met(&dump->met, root)) {
        print(dump, "streams @%u:\n", root);
        dump_trie(dump, &trie);
    }
}

static void dump_tries(struct dump *dump)
{
    struct weir_trie basins = weir_basin_trie(dump->tries);
    struct weir_trie access_tokens = weir_name_trie(dump->tries, dump->tries->access_tokens);
    struct weir_walk walk;

    print(dump, "basins:\n");
    dump_trie(dump, &basins);
    if (basins.root != 0) {
        weir_walk_start(&walk, &basins, (struct weir_text){NULL, 0});
        do {
            dump_streams(dump, walk.node.prefix.streams);
            dump_streams(dump, walk.node.exact.streams);
        } while (weir_walk_next(&walk, true));
    }
    print(dump, "access tokens:\n");
    dump_trie(dump, &access_tokens);
}

enum weir_status weir_compiled_token_dump(const struct weir_compiled_token *token,
                                          const struct weir_allocator *allocator,
                                          weir_text_sink *sink, void *context,
                                          struct weir_error *error)
{
    struct weir_allocator memory = weir_allocator_or_default(allocator);
    const struct weir_block *block = weir_block_of(token);
    struct dump dump = {.sink = sink, .context = context};

    if ((block->flags & WEIR_FLAG_TRIES) == 0) {
        dump_sets(&dump, block);
        return WEIR_OK;
    }
    dump.tries = weir_block_tries(block);
    if (!weir_met_begin(&dump.met, dump.tries, &memory)) {
        return weir_fail_memory(error);
    }
    if (weir_own_operations(block) != 0) {
        dump_own_operations(&dump, block);
    }
    dump_tries(&dump);
    weir_met_end(&dump.met, &memory);
    return WEIR_OK;
}
