/*
 * Many questions at once, in phases whose memory accesses overlap: as in match/batch.c, with more
 * phases for what the image lacks, which is further away - the second index, and the engine's own
 * blocks, behind their handles. The phases only guess, and ask for memory; the answers are found as
 * those of single checks.
 */
#include <weir/engine.h>

#include "live/check.h"
#include "live/section.h"

struct lookup {
    struct weir_sought sought;
    uint32_t *slot; /* of the first token that may have the id; NULL: there is none */
    bool usual;     /* found so far; otherwise the question is asked by itself */
    bool in_own;    /* to be sought in the second index */
};

static void seek_ids(const struct weir_edition *edition, const struct weir_question *questions,
                     size_t count, struct lookup *lookups)
{
    for (size_t i = 0; i < count; i++) {
        lookups[i].usual = weir_live_seek(edition, questions[i].token_id, &lookups[i].sought);
        lookups[i].in_own = false;
    }
}

/* Asks for the block in a slot, or for the entry of its handle; returns whether it is that. */
static bool prefetch_slot(const struct weir_engine *engine, const struct weir_base *base,
                          const uint32_t *slot)
{
    uint32_t offset = __atomic_load_n(slot, __ATOMIC_ACQUIRE); /* B */

    if ((offset & WEIR_OFFSET_OWN) != 0) {
        __builtin_prefetch(weir_handles_entry(&engine->handles, offset & ~WEIR_OFFSET_OWN));
        return true;
    }
    if (offset != 0) {
        weir_blocks_prefetch(base->blocks, weir_blocks_at(base->blocks, offset));
    }
    return false;
}

/* Reads the buckets of the image's index and asks for what they lead to: a block, or the bucket of
 * the second index. Returns whether any of that is the engine's own. */
static bool find_slots(const struct weir_engine *engine, const struct weir_edition *edition,
                       const struct weir_question *questions, size_t count, struct lookup *lookups)
{
    bool any = false;

    for (size_t i = 0; i < count; i++) {
        struct lookup *lookup = &lookups[i];

        if (!lookup->usual) {
            continue;
        }
        lookup->usual = weir_live_sought_slot(&lookup->sought, edition->own == NULL, &lookup->slot);
        if (!lookup->usual) {
            lookup->in_own =
                weir_live_seek_in_own(edition->own, questions[i].token_id, &lookup->sought);
            any |= lookup->in_own;
        } else if (lookup->slot != NULL) {
            any |= prefetch_slot(engine, &edition->base, lookup->slot);
        }
    }
    return any;
}

/* Likewise for the buckets of the second index. What is not there is asked by itself: it may have
 * come meanwhile. */
static void find_own_slots(const struct weir_engine *engine, const struct weir_edition *edition,
                           size_t count, struct lookup *lookups)
{
    for (size_t i = 0; i < count; i++) {
        struct lookup *lookup = &lookups[i];
        uint32_t matches = 0;

        if (lookup->in_own) {
            matches = weir_live_matches(lookup->sought.home, lookup->sought.tag);
        }
        if (matches != 0) {
            lookup->slot = weir_bucket_slot(lookup->sought.home, WEIR_SLOT_OF(matches));
            lookup->usual = true;
            (void)prefetch_slot(engine, &edition->base, lookup->slot);
        }
    }
}

/* What is in the slot that was found; 0: nothing, or none was. */
static uint32_t offset_found(const struct lookup *lookup)
{
    return lookup->usual && lookup->slot != NULL
               ? __atomic_load_n(lookup->slot, __ATOMIC_ACQUIRE) /* B */
               : 0;
}

/* Asks for the engine's own blocks, whose handles' entries have come. */
static void prefetch_own(const struct weir_engine *engine, const struct weir_base *base,
                         size_t count, const struct lookup *lookups)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t offset = offset_found(&lookups[i]);

        if ((offset & WEIR_OFFSET_OWN) != 0) {
            weir_blocks_prefetch(base->blocks, weir_live_block(engine, base, offset));
        }
    }
}

/* The image's block in the slot that was found; NULL: none, or one of the engine's own. */
static const struct weir_block *block_of_image(const struct weir_base *base,
                                               const struct lookup *lookup)
{
    uint32_t offset = offset_found(lookup);

    return offset == 0 || (offset & WEIR_OFFSET_OWN) != 0 ? NULL
                                                          : weir_blocks_at(base->blocks, offset);
}

/* Sees that the image's blocks come. */
static void load_blocks(const struct weir_base *base, size_t count, const struct lookup *lookups)
{
    const struct weir_block *blocks[WEIR_ROUND];

    for (size_t i = 0; i < count; i++) {
        blocks[i] = block_of_image(base, &lookups[i]);
        if (blocks[i] != NULL) {
            weir_block_load(blocks[i]);
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (blocks[i] != NULL) {
            weir_block_prefetch_tries(blocks[i]);
        }
    }
}

/* Each question goes through the edition and the slot of its own moment, or answers could go back
 * in time. */
WEIR_QUICK enum weir_reason answer(const struct weir_engine *engine,
                                   const struct weir_edition *guessed,
                                   const struct weir_question *question,
                                   const struct lookup *lookup, struct weir_instant now)
{
    if (lookup->usual && weir_engine_edition(engine) == guessed) {
        return weir_live_check_sought(engine, &guessed->base, lookup->slot, question->token_id,
                                      &question->request, now);
    }
    return weir_live_check_thoroughly(engine, question->token_id, &question->request, now);
}

WEIR_QUICK void answer_round(const struct weir_engine *engine,
                             const struct weir_question *questions, size_t count,
                             struct weir_instant now, enum weir_reason *reasons)
{
    const struct weir_edition *edition = weir_engine_edition(engine);
    struct lookup lookups[WEIR_ROUND];

    seek_ids(edition, questions, count, lookups);
    if (find_slots(engine, edition, questions, count, lookups)) {
        find_own_slots(engine, edition, count, lookups);
        prefetch_own(engine, &edition->base, count, lookups);
    }
    load_blocks(&edition->base, count, lookups);
    for (size_t i = 0; i < count; i++) {
        reasons[i] = answer(engine, edition, &questions[i], &lookups[i], now);
    }
}

__attribute__((flatten)) void weir_engine_check_batch(const struct weir_engine *engine,
                                                      const struct weir_question *questions,
                                                      size_t count, struct weir_instant now,
                                                      enum weir_reason *reasons)
{
    for (size_t done = 0; done < count; done += WEIR_ROUND) {
        size_t size = count - done < WEIR_ROUND ? count - done : WEIR_ROUND;
        struct weir_section section = weir_section_begin();

        answer_round(engine, questions + done, size, now, reasons + done);
        weir_section_end(section);
    }
}
