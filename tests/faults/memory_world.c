#include "faults/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "library/asking.h"
#include "library/bytes.h"
#include "live/recipes.h"

#define QUESTION                                                                                   \
    "{\"token\":\"two\",\"op\":\"read\",\"basin\":\"first-basin\",\"stream\":\"logs/audit\"}"

static struct weir_image *open_copy(const struct world *world, const struct bytes *bytes)
{
    struct weir_image *image = NULL;

    ck_assert_int_eq(weir_image_open_memory(bytes->bytes, bytes->size, WEIR_IMAGE_COPY,
                                            world->allocator, &image, NULL),
                     WEIR_OK);
    return image;
}

static void make_images(struct world *world)
{
    struct bytes bytes = bytes_of_samples();
    struct recipe other = {"a", .version = 4};

    world->image = open_copy(world, &bytes);
    world->token = weir_image_find(world->image, WEIR_TEXT("broker"));
    ck_assert_ptr_nonnull(world->token);
    scratch_make(&world->scratch);
    write_file(world->scratch.path, bytes.bytes, bytes.size);
    free(bytes.bytes);
    bytes = bytes_of_image(compile_recipes(&other, 1, 7));
    world->other = open_copy(world, &bytes);
    free(bytes.bytes);
}

static void make_compiler(struct world *world)
{
    ck_assert_int_eq(weir_compiler_new(world->allocator, &world->compiler, NULL), WEIR_OK);
    for (size_t i = 0; i < SAMPLE_COUNT; i++) {
        ck_assert_int_eq(weir_compiler_add(world->compiler, &world->samples.tokens[i], i, NULL),
                         WEIR_OK);
    }
}

static void make_large(struct world *world)
{
    struct large_token *large = calloc(1, sizeof *large);

    ck_assert_ptr_nonnull(large);
    for (size_t i = 0; i < LARGE_SCOPES; i++) {
        (void)snprintf(large->names[i], sizeof large->names[i], "%zx/large/%zu", i, i);
        large->scopes[i] = (struct weir_scope){.streams = {WEIR_SET_PREFIX, {large->names[i], 8}},
                                               .basins = {WEIR_SET_PREFIX, WEIR_TEXT("")},
                                               .ops = WEIR_OPERATION_BIT(WEIR_READ)};
    }
    large->token = (struct weir_token){
        .id = WEIR_TEXT("large"), .scopes = large->scopes, .scope_count = LARGE_SCOPES};
    world->large = large;
}

static void make_engine(struct world *world)
{
    struct weir_engine_options options = {.allocator = world->allocator, .retired_max = 1};

    world->engine = engine_on(world->image, &options);
    ck_assert_int_eq(put_token(world->engine, (struct recipe){"a", .version = 1, .credential = 1}),
                     WEIR_OK);
    ck_assert_int_eq(put_token(world->engine, (struct recipe){"b", .version = 2}), WEIR_OK);
}

/* The changes after the snapshot that the follower has need another segment, and a large block. */
static void make_directory(struct world *world)
{
    struct weir_follower_options options = {.allocator = world->allocator, .retired_max = 1};
    struct weir_compiled_token *large = compile_large("large", 1500);
    struct stage *stage = &world->stage;

    stage_make(stage);
    stage->options.allocator = world->allocator;
    stage_create_anew(stage, &(struct recipe){"a", .version = 1, .credential = 1}, 1, 0);
    ck_assert_int_eq(weir_follower_open(stage->path, &options, &world->follower, NULL), WEIR_OK);
    ck_assert_int_eq(publish_issue(stage, (struct recipe){"b", .version = 1}), WEIR_OK);
    ck_assert_int_eq(publish_compact(stage), WEIR_OK);
    ck_assert_int_eq(publish_block(stage, large), WEIR_OK);
    free(large);
}

void world_make(struct world *world, bool by_malloc)
{
    memset(world, 0, sizeof *world);
    counting_allocator_start(&world->counting);
    world->allocator = by_malloc ? NULL : &world->counting.allocator;
    samples_make(&world->samples);
    make_images(world);
    make_compiler(world);
    make_large(world);
    make_engine(world);
    make_directory(world);
    ck_assert_int_eq(weir_question_buffer_new(world->allocator, &world->buffer, NULL), WEIR_OK);
    world->fresh = compile_recipe((struct recipe){"c", .version = 3, .credential = 3});
    world->change = compile_recipe((struct recipe){"a", .version = 5, .credential = 5});
}

void world_remove(struct world *world)
{
    weir_follower_close(world->follower);
    stage_remove(&world->stage);
    weir_engine_close(world->engine);
    weir_compiler_free(world->compiler);
    free(world->large);
    weir_question_buffer_free(world->buffer);
    weir_image_close(world->image);
    weir_image_close(world->other);
    scratch_remove(&world->scratch);
    free(world->fresh);
    free(world->change);
    counting_allocator_expect_balance(&world->counting);
}

static uint64_t mix(uint64_t sum, const void *bytes, size_t size)
{
    const unsigned char *each = bytes;

    for (size_t i = 0; i < size; i++) {
        sum = sum * 31 + each[i];
    }
    return sum;
}

static uint64_t mix_engine(uint64_t sum, const struct weir_engine *engine)
{
    struct state state = state_of(engine);

    sum = mix(sum, state.by_id, sizeof state.by_id);
    sum = mix(sum, state.by_credential, sizeof state.by_credential);
    sum = mix(sum, state.issue_numbers, sizeof state.issue_numbers);
    return sum * 31 + state.tokens;
}

/* What it would make. */
static uint64_t mix_compiler(uint64_t sum, struct world *world)
{
    struct weir_image *image = NULL;
    size_t size = 0;

    ck_assert_int_eq(weir_compile(world->compiler, 0, &image, NULL, NULL), WEIR_OK);
    sum = mix(sum, weir_image_bytes(image, &size), size) + weir_compiler_count(world->compiler);
    weir_image_close(image);
    return sum;
}

uint64_t world_state(struct world *world)
{
    struct weir_question question = {0};
    size_t size = 0;
    const void *bytes = weir_image_bytes(world->image, &size);
    uint64_t sum = ask_everything(world->image);

    sum = sum * 31 + (uint64_t)file_has(world->scratch.path, bytes, size);
    sum = mix_engine(sum, world->engine);
    sum = mix_engine(sum, weir_publisher_engine(world->stage.publisher));
    sum = mix_engine(sum, engine_of(world->follower));
    sum = sum * 31 + weir_publisher_sequence(world->stage.publisher);
    sum = sum * 31 + sequence_of(world->follower);
    sum = mix_compiler(sum, world);
    ck_assert_int_eq(weir_question_parse(WEIR_TEXT(QUESTION), world->buffer, &question, NULL),
                     WEIR_OK);
    return mix(sum, question.request.stream.bytes, question.request.stream.length);
}
