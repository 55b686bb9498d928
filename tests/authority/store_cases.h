/* store_cases.h - the parts of store_test.c. */
#ifndef WEIR_TESTS_AUTHORITY_STORE_CASES_H
#define WEIR_TESTS_AUTHORITY_STORE_CASES_H

#include <check.h>

TCase *store_opening_cases(void);
TCase *store_refusing_cases(void);
TCase *store_token_cases(void);
TCase *store_log_cases(void);
TCase *store_history_cases(void);
TCase *store_process_cases(void);
TCase *store_cost_cases(void);
TCase *store_damage_cases(void);
TCase *store_memory_cases(void);

#endif
