#include "live/change.h"

#include "live/find.h"
#include "live/memory.h"
#include "live/own.h"
#include "live/section.h"
#include "vocabulary/failure.h"

/*
 * ---- Where a token is ----
 */

static struct weir_edition *edition_or_current(struct weir_engine *engine,
                                               struct weir_edition *edition)
{
    return edition != NULL ? edition : engine->edition;
}

static struct weir_place find_place(const struct weir_engine *engine,
                                    const struct weir_edition *edition, struct weir_text id)
{
    const struct weir_base *base = &edition->base;
    uint64_t hash = weir_hash(id, base->hash_key);
    struct weir_place place = {0};

    place.block = weir_live_find_hashed(engine, edition, id, hash, &place.slot);
    if (place.block == NULL) {
        return (struct weir_place){0};
    }
    if (place.slot != NULL) {
        place.offset = *place.slot;
    } else {
        (void)weir_live_find_spilled(engine, base, id, hash, &place.entry);
        place.offset = (uint32_t)*weir_overflow_word(place.entry);
    }
    return place;
}

/* A slot in the image's index in which that id would be found and where none is: one with its tag
 * that a revoked token left. */
static struct weir_place find_vacancy(const struct weir_engine *engine,
                                      const struct weir_edition *edition, struct weir_text id)
{
    const struct weir_base *base = &edition->base;
    uint64_t hash = weir_hash(id, base->hash_key);
    struct weir_bucket *bucket = weir_live_home(&base->id, hash);
    struct weir_place place = {0};

    for (unsigned reach = 0; reach < WEIR_REACH; reach++, bucket++) {
        for (unsigned slot = 0; slot < WEIR_SLOTS; slot++) {
            if (bucket->tag[slot] == weir_hash_tag(hash) && bucket->offset[slot] == 0) {
                place.slot = weir_bucket_slot(bucket, slot);
                return place;
            }
        }
        if (bucket->spilled == 0) {
            return place;
        }
    }
    (void)weir_live_find_spilled(engine, base, id, hash, &place.entry);
    return place;
}

static bool is_own(uint32_t offset)
{
    return (offset & WEIR_OFFSET_OWN) != 0;
}

/*
 * ---- Digests ----
 */

static bool has_digest(const struct weir_block *block)
{
    return (block->flags & WEIR_FLAG_DIGEST) != 0;
}

static uint64_t own_digest_hash(const struct weir_own *own, const struct weir_block *block)
{
    struct weir_text key = weir_digest_text(weir_block_digest(block));

    return weir_own_hash(own, key);
}

/* Whether both have a digest, and it is the same. */
static bool same_digest(const struct weir_block *left, const struct weir_block *right)
{
    return has_digest(left) && has_digest(right) &&
           weir_digest_equal(weir_block_digest(left), weir_block_digest(right));
}

/* Whether the image's index of digests leads from the block's digest to its id. */
static bool image_has_hint(const struct weir_base *base, const struct weir_block *block)
{
    struct weir_text key = weir_digest_text(weir_block_digest(block));
    const struct weir_block *found = weir_index_find(
        &base->digest, base->blocks, key, weir_hash(key, base->hash_key), WEIR_KEY_DIGEST);

    return found != NULL && weir_text_equal(weir_block_id(found), weir_block_id(block));
}

/* Whether nothing leads from the block's digest to where it is put: neither the image, nor, if what
 * it takes the place of is the engine's own and has the digest, the second index. */
static bool needs_hint(const struct weir_edition *edition, const struct weir_block *block,
                       const struct weir_place *place)
{
    return has_digest(block) && !image_has_hint(&edition->base, block) &&
           !(is_own(place->offset) && same_digest(block, place->block));
}

/* The slot by which the second index leads from the block's digest to the handle, or NULL. No other
 * digest may lead to the handle. */
static uint32_t *find_hint(const struct weir_own *own, const struct weir_block *block,
                           uint32_t handle)
{
    return own == NULL || !has_digest(block)
               ? NULL
               : weir_own_slot(&own->digest, own_digest_hash(own, block), handle);
}

static void remove_hint(struct weir_own *own, const struct weir_block *block, uint32_t *slot)
{
    if (slot != NULL) {
        weir_own_remove(&own->digest, own_digest_hash(own, block), slot);
        own->digest_count--;
    }
}

/*
 * ---- Planning ----
 */

static enum weir_status check_put(const struct weir_engine *engine,
                                  const struct weir_edition *edition,
                                  const struct weir_block *block, enum weir_put put,
                                  const struct weir_block *old, struct weir_error *error)
{
    struct weir_text id = weir_block_id(block);
    const struct weir_block *other = NULL;

    if (put == WEIR_PUT_ISSUE && old != NULL) {
        return weir_fail(error, WEIR_ERROR_DUPLICATE, "there is a token %s already",
                         weir_quoted_id(id).text);
    }
    if (put == WEIR_PUT_REPLACE && old == NULL) {
        return weir_fail(error, WEIR_ERROR_NOT_FOUND, "there is no token %s",
                         weir_quoted_id(id).text);
    }
    if (has_digest(block) && !(old != NULL && same_digest(old, block))) {
        other = weir_live_find_by_digest(engine, edition, weir_block_digest(block));
    }
    if (other != NULL && !weir_text_equal(weir_block_id(other), id)) {
        return weir_fail(error, WEIR_ERROR_DUPLICATE, "token %s has the credential digest of %s",
                         weir_quoted_id(id).text, weir_quoted_id(weir_block_id(other)).text);
    }
    return WEIR_OK;
}

/* Finds where the token is to be, if it is not there yet, and makes room in the second index if it
 * needs any. */
static enum weir_status plan_place(struct weir_engine *engine, const struct weir_block *block,
                                   struct weir_plan *plan, struct weir_error *error)
{
    struct weir_text id = weir_block_id(block);
    struct weir_place *place = &plan->place;

    if (place->block == NULL) {
        *place = find_vacancy(engine, plan->edition, id);
    }
    plan->hint = needs_hint(plan->edition, block, place);
    if (!plan->hint && (place->slot != NULL || place->entry != NULL)) {
        return WEIR_OK;
    }
    /* It may put another index in the place of the one that the place's slot is in; but what is put
     * over one of the engine's own goes behind its handle and needs no slot. */
    return weir_own_reserve(engine, &plan->edition, block, error);
}

enum weir_status weir_plan_put(struct weir_engine *engine, struct weir_edition *edition,
                               const struct weir_block *block, enum weir_put put,
                               struct weir_plan *plan, struct weir_error *error)
{
    struct weir_text id = weir_block_id(block);
    enum weir_status status = WEIR_OK;

    if (weir_section_open()) {
        return weir_fail_section(error, "a change");
    }
    *plan = (struct weir_plan){.edition = edition_or_current(engine, edition)};
    plan->place = find_place(engine, plan->edition, id);
    status = check_put(engine, plan->edition, block, put, plan->place.block, error);
    if (status == WEIR_OK) {
        status = plan_place(engine, block, plan, error);
    }
    if (status != WEIR_OK) {
        return status;
    }
    plan->block = weir_own_block_new(engine, block);
    if (plan->block == NULL) {
        return weir_fail_memory(error);
    }
    if (is_own(plan->place.offset)) {
        plan->handle = plan->place.offset & ~WEIR_OFFSET_OWN;
    } else {
        status = weir_handle_take(engine, &plan->handle, error);
    }
    if (status != WEIR_OK) {
        weir_retirable_free(engine, &plan->block->retired);
    }
    return status;
}

enum weir_status weir_plan_revoke(struct weir_engine *engine, struct weir_edition *edition,
                                  struct weir_text id, struct weir_plan *plan,
                                  struct weir_error *error)
{
    if (weir_section_open()) {
        return weir_fail_section(error, "a change");
    }
    *plan = (struct weir_plan){.edition = edition_or_current(engine, edition)};
    if (weir_id_length_possible(id)) {
        plan->place = find_place(engine, plan->edition, id);
    }
    if (plan->place.block == NULL) {
        return weir_fail(error, WEIR_ERROR_NOT_FOUND, "there is no token %s",
                         weir_quoted_id(id).text);
    }
    plan->handle = plan->place.offset & ~WEIR_OFFSET_OWN;
    return WEIR_OK;
}

void weir_plan_abandon(struct weir_engine *engine, const struct weir_plan *plan)
{
    if (plan->block == NULL) {
        return;
    }
    if (!is_own(plan->place.offset)) {
        weir_handle_give_back(engine, plan->handle);
    }
    weir_retirable_free(engine, &plan->block->retired);
}

/*
 * ---- Committing ----
 */

static void add_hint(const struct weir_plan *plan)
{
    struct weir_own *own = plan->edition->own;

    if (plan->hint) {
        weir_own_insert(&own->digest, own_digest_hash(own, &plan->block->block), plan->handle);
        own->digest_count++;
    }
}

/* Puts the block where none of the engine's own is yet: what is under the handle comes first, then
 * the digest's way to it, and last the slot by which it is there. */
static void commit_new(struct weir_engine *engine, const struct weir_plan *plan)
{
    const struct weir_block *block = &plan->block->block;
    const struct weir_place *place = &plan->place;
    uint32_t offset = plan->handle | WEIR_OFFSET_OWN;
    struct weir_own *own = plan->edition->own;

    __atomic_store_n(weir_handles_entry(&engine->handles, plan->handle), (uintptr_t)block,
                     __ATOMIC_RELEASE); /* C */
    add_hint(plan);
    if (place->slot != NULL) {
        __atomic_store_n(place->slot, offset, __ATOMIC_RELEASE); /* B */
    } else if (place->entry != NULL) {
        __atomic_store_n(weir_overflow_word(place->entry), offset, __ATOMIC_RELEASE); /* B */
    } else {
        weir_own_insert(&own->id, weir_own_hash(own, weir_block_id(block)), plan->handle);
        own->id_count++;
    }
    plan->edition->token_count += place->block == NULL;
    engine->writer.own_count++;
}

/* Puts the block in the place of one of the engine's own, under the same handle. */
static void commit_over_own(struct weir_engine *engine, const struct weir_plan *plan)
{
    const struct weir_block *block = &plan->block->block;
    const struct weir_block *old = plan->place.block;
    struct weir_own_block *old_own = weir_own_block_of(old);
    struct weir_own *own = plan->edition->own;
    uint32_t *old_hint = same_digest(old, block) ? NULL : find_hint(own, old, plan->handle);

    add_hint(plan);
    __atomic_store_n(weir_handles_entry(&engine->handles, plan->handle), (uintptr_t)block,
                     __ATOMIC_RELEASE); /* C */
    remove_hint(own, old, old_hint);
    engine->writer.own_bytes -= old_own->retired.size;
    weir_retire(engine, &old_own->retired, WEIR_RETIRED_BLOCK);
}

/* The offset of a block of the image. */
static uint32_t image_offset(const struct weir_base *base, const struct weir_overflow *entry)
{
    return base->image->view.id.overflow[entry - base->id.overflow].offset;
}

static void commit_revoke(struct weir_engine *engine, const struct weir_plan *plan)
{
    struct weir_edition *edition = plan->edition;
    const struct weir_place *place = &plan->place;
    struct weir_own *own = edition->own;
    struct weir_text id = weir_block_id(place->block);

    if (place->entry != NULL) {
        __atomic_store_n(weir_overflow_word(place->entry),
                         WEIR_OVERFLOW_REVOKED | image_offset(&edition->base, place->entry),
                         __ATOMIC_RELEASE); /* B */
    } else if (own != NULL && weir_own_has_slot(&own->id, place->slot)) {
        weir_own_remove(&own->id, weir_own_hash(own, id), place->slot);
        own->id_count--;
    } else {
        __atomic_store_n(place->slot, 0, __ATOMIC_RELEASE); /* B */
    }
    edition->token_count--;
    if (is_own(place->offset)) {
        struct weir_own_block *old = weir_own_block_of(place->block);

        remove_hint(own, place->block, find_hint(own, place->block, plan->handle));
        engine->writer.own_bytes -= old->retired.size;
        engine->writer.own_count--;
        old->retired.handle = plan->handle;
        weir_retire(engine, &old->retired, WEIR_RETIRED_TOKEN);
    }
}

void weir_plan_commit(struct weir_engine *engine, const struct weir_plan *plan)
{
    if (plan->block == NULL) {
        commit_revoke(engine, plan);
    } else {
        engine->writer.own_bytes += plan->block->retired.size;
        if (is_own(plan->place.offset)) {
            commit_over_own(engine, plan);
        } else {
            commit_new(engine, plan);
        }
    }
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    weir_retired_settle(engine);
}

/*
 * ---- The public changes ----
 */

static enum weir_status put(struct weir_engine *engine, const struct weir_compiled_token *token,
                            enum weir_put how, struct weir_error *error)
{
    struct weir_plan plan;
    enum weir_status status = weir_plan_put(engine, NULL, weir_block_of(token), how, &plan, error);

    if (status == WEIR_OK) {
        weir_plan_commit(engine, &plan);
    }
    return status;
}

enum weir_status weir_engine_issue(struct weir_engine *engine,
                                   const struct weir_compiled_token *token,
                                   struct weir_error *error)
{
    return put(engine, token, WEIR_PUT_ISSUE, error);
}

enum weir_status weir_engine_replace(struct weir_engine *engine,
                                     const struct weir_compiled_token *token,
                                     struct weir_error *error)
{
    return put(engine, token, WEIR_PUT_REPLACE, error);
}

enum weir_status weir_engine_put(struct weir_engine *engine,
                                 const struct weir_compiled_token *token, struct weir_error *error)
{
    return put(engine, token, WEIR_PUT_EITHER, error);
}

enum weir_status weir_engine_revoke(struct weir_engine *engine, struct weir_text token_id,
                                    struct weir_error *error)
{
    struct weir_plan plan;
    enum weir_status status = weir_plan_revoke(engine, NULL, token_id, &plan, error);

    if (status == WEIR_OK) {
        weir_plan_commit(engine, &plan);
    }
    return status;
}
