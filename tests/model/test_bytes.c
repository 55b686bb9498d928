/* The same tokens make the same bytes: in any order, with their scopes in any order, one alone or
 * among others. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weir/image.h>

#include "model/generate.h"
#include "model/images.h"
#include "model/report.h"

#define WORLDS 192

/* The tokens in another order, their scopes too. Free with free_shuffled. */
static struct weir_token *shuffled(struct world *world)
{
    struct weir_token *tokens = must_allocate(world->count * sizeof *tokens);

    for (size_t i = 0; i < world->count; i++) {
        const size_t size = world->tokens[i].scope_count * sizeof(struct weir_scope);
        struct weir_scope *scopes = must_allocate(size);

        memcpy(scopes, world->tokens[i].scopes, size);
        shuffle(&world->dice, scopes, world->tokens[i].scope_count, sizeof *scopes);
        tokens[i] = world->tokens[i];
        tokens[i].scopes = scopes;
    }
    shuffle(&world->dice, tokens, world->count, sizeof *tokens);
    return tokens;
}

static void free_shuffled(struct weir_token *tokens, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free((void *)(uintptr_t)tokens[i].scopes);
    }
    free(tokens);
}

static void compare_image_of_another_order(struct world *world, const struct weir_image *image)
{
    struct weir_token *tokens = shuffled(world);
    struct weir_image *other = compile_tokens(world, tokens, world->count, world->seed);
    size_t size = 0;
    size_t other_size = 0;
    const void *bytes = weir_image_bytes(image, &size);
    const void *other_bytes = weir_image_bytes(other, &other_size);

    if (size != other_size || memcmp(bytes, other_bytes, size) != 0) {
        report_world(world, "another order makes other bytes");
        ck_abort_msg("%zu and %zu bytes, or others (see above)", size, other_size);
    }
    weir_image_close(other);
    free_shuffled(tokens, world->count);
}

static void compare_blocks(const struct world *world, const struct weir_image *image)
{
    for (size_t i = 0; i < world->count; i++) {
        const struct weir_compiled_token *within = weir_image_find(image, world->tokens[i].id);
        size_t size = 0;
        struct weir_compiled_token *alone = compile_alone(world, &world->tokens[i], &size);

        ck_assert_ptr_nonnull(within);
        if (size != weir_compiled_token_size(alone) + WEIR_TOKEN_MARGIN ||
            weir_compiled_token_size(alone) != weir_compiled_token_size(within) ||
            memcmp(alone, within, weir_compiled_token_size(within)) != 0) {
            report_world(world, "a token alone is not the one in the image");
            report_token(&world->tokens[i]);
            ck_abort_msg("%zu and %zu bytes, or others (see above)",
                         weir_compiled_token_size(alone), weir_compiled_token_size(within));
        }
        free(alone);
    }
}

static void compare_saved(const struct world *world, const struct weir_image *image)
{
    struct weir_image *saved = save_and_open(world, image, WEIR_IMAGE_SHARED);
    size_t size = 0;
    size_t saved_size = 0;
    const void *bytes = weir_image_bytes(image, &size);
    const void *saved_bytes = weir_image_bytes(saved, &saved_size);

    ck_assert_uint_eq(size, saved_size);
    ck_assert_mem_eq(bytes, saved_bytes, size);
    weir_image_close(saved);
}

static void for_each_world(void (*examine)(struct world *world, const struct weir_image *image))
{
    const uint64_t seed = model_seed();

    for (uint64_t i = 0; i < model_amount(WORLDS); i++) {
        struct world *world = world_new(seed + i);
        struct weir_image *image = compile_world(world);

        examine(world, image);
        weir_image_close(image);
        world_free(world);
    }
}

START_TEST(the_order_of_tokens_and_scopes_makes_no_difference)
{
    for_each_world(compare_image_of_another_order);
}
END_TEST

static void compare_parts(struct world *world, const struct weir_image *image)
{
    compare_blocks(world, image);
    compare_saved(world, image);
}

START_TEST(a_token_alone_is_the_block_in_an_image_and_a_file_is_the_image)
{
    for_each_world(compare_parts);
}
END_TEST

int main(void)
{
    const TTest *const cases[] = {
        the_order_of_tokens_and_scopes_makes_no_difference,
        a_token_alone_is_the_block_in_an_image_and_a_file_is_the_image,
    };

    return run_cases("bytes", cases, COUNT_OF(cases));
}
