/* image_cases.h - the cases of test_image. */
#ifndef WEIR_TESTS_LIBRARY_IMAGE_CASES_H
#define WEIR_TESTS_LIBRARY_IMAGE_CASES_H

#include <check.h>

TCase *opening_cases(void);
TCase *damage_cases(void);
TCase *mutation_cases(void);
TCase *hostile_cases(void);
TCase *finding_cases(void);
TCase *layout_cases(void);
TCase *large_cases(void);
TCase *difference_cases(void);
TCase *saving_cases(void);

#endif
