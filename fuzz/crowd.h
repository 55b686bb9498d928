/* crowd.h - indexes that are fuller than the compiler makes them. */
#ifndef WEIR_FUZZ_CROWD_H
#define WEIR_FUZZ_CROWD_H

#include <stddef.h>
#include <stdint.h>

/* Gives an image, a valid one, indexes of so many homes (at least 1) under another hash key: the
 * more keys for each home, the more of them are in the overflow. Returns its size then: 0, and
 * nothing is changed, for bytes that are no image, or if more than `size_max` would be needed. The
 * checksum is for the caller to mend. */
size_t crowd_image(uint8_t *bytes, size_t size, size_t size_max, uint64_t homes, uint64_t hash_key);

#endif
