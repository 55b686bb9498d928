/*
 * Many questions at once, in phases whose memory accesses overlap, as in match/batch.c; one phase
 * more for blocks of the engine's own, which are one step further away.
 */
#include <weir/engine.h>

#include "live/find.h"
#include "live/section.h"
#include "match/decide.h"

/* Questions a round: enough to hide the memory's latency, few enough to stay in the first cache. */
#define ROUND 32

struct lookup {
    uint64_t hash;
    uint32_t offset; /* of the first candidate; 0: none */
};

static void hash_ids(const struct weir_base *base, const struct weir_question *questions,
                     size_t count, struct lookup *lookups)
{
    for (size_t i = 0; i < count; i++) {
        struct weir_text id = questions[i].token_id;

        lookups[i].hash = weir_id_length_possible(id) ? weir_hash(id, base->hash_key) : 0;
        __builtin_prefetch(base->id.buckets +
                           weir_hash_home(lookups[i].hash, base->id.bucket_count));
    }
}

static void prefetch_block(const struct weir_block *block)
{
    __builtin_prefetch(block);
    __builtin_prefetch((const char *)block + WEIR_CACHE_LINE);
}

/* Reads the buckets, and asks for what the first candidate's offset leads to. Returns whether any
 * is the engine's own. */
static bool find_candidates(const struct weir_engine *engine, const struct weir_base *base,
                            size_t count, struct lookup *lookups)
{
    bool own = false;

    for (size_t i = 0; i < count; i++) {
        const struct weir_bucket *bucket =
            base->id.buckets + weir_hash_home(lookups[i].hash, base->id.bucket_count);
        uint32_t matches = weir_live_matches(bucket, weir_hash_tag(lookups[i].hash));

        lookups[i].offset = 0;
        if (matches != 0) {
            lookups[i].offset = __atomic_load_n(weir_bucket_slot(bucket, WEIR_SLOT_OF(matches)),
                                                __ATOMIC_ACQUIRE); /* B */
        }
        if ((lookups[i].offset & WEIR_OFFSET_OWN) != 0) {
            __builtin_prefetch(
                weir_handles_entry(&engine->handles, lookups[i].offset & ~WEIR_OFFSET_OWN));
            own = true;
        } else if (lookups[i].offset != 0) {
            prefetch_block(weir_blocks_at(base->blocks, lookups[i].offset));
        }
    }
    return own;
}

static void prefetch_own(const struct weir_engine *engine, size_t count,
                         const struct lookup *lookups)
{
    for (size_t i = 0; i < count; i++) {
        if ((lookups[i].offset & WEIR_OFFSET_OWN) != 0) {
            prefetch_block(
                weir_handles_block(&engine->handles, lookups[i].offset & ~WEIR_OFFSET_OWN));
        }
    }
}

static enum weir_reason answer(const struct weir_engine *engine, const struct weir_edition *edition,
                               const struct weir_question *question, uint64_t hash,
                               struct weir_expiry now)
{
    const struct weir_block *block = NULL;
    uint32_t *slot = NULL;

    if (weir_id_length_possible(question->token_id)) {
        block = weir_live_find_hashed(engine, edition, question->token_id, hash, &slot);
    }
    return weir_decision_of(block, &question->request, now).reason;
}

static void answer_round(const struct weir_engine *engine, const struct weir_question *questions,
                         size_t count, struct weir_expiry now, enum weir_reason *reasons)
{
    const struct weir_edition *edition = weir_engine_edition(engine);
    struct lookup lookups[ROUND];

    hash_ids(&edition->base, questions, count, lookups);
    if (find_candidates(engine, &edition->base, count, lookups)) {
        prefetch_own(engine, count, lookups);
    }
    for (size_t i = 0; i < count; i++) {
        reasons[i] = answer(engine, edition, &questions[i], lookups[i].hash, now);
    }
}

void weir_engine_check_batch(const struct weir_engine *engine,
                             const struct weir_question *questions, size_t count,
                             struct weir_instant now, enum weir_reason *reasons)
{
    struct weir_expiry instant = weir_expiry_of(now);

    for (size_t done = 0; done < count; done += ROUND) {
        size_t size = count - done < ROUND ? count - done : ROUND;

        weir_section_begin();
        answer_round(engine, questions + done, size, instant, reasons + done);
        weir_section_end();
    }
}
