/* popularity.h - which of many things is asked for next. */
#ifndef WEIR_BENCH_POPULARITY_H
#define WEIR_BENCH_POPULARITY_H

#include <stdint.h>

/* The exponent by which popularity falls: the thing of rank r is asked for in proportion to
 * 1 / r^exponent. */
#define POPULARITY_UNIFORM 0.0
#define POPULARITY_ZIPF 0.99

struct popularity {
    uint64_t count;
    double exponent;
};

/* A rank from 0 to count - 1 that follows from `random`; 0 is the most popular. */
uint64_t popularity_draw(const struct popularity *popularity, uint64_t random);

#endif
