/* mutation_cases.c - images changed on purpose, with the checksum put right: each is refused, or
 * may be asked anything. */
#include "library/image_cases.h"

#include <stdlib.h>
#include <string.h>

#include "library/asking.h"
#include "library/bytes.h"
#include "library/samples.h"
#include "library/support.h"

/* How many changed images were refused, and how many asked. */
struct tally {
    size_t refused;
    size_t asked;
};

/* The image lies between pages that cannot be touched, so that a read beyond it does not pass. */
static void refuse_or_ask(const struct guarded *guarded, struct tally *tally)
{
    struct weir_image *image = NULL;
    struct weir_error error = {0};
    enum weir_status status = WEIR_OK;

    mend_checksum(guarded->bytes, guarded->size);
    status = weir_image_open_memory(guarded->bytes, guarded->size, WEIR_IMAGE_SHARED, NULL, &image,
                                    &error);
    if (status != WEIR_OK) {
        expect_error(&error, status);
        tally->refused++;
        return;
    }
    (void)ask_everything(image);
    weir_image_close(image);
    tally->asked++;
}

static void put_each_value(const struct guarded *guarded, size_t at, unsigned char random,
                           struct tally *tally)
{
    unsigned char kept = guarded->bytes[at];
    const unsigned char values[] = {0,
                                    0xff,
                                    (unsigned char)(kept + 1),
                                    (unsigned char)(kept - 1),
                                    (unsigned char)(kept ^ 0x80),
                                    (unsigned char)(kept + 4),
                                    random};

    for (size_t i = 0; i < COUNT(values); i++) {
        if (values[i] != kept) {
            guarded->bytes[at] = values[i];
            refuse_or_ask(guarded, tally);
        }
    }
    guarded->bytes[at] = kept;
}

/* The sections of an image are padded to pages: of a run of zeros only both ends are of interest,
 * and some places in between. */
static bool deep_in_zeros(const struct guarded *guarded, size_t at)
{
    static const unsigned char zeros[160];

    return at >= 80 && at + 80 <= guarded->size && at % 251 != 0 &&
           memcmp(guarded->bytes + at - 80, zeros, sizeof zeros) == 0;
}

static void change_each_byte(const struct bytes *bytes, bool at_end, struct tally *tally)
{
    struct guarded guarded = guarded_copy(bytes->bytes, bytes->size, at_end);
    struct random random = {8};

    for (size_t at = 0; at < guarded.size; at++) {
        unsigned char value = (unsigned char)random_number(&random);

        if (!deep_in_zeros(&guarded, at)) {
            put_each_value(&guarded, at, value, tally);
        }
    }
    guarded_free(&guarded);
}

START_TEST(an_image_with_any_one_byte_changed_is_refused_or_safe_to_ask)
{
    struct bytes bytes = bytes_of_samples();
    struct tally tally = {0};

    change_each_byte(&bytes, true, &tally);
    ck_assert_uint_gt(tally.refused, 1000);
    ck_assert_uint_gt(tally.asked, 100);
    free(bytes.bytes);
}
END_TEST

START_TEST(an_image_without_tokens_with_any_one_byte_changed_is_refused_or_safe_to_ask)
{
    struct bytes bytes = bytes_of_image(compile_tokens(NULL, 0, NULL));
    struct tally tally = {0};

    change_each_byte(&bytes, false, &tally);
    ck_assert_uint_gt(tally.refused, 100);
    free(bytes.bytes);
}
END_TEST

/* A number of the kind that offsets, counts and lengths are. */
static uint64_t tempting_number(struct random *random, const struct guarded *guarded, size_t at)
{
    size_t other = random_below(random, guarded->size - 8);
    uint64_t choices[] = {0,
                          1,
                          4,
                          UINT64_MAX,
                          UINT32_MAX,
                          INT32_MAX,
                          guarded->size,
                          guarded->size / 4,
                          random_below(random, 256),
                          4 * random_below(random, 1024),
                          random_number(random),
                          number_at(guarded->bytes + other / 4 * 4, 4),
                          number_at(guarded->bytes + at, 4) + 4,
                          number_at(guarded->bytes + at, 4) - 4};

    return choices[random_below(random, COUNT(choices))];
}

/* A place where something is: not in the padding. */
static size_t place_of_interest(struct random *random, const struct guarded *guarded)
{
    size_t at = 0;

    do {
        at = random_below(random, guarded->size - 8);
    } while (deep_in_zeros(guarded, at));
    return at;
}

START_TEST(an_image_with_several_numbers_changed_is_refused_or_safe_to_ask)
{
    static const size_t sizes[] = {1, 2, 4, 4, 4, 8};
    struct bytes bytes = bytes_of_samples();
    struct guarded guarded = guarded_copy(bytes.bytes, bytes.size, true);
    struct random random = {9};
    struct tally tally = {0};

    for (unsigned round = 0; round < 15000; round++) {
        for (size_t changes = 1 + random_below(&random, 3); changes > 0; changes--) {
            size_t size = sizes[random_below(&random, COUNT(sizes))];
            size_t at = place_of_interest(&random, &guarded) / size * size;

            put_number(guarded.bytes + at, size, tempting_number(&random, &guarded, at));
        }
        refuse_or_ask(&guarded, &tally);
        memcpy(guarded.bytes, bytes.bytes, bytes.size);
    }
    ck_assert_uint_gt(tally.refused, 1000);
    ck_assert_uint_gt(tally.asked, 10);
    guarded_free(&guarded);
    free(bytes.bytes);
}
END_TEST

START_TEST(an_image_with_pieces_moved_is_refused_or_safe_to_ask)
{
    struct bytes bytes = bytes_of_samples();
    struct guarded guarded = guarded_copy(bytes.bytes, bytes.size, true);
    struct random random = {10};
    struct tally tally = {0};

    for (unsigned round = 0; round < 5000; round++) {
        size_t length = 4 * (1 + random_below(&random, 16));
        size_t from = random_below(&random, bytes.size - length) / 4 * 4;
        size_t to = place_of_interest(&random, &guarded) / 4 * 4;

        if (length > bytes.size - to) {
            length = bytes.size - to;
        }
        memmove(guarded.bytes + to, guarded.bytes + from, length);
        refuse_or_ask(&guarded, &tally);
        memcpy(guarded.bytes, bytes.bytes, bytes.size);
    }
    ck_assert_uint_gt(tally.refused, 1000);
    guarded_free(&guarded);
    free(bytes.bytes);
}
END_TEST

TCase *mutation_cases(void)
{
    TCase *cases = tcase_create("mutation");

    tcase_add_test(cases, an_image_with_any_one_byte_changed_is_refused_or_safe_to_ask);
    tcase_add_test(cases,
                   an_image_without_tokens_with_any_one_byte_changed_is_refused_or_safe_to_ask);
    tcase_add_test(cases, an_image_with_several_numbers_changed_is_refused_or_safe_to_ask);
    tcase_add_test(cases, an_image_with_pieces_moved_is_refused_or_safe_to_ask);
    return cases;
}
