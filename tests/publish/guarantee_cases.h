/* guarantee_cases.h - the cases of test_guarantees. */
#ifndef WEIR_TESTS_PUBLISH_GUARANTEE_CASES_H
#define WEIR_TESTS_PUBLISH_GUARANTEE_CASES_H

#include <check.h>

TCase *order_cases(void);    /* P1, P2, P3: one order of changes, one publisher */
TCase *seeing_cases(void);   /* F1, F2, F4: what followers hold */
TCase *lease_cases(void);    /* P6, F3, F7: heartbeats, holds, leases, boots */
TCase *damage_cases(void);   /* F5, F9: bytes that are not as they were */
TCase *owner_cases(void);    /* F6: files of others */
TCase *snapshot_cases(void); /* P7, F8, F10: compactions and those who sleep through them */
TCase *creation_cases(void); /* P8: directories created anew */
TCase *disk_cases(void);     /* P5: no room */
TCase *memory_cases(void);   /* P4, F9: no memory, and what is refused */
TCase *caller_cases(void);   /* sections, forks, bounds, others' files */
TCase *fork_cases(void);     /* followers that fork while others check */

#endif
