#include <weir/engine.h>

#include <string.h>

#include "live/check.h"
#include "live/section.h"
#include "match/decide.h"

__attribute__((noinline)) enum weir_reason
weir_live_check_thoroughly(const struct weir_engine *engine, struct weir_text token_id,
                           const struct weir_request *request, struct weir_instant now)
{
    return weir_decision_of(weir_live_find(engine, weir_engine_edition(engine), token_id), request,
                            weir_expiry_of(now))
        .reason;
}

/* The answer for an id that matches no tag of its home bucket in the image's index: most often that
 * of one of the engine's own tokens. */
__attribute__((noinline)) static enum weir_reason
check_own(const struct weir_engine *engine, struct weir_text token_id,
          const struct weir_request *request, struct weir_instant now,
          const struct weir_edition *edition, const struct weir_bucket *home)
{
    struct weir_sought sought = {home, 0};
    uint32_t *slot = NULL;

    if (!weir_live_seek_in_own(edition->own, token_id, &sought) ||
        !weir_live_sought_slot(&sought, true, &slot)) {
        return weir_live_check_thoroughly(engine, token_id, request, now);
    }
    return weir_live_check_sought(engine, &edition->base, slot, token_id, request, now);
}

/* The answer inside a read section. */
WEIR_QUICK enum weir_reason check(const struct weir_engine *engine, struct weir_text token_id,
                                  const struct weir_request *request, struct weir_instant now)
{
    const struct weir_edition *edition = weir_engine_edition(engine);
    struct weir_sought sought;
    uint32_t *slot = NULL;

    if (!weir_live_seek(edition, token_id, &sought)) {
        return weir_live_check_thoroughly(engine, token_id, request, now);
    }
    if (!weir_live_sought_slot(&sought, edition->own == NULL, &slot)) {
        return check_own(engine, token_id, request, now, edition, sought.home);
    }
    return weir_live_check_sought(engine, &edition->base, slot, token_id, request, now);
}

__attribute__((flatten)) enum weir_reason weir_engine_check(const struct weir_engine *engine,
                                                            struct weir_text token_id,
                                                            const struct weir_request *request,
                                                            struct weir_instant now)
{
    struct weir_section section = weir_section_begin();
    enum weir_reason reason = check(engine, token_id, request, now);

    weir_section_end(section);
    return reason;
}

/*
 * ---- Resolved tokens ----
 */

static struct weir_text resolved_id(const struct weir_resolved *resolved)
{
    return (struct weir_text){resolved->id, resolved->id_length};
}

/* Whether the block is the token that was resolved, and not another holder of its id. */
static bool is_resolved(const struct weir_block *block, const struct weir_resolved *resolved)
{
    struct weir_text digest = weir_digest_text(resolved->digest);

    return !resolved->by_credential || (block->issue_number == resolved->issue_number &&
                                        weir_block_has_key(block, digest, WEIR_KEY_DIGEST));
}

/* The block in the slot remembered, if that is still in use and has a token of the id. */
static const struct weir_block *block_in_slot(const struct weir_engine *engine,
                                              const struct weir_edition *edition,
                                              const struct weir_resolved *resolved)
{
    const struct weir_block *block = NULL;

    if (resolved->slot == NULL || resolved->generation != edition->generation) {
        return NULL;
    }
    block = weir_live_slot_block(engine, &edition->base, resolved->slot);
    return block != NULL && weir_block_has_id(block, resolved_id(resolved)) ? block : NULL;
}

__attribute__((noinline)) static const struct weir_block *
find_afresh(const struct weir_engine *engine, const struct weir_edition *edition,
            struct weir_resolved *resolved)
{
    struct weir_text id = resolved_id(resolved);
    uint32_t *slot = NULL;
    const struct weir_block *block =
        weir_live_find_hashed(engine, edition, id, weir_hash(id, edition->base.hash_key), &slot);

    resolved->generation = edition->generation;
    resolved->slot = slot;
    return block;
}

static const struct weir_block *find_resolved(const struct weir_engine *engine,
                                              struct weir_resolved *resolved)
{
    const struct weir_edition *edition = weir_engine_edition(engine);
    const struct weir_block *block = block_in_slot(engine, edition, resolved);

    if (block == NULL) {
        block = find_afresh(engine, edition, resolved);
    }
    return block != NULL && is_resolved(block, resolved) ? block : NULL;
}

static void set_id(struct weir_resolved *resolved, struct weir_text id)
{
    *resolved = (struct weir_resolved){.id_length = (uint8_t)id.length};
    memcpy(resolved->id, id.bytes, id.length);
}

bool weir_engine_resolve(const struct weir_engine *engine, struct weir_text token_id,
                         struct weir_resolved *resolved)
{
    const struct weir_block *block = NULL;
    struct weir_section section;

    *resolved = (struct weir_resolved){0};
    if (!weir_id_length_possible(token_id)) {
        return false;
    }
    set_id(resolved, token_id);
    section = weir_section_begin();
    block = find_afresh(engine, weir_engine_edition(engine), resolved);
    weir_section_end(section);
    return block != NULL;
}

bool weir_engine_resolve_by_digest(const struct weir_engine *engine,
                                   const uint8_t digest[WEIR_DIGEST_SIZE],
                                   struct weir_resolved *resolved)
{
    const struct weir_block *block = NULL;
    struct weir_section section = weir_section_begin();

    *resolved = (struct weir_resolved){0};
    block = weir_live_find_by_digest(engine, weir_engine_edition(engine), digest);
    if (block != NULL) {
        set_id(resolved, weir_block_id(block));
        resolved->by_credential = 1;
        resolved->issue_number = block->issue_number;
        memcpy(resolved->digest, digest, WEIR_DIGEST_SIZE);
    }
    weir_section_end(section);
    return block != NULL;
}

/* What was resolved by credential and is seen expired stays so. Returns the reason. */
static inline enum weir_reason remember_expiry(struct weir_resolved *resolved,
                                               enum weir_reason reason)
{
    resolved->expired = resolved->by_credential && reason == WEIR_EXPIRED;
    return reason;
}

/* Likewise inside a read section. */
static enum weir_reason check_resolved(const struct weir_engine *engine,
                                       struct weir_resolved *resolved,
                                       const struct weir_request *request, struct weir_instant now)
{
    const struct weir_block *block = find_resolved(engine, resolved);
    bool usual = block != NULL && weir_block_is_usual(block) && weir_request_is_usual(request);

    return weir_decide_either_way(block, request, usual, now).reason;
}

__attribute__((flatten)) enum weir_reason
weir_engine_check_resolved(const struct weir_engine *engine, struct weir_resolved *resolved,
                           const struct weir_request *request, struct weir_instant now)
{
    enum weir_reason reason = WEIR_EXPIRED;
    struct weir_section section;

    if (resolved->expired) {
        return reason;
    }
    section = weir_section_begin();
    reason = check_resolved(engine, resolved, request, now);
    weir_section_end(section);
    return remember_expiry(resolved, reason);
}

/*
 * ---- Everything under a prefix ----
 */

enum weir_reason weir_engine_check_under(const struct weir_engine *engine,
                                         struct weir_text token_id,
                                         const struct weir_request *request,
                                         struct weir_instant now)
{
    struct weir_section section = weir_section_begin();
    const struct weir_block *block = weir_live_find(engine, weir_engine_edition(engine), token_id);
    enum weir_reason reason = weir_check_token_under(weir_block_token(block), request, now).reason;

    weir_section_end(section);
    return reason;
}

enum weir_reason weir_engine_check_resolved_under(const struct weir_engine *engine,
                                                  struct weir_resolved *resolved,
                                                  const struct weir_request *request,
                                                  struct weir_instant now)
{
    enum weir_reason reason = WEIR_EXPIRED;
    struct weir_section section;

    if (resolved->expired) {
        return reason;
    }
    section = weir_section_begin();
    reason = weir_check_token_under(weir_block_token(find_resolved(engine, resolved)), request, now)
                 .reason;
    weir_section_end(section);
    return remember_expiry(resolved, reason);
}

const struct weir_compiled_token *weir_engine_find_resolved(const struct weir_engine *engine,
                                                            struct weir_resolved *resolved)
{
    return resolved->expired ? NULL : weir_block_token(find_resolved(engine, resolved));
}
