#include "live/find.h"

#include <weir/engine.h>

#include "image/block.h"

const struct weir_block *weir_live_find_spilled(const struct weir_engine *engine,
                                                const struct weir_base *base, struct weir_text id,
                                                uint64_t hash, struct weir_overflow **entry)
{
    const struct weir_live_index *index = &base->id;
    uint64_t low = 0;
    uint64_t high = index->overflow_count;

    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        struct weir_overflow *at = &index->overflow[middle];
        uint64_t word = __atomic_load_n(weir_overflow_word(at), __ATOMIC_ACQUIRE); /* B */
        const struct weir_block *block = weir_live_block(engine, base, (uint32_t)word);
        int order = hash < at->hash   ? -1
                    : hash > at->hash ? 1
                                      : weir_text_compare(id, weir_block_id(block));

        if (order == 0) {
            *entry = at;
            return (word & WEIR_OVERFLOW_REVOKED) == 0 ? block : NULL;
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return NULL;
}

/* What is there now of the token that was found by a digest: it, or one that has taken its place,
 * if it has the digest still; else NULL. */
static const struct weir_block *confirm(const struct weir_engine *engine,
                                        const struct weir_edition *edition,
                                        const struct weir_block *hint, const uint8_t *digest)
{
    const struct weir_block *block = NULL;
    struct weir_text key = weir_digest_text(digest);

    if (hint == NULL) {
        return NULL;
    }
    block = weir_live_find(engine, edition, weir_block_id(hint));
    return block != NULL && weir_block_has_key(block, key, WEIR_KEY_DIGEST) ? block : NULL;
}

const struct weir_block *weir_live_find_by_digest(const struct weir_engine *engine,
                                                  const struct weir_edition *edition,
                                                  const uint8_t *digest)
{
    const struct weir_base *base = &edition->base;
    struct weir_text key = weir_digest_text(digest);
    const struct weir_block *hint = weir_index_find(
        &base->digest, base->blocks, key, weir_hash(key, base->hash_key), WEIR_KEY_DIGEST);
    const struct weir_block *block = confirm(engine, edition, hint, digest);

    if (block == NULL && edition->own != NULL) {
        const struct weir_own *own = edition->own;
        uint32_t *slot = NULL;
        bool further = false;

        hint = weir_live_find_near(engine, base, &own->digest, key, weir_own_hash(own, key),
                                   WEIR_KEY_DIGEST, &slot, &further);
        block = confirm(engine, edition, hint, digest);
    }
    return block;
}

const struct weir_compiled_token *weir_engine_find(const struct weir_engine *engine,
                                                   struct weir_text token_id)
{
    return weir_block_token(weir_live_find(engine, weir_engine_edition(engine), token_id));
}

const struct weir_compiled_token *weir_engine_find_by_digest(const struct weir_engine *engine,
                                                             const uint8_t digest[WEIR_DIGEST_SIZE])
{
    return weir_block_token(weir_live_find_by_digest(engine, weir_engine_edition(engine), digest));
}
