/*
 * format.h - the image format, version 1. This header is the specification.
 *
 * An image is a set of compiled tokens and two indexes to find them by. It is immutable and holds
 * offsets only, never addresses: it may be copied, mapped or shared as it is, at any address. All
 * numbers are little-endian. The same tokens make the same bytes, in whatever order they came.
 *
 *   byte 0        +--------------------+
 *                 | header             |  struct weir_image_header, zeros up to a page
 *   page-aligned  +--------------------+
 *                 | id buckets         |  struct weir_bucket [id.bucket_count + WEIR_REACH - 1]
 *   page-aligned  +--------------------+
 *                 | id overflow        |  struct weir_overflow [id.overflow_count]
 *   page-aligned  +--------------------+
 *                 | digest buckets     |  likewise, by credential digest
 *   page-aligned  +--------------------+
 *                 | digest overflow    |
 *   page-aligned  +--------------------+
 *                 | 64 zeros           |
 *                 | block              |  struct weir_block …, each at a multiple of
 *                 | block              |  1 << block_shift bytes from the section's start,
 *                 | …                  |  in the order of (hash of id, id)
 *                 | 64 zeros           |
 *                 +--------------------+  file_size
 *
 * Each index section is made of whole pages of its own, so that a process can keep a private copy
 * of it and change that; the zeros around the blocks let a reader load a few bytes more than it
 * compares. A page is WEIR_PAGE bytes here, whatever it is on the machine.
 *
 * Valid is an image if
 *   - the sections are where the header's counts put them, one after the other, zeros between;
 *   - there are at most 2^31 - 1 tokens, and as many units of blocks;
 *   - the blocks fill their section, token_count of them, each valid (see below);
 *   - every offset in an index is that of a block, and each index has as many as there are blocks
 *     for it;
 *   - looking for a block's id, and for its digest if it has one, finds that block.
 *
 * So no reader leaves it, loops, or lists more than WEIR_RULES_MAX names at a time, and no name is
 * allowed that is not one. Beyond that, what an image means is for whoever made it: the order of
 * the blocks, how full the buckets are, zeros that round up a node or block, and whether a grant
 * says what some scope said, are kept by the compiler and not asked of a valid image. The labels of
 * tries may be any bytes: a name that is put together from them (a listing, an explanation) is what
 * the image holds, while a name that is asked about has been checked.
 */
#ifndef WEIR_IMAGE_FORMAT_H
#define WEIR_IMAGE_FORMAT_H

#include <stddef.h>
#include <stdint.h>

#include <weir/name.h>
#include <weir/operation.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "images are read as they are");

/* Structures are read in place and may lie at any address. */
#define WEIR_FORMAT __attribute__((packed))

#define WEIR_FORMAT_VERSION 1
#define WEIR_PAGE 4096
#define WEIR_BLOCKS_MARGIN 64
#define WEIR_BLOCK_SHIFT_MIN 2
#define WEIR_BLOCK_SHIFT_MAX 6

/* Not text, and broken by whatever changes the ends of lines or the eighth bit. */
#define WEIR_MAGIC "\x89WEIR\r\n\x1a"
#define WEIR_MAGIC_SIZE 8

/*
 * ---- The header ----
 */

/* One index: where its parts are follows from the counts. */
struct weir_index_header {
    uint64_t bucket_count; /* homes: at least 1; WEIR_REACH - 1 more buckets follow them */
    uint64_t overflow_count;
} WEIR_FORMAT;

/*
 *        0        2        4        6        8
 *     0  | 89 W E I R \r \n 1a               |
 *     8  | checksum                          |
 *    16  | version         | block_shift     |
 *    24  | file_size                         |
 *    32  | token_count                       |
 *    40  | digest_count                      |
 *    48  | sequence                          |
 *    56  | hash_key                          |
 *    64  | id.bucket_count                   |
 *    72  | id.overflow_count                 |
 *    80  | digest.bucket_count               |
 *    88  | digest.overflow_count             |
 *    96  | blocks_size                       |
 */
struct weir_image_header {
    char magic[WEIR_MAGIC_SIZE];
    uint64_t checksum; /* XXH3-64 of the file with these eight bytes zero */
    uint32_t version;
    uint32_t block_shift; /* 2 to 6 */
    uint64_t file_size;
    uint64_t token_count;
    uint64_t digest_count; /* tokens with a credential digest */
    uint64_t sequence;     /* of the last change that the image contains; 0 without a log */
    uint64_t hash_key;     /* the seed of XXH3-64 for ids and digests */
    struct weir_index_header id;
    struct weir_index_header digest;
    uint64_t blocks_size; /* of the section of blocks, margins included */
} WEIR_FORMAT;

_Static_assert(WEIR_BLOCKS_MARGIN % (1 << WEIR_BLOCK_SHIFT_MAX) == 0,
               "the first block has an offset");
_Static_assert(offsetof(struct weir_image_header, checksum) == 8, "the checksum is bytes 8 to 15");
_Static_assert(offsetof(struct weir_image_header, id) == 64, "as drawn");
_Static_assert(sizeof(struct weir_image_header) == 104, "as drawn");

/*
 * ---- The indexes ----
 *
 * The hash of a key is XXH3-64 with the seed hash_key. Its high bits choose the key's home,
 * (hash * bucket_count) >> 64, its low 16 bits are the tag (1 instead of 0). The key's slot is in
 * its home or one of the WEIR_REACH - 1 buckets after it, in the first that had room; what found
 * none is in the overflow. A reader stops at a bucket whose `spilled` is 0: nothing that came by
 * there lies further on. So no set of keys makes it look at more than WEIR_REACH buckets, as many
 * blocks as those have slots (if all their tags are the key's), and a binary search.
 *
 *    0        8        16       24       32       40       48       56       64
 *    | tag ×10             | offset ×10                                |spilled|
 */
#define WEIR_SLOTS 10
#define WEIR_REACH 4

/*
 * An offset counts units of 1 << block_shift bytes from the start of the section of blocks; 0 is no
 * block. The highest bit is never set in an image: it tells an engine that the block is its own. A
 * slot is switched from one block to another by a single store of its offset.
 */
#define WEIR_OFFSET_OWN UINT32_C(0x80000000)

struct weir_bucket {
    uint16_t tag[WEIR_SLOTS];    /* 0: the slot is free */
    uint32_t offset[WEIR_SLOTS]; /* 0 where the tag is */
    uint32_t spilled;            /* number of keys that found no room here and lie further on */
} WEIR_FORMAT;

_Static_assert(sizeof(struct weir_bucket) == 64, "a bucket is a cache line");
_Static_assert(offsetof(struct weir_bucket, offset) == 20, "as drawn");

/* Sorted by hash, then by key. */
struct weir_overflow {
    uint64_t hash;
    uint32_t offset;
    uint32_t zero;
} WEIR_FORMAT;

_Static_assert(sizeof(struct weir_overflow) == 16, "four to a cache line");

/*
 * ---- A block: one compiled token ----
 *
 * The same bytes alone as in an image, wherever they lie.
 *
 *        0        2        4        6        8
 *     0  | issue_number                      |
 *     8  | expires                           |
 *    16  | operations      | stream_l| id| ba|
 *    24  |at |kin|low|flg | id …
 *    28  | id | basin name | stream name | token id or prefix | digest | 0-3 zeros | tries |
 *
 * A token with one scope has its three sets inline: kinds say what each is, the names follow the
 * id. A token with more has no names, and tries (WEIR_FLAG_TRIES) at the next multiple of 4.
 *
 * Valid is a block if its names are allowed ones, its kinds, flags and operations exist, a set that
 * is nothing has no name, an exact one has; auto-prefix stands with an inline prefix of streams
 * only; expires is never (and expires_low 0 then) or within the years 1 to 9999; the tries, if any,
 * are valid. Its `operations` are all that any of its scopes permits: one that is not among them is
 * never allowed, whatever the tries grant.
 */
struct weir_block {
    uint64_t issue_number;
    uint64_t expires;    /* (seconds since 0001-01-01T00:00:00Z) << 25 | nanoseconds >> 5 */
    uint32_t operations; /* what any scope permits: bit n for operation n */
    uint16_t stream_length;
    uint8_t id_length;
    uint8_t basin_length;
    uint8_t access_token_length;
    uint8_t kinds;       /* enum weir_set_kind of basins, << 2 of streams, << 4 of access tokens */
    uint8_t expires_low; /* nanoseconds & 31 */
    uint8_t flags;
} WEIR_FORMAT;

_Static_assert(sizeof(struct weir_block) == 28, "as drawn");
_Static_assert(offsetof(struct weir_block, stream_length) == 20, "as drawn");
_Static_assert(WEIR_OPERATION_COUNT < 32, "a set of operations fits in 32 bits");

#define WEIR_EXPIRES_NEVER UINT64_MAX
#define WEIR_EXPIRES_SECONDS_SHIFT 25
#define WEIR_EXPIRES_LOW_BITS 5

#define WEIR_KIND_BASINS 0
#define WEIR_KIND_STREAMS 2
#define WEIR_KIND_ACCESS_TOKENS 4
#define WEIR_KINDS_VALID 0x3fu

#define WEIR_FLAG_AUTO_PREFIX 0x01u
#define WEIR_FLAG_DIGEST 0x02u
#define WEIR_FLAG_TRIES 0x04u
#define WEIR_FLAGS_VALID 0x07u

/*
 * ---- Tries ----
 *
 * Offsets within are bytes from the start of this header, multiples of 4; 0 is no node.
 *
 *     0  | size            | names           |
 *     8  | access_tokens   | zero            |
 *    16  | basin nodes, the root first       |
 *  names | name nodes: streams, access tokens|
 *   size |
 *
 * A basin node says what is granted on the basins that reach it: operations, and the trie of
 * streams on which those with a stream may be done. What a shorter prefix grants is in every longer
 * one already, so the deepest node that matches says all. A name node says what is granted on the
 * names that begin (prefix) or end (exact) there: a reader takes together what it passes. Tries of
 * names may share nodes, within one token.
 *
 * Only operations that look at a set are in its trie: those with a basin and list-basins; those
 * with a stream and list-streams; those with an access token and list-access-tokens.
 *
 * Nodes lie one after the other, and children after their parents. Valid are tries if
 *   - nodes fill their two regions, each child's offset is that of a node of its own region that
 *     comes later, each stream offset that of a name node, and every node but the root of the
 *     basins has a parent, a basin node exactly one;
 *   - keys ascend, and each node's `rules` and `height` are what its own and its children's make;
 *   - a node that grants nothing has two children at least, one that grants no operation no
 * streams;
 *   - no trie is higher than the longest name of its kind, none of names has more rules than
 *     WEIR_RULES_MAX, and operations are those that belong there.
 */
struct weir_tries {
    uint32_t size;          /* of all, this header included */
    uint32_t names;         /* where the name nodes begin; 16 if there is no basin node */
    uint32_t access_tokens; /* root of the access tokens, or 0 */
    uint32_t zero;
} WEIR_FORMAT;

_Static_assert(sizeof(struct weir_tries) == 16, "as drawn");

/* So many names a listing can have at most: those of the scopes that a token may have. */
#define WEIR_RULES_MAX 100000

/*
 * What every node begins with. `shape` is three numbers:
 *
 *    31  29 28      19 18      10 9        0
 *    | zero | height   | key_count| label_le|
 *
 * label_length  bytes of name that a reader must match to be at this node
 * key_count     number of children, 0 to 256; the next byte of the name chooses among them
 * height        longest name that this node leads to: label, and the highest child and its key
 */
struct weir_node {
    uint32_t shape;
    uint32_t rules; /* grants, prefix and exact counted singly, of this node and below it */
} WEIR_FORMAT;

#define WEIR_SHAPE(label_length, key_count, height)                                                \
    ((uint32_t)(label_length) | (uint32_t)(key_count) << 10 | (uint32_t)(height) << 19)
#define WEIR_SHAPE_LABEL_LENGTH(shape) ((shape)&0x3ffu)
#define WEIR_SHAPE_KEY_COUNT(shape) ((shape) >> 10 & 0x1ffu)
#define WEIR_SHAPE_HEIGHT(shape) ((shape) >> 19 & 0x3ffu)
#define WEIR_SHAPE_ZERO(shape) ((shape) >> 29)

/*
 * A name node, and what follows it (a basin node is followed by the same):
 *
 *     0  | shape           | rules           |
 *     8  | prefix          | exact           |
 *    16  | label | keys, ascending | 0-3 zeros | children: an offset a key |      1 to 16 keys
 *    16  | label | 0-3 zeros | bitmap (32) | before (4) | children |              17 to 256 keys
 *    16  | label | 0-3 zeros |                                                    no keys
 *
 * Bit b of the bitmap (bit b % 64 of word b / 64) is set if there is a child for byte b; before[w]
 * is the number of children for bytes below 64 * w. A node with 1 to 16 keys has sixteen bytes
 * after its first key that belong to the tries, since a child follows.
 */
struct weir_name_node {
    struct weir_node node;
    uint32_t prefix; /* operations granted on every name that begins here */
    uint32_t exact;  /* operations granted on the name that ends here */
} WEIR_FORMAT;

struct weir_grant {
    uint32_t operations;
    uint32_t streams; /* offset of the root of the trie of streams, or 0 */
} WEIR_FORMAT;

/*
 *     0  | shape           | rules           |
 *     8  | prefix.operat.  | prefix.streams  |
 *    16  | exact.operat.   | exact.streams   |
 */
struct weir_basin_node {
    struct weir_node node;
    struct weir_grant prefix; /* on every basin that begins here */
    struct weir_grant exact;  /* on the basin that ends here: at least what prefix grants */
} WEIR_FORMAT;

_Static_assert(sizeof(struct weir_name_node) == 16, "as drawn");
_Static_assert(sizeof(struct weir_basin_node) == 24, "as drawn");

#define WEIR_FEW_KEYS 16

struct weir_wide_keys {
    uint64_t bitmap[4];
    uint8_t before[4];
} WEIR_FORMAT;

_Static_assert(sizeof(struct weir_wide_keys) == 36, "as drawn");

#endif
