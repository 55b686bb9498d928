/*
 * lane.h - what each requestor may have of what all of them share: threads that make calls, places
 * to wait for one, memory for bodies and lists. One rule for each of these: as much as is free. So
 * one alone gets half, two get a third each, and whoever comes next finds some left, however much
 * the others ask for.
 */
#ifndef WEIR_SERVE_LANE_H
#define WEIR_SERVE_LANE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#define WORKERS 8

/* A call to be made, part of what it is about. `refused`: it is not to be made, the end has come.
 * What runs it may release it. */
struct job {
    STAILQ_ENTRY(job) next;
    void (*run)(struct job *job, bool refused);
};

/* A requestor that has a request, or memory. */
struct lane {
    struct lanes *lanes;
    TAILQ_ENTRY(lane) next;
    uint64_t number; /* issue number of its token; 0: the operator */
    size_t requests; /* in which it was entered */
    size_t bytes;
    size_t running;
    size_t waiting;
    STAILQ_HEAD(, job) jobs; /* that wait */
};

/* All of them. Any thread. */
struct lanes {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    TAILQ_HEAD(, lane) all; /* whose turn it is comes first; so few that going through is fastest */
    size_t bytes;
    size_t bytes_max;
    size_t waiting;
    size_t waiting_max;
    size_t idle; /* workers */
    bool closed; /* no call is made any more */
    size_t worker_count;
    pthread_t workers[WORKERS];
};

void lanes_init(struct lanes *lanes, size_t bytes_max, size_t waiting_max);

/* Starts the workers. False on an error, for which errno is set. */
bool lanes_start(struct lanes *lanes);

/* Refuses all calls that wait, and those to come. */
void lanes_close(struct lanes *lanes);

/* Waits for the calls that are being made. Closed, or never started. */
void lanes_stop(struct lanes *lanes);

/* Nobody is in a lane any more. */
void lanes_fini(struct lanes *lanes);

size_t lanes_bytes(struct lanes *lanes);

/* The requestor's lane, to be left; NULL: there is no memory. */
struct lane *lane_enter(struct lanes *lanes, uint64_t number);
void lane_leave(struct lane *lane);

/* Has the job run by a worker, when it is this requestor's turn; it has entered the lane until
 * then. False: too many wait, or the lanes are closed. */
bool lane_call(struct lane *lane, struct job *job);

/* Memory; it may be given back when the lane has been left. False: too much is held. NULL is no
 * lane, in which nothing is counted. */
bool lane_take(struct lane *lane, size_t size);
void lane_give_back(struct lane *lane, size_t size);

#endif
