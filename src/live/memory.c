#include "live/memory.h"

#include <string.h>

#include "live/find.h"
#include "live/section.h"
#include "vocabulary/failure.h"
#include "vocabulary/memory.h"

/*
 * ---- Blocks and tables ----
 */

void *weir_retirable_new(struct weir_engine *engine, size_t size)
{
    struct weir_retired *made = weir_allocate(&engine->writer.allocator, size);

    if (made != NULL) {
        *made = (struct weir_retired){.size = size};
    }
    return made;
}

void weir_retirable_free(struct weir_engine *engine, struct weir_retired *retired)
{
    if (retired != NULL) {
        weir_release(&engine->writer.allocator, retired, retired->size);
    }
}

struct weir_own_block *weir_own_block_new(struct weir_engine *engine,
                                          const struct weir_block *block)
{
    size_t size = weir_block_size(block);
    struct weir_own_block *made = weir_retirable_new(
        engine, offsetof(struct weir_own_block, block) + size + WEIR_TOKEN_MARGIN);

    if (made != NULL) {
        char *bytes = (char *)made + offsetof(struct weir_own_block, block);

        memcpy(bytes, block, size);
        memset(bytes + size, 0, WEIR_TOKEN_MARGIN);
    }
    return made;
}

/*
 * ---- Handles ----
 */

static size_t segment_size(unsigned segment)
{
    return sizeof(uintptr_t) << (WEIR_HANDLES_FIRST_LOG + segment);
}

/* Makes entries for handles that have none yet. */
static enum weir_status add_segment(struct weir_engine *engine, struct weir_error *error)
{
    struct weir_writer *writer = &engine->writer;
    uint32_t position = writer->handles_usable + (UINT32_C(1) << WEIR_HANDLES_FIRST_LOG);
    unsigned segment = 31 - (unsigned)__builtin_clz(position) - WEIR_HANDLES_FIRST_LOG;
    uintptr_t *entries = NULL;

    if (writer->handles_usable == WEIR_HANDLES_MAX) {
        return weir_fail(error, WEIR_ERROR_LIMIT, "too many tokens that the image lacks");
    }
    entries = weir_allocate(&writer->allocator, segment_size(segment));
    if (entries == NULL) {
        return weir_fail_memory(error);
    }
    __atomic_store_n(&engine->handles.segments[segment], entries, __ATOMIC_RELAXED); /* D */
    writer->handles_usable += UINT32_C(1) << (WEIR_HANDLES_FIRST_LOG + segment);
    return WEIR_OK;
}

enum weir_status weir_handle_take(struct weir_engine *engine, uint32_t *handle,
                                  struct weir_error *error)
{
    struct weir_writer *writer = &engine->writer;

    if (writer->free_handle != WEIR_HANDLES_MAX) {
        *handle = writer->free_handle;
        writer->free_handle = (uint32_t)*weir_handles_entry(&engine->handles, *handle);
        return WEIR_OK;
    }
    if (writer->handles_used == writer->handles_usable) {
        enum weir_status status = add_segment(engine, error);

        if (status != WEIR_OK) {
            return status;
        }
    }
    *handle = writer->handles_used++;
    return WEIR_OK;
}

void weir_handle_give_back(struct weir_engine *engine, uint32_t handle)
{
    *weir_handles_entry(&engine->handles, handle) = engine->writer.free_handle;
    engine->writer.free_handle = handle;
}

void weir_handles_release(struct weir_engine *engine)
{
    for (unsigned segment = 0; segment < WEIR_HANDLE_SEGMENTS; segment++) {
        weir_release(&engine->writer.allocator, engine->handles.segments[segment],
                     segment_size(segment));
    }
}

/*
 * ---- What is retired ----
 */

/* More than one change retires. */
#define RELEASED_PER_CHANGE 8

void weir_retire(struct weir_engine *engine, struct weir_retired *retired,
                 enum weir_retired_kind kind)
{
    struct weir_writer *writer = &engine->writer;

    retired->kind = kind;
    retired->next = writer->retired;
    writer->retired = retired;
    writer->retired_bytes += retired->size;
}

/* Releases up to `count` of what no reader sees any more. */
static void release_passed(struct weir_engine *engine, size_t count)
{
    struct weir_writer *writer = &engine->writer;

    for (; count > 0 && writer->passed != NULL; count--) {
        struct weir_retired *retired = writer->passed;

        writer->passed = retired->next;
        writer->passed_bytes -= retired->size;
        if (retired->kind == WEIR_RETIRED_TOKEN) {
            weir_handle_give_back(engine, retired->handle);
        }
        weir_retirable_free(engine, retired);
    }
}

/* Waits for a grace period, which all that is on the list then has behind it. */
static void pass_grace(struct weir_engine *engine)
{
    struct weir_writer *writer = &engine->writer;

    release_passed(engine, SIZE_MAX);
    if (writer->retired == NULL) {
        return;
    }
    weir_grace_wait();
    writer->passed = writer->retired;
    writer->passed_bytes = writer->retired_bytes;
    writer->retired = NULL;
    writer->retired_bytes = 0;
}

void weir_retired_release(struct weir_engine *engine)
{
    pass_grace(engine);
    release_passed(engine, SIZE_MAX);
}

void weir_retired_settle(struct weir_engine *engine)
{
    if (engine->writer.retired_bytes > engine->writer.retired_max / 2) {
        pass_grace(engine);
    }
    release_passed(engine, RELEASED_PER_CHANGE);
}
