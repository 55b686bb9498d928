/* authority_cases.h - the cases of the lifecycle. */
#ifndef WEIR_TESTS_AUTHORITY_AUTHORITY_CASES_H
#define WEIR_TESTS_AUTHORITY_AUTHORITY_CASES_H

#include <check.h>

TCase *admit_cases(void);
TCase *issue_cases(void);
TCase *list_cases(void);
TCase *revoke_cases(void);
TCase *publication_cases(void);

#endif
