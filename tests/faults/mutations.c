/*
 * mutations.c - every single byte of a few small images and published directories changed, and
 * many at once. Without arguments a sample that takes seconds; `mutations whole`: each byte twelve
 * times, and a million with several changes.
 */
#include "faults/mutations.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "library/bytes.h"

struct extent extent = {.stride = 193, .image_rounds = 2000, .journal_rounds = 400};

void tell(const char *what, struct outcome outcome)
{
    (void)fprintf(stderr, "%s: %zu refused, %zu asked\n", what, outcome.refused, outcome.asked);
}

unsigned char byte_value(unsigned char kept, unsigned which)
{
    const unsigned char values[BYTE_VALUES - 8] = {(unsigned char)(kept + 1),
                                                   (unsigned char)(kept - 1), 0, 0xff};

    if (which < 8) {
        return kept ^ (unsigned char)(1u << which);
    }
    return values[which - 8];
}

static uint64_t tempting_number(const unsigned char *bytes, size_t size, size_t at,
                                struct random *random)
{
    const uint64_t choices[] = {0,
                                1,
                                UINT64_MAX,
                                UINT32_MAX,
                                INT32_MAX,
                                size,
                                size / 4,
                                random_below(random, 256),
                                4 * random_below(random, 1024),
                                random_number(random),
                                number_at(bytes + random_below(random, size - 8) / 4 * 4, 4),
                                number_at(bytes + at, 4) + 4,
                                number_at(bytes + at, 4) - 4};

    return choices[random_below(random, COUNT(choices))];
}

/* Whether there is nothing but zeros around: padding, which may not be changed at all. */
static bool is_padding(const unsigned char *bytes, size_t size, size_t at)
{
    static const unsigned char zeros[64];

    return at >= sizeof zeros / 2 && at + sizeof zeros / 2 <= size &&
           memcmp(bytes + at - sizeof zeros / 2, zeros, sizeof zeros) == 0;
}

static size_t place_of_interest(const unsigned char *bytes, size_t size, struct random *random)
{
    size_t at = 0;
    unsigned tries = 0;

    do {
        at = random_below(random, size - 8);
    } while (is_padding(bytes, size, at) && tries++ < 100);
    return at;
}

void change_several(unsigned char *bytes, size_t size, struct random *random)
{
    static const size_t widths[] = {1, 1, 2, 4, 8};

    for (size_t changes = 1 + random_below(random, 5); changes > 0; changes--) {
        size_t at = place_of_interest(bytes, size, random);
        size_t width = widths[random_below(random, COUNT(widths))];
        size_t length = 1 + random_below(random, 32);

        switch (random_below(random, 4)) {
        case 0:
        case 1:
            bytes[at] ^= (unsigned char)(1u << random_below(random, 8));
            break;
        case 2:
            at = at / width * width;
            put_number(bytes + at, width, tempting_number(bytes, size, at, random));
            break;
        default:
            length = length < size - at ? length : size - at;
            memmove(bytes + at, bytes + random_below(random, size - length), length);
        }
    }
}

int main(int argc, char **argv)
{
    TCase *cases[] = {image_mutations(), journal_mutations()};

    (void)setenv("CK_FORK", "no", 0);
    (void)setenv("CK_DEFAULT_TIMEOUT", "0", 0);
    if (argc == 2 && strcmp(argv[1], "whole") == 0) {
        extent = (struct extent){.stride = 1, .image_rounds = 800000, .journal_rounds = 200000};
    } else if (argc != 1) {
        (void)fputs("usage: mutations [whole]\n", stderr);
        return 2;
    }
    return run_cases("mutations", cases, COUNT(cases));
}
