/*
 * popularity.c - drawing ranks of a Zipf distribution by rejection and inversion.
 *
 * W. Hörmann, G. Derflinger, "Rejection-inversion to generate variates from monotone discrete
 * distributions" (1996): a point below the curve 1 / x^exponent is drawn by inverting its integral,
 * and taken for the rank nearest to it unless it lies outside of that rank's bar.
 */
#include "popularity.h"

#include <math.h>

#include "tokens.h"

static double curve(const struct popularity *popularity, double x)
{
    return pow(x, -popularity->exponent);
}

static double integral(const struct popularity *popularity, double x)
{
    return (pow(x, 1 - popularity->exponent) - 1) / (1 - popularity->exponent);
}

static double integral_inverted(const struct popularity *popularity, double area)
{
    return pow(1 + area * (1 - popularity->exponent), 1 / (1 - popularity->exponent));
}

/* From 0 on, below 1. */
static double fraction(uint64_t random)
{
    return (double)(random >> 11) / 9007199254740992.0;
}

uint64_t popularity_draw(const struct popularity *popularity, uint64_t random)
{
    double first = integral(popularity, 1.5) - 1;
    double last = integral(popularity, (double)popularity->count + 0.5);

    for (;; random = tokens_mix(random)) {
        double area = last + fraction(random) * (first - last);
        double rank = floor(integral_inverted(popularity, area) + 0.5);

        rank = fmin(fmax(rank, 1), (double)popularity->count);
        if (area >= integral(popularity, rank + 0.5) - curve(popularity, rank)) {
            return (uint64_t)rank - 1;
        }
    }
}
