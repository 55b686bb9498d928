/*
 * Many questions at once, in phases, so that the memory accesses of one phase overlap: hash every
 * id and ask for its home bucket; read the buckets and ask for the first candidate's block; see
 * that the blocks come; decide.
 */
#include <weir/decision.h>

#include "match/sought.h"

struct lookup {
    struct weir_sought sought;
    const struct weir_block *candidate; /* the first block that may have the id */
    bool usual;                         /* the id is of those that are sought in two steps */
};

static void seek_ids(const struct weir_view *view, const struct weir_question *questions,
                     size_t count, struct lookup *lookups)
{
    for (size_t i = 0; i < count; i++) {
        lookups[i].usual = weir_view_seek(view, questions[i].token_id, &lookups[i].sought);
    }
}

static void find_candidates(const struct weir_view *view, size_t count, struct lookup *lookups)
{
    for (size_t i = 0; i < count; i++) {
        lookups[i].usual = lookups[i].usual &&
                           weir_view_sought_block(view, &lookups[i].sought, &lookups[i].candidate);
    }
}

static void load_candidates(size_t count, const struct lookup *lookups)
{
    for (size_t i = 0; i < count; i++) {
        if (lookups[i].usual && lookups[i].candidate != NULL) {
            weir_block_load(lookups[i].candidate);
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (lookups[i].usual && lookups[i].candidate != NULL) {
            weir_block_prefetch_tries(lookups[i].candidate);
        }
    }
}

__attribute__((flatten)) void weir_check_batch(const struct weir_image *image,
                                               const struct weir_question *questions, size_t count,
                                               struct weir_instant now,
                                               struct weir_decision *decisions)
{
    const struct weir_view *view = &image->view;
    struct lookup lookups[WEIR_ROUND];

    for (size_t done = 0; done < count; done += WEIR_ROUND) {
        const struct weir_question *round = questions + done;
        size_t size = count - done < WEIR_ROUND ? count - done : WEIR_ROUND;

        seek_ids(view, round, size, lookups);
        find_candidates(view, size, lookups);
        load_candidates(size, lookups);
        for (size_t i = 0; i < size; i++) {
            const struct weir_question *question = &round[i];

            decisions[done + i] =
                lookups[i].usual
                    ? weir_check_sought(image, lookups[i].candidate, question->token_id,
                                        &question->request, now)
                    : weir_check_thoroughly(image, question->token_id, &question->request, now);
        }
    }
}
