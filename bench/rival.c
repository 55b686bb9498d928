#include "rival.h"

#include <pthread.h>
#include <stdlib.h>

#include "engines.h"
#include "live/find.h"
#include "match/decide.h"

struct rival {
    pthread_rwlock_t lock;
    char between[WEIR_CACHE_LINE];
    struct weir_engine *engine;
    bool spins;
};

struct rival *rival_open(const struct weir_image *image, bool spins)
{
    struct weir_engine_options options = {.retired_max = SIZE_MAX};
    struct rival *rival = aligned_alloc(WEIR_CACHE_LINE, 4 * WEIR_CACHE_LINE);

    _Static_assert(sizeof *rival <= 4 * WEIR_CACHE_LINE, "a rival fits");
    engines_must(rival != NULL ? WEIR_OK : WEIR_ERROR_MEMORY, "a rival");
    (void)pthread_rwlock_init(&rival->lock, NULL);
    engines_must(weir_engine_open(image, &options, &rival->engine, NULL), "opening an engine");
    rival->spins = spins;
    return rival;
}

static inline void pause_a_moment(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

static inline void lock_for_reading(struct rival *rival)
{
    if (!rival->spins) {
        (void)pthread_rwlock_rdlock(&rival->lock);
        return;
    }
    while (pthread_rwlock_tryrdlock(&rival->lock) != 0) {
        pause_a_moment();
    }
}

static void lock_for_writing(struct rival *rival)
{
    if (!rival->spins) {
        (void)pthread_rwlock_wrlock(&rival->lock);
        return;
    }
    while (pthread_rwlock_trywrlock(&rival->lock) != 0) {
        pause_a_moment();
    }
}

enum weir_reason rival_check(struct rival *rival, struct weir_text token_id,
                             const struct weir_request *request, struct weir_instant now)
{
    struct weir_expiry instant = weir_expiry_of(now);
    const struct weir_engine *engine = rival->engine;
    enum weir_reason reason = WEIR_STALE;

    lock_for_reading(rival);
    reason = weir_decision_of(weir_live_find(engine, weir_engine_edition(engine), token_id),
                              request, instant)
                 .reason;
    (void)pthread_rwlock_unlock(&rival->lock);
    return reason;
}

enum weir_status rival_put(struct rival *rival, const struct weir_compiled_token *token)
{
    enum weir_status status = WEIR_OK;

    lock_for_writing(rival);
    status = weir_engine_put(rival->engine, token, NULL);
    (void)pthread_rwlock_unlock(&rival->lock);
    return status;
}

enum weir_status rival_revoke(struct rival *rival, struct weir_text token_id)
{
    enum weir_status status = WEIR_OK;

    lock_for_writing(rival);
    status = weir_engine_revoke(rival->engine, token_id, NULL);
    (void)pthread_rwlock_unlock(&rival->lock);
    return status;
}
