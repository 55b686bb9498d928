/* Drawing credentials. The linker leads the library's calls of getrandom to the function below. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "credential/credential_cases.h"
#include "credential/naive_credential.h"
#include "credential/samples.h"
#include "library/support.h"

static struct {
    int fails_with;  /* what every call fails with; 0: none does */
    int interrupted; /* so many calls to come are, by a signal */
    size_t most;  /* the most bytes that a call gives, of which the first make the digits 0, 1 and
                     so on; 0: no limit, and random ones */
    size_t given; /* of those, since the last credential */
} system_random;

ssize_t __wrap_getrandom(void *bytes, size_t size, unsigned flags);
ssize_t __real_getrandom(void *bytes, size_t size, unsigned flags);

ssize_t __wrap_getrandom(void *bytes, size_t size, unsigned flags)
{
    if (system_random.fails_with != 0) {
        errno = system_random.fails_with;
        return -1;
    }
    if (system_random.interrupted > 0) {
        system_random.interrupted--;
        errno = EINTR;
        return -1;
    }
    if (system_random.most == 0) {
        return __real_getrandom(bytes, size, flags);
    }
    size = size < system_random.most ? size : system_random.most;
    for (size_t i = 0; i < size; i++) {
        ((unsigned char *)bytes)[i] = (unsigned char)(4 * (system_random.given++ % 62));
    }
    return (ssize_t)size;
}

static void draw(struct weir_credential *credential)
{
    if (weir_credential_draw(credential, NULL) != WEIR_OK ||
        !weir_credential_well_formed(text_of_credential(credential)) ||
        credential->text[WEIR_CREDENTIAL_LENGTH] != '\0') {
        ck_abort_msg("%s is drawn", credential->text);
    }
}

START_TEST(without_random_bits_nothing_is_drawn)
{
    struct weir_credential credential = {SAMPLE_CREDENTIAL};
    struct weir_error error = {0};

    system_random.fails_with = EIO;
    ck_assert_int_eq(weir_credential_draw(&credential, &error), WEIR_ERROR_IO);
    expect_error(&error, WEIR_ERROR_IO);
    ck_assert_ptr_nonnull(strstr(error.message, strerror(EIO)));
    ck_assert_int_eq(weir_credential_draw(&credential, NULL), WEIR_ERROR_IO);
    ck_assert_str_eq(credential.text, SAMPLE_CREDENTIAL);
    system_random.fails_with = 0;
    draw(&credential);
}
END_TEST

START_TEST(a_signal_or_too_few_bits_do_not_keep_one_from_being_drawn)
{
    struct weir_credential credential;

    system_random.interrupted = 3;
    draw(&credential);
    ck_assert_int_eq(system_random.interrupted, 0);
    for (size_t most = 1; most < 64; most++) {
        system_random.most = most;
        system_random.given = 0;
        draw(&credential);
        ck_assert_mem_eq(credential.text + NAIVE_PREFIX, NAIVE_DIGITS,
                         NAIVE_CHECKED - NAIVE_PREFIX);
    }
    system_random.most = 0;
}
END_TEST

/*
 * ---- A million ----
 */

enum { DRAWN = 1000000, PLACES = NAIVE_CHECKED - NAIVE_PREFIX };

static int compare_credentials(const void *left, const void *right)
{
    return memcmp(left, right, sizeof(struct weir_credential));
}

/* The sum of squared deviations from an even distribution over the digits: of 61 degrees of
 * freedom, so over 200 once in 10^16 if it is even. Drawing bytes modulo 62 makes it 6 000. */
static double unevenness(const unsigned counts[62])
{
    const double even = DRAWN / 62.0;
    double sum = 0;

    for (unsigned digit = 0; digit < 62; digit++) {
        sum += (counts[digit] - even) * (counts[digit] - even) / even;
    }
    return sum;
}

START_TEST(of_a_million_each_digit_is_as_likely_everywhere_and_no_two_are_the_same)
{
    static unsigned counts[PLACES][62];
    struct weir_credential *drawn = calloc(DRAWN, sizeof *drawn);

    ck_assert_ptr_nonnull(drawn);
    for (size_t i = 0; i < DRAWN; i++) {
        draw(&drawn[i]);
        for (size_t place = 0; place < PLACES; place++) {
            counts[place]
                  [strchr(NAIVE_DIGITS, drawn[i].text[NAIVE_PREFIX + place]) - NAIVE_DIGITS]++;
        }
    }
    for (size_t place = 0; place < PLACES; place++) {
        if (unevenness(counts[place]) > 200) {
            ck_abort_msg("place %zu: %f", place, unevenness(counts[place]));
        }
    }
    qsort(drawn, DRAWN, sizeof *drawn, compare_credentials);
    for (size_t i = 1; i < DRAWN; i++) {
        if (compare_credentials(&drawn[i - 1], &drawn[i]) == 0) {
            ck_abort_msg("%s is drawn twice", drawn[i].text);
        }
    }
    free(drawn);
}
END_TEST

TCase *draw_cases(void)
{
    TCase *cases = tcase_create("drawing");

    tcase_add_test(cases, without_random_bits_nothing_is_drawn);
    tcase_add_test(cases, a_signal_or_too_few_bits_do_not_keep_one_from_being_drawn);
    tcase_add_test(cases, of_a_million_each_digit_is_as_likely_everywhere_and_no_two_are_the_same);
    return cases;
}
