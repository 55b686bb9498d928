/* sets.h - initializers of the sets of a scope. */
#ifndef WEIR_TESTS_LIBRARY_SETS_H
#define WEIR_TESTS_LIBRARY_SETS_H

#include <weir/token.h>

#define NOTHING                                                                                    \
    {                                                                                              \
        WEIR_SET_NOTHING,                                                                          \
        {                                                                                          \
            NULL, 0                                                                                \
        }                                                                                          \
    }
#define EXACT(literal)                                                                             \
    {                                                                                              \
        WEIR_SET_EXACT,                                                                            \
        {                                                                                          \
            literal, sizeof(literal) - 1                                                           \
        }                                                                                          \
    }
#define PREFIX(literal)                                                                            \
    {                                                                                              \
        WEIR_SET_PREFIX,                                                                           \
        {                                                                                          \
            literal, sizeof(literal) - 1                                                           \
        }                                                                                          \
    }

#endif
