/* credential_cases.h - the cases of the program credential. */
#ifndef WEIR_TESTS_CREDENTIAL_CASES_H
#define WEIR_TESTS_CREDENTIAL_CASES_H

#include <check.h>

TCase *form_cases(void);
TCase *draw_cases(void);
TCase *stack_cases(void);
TCase *check_cases(void);
TCase *follower_cases(void);
TCase *spilled_cases(void);

#endif
