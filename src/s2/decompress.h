/* decompress.h - contents that are sent compressed, decoded whole. */
#ifndef WEIR_S2_DECOMPRESS_H
#define WEIR_S2_DECOMPRESS_H

#include <stddef.h>

#include <weir/name.h>

#include "s2/budget.h"
#include "s2/request.h"

enum s2_decompression {
    S2_DECOMPRESSED,
    S2_MALFORMED, /* it is not of that encoding, ends too early, or has something behind its end */
    S2_TOO_LARGE,
    S2_SHORT_OF_MEMORY /* of the budget, or of the system's */
};

struct s2_decoded {
    char *bytes; /* to be given back with s2_decoded_release */
    size_t length;
    size_t size; /* taken of the budget */
};

/*
 * Decodes one gzip member, or zstd frames, to `most` bytes at most. Takes no more of the budget
 * than a little more than that, whatever the content claims of itself: zstd's window is the result.
 */
enum s2_decompression s2_decompress(struct weir_text content, enum s2_encoding encoding,
                                    size_t most, struct s2_budget *budget,
                                    struct s2_decoded *decoded);

void s2_decoded_release(struct s2_decoded *decoded, struct s2_budget *budget);

#endif
