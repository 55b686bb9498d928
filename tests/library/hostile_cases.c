/*
 * hostile_cases.c - images that somebody made wrong, field by field, with the checksum put right.
 *
 * Every case is one thing that the format says of a valid image, broken: opening must refuse it as
 * damaged. Offsets are written out from the format, not taken from the library. The images lie
 * before a page that cannot be touched.
 */
#include "library/image_cases.h"

#include <stdlib.h>
#include <string.h>

#include <weir/operation.h>

#include "library/bytes.h"
#include "library/samples.h"
#include "library/support.h"

/* Fields of a block, and its bits. */
enum {
    EXPIRES = 8,
    OPERATIONS = 16,
    STREAM_LENGTH = 20,
    ID_LENGTH = 22,
    BASIN_LENGTH = 23,
    ACCESS_TOKEN_LENGTH = 24,
    KINDS = 25,
    EXPIRES_LOW = 26,
    FLAGS = 27,
    NAMES = 28
};
enum { AUTO_PREFIX = 1, DIGEST = 2, TRIES = 4 };
enum { DIGEST_SIZE = 32 };

/* Kinds of sets: of basins, streams and access tokens. */
#define KINDS_OF(basins, streams, access_tokens) ((basins) | (streams) << 2 | (access_tokens) << 4)

/* Fields of the header of tries, of a node, and what follows the node. */
enum {
    TRIES_SIZE = 0,
    TRIES_NAMES = 4,
    TRIES_ACCESS_TOKENS = 8,
    TRIES_ZERO = 12,
    TRIES_HEADER = 16
};
enum { SHAPE = 0, RULES = 4, GRANTS = 8, NAME_NODE = 16, BASIN_NODE = 24 };
enum { FEW_KEYS = 16, WIDE_KEYS = 36, WIDE_BEFORE = 32 };

/* The samples' image, being bent, and whole. */
struct bent {
    struct guarded memory;
    struct bytes whole;
};

static void bent_make(struct bent *bent)
{
    bent->whole = bytes_of_samples();
    bent->memory = guarded_copy(bent->whole.bytes, bent->whole.size, true);
}

static void bent_remove(struct bent *bent)
{
    guarded_free(&bent->memory);
    free(bent->whole.bytes);
}

/* Where the token's block is. */
static size_t block_of(const struct bent *bent, const char *id)
{
    struct weir_image *image = NULL;
    const struct weir_compiled_token *token = NULL;
    size_t place = 0;

    ck_assert_int_eq(weir_image_open_memory(bent->whole.bytes, bent->whole.size, WEIR_IMAGE_SHARED,
                                            NULL, &image, NULL),
                     WEIR_OK);
    token = weir_image_find(image, text_of(id));
    ck_assert_ptr_nonnull(token);
    place = (size_t)((const unsigned char *)token - bent->whole.bytes);
    weir_image_close(image);
    return place;
}

static uint64_t get(const struct bent *bent, size_t at, size_t size)
{
    return number_at(bent->memory.bytes + at, size);
}

static void put(const struct bent *bent, size_t at, size_t size, uint64_t number)
{
    put_number(bent->memory.bytes + at, size, number);
}

/* Demands that what has been put is refused, and makes the image whole again. */
static void expect_damaged(const struct bent *bent, const char *what, size_t at)
{
    enum weir_status status = WEIR_OK;

    mend_checksum(bent->memory.bytes, bent->memory.size);
    status = status_of_opening(bent->memory.bytes, bent->memory.size);
    if (status != WEIR_ERROR_DAMAGED) {
        ck_abort_msg("%s, at byte %zu: %s", what, at, weir_status_name(status));
    }
    memcpy(bent->memory.bytes, bent->whole.bytes, bent->whole.size);
}

static void expect_number_damaged(const struct bent *bent, const char *what, size_t at, size_t size,
                                  uint64_t number)
{
    put(bent, at, size, number);
    expect_damaged(bent, what, at);
}

START_TEST(a_header_that_says_anything_else_is_refused)
{
    static const struct {
        const char *what;
        size_t at;
        size_t size;
        uint64_t number;
    } rows[] = {
        {"a unit too small", AT_BLOCK_SHIFT, 4, 1},
        {"a unit too large", AT_BLOCK_SHIFT, 4, 7},
        {"a unit beyond all shifts", AT_BLOCK_SHIFT, 4, 64},
        {"a file shorter than it is", AT_FILE_SIZE, 8, 4096},
        {"a file of nothing", AT_FILE_SIZE, 8, 0},
        {"one token too few", AT_TOKEN_COUNT, 8, SAMPLE_COUNT - 1},
        {"one token too many", AT_TOKEN_COUNT, 8, SAMPLE_COUNT + 1},
        {"more tokens than there can be", AT_TOKEN_COUNT, 8, UINT64_MAX},
        {"one digest too few", AT_TOKEN_COUNT + 8, 8, 1},
        {"more digests than tokens", AT_TOKEN_COUNT + 8, 8, SAMPLE_COUNT + 1},
        {"another hash key", AT_HASH_KEY, 8, 0},
        {"no home for ids", AT_ID_BUCKET_COUNT, 8, 0},
        {"homes beyond the file", AT_ID_BUCKET_COUNT, 8, UINT64_C(1) << 39},
        {"homes that overflow", AT_ID_BUCKET_COUNT, 8, UINT64_C(1) << 58},
        {"an overflow that is not there", AT_ID_OVERFLOW_COUNT, 8, 1},
        {"an overflow beyond the file", AT_ID_OVERFLOW_COUNT, 8, UINT64_C(1) << 60},
        {"no home for digests", AT_DIGEST_BUCKET_COUNT, 8, 0},
        {"homes for digests beyond the file", AT_DIGEST_BUCKET_COUNT, 8, UINT64_MAX},
        {"an overflow of digests beyond the file", AT_DIGEST_OVERFLOW_COUNT, 8, UINT64_MAX},
        {"no blocks", AT_BLOCKS_SIZE, 8, 0},
        {"no room for the margins", AT_BLOCKS_SIZE, 8, 64},
        {"blocks beyond the file", AT_BLOCKS_SIZE, 8, UINT64_MAX},
    };
    struct bent bent;

    bent_make(&bent);
    for (size_t i = 0; i < COUNT(rows); i++) {
        expect_number_damaged(&bent, rows[i].what, rows[i].at, rows[i].size, rows[i].number);
    }
    bent_remove(&bent);
}
END_TEST

START_TEST(a_block_that_says_what_no_token_can_is_refused)
{
    static const struct {
        const char *what;
        const char *id;
        size_t at;
        size_t size;
        uint64_t number;
    } rows[] = {
        {"no operation", "plain", OPERATIONS, 4, 0},
        {"operation 0", "plain", OPERATIONS, 4, 3},
        {"operation 25", "plain", OPERATIONS, 4, 1u << 25},
        {"operation 31", "plain", OPERATIONS, 4, 1u << 31},
        {"a kind of basins that does not exist", "plain", KINDS, 1, KINDS_OF(3, 2, 0)},
        {"a kind of streams that does not exist", "plain", KINDS, 1, KINDS_OF(2, 3, 0)},
        {"a kind of access tokens that does not exist", "plain", KINDS, 1, KINDS_OF(2, 2, 3)},
        {"a fourth kind", "plain", KINDS, 1, KINDS_OF(2, 2, 0) | 1 << 6},
        {"nothing with a name", "plain", KINDS, 1, KINDS_OF(2, 0, 0)},
        {"an exact basin without a name", "plain", KINDS, 1, KINDS_OF(1, 2, 0)},
        {"an exact access token without a name", "plain", KINDS, 1, KINDS_OF(2, 2, 1)},
        {"a flag that does not exist", "plain", FLAGS, 1, 8},
        {"another flag that does not exist", "plain", FLAGS, 1, 0x80},
        {"tries that are not there", "plain", FLAGS, 1, TRIES},
        {"a digest that is not there", "plain", FLAGS, 1, DIGEST},
        {"auto-prefix of an exact stream", "exact", FLAGS, 1, AUTO_PREFIX},
        {"auto-prefix of no stream", "nothing", FLAGS, 1, AUTO_PREFIX},
        {"auto-prefix of tries", "broker", FLAGS, 1, AUTO_PREFIX | TRIES},
        {"kinds beside tries", "broker", KINDS, 1, KINDS_OF(2, 0, 0)},
        {"no tries where there are some", "broker", FLAGS, 1, 0},
        {"a digest less than there is", "secret", FLAGS, 1, 0},
        {"an expiry after 9999", "auto", EXPIRES, 8, UINT64_C(315537897600) << 25},
        {"an expiry of nearly never", "auto", EXPIRES, 8, UINT64_MAX - 1},
        {"an expiry with a second's worth of nanoseconds", "auto", EXPIRES, 8, 31250000},
        {"nanoseconds beyond their bits", "auto", EXPIRES_LOW, 1, 32},
        {"never, and some nanoseconds", "plain", EXPIRES_LOW, 1, 1},
        {"an id of nothing", "plain", ID_LENGTH, 1, 0},
        {"an id that is too long", "plain", ID_LENGTH, 1, 97},
        {"an id with a NUL", "plain", NAMES, 1, 0},
        {"an id that is not UTF-8", "plain", NAMES, 1, 0xff},
        {"another id", "plain", NAMES, 1, 'P'},
        {"a basin with a capital letter", "exact", NAMES + 5, 1, 'B'},
        {"a basin that is too short", "exact", BASIN_LENGTH, 1, 7},
        {"a basin that is too long", "exact", BASIN_LENGTH, 1, 49},
        {"a stream with a NUL", "plain", NAMES + 5, 1, 0},
        {"a stream that is not UTF-8", "plain", NAMES + 5 + 10, 1, 0xc3},
        {"a stream that is too long", "plain", STREAM_LENGTH, 2, 513},
        {"a stream as long as can be said", "plain", STREAM_LENGTH, 2, 0xffff},
        {"an access token that is too long", "secret", ACCESS_TOKEN_LENGTH, 1, 97},
        {"an access token that is not UTF-8", "secret", NAMES + 6, 1, 0x80},
        {"another digest", "secret", NAMES + 6 + 7, 1, 0},
    };
    struct bent bent;

    bent_make(&bent);
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t block = block_of(&bent, rows[i].id);

        expect_number_damaged(&bent, rows[i].what, block + rows[i].at, rows[i].size,
                              rows[i].number);
    }
    bent_remove(&bent);
}
END_TEST

/*
 * ---- Tries ----
 */

static size_t rounded(size_t size)
{
    return (size + 3) / 4 * 4;
}

static size_t tries_of(const struct bent *bent, const char *id)
{
    size_t block = block_of(bent, id);
    size_t names =
        (size_t)(get(bent, block + STREAM_LENGTH, 2) + get(bent, block + ID_LENGTH, 1) +
                 get(bent, block + BASIN_LENGTH, 1) + get(bent, block + ACCESS_TOKEN_LENGTH, 1));
    size_t digest = (get(bent, block + FLAGS, 1) & DIGEST) != 0 ? DIGEST_SIZE : 0;

    ck_assert((get(bent, block + FLAGS, 1) & TRIES) != 0);
    return block + rounded(NAMES + names + digest);
}

/* A node, taken apart. Places are in the image; `keys` is the bitmap where there are many. */
struct node {
    size_t place;
    size_t offset; /* in the tries */
    size_t fixed_size;
    size_t label_length;
    size_t key_count;
    size_t keys;
    size_t children;
    size_t end;
};

static struct node node_at(const struct bent *bent, size_t tries, size_t offset, size_t fixed_size)
{
    uint64_t shape = get(bent, tries + offset + SHAPE, 4);
    struct node node = {.place = tries + offset,
                        .offset = offset,
                        .fixed_size = fixed_size,
                        .label_length = shape & 0x3ff,
                        .key_count = shape >> 10 & 0x1ff};
    size_t label = node.place + fixed_size;

    if (node.key_count <= FEW_KEYS) {
        node.keys = label + node.label_length;
        node.children = label + rounded(node.label_length + node.key_count);
    } else {
        node.keys = label + rounded(node.label_length);
        node.children = node.keys + WIDE_KEYS;
    }
    node.end = node.children + 4 * node.key_count;
    return node;
}

typedef void node_bender(const struct bent *bent, size_t tries, const struct node *node);

/* Calls for every node of the token's tries, and returns how many there are. */
static size_t bend_each_node(const struct bent *bent, const char *id, node_bender *bend)
{
    size_t tries = tries_of(bent, id);
    size_t size = get(bent, tries + TRIES_SIZE, 4);
    size_t names = get(bent, tries + TRIES_NAMES, 4);
    size_t count = 0;

    for (size_t offset = TRIES_HEADER; offset < size; count++) {
        struct node node = node_at(bent, tries, offset, offset < names ? BASIN_NODE : NAME_NODE);

        bend(bent, tries, &node);
        offset = node.end - tries;
    }
    return count;
}

static void bend_shape_and_rules(const struct bent *bent, size_t tries, const struct node *node)
{
    const uint64_t height = UINT64_C(1) << 19;
    uint64_t shape = get(bent, node->place + SHAPE, 4);
    uint64_t rules = get(bent, node->place + RULES, 4);

    (void)tries;
    expect_number_damaged(bent, "too high", node->place, 4, shape + height);
    if ((shape >> 19 & 0x3ff) > 0) {
        expect_number_damaged(bent, "not high enough", node->place, 4, shape - height);
    }
    expect_number_damaged(bent, "no height", node->place, 4, shape | UINT64_C(0x1ff80000));
    expect_number_damaged(bent, "bits that are no number's", node->place, 4,
                          shape | UINT64_C(1) << 29);
    expect_number_damaged(bent, "more bits that are no number's", node->place, 4,
                          shape | UINT64_C(1) << 31);
    expect_number_damaged(bent, "a label longer than names", node->place, 4, shape | 0x3ff);
    expect_number_damaged(bent, "more keys than bytes", node->place, 4, shape | 0x1ff << 10);
    expect_number_damaged(bent, "one rule too many", node->place + RULES, 4, rules + 1);
    expect_number_damaged(bent, "one rule too few", node->place + RULES, 4, rules - 1);
    expect_number_damaged(bent, "rules without number", node->place + RULES, 4, UINT32_MAX);
}

static void bend_grants(const struct bent *bent, size_t tries, const struct node *node)
{
    bool of_basins = node->fixed_size == BASIN_NODE;
    size_t exact = node->place + GRANTS + (of_basins ? 8 : 4);

    (void)tries;
    for (size_t at = node->place + GRANTS; at < node->place + node->fixed_size; at += 4) {
        bool streams = of_basins && (at - node->place - GRANTS) % 8 == 4;

        if (streams) {
            expect_number_damaged(bent, "streams beyond all", at, 4, UINT64_C(0x7ffffffc));
            expect_number_damaged(bent, "streams at an odd place", at, 4, get(bent, at, 4) | 1);
            expect_number_damaged(bent, "streams among basins", at, 4, TRIES_HEADER);
        } else {
            expect_number_damaged(bent, "operation 0", at, 4, get(bent, at, 4) | 1);
            expect_number_damaged(bent, "operation 25", at, 4, get(bent, at, 4) | 1 << 25);
            expect_number_damaged(bent, "an operation without a target", at, 4,
                                  get(bent, at, 4) | 1 << WEIR_ACCOUNT_METRICS);
        }
    }
    if (of_basins && get(bent, node->place + GRANTS, 4) != 0) {
        uint64_t all = get(bent, node->place + GRANTS, 4);

        expect_number_damaged(bent, "less for one than for all", exact, 4, all & (all - 1));
    }
}

static void bend_children(const struct bent *bent, size_t tries, const struct node *node)
{
    size_t size = get(bent, tries + TRIES_SIZE, 4);
    size_t names = get(bent, tries + TRIES_NAMES, 4);

    for (size_t child = node->children; child < node->end; child += 4) {
        uint64_t offset = get(bent, child, 4);

        expect_number_damaged(bent, "no child", child, 4, 0);
        expect_number_damaged(bent, "a child that is its parent", child, 4, node->offset);
        expect_number_damaged(bent, "a child that is the root", child, 4, TRIES_HEADER);
        expect_number_damaged(bent, "a child at an odd place", child, 4, offset + 2);
        expect_number_damaged(bent, "a child in the midst of a node", child, 4, offset + 4);
        expect_number_damaged(bent, "a child at the end", child, 4, size);
        expect_number_damaged(bent, "a child just before the end", child, 4, size - 4);
        expect_number_damaged(bent, "a child beyond all", child, 4, UINT64_C(0xfffffffc));
        if (node->fixed_size == BASIN_NODE) {
            expect_number_damaged(bent, "a basin that is a stream", child, 4, names);
        }
        if (node->fixed_size == BASIN_NODE && child > node->children) {
            expect_number_damaged(bent, "two parents of a basin", child, 4,
                                  get(bent, child - 4, 4));
        }
    }
}

static void bend_keys(const struct bent *bent, size_t tries, const struct node *node)
{
    (void)tries;
    if (node->key_count > FEW_KEYS) {
        for (size_t word = 0; word < 4; word++) {
            size_t before = node->keys + WIDE_BEFORE + word;

            expect_number_damaged(bent, "a wrong number of keys before", before, 1,
                                  get(bent, before, 1) + 1);
            expect_number_damaged(bent, "more keys than children", node->keys + 8 * word, 8,
                                  UINT64_MAX);
            put(bent, node->keys + 8 * word, 8, 0);
            if (memcmp(bent->memory.bytes, bent->whole.bytes, bent->whole.size) != 0) {
                expect_damaged(bent, "fewer keys than children", node->keys);
            }
        }
        return;
    }
    for (size_t rank = 1; rank < node->key_count; rank++) {
        size_t key = node->keys + rank;
        uint64_t before = get(bent, key - 1, 1);

        expect_number_damaged(bent, "a key twice", key, 1, before);
        put(bent, key - 1, 1, get(bent, key, 1));
        put(bent, key, 1, before);
        expect_damaged(bent, "keys out of order", key);
    }
}

START_TEST(tries_whose_nodes_are_not_as_they_say_are_refused)
{
    static node_bender *const benders[] = {bend_shape_and_rules, bend_grants, bend_children,
                                           bend_keys};
    struct bent bent;

    bent_make(&bent);
    for (size_t i = 0; i < COUNT(benders); i++) {
        ck_assert_uint_gt(bend_each_node(&bent, "broker", benders[i]), 15);
        ck_assert_uint_gt(bend_each_node(&bent, "two", benders[i]), 3);
    }
    bent_remove(&bent);
}
END_TEST

START_TEST(tries_whose_header_is_not_as_it_says_are_refused)
{
    struct bent bent;
    size_t tries = 0;
    uint64_t size = 0;
    uint64_t names = 0;
    uint64_t root = 0;

    bent_make(&bent);
    tries = tries_of(&bent, "broker");
    size = get(&bent, tries + TRIES_SIZE, 4);
    names = get(&bent, tries + TRIES_NAMES, 4);
    root = get(&bent, tries + TRIES_ACCESS_TOKENS, 4);
    for (unsigned bit = 0; bit < 32; bit++) {
        uint64_t flipped = UINT64_C(1) << bit;

        expect_number_damaged(&bent, "another size", tries + TRIES_SIZE, 4, size ^ flipped);
        expect_number_damaged(&bent, "names elsewhere", tries + TRIES_NAMES, 4, names ^ flipped);
        expect_number_damaged(&bent, "access tokens elsewhere", tries + TRIES_ACCESS_TOKENS, 4,
                              root ^ flipped);
        expect_number_damaged(&bent, "what is zero", tries + TRIES_ZERO, 4, flipped);
    }
    expect_number_damaged(&bent, "access tokens among basins", tries + TRIES_ACCESS_TOKENS, 4,
                          TRIES_HEADER);
    expect_number_damaged(&bent, "an orphan", tries + TRIES_ACCESS_TOKENS, 4, 0);
    bent_remove(&bent);
}
END_TEST

/* Two lies that bear each other out: tries that say they go on, and a child out there. */
START_TEST(tries_that_reach_beyond_the_image_are_refused)
{
    static const uint64_t sizes[] = {0x00100000, 0x10000000, 0x7ffffffc, 0xfffffffc};
    struct bent bent;
    size_t tries = 0;
    uint64_t size = 0;
    struct node node;

    bent_make(&bent);
    tries = tries_of(&bent, "broker");
    size = get(&bent, tries + TRIES_SIZE, 4);
    node = node_at(&bent, tries, get(&bent, tries + TRIES_ACCESS_TOKENS, 4), NAME_NODE);
    ck_assert_uint_gt(node.key_count, 0);
    for (size_t i = 0; i < COUNT(sizes); i++) {
        for (uint64_t child = sizes[i] - 16; child > size; child /= 2) {
            put(&bent, tries + TRIES_SIZE, 4, sizes[i]);
            put(&bent, node.children, 4, child / 4 * 4);
            expect_damaged(&bent, "a child beyond the image", node.children);
        }
        put(&bent, tries + TRIES_SIZE, 4, sizes[i]);
        put(&bent, tries + TRIES_ACCESS_TOKENS, 4, sizes[i] - 16);
        expect_damaged(&bent, "a root beyond the image", tries);
        put(&bent, tries + TRIES_SIZE, 4, sizes[i]);
        put(&bent, tries + TRIES_NAMES, 4, sizes[i]);
        expect_damaged(&bent, "basins beyond the image", tries);
    }
    bent_remove(&bent);
}
END_TEST

/* A token of two scopes whose streams begin with `first`, or with "t", everywhere. */
static struct weir_image *compile_two(struct weir_text first)
{
    struct weir_scope scopes[2] = {
        {.basins = {WEIR_SET_PREFIX, {NULL, 0}},
         .streams = {WEIR_SET_PREFIX, first},
         .ops = WEIR_OPERATION_BIT(WEIR_APPEND)},
        {.basins = {WEIR_SET_PREFIX, {NULL, 0}},
         .streams = {WEIR_SET_PREFIX, WEIR_TEXT("t")},
         .ops = WEIR_OPERATION_BIT(WEIR_READ)},
    };
    struct weir_token token = {.id = WEIR_TEXT("two"), .scopes = scopes, .scope_count = 2};

    return compile_tokens(&token, 1, NULL);
}

static void bent_make_two(struct bent *bent, size_t length)
{
    char bytes[WEIR_STREAM_MAX];

    memset(bytes, 's', sizeof bytes);
    bent->whole = bytes_of_image(compile_two((struct weir_text){bytes, length}));
    bent->memory = guarded_copy(bent->whole.bytes, bent->whole.size, true);
}

/* The longest name that there can be, made longer by the byte that pads its label. */
START_TEST(a_trie_higher_than_names_can_be_is_refused)
{
    const uint64_t longer = 1 + (UINT64_C(1) << 19);
    struct bent bent;
    size_t tries = 0;
    struct node root;
    struct node child;

    bent_make_two(&bent, WEIR_STREAM_MAX);
    tries = tries_of(&bent, "two");
    root = node_at(&bent, tries, get(&bent, tries + TRIES_NAMES, 4), NAME_NODE);
    ck_assert_uint_eq(root.key_count, 2);
    child = node_at(&bent, tries, get(&bent, root.children, 4), NAME_NODE);
    ck_assert_uint_eq(child.label_length, WEIR_STREAM_MAX - 1);
    put(&bent, child.place, 4, get(&bent, child.place, 4) + longer);
    put(&bent, root.place, 4, get(&bent, root.place, 4) + longer - 1);
    put(&bent, child.place + NAME_NODE + WEIR_STREAM_MAX - 1, 1, 's');
    expect_damaged(&bent, "a name of 513 bytes", child.place);
    bent_remove(&bent);
}
END_TEST

START_TEST(a_trie_of_access_tokens_higher_than_ids_can_be_is_refused)
{
    struct bent bent;
    size_t tries = 0;

    bent_make_two(&bent, WEIR_TOKEN_ID_MAX + 1);
    tries = tries_of(&bent, "two");
    ck_assert_uint_eq(get(&bent, tries + TRIES_ACCESS_TOKENS, 4), 0);
    expect_number_damaged(&bent, "an id of 97 bytes", tries + TRIES_ACCESS_TOKENS, 4,
                          get(&bent, tries + TRIES_NAMES, 4));
    bent_remove(&bent);
}
END_TEST

/* Nodes that neither grant nor choose make a walk long for nothing. */
START_TEST(a_node_that_grants_nothing_and_has_one_child_is_refused)
{
    struct bent bent;
    size_t root = 0;

    bent.whole = bytes_of_image(compile_two(WEIR_TEXT("tu")));
    bent.memory = guarded_copy(bent.whole.bytes, bent.whole.size, true);
    root = tries_of(&bent, "two");
    root += get(&bent, root + TRIES_NAMES, 4);
    ck_assert_uint_eq(get(&bent, root + RULES, 4), 2);
    put(&bent, root + RULES, 4, 1);
    put(&bent, root + GRANTS, 4, 0);
    expect_damaged(&bent, "a node that only leads on", root);
    bent_remove(&bent);
}
END_TEST

START_TEST(bytes_where_nothing_belongs_are_refused)
{
    struct bent bent;
    size_t blocks = 0;

    bent_make(&bent);
    blocks = bent.whole.size - get(&bent, AT_BLOCKS_SIZE, 8);
    expect_number_damaged(&bent, "after the header", 104, 1, 1);
    expect_number_damaged(&bent, "at the end of the first page", 4095, 1, 1);
    for (size_t page = 2 * (size_t)4096; page <= blocks; page += 4096) {
        expect_number_damaged(&bent, "at the end of a section", page - 1, 1, 1);
    }
    expect_number_damaged(&bent, "before the blocks", blocks, 1, 1);
    expect_number_damaged(&bent, "before the first block", blocks + 63, 1, 1);
    expect_number_damaged(&bent, "after the last block", bent.whole.size - 64, 1, 1);
    expect_number_damaged(&bent, "at the end", bent.whole.size - 1, 1, 1);
    bent_remove(&bent);
}
END_TEST

/*
 * ---- The index ----
 */

START_TEST(an_index_that_leads_astray_is_refused)
{
    enum { BUCKETS = 4096, TAGS = 0, OFFSETS = 20, SPILLED = 60, SLOTS = 10, BUCKET = 64 };
    struct bent bent;
    size_t used = 0;

    bent_make(&bent);
    for (size_t slot = 0; slot < 4 * SLOTS; slot++) {
        size_t bucket = BUCKETS + slot / SLOTS * BUCKET;
        size_t tag = bucket + TAGS + 2 * (slot % SLOTS);
        size_t offset = bucket + OFFSETS + 4 * (slot % SLOTS);

        if (get(&bent, tag, 2) == 0) {
            expect_number_damaged(&bent, "an offset without a tag", offset, 4, 16);
            expect_number_damaged(&bent, "a tag without an offset", tag, 2, 1);
            continue;
        }
        used++;
        expect_number_damaged(&bent, "another tag", tag, 2, get(&bent, tag, 2) ^ 0x8000);
        expect_number_damaged(&bent, "no tag", tag, 2, 0);
        expect_number_damaged(&bent, "no offset", offset, 4, 0);
        expect_number_damaged(&bent, "the midst of a block", offset, 4, get(&bent, offset, 4) + 1);
        expect_number_damaged(&bent, "beyond all", offset, 4, INT32_MAX);
        expect_number_damaged(&bent, "an engine's own block", offset, 4,
                              get(&bent, offset, 4) | UINT64_C(1) << 31);
    }
    ck_assert_uint_eq(used, SAMPLE_COUNT);
    bent_remove(&bent);
}
END_TEST

TCase *hostile_cases(void)
{
    TCase *cases = tcase_create("hostile");

    tcase_add_test(cases, a_header_that_says_anything_else_is_refused);
    tcase_add_test(cases, a_block_that_says_what_no_token_can_is_refused);
    tcase_add_test(cases, tries_whose_nodes_are_not_as_they_say_are_refused);
    tcase_add_test(cases, tries_whose_header_is_not_as_it_says_are_refused);
    tcase_add_test(cases, tries_that_reach_beyond_the_image_are_refused);
    tcase_add_test(cases, a_trie_higher_than_names_can_be_is_refused);
    tcase_add_test(cases, a_trie_of_access_tokens_higher_than_ids_can_be_is_refused);
    tcase_add_test(cases, a_node_that_grants_nothing_and_has_one_child_is_refused);
    tcase_add_test(cases, bytes_where_nothing_belongs_are_refused);
    tcase_add_test(cases, an_index_that_leads_astray_is_refused);
    return cases;
}
