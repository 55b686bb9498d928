/* power_course.h - a course of transactions on a disk that fails, and what must be found then. */
#ifndef WEIR_TESTS_AUTHORITY_POWER_COURSE_H
#define WEIR_TESTS_AUTHORITY_POWER_COURSE_H

#include "authority/power_vfs.h"
#include "authority/store_history.h"
#include "authority/store_stage.h"

struct course {
    /* As it is asked for. */
    struct stage stage; /* made */
    uint64_t seed;
    uint64_t cut_at;   /* the power fails at that call; 0: never */
    uint64_t fails_at; /* a call fails; 0: none */
    enum power_failure failure;
    bool cut_after_failure; /* and the power does, at once */
    const char *pragma;     /* run on the connection once the store is open; NULL: none */
    unsigned ways;          /* that what survives is drawn */

    /* What is known of it. */
    struct history history;
    bool made;      /* opening it has succeeded */
    bool undecided; /* the last commit was cut off: it may have happened or not */
    uint8_t identity[16];
    uint64_t calls; /* that were made */
    uint64_t found; /* ways that were looked at */
};

/* Creates a store in the empty folder, and goes on with it, through openings and checkpoints, until
 * it has come to its end or the power is off. Then it is looked at what has survived. NULL, or what
 * is wrong. Nothing is left in the folder. */
const char *course_run(struct course *course);

#endif
