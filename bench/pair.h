/*
 * pair.h - a second thread beside the calling one, each bound to a processor of its own: what they
 * do to each other must not hang on whether the system happens to let them take turns.
 */
#ifndef WEIR_BENCH_PAIR_H
#define WEIR_BENCH_PAIR_H

#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <sys/types.h>

/* Finds processors among those that are allowed, each a set of its own; returns how many. */
size_t pair_processors(const cpu_set_t *allowed, cpu_set_t *found, size_t most);

struct pair {
    pthread_t other;
    cpu_set_t before; /* where the calling thread might run */
};

/* Starts `run` in the other thread. Ends the program if it cannot. Where there is only one
 * processor, neither is bound. */
void pair_start(struct pair *pair, void *(*run)(void *context), void *context);

/* Waits until the other thread has ended, and lets the calling one run where it might before. */
void pair_join(struct pair *pair);

/* Binds the calling thread and another process likewise; then lets the calling one run anywhere
 * again. `before` is where it might run. */
void pair_part(pid_t other, cpu_set_t *before);
void pair_rejoin(const cpu_set_t *before);

#endif
