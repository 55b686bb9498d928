/*
 * section.h - read sections and grace periods: liburcu's flavour bp, its read side inlined.
 *
 * A section costs a store to the thread's own record at each end; liburcu's own inline functions
 * look that record up four times, so what they do is written out here. The writer's grace period
 * issues the memory barriers on behalf of all readers (membarrier), and waits for each section that
 * was open when it began. ThreadSanitizer does not see what liburcu does: WEIR_SECTION_ENDS and
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

#include <weir/error.h>

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

/* A section that is open: the thread's record, looked up once. */
struct weir_section {
    struct urcu_bp_reader *reader;
};

#ifdef WEIR_RCU_BY_CALL

static inline struct weir_section weir_section_begin(void)
{
    urcu_bp_read_lock();
    return (struct weir_section){NULL};
}

static inline void weir_section_end(struct weir_section section)
{
    (void)section;
    WEIR_SECTION_ENDS();
    urcu_bp_read_unlock();
}

/* The innermost section of the calling thread. */
static inline struct weir_section weir_section_innermost(void)
{
    return (struct weir_section){NULL};
}

#else

static inline struct weir_section weir_section_innermost(void)
{
    return (struct weir_section){URCU_TLS(urcu_bp_reader)};
}

/* What urcu_bp_read_lock does. */
static inline struct weir_section weir_section_begin(void)
{
    struct weir_section section = weir_section_innermost();
    unsigned long nesting = 0;

    if (__builtin_expect(section.reader == NULL, 0)) {
        urcu_bp_register_thread();
        section = weir_section_innermost();
    }
    cmm_barrier();
    /* Registering has made one. NOLINTNEXTLINE(clang-analyzer-core.NullDereference) */
    nesting = section.reader->ctr;
    if (__builtin_expect((nesting & URCU_BP_GP_CTR_NEST_MASK) == 0, 1)) {
        CMM_STORE_SHARED(section.reader->ctr, CMM_LOAD_SHARED(urcu_bp_gp.ctr));
        urcu_bp_smp_mb_slave();
    } else {
        CMM_STORE_SHARED(section.reader->ctr, nesting + URCU_BP_GP_COUNT);
    }
    return section;
}

/* What urcu_bp_read_unlock does. */
static inline void weir_section_end(struct weir_section section)
{
    WEIR_SECTION_ENDS();
    urcu_bp_smp_mb_slave();
    CMM_STORE_SHARED(section.reader->ctr, section.reader->ctr - URCU_BP_GP_COUNT);
    cmm_barrier();
}

#endif

/* Whether the calling thread is in a read section. */
static inline bool weir_section_open(void)
{
#ifdef WEIR_RCU_BY_CALL
    return urcu_bp_read_ongoing() != 0;
#else
    /* A thread without a record has never read; asking liburcu would make one, which takes memory.
     */
    const struct urcu_bp_reader *reader = weir_section_innermost().reader;

    return reader != NULL && (reader->ctr & URCU_BP_GP_CTR_NEST_MASK) != 0;
#endif
}

/* Fails what would wait for the section that it is called in: WEIR_ERROR_ARGUMENT. */
enum weir_status weir_fail_section(struct weir_error *error, const char *what);
#if defined(__clang_analyzer__) || defined(WEIR_ANALYZED) /* as in vocabulary/failure.h */
#define weir_fail_section(error, what) ((void)weir_fail_section(error, what), WEIR_ERROR_ARGUMENT)
#endif

/* Waits until every section that is open has ended. Not inside one. */
void weir_grace_wait(void);

#endif
