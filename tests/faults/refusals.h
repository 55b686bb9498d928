/* refusals.h - a call to which the system refuses something. */
#ifndef WEIR_TESTS_FAULTS_REFUSALS_H
#define WEIR_TESTS_FAULTS_REFUSALS_H

#include "faults/memory.h"
#include "faults/system_calls.h"

/* How one of its system calls fails. */
struct manner {
    enum failure how;
    int number; /* of the error */
};

enum { MANNERS = 2 };
extern const struct manner manners[MANNERS];

/* What tells whether it has ended as it should have. */
struct expectation {
    bool (*is_the_systems)(enum weir_status status, struct manner manner); /* is for a refusal */
    uint64_t (*state)(struct world *world);
};

/*
 * Runs the call with system call number `fails_at` failing. After an error it has left no file
 * open, and the world is as it was in that state; but for a call that may have gone a part of the
 * way, and a change that could not be published.
 */
enum weir_status run_refused(const struct call *call, struct world *world, uint64_t state,
                             size_t fails_at, struct manner manner,
                             const struct expectation *expectation);

#endif
