#include "image/index.h"

/* Order of two digests, by their bytes, in a time that does not depend on where they differ. */
static int compare_digests(const uint8_t *left, const uint8_t *right)
{
    unsigned less = 0;
    unsigned greater = 0;
    unsigned same = 1; /* so far */

    for (unsigned i = 0; i < WEIR_DIGEST_SIZE; i++) {
        unsigned below = ((unsigned)left[i] - right[i]) >> 31;
        unsigned above = ((unsigned)right[i] - left[i]) >> 31;

        less |= same & below;
        greater |= same & above;
        same &= 1 ^ (below | above);
    }
    return (int)greater - (int)less;
}

/* Order of a key among those of the same hash: by its bytes. */
static int compare_key(struct weir_text key, const struct weir_block *block,
                       enum weir_key_kind kind)
{
    if (kind == WEIR_KEY_ID) {
        return weir_text_compare(key, weir_block_id(block));
    }
    return (block->flags & WEIR_FLAG_DIGEST) != 0
               ? compare_digests((const uint8_t *)key.bytes, weir_block_digest(block))
               : 1;
}

const struct weir_block *weir_index_find_spilled(const struct weir_index *index,
                                                 struct weir_blocks blocks, struct weir_text key,
                                                 uint64_t hash, enum weir_key_kind kind)
{
    uint64_t low = 0;
    uint64_t high = index->overflow_count;

    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        const struct weir_overflow *entry = &index->overflow[middle];
        const struct weir_block *block = weir_blocks_at(blocks, entry->offset);
        int order = hash < entry->hash   ? -1
                    : hash > entry->hash ? 1
                                         : compare_key(key, block, kind);

        if (order == 0) {
            return block;
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return NULL;
}
