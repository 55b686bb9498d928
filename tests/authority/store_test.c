/* store_test.c - what authority/store.h says, and what is refused. */
#include "authority/store_cases.h"
#include "library/support.h"

int main(void)
{
    /* Memory first: it takes SQLite down and up again. */
    TCase *const cases[] = {store_memory_cases(),  store_opening_cases(), store_refusing_cases(),
                            store_token_cases(),   store_log_cases(),     store_history_cases(),
                            store_process_cases(), store_cost_cases(),    store_damage_cases()};

    return run_cases("a store", cases, COUNT(cases));
}
