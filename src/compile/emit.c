#include "compile/emit.h"

#include <string.h>

#include "image/block.h"
#include "image/format.h"
#include "image/index.h"
#include "vocabulary/text.h"

struct record_grant {
    uint32_t operations;
    struct weir_record *streams;
};

/* A node as it will be written. Those of names are found by what they hold, so that each is made
 * once. */
struct weir_record {
    struct weir_record *next; /* in the order of the block */
    struct weir_text label;   /* as in the block: without the byte that the parent has as key */
    struct record_grant prefix;
    struct record_grant exact;
    struct weir_record **children;
    unsigned char *keys;
    uint64_t hash;
    uint32_t rules;
    uint32_t height;
    uint32_t offset;
    unsigned child_count;
};

/* The records of names by their hash: open addressing, a power of two of slots. */
struct record_table {
    struct weir_record **slots;
    size_t capacity;
    size_t count;
};

struct planner {
    struct weir_arena *arena;
    struct record_table table;
    struct weir_emission *emission;
};

/*
 * ---- Records that are alike ----
 */

/* Depends on what the record holds only, not on where its children lie. */
static uint64_t hash_record(const struct weir_record *record)
{
    uint64_t fields[] = {
        weir_hash(record->label, 0),
        (uint64_t)record->prefix.operations << 32 | record->exact.operations,
        XXH3_64bits(record->keys, record->child_count),
        0,
    };

    for (unsigned i = 0; i < record->child_count; i++) {
        fields[3] = XXH3_64bits_withSeed(&record->children[i]->hash, sizeof fields[3], fields[3]);
    }
    return XXH3_64bits(fields, sizeof fields);
}

static bool records_alike(const struct weir_record *left, const struct weir_record *right)
{
    return left->hash == right->hash && weir_text_equal(left->label, right->label) &&
           left->prefix.operations == right->prefix.operations &&
           left->exact.operations == right->exact.operations &&
           left->child_count == right->child_count &&
           (left->child_count == 0 ||
            (memcmp(left->keys, right->keys, left->child_count) == 0 &&
             memcmp(left->children, right->children,
                    left->child_count * sizeof(struct weir_record *)) == 0));
}

/* So many slots are looked at for a record. Whoever writes names that all hash alike gets nodes
 * that are not shared, not a compiler that searches. */
#define PROBES_MAX 64

/* The slot of a record that is alike, or the free one where this one belongs; NULL if there is
 * neither within PROBES_MAX. */
static struct weir_record **table_slot(const struct record_table *table,
                                       const struct weir_record *record)
{
    for (size_t probe = 0; probe < PROBES_MAX; probe++) {
        struct weir_record **slot =
            &table->slots[((size_t)record->hash + probe) & (table->capacity - 1)];

        if (*slot == NULL || records_alike(*slot, record)) {
            return slot;
        }
    }
    return NULL;
}

static bool table_grow(struct weir_arena *arena, struct record_table *table)
{
    struct record_table grown = {.capacity = table->capacity == 0 ? 64 : 2 * table->capacity};

    grown.slots = weir_arena_allocate(arena, grown.capacity * sizeof(struct weir_record *));
    if (grown.slots == NULL) {
        return false;
    }
    for (size_t i = 0; i < table->capacity; i++) {
        struct weir_record **slot =
            table->slots[i] != NULL ? table_slot(&grown, table->slots[i]) : NULL;

        if (slot != NULL) {
            *slot = table->slots[i];
            grown.count++;
        }
    }
    *table = grown;
    return true;
}

/* The record that is alike, or this one after putting it in front of the others; NULL if memory is
 * short. So children, which are made first, come last. */
static struct weir_record *settle_name_record(struct planner *planner, struct weir_record *record)
{
    struct weir_record **slot = NULL;

    if (2 * planner->table.count >= planner->table.capacity &&
        !table_grow(planner->arena, &planner->table)) {
        return NULL;
    }
    record->hash = hash_record(record);
    slot = table_slot(&planner->table, record);
    if (slot != NULL && *slot != NULL) {
        return *slot;
    }
    if (slot != NULL) {
        *slot = record;
        planner->table.count++;
    }
    record->next = planner->emission->names;
    planner->emission->names = record;
    return record;
}

/*
 * ---- From nodes to records ----
 */

static struct weir_record *plan_node(struct planner *planner, struct weir_trie_node *node,
                                     struct weir_text label, bool is_basin);

/* Makes the children's records, and adds up what the record says of them. */
static bool plan_children(struct planner *planner, const struct weir_trie_node *node, bool is_basin,
                          struct weir_record *record)
{
    unsigned count = node->child_count;
    uint32_t height = 0;

    if (count == 0) {
        record->height = (uint32_t)record->label.length;
        return true;
    }
    record->children = weir_arena_allocate(planner->arena, count * sizeof(struct weir_record *));
    record->keys = weir_arena_allocate(planner->arena, count);
    if (record->children == NULL || record->keys == NULL) {
        return false;
    }
    for (unsigned i = 0; i < count; i++) {
        struct weir_trie_node *child = node->children[i];

        if (child->record == NULL) {
            child->record = plan_node(planner, child, weir_text_from(child->label, 1), is_basin);
        }
        if (child->record == NULL) {
            return false;
        }
        record->keys[i] = (unsigned char)child->label.bytes[0];
        record->children[i] = child->record;
        record->rules += child->record->rules;
        height = child->record->height + 1 > height ? child->record->height + 1 : height;
    }
    record->child_count = count;
    record->height = height + (uint32_t)record->label.length;
    return true;
}

/* The record of the root of a trie, which is the first node that has a choice or a grant. */
static struct weir_record *plan_root(struct planner *planner, struct weir_trie_node *root,
                                     bool is_basin)
{
    struct weir_trie_node *node = root;

    if (root->prefix.operations == 0 && root->exact.operations == 0 && root->child_count == 1) {
        node = root->children[0];
    }
    if (root->record == NULL) {
        root->record = plan_node(planner, node, node->label, is_basin);
    }
    return root->record;
}

static bool plan_grant(struct planner *planner, const struct weir_trie_grant *grant,
                       struct record_grant *planned)
{
    planned->operations = grant->operations;
    if (grant->streams != NULL) {
        planned->streams = plan_root(planner, grant->streams, false);
    }
    return grant->streams == NULL || planned->streams != NULL;
}

static struct weir_record *plan_node(struct planner *planner, struct weir_trie_node *node,
                                     struct weir_text label, bool is_basin)
{
    struct weir_record *record = weir_arena_allocate(planner->arena, sizeof *record);

    if (record == NULL) {
        return NULL;
    }
    record->label = label;
    record->rules = (node->prefix.operations != 0) + (uint32_t)(node->exact.operations != 0);
    if (!plan_children(planner, node, is_basin, record) ||
        !plan_grant(planner, &node->prefix, &record->prefix) ||
        !plan_grant(planner, &node->exact, &record->exact)) {
        return NULL;
    }
    if (!is_basin) {
        return settle_name_record(planner, record);
    }
    record->next = planner->emission->basins;
    planner->emission->basins = record;
    return record;
}

/*
 * ---- Layout ----
 */

static size_t record_size(const struct weir_record *record, size_t fixed_size)
{
    size_t size = fixed_size + record->label.length;

    if (record->child_count > WEIR_FEW_KEYS) {
        size = weir_round_up_4(size) + sizeof(struct weir_wide_keys);
    } else {
        size = weir_round_up_4(size + record->child_count);
    }
    return size + record->child_count * sizeof(uint32_t);
}

/* Gives the records their places, one after the other; returns where the last one ends. */
static size_t place_records(struct weir_record *records, size_t fixed_size, size_t start)
{
    for (; records != NULL; records = records->next) {
        records->offset = (uint32_t)start;
        start += record_size(records, fixed_size);
    }
    return start;
}

bool weir_emit_plan(struct weir_arena *arena, const struct weir_merged *merged,
                    struct weir_emission *emission)
{
    struct planner planner = {.arena = arena, .emission = emission};

    *emission = (struct weir_emission){0};
    if (merged->basins != NULL && plan_root(&planner, merged->basins, true) == NULL) {
        return false;
    }
    if (merged->access_tokens != NULL) {
        emission->access_tokens = plan_root(&planner, merged->access_tokens, false);
        if (emission->access_tokens == NULL) {
            return false;
        }
    }
    emission->names_start =
        place_records(emission->basins, sizeof(struct weir_basin_node), sizeof(struct weir_tries));
    emission->size =
        place_records(emission->names, sizeof(struct weir_name_node), emission->names_start);
    return true;
}

/*
 * ---- Writing ----
 */

static void write_wide_keys(const struct weir_record *record, char *bytes)
{
    struct weir_wide_keys wide = {0};

    for (unsigned i = 0; i < record->child_count; i++) {
        wide.bitmap[record->keys[i] / 64] |= UINT64_C(1) << record->keys[i] % 64;
        for (unsigned word = record->keys[i] / 64 + 1u; word < 4; word++) {
            wide.before[word]++;
        }
    }
    memcpy(bytes, &wide, sizeof wide);
}

/* Writes what follows the fixed part of a node. */
static void write_edges(const struct weir_record *record, char *bytes)
{
    size_t label_length = record->label.length;

    if (label_length > 0) {
        memcpy(bytes, record->label.bytes, label_length);
    }
    if (record->child_count > WEIR_FEW_KEYS) {
        bytes += weir_round_up_4(label_length);
        write_wide_keys(record, bytes);
        bytes += sizeof(struct weir_wide_keys);
    } else if (record->child_count > 0) {
        memcpy(bytes + label_length, record->keys, record->child_count);
        bytes += weir_round_up_4(label_length + record->child_count);
    }
    for (unsigned i = 0; i < record->child_count; i++) {
        memcpy(bytes + i * sizeof(uint32_t), &record->children[i]->offset, sizeof(uint32_t));
    }
}

static struct weir_node node_of(const struct weir_record *record)
{
    return (struct weir_node){
        .shape = WEIR_SHAPE(record->label.length, record->child_count, record->height),
        .rules = record->rules,
    };
}

static struct weir_grant grant_of(const struct record_grant *grant)
{
    return (struct weir_grant){grant->operations,
                               grant->streams != NULL ? grant->streams->offset : 0};
}

void weir_emit_write(const struct weir_emission *emission, char *bytes)
{
    const struct weir_tries tries = {
        .size = (uint32_t)emission->size,
        .names = (uint32_t)emission->names_start,
        .access_tokens = emission->access_tokens != NULL ? emission->access_tokens->offset : 0,
    };

    memcpy(bytes, &tries, sizeof tries);
    for (const struct weir_record *record = emission->basins; record; record = record->next) {
        const struct weir_basin_node node = {node_of(record), grant_of(&record->prefix),
                                             grant_of(&record->exact)};

        memcpy(bytes + record->offset, &node, sizeof node);
        write_edges(record, bytes + record->offset + sizeof node);
    }
    for (const struct weir_record *record = emission->names; record; record = record->next) {
        const struct weir_name_node node = {node_of(record), record->prefix.operations,
                                            record->exact.operations};

        memcpy(bytes + record->offset, &node, sizeof node);
        write_edges(record, bytes + record->offset + sizeof node);
    }
}
