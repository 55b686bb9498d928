/*
 * follower_process.h - followers that are processes of their own: this program, begun anew, so that
 * nothing in its memory is left of the process that started it. It does as it is told.
 */
#ifndef WEIR_BENCH_FOLLOWER_PROCESS_H
#define WEIR_BENCH_FOLLOWER_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct follower_process {
    pid_t id;
    int socket;
};

/* Starts one that will follow `path`. Ends the program if it cannot. */
struct follower_process follower_process_start(const char *path);
void follower_process_end(struct follower_process *process);

enum follower_task {
    FOLLOWER_OPEN,  /* opens the directory */
    FOLLOWER_POLL,  /* applies all that is published */
    FOLLOWER_SPIN,  /* reports, then polls and asks about a token until that is denied */
    FOLLOWER_SLEEP, /* likewise, but waits in weir_follower_wait before each further poll */
};

/* What a follower says. */
struct follower_report {
    bool failed;
    uint64_t ticks;     /* when it was denied (times_ticks) */
    uint64_t own_bytes; /* of its engine's memory */
};

/* Tells it what to do; `token` is the number of the one that it is to watch. */
void follower_process_tell(const struct follower_process *process, enum follower_task task,
                           uint64_t token);

/* Waits for what it says. Ends the program if it failed. */
struct follower_report follower_process_hear(const struct follower_process *process);

/* What such a process does instead of main, if the program's arguments say that it is one: true,
 * and what main is to return. */
bool follower_process_run(int argc, char **argv, int *result);

#endif
