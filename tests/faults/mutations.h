/* mutations.h - images and journals changed on purpose. */
#ifndef WEIR_TESTS_FAULTS_MUTATIONS_H
#define WEIR_TESTS_FAULTS_MUTATIONS_H

#include <check.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "library/support.h"

/* How much of it: the sample that the standard tests take, or all. */
struct extent {
    size_t stride;         /* of the bytes that are changed alone, one in so many */
    size_t image_rounds;   /* images with several bytes changed */
    size_t journal_rounds; /* directories likewise */
};

extern struct extent extent;

/* What became of what was changed. */
struct outcome {
    size_t refused;
    size_t asked;
};

/* Says on standard error what a case did. */
void tell(const char *what, struct outcome outcome);

/* The values that a byte is given, one at a time: each bit inverted, the numbers beside it, and the
 * ends of the range. */
enum { BYTE_VALUES = 12 };

unsigned char byte_value(unsigned char kept, unsigned which);

/* Makes 1 to 5 changes, mostly not in padding: a bit inverted, a number of the kind that offsets
 * and lengths are, or what stands elsewhere. */
void change_several(unsigned char *bytes, size_t size, struct random *random);

TCase *image_mutations(void);
TCase *journal_mutations(void);

#endif
