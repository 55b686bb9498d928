/*
 * Many questions at once, in phases whose memory accesses overlap: as in match/batch.c, with more
 * phases for what the image lacks, which is further away - the second index, and the engine's own
 * blocks, behind their handles. The phases only guess, and ask for memory; the answers are found as
 * those of single checks.
 */
#include <weir/engine.h>

#include "live/find.h"
#include "live/section.h"
#include "match/decide.h"

/* Questions a round: enough to hide the memory's latency, few enough to stay in the first cache. */
#define ROUND 32

struct lookup {
    uint64_t hash;
    uint64_t own_hash; /* in the second index, for ids of which the image's home has no candidate */
    uint32_t offset;   /* of the first candidate; 0: none */
    bool possible;     /* some token could have the id */
};

static void hash_ids(const struct weir_base *base, const struct weir_question *questions,
                     size_t count, struct lookup *lookups)
{
    for (size_t i = 0; i < count; i++) {
        struct weir_text id = questions[i].token_id;

        lookups[i].possible = weir_id_length_possible(id);
        lookups[i].hash = lookups[i].possible ? weir_hash(id, base->hash_key) : 0;
        __builtin_prefetch(weir_live_home(&base->id, lookups[i].hash));
    }
}

/* The offset of the first candidate in the home bucket of a key; 0: none. */
static uint32_t first_candidate(const struct weir_live_index *index, uint64_t hash)
{
    const struct weir_bucket *bucket = weir_live_home(index, hash);
    uint32_t matches = weir_live_matches(bucket, weir_hash_tag(hash));

    return matches != 0 ? __atomic_load_n(weir_bucket_slot(bucket, WEIR_SLOT_OF(matches)),
                                          __ATOMIC_ACQUIRE) /* B */
                        : 0;
}

/* Asks for the candidate's block, or for the entry of its handle. */
static bool prefetch_candidate(const struct weir_engine *engine, const struct weir_base *base,
                               uint32_t offset)
{
    if ((offset & WEIR_OFFSET_OWN) != 0) {
        __builtin_prefetch(weir_handles_entry(&engine->handles, offset & ~WEIR_OFFSET_OWN));
        return true;
    }
    if (offset != 0) {
        weir_block_prefetch(weir_blocks_at(base->blocks, offset));
    }
    return false;
}

/* Reads the buckets of the image's index; where they have no candidate, asks for the bucket of the
 * second index. Returns whether any of that is the engine's own. */
static bool find_candidates(const struct weir_engine *engine, const struct weir_edition *edition,
                            const struct weir_question *questions, size_t count,
                            struct lookup *lookups)
{
    const struct weir_own *own = edition->own;
    bool any = false;

    for (size_t i = 0; i < count; i++) {
        lookups[i].offset = first_candidate(&edition->base.id, lookups[i].hash);
        any |= prefetch_candidate(engine, &edition->base, lookups[i].offset);
        if (lookups[i].offset == 0 && own != NULL && lookups[i].possible) {
            lookups[i].own_hash = weir_own_hash(own, questions[i].token_id);
            __builtin_prefetch(weir_live_home(&own->id, lookups[i].own_hash));
            any = true;
        }
    }
    return any;
}

static void find_own_candidates(const struct weir_engine *engine,
                                const struct weir_edition *edition, size_t count,
                                struct lookup *lookups)
{
    if (edition->own == NULL) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        if (lookups[i].offset == 0 && lookups[i].possible) {
            lookups[i].offset = first_candidate(&edition->own->id, lookups[i].own_hash);
            (void)prefetch_candidate(engine, &edition->base, lookups[i].offset);
        }
    }
}

static void prefetch_own(const struct weir_engine *engine, size_t count,
                         const struct lookup *lookups)
{
    for (size_t i = 0; i < count; i++) {
        if ((lookups[i].offset & WEIR_OFFSET_OWN) != 0) {
            weir_block_prefetch(
                weir_handles_block(&engine->handles, lookups[i].offset & ~WEIR_OFFSET_OWN));
        }
    }
}

/* Each question goes through the edition of its own moment, or answers could go back in time. */
static enum weir_reason answer(const struct weir_engine *engine, const struct weir_edition *guessed,
                               const struct weir_question *question, const struct lookup *lookup,
                               struct weir_expiry now)
{
    const struct weir_edition *edition = weir_engine_edition(engine);
    const struct weir_block *block = NULL;
    uint32_t *slot = NULL;

    if (edition != guessed) {
        block = weir_live_find(engine, edition, question->token_id);
    } else if (lookup->possible) {
        block = weir_live_find_hashed(engine, edition, question->token_id, lookup->hash, &slot);
    }
    return weir_decision_of(block, &question->request, now).reason;
}

static void answer_round(const struct weir_engine *engine, const struct weir_question *questions,
                         size_t count, struct weir_expiry now, enum weir_reason *reasons)
{
    const struct weir_edition *edition = weir_engine_edition(engine);
    struct lookup lookups[ROUND];

    hash_ids(&edition->base, questions, count, lookups);
    if (find_candidates(engine, edition, questions, count, lookups)) {
        find_own_candidates(engine, edition, count, lookups);
        prefetch_own(engine, count, lookups);
    }
    for (size_t i = 0; i < count; i++) {
        reasons[i] = answer(engine, edition, &questions[i], &lookups[i], now);
    }
}

void weir_engine_check_batch(const struct weir_engine *engine,
                             const struct weir_question *questions, size_t count,
                             struct weir_instant now, enum weir_reason *reasons)
{
    struct weir_expiry instant = weir_expiry_of(now);

    for (size_t done = 0; done < count; done += ROUND) {
        size_t size = count - done < ROUND ? count - done : ROUND;
        struct weir_section section = weir_section_begin();

        answer_round(engine, questions + done, size, instant, reasons + done);
        weir_section_end(section);
    }
}
