/*
 * threads.c - the sum of what several threads, asking together, each check a second.
 *
 * A thread's rate is what it asked by the time that it spent asking: the sum tells what they cost
 * each other, not how many checks a program makes, whose threads also wait and do other work.
 * One thread, two, four and so on, up to one for each processor, ask in turn in each round: what
 * they do to each other is then not what the machine did meanwhile.
 */
#include <pthread.h>
#include <stdio.h>

#include "benches.h"
#include "pair.h"
#include "sides.h"
#include "times.h"

#define THREADS_MAX 64

/* Nanoseconds that they ask for. */
#define ASKING 1e8

struct asker {
    pthread_t thread;
    const struct side *side;
    struct requests *requests;
    const cpu_set_t *processor;
    size_t passes; /* over the same requests */
    size_t asked;
    double spent; /* nanoseconds of asking: what staging takes is left out */
    bool wrong;
};

static void ask_chunk(struct asker *asker, const struct chunk *chunk)
{
    uint64_t allowed = 0;
    double start = times_wall();

    for (size_t i = 0; i < asker->passes * CHUNK; i++) {
        allowed += side_allows(asker->side, &chunk->questions[i % CHUNK]);
    }
    asker->spent += times_wall() - start;
    asker->asked += asker->passes * CHUNK;
    asker->wrong |= allowed != asker->passes * chunk->allowed;
}

static void *ask_for_a_while(void *context)
{
    struct asker *asker = context;
    struct chunk chunk __attribute__((aligned(64)));
    double end = times_wall() + ASKING;

    (void)pthread_setaffinity_np(pthread_self(), sizeof *asker->processor, asker->processor);
    while (times_wall() < end) {
        side_stage(asker->requests, &chunk);
        ask_chunk(asker, &chunk);
    }
    return NULL;
}

/* The sum of the rates, in checks a second, of so many threads that are like this one. */
static double ask_with(size_t count, struct asker like, const cpu_set_t *processors, bool *wrong)
{
    static struct asker askers[THREADS_MAX];
    double all = 0;

    for (size_t i = 0; i < count; i++) {
        askers[i] = like;
        askers[i].processor = &processors[i];
        engines_must(pthread_create(&askers[i].thread, NULL, ask_for_a_while, &askers[i]) == 0
                         ? WEIR_OK
                         : WEIR_ERROR_MEMORY,
                     "starting a thread");
    }
    for (size_t i = 0; i < count; i++) {
        (void)pthread_join(askers[i].thread, NULL);
        all += (double)askers[i].asked / askers[i].spent * 1e9;
        *wrong |= askers[i].wrong;
    }
    return all;
}

/* What the figure of so many threads is called. */
static const char *name_of(size_t count)
{
    static char names[THREADS_MAX + 1][40];

    (void)snprintf(names[count], sizeof names[count], "checks_of_%zu_threads_a_second", count);
    return names[count];
}

/* Twice as many, but no more than there are; more than there are after all have been. */
static size_t next_count(size_t count, size_t processors)
{
    return count < processors && 2 * count > processors ? processors : 2 * count;
}

static void threads_round(const struct side *side, struct requests *requests, size_t passes,
                          struct bench_round *round)
{
    struct asker like = {.side = side, .requests = requests, .passes = passes};
    cpu_set_t allowed;
    cpu_set_t processors[THREADS_MAX];
    size_t available = 0;
    bool wrong = false;

    (void)pthread_getaffinity_np(pthread_self(), sizeof allowed, &allowed);
    available = pair_processors(&allowed, processors, THREADS_MAX);
    for (size_t count = 1; count <= available; count = next_count(count, available)) {
        bench_count(round, name_of(count), ask_with(count, like, processors, &wrong));
    }
    if (wrong) {
        bench_wrong(round, "wrong answers");
    }
}

void threads_asking_engine_hot(void *requests, struct bench_round *round)
{
    threads_round(side_of_engine(), requests, 16, round);
}

void threads_asking_engine_cold(void *requests, struct bench_round *round)
{
    threads_round(side_of_engine(), requests, 1, round);
}

void threads_asking_rival_hot(void *requests, struct bench_round *round)
{
    threads_round(side_of_rival(), requests, 16, round);
}

void threads_asking_rival_cold(void *requests, struct bench_round *round)
{
    threads_round(side_of_rival(), requests, 1, round);
}
