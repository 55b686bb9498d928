/* test_guarantees.c - the promises of weir/engine.h, by their numbers. */
#include "library/support.h"
#include "live/guarantee_cases.h"

int main(void)
{
    TCase *const cases[] = {seeing_cases(), reading_cases(), resolved_cases(), failing_cases(),
                            memory_cases(), compact_cases(), overflow_cases(), batch_cases(),
                            held_cases(),   fork_cases()};

    return run_cases("guarantees", cases, COUNT(cases));
}
