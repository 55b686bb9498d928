/*
 * Whatever is asked of an image, however it is asked, and wherever the image's bytes lie, the
 * answer, the reason and the stream's name at the server are those of the naive evaluator.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weir/compile.h>
#include <weir/decision.h>
#include <weir/image.h>

#include "model/generate.h"
#include "model/images.h"
#include "model/naive.h"
#include "model/report.h"

#define DECISIONS UINT64_C(6000000)
#define BATCH_MAX 256

/* ---- Where the bytes lie ---- */

enum place { COMPILED, EXACT_SIZE, FILE_SHARED, FILE_COPY, PLACE_COUNT };

static const char *const place_names[] = {"as compiled", "memory of exactly its size",
                                          "a mapped file", "a private copy of a file"};

struct images {
    struct weir_image *at[PLACE_COUNT];
    void *memory;
};

static void images_init(struct images *images, const struct world *world)
{
    images->at[COMPILED] = compile_world(world);
    images->at[EXACT_SIZE] = open_at_exact_size(world, images->at[COMPILED], &images->memory);
    images->at[FILE_SHARED] = save_and_open(world, images->at[COMPILED], WEIR_IMAGE_SHARED);
    images->at[FILE_COPY] = save_and_open(world, images->at[COMPILED], WEIR_IMAGE_COPY);
}

static void images_fini(struct images *images)
{
    for (size_t i = 0; i < PLACE_COUNT; i++) {
        weir_image_close(images->at[i]);
    }
    free(images->memory);
}

/* ---- A disagreement ---- */

struct asked {
    const struct world *world;
    const struct weir_question *question;
    const struct naive_answer *expected;
    const char *place;
};

struct fault {
    const struct asked *asked;
    enum weir_reason got;
};

/* Whether the token, compiled alone, is still answered for like this, and wrongly. */
static bool is_still_wrong(const void *context, const struct weir_token *token)
{
    const struct fault *fault = context;
    const struct asked *asked = fault->asked;
    const struct weir_request *request = &asked->question->request;
    struct weir_compiled_token *compiled = NULL;
    struct weir_decision decision = {0};
    size_t size = 0;

    if (weir_compile_token(token, NULL, &compiled, &size, NULL) != WEIR_OK) {
        return false;
    }
    decision = weir_check_token(compiled, request, asked->world->now);
    free(compiled);
    return decision.reason == fault->got &&
           naive_decide_token(token, request, asked->world->now).reason == asked->expected->reason;
}

_Noreturn static void disagree(const struct asked *asked, const char *way, struct weir_decision got,
                               const char *what)
{
    report_world(asked->world, what);
    fprintf(stderr, "  asked: %s, of %s\n  expected: %s\n  got: %s\n", way, asked->place,
            weir_reason_name(asked->expected->reason), weir_reason_name(got.reason));
    report_text("token id", asked->question->token_id);
    report_request(&asked->question->request);
    report_text("stream at the server, expected",
                (struct weir_text){asked->expected->stream, asked->expected->stream_length});
    if (got.token != NULL) {
        report_text("token of the decision", weir_compiled_token_id(got.token));
        report_text("its stream prefix", weir_compiled_token_stream_prefix(got.token));
    }
    if (asked->expected->token != NULL) {
        struct weir_token token = *asked->expected->token;
        const struct fault fault = {asked, got.reason};

        if (got.reason != asked->expected->reason && is_still_wrong(&fault, &token)) {
            model_shrink(&token, is_still_wrong, &fault);
            fputs("  the token alone disagrees too, and with no scope less than these:\n", stderr);
        }
        report_token(&token);
    }
    ck_abort_msg("%s (see above)", what);
    abort();
}

static bool same_stream(const struct asked *asked, struct weir_decision decision)
{
    char joined[NAIVE_EFFECTIVE_MAX];
    struct weir_text name = naive_join(weir_compiled_token_stream_prefix(decision.token),
                                       asked->question->request.stream, joined);

    return naive_same(name,
                      (struct weir_text){asked->expected->stream, asked->expected->stream_length});
}

static void agree(const struct asked *asked, const char *way, struct weir_decision decision)
{
    const struct weir_token *token = asked->expected->token;
    const bool allowed = asked->expected->reason == WEIR_ALLOWED;

    if (decision.reason != asked->expected->reason || weir_allowed(decision) != allowed) {
        disagree(asked, way, decision, "the reasons differ");
    }
    if ((decision.token == NULL) != (token == NULL) ||
        (token != NULL && !naive_same(weir_compiled_token_id(decision.token), token->id))) {
        disagree(asked, way, decision, "the tokens of the decision differ");
    }
    if (allowed && naive_target(asked->question->request.operation) == 's' &&
        !same_stream(asked, decision)) {
        disagree(asked, way, decision, "the names of the stream at the server differ");
    }
}

/* ---- Asking ---- */

static uint64_t by_reason[WEIR_REASON_COUNT];
static uint64_t total;

static void ask_in_every_way(const struct asked *asked, const struct weir_image *image)
{
    const struct weir_question *question = asked->question;
    const struct weir_token *token = asked->expected->token;
    const struct weir_instant now = asked->world->now;
    const struct weir_compiled_token *found = weir_image_find(image, question->token_id);
    struct weir_decision decision = weir_check(image, question->token_id, &question->request, now);

    agree(asked, "by id", decision);
    if (decision.token != found) {
        disagree(asked, "by id", decision, "the decision's token is not the one found");
    }
    agree(asked, "found before", weir_check_token(found, &question->request, now));
    if (token != NULL && token->has_credential_digest) {
        found = weir_image_find_by_digest(image, token->credential_digest);
        agree(asked, "found by digest", weir_check_token(found, &question->request, now));
    }
}

static void ask_batch(struct world *world, const struct weir_image *image, const char *place,
                      size_t count)
{
    struct weir_question *questions = must_allocate(count * sizeof *questions);
    struct weir_decision *decisions = must_allocate(count * sizeof *decisions);

    for (size_t i = 0; i < count; i++) {
        world_question(world, &questions[i]);
    }
    memset(decisions, 0xff, count * sizeof *decisions);
    weir_check_batch(image, questions, count, world->now, decisions);
    for (size_t i = 0; i < count; i++) {
        const struct naive_answer expected = naive_decide(
            world->tokens, world->count, questions[i].token_id, &questions[i].request, world->now);
        const struct asked asked = {world, &questions[i], &expected, place};

        agree(&asked, "in a batch", decisions[i]);
        ask_in_every_way(&asked, image);
        by_reason[expected.reason]++;
        total++;
        question_fini(&questions[i]);
    }
    free(questions);
    free(decisions);
}

static void ask_world(struct world *world)
{
    static const size_t counts[] = {1, 2, 7, 31, 32, 33, 64, 65, 100, BATCH_MAX};
    struct images images;
    size_t asked = 0;

    images_init(&images, world);
    for (size_t place = 0; asked < world->questions; place = (place + 1) % PLACE_COUNT) {
        size_t count = counts[dice_below(&world->dice, COUNT_OF(counts))];

        ask_batch(world, images.at[place], place_names[place], count);
        asked += count;
    }
    weir_check_batch(images.at[COMPILED], NULL, 0, world->now, NULL);
    images_fini(&images);
}

static void print_counts(uint64_t seed, uint64_t worlds)
{
    printf("seed %" PRIu64 ": %" PRIu64 " decisions over %" PRIu64 " sets of tokens\n", seed, total,
           worlds);
    for (unsigned reason = 0; reason < WEIR_REASON_COUNT; reason++) {
        printf("  %-26s %9" PRIu64 "  %5.1f %%\n", weir_reason_name((enum weir_reason)reason),
               by_reason[reason], 100.0 * (double)by_reason[reason] / (double)total);
    }
}

START_TEST(an_image_decides_as_the_naive_evaluator_does)
{
    const uint64_t seed = model_seed();
    const uint64_t amount = model_amount(DECISIONS);
    uint64_t worlds = 0;

    while (total < amount) {
        struct world *world = world_new(seed + worlds++);

        ask_world(world);
        world_free(world);
    }
    print_counts(seed, worlds);
    ck_assert_uint_eq(by_reason[WEIR_STALE], 0);
    ck_assert_msg(by_reason[WEIR_ALLOWED] * 10 >= total, "too few questions are allowed");
    for (unsigned reason = WEIR_UNKNOWN_TOKEN; reason < WEIR_REASON_COUNT; reason++) {
        ck_assert_msg(by_reason[reason] >= model_amount(20000), "too few questions end in %s",
                      weir_reason_name((enum weir_reason)reason));
    }
}
END_TEST

int main(void)
{
    const TTest *const cases[] = {an_image_decides_as_the_naive_evaluator_does};

    return run_cases("decisions", cases, COUNT_OF(cases));
}
