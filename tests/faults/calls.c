/* calls.c - the public functions that take memory. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weir/decision.h>
#include <weir/difference.h>
#include <weir/listing.h>

#include "faults/memory.h"

/*
 * ---- compile.h ----
 */

static enum weir_status compiler_new(struct world *world, struct weir_error *error)
{
    struct weir_compiler *compiler = NULL;
    enum weir_status status = weir_compiler_new(world->allocator, &compiler, error);

    demand((compiler != NULL) == (status == WEIR_OK));
    weir_compiler_free(compiler);
    return status;
}

static enum weir_status compiler_add(struct world *world, struct weir_error *error)
{
    return weir_compiler_add(world->compiler, &world->large->token, 0, error);
}

static enum weir_status compile(struct world *world, struct weir_error *error)
{
    struct weir_image *image = NULL;
    enum weir_status status = weir_compile(world->compiler, 0, &image, NULL, error);

    demand((image != NULL) == (status == WEIR_OK));
    weir_image_close(image);
    return status;
}

static enum weir_status compile_token(struct world *world, struct weir_error *error)
{
    struct weir_compiled_token *compiled = NULL;
    size_t size = 0;
    enum weir_status status = weir_compile_token(&world->samples.tokens[SAMPLE_COUNT - 1],
                                                 world->allocator, &compiled, &size, error);

    demand((compiled != NULL) == (status == WEIR_OK));
    if (compiled != NULL && world->allocator != NULL) {
        world->allocator->release(world->allocator->context, compiled, size);
    } else {
        free(compiled);
    }
    return status;
}

/*
 * ---- image.h ----
 */

static enum weir_status open_file(struct world *world, enum weir_image_mode mode,
                                  struct weir_error *error)
{
    struct weir_image *image = NULL;
    enum weir_status status =
        weir_image_open(world->scratch.path, mode, world->allocator, &image, error);

    demand((image != NULL) == (status == WEIR_OK));
    weir_image_close(image);
    return status;
}

static enum weir_status open_shared(struct world *world, struct weir_error *error)
{
    return open_file(world, WEIR_IMAGE_SHARED, error);
}

static enum weir_status open_copy(struct world *world, struct weir_error *error)
{
    return open_file(world, WEIR_IMAGE_COPY, error);
}

static enum weir_status open_memory(struct world *world, enum weir_image_mode mode,
                                    struct weir_error *error)
{
    struct weir_image *image = NULL;
    size_t size = 0;
    const void *bytes = weir_image_bytes(world->image, &size);
    enum weir_status status =
        weir_image_open_memory(bytes, size, mode, world->allocator, &image, error);

    demand((image != NULL) == (status == WEIR_OK));
    weir_image_close(image);
    return status;
}

static enum weir_status open_memory_shared(struct world *world, struct weir_error *error)
{
    return open_memory(world, WEIR_IMAGE_SHARED, error);
}

static enum weir_status open_memory_copy(struct world *world, struct weir_error *error)
{
    return open_memory(world, WEIR_IMAGE_COPY, error);
}

static enum weir_status validate(struct world *world, struct weir_error *error)
{
    size_t size = 0;
    const void *bytes = weir_image_bytes(world->image, &size);

    return weir_image_validate(bytes, size, world->allocator, error);
}

static void count_text(void *context, struct weir_text text)
{
    *(size_t *)context += text.length;
}

static enum weir_status dump(struct world *world, struct weir_error *error)
{
    size_t written = 0;
    enum weir_status status =
        weir_compiled_token_dump(world->token, world->allocator, count_text, &written, error);

    demand((written != 0) == (status == WEIR_OK));
    return status;
}

static enum weir_status dot(struct world *world, struct weir_error *error)
{
    size_t written = 0;
    enum weir_status status =
        weir_compiled_token_dot(world->token, world->allocator, count_text, &written, error);

    demand((written != 0) == (status == WEIR_OK));
    return status;
}

/*
 * ---- decision.h, listing.h ----
 */

static const struct weir_request request = {
    .operation = WEIR_READ, .basin = {"acme-production", 15}, .stream = {"0/0/x", 5}};

static enum weir_status who(struct world *world, struct weir_error *error)
{
    struct weir_tokens tokens = {NULL, 0};
    enum weir_status status =
        weir_who(world->image, &request, SAMPLE_NOW, world->allocator, &tokens, error);

    demand((tokens.count != 0) == (status == WEIR_OK));
    if (status == WEIR_OK) {
        weir_tokens_free(&tokens, world->allocator);
    }
    return status;
}

static enum weir_status narrow(struct world *world, struct weir_error *error)
{
    enum weir_reason reason = WEIR_STALE;
    struct weir_listing *listing = NULL;
    enum weir_status status =
        weir_narrow(world->token, WEIR_LIST_STREAMS, text_of("acme-production"), text_of(""),
                    SAMPLE_NOW, world->allocator, &reason, &listing, error);

    demand((listing != NULL) == (status == WEIR_OK));
    weir_listing_free(listing);
    return status;
}

/*
 * ---- difference.h ----
 */

static void count_difference(void *context, const struct weir_difference *difference)
{
    (void)difference;
    ++*(size_t *)context;
}

static enum weir_status diff(struct world *world, struct weir_error *error)
{
    size_t differences = 0;

    return weir_diff(world->image, world->other, SAMPLE_NOW, world->allocator, count_difference,
                     &differences, error);
}

static enum weir_status diff_tokens(struct world *world, struct weir_error *error)
{
    size_t differences = 0;

    return weir_diff_tokens(world->token, world->fresh, SAMPLE_NOW, world->allocator,
                            count_difference, &differences, error);
}

/*
 * ---- engine.h ----
 */

static enum weir_status engine_open(struct world *world, struct weir_error *error)
{
    struct weir_engine_options options = {.allocator = world->allocator};
    struct weir_engine *engine = NULL;
    enum weir_status status = weir_engine_open(world->image, &options, &engine, error);

    demand((engine != NULL) == (status == WEIR_OK));
    weir_engine_close(engine);
    return status;
}

static enum weir_status engine_open_tokens(struct world *world, struct weir_error *error)
{
    const struct weir_compiled_token *tokens[] = {world->fresh, world->change};
    struct weir_engine_options options = {.allocator = world->allocator};
    struct weir_engine *engine = NULL;
    enum weir_status status = weir_engine_open_tokens(tokens, 2, &options, &engine, error);

    demand((engine != NULL) == (status == WEIR_OK));
    weir_engine_close(engine);
    return status;
}

static enum weir_status engine_issue(struct world *world, struct weir_error *error)
{
    return weir_engine_issue(world->engine, world->fresh, error);
}

static enum weir_status engine_replace(struct world *world, struct weir_error *error)
{
    return weir_engine_replace(world->engine, world->change, error);
}

static enum weir_status engine_put(struct world *world, struct weir_error *error)
{
    return weir_engine_put(world->engine, world->fresh, error);
}

static enum weir_status engine_swap(struct world *world, struct weir_error *error)
{
    return weir_engine_swap(world->engine, world->other, error);
}

static enum weir_status engine_compact(struct world *world, struct weir_error *error)
{
    struct weir_image *image = NULL;
    enum weir_status status =
        weir_engine_compact(world->engine, NOW, 1, world->allocator, &image, error);

    demand((image != NULL) == (status == WEIR_OK));
    weir_image_close(image);
    return status;
}

static enum weir_status engine_who(struct world *world, struct weir_error *error)
{
    struct weir_tokens tokens = {NULL, 0};
    enum weir_status status = WEIR_OK;

    weir_read_begin();
    status = weir_engine_who(world->engine, &request, NOW, world->allocator, &tokens, error);
    weir_read_end();
    demand((tokens.count != 0) == (status == WEIR_OK));
    if (status == WEIR_OK) {
        weir_tokens_free(&tokens, world->allocator);
    }
    return status;
}

/*
 * ---- publish.h, follow.h ----
 */

/* Paths in the stage's folder, where nothing is, and where a publisher ended. */
static void path_of(const struct world *world, const char *name, char path[512])
{
    (void)snprintf(path, 512, "%s/%s", world->stage.folder, name);
}

static enum weir_status publisher_create(struct world *world, struct weir_error *error)
{
    struct weir_publisher *publisher = NULL;
    char path[512];
    enum weir_status status = WEIR_OK;

    path_of(world, "created", path);
    status = weir_publisher_create(path, world->image, &world->stage.options, &publisher, error);
    demand((publisher != NULL) == (status == WEIR_OK));
    weir_publisher_close(publisher);
    return status;
}

static void copy_published(struct world *world)
{
    shell(&world->stage, "test -e \"$F/copy\" || cp -a \"$D\" \"$F/copy\"");
}

static enum weir_status publisher_resume(struct world *world, struct weir_error *error)
{
    struct weir_publisher *publisher = NULL;
    char path[512];
    enum weir_status status = WEIR_OK;

    make_with_memory(world, copy_published);
    path_of(world, "copy", path);
    status = weir_publisher_resume(path, &world->stage.options, &publisher, error);
    demand((publisher != NULL) == (status == WEIR_OK));
    weir_publisher_close(publisher);
    return status;
}

static enum weir_status publisher_issue(struct world *world, struct weir_error *error)
{
    return weir_publisher_issue(world->stage.publisher, world->fresh, NULL, error);
}

static enum weir_status publisher_replace(struct world *world, struct weir_error *error)
{
    return weir_publisher_replace(world->stage.publisher, world->change, NULL, error);
}

static enum weir_status publisher_put(struct world *world, struct weir_error *error)
{
    return weir_publisher_put(world->stage.publisher, world->fresh, NULL, error);
}

static enum weir_status publisher_compact(struct world *world, struct weir_error *error)
{
    return weir_publisher_compact(world->stage.publisher, NOW, error);
}

static enum weir_status follower_open(struct world *world, struct weir_error *error)
{
    struct weir_follower_options options = {.allocator = world->allocator};
    struct weir_follower *follower = NULL;
    enum weir_status status = weir_follower_open(world->stage.path, &options, &follower, error);

    demand((follower != NULL) == (status == WEIR_OK));
    weir_follower_close(follower);
    return status;
}

static enum weir_status follower_poll(struct world *world, struct weir_error *error)
{
    return weir_follower_poll(world->follower, weir_clocks_now().boot, 0, error);
}

static enum weir_status follower_adopt(struct world *world, struct weir_error *error)
{
    return weir_follower_adopt(world->follower, error);
}

/*
 * ---- wire.h ----
 *
 * No string is of a length at which jansson itself errs (tests/wire/memory_test.c says which).
 */

#define TOKEN                                                                                      \
    "{\"id\":\"t\",\"scopes\":[{\"streams\":{\"prefix\":\"abc\"},\"ops\":[\"read\"]},"             \
    "{\"op_groups\":{\"stream\":{\"read\":true}}},{\"ops\":[\"trim\"]}]}"

static enum weir_status token_parse(struct world *world, struct weir_error *error)
{
    struct weir_token *token = NULL;
    enum weir_status status = weir_token_parse(WEIR_TEXT(TOKEN), world->allocator, &token, error);

    demand((token != NULL) == (status == WEIR_OK));
    weir_token_free(token, world->allocator);
    return status;
}

static ptrdiff_t read_text(void *context, void *buffer, size_t size)
{
    struct weir_text *left = context;

    size = size < left->length ? size : left->length;
    memcpy(buffer, left->bytes, size);
    left->bytes += size;
    left->length -= size;
    return (ptrdiff_t)size;
}

static enum weir_status count_token(void *context, const struct weir_token *token,
                                    uint64_t position, struct weir_error *error)
{
    (void)token;
    (void)error;
    *(uint64_t *)context = position + 1;
    return WEIR_OK;
}

static enum weir_status token_file_read(struct world *world, struct weir_error *error)
{
    struct weir_text text = WEIR_TEXT("[" TOKEN "," TOKEN "]");
    uint64_t count = 0;
    enum weir_status status =
        weir_token_file_read(read_text, &text, world->allocator, count_token, &count, NULL, error);

    demand(status != WEIR_OK || count == 2);
    return status;
}

static enum weir_status question_buffer_new(struct world *world, struct weir_error *error)
{
    struct weir_question_buffer *buffer = NULL;
    enum weir_status status = weir_question_buffer_new(world->allocator, &buffer, error);

    demand((buffer != NULL) == (status == WEIR_OK));
    weir_question_buffer_free(buffer);
    return status;
}

static enum weir_status question_parse(struct world *world, struct weir_error *error)
{
    struct weir_question question;

    return weir_question_parse(
        WEIR_TEXT("{\"token\":\"t\",\"op\":\"read\",\"basin\":\"b-basin-b\",\"stream\":\"s\"}"),
        world->buffer, &question, error);
}

const struct call calls[] = {
    {"weir_compiler_new", compiler_new, NOTHING_PECULIAR},
    {"weir_compiler_add", compiler_add, NOTHING_PECULIAR},
    {"weir_compile", compile, NOTHING_PECULIAR},
    {"weir_compile_token", compile_token, NOTHING_PECULIAR},
    {"weir_image_open", open_shared, NOTHING_PECULIAR},
    {"weir_image_open", open_copy, NOTHING_PECULIAR},
    {"weir_image_open_memory", open_memory_shared, NOTHING_PECULIAR},
    {"weir_image_open_memory", open_memory_copy, NOTHING_PECULIAR},
    {"weir_image_validate", validate, NOTHING_PECULIAR},
    {"weir_compiled_token_dump", dump, NOTHING_PECULIAR},
    {"weir_compiled_token_dot", dot, NOTHING_PECULIAR},
    {"weir_who", who, NOTHING_PECULIAR},
    {"weir_narrow", narrow, NOTHING_PECULIAR},
    {"weir_diff", diff, NOTHING_PECULIAR},
    {"weir_diff_tokens", diff_tokens, NOTHING_PECULIAR},
    {"weir_engine_open", engine_open, NOTHING_PECULIAR},
    {"weir_engine_open_tokens", engine_open_tokens, NOTHING_PECULIAR},
    {"weir_engine_issue", engine_issue, NOTHING_PECULIAR},
    {"weir_engine_replace", engine_replace, NOTHING_PECULIAR},
    {"weir_engine_put", engine_put, NOTHING_PECULIAR},
    {"weir_engine_swap", engine_swap, NOTHING_PECULIAR},
    {"weir_engine_compact", engine_compact, NOTHING_PECULIAR},
    {"weir_engine_who", engine_who, NOTHING_PECULIAR},
    {"weir_publisher_create", publisher_create, NOTHING_PECULIAR},
    {"weir_publisher_resume", publisher_resume, NOTHING_PECULIAR},
    {"weir_publisher_issue", publisher_issue, NOTHING_PECULIAR},
    {"weir_publisher_replace", publisher_replace, NOTHING_PECULIAR},
    {"weir_publisher_put", publisher_put, NOTHING_PECULIAR},
    {"weir_publisher_compact", publisher_compact, NOTHING_PECULIAR},
    {"weir_follower_open", follower_open, NOTHING_PECULIAR},
    {"weir_follower_poll", follower_poll, GOES_ON},
    {"weir_follower_adopt", follower_adopt, GOES_ON},
    {"weir_token_parse", token_parse, NOTHING_PECULIAR},
    {"weir_token_file_read", token_file_read, NOTHING_PECULIAR},
    {"weir_question_buffer_new", question_buffer_new, NOTHING_PECULIAR},
    {"weir_question_parse", question_parse, OF_OTHERS},
};

const size_t call_count = COUNT(calls);
