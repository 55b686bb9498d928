/* system_calls.h - what the library asks of the system, which fails when told to. Needs the
 * linker's
 * --wrap for each function of system_calls.c. */
#ifndef WEIR_TESTS_FAULTS_SYSTEM_CALLS_H
#define WEIR_TESTS_FAULTS_SYSTEM_CALLS_H

#include <stdbool.h>
#include <stddef.h>

enum failure {
    FAILS_ONCE,
    FAILS_FOR_GOOD, /* and all calls after it do so, too */
    BY_PARTS        /* of reads and writes each other is interrupted, and the rest take half of what
                       they are given; the others go well */
};

struct system_calls {
    bool watches;
    enum failure how;
    size_t calls;       /* so far, that can fail */
    size_t fails_at;    /* the call, from 1, that fails with `number` */
    int number;         /* of the error */
    bool interrupts;    /* the last read or write was */
    const char *failed; /* what it was, the first time */
};

extern struct system_calls system_calls;

/* Begins to watch: call number `fails_at` will fail so; 0: none. */
void system_calls_fail(size_t fails_at, enum failure how, int number);
void system_calls_end(void);

#endif
