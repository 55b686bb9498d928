/*
 * Questions of one batch whose tokens are everywhere that a token can be - in the image, spilled
 * from bucket to bucket, the engine's own, revoked, nowhere - are each answered as if alone, while
 * changes between the batches move the tokens and the engine's indexes.
 */
#include <stdio.h>
#include <string.h>

#include "library/bytes.h"
#include "library/support.h"
#include "live/guarantee_cases.h"
#include "live/recipes.h"

enum {
    HELD = 700,     /* ids that have a token at times */
    IN_IMAGE = 500, /* of these, what the first image has; some find no room at home */
    IDS = 900,      /* and those that never have one */
    VERSIONS = 4,
    BATCH_MAX = 100
};

struct mixture {
    struct weir_engine *engine;
    struct weir_image *image;
    unsigned versions[IDS]; /* what each id allows now; 0: it has no token */
    char ids[IDS][24];
    struct random random;
};

/* Some ids are shorter than those that are sought in two steps, some longer. */
static void make_id(char id[24], size_t number)
{
    static const char *const forms[] = {"%zu", "tenant/%zu", "tenant/%zu", "tenant/user/%09zu"};

    (void)snprintf(id, 24, forms[number % COUNT(forms)], number);
}

static struct recipe recipe_of(const struct mixture *mixture, size_t id)
{
    return (struct recipe){mixture->ids[id], .version = mixture->versions[id]};
}

static struct weir_image *image_of(const struct mixture *mixture)
{
    struct recipe recipes[IDS];
    size_t count = 0;

    for (size_t id = 0; id < IDS; id++) {
        if (mixture->versions[id] != 0) {
            recipes[count++] = recipe_of(mixture, id);
        }
    }
    return compile_recipes(recipes, count, 0);
}

/* How many keys have gone by a bucket of the image's index of ids: by the format's drawing. */
static uint64_t spilled_in(const struct weir_image *image)
{
    enum { PAGE = 4096, BUCKET = 64, AT_SPILLED = 60 };
    size_t size = 0;
    const unsigned char *bytes = weir_image_bytes(image, &size);
    uint64_t count = number_at(bytes + AT_ID_BUCKET_COUNT, 8);
    uint64_t spilled = 0;

    for (uint64_t bucket = 0; bucket < count; bucket++) {
        spilled += number_at(bytes + PAGE + bucket * BUCKET + AT_SPILLED, 4);
    }
    return spilled;
}

static void mixture_make(struct mixture *mixture, uint64_t seed)
{
    /* What is replaced or revoked is released soon. */
    static const struct weir_engine_options releasing = {.retired_max = 1024};

    *mixture = (struct mixture){.random = {seed}};
    for (size_t id = 0; id < IDS; id++) {
        make_id(mixture->ids[id], id);
        mixture->versions[id] = id < IN_IMAGE;
    }
    mixture->image = image_of(mixture);
    ck_assert_uint_gt(spilled_in(mixture->image), 0);
    mixture->engine = engine_on(mixture->image, &releasing);
}

static void mixture_free(struct mixture *mixture)
{
    weir_engine_close(mixture->engine);
    weir_image_close(mixture->image);
}

/* Issues, replaces or revokes a token. The first two make it the engine's own. */
static void change_one(struct mixture *mixture)
{
    size_t id = random_below(&mixture->random, HELD);

    if (random_below(&mixture->random, 3) == 0) {
        ck_assert_int_eq(revoke_token(mixture->engine, mixture->ids[id]),
                         mixture->versions[id] == 0 ? WEIR_ERROR_NOT_FOUND : WEIR_OK);
        mixture->versions[id] = 0;
    } else {
        mixture->versions[id] = 1 + (unsigned)random_below(&mixture->random, VERSIONS);
        ck_assert_int_eq(put_token(mixture->engine, recipe_of(mixture, id)), WEIR_OK);
    }
}

/* Makes all tokens the image's. */
static void change_image(struct mixture *mixture)
{
    struct weir_image *image = image_of(mixture);

    ck_assert_int_eq(swap_image(mixture->engine, image), WEIR_OK);
    weir_image_close(mixture->image);
    mixture->image = image;
}

/* What is asked of the token, and what it must answer. */
enum { ASKS_RIGHT, ASKS_WRONG_VERSION, ASKS_WRONG_OPERATION, ASKS_NO_BASIN, WAYS_TO_ASK };

static enum weir_reason make_question(struct mixture *mixture, size_t id,
                                      struct weir_question *question, struct version_stream *stream)
{
    static const enum weir_reason reasons[WAYS_TO_ASK] = {WEIR_ALLOWED, WEIR_STREAM_OUT_OF_SCOPE,
                                                          WEIR_OP_NOT_PERMITTED, WEIR_INVALID_NAME};
    size_t way = random_below(&mixture->random, 2) == 0
                     ? ASKS_RIGHT
                     : random_below(&mixture->random, WAYS_TO_ASK);

    *stream = stream_of(mixture->versions[id] + (way == ASKS_WRONG_VERSION));
    *question = (struct weir_question){
        text_of(mixture->ids[id]),
        {.operation = way == ASKS_WRONG_OPERATION ? WEIR_APPEND : WEIR_READ,
         .basin = way == ASKS_NO_BASIN ? WEIR_TEXT("No-Basin") : WEIR_TEXT("some-basin"),
         .stream = text_of(stream->name)}};
    return mixture->versions[id] == 0 ? WEIR_UNKNOWN_TOKEN : reasons[way];
}

static void ask_batch(struct mixture *mixture, size_t size)
{
    struct weir_question questions[BATCH_MAX] = {0};
    struct version_stream streams[BATCH_MAX];
    enum weir_reason expected[BATCH_MAX];
    enum weir_reason reasons[BATCH_MAX + 1];

    memset(reasons, 0xff, sizeof reasons);
    for (size_t i = 0; i < size; i++) {
        expected[i] =
            make_question(mixture, random_below(&mixture->random, IDS), &questions[i], &streams[i]);
    }
    weir_engine_check_batch(mixture->engine, questions, size, NOW, reasons);
    for (size_t i = 0; i < size; i++) {
        enum weir_reason alone =
            weir_engine_check(mixture->engine, questions[i].token_id, &questions[i].request, NOW);

        if (reasons[i] != expected[i] || alone != expected[i]) {
            ck_abort_msg("question %zu of %zu, of %s: %s, alone %s, expected %s", i, size,
                         questions[i].token_id.bytes, weir_reason_name(reasons[i]),
                         weir_reason_name(alone), weir_reason_name(expected[i]));
        }
    }
    ck_assert_msg((int)reasons[size] == -1, "an answer too many");
}

START_TEST(a_batch_answers_about_tokens_wherever_they_are)
{
    struct mixture mixture;

    mixture_make(&mixture, (uint64_t)_i + 1);
    for (size_t round = 0; round < 12; round++) {
        for (size_t size = 0; size <= BATCH_MAX; size++) {
            ask_batch(&mixture, size);
            change_one(&mixture);
        }
        if (round % 4 == 3) {
            change_image(&mixture);
        }
    }
    mixture_free(&mixture);
}
END_TEST

/* Of an engine that holds nothing of its own, unknown ids are told from the image's index alone. */
START_TEST(a_batch_answers_about_the_tokens_of_an_image_that_nobody_changed)
{
    struct mixture mixture;

    mixture_make(&mixture, 5);
    for (size_t size = 0; size <= BATCH_MAX; size++) {
        ask_batch(&mixture, size);
    }
    for (size_t id = 0; id < IN_IMAGE; id += 3) {
        ck_assert_int_eq(revoke_token(mixture.engine, mixture.ids[id]), WEIR_OK);
        mixture.versions[id] = 0;
        ask_batch(&mixture, BATCH_MAX);
    }
    ck_assert_uint_eq(weir_engine_usage(mixture.engine).own_tokens, 0);
    mixture_free(&mixture);
}
END_TEST

/* The second index is fullest before it grows: then some keys have no room in their home bucket. */
START_TEST(a_batch_finds_every_token_that_an_engine_holds_itself)
{
    enum { MOST = 4000, STEP = 16 };
    static char ids[MOST][24];
    static struct weir_question questions[MOST];
    static enum weir_reason reasons[MOST];
    struct version_stream stream = stream_of(1);
    struct weir_engine *engine = engine_on(NULL, NULL);

    for (size_t count = 1; count <= MOST; count++) {
        char *id = ids[count - 1];

        (void)snprintf(id, sizeof ids[0], "own/%06zu", count);
        ck_assert_int_eq(issue_token(engine, (struct recipe){id, .version = 1}), WEIR_OK);
        questions[count - 1] = (struct weir_question){text_of(id),
                                                      {.operation = WEIR_READ,
                                                       .basin = WEIR_TEXT("some-basin"),
                                                       .stream = text_of(stream.name)}};
        if (count % STEP == 0) {
            weir_engine_check_batch(engine, questions, count, NOW, reasons);
        }
        for (size_t i = 0; count % STEP == 0 && i < count; i++) {
            if (reasons[i] != WEIR_ALLOWED) {
                ck_abort_msg("%s of %zu: %s", ids[i], count, weir_reason_name(reasons[i]));
            }
        }
    }
    weir_engine_close(engine);
}
END_TEST

TCase *batch_cases(void)
{
    TCase *cases = tcase_create("batches");

    tcase_add_loop_test(cases, a_batch_answers_about_tokens_wherever_they_are, 0, 4);
    tcase_add_test(cases, a_batch_answers_about_the_tokens_of_an_image_that_nobody_changed);
    tcase_add_test(cases, a_batch_finds_every_token_that_an_engine_holds_itself);
    return cases;
}
