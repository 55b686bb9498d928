#include "live/engine.h"

#include <string.h>

#include "image/layout.h"
#include "live/edition.h"
#include "live/memory.h"
#include "live/section.h"
#include "vocabulary/failure.h"
#include "vocabulary/memory.h"

#define RETIRED_MAX_DEFAULT ((size_t)4 << 20)

/*
 * ---- Opening and closing ----
 */

/* An engine without an edition. */
static struct weir_engine *engine_new(const struct weir_engine_options *options)
{
    const struct weir_engine_options defaults = {0};
    struct weir_allocator allocator;
    struct weir_engine *engine = NULL;

    options = options != NULL ? options : &defaults;
    allocator = weir_allocator_or_default(options->allocator);
    engine = weir_allocate(&allocator, sizeof *engine);
    if (engine != NULL) {
        memset(engine, 0, sizeof *engine);
        engine->writer.allocator = allocator;
        engine->writer.retired_max =
            options->retired_max != 0 ? options->retired_max : RETIRED_MAX_DEFAULT;
        engine->writer.free_handle = WEIR_HANDLES_MAX;
    }
    return engine;
}

static enum weir_status open_engine(const struct weir_image *image, bool take_over,
                                    const struct weir_engine_options *options,
                                    struct weir_engine **engine, struct weir_error *error)
{
    struct weir_engine *made = engine_new(options);
    enum weir_status status = WEIR_OK;

    if (made == NULL) {
        return weir_fail_memory(error);
    }
    status = weir_edition_prepare(made, image, take_over, &made->edition, error);
    if (status != WEIR_OK) {
        struct weir_allocator allocator = made->writer.allocator;

        weir_release(&allocator, made, sizeof *made);
        return status;
    }
    made->edition->generation = ++made->writer.generation;
    *engine = made;
    return WEIR_OK;
}

enum weir_status weir_engine_open(const struct weir_image *image,
                                  const struct weir_engine_options *options,
                                  struct weir_engine **engine, struct weir_error *error)
{
    return open_engine(image, false, options, engine, error);
}

/* The image of these tokens. */
static enum weir_status lay_out_tokens(const struct weir_compiled_token *const *tokens,
                                       size_t count, const struct weir_allocator *allocator,
                                       struct weir_image **image, struct weir_error *error)
{
    size_t size = (count + 1) * sizeof(struct weir_compiled_entry);
    struct weir_compiled_entry *entries = weir_allocate(allocator, size);
    struct weir_content content = {0};
    enum weir_status status = WEIR_OK;

    if (entries == NULL) {
        return weir_fail_memory(error);
    }
    for (size_t i = 0; i < count; i++) {
        const struct weir_block *block = weir_block_of(tokens[i]);

        entries[i] = (struct weir_compiled_entry){block, i};
        weir_content_add(&content, block, weir_block_size(block));
    }
    status = weir_lay_out(entries, &content, 0, allocator, image, NULL, error);
    weir_release(allocator, entries, size);
    return status;
}

enum weir_status weir_engine_open_tokens(const struct weir_compiled_token *const *tokens,
                                         size_t count, const struct weir_engine_options *options,
                                         struct weir_engine **engine, struct weir_error *error)
{
    struct weir_allocator allocator =
        weir_allocator_or_default(options != NULL ? options->allocator : NULL);
    struct weir_image *image = NULL;
    enum weir_status status = lay_out_tokens(tokens, count, &allocator, &image, error);

    if (status == WEIR_OK) {
        status = open_engine(image, true, options, engine, error);
    }
    if (status != WEIR_OK) {
        weir_image_close(image);
    }
    return status;
}

void weir_engine_close(struct weir_engine *engine)
{
    struct weir_allocator allocator;

    if (engine == NULL) {
        return;
    }
    allocator = engine->writer.allocator;
    weir_retired_release(engine);
    weir_edition_discard(engine, engine->edition);
    weir_handles_release(engine);
    weir_release(&allocator, engine, sizeof *engine);
}

/*
 * ---- The whole ----
 */

enum weir_status weir_engine_swap(struct weir_engine *engine, const struct weir_image *image,
                                  struct weir_error *error)
{
    struct weir_edition *edition = NULL;
    enum weir_status status = WEIR_OK;

    if (weir_section_open()) {
        return weir_fail_section(error, "a swap");
    }
    status = weir_edition_prepare(engine, image, false, &edition, error);
    if (status == WEIR_OK) {
        weir_edition_let_go(engine, weir_edition_replace(engine, edition));
    }
    return status;
}

enum weir_status weir_engine_reclaim(struct weir_engine *engine, struct weir_error *error)
{
    if (weir_section_open()) {
        return weir_fail_section(error, "reclaiming");
    }
    weir_retired_release(engine);
    return WEIR_OK;
}

struct weir_usage weir_engine_usage(const struct weir_engine *engine)
{
    const struct weir_writer *writer = &engine->writer;
    const struct weir_own *own = engine->edition->own;

    return (struct weir_usage){
        .tokens = engine->edition->token_count,
        .own_tokens = writer->own_count,
        .own_bytes = writer->own_bytes + (own != NULL ? own->retired.size : 0) +
                     writer->handles_usable * sizeof(uintptr_t),
        .retired_bytes = writer->retired_bytes + writer->passed_bytes,
    };
}
