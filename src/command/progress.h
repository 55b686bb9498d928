/* progress.h - a line on a terminal that says how far a long load has come. */
#ifndef WEIR_COMMAND_PROGRESS_H
#define WEIR_COMMAND_PROGRESS_H

#include <stdint.h>

/* Begins as all zero. Shows nothing unless standard error is a terminal and two seconds are over.
 */
struct progress {
    uint64_t steps;
    int64_t started; /* in milliseconds of the monotonic clock */
    int64_t shown;   /* likewise; 0 while no line stands on the terminal */
};

/* One token more. */
void progress_step(struct progress *progress);

/* Takes the line away. */
void progress_end(struct progress *progress);

#endif
