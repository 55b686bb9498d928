/* support.h - what the tests of S2's interface share. */
#ifndef WEIR_TESTS_S2_SUPPORT_H
#define WEIR_TESTS_S2_SUPPORT_H

#include <check.h>
#include <stdlib.h>

/* Like ck_assert_msg, which writes a record for each time that nothing is wrong. */
#define DEMAND(condition, ...)                                                                     \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            ck_abort_msg(__VA_ARGS__);                                                             \
        }                                                                                          \
    } while (0)

/* So many random cases, by what WEIR_MODEL_PERCENT says. */
static inline size_t rounds(size_t count)
{
    const char *percent = getenv("WEIR_MODEL_PERCENT");

    return percent != NULL ? count * strtoul(percent, NULL, 10) / 100 : count;
}

#endif
