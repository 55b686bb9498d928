#include "pair.h"

#include <stdbool.h>

#include "engines.h"

size_t pair_processors(const cpu_set_t *allowed, cpu_set_t *found, size_t most)
{
    size_t count = 0;

    for (size_t processor = 0; processor < CPU_SETSIZE && count < most; processor++) {
        if (CPU_ISSET(processor, allowed)) {
            CPU_ZERO(&found[count]);
            CPU_SET(processor, &found[count]);
            count++;
        }
    }
    return count;
}

void pair_start(struct pair *pair, void *(*run)(void *context), void *context)
{
    cpu_set_t processors[2];
    bool two = false;

    (void)pthread_getaffinity_np(pthread_self(), sizeof pair->before, &pair->before);
    two = pair_processors(&pair->before, processors, 2) == 2;
    if (pthread_create(&pair->other, NULL, run, context) != 0) {
        engines_must(WEIR_ERROR_MEMORY, "starting a thread");
    }
    if (two) {
        (void)pthread_setaffinity_np(pthread_self(), sizeof processors[0], &processors[0]);
        (void)pthread_setaffinity_np(pair->other, sizeof processors[1], &processors[1]);
    }
}

void pair_join(struct pair *pair)
{
    (void)pthread_join(pair->other, NULL);
    (void)pthread_setaffinity_np(pthread_self(), sizeof pair->before, &pair->before);
}

void pair_part(pid_t other, cpu_set_t *before)
{
    cpu_set_t processors[2];

    (void)pthread_getaffinity_np(pthread_self(), sizeof *before, before);
    if (pair_processors(before, processors, 2) == 2) {
        (void)pthread_setaffinity_np(pthread_self(), sizeof processors[0], &processors[0]);
        (void)sched_setaffinity(other, sizeof processors[1], &processors[1]);
    }
}

void pair_rejoin(const cpu_set_t *before)
{
    (void)pthread_setaffinity_np(pthread_self(), sizeof *before, before);
}
