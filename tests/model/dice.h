/* dice.h - luck that can be repeated. */
#ifndef WEIR_TESTS_DICE_H
#define WEIR_TESTS_DICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dice {
    uint64_t state;
};

/* The next 64 bits: the generator splitmix64, which any seed will do for. */
static inline uint64_t dice_bits(struct dice *dice)
{
    uint64_t bits = dice->state += UINT64_C(0x9e3779b97f4a7c15);

    bits = (bits ^ bits >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    bits = (bits ^ bits >> 27) * UINT64_C(0x94d049bb133111eb);
    return bits ^ bits >> 31;
}

/* 0 to `bound` - 1. */
static inline size_t dice_below(struct dice *dice, size_t bound)
{
    return (size_t)((dice_bits(dice) >> 32) * bound >> 32);
}

/* `least` to `most`. */
static inline size_t dice_between(struct dice *dice, size_t least, size_t most)
{
    return least + dice_below(dice, most - least + 1);
}

static inline bool dice_chance(struct dice *dice, unsigned percent)
{
    return dice_below(dice, 100) < percent;
}

#endif
