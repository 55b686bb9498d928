/* scarcity.h - memory that runs out, and that is given back as it was taken. */
#ifndef WEIR_FUZZ_SCARCITY_H
#define WEIR_FUZZ_SCARCITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/allocator.h>

struct scarcity {
    size_t left;   /* allocations that succeed before others fail */
    bool once;     /* only one fails */
    bool lacked;   /* one has failed */
    size_t blocks; /* taken and not given back */
};

/* As many allocations as anybody wants. */
#define PLENTY SIZE_MAX

/* Takes from malloc, as often as the scarcity allows; aborts if a size that is given back is not
 * the one that was asked for. */
struct weir_allocator scarce_allocator(struct scarcity *scarcity);

#endif
