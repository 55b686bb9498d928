/* What is a credential, and what is none. */
#include <string.h>

#include "credential/credential_cases.h"
#include "credential/naive_credential.h"
#include "credential/samples.h"
#include "library/support.h"

static bool well_formed(const char *text, size_t length)
{
    return weir_credential_well_formed((struct weir_text){text, length});
}

START_TEST(the_sample_has_the_form_and_its_digest)
{
    struct weir_text text = WEIR_TEXT(SAMPLE_CREDENTIAL);
    uint8_t digest[WEIR_DIGEST_SIZE];

    ck_assert(weir_credential_well_formed(text));
    ck_assert(weir_credential_digest(text, digest));
    ck_assert_mem_eq(digest, sample_digest, sizeof digest);
}
END_TEST

START_TEST(every_single_byte_of_a_credential_counts)
{
    struct dice dice = {1};

    for (unsigned round = 0; round < 40; round++) {
        struct weir_credential credential = credential_of(&dice);

        for (size_t at = 0; at < WEIR_CREDENTIAL_LENGTH; at++) {
            for (unsigned change = 1; change < 256; change++) {
                struct weir_credential changed = credential;

                changed.text[at] = (char)((unsigned char)changed.text[at] ^ change);
                if (weir_credential_well_formed(text_of_credential(&changed))) {
                    ck_abort_msg("%s passes for %s", changed.text, credential.text);
                }
            }
        }
        ck_assert(weir_credential_well_formed(text_of_credential(&credential)));
    }
}
END_TEST

START_TEST(only_texts_of_54_bytes_are_credentials)
{
    char text[2 * WEIR_CREDENTIAL_LENGTH + 1] = SAMPLE_CREDENTIAL SAMPLE_CREDENTIAL;

    for (size_t length = 0; length < sizeof text; length++) {
        ck_assert_int_eq(well_formed(text, length), length == WEIR_CREDENTIAL_LENGTH);
    }
    ck_assert(!weir_credential_well_formed((struct weir_text){NULL, 0}));
}
END_TEST

/* The bytes before and after are not looked at: they are not there. */
START_TEST(nothing_beside_the_text_is_read)
{
    for (size_t length = 0; length <= WEIR_CREDENTIAL_LENGTH; length++) {
        struct guarded at_end = guarded_copy(SAMPLE_CREDENTIAL, length, true);
        struct guarded at_start = guarded_copy(SAMPLE_CREDENTIAL, length, false);
        uint8_t digest[WEIR_DIGEST_SIZE];
        bool whole = length == WEIR_CREDENTIAL_LENGTH;

        ck_assert_int_eq(well_formed((char *)at_end.bytes, length), whole);
        ck_assert_int_eq(well_formed((char *)at_start.bytes, length), whole);
        ck_assert_int_eq(
            weir_credential_digest((struct weir_text){(char *)at_end.bytes, length}, digest),
            whole);
        guarded_free(&at_end);
        guarded_free(&at_start);
    }
}
END_TEST

/* Six digits have room for larger numbers than a checksum: those are none. */
START_TEST(a_checksum_has_one_way_of_being_written)
{
    struct dice dice = {2};

    for (unsigned round = 0; round < 1000; round++) {
        struct weir_credential credential = credential_of(&dice);
        uint64_t checksum = naive_crc32(credential.text, NAIVE_CHECKED);

        for (uint64_t more = 0; more < 13; more++) {
            naive_write_checksum(credential.text, checksum + (more << 32));
            ck_assert_int_eq(weir_credential_well_formed(text_of_credential(&credential)),
                             more == 0);
        }
    }
}
END_TEST

/* A credential, or a text that almost is one. */
static struct weir_credential draw_text(struct dice *dice)
{
    struct weir_credential drawn = credential_of(dice);

    if (dice_chance(dice, 30)) {
        static const char beside[] = "/:@[`{_-. \0\x7f\x80\xb0\xc1\xff";

        drawn.text[dice_below(dice, NAIVE_CHECKED)] = beside[dice_below(dice, sizeof beside)];
        if (dice_chance(dice, 50)) {
            naive_write_checksum(drawn.text, naive_crc32(drawn.text, NAIVE_CHECKED));
        }
    } else if (dice_chance(dice, 30)) {
        size_t one = dice_below(dice, WEIR_CREDENTIAL_LENGTH);
        size_t other = dice_below(dice, WEIR_CREDENTIAL_LENGTH);
        char kept = drawn.text[one];

        drawn.text[one] = drawn.text[other];
        drawn.text[other] = kept;
    } else if (dice_chance(dice, 30)) {
        drawn.text[dice_below(dice, WEIR_CREDENTIAL_LENGTH)] ^= 0x20;
    }
    return drawn;
}

START_TEST(the_form_is_that_of_the_naive_reading)
{
    struct dice dice = {3};
    unsigned real = 0;

    for (unsigned i = 0; i < 400000; i++) {
        struct weir_credential drawn = draw_text(&dice);
        struct weir_text text = text_of_credential(&drawn);
        bool expected = naive_credential(text);

        if (weir_credential_well_formed(text) != expected) {
            ck_abort_msg("%s is %s credential", drawn.text, expected ? "a" : "no");
        }
        real += expected;
    }
    ck_assert_uint_gt(real, 120000);
    ck_assert_uint_lt(real, 280000);
}
END_TEST

START_TEST(of_what_is_none_no_digest_is_written)
{
    struct dice dice = {4};
    uint8_t untouched[WEIR_DIGEST_SIZE];

    memset(untouched, 0xa5, sizeof untouched);
    for (unsigned i = 0; i < 100000; i++) {
        struct weir_credential drawn = draw_text(&dice);
        struct weir_text text = text_of_credential(&drawn);
        uint8_t digest[WEIR_DIGEST_SIZE];
        bool written = false;

        memcpy(digest, untouched, sizeof digest);
        written = weir_credential_digest(text, digest);
        if (written != naive_credential(text) ||
            written != (memcmp(digest, untouched, sizeof digest) != 0)) {
            ck_abort_msg("%s: a digest is %swritten", drawn.text, written ? "" : "not ");
        }
    }
}
END_TEST

TCase *form_cases(void)
{
    TCase *cases = tcase_create("form");

    tcase_add_test(cases, the_sample_has_the_form_and_its_digest);
    tcase_add_test(cases, every_single_byte_of_a_credential_counts);
    tcase_add_test(cases, only_texts_of_54_bytes_are_credentials);
    tcase_add_test(cases, nothing_beside_the_text_is_read);
    tcase_add_test(cases, a_checksum_has_one_way_of_being_written);
    tcase_add_test(cases, the_form_is_that_of_the_naive_reading);
    tcase_add_test(cases, of_what_is_none_no_digest_is_written);
    return cases;
}
