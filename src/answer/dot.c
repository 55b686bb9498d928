/*
 * A compiled token as a picture: a digraph in the language of Graphviz. Nodes are drawn where they
 * are first met. Several ways may lead to one, by different bytes, so what a node shows is true
 * whichever way a reader comes: the byte that leads to it stands at the arrow.
 */
#include <weir/image.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "answer/walk.h"
#include "vocabulary/failure.h"
#include "vocabulary/memory.h"
#include "vocabulary/text.h"

struct drawing {
    weir_text_sink *sink;
    void *context;
    const struct weir_tries *tries;
    struct weir_met met;
};

static void put(const struct drawing *drawing, const char *text)
{
    drawing->sink(drawing->context, (struct weir_text){text, strlen(text)});
}

__attribute__((format(printf, 2, 3))) static void print(const struct drawing *drawing,
                                                        const char *format, ...)
{
    char text[256];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    put(drawing, text);
}

/* Within a quoted string. A name may begin or end within a character, and its bytes may be
 * anything: those that are no visible ASCII, and the backslash, so that no name reads like another,
 * are shown as \xHH, whose backslash is escaped for Graphviz. */
static void put_name(const struct drawing *drawing, struct weir_text name)
{
    for (size_t i = 0; i < name.length; i++) {
        unsigned char byte = (unsigned char)name.bytes[i];

        if (byte == '"') {
            print(drawing, "\\\"");
        } else if (byte == '&') {
            print(drawing, "&amp;");
        } else if (byte > ' ' && byte <= '~' && byte != '\\') {
            print(drawing, "%c", byte);
        } else {
            print(drawing, "\\\\x%02x", byte);
        }
    }
}

/* Groups of which all operations are there, by name; then the other operations; a line each. */
static void put_operations(const struct drawing *drawing, uint32_t operations)
{
    for (unsigned i = 0; i < 6; i++) {
        enum weir_group group = (enum weir_group)(i / 2);
        enum weir_access access = (enum weir_access)(i % 2);
        uint32_t all = (uint32_t)weir_group_operations(group, access);

        if ((operations & all) == all) {
            print(drawing, "  all of %s %s\\l", weir_group_name(group), weir_access_name(access));
            operations &= ~all;
        }
    }
    for (unsigned number = 1; number <= WEIR_OPERATION_COUNT; number++) {
        if ((operations >> number & 1) != 0) {
            print(drawing, "  %s\\l", weir_operation_name((enum weir_operation)number));
        }
    }
}

/*
 * ---- Sets that lie inline ----
 */

static void draw_set(const struct drawing *drawing, const char *title, enum weir_set_kind kind,
                     struct weir_text name)
{
    if (kind == WEIR_SET_NOTHING) {
        return;
    }
    print(drawing, "  \"%s\" [label=\"%s\\l", title, kind == WEIR_SET_EXACT ? "exact" : "prefix");
    put_name(drawing, name);
    print(drawing, "\\l\"];\n  token -> \"%s\" [label=\"%s\"];\n", title, title);
}

static void draw_sets(const struct drawing *drawing, const struct weir_block *block)
{
    draw_set(drawing, "basins", weir_block_kind(block, WEIR_KIND_BASINS), weir_block_basin(block));
    draw_set(drawing, "streams", weir_block_kind(block, WEIR_KIND_STREAMS),
             weir_block_stream(block));
    draw_set(drawing, "access tokens", weir_block_kind(block, WEIR_KIND_ACCESS_TOKENS),
             weir_block_access_token(block));
}

/*
 * ---- Tries ----
 */

static void put_grant(const struct drawing *drawing, const char *kind, uint32_t operations)
{
    if (operations != 0) {
        print(drawing, "%s:\\l", kind);
        put_operations(drawing, operations);
    }
}

static void draw_way_to_streams(const struct drawing *drawing, uint32_t offset, const char *kind,
                                uint32_t streams)
{
    if (streams != 0) {
        print(drawing, "  n%u -> n%u [style=dashed, label=\"streams, %s\"];\n", offset, streams,
              kind);
    }
}

/* A node that is met for the first time. Of basins, what is passed on from above is left out: only
 * one way leads to a node of theirs. */
static void draw_node(const struct drawing *drawing, const struct weir_walk *walk,
                      struct weir_grant above)
{
    const struct weir_trie_step *node = &walk->node;
    uint32_t offset = walk->stack[walk->depth].offset;
    bool is_basins = walk->trie.is_basins;
    bool prefix = !is_basins || !weir_grants_equal(node->prefix, above);
    bool exact = !is_basins || !weir_grants_equal(node->exact, node->prefix);

    print(drawing, "  n%u [label=\"", offset);
    put_name(drawing, weir_text_from(walk->name, walk->name.length - node->edges.label_length));
    put(drawing, "\\l");
    put_grant(drawing, "prefix", prefix ? node->prefix.operations : 0);
    put_grant(drawing, "exact", exact ? node->exact.operations : 0);
    print(drawing, "\"%s];\n", is_basins ? ", style=filled, fillcolor=lightyellow" : "");
    draw_way_to_streams(drawing, offset, "prefix", prefix ? node->prefix.streams : 0);
    draw_way_to_streams(drawing, offset, "exact", exact ? node->exact.streams : 0);
}

/* The arrow by which the walk has come, with the byte that leads there. */
static void draw_edge(const struct drawing *drawing, const struct weir_walk *walk)
{
    unsigned parent = walk->depth - 1;
    const char *key = walk->path + walk->stack[parent].length;

    print(drawing, "  n%u -> n%u [label=\"", walk->stack[parent].offset,
          walk->stack[walk->depth].offset);
    put_name(drawing, (struct weir_text){key, 1});
    put(drawing, "\"];\n");
}

static void draw_trie(struct drawing *drawing, struct weir_trie trie)
{
    struct weir_grant above[WEIR_STREAM_MAX + 2] = {{0, 0}};
    struct weir_walk walk;
    bool into = false;

    if (trie.root == 0 || weir_is_met(&drawing->met, trie.root)) {
        return;
    }
    weir_walk_start(&walk, &trie, (struct weir_text){NULL, 0});
    do {
        uint32_t offset = walk.stack[walk.depth].offset;

        into = weir_meet(&drawing->met, offset);
        if (into) {
            draw_node(drawing, &walk, above[walk.depth]);
        }
        if (walk.depth > 0) {
            draw_edge(drawing, &walk);
        }
        above[walk.depth + 1] = walk.node.prefix;
    } while (weir_walk_next(&walk, into));
}

static void draw_way_to_root(const struct drawing *drawing, uint32_t root, const char *title)
{
    if (root != 0) {
        print(drawing, "  token -> n%u [label=\"%s\"];\n", root, title);
    }
}

static void draw_tries(struct drawing *drawing)
{
    struct weir_trie basins = weir_basin_trie(drawing->tries);
    struct weir_trie access_tokens = weir_name_trie(drawing->tries, drawing->tries->access_tokens);
    struct weir_walk walk;

    draw_way_to_root(drawing, basins.root, "basins");
    draw_way_to_root(drawing, access_tokens.root, "access tokens");
    draw_trie(drawing, basins);
    if (basins.root != 0) {
        weir_walk_start(&walk, &basins, (struct weir_text){NULL, 0});
        do {
            draw_trie(drawing, weir_name_trie(drawing->tries, walk.node.prefix.streams));
            draw_trie(drawing, weir_name_trie(drawing->tries, walk.node.exact.streams));
        } while (weir_walk_next(&walk, true));
    }
    draw_trie(drawing, access_tokens);
}

static void begin(const struct drawing *drawing, const struct weir_block *block)
{
    put(drawing, "digraph token {\n  rankdir=LR;\n  node [shape=box, fontname=monospace];\n"
                 "  edge [fontname=monospace];\n"
                 "  token [shape=ellipse, label=\"");
    put_name(drawing, weir_block_id(block));
    put(drawing, "\\l");
    put_operations(drawing, weir_own_operations(block));
    if ((block->flags & WEIR_FLAG_AUTO_PREFIX) != 0) {
        put(drawing, "puts the prefix before its streams\\l");
    }
    put(drawing, "\"];\n");
}

enum weir_status weir_compiled_token_dot(const struct weir_compiled_token *token,
                                         const struct weir_allocator *allocator,
                                         weir_text_sink *sink, void *context,
                                         struct weir_error *error)
{
    struct weir_allocator memory = weir_allocator_or_default(allocator);
    const struct weir_block *block = weir_block_of(token);
    struct drawing drawing = {.sink = sink, .context = context};

    if ((block->flags & WEIR_FLAG_TRIES) == 0) {
        begin(&drawing, block);
        draw_sets(&drawing, block);
        put(&drawing, "}\n");
        return WEIR_OK;
    }
    drawing.tries = weir_block_tries(block);
    if (!weir_met_begin(&drawing.met, drawing.tries, &memory)) {
        return weir_fail_memory(error);
    }
    begin(&drawing, block);
    draw_tries(&drawing);
    put(&drawing, "}\n");
    weir_met_end(&drawing.met, &memory);
    return WEIR_OK;
}
