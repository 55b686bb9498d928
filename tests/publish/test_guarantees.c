/* test_guarantees.c - the promises of weir/publish.h and weir/follow.h, by their numbers. */
#include "library/support.h"
#include "publish/guarantee_cases.h"

int main(void)
{
    TCase *const cases[] = {order_cases(),  seeing_cases(),   lease_cases(),    damage_cases(),
                            owner_cases(),  snapshot_cases(), creation_cases(), disk_cases(),
                            memory_cases(), caller_cases(),   fork_cases()};

    return run_cases("publishing and following", cases, COUNT(cases));
}
