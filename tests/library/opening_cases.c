/* opening_cases.c - images open wherever their bytes lie, and say what was compiled. */
#include "library/image_cases.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <weir/compile.h>
#include <weir/decision.h>

#include "library/asking.h"
#include "library/bytes.h"
#include "library/samples.h"
#include "library/scratch.h"
#include "library/support.h"

static const enum weir_image_mode modes[] = {WEIR_IMAGE_SHARED, WEIR_IMAGE_COPY};

static answers answers_of_samples(void)
{
    struct samples samples;
    struct weir_image *image = NULL;
    answers sum = 0;

    samples_make(&samples);
    image = compile_tokens(samples.tokens, SAMPLE_COUNT, NULL);
    sum = ask_everything(image);
    weir_image_close(image);
    return sum;
}

START_TEST(an_image_answers_the_same_from_memory_at_any_alignment_in_both_modes)
{
    struct bytes bytes = bytes_of_samples();
    answers expected = answers_of_samples();

    for (size_t round = 0; round < 32; round++) {
        struct weir_image *image = NULL;
        unsigned char *memory = malloc(bytes.size + round / 2);
        size_t size = 0;

        ck_assert_ptr_nonnull(memory);
        memcpy(memory + round / 2, bytes.bytes, bytes.size);
        ck_assert_int_eq(weir_image_open_memory(memory + round / 2, bytes.size, modes[round % 2],
                                                NULL, &image, NULL),
                         WEIR_OK);
        ck_assert_uint_eq(ask_everything(image), expected);
        ck_assert_int_eq(weir_image_bytes(image, &size) == memory + round / 2,
                         modes[round % 2] == WEIR_IMAGE_SHARED);
        ck_assert_uint_eq(size, bytes.size);
        weir_image_close(image);
        free(memory);
    }
    free(bytes.bytes);
}
END_TEST

START_TEST(a_private_copy_needs_nothing_of_what_it_was_copied_from)
{
    struct bytes bytes = bytes_of_samples();
    struct weir_image *image = NULL;

    ck_assert_int_eq(
        weir_image_open_memory(bytes.bytes, bytes.size, WEIR_IMAGE_COPY, NULL, &image, NULL),
        WEIR_OK);
    memset(bytes.bytes, 0xff, bytes.size);
    free(bytes.bytes);
    ck_assert_uint_eq(ask_everything(image), answers_of_samples());
    weir_image_close(image);
}
END_TEST

START_TEST(an_image_answers_the_same_between_pages_that_cannot_be_touched)
{
    struct bytes bytes = bytes_of_samples();
    answers expected = answers_of_samples();

    for (int at_end = 0; at_end < 2; at_end++) {
        struct guarded guarded = guarded_copy(bytes.bytes, bytes.size, at_end == 1);
        struct weir_image *image = NULL;

        ck_assert_int_eq(weir_image_open_memory(guarded.bytes, guarded.size, WEIR_IMAGE_SHARED,
                                                NULL, &image, NULL),
                         WEIR_OK);
        ck_assert_uint_eq(ask_everything(image), expected);
        weir_image_close(image);
        guarded_free(&guarded);
    }
    free(bytes.bytes);
}
END_TEST

START_TEST(what_was_saved_opens_in_both_modes_with_the_same_bytes)
{
    struct bytes bytes = bytes_of_samples();
    struct weir_image *image = NULL;
    struct scratch scratch;

    scratch_make(&scratch);
    ck_assert_int_eq(
        weir_image_open_memory(bytes.bytes, bytes.size, WEIR_IMAGE_SHARED, NULL, &image, NULL),
        WEIR_OK);
    ck_assert_int_eq(weir_image_save(image, scratch.path, NULL), WEIR_OK);
    weir_image_close(image);
    ck_assert(file_has(scratch.path, bytes.bytes, bytes.size));
    for (size_t i = 0; i < COUNT(modes); i++) {
        size_t size = 0;

        ck_assert_int_eq(weir_image_open(scratch.path, modes[i], NULL, &image, NULL), WEIR_OK);
        ck_assert_mem_eq(weir_image_bytes(image, &size), bytes.bytes, bytes.size);
        ck_assert_uint_eq(size, bytes.size);
        ck_assert_uint_eq(ask_everything(image), answers_of_samples());
        weir_image_close(image);
    }
    scratch_remove(&scratch);
    free(bytes.bytes);
}
END_TEST

START_TEST(a_private_copy_of_a_file_outlives_what_happens_to_the_file)
{
    struct bytes bytes = bytes_of_samples();
    struct weir_image *image = NULL;
    struct scratch scratch;

    scratch_make(&scratch);
    write_file(scratch.path, bytes.bytes, bytes.size);
    ck_assert_int_eq(weir_image_open(scratch.path, WEIR_IMAGE_COPY, NULL, &image, NULL), WEIR_OK);
    ck_assert_int_eq(truncate(scratch.path, 0), 0);
    scratch_remove(&scratch);
    ck_assert_uint_eq(ask_everything(image), answers_of_samples());
    weir_image_close(image);
    free(bytes.bytes);
}
END_TEST

START_TEST(an_image_opened_outlives_the_file_that_takes_its_place)
{
    struct samples samples;
    struct weir_image *image = NULL;
    struct weir_image *none = compile_tokens(NULL, 0, NULL);
    struct scratch scratch;

    samples_make(&samples);
    scratch_make(&scratch);
    image = compile_tokens(samples.tokens, SAMPLE_COUNT, NULL);
    ck_assert_int_eq(weir_image_save(image, scratch.path, NULL), WEIR_OK);
    weir_image_close(image);
    ck_assert_int_eq(weir_image_open(scratch.path, WEIR_IMAGE_SHARED, NULL, &image, NULL), WEIR_OK);
    ck_assert_int_eq(weir_image_save(none, scratch.path, NULL), WEIR_OK);
    ck_assert_uint_eq(ask_everything(image), answers_of_samples());
    weir_image_close(image);
    weir_image_close(none);
    scratch_remove(&scratch);
}
END_TEST

START_TEST(an_image_without_tokens_is_an_image)
{
    struct weir_image *image = compile_tokens(NULL, 0, NULL);
    struct weir_request request = {.operation = WEIR_LIST_BASINS};
    struct weir_tokens tokens = {0};
    uint8_t digest[32] = {0};
    struct bytes bytes = {0};

    ck_assert_uint_eq(weir_image_token_count(image), 0);
    ck_assert_uint_eq(weir_image_digest_count(image), 0);
    ck_assert_ptr_null(weir_image_next(image, NULL));
    ck_assert_ptr_null(weir_image_find(image, text_of("plain")));
    ck_assert_ptr_null(weir_image_find(image, (struct weir_text){NULL, 0}));
    ck_assert_ptr_null(weir_image_find_by_digest(image, digest));
    ck_assert_int_eq(weir_check(image, text_of("plain"), &request, SAMPLE_NOW).reason,
                     WEIR_UNKNOWN_TOKEN);
    ck_assert_int_eq(weir_who(image, &request, SAMPLE_NOW, NULL, &tokens, NULL), WEIR_OK);
    ck_assert_uint_eq(tokens.count, 0);
    weir_tokens_free(&tokens, NULL);
    bytes = bytes_of_image(image);
    ck_assert_int_eq(status_of_opening(bytes.bytes, bytes.size), WEIR_OK);
    free(bytes.bytes);
}
END_TEST

START_TEST(a_compiled_token_says_of_itself_what_was_declared)
{
    struct samples samples;
    struct weir_image *image = NULL;

    samples_make(&samples);
    image = compile_tokens(samples.tokens, SAMPLE_COUNT, NULL);
    ck_assert_uint_eq(weir_image_token_count(image), SAMPLE_COUNT);
    ck_assert_uint_eq(weir_image_digest_count(image), 2);
    for (size_t i = 0; i < SAMPLE_COUNT; i++) {
        const struct weir_token *declared = &samples.tokens[i];
        const struct weir_compiled_token *token = weir_image_find(image, declared->id);
        struct weir_text prefix = declared->auto_prefix_streams ? declared->scopes[0].streams.name
                                                                : (struct weir_text){NULL, 0};
        struct weir_instant expires_at = {0};

        ck_assert_ptr_nonnull(token);
        ck_assert_uint_eq(weir_compiled_token_id(token).length, declared->id.length);
        ck_assert_mem_eq(weir_compiled_token_id(token).bytes, declared->id.bytes,
                         declared->id.length);
        ck_assert_uint_eq(weir_compiled_token_issue_number(token), declared->issue_number);
        ck_assert_int_eq(weir_compiled_token_expires(token, &expires_at), declared->expires);
        ck_assert_int_eq(expires_at.seconds, declared->expires ? declared->expires_at.seconds : 0);
        ck_assert_uint_eq(expires_at.nanoseconds,
                          declared->expires ? declared->expires_at.nanoseconds : 0);
        ck_assert_uint_eq(weir_compiled_token_stream_prefix(token).length, prefix.length);
        ck_assert_int_eq(weir_compiled_token_digest(token) != NULL,
                         declared->has_credential_digest);
        if (declared->has_credential_digest) {
            ck_assert_mem_eq(weir_compiled_token_digest(token), declared->credential_digest,
                             WEIR_DIGEST_SIZE);
        }
    }
    weir_image_close(image);
}
END_TEST

START_TEST(an_expiry_round_trips_to_the_nanosecond)
{
    struct random random = {7};

    for (unsigned round = 0; round < 2000; round++) {
        struct weir_scope scope = {.ops = WEIR_OPERATION_BIT(WEIR_READ)};
        uint64_t span = (uint64_t)(WEIR_INSTANT_SECONDS_MAX - WEIR_INSTANT_SECONDS_MIN);
        struct weir_token token = {
            .id = WEIR_TEXT("t"),
            .scopes = &scope,
            .scope_count = 1,
            .expires = true,
            .expires_at = {WEIR_INSTANT_SECONDS_MIN, (uint32_t)random_below(&random, 1000000000)}};
        struct weir_compiled_token *compiled = NULL;
        struct weir_instant expires_at = {0};
        size_t size = 0;

        token.expires_at.seconds += round == 0   ? 0
                                    : round == 1 ? (int64_t)span
                                                 : (int64_t)(random_number(&random) % span);
        ck_assert_int_eq(weir_compile_token(&token, NULL, &compiled, &size, NULL), WEIR_OK);
        ck_assert(weir_compiled_token_expires(compiled, &expires_at));
        ck_assert_int_eq(expires_at.seconds, token.expires_at.seconds);
        ck_assert_uint_eq(expires_at.nanoseconds, token.expires_at.nanoseconds);
        free(compiled);
    }
}
END_TEST

START_TEST(a_token_compiled_alone_has_the_bytes_that_it_has_in_an_image)
{
    struct samples samples;
    struct weir_image *image = NULL;

    samples_make(&samples);
    image = compile_tokens(samples.tokens, SAMPLE_COUNT, NULL);
    for (size_t i = 0; i < SAMPLE_COUNT; i++) {
        const struct weir_compiled_token *inside = weir_image_find(image, samples.tokens[i].id);
        struct weir_compiled_token *alone = NULL;
        size_t size = 0;

        ck_assert_int_eq(weir_compile_token(&samples.tokens[i], NULL, &alone, &size, NULL),
                         WEIR_OK);
        ck_assert_uint_eq(size, weir_compiled_token_size(inside) + WEIR_TOKEN_MARGIN);
        ck_assert_uint_eq(size, weir_compiled_token_size(alone) + WEIR_TOKEN_MARGIN);
        ck_assert_mem_eq(alone, inside, weir_compiled_token_size(inside));
        for (size_t j = weir_compiled_token_size(alone); j < size; j++) {
            ck_assert_int_eq(((const char *)alone)[j], 0);
        }
        free(alone);
    }
    weir_image_close(image);
}
END_TEST

START_TEST(what_is_no_image_file_is_refused_as_what_it_is)
{
    struct weir_image *image = NULL;
    struct weir_error error = {0};
    struct scratch scratch;

    scratch_make(&scratch);
    for (size_t i = 0; i < COUNT(modes); i++) {
        ck_assert_int_eq(weir_image_open(scratch.path, modes[i], NULL, &image, &error),
                         WEIR_ERROR_IO);
        expect_error(&error, WEIR_ERROR_IO);
        ck_assert_int_eq(weir_image_open(scratch.folder, modes[i], NULL, &image, &error),
                         WEIR_ERROR_IO);
        ck_assert_int_eq(weir_image_open("", modes[i], NULL, &image, &error), WEIR_ERROR_IO);
        write_file(scratch.path, "", 0);
        ck_assert_int_eq(weir_image_open(scratch.path, modes[i], NULL, &image, &error),
                         WEIR_ERROR_NOT_IMAGE);
        write_file(scratch.path, "{\"access_tokens\": []}\n", 22);
        ck_assert_int_eq(weir_image_open(scratch.path, modes[i], NULL, &image, &error),
                         WEIR_ERROR_NOT_IMAGE);
        expect_error(&error, WEIR_ERROR_NOT_IMAGE);
        ck_assert_int_eq(unlink(scratch.path), 0);
        /* A pipe that nobody writes to is refused, not waited for. */
        ck_assert_int_eq(mkfifo(scratch.path, 0600), 0);
        ck_assert_int_eq(weir_image_open(scratch.path, modes[i], NULL, &image, &error),
                         WEIR_ERROR_IO);
        ck_assert_int_eq(unlink(scratch.path), 0);
    }
    ck_assert_ptr_null(image);
    scratch_remove(&scratch);
}
END_TEST

START_TEST(closing_no_image_is_fine)
{
    weir_image_close(NULL);
}
END_TEST

TCase *opening_cases(void)
{
    TCase *cases = tcase_create("opening");

    tcase_add_test(cases, an_image_answers_the_same_from_memory_at_any_alignment_in_both_modes);
    tcase_add_test(cases, a_private_copy_needs_nothing_of_what_it_was_copied_from);
    tcase_add_test(cases, an_image_answers_the_same_between_pages_that_cannot_be_touched);
    tcase_add_test(cases, what_was_saved_opens_in_both_modes_with_the_same_bytes);
    tcase_add_test(cases, a_private_copy_of_a_file_outlives_what_happens_to_the_file);
    tcase_add_test(cases, an_image_opened_outlives_the_file_that_takes_its_place);
    tcase_add_test(cases, an_image_without_tokens_is_an_image);
    tcase_add_test(cases, a_compiled_token_says_of_itself_what_was_declared);
    tcase_add_test(cases, an_expiry_round_trips_to_the_nanosecond);
    tcase_add_test(cases, a_token_compiled_alone_has_the_bytes_that_it_has_in_an_image);
    tcase_add_test(cases, what_is_no_image_file_is_refused_as_what_it_is);
    tcase_add_test(cases, closing_no_image_is_fine);
    return cases;
}
