/* demand.h - what must hold, in every build. */
#ifndef WEIR_FUZZ_DEMAND_H
#define WEIR_FUZZ_DEMAND_H

#include <stdbool.h>
#include <stdlib.h>

/* Ends the process, which is how a fuzzer is told, unless the condition holds. */
static inline void demand(bool condition)
{
    if (!condition) {
        abort();
    }
}

#endif
