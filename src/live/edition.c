#include "live/edition.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "image/layout.h"
#include "live/find.h"
#include "live/memory.h"
#include "live/section.h"
#include "vocabulary/failure.h"
#include "vocabulary/memory.h"

/*
 * ---- All tokens ----
 *
 * A position counts the buckets of the image's index, then its overflow's entries, then the buckets
 * of the second index.
 */

static uint64_t position_count(const struct weir_edition *edition)
{
    return weir_bucket_total(edition->base.id.bucket_count) + edition->base.id.overflow_count +
           (edition->own != NULL ? weir_bucket_total(edition->own->id.bucket_count) : 0);
}

static bool visit_bucket(const struct weir_bucket *bucket, weir_offset_visitor *visit,
                         void *context)
{
    for (unsigned slot = 0; slot < WEIR_SLOTS; slot++) {
        uint32_t offset = __atomic_load_n(weir_bucket_slot(bucket, slot), __ATOMIC_ACQUIRE); /* B */

        if (offset != 0 && !visit(context, offset)) {
            return false;
        }
    }
    return true;
}

static bool visit_entry(const struct weir_overflow *entry, weir_offset_visitor *visit,
                        void *context)
{
    uint64_t word = __atomic_load_n(weir_overflow_word(entry), __ATOMIC_ACQUIRE); /* B */

    return (word & WEIR_OVERFLOW_REVOKED) != 0 || visit(context, (uint32_t)word);
}

static bool visit_position(const struct weir_edition *edition, uint64_t position,
                           weir_offset_visitor *visit, void *context)
{
    const struct weir_live_index *id = &edition->base.id;

    if (position < weir_bucket_total(id->bucket_count)) {
        return visit_bucket(&id->buckets[position], visit, context);
    }
    position -= weir_bucket_total(id->bucket_count);
    if (position < id->overflow_count) {
        return visit_entry(&id->overflow[position], visit, context);
    }
    return visit_bucket(&edition->own->id.buckets[position - id->overflow_count], visit, context);
}

/* Goes over `limit` positions at most, until a visit returns false; returns whether none did. */
static bool each_from(const struct weir_edition *edition, uint64_t *position, uint64_t limit,
                      weir_offset_visitor *visit, void *context)
{
    uint64_t count = position_count(edition);

    for (; limit > 0 && *position < count; limit--, ++*position) {
        if (!visit_position(edition, *position, visit, context)) {
            return false;
        }
    }
    return true;
}

bool weir_edition_each(const struct weir_edition *edition, weir_offset_visitor *visit,
                       void *context)
{
    uint64_t position = 0;

    return each_from(edition, &position, UINT64_MAX, visit, context);
}

/*
 * ---- The copy of the image's index of ids ----
 */

/* A private mapping of the part of the file: a page of it becomes a copy when it is written. */
static bool map_copy(const struct weir_image *image, size_t size, struct weir_base *base)
{
    long page = sysconf(_SC_PAGESIZE);
    void *copy = MAP_FAILED;

    if (image->file < 0 || page <= 0 || WEIR_PAGE % page != 0) {
        return false;
    }
    copy = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, image->file, WEIR_PAGE);
    if (copy == MAP_FAILED) {
        return false;
    }
#ifdef MADV_POPULATE_READ
    /* Spares readers the first fault of each page; older kernels know nothing of it. */
    (void)madvise(copy, size, MADV_POPULATE_READ);
#endif
    base->copy = copy;
    base->copy_size = size;
    base->copy_mapped = true;
    return true;
}

static bool allocate_copy(struct weir_engine *engine, const char *from, size_t size,
                          struct weir_base *base)
{
    base->copy_size = size + WEIR_CACHE_LINE;
    base->copy = weir_allocate(&engine->writer.allocator, base->copy_size);
    if (base->copy == NULL) {
        return false;
    }
    memcpy((void *)weir_round_up((uintptr_t)base->copy, WEIR_CACHE_LINE), from, size);
    return true;
}

static void release_copy(struct weir_engine *engine, const struct weir_base *base)
{
    if (base->copy_mapped) {
        (void)munmap(base->copy, base->copy_size);
    } else {
        weir_release(&engine->writer.allocator, base->copy, base->copy_size);
    }
}

static bool make_base(struct weir_engine *engine, const struct weir_image *image,
                      struct weir_base *base)
{
    const struct weir_view *view = &image->view;
    struct weir_layout layout = weir_layout_of(view->header);
    size_t size = (size_t)(layout.digest_buckets - layout.id_buckets);
    char *copy = NULL;

    *base = (struct weir_base){
        .digest = view->digest,
        .blocks = view->blocks,
        .hash_key = view->hash_key,
        .image = image,
    };
    if (!map_copy(image, size, base) &&
        !allocate_copy(engine, (const char *)image->bytes + layout.id_buckets, size, base)) {
        return false;
    }
    copy = (char *)weir_round_up((uintptr_t)base->copy, WEIR_CACHE_LINE);
    base->id = (struct weir_live_index){
        .buckets = (struct weir_bucket *)(void *)copy,
        .bucket_count = view->id.bucket_count,
        .overflow =
            (struct weir_overflow *)(void *)(copy + (layout.id_overflow - layout.id_buckets)),
        .overflow_count = view->id.overflow_count,
    };
    return true;
}

/*
 * ---- Preparing and publishing ----
 */

static enum weir_status prepare(struct weir_engine *engine, const struct weir_image *image,
                                struct weir_edition **edition, struct weir_error *error)
{
    struct weir_edition *made = weir_retirable_new(engine, sizeof *made);

    if (made == NULL) {
        return weir_fail_memory(error);
    }
    made->own = NULL;
    made->token_count = weir_image_token_count(image);
    made->generation = 0;
    if (!make_base(engine, image, &made->base)) {
        weir_retirable_free(engine, &made->retired);
        return weir_fail_memory(error);
    }
    *edition = made;
    return WEIR_OK;
}

enum weir_status weir_edition_prepare(struct weir_engine *engine, const struct weir_image *image,
                                      bool take_over, struct weir_edition **edition,
                                      struct weir_error *error)
{
    struct weir_image *empty = NULL;
    enum weir_status status = WEIR_OK;

    if (image == NULL) {
        const struct weir_content content = {0};

        status = weir_lay_out(NULL, &content, 0, &engine->writer.allocator, &empty, NULL, error);
        if (status != WEIR_OK) {
            return status;
        }
        image = empty;
    }
    status = prepare(engine, image, edition, error);
    if (status == WEIR_OK && (take_over || empty != NULL)) {
        (*edition)->base.own_image = (struct weir_image *)(uintptr_t)image;
    } else if (status != WEIR_OK) {
        weir_image_close(empty);
    }
    return status;
}

struct owned_walk {
    struct weir_engine *engine;
    bool seen; /* readers may see the tokens */
};

static bool drop_owned(void *context, uint32_t offset)
{
    struct owned_walk *walk = context;
    uint32_t handle = offset & ~WEIR_OFFSET_OWN;
    struct weir_own_block *own = NULL;

    if ((offset & WEIR_OFFSET_OWN) == 0) {
        return true;
    }
    own = weir_own_block_of(weir_handles_block(&walk->engine->handles, handle));
    walk->engine->writer.own_bytes -= own->retired.size;
    walk->engine->writer.own_count--;
    own->retired.handle = handle;
    if (walk->seen) {
        weir_retire(walk->engine, &own->retired, WEIR_RETIRED_TOKEN);
    } else {
        weir_handle_give_back(walk->engine, handle);
        weir_retirable_free(walk->engine, &own->retired);
    }
    return true;
}

void weir_base_release(struct weir_engine *engine, const struct weir_base *base)
{
    release_copy(engine, base);
    weir_image_close(base->own_image);
}

struct weir_edition *weir_edition_replace(struct weir_engine *engine, struct weir_edition *edition)
{
    struct weir_edition *old = engine->edition;

    edition->generation = ++engine->writer.generation;
    __atomic_store_n(&engine->edition, edition, __ATOMIC_RELEASE); /* A */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return old;
}

bool weir_edition_retire_tokens(struct weir_engine *engine, const struct weir_edition *old,
                                uint64_t *position, uint64_t limit)
{
    struct owned_walk walk = {engine, true};

    return each_from(old, position, limit, drop_owned, &walk) && *position == position_count(old);
}

struct weir_base weir_edition_retire(struct weir_engine *engine, struct weir_edition *old)
{
    struct weir_base base = old->base;

    if (old->own != NULL) {
        weir_retire(engine, &old->own->retired, WEIR_RETIRED_MEMORY);
    }
    weir_retire(engine, &old->retired, WEIR_RETIRED_MEMORY);
    return base;
}

void weir_edition_let_go(struct weir_engine *engine, struct weir_edition *old)
{
    struct weir_base base;
    uint64_t position = 0;

    (void)weir_edition_retire_tokens(engine, old, &position, UINT64_MAX);
    base = weir_edition_retire(engine, old);
    weir_retired_release(engine);
    weir_base_release(engine, &base);
}

void weir_edition_discard(struct weir_engine *engine, struct weir_edition *edition)
{
    struct owned_walk walk = {engine, false};

    (void)weir_edition_each(edition, drop_owned, &walk);
    weir_base_release(engine, &edition->base);
    if (edition->own != NULL) {
        weir_retirable_free(engine, &edition->own->retired);
    }
    weir_retirable_free(engine, &edition->retired);
}

enum weir_status weir_edition_set_own(struct weir_engine *engine, struct weir_edition **edition,
                                      struct weir_own *own, struct weir_error *error)
{
    struct weir_edition *old = *edition;
    struct weir_edition *made = NULL;

    if (old != engine->edition) {
        if (old->own != NULL) {
            weir_retirable_free(engine, &old->own->retired);
        }
        old->own = own;
        return WEIR_OK;
    }
    made = weir_retirable_new(engine, sizeof *made);
    if (made == NULL) {
        return weir_fail_memory(error);
    }
    made->generation = ++engine->writer.generation;
    made->base = old->base;
    made->own = own;
    made->token_count = old->token_count;
    __atomic_store_n(&engine->edition, made, __ATOMIC_RELEASE); /* A */
    if (old->own != NULL) {
        weir_retire(engine, &old->own->retired, WEIR_RETIRED_MEMORY);
    }
    weir_retire(engine, &old->retired, WEIR_RETIRED_MEMORY);
    *edition = made;
    return WEIR_OK;
}
