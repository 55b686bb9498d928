/* vocabulary_cases.h - the cases of test_vocabulary. */
#ifndef WEIR_TESTS_LIBRARY_VOCABULARY_CASES_H
#define WEIR_TESTS_LIBRARY_VOCABULARY_CASES_H

#include <check.h>

TCase *operation_cases(void);
TCase *name_cases(void);
TCase *quote_cases(void);
TCase *instant_cases(void);
TCase *declaration_cases(void);
TCase *word_cases(void);

#endif
