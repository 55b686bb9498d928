#include "progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

/* The clock is looked at once in this many steps; how long it takes to the first line, and how long
 * a line then stands. */
#define STEPS_BETWEEN 4096
#define SILENT_MILLISECONDS 2000
#define STANDING_MILLISECONDS 250

static int64_t milliseconds(void)
{
    struct timespec now = {0};

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void progress_step(struct progress *progress)
{
    int64_t now = 0;

    if (progress->steps == 0) {
        progress->started = milliseconds();
    }
    if (++progress->steps % STEPS_BETWEEN != 0) {
        return;
    }
    now = milliseconds();
    if (now - progress->started < SILENT_MILLISECONDS ||
        now - progress->shown < STANDING_MILLISECONDS || isatty(STDERR_FILENO) == 0) {
        return;
    }
    progress->shown = now;
    (void)dprintf(STDERR_FILENO, "\rweir: %" PRIu64 " tokens read", progress->steps);
}

void progress_end(struct progress *progress)
{
    if (progress->shown != 0) {
        (void)dprintf(STDERR_FILENO, "\r\033[K");
    }
    progress->shown = 0;
}
