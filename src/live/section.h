/*
 * section.h - read sections and grace periods: liburcu's flavour bp, its read side inlined.
 *
 * A section costs a store to the thread's own record at each end. The writer's grace period issues
 * the memory barriers on behalf of all readers (membarrier), and waits for each section that was
 * open when it began. ThreadSanitizer does not see what liburcu does: WEIR_SECTION_ENDS and
 * WEIR_GRACE_PASSED tell it.
 */
#ifndef WEIR_LIVE_SECTION_H
#define WEIR_LIVE_SECTION_H

#include <stdbool.h>

/* Inlined, unless UndefinedBehaviorSanitizer watches: liburcu allocates its records at addresses
 * less aligned than it declares them. */
#ifndef WEIR_RCU_BY_CALL
#define _LGPL_SOURCE
#endif
#include <urcu-bp.h>

#include "vocabulary/vector.h"

#if WEIR_TSAN
#include <sanitizer/tsan_interface.h>
extern char weir_grace_period;
#define WEIR_SECTION_ENDS() __tsan_release(&weir_grace_period)
#define WEIR_GRACE_PASSED() __tsan_acquire(&weir_grace_period)
#else
#define WEIR_SECTION_ENDS() ((void)0)
#define WEIR_GRACE_PASSED() ((void)0)
#endif

static inline void weir_section_begin(void)
{
    urcu_bp_read_lock();
}

static inline void weir_section_end(void)
{
    WEIR_SECTION_ENDS();
    urcu_bp_read_unlock();
}

/* Whether the calling thread is in a read section. */
static inline bool weir_section_open(void)
{
    return urcu_bp_read_ongoing() != 0;
}

/* Waits until every section that is open has ended. Not inside one. */
void weir_grace_wait(void);

#endif
