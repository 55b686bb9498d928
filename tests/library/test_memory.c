/* test_memory.c - where memory comes from, and what happens when it does not. */
#include <stdlib.h>
#include <string.h>

#include <weir/compile.h>
#include <weir/decision.h>
#include <weir/listing.h>

#include "library/bytes.h"
#include "library/samples.h"
#include "library/scratch.h"
#include "library/support.h"

/* What the scenarios work on. */
struct setting {
    struct samples samples;
    struct bytes bytes; /* of the samples' image */
    struct weir_image *image;
    struct scratch scratch;
};

static void setting_make(struct setting *setting)
{
    samples_make(&setting->samples);
    setting->bytes = bytes_of_samples();
    ck_assert_int_eq(weir_image_open_memory(setting->bytes.bytes, setting->bytes.size,
                                            WEIR_IMAGE_SHARED, NULL, &setting->image, NULL),
                     WEIR_OK);
    scratch_make(&setting->scratch);
    write_file(setting->scratch.path, setting->bytes.bytes, setting->bytes.size);
}

static void setting_remove(struct setting *setting)
{
    weir_image_close(setting->image);
    free(setting->bytes.bytes);
    scratch_remove(&setting->scratch);
}

/* Something that allocates, and gives everything back before it returns. */
typedef enum weir_status scenario(const struct setting *setting,
                                  const struct weir_allocator *allocator, struct weir_error *error);

/* Lets allocation 1, then 2, … fail, alone or with all that follow, until none is left to fail. */
static void fail_each_allocation(scenario *run, bool fails_ever_after)
{
    struct setting setting;
    struct counting_allocator counting;
    enum weir_status status = WEIR_ERROR_MEMORY;
    size_t fails_at = 0;

    setting_make(&setting);
    while (status == WEIR_ERROR_MEMORY) {
        struct weir_error error = {0};

        counting_allocator_start(&counting);
        counting.fails_at = ++fails_at;
        counting.fails_ever_after = fails_ever_after;
        status = run(&setting, &counting.allocator, &error);
        counting_allocator_expect_balance(&counting);
        if (status == WEIR_ERROR_MEMORY) {
            expect_error(&error, status);
        }
    }
    ck_assert_int_eq(status, WEIR_OK);
    ck_assert_uint_lt(counting.calls, fails_at);
    ck_assert_uint_gt(fails_at, 1);
    setting_remove(&setting);
}

/* Whether the image has just these bytes; closes it. */
static bool is_image(struct weir_image *image, const struct bytes *expected)
{
    struct bytes bytes = bytes_of_image(image);
    bool same =
        bytes.size == expected->size && memcmp(bytes.bytes, expected->bytes, expected->size) == 0;

    free(bytes.bytes);
    return same;
}

static enum weir_status compile_once(const struct setting *setting,
                                     const struct weir_allocator *allocator,
                                     struct weir_error *error)
{
    struct weir_compiler *compiler = NULL;
    struct weir_image *image = NULL;
    enum weir_status status = weir_compiler_new(allocator, &compiler, error);

    for (size_t i = 0; i < SAMPLE_COUNT && status == WEIR_OK; i++) {
        status = weir_compiler_add(compiler, &setting->samples.tokens[i], i, error);
    }
    if (status == WEIR_OK) {
        status = weir_compile(compiler, 0, &image, NULL, error);
    }
    ck_assert_int_eq(image != NULL, status == WEIR_OK);
    ck_assert(status != WEIR_OK || is_image(image, &setting->bytes));
    weir_compiler_free(compiler);
    return status;
}

/* Tries again whatever fails, as often as it takes: what failed must have left no trace. Says that
 * memory failed if it did at any time. */
static enum weir_status compile_stubbornly(const struct setting *setting,
                                           const struct weir_allocator *allocator,
                                           struct weir_error *error)
{
    struct weir_compiler *compiler = NULL;
    struct weir_image *image = NULL;
    enum weir_status worst = WEIR_OK;

    while (weir_compiler_new(allocator, &compiler, error) != WEIR_OK) {
        worst = WEIR_ERROR_MEMORY;
    }
    for (size_t i = 0; i < SAMPLE_COUNT; i++) {
        while (weir_compiler_add(compiler, &setting->samples.tokens[i], i, error) != WEIR_OK) {
            worst = WEIR_ERROR_MEMORY;
            ck_assert_uint_eq(weir_compiler_count(compiler), i);
        }
        ck_assert_uint_eq(weir_compiler_count(compiler), i + 1);
    }
    while (weir_compile(compiler, 0, &image, NULL, error) != WEIR_OK) {
        worst = WEIR_ERROR_MEMORY;
    }
    ck_assert(is_image(image, &setting->bytes));
    weir_compiler_free(compiler);
    return worst;
}

/* A compiler that has made an image goes on; images outlive it. */
static enum weir_status compile_twice(const struct setting *setting,
                                      const struct weir_allocator *allocator,
                                      struct weir_error *error)
{
    struct weir_compiler *compiler = NULL;
    struct weir_image *images[2] = {NULL, NULL};
    enum weir_status status = weir_compiler_new(allocator, &compiler, error);

    for (size_t i = 0; i < SAMPLE_COUNT && status == WEIR_OK; i++) {
        if (i == SAMPLE_COUNT / 2) {
            status = weir_compile(compiler, 1, &images[0], NULL, error);
        }
        if (status == WEIR_OK) {
            status = weir_compiler_add(compiler, &setting->samples.tokens[i], i, error);
        }
    }
    if (status == WEIR_OK) {
        status = weir_compile(compiler, 0, &images[1], NULL, error);
    }
    weir_compiler_free(compiler);
    ck_assert(images[0] == NULL || weir_image_token_count(images[0]) == SAMPLE_COUNT / 2);
    ck_assert(images[1] == NULL || is_image(images[1], &setting->bytes));
    weir_image_close(images[0]);
    return status;
}

static enum weir_status compile_tokens_alone(const struct setting *setting,
                                             const struct weir_allocator *allocator,
                                             struct weir_error *error)
{
    enum weir_status status = WEIR_OK;

    for (size_t i = 0; i < SAMPLE_COUNT && status == WEIR_OK; i++) {
        struct weir_compiled_token *compiled = NULL;
        size_t size = 0;

        status =
            weir_compile_token(&setting->samples.tokens[i], allocator, &compiled, &size, error);
        if (status == WEIR_OK) {
            allocator->release(allocator->context, compiled, size);
        }
    }
    return status;
}

static enum weir_status open_from_memory(const struct setting *setting,
                                         const struct weir_allocator *allocator,
                                         struct weir_error *error)
{
    enum weir_status status = WEIR_OK;

    for (int mode = WEIR_IMAGE_SHARED; mode <= WEIR_IMAGE_COPY && status == WEIR_OK; mode++) {
        struct weir_image *image = NULL;

        status = weir_image_open_memory(setting->bytes.bytes, setting->bytes.size,
                                        (enum weir_image_mode)mode, allocator, &image, error);
        weir_image_close(image);
    }
    return status;
}

static enum weir_status open_from_file(const struct setting *setting,
                                       const struct weir_allocator *allocator,
                                       struct weir_error *error)
{
    enum weir_status status = WEIR_OK;

    for (int mode = WEIR_IMAGE_SHARED; mode <= WEIR_IMAGE_COPY && status == WEIR_OK; mode++) {
        struct weir_image *image = NULL;

        status = weir_image_open(setting->scratch.path, (enum weir_image_mode)mode, allocator,
                                 &image, error);
        weir_image_close(image);
    }
    return status;
}

static enum weir_status validate(const struct setting *setting,
                                 const struct weir_allocator *allocator, struct weir_error *error)
{
    return weir_image_validate(setting->bytes.bytes, setting->bytes.size, allocator, error);
}

static enum weir_status narrow(const struct setting *setting,
                               const struct weir_allocator *allocator, struct weir_error *error)
{
    enum weir_status status = WEIR_OK;

    for (size_t i = 0; i < SAMPLE_COUNT && status == WEIR_OK; i++) {
        const struct weir_compiled_token *token =
            weir_image_find(setting->image, setting->samples.tokens[i].id);
        enum weir_reason reason = WEIR_STALE;
        struct weir_listing *listing = NULL;

        status = weir_narrow(token, WEIR_LIST_STREAMS, text_of("acme-production"), text_of(""),
                             SAMPLE_NOW, allocator, &reason, &listing, error);
        ck_assert(status == WEIR_OK || listing == NULL);
        weir_listing_free(listing);
    }
    return status;
}

static enum weir_status ask_who(const struct setting *setting,
                                const struct weir_allocator *allocator, struct weir_error *error)
{
    struct weir_request request = {.operation = WEIR_READ,
                                   .basin = WEIR_TEXT("acme-production"),
                                   .stream = WEIR_TEXT("0/0/x")};
    struct weir_tokens tokens = {NULL, 0};
    enum weir_status status =
        weir_who(setting->image, &request, SAMPLE_NOW, allocator, &tokens, error);

    if (status == WEIR_OK) {
        ck_assert_uint_gt(tokens.count, 0);
        weir_tokens_free(&tokens, allocator);
    }
    return status;
}

static scenario *const scenarios[] = {
    compile_once,     compile_stubbornly, compile_twice, compile_tokens_alone,
    open_from_memory, open_from_file,     validate,      narrow,
    ask_who};

START_TEST(one_allocation_that_fails_is_an_error_that_leaves_nothing_behind)
{
    fail_each_allocation(scenarios[_i], false);
}
END_TEST

/* Whoever tries again for ever must not run out for ever. */
START_TEST(memory_that_runs_out_for_good_is_an_error_that_leaves_nothing_behind)
{
    if (scenarios[_i] != compile_stubbornly) {
        fail_each_allocation(scenarios[_i], true);
    }
}
END_TEST

START_TEST(an_allocator_is_copied_and_gets_back_each_block_with_its_size)
{
    struct counting_allocator counting;
    struct weir_allocator *allocator = malloc(sizeof *allocator);
    struct weir_image *image = NULL;
    struct samples samples;

    samples_make(&samples);
    counting_allocator_start(&counting);
    *allocator = counting.allocator;
    image = compile_tokens(samples.tokens, SAMPLE_COUNT, allocator);
    memset(allocator, 0xff, sizeof *allocator);
    free(allocator);
    ck_assert_uint_gt(counting.blocks, 0);
    weir_image_close(image);
    counting_allocator_expect_balance(&counting);
}
END_TEST

START_TEST(a_token_that_is_refused_leaves_the_compiler_as_it_was)
{
    struct setting setting;
    struct counting_allocator counting;
    struct weir_compiler *compiler = NULL;
    struct weir_image *image = NULL;

    setting_make(&setting);
    counting_allocator_start(&counting);
    ck_assert_int_eq(weir_compiler_new(&counting.allocator, &compiler, NULL), WEIR_OK);
    for (size_t i = 0; i < SAMPLE_COUNT; i++) {
        struct weir_token bad = setting.samples.tokens[i];
        struct weir_error error = {0};

        bad.id = text_of("..");
        ck_assert_int_eq(weir_compiler_add(compiler, &bad, i, &error), WEIR_ERROR_NAME);
        expect_error(&error, WEIR_ERROR_NAME);
        ck_assert_uint_eq(weir_compiler_count(compiler), i);
        ck_assert_int_eq(weir_compiler_add(compiler, &setting.samples.tokens[i], i, &error),
                         WEIR_OK);
    }
    ck_assert_int_eq(weir_compile(compiler, 0, &image, NULL, NULL), WEIR_OK);
    ck_assert(is_image(image, &setting.bytes));
    weir_compiler_free(compiler);
    counting_allocator_expect_balance(&counting);
    setting_remove(&setting);
}
END_TEST

START_TEST(checking_allocates_nothing)
{
    struct setting setting;
    struct counting_allocator counting;
    struct weir_image *image = NULL;
    size_t calls = 0;

    setting_make(&setting);
    counting_allocator_start(&counting);
    ck_assert_int_eq(weir_image_open_memory(setting.bytes.bytes, setting.bytes.size,
                                            WEIR_IMAGE_COPY, &counting.allocator, &image, NULL),
                     WEIR_OK);
    calls = counting.calls;
    for (size_t i = 0; i < SAMPLE_COUNT; i++) {
        struct weir_question question = {setting.samples.tokens[i].id,
                                         {.operation = WEIR_READ,
                                          .basin = WEIR_TEXT("acme-production"),
                                          .stream = WEIR_TEXT("0/0/x")}};
        struct weir_decision decision = {0};

        (void)weir_check(image, question.token_id, &question.request, SAMPLE_NOW);
        weir_check_batch(image, &question, 1, SAMPLE_NOW, &decision);
    }
    ck_assert_uint_eq(counting.calls, calls);
    weir_image_close(image);
    counting_allocator_expect_balance(&counting);
    setting_remove(&setting);
}
END_TEST

START_TEST(freeing_nothing_is_fine)
{
    struct weir_tokens tokens = {NULL, 0};

    weir_compiler_free(NULL);
    weir_listing_free(NULL);
    weir_tokens_free(&tokens, NULL);
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("memory");

    tcase_add_loop_test(cases, one_allocation_that_fails_is_an_error_that_leaves_nothing_behind, 0,
                        COUNT(scenarios));
    tcase_add_loop_test(cases, memory_that_runs_out_for_good_is_an_error_that_leaves_nothing_behind,
                        0, COUNT(scenarios));
    tcase_add_test(cases, an_allocator_is_copied_and_gets_back_each_block_with_its_size);
    tcase_add_test(cases, a_token_that_is_refused_leaves_the_compiler_as_it_was);
    tcase_add_test(cases, checking_allocates_nothing);
    tcase_add_test(cases, freeing_nothing_is_fine);
    return run_cases("memory", &cases, 1);
}
