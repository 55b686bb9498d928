/*
 * Many questions at once, in phases, so that the memory accesses of one phase overlap: hash every
 * id and ask for its home bucket; read the buckets and ask for the first candidate's block; decide.
 */
#include <weir/decision.h>

#include "image/image.h"
#include "match/decide.h"

/* Questions a round: enough to hide the memory's latency, few enough to stay in the first cache. */
#define ROUND 32

struct lookup {
    uint64_t hash;
    const struct weir_block *candidate; /* the first block whose tag matches, or NULL */
};

static void hash_ids(const struct weir_view *view, const struct weir_question *questions,
                     size_t count, struct lookup *lookups)
{
    for (size_t i = 0; i < count; i++) {
        struct weir_text id = questions[i].token_id;

        lookups[i].hash = weir_id_length_possible(id) ? weir_hash(id, view->hash_key) : 0;
        __builtin_prefetch(view->id.buckets +
                           weir_hash_home(lookups[i].hash, view->id.bucket_count));
    }
}

static void find_candidates(const struct weir_view *view, size_t count, struct lookup *lookups)
{
    for (size_t i = 0; i < count; i++) {
        const struct weir_bucket *bucket =
            view->id.buckets + weir_hash_home(lookups[i].hash, view->id.bucket_count);
        uint32_t matches = weir_bucket_matches(bucket, weir_hash_tag(lookups[i].hash));

        lookups[i].candidate = NULL;
        if (matches != 0) {
            lookups[i].candidate =
                weir_blocks_at(view->blocks, bucket->offset[WEIR_SLOT_OF(matches)]);
            weir_block_prefetch(lookups[i].candidate);
        } else if (bucket->spilled != 0) {
            __builtin_prefetch(bucket + 1);
        }
    }
}

/* The block of the question's token: nearly always the candidate. */
static const struct weir_block *settle(const struct weir_view *view, struct weir_text id,
                                       const struct lookup *lookup)
{
    if (!weir_id_length_possible(id)) {
        return NULL;
    }
    if (lookup->candidate != NULL && weir_block_has_key(lookup->candidate, id, WEIR_KEY_ID)) {
        return lookup->candidate;
    }
    return weir_index_find(&view->id, view->blocks, id, lookup->hash, WEIR_KEY_ID);
}

void weir_check_batch(const struct weir_image *image, const struct weir_question *questions,
                      size_t count, struct weir_instant now, struct weir_decision *decisions)
{
    const struct weir_view *view = &image->view;
    struct weir_expiry instant = weir_expiry_of(now);
    struct lookup lookups[ROUND];

    for (size_t done = 0; done < count; done += ROUND) {
        const struct weir_question *round = questions + done;
        size_t size = count - done < ROUND ? count - done : ROUND;

        hash_ids(view, round, size, lookups);
        find_candidates(view, size, lookups);
        for (size_t i = 0; i < size; i++) {
            const struct weir_block *block = settle(view, round[i].token_id, &lookups[i]);

            decisions[done + i] = weir_decision_of(block, &round[i].request, instant);
        }
    }
}
