#include <weir/engine.h>

#include "image/layout.h"
#include "live/edition.h"
#include "live/find.h"
#include "vocabulary/failure.h"
#include "vocabulary/memory.h"

/* For so long after it has expired a token is kept: it denies as expired, not as unknown. */
#define EXPIRED_KEPT_SECONDS 3600

struct weir_expiry weir_first_kept(struct weir_instant now)
{
    if (now.seconds < WEIR_INSTANT_SECONDS_MIN + EXPIRED_KEPT_SECONDS) {
        return weir_expiry_of((struct weir_instant){WEIR_INSTANT_SECONDS_MIN, 0});
    }
    now.seconds -= EXPIRED_KEPT_SECONDS;
    return weir_expiry_of(now);
}

/* The tokens of an engine that are to go into an image. */
struct gathering {
    const struct weir_engine *engine;
    struct weir_expiry kept; /* what expired before is left out */
    struct weir_compiled_entry *entries;
    struct weir_content content;
};

static bool gather(void *context, uint32_t offset)
{
    struct gathering *gathering = context;
    const struct weir_block *block =
        weir_live_block(gathering->engine, &gathering->engine->edition->base, offset);

    if (!weir_block_expired_before(block, gathering->kept)) {
        uint64_t count = gathering->content.count;

        gathering->entries[count] = (struct weir_compiled_entry){block, count};
        weir_content_add(&gathering->content, block, weir_block_size(block));
    }
    return true;
}

enum weir_status weir_engine_compact(const struct weir_engine *engine, struct weir_instant now,
                                     uint64_t sequence, const struct weir_allocator *allocator,
                                     struct weir_image **image, struct weir_error *error)
{
    struct weir_allocator memory = weir_allocator_or_default(allocator);
    size_t size = (engine->edition->token_count + 1) * sizeof(struct weir_compiled_entry);
    struct gathering gathering = {.engine = engine};
    enum weir_status status = WEIR_OK;

    if (engine->edition->token_count > WEIR_IMAGE_TOKENS_MAX) {
        return weir_fail(error, WEIR_ERROR_LIMIT, "too many tokens for one image");
    }
    gathering.entries = weir_allocate(&memory, size);
    if (gathering.entries == NULL) {
        return weir_fail_memory(error);
    }
    gathering.kept = weir_first_kept(now);
    (void)weir_edition_each(engine->edition, gather, &gathering);
    status =
        weir_lay_out(gathering.entries, &gathering.content, sequence, &memory, image, NULL, error);
    weir_release(&memory, gathering.entries, size);
    return status;
}
