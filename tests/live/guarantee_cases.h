/* guarantee_cases.h - the cases of test_guarantees. */
#ifndef WEIR_TESTS_LIVE_GUARANTEE_CASES_H
#define WEIR_TESTS_LIVE_GUARANTEE_CASES_H

#include <check.h>

TCase *seeing_cases(void);   /* E1, E2, E3: what checks see of changes */
TCase *reading_cases(void);  /* E4, E5: how checks go about it; threads */
TCase *resolved_cases(void); /* E6: tokens that were resolved */
TCase *failing_cases(void);  /* E7: what changes nothing */
TCase *memory_cases(void);   /* E8, E9: what an engine holds and touches */
TCase *compact_cases(void);  /* E10: images made of engines */
TCase *overflow_cases(void); /* indexes that somebody filled against us */
TCase *batch_cases(void);    /* E1 of many questions at once */
TCase *held_cases(void);     /* E3, E5 of checks that are held up on their way */
TCase *fork_cases(void);     /* processes that fork */

/* Makes every fork of this process surround itself with weir_fork_prepare and its companions. */
void surround_forks(void);

#endif
