/* bytes.h - images as bytes, to be bent. */
#ifndef WEIR_TESTS_LIBRARY_BYTES_H
#define WEIR_TESTS_LIBRARY_BYTES_H

#include <stddef.h>
#include <stdint.h>

#include <weir/error.h>
#include <weir/image.h>

/* Where the fields of an image's header are that tests bend. Written out from the format. */
enum {
    AT_MAGIC = 0,
    AT_CHECKSUM = 8,
    AT_VERSION = 16,
    AT_BLOCK_SHIFT = 20,
    AT_FILE_SIZE = 24,
    AT_TOKEN_COUNT = 32,
    AT_HASH_KEY = 56,
    AT_ID_BUCKET_COUNT = 64,
    AT_ID_OVERFLOW_COUNT = 72,
    AT_DIGEST_BUCKET_COUNT = 80,
    AT_DIGEST_OVERFLOW_COUNT = 88,
    AT_BLOCKS_SIZE = 96
};

/* Bytes from malloc. */
struct bytes {
    unsigned char *bytes;
    size_t size;
};

/* A copy of the image's bytes; closes the image. */
struct bytes bytes_of_image(struct weir_image *image);

/* The bytes of the image of the samples. */
struct bytes bytes_of_samples(void);

/* Little-endian numbers. */
uint64_t number_at(const unsigned char *bytes, size_t size);
void put_number(unsigned char *bytes, size_t size, uint64_t number);

/* Puts the checksum right: XXH3-64 of all bytes, 8 to 15 taken as zero, little-endian. */
void mend_checksum(unsigned char *bytes, size_t size);

/* Validates, and opens in both modes; demands the same status of all three, and a proper error if
 * it is one. Returns it. */
enum weir_status status_of_opening(const unsigned char *bytes, size_t size);

#endif
