/* An image holds the tokens that were declared, each to be found in every way there is, and nothing
 * else; where its bytes lie makes no difference. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weir/decision.h>
#include <weir/image.h>

#include "model/generate.h"
#include "model/images.h"
#include "model/naive.h"
#include "model/report.h"

#define WORLDS 128

_Noreturn static void disagree(const struct world *world, const struct weir_token *token,
                               const char *what)
{
    report_world(world, what);
    if (token != NULL) {
        report_token(token);
    }
    ck_abort_msg("%s (see above)", what);
    abort();
}

static bool says_what_was_declared(const struct weir_compiled_token *compiled,
                                   const struct weir_token *token)
{
    struct weir_instant expiry = {-1, 77};
    const uint8_t *digest = weir_compiled_token_digest(compiled);
    const bool expires = weir_compiled_token_expires(compiled, &expiry);

    return naive_same(weir_compiled_token_id(compiled), token->id) &&
           weir_compiled_token_issue_number(compiled) == token->issue_number &&
           expires == token->expires &&
           (!expires || (expiry.seconds == token->expires_at.seconds &&
                         expiry.nanoseconds == token->expires_at.nanoseconds)) &&
           naive_same(weir_compiled_token_stream_prefix(compiled), naive_stream_prefix(token)) &&
           (digest != NULL) == token->has_credential_digest &&
           (digest == NULL || memcmp(digest, token->credential_digest, WEIR_DIGEST_SIZE) == 0);
}

static bool digest_declared(const struct world *world, const uint8_t *digest)
{
    for (size_t i = 0; i < world->count; i++) {
        if (world->tokens[i].has_credential_digest &&
            memcmp(world->tokens[i].credential_digest, digest, WEIR_DIGEST_SIZE) == 0) {
            return true;
        }
    }
    return false;
}

static void look_for_neighbours_of_digest(struct world *world, const struct weir_image *image,
                                          const struct weir_token *token)
{
    uint8_t digest[WEIR_DIGEST_SIZE];

    for (size_t i = 0; i < WEIR_DIGEST_SIZE; i++) {
        memcpy(digest, token->credential_digest, sizeof digest);
        digest[i] ^= (uint8_t)(1u << dice_below(&world->dice, 8));
        if ((weir_image_find_by_digest(image, digest) != NULL) != digest_declared(world, digest)) {
            disagree(world, token, "a digest one bit away");
        }
    }
}

static void find_tokens(struct world *world, const struct weir_image *image)
{
    for (size_t i = 0; i < world->count; i++) {
        const struct weir_token *token = &world->tokens[i];
        const struct weir_compiled_token *found = weir_image_find(image, token->id);

        if (found == NULL) {
            disagree(world, token, "a token is not found by its id");
        }
        if (!says_what_was_declared(found, token)) {
            disagree(world, token, "a compiled token does not say what was declared");
        }
        if (!token->has_credential_digest) {
            continue;
        }
        if (weir_image_find_by_digest(image, token->credential_digest) != found) {
            disagree(world, token, "a token is not found by its digest");
        }
        look_for_neighbours_of_digest(world, image, token);
    }
}

static void visit_tokens_in_turn(const struct world *world, const struct weir_image *image)
{
    const struct weir_compiled_token *token = NULL;
    uint64_t count = 0;

    while ((token = weir_image_next(image, token)) != NULL && count <= world->count) {
        if (weir_image_find(image, weir_compiled_token_id(token)) != token) {
            disagree(world, NULL, "a visited token is not the one of its id");
        }
        count++;
    }
    ck_assert_uint_eq(count, world->count);
}

static void examine_image(struct world *world, const struct weir_image *image)
{
    uint64_t digests = 0;

    for (size_t i = 0; i < world->count; i++) {
        digests += world->tokens[i].has_credential_digest;
    }
    ck_assert_uint_eq(weir_image_token_count(image), world->count);
    ck_assert_uint_eq(weir_image_digest_count(image), digests);
    ck_assert_uint_eq(weir_image_sequence(image), world->seed);
    find_tokens(world, image);
    visit_tokens_in_turn(world, image);
}

START_TEST(an_image_holds_the_declared_tokens_and_no_other)
{
    const uint64_t seed = model_seed();

    for (uint64_t i = 0; i < model_amount(WORLDS); i++) {
        struct world *world = world_new(seed + i);
        struct weir_image *image = compile_world(world);
        struct weir_image *saved = save_and_open(world, image, WEIR_IMAGE_COPY);

        examine_image(world, image);
        examine_image(world, saved);
        weir_image_close(image);
        weir_image_close(saved);
        world_free(world);
    }
}
END_TEST

static void compare_answers(struct world *world, const struct weir_image *left,
                            const struct weir_image *right)
{
    for (int i = 0; i < 50; i++) {
        struct weir_question question;

        world_question(world, &question);
        ck_assert_int_eq(
            weir_check(left, question.token_id, &question.request, world->now).reason,
            weir_check(right, question.token_id, &question.request, world->now).reason);
        question_fini(&question);
    }
}

static void open_at_every_alignment(struct world *world, const struct weir_image *image)
{
    size_t size = 0;
    const void *bytes = weir_image_bytes(image, &size);

    for (size_t offset = 0; offset <= 16; offset++) {
        char *memory = must_allocate(offset + size);
        struct weir_image *opened = NULL;
        struct weir_error error;

        memcpy(memory + offset, bytes, size);
        must_succeed(weir_image_open_memory(memory + offset, size,
                                            offset % 2 == 0 ? WEIR_IMAGE_SHARED : WEIR_IMAGE_COPY,
                                            NULL, &opened, &error),
                     &error, world, "opening at an odd address");
        compare_answers(world, image, opened);
        weir_image_close(opened);
        must_succeed(
            weir_image_open_memory(memory + offset, size, WEIR_IMAGE_SHARED, NULL, &opened, &error),
            &error, world, "opening at an odd address, shared");
        compare_answers(world, image, opened);
        weir_image_close(opened);
        free(memory);
    }
}

START_TEST(an_image_may_lie_at_any_address)
{
    const uint64_t seed = model_seed();

    for (uint64_t i = 0; i < model_amount(24); i++) {
        struct world *world = world_new(seed + i);
        struct weir_image *image = compile_world(world);

        open_at_every_alignment(world, image);
        weir_image_close(image);
        world_free(world);
    }
}
END_TEST

int main(void)
{
    const TTest *const cases[] = {
        an_image_holds_the_declared_tokens_and_no_other,
        an_image_may_lie_at_any_address,
    };

    return run_cases("images", cases, COUNT_OF(cases));
}
