#include "instructions.h"

#include <stdbool.h>

#if defined(__has_include)
#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>
#define HAS_CALLGRIND
#endif
#endif

#ifdef HAS_CALLGRIND

/* Operations that have been counted and not yet written. */
static size_t counted;

/* Switching it off and on again drops all code that has been translated, so it stays on for a
 * round. */
static bool is_instrumented;

void instructions_begin(void)
{
    if (!is_instrumented) {
        CALLGRIND_START_INSTRUMENTATION;
        is_instrumented = true;
    }
    CALLGRIND_TOGGLE_COLLECT;
}

void instructions_end(size_t operations)
{
    CALLGRIND_TOGGLE_COLLECT;
    counted += operations;
}

size_t instructions_dump(const char *name)
{
    size_t operations = counted;

    if (operations != 0 && RUNNING_ON_VALGRIND != 0) {
        CALLGRIND_DUMP_STATS_AT(name);
        CALLGRIND_STOP_INSTRUMENTATION;
    }
    counted = 0;
    is_instrumented = false;
    return RUNNING_ON_VALGRIND != 0 ? operations : 0;
}

#else

void instructions_begin(void) {}

void instructions_end(size_t operations)
{
    (void)operations;
}

size_t instructions_dump(const char *name)
{
    (void)name;
    return 0;
}

#endif
