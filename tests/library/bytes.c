#include "library/bytes.h"

#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "library/samples.h"
#include "library/support.h"

struct bytes bytes_of_image(struct weir_image *image)
{
    struct bytes bytes = {NULL, 0};
    const void *source = weir_image_bytes(image, &bytes.size);

    bytes.bytes = malloc(bytes.size);
    ck_assert_ptr_nonnull(bytes.bytes);
    memcpy(bytes.bytes, source, bytes.size);
    weir_image_close(image);
    return bytes;
}

struct bytes bytes_of_samples(void)
{
    struct samples samples;

    samples_make(&samples);
    return bytes_of_image(compile_tokens(samples.tokens, SAMPLE_COUNT, NULL));
}

uint64_t number_at(const unsigned char *bytes, size_t size)
{
    uint64_t number = 0;

    for (size_t i = size; i > 0; i--) {
        number = number << 8 | bytes[i - 1];
    }
    return number;
}

void put_number(unsigned char *bytes, size_t size, uint64_t number)
{
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (unsigned char)(number >> 8 * i);
    }
}

void mend_checksum(unsigned char *bytes, size_t size)
{
    memset(bytes + AT_CHECKSUM, 0, 8);
    put_number(bytes + AT_CHECKSUM, 8, XXH3_64bits(bytes, size));
}

static enum weir_status status_of_mode(const unsigned char *bytes, size_t size,
                                       enum weir_image_mode mode)
{
    struct weir_image *image = NULL;
    struct weir_error error = {0};
    enum weir_status status = weir_image_open_memory(bytes, size, mode, NULL, &image, &error);

    if (status != WEIR_OK) {
        expect_error(&error, status);
        if (image != NULL) {
            ck_abort_msg("an image in spite of an error");
        }
    }
    weir_image_close(image);
    return status;
}

enum weir_status status_of_opening(const unsigned char *bytes, size_t size)
{
    struct weir_error error = {0};
    enum weir_status status = weir_image_validate(bytes, size, NULL, &error);

    if (status != WEIR_OK) {
        expect_error(&error, status);
    }
    if (status_of_mode(bytes, size, WEIR_IMAGE_SHARED) != status ||
        status_of_mode(bytes, size, WEIR_IMAGE_COPY) != status) {
        ck_abort_msg("opening does not say the same as validating: %s", weir_status_name(status));
    }
    return status;
}
