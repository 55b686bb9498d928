/*
 * test_doubles.c - credentials beside a cryptographic library that keeps count and does as it is
 * told: what is no credential is never hashed, each random byte makes the digit that it should,
 * and a library that fails makes no credential and no digest.
 */
#include <errno.h>
#include <string.h>

#include <weir/credential.h>

#include "credential/crypto.h"
#include "credential/naive_credential.h"
#include "credential/samples.h"
#include "library/support.h"

static struct {
    unsigned hashed;
    unsigned random; /* bytes given */
    unsigned next;   /* the byte to be given next; they go up, and begin again */
    unsigned gives;  /* calls that still give random bits; the others fail */
    unsigned scarce; /* calls to come that give a 0 and bytes that make no digit */
    unsigned wiped;  /* bytes */
    bool hashing_fails;
} library;

static void library_begin(void)
{
    memset(&library, 0, sizeof library);
    library.gives = 100;
}

bool weir_crypto_sha256(const void *bytes, size_t size, uint8_t digest[WEIR_SHA256_SIZE])
{
    library.hashed++;
    memset(digest, 0, WEIR_SHA256_SIZE);
    memcpy(digest, bytes, size < WEIR_SHA256_SIZE ? size : WEIR_SHA256_SIZE);
    return !library.hashing_fails;
}

bool weir_crypto_random(void *bytes, size_t size)
{
    if (library.gives == 0) {
        errno = ENOSYS;
        return false;
    }
    library.gives--;
    library.random += (unsigned)size;
    if (library.scarce > 0) {
        library.scarce--;
        memset(bytes, 0xff, size);
        *(unsigned char *)bytes = 0;
        return true;
    }
    for (size_t i = 0; i < size; i++) {
        ((unsigned char *)bytes)[i] = (unsigned char)library.next++;
    }
    return true;
}

void weir_crypto_wipe(void *bytes, size_t size)
{
    memset(bytes, 0, size);
    library.wiped += (unsigned)size;
}

/*
 * ---- The cases ----
 */

START_TEST(what_is_no_credential_is_never_hashed)
{
    struct dice dice = {7};
    uint8_t digest[WEIR_DIGEST_SIZE];
    unsigned real = 0;

    library_begin();
    for (unsigned i = 0; i < 100000; i++) {
        struct weir_credential credential = credential_of(&dice);
        struct weir_text text = text_of_credential(&credential);

        if (dice_chance(&dice, 50)) {
            char *changed = &credential.text[dice_below(&dice, WEIR_CREDENTIAL_LENGTH)];

            *changed = (char)((unsigned char)*changed ^ dice_between(&dice, 1, 127));
        }
        if (dice_chance(&dice, 10)) {
            text.length = dice_below(&dice, WEIR_CREDENTIAL_LENGTH);
        }
        real += naive_credential(text);
        (void)weir_credential_digest(text, digest);
        if (library.hashed != real) {
            ck_abort_msg("%s: hashed, or not, by mistake", credential.text);
        }
    }
    ck_assert_uint_gt(real, 1000);
}
END_TEST

/* The digit of byte b is b / 4; 248 to 255 are passed over. */
START_TEST(each_random_byte_makes_one_digit_or_none)
{
    unsigned counts[62] = {0};
    unsigned byte = 0;

    library_begin();
    for (unsigned i = 0; i < 4; i++) { /* 4 times 64 bytes are all */
        struct weir_credential credential;

        library.next = 64 * i;
        ck_assert_int_eq(weir_credential_draw(&credential, NULL), WEIR_OK);
        ck_assert(naive_credential(text_of_credential(&credential)));
        byte = 64 * i;
        for (size_t place = NAIVE_PREFIX; place < NAIVE_CHECKED; place++) {
            while (byte % 256 >= 248) {
                byte++;
            }
            ck_assert_int_eq(credential.text[place], NAIVE_DIGITS[byte % 256 / 4]);
            counts[byte++ % 256 / 4]++;
        }
    }
    for (unsigned digit = 0; digit < 62; digit++) {
        ck_assert_uint_le(counts[digit], 4);
    }
}
END_TEST

/* From 208 on: 40 digits, eight bytes that are none, and three digits more. */
START_TEST(bytes_that_make_no_digit_are_drawn_again)
{
    struct weir_credential credential;

    library_begin();
    library.next = 208;
    ck_assert_int_eq(weir_credential_draw(&credential, NULL), WEIR_OK);
    ck_assert_mem_eq(credential.text + NAIVE_CHECKED - 3, "000", 3);
    ck_assert_int_eq(credential.text[NAIVE_CHECKED - 4], 'z');
}
END_TEST

START_TEST(as_many_bytes_are_drawn_as_it_takes)
{
    struct weir_credential credential;

    library_begin();
    library.scarce = 3;
    ck_assert_int_eq(weir_credential_draw(&credential, NULL), WEIR_OK);
    ck_assert_uint_eq(library.random, 256); /* four calls */
    ck_assert_mem_eq(credential.text + NAIVE_PREFIX, "0000000111122223333", 19);
    library_begin();
    library.scarce = 3;
    library.gives = 3;
    ck_assert_int_eq(weir_credential_draw(&credential, NULL), WEIR_ERROR_IO);
}
END_TEST

START_TEST(random_bytes_and_what_is_made_of_them_are_wiped)
{
    struct weir_credential credential;

    library_begin();
    ck_assert_int_eq(weir_credential_draw(&credential, NULL), WEIR_OK);
    ck_assert_uint_ge(library.wiped, 64 + WEIR_CREDENTIAL_LENGTH);
    library_begin();
    library.gives = 0;
    ck_assert_int_eq(weir_credential_draw(&credential, NULL), WEIR_ERROR_IO);
    ck_assert_uint_ge(library.wiped, 64 + WEIR_CREDENTIAL_LENGTH);
}
END_TEST

START_TEST(random_bits_that_fail_make_no_credential)
{
    struct weir_credential credential = {SAMPLE_CREDENTIAL};
    struct weir_error error = {0};

    library_begin();
    library.gives = 0;
    ck_assert_int_eq(weir_credential_draw(&credential, &error), WEIR_ERROR_IO);
    expect_error(&error, WEIR_ERROR_IO);
    ck_assert_ptr_nonnull(strstr(error.message, strerror(ENOSYS)));
    ck_assert_str_eq(credential.text, SAMPLE_CREDENTIAL);
}
END_TEST

START_TEST(a_hash_that_fails_makes_no_digest)
{
    uint8_t digest[WEIR_DIGEST_SIZE];

    library_begin();
    library.hashing_fails = true;
    ck_assert(!weir_credential_digest(WEIR_TEXT(SAMPLE_CREDENTIAL), digest));
    ck_assert_uint_eq(library.hashed, 1);
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("doubles");

    tcase_add_test(cases, what_is_no_credential_is_never_hashed);
    tcase_add_test(cases, each_random_byte_makes_one_digit_or_none);
    tcase_add_test(cases, bytes_that_make_no_digit_are_drawn_again);
    tcase_add_test(cases, as_many_bytes_are_drawn_as_it_takes);
    tcase_add_test(cases, random_bytes_and_what_is_made_of_them_are_wiped);
    tcase_add_test(cases, random_bits_that_fail_make_no_credential);
    tcase_add_test(cases, a_hash_that_fails_makes_no_digest);
    return run_cases("credential_doubles", &cases, 1);
}
