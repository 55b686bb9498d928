#include "image/index.h"

/* Order of a key among those of the same hash: by its bytes. A digest is first compared as a whole,
 * so that how long it takes tells nothing of the one that was looked for. */
static int compare_key(struct weir_text key, const struct weir_block *block,
                       enum weir_key_kind kind)
{
    if (kind == WEIR_KEY_ID) {
        return weir_text_compare(key, weir_block_id(block));
    }
    if (weir_block_has_key(block, key, kind)) {
        return 0;
    }
    return (block->flags & WEIR_FLAG_DIGEST) != 0
               ? memcmp(key.bytes, weir_block_digest(block), WEIR_DIGEST_SIZE)
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
