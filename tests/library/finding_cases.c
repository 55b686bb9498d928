/* finding_cases.c - every token is found, whatever the ids are, and nothing else is. */
#include "library/image_cases.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include <weir/compile.h>
#include <weir/decision.h>

#include "library/asking.h"
#include "library/bytes.h"
#include "library/samples.h"
#include "library/support.h"

/* Adds tokens `from`, `from + step` … of `count` to a new compiler and compiles. */
static struct weir_image *compile_numbered(uint64_t count, uint64_t from, uint64_t step)
{
    struct weir_compiler *compiler = NULL;
    struct weir_image *image = NULL;

    ck_assert_int_eq(weir_compiler_new(NULL, &compiler, NULL), WEIR_OK);
    for (uint64_t i = 0; i < count; i++) {
        struct numbered_token numbered;

        numbered_token_make(&numbered, (from + i * step) % count);
        if (weir_compiler_add(compiler, &numbered.token, i, NULL) != WEIR_OK) {
            ck_abort_msg("token %llu", (unsigned long long)i);
        }
    }
    ck_assert_uint_eq(weir_compiler_count(compiler), count);
    ck_assert_int_eq(weir_compile(compiler, 0, &image, NULL, NULL), WEIR_OK);
    weir_compiler_free(compiler);
    return image;
}

static void expect_found(const struct weir_image *image, const struct weir_token *token)
{
    const struct weir_compiled_token *found = weir_image_find(image, token->id);

    if (found == NULL || weir_compiled_token_id(found).length != token->id.length ||
        memcmp(weir_compiled_token_id(found).bytes, token->id.bytes, token->id.length) != 0 ||
        weir_compiled_token_issue_number(found) != token->issue_number) {
        ck_abort_msg("token %llu is not found", (unsigned long long)token->issue_number);
    }
    if (token->has_credential_digest &&
        weir_image_find_by_digest(image, token->credential_digest) != found) {
        ck_abort_msg("token %llu is not found by its digest",
                     (unsigned long long)token->issue_number);
    }
}

START_TEST(each_of_two_hundred_thousand_tokens_is_found_and_no_other)
{
    const uint64_t count = 200000;
    struct weir_image *image = compile_numbered(count, 0, 1);
    struct bytes bytes = {0};

    ck_assert_uint_eq(weir_image_token_count(image), count);
    ck_assert_uint_eq(weir_image_digest_count(image), count / 4);
    for (uint64_t i = 0; i < count; i++) {
        struct numbered_token numbered;

        numbered_token_make(&numbered, i);
        expect_found(image, &numbered.token);
        numbered_token_make(&numbered, count + i);
        if (weir_image_find(image, numbered.token.id) != NULL ||
            weir_image_find_by_digest(image, numbered.token.credential_digest) != NULL) {
            ck_abort_msg("token %llu is found", (unsigned long long)(count + i));
        }
    }
    bytes = bytes_of_image(image);
    ck_assert_int_eq(weir_image_validate(bytes.bytes, bytes.size, NULL, NULL), WEIR_OK);
    free(bytes.bytes);
}
END_TEST

START_TEST(going_through_an_image_meets_each_token_once)
{
    const uint64_t count = 20000;
    struct weir_image *image = compile_numbered(count, 0, 1);
    bool *met = calloc(count, sizeof *met);
    const struct weir_compiled_token *token = NULL;
    uint64_t steps = 0;

    while ((token = weir_image_next(image, token)) != NULL) {
        uint64_t number = weir_compiled_token_issue_number(token);

        if (number >= count || met[number]) {
            ck_abort_msg("token %llu again", (unsigned long long)number);
        }
        met[number] = true;
        steps++;
    }
    ck_assert_uint_eq(steps, count);
    free(met);
    weir_image_close(image);
}
END_TEST

START_TEST(the_same_tokens_make_the_same_bytes_in_any_order)
{
    static const struct {
        uint64_t from;
        uint64_t step;
    } orders[] = {{0, 1}, {4999, 4999}, {17, 7}, {2500, 2501}};
    struct bytes first = bytes_of_image(compile_numbered(5000, 0, 1));

    for (size_t i = 0; i < COUNT(orders); i++) {
        struct bytes other = bytes_of_image(compile_numbered(5000, orders[i].from, orders[i].step));

        ck_assert_uint_eq(other.size, first.size);
        ck_assert(memcmp(other.bytes, first.bytes, first.size) == 0);
        free(other.bytes);
    }
    free(first.bytes);
}
END_TEST

START_TEST(the_samples_make_the_same_bytes_in_any_order)
{
    struct bytes first = bytes_of_samples();
    struct samples samples;
    struct random random = {11};

    samples_make(&samples);
    for (unsigned round = 0; round < 20; round++) {
        struct bytes other = {0};

        for (size_t i = SAMPLE_COUNT; i > 1; i--) {
            size_t j = random_below(&random, i);
            struct weir_token token = samples.tokens[i - 1];

            samples.tokens[i - 1] = samples.tokens[j];
            samples.tokens[j] = token;
        }
        other = bytes_of_image(compile_tokens(samples.tokens, SAMPLE_COUNT, NULL));
        ck_assert_uint_eq(other.size, first.size);
        ck_assert_mem_eq(other.bytes, first.bytes, first.size);
        free(other.bytes);
    }
    free(first.bytes);
}
END_TEST

START_TEST(an_image_carries_the_sequence_it_was_made_at)
{
    static const uint64_t sequences[] = {0, 1, UINT64_C(0x123456789abcdef0), UINT64_MAX};

    for (size_t i = 0; i < COUNT(sequences); i++) {
        struct weir_compiler *compiler = NULL;
        struct weir_image *image = NULL;

        ck_assert_int_eq(weir_compiler_new(NULL, &compiler, NULL), WEIR_OK);
        ck_assert_int_eq(weir_compile(compiler, sequences[i], &image, NULL, NULL), WEIR_OK);
        ck_assert_uint_eq(weir_image_sequence(image), sequences[i]);
        weir_image_close(image);
        weir_compiler_free(compiler);
    }
}
END_TEST

/* A token that reads everywhere, of which only the id matters. */
static struct weir_token token_of_id(struct weir_text id, uint64_t number)
{
    static const struct weir_scope scope = {.ops = WEIR_OPERATION_BIT(WEIR_READ)};

    return (struct weir_token){
        .id = id, .scopes = &scope, .scope_count = 1, .issue_number = number};
}

START_TEST(ids_of_every_length_are_found_and_none_that_is_longer_or_shorter)
{
    struct weir_token tokens[WEIR_TOKEN_ID_MAX];
    char bytes[WEIR_TOKEN_ID_MAX + 1];
    struct weir_image *image = NULL;

    /* Each id begins as all longer ones do; every second length is left out. */
    memset(bytes, 'i', sizeof bytes);
    for (size_t i = 0; i < WEIR_TOKEN_ID_MAX / 2; i++) {
        tokens[i] = token_of_id((struct weir_text){bytes, 2 * i + 1}, i);
    }
    image = compile_tokens(tokens, WEIR_TOKEN_ID_MAX / 2, NULL);
    for (size_t length = 0; length <= sizeof bytes; length++) {
        ck_assert_int_eq(weir_image_find(image, (struct weir_text){bytes, length}) != NULL,
                         length % 2 == 1 && length < sizeof bytes);
    }
    weir_image_close(image);
    for (size_t i = 0; i < WEIR_TOKEN_ID_MAX; i++) {
        tokens[i] = token_of_id((struct weir_text){bytes, i + 1}, i);
    }
    image = compile_tokens(tokens, WEIR_TOKEN_ID_MAX, NULL);
    for (size_t i = 0; i < WEIR_TOKEN_ID_MAX; i++) {
        expect_found(image, &tokens[i]);
    }
    weir_image_close(image);
}
END_TEST

START_TEST(whatever_is_asked_for_that_is_no_id_is_not_found)
{
    struct samples samples;
    struct weir_image *image = NULL;
    char *long_id = malloc(1 << 20);
    static const struct weir_text bad[] = {
        {NULL, 0},    {"", 0},   {"plai", 4},    {"plain ", 6},
        {"Plain", 5}, {"\0", 1}, {"plain\0", 6}, {"\xff\xff\xff\xff", 4},
        {".", 1}};

    samples_make(&samples);
    image = compile_tokens(samples.tokens, SAMPLE_COUNT, NULL);
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct weir_request request = {.operation = WEIR_LIST_BASINS};
        struct weir_question question = {bad[i], request};
        struct weir_decision decision = {.reason = WEIR_ALLOWED};

        ck_assert_ptr_null(weir_image_find(image, bad[i]));
        ck_assert_int_eq(weir_check(image, bad[i], &request, SAMPLE_NOW).reason,
                         WEIR_UNKNOWN_TOKEN);
        weir_check_batch(image, &question, 1, SAMPLE_NOW, &decision);
        ck_assert_int_eq(decision.reason, WEIR_UNKNOWN_TOKEN);
        ck_assert_ptr_null(decision.token);
    }
    ck_assert_ptr_nonnull(long_id);
    memset(long_id, 'p', 1 << 20);
    for (size_t length = WEIR_TOKEN_ID_MAX; length <= 1 << 20; length *= 2) {
        ck_assert_ptr_null(weir_image_find(image, (struct weir_text){long_id, length}));
    }
    free(long_id);
    weir_image_close(image);
}
END_TEST

START_TEST(a_digest_that_differs_anywhere_is_not_found)
{
    struct samples samples;
    struct weir_image *image = NULL;

    samples_make(&samples);
    image = compile_tokens(samples.tokens, SAMPLE_COUNT, NULL);
    for (size_t bit = 0; bit < 8 * WEIR_DIGEST_SIZE; bit++) {
        uint8_t digest[WEIR_DIGEST_SIZE];

        memcpy(digest, samples.tokens[4].credential_digest, sizeof digest);
        ck_assert_ptr_eq(weir_image_find_by_digest(image, digest),
                         weir_image_find(image, samples.tokens[4].id));
        digest[bit / 8] ^= (uint8_t)(1 << bit % 8);
        ck_assert_ptr_null(weir_image_find_by_digest(image, digest));
    }
    weir_image_close(image);
}
END_TEST

/* So many that some share the bucket and the tag of the digest that is there. */
START_TEST(a_digest_that_only_begins_like_another_is_not_found)
{
    struct samples samples;
    struct weir_image *image = NULL;
    struct random random = {14};

    samples_make(&samples);
    image = compile_tokens(samples.tokens, SAMPLE_COUNT, NULL);
    for (unsigned round = 0; round < 400000; round++) {
        uint64_t number = random_number(&random);
        uint8_t digest[WEIR_DIGEST_SIZE];

        memcpy(digest, samples.tokens[4].credential_digest, sizeof digest);
        memcpy(digest + round % 4 * 8, &number, sizeof number);
        if (weir_image_find_by_digest(image, digest) != NULL) {
            ck_abort_msg("round %u", round);
        }
    }
    weir_image_close(image);
}
END_TEST

START_TEST(images_of_every_small_number_of_tokens_find_all_of_theirs)
{
    for (uint64_t count = 0; count <= 150; count++) {
        struct weir_image *image = compile_numbered(count, 0, 1);
        struct numbered_token numbered;

        for (uint64_t i = 0; i < count; i++) {
            numbered_token_make(&numbered, i);
            expect_found(image, &numbered.token);
        }
        numbered_token_make(&numbered, count);
        ck_assert_ptr_null(weir_image_find(image, numbered.token.id));
        ck_assert_int_eq(weir_image_next(image, NULL) != NULL, count > 0);
        weir_image_close(image);
    }
}
END_TEST

START_TEST(a_batch_of_any_size_answers_as_one_question_after_the_other)
{
    const uint64_t count = 3000;
    struct weir_image *image = compile_numbered(count, 0, 1);
    struct numbered_token numbered[100];
    struct weir_question questions[COUNT(numbered)];
    struct weir_decision decisions[COUNT(numbered)];
    struct random random = {13};

    for (size_t size = 0; size <= COUNT(numbered); size++) {
        for (size_t i = 0; i < size; i++) {
            /* One in four does not exist, some are cut. */
            numbered_token_make(&numbered[i], random_below(&random, 4 * count / 3));
            questions[i] = (struct weir_question){
                numbered[i].token.id,
                {.operation = random_below(&random, 2) == 0 ? WEIR_READ : WEIR_APPEND,
                 .basin = WEIR_TEXT("tenant-0001-production"),
                 .stream = numbered[i].scope.streams.name}};
            if (random_below(&random, 16) == 0) {
                questions[i].token_id.length = random_below(&random, sizeof numbered[i].id);
            }
        }
        weir_check_batch(image, questions, size, SAMPLE_NOW, decisions);
        for (size_t i = 0; i < size; i++) {
            struct weir_decision alone =
                weir_check(image, questions[i].token_id, &questions[i].request, SAMPLE_NOW);

            if (alone.reason != decisions[i].reason || alone.token != decisions[i].token) {
                ck_abort_msg("question %zu of %zu", i, size);
            }
        }
    }
    weir_image_close(image);
}
END_TEST

/* So many that some share the bucket and the tag of an id that is there. */
START_TEST(a_batch_of_unknown_ids_finds_none)
{
    const uint64_t count = 3000;
    struct weir_image *image = compile_numbered(count, 0, 1);
    char ids[32][16];
    struct weir_question questions[32] = {0};
    struct weir_decision decisions[32];

    for (unsigned round = 0; round < 10000; round++) {
        for (unsigned i = 0; i < COUNT(questions); i++) {
            (void)snprintf(ids[i], sizeof ids[i], "no/%09u", 32 * round + i);
            questions[i].token_id = text_of(ids[i]);
        }
        weir_check_batch(image, questions, COUNT(questions), SAMPLE_NOW, decisions);
        for (unsigned i = 0; i < COUNT(questions); i++) {
            if (decisions[i].reason != WEIR_UNKNOWN_TOKEN || decisions[i].token != NULL) {
                ck_abort_msg("%s", ids[i]);
            }
        }
    }
    weir_image_close(image);
}
END_TEST

/*
 * ---- An index that somebody fills against us ----
 *
 * The compiler's hash key follows from the content, so nobody can choose ids that collide. An image
 * may still say that all its buckets are full and everything is in the overflow: then look-ups must
 * work there, too.
 */

enum { PAGE = 4096, BUCKET = 64, REACH = 4, OVERFLOW_ENTRY = 16, MARGIN = 64 };

struct spilled {
    uint64_t hash;
    uint32_t offset;
    const char *id;
    size_t length;
};

static int compare_spilled(const void *left, const void *right)
{
    const struct spilled *a = left;
    const struct spilled *b = right;

    return (a->hash > b->hash) - (a->hash < b->hash);
}

/* What stands in the overflow if nothing has room before: all tokens, by hash. */
static struct spilled *spill_all(const struct weir_image *image, const unsigned char *bytes,
                                 const unsigned char *blocks, size_t count)
{
    struct spilled *spilled = calloc(count, sizeof *spilled);
    uint64_t key = number_at(bytes + AT_HASH_KEY, 8);
    uint64_t shift = number_at(bytes + AT_BLOCK_SHIFT, 4);
    const struct weir_compiled_token *token = NULL;

    for (size_t i = 0; i < count; i++) {
        struct weir_text id = {NULL, 0};

        token = weir_image_next(image, token);
        id = weir_compiled_token_id(token);
        spilled[i].hash = XXH3_64bits_withSeed(id.bytes, id.length, key);
        spilled[i].offset = (uint32_t)((size_t)((const unsigned char *)token - blocks) >> shift);
    }
    qsort(spilled, count, sizeof *spilled, compare_spilled);
    return spilled;
}

/*
 * The image's bytes with one home bucket for ids whose reach is full of nothing: no tag is set, all
 * four say that keys lie further on. For images of at most 256 tokens without digests, whose id
 * index is one bucket page, no overflow page, one digest bucket page.
 */
static struct bytes spill_image(const struct weir_image *image)
{
    size_t size = 0;
    const unsigned char *source = weir_image_bytes(image, &size);
    size_t count = (size_t)weir_image_token_count(image);
    size_t blocks_size = (size_t)number_at(source + AT_BLOCKS_SIZE, 8);
    const unsigned char *blocks = source + size - blocks_size;
    struct spilled *spilled = spill_all(image, source, blocks, count);
    struct bytes made = {NULL, 4 * PAGE + blocks_size};

    ck_assert_uint_le(count * OVERFLOW_ENTRY, PAGE);
    made.bytes = calloc(1, made.size);
    memcpy(made.bytes, source, PAGE);
    put_number(made.bytes + AT_FILE_SIZE, 8, made.size);
    put_number(made.bytes + AT_ID_BUCKET_COUNT, 8, 1);
    put_number(made.bytes + AT_ID_OVERFLOW_COUNT, 8, count);
    put_number(made.bytes + AT_DIGEST_BUCKET_COUNT, 8, 1);
    put_number(made.bytes + AT_DIGEST_OVERFLOW_COUNT, 8, 0);
    for (size_t i = 0; i < REACH; i++) {
        put_number(made.bytes + PAGE + i * BUCKET + 60, 4, count);
    }
    for (size_t i = 0; i < count; i++) {
        unsigned char *entry = made.bytes + (size_t)2 * PAGE + i * OVERFLOW_ENTRY;

        put_number(entry, 8, spilled[i].hash);
        put_number(entry + 8, 4, spilled[i].offset);
    }
    memcpy(made.bytes + (size_t)4 * PAGE, blocks, blocks_size);
    mend_checksum(made.bytes, made.size);
    free(spilled);
    return made;
}

START_TEST(an_image_whose_ids_are_all_in_the_overflow_finds_all)
{
    struct weir_token tokens[200];
    char ids[200][16];
    struct weir_image *image = NULL;
    struct bytes spilled = {0};
    struct weir_error error = {0};

    for (size_t i = 0; i < COUNT(tokens); i++) {
        (void)snprintf(ids[i], sizeof ids[i], "t%zu", i);
        tokens[i] = token_of_id(text_of(ids[i]), i);
    }
    image = compile_tokens(tokens, COUNT(tokens), NULL);
    spilled = spill_image(image);
    weir_image_close(image);
    ck_assert_msg(weir_image_open_memory(spilled.bytes, spilled.size, WEIR_IMAGE_SHARED, NULL,
                                         &image, &error) == WEIR_OK,
                  "%s", error.message);
    for (size_t i = 0; i < COUNT(tokens); i++) {
        expect_found(image, &tokens[i]);
    }
    ck_assert_ptr_null(weir_image_find(image, text_of("t200")));
    (void)ask_everything(image);
    weir_image_close(image);
    free(spilled.bytes);
}
END_TEST

START_TEST(an_overflow_out_of_order_is_refused)
{
    struct samples samples;
    struct weir_image *image = NULL;
    struct bytes spilled = {0};
    unsigned char entry[OVERFLOW_ENTRY];
    unsigned char *first = NULL;

    samples_make(&samples);
    image = compile_tokens(samples.tokens, 4, NULL);
    spilled = spill_image(image);
    weir_image_close(image);
    ck_assert_int_eq(status_of_opening(spilled.bytes, spilled.size), WEIR_OK);
    first = spilled.bytes + (size_t)2 * PAGE;
    memcpy(entry, first, sizeof entry);
    memmove(first, first + OVERFLOW_ENTRY, OVERFLOW_ENTRY);
    memcpy(first + OVERFLOW_ENTRY, entry, sizeof entry);
    mend_checksum(spilled.bytes, spilled.size);
    ck_assert_int_eq(status_of_opening(spilled.bytes, spilled.size), WEIR_ERROR_DAMAGED);
    free(spilled.bytes);
}
END_TEST

START_TEST(two_tokens_of_one_id_or_digest_make_no_image)
{
    struct weir_token tokens[3] = {token_of_id(WEIR_TEXT("one"), 0),
                                   token_of_id(WEIR_TEXT("two"), 0),
                                   token_of_id(WEIR_TEXT("one"), 1)};

    for (unsigned digests = 0; digests < 2; digests++) {
        struct weir_compiler *compiler = NULL;
        struct weir_image *image = NULL;
        struct weir_error error = {0};
        uint64_t duplicate = 0;

        if (digests == 1) {
            tokens[2].id = text_of("three");
            tokens[1].has_credential_digest = tokens[2].has_credential_digest = true;
        }
        ck_assert_int_eq(weir_compiler_new(NULL, &compiler, NULL), WEIR_OK);
        for (size_t i = 0; i < COUNT(tokens); i++) {
            ck_assert_int_eq(weir_compiler_add(compiler, &tokens[i], 100 + i, NULL), WEIR_OK);
        }
        ck_assert_int_eq(weir_compile(compiler, 0, &image, &duplicate, &error),
                         WEIR_ERROR_DUPLICATE);
        expect_error(&error, WEIR_ERROR_DUPLICATE);
        ck_assert_uint_eq(duplicate, 102);
        ck_assert_ptr_null(image);
        ck_assert_int_eq(weir_compile(compiler, 0, &image, NULL, NULL), WEIR_ERROR_DUPLICATE);
        weir_compiler_free(compiler);
    }
}
END_TEST

TCase *finding_cases(void)
{
    TCase *cases = tcase_create("finding");

    tcase_add_test(cases, each_of_two_hundred_thousand_tokens_is_found_and_no_other);
    tcase_add_test(cases, going_through_an_image_meets_each_token_once);
    tcase_add_test(cases, the_same_tokens_make_the_same_bytes_in_any_order);
    tcase_add_test(cases, the_samples_make_the_same_bytes_in_any_order);
    tcase_add_test(cases, an_image_carries_the_sequence_it_was_made_at);
    tcase_add_test(cases, ids_of_every_length_are_found_and_none_that_is_longer_or_shorter);
    tcase_add_test(cases, whatever_is_asked_for_that_is_no_id_is_not_found);
    tcase_add_test(cases, a_digest_that_differs_anywhere_is_not_found);
    tcase_add_test(cases, a_digest_that_only_begins_like_another_is_not_found);
    tcase_add_test(cases, images_of_every_small_number_of_tokens_find_all_of_theirs);
    tcase_add_test(cases, a_batch_of_any_size_answers_as_one_question_after_the_other);
    tcase_add_test(cases, a_batch_of_unknown_ids_finds_none);
    tcase_add_test(cases, an_image_whose_ids_are_all_in_the_overflow_finds_all);
    tcase_add_test(cases, an_overflow_out_of_order_is_refused);
    tcase_add_test(cases, two_tokens_of_one_id_or_digest_make_no_image);
    return cases;
}
