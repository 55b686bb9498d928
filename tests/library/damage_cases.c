/* damage_cases.c - what happens to files by accident: cut, flipped, of another version. */
#include "library/image_cases.h"

#include <stdlib.h>
#include <string.h>

#include "library/bytes.h"
#include "library/scratch.h"
#include "library/support.h"

START_TEST(the_checksum_is_that_of_the_specification)
{
    struct bytes bytes = bytes_of_samples();
    uint64_t written = number_at(bytes.bytes + AT_CHECKSUM, 8);

    mend_checksum(bytes.bytes, bytes.size);
    ck_assert_uint_eq(number_at(bytes.bytes + AT_CHECKSUM, 8), written);
    ck_assert_uint_eq(number_at(bytes.bytes + AT_FILE_SIZE, 8), bytes.size);
    free(bytes.bytes);
}
END_TEST

START_TEST(an_image_cut_anywhere_is_refused_as_truncated)
{
    struct bytes bytes = bytes_of_samples();

    for (size_t size = 0; size < bytes.size; size++) {
        unsigned char *cut = malloc(size > 0 ? size : 1);
        enum weir_status status = WEIR_OK;

        memcpy(cut, bytes.bytes, size);
        status = status_of_opening(cut, size);
        /* Before the magic number is complete it may be anything. */
        if (status != WEIR_ERROR_TRUNCATED && !(size < 8 && status == WEIR_ERROR_NOT_IMAGE)) {
            ck_abort_msg("cut to %zu bytes: %s", size, weir_status_name(status));
        }
        free(cut);
    }
    free(bytes.bytes);
}
END_TEST

START_TEST(an_image_cut_anywhere_is_refused_even_if_it_says_so_itself)
{
    struct bytes bytes = bytes_of_samples();

    for (size_t size = 32; size < bytes.size; size++) {
        struct guarded cut = guarded_copy(bytes.bytes, size, true);

        put_number(cut.bytes + AT_FILE_SIZE, 8, size);
        mend_checksum(cut.bytes, size);
        if (status_of_opening(cut.bytes, size) == WEIR_OK) {
            ck_abort_msg("cut to %zu bytes", size);
        }
        guarded_free(&cut);
    }
    free(bytes.bytes);
}
END_TEST

START_TEST(an_image_with_bytes_after_it_is_refused)
{
    struct bytes bytes = bytes_of_samples();

    for (size_t more = 1; more <= 4096; more *= 2) {
        unsigned char *longer = calloc(1, bytes.size + more);

        memcpy(longer, bytes.bytes, bytes.size);
        ck_assert_int_ne(status_of_opening(longer, bytes.size + more), WEIR_OK);
        put_number(longer + AT_FILE_SIZE, 8, bytes.size + more);
        mend_checksum(longer, bytes.size + more);
        ck_assert_int_ne(status_of_opening(longer, bytes.size + more), WEIR_OK);
        free(longer);
    }
    free(bytes.bytes);
}
END_TEST

/* Whether an error tells rightly what it means that the byte at `at` is another. */
static bool tells_what_changed(enum weir_status status, size_t at)
{
    if (at < AT_CHECKSUM) {
        return status == WEIR_ERROR_NOT_IMAGE;
    }
    if (at >= AT_VERSION && at < AT_BLOCK_SHIFT) {
        return status == WEIR_ERROR_VERSION;
    }
    if (at >= AT_FILE_SIZE && at < AT_TOKEN_COUNT) {
        return status == WEIR_ERROR_TRUNCATED || status == WEIR_ERROR_CHECKSUM ||
               status == WEIR_ERROR_DAMAGED;
    }
    return status == WEIR_ERROR_CHECKSUM;
}

START_TEST(any_one_flipped_bit_is_noticed)
{
    struct bytes bytes = bytes_of_samples();

    for (size_t bit = 0; bit < 8 * bytes.size; bit++) {
        struct weir_error error = {0};
        enum weir_status status = WEIR_OK;

        bytes.bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
        status = weir_image_validate(bytes.bytes, bytes.size, NULL, &error);
        if (!tells_what_changed(status, bit / 8)) {
            ck_abort_msg("bit %zu of byte %zu: %s", bit % 8, bit / 8, weir_status_name(status));
        }
        expect_error(&error, status);
        if (bit % 101 == 0) {
            ck_assert_int_eq(status_of_opening(bytes.bytes, bytes.size), status);
        }
        bytes.bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
    free(bytes.bytes);
}
END_TEST

START_TEST(another_magic_number_is_no_image)
{
    static const char *const magics[] = {"\x89WEIR\n\x1a\n", "weir\r\n\x1a\n", "\x09WEIR\r\n\x1a",
                                         "{\"access", "\0\0\0\0\0\0\0\0"};
    struct bytes bytes = bytes_of_samples();

    for (size_t i = 0; i < COUNT(magics); i++) {
        memcpy(bytes.bytes, magics[i], 8);
        mend_checksum(bytes.bytes, bytes.size);
        ck_assert_int_eq(status_of_opening(bytes.bytes, bytes.size), WEIR_ERROR_NOT_IMAGE);
    }
    free(bytes.bytes);
}
END_TEST

START_TEST(another_version_is_refused_as_such)
{
    static const uint32_t versions[] = {0, 2, 3, 0x100, 0x01000000, UINT32_MAX};
    struct bytes bytes = bytes_of_samples();

    ck_assert_uint_eq(number_at(bytes.bytes + AT_VERSION, 4), 1);
    for (size_t i = 0; i < COUNT(versions); i++) {
        put_number(bytes.bytes + AT_VERSION, 4, versions[i]);
        mend_checksum(bytes.bytes, bytes.size);
        ck_assert_int_eq(status_of_opening(bytes.bytes, bytes.size), WEIR_ERROR_VERSION);
    }
    free(bytes.bytes);
}
END_TEST

START_TEST(a_file_is_refused_as_the_same_bytes_in_memory_are)
{
    struct bytes bytes = bytes_of_samples();
    struct scratch scratch;

    scratch_make(&scratch);
    for (size_t size = 1; size < bytes.size + 700; size += 700) {
        size_t present = size < bytes.size ? size : bytes.size;
        enum weir_status expected = WEIR_OK;

        bytes.bytes[bytes.size - 1] ^= present == bytes.size;
        expected = status_of_opening(bytes.bytes, present);
        ck_assert_int_ne(expected, WEIR_OK);
        write_file(scratch.path, bytes.bytes, present);
        for (int mode = WEIR_IMAGE_SHARED; mode <= WEIR_IMAGE_COPY; mode++) {
            struct weir_image *image = NULL;
            struct weir_error error = {0};

            ck_assert_int_eq(
                weir_image_open(scratch.path, (enum weir_image_mode)mode, NULL, &image, &error),
                expected);
            expect_error(&error, expected);
            ck_assert_ptr_null(image);
        }
    }
    scratch_remove(&scratch);
    free(bytes.bytes);
}
END_TEST

TCase *damage_cases(void)
{
    TCase *cases = tcase_create("damage");

    tcase_add_test(cases, the_checksum_is_that_of_the_specification);
    tcase_add_test(cases, an_image_cut_anywhere_is_refused_as_truncated);
    tcase_add_test(cases, an_image_cut_anywhere_is_refused_even_if_it_says_so_itself);
    tcase_add_test(cases, an_image_with_bytes_after_it_is_refused);
    tcase_add_test(cases, any_one_flipped_bit_is_noticed);
    tcase_add_test(cases, another_magic_number_is_no_image);
    tcase_add_test(cases, another_version_is_refused_as_such);
    tcase_add_test(cases, a_file_is_refused_as_the_same_bytes_in_memory_are);
    return cases;
}
