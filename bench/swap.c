/*
 * swap.c - how long a check takes while the whole image is swapped for another.
 *
 * A reader times each check by itself, of a million tokens each as likely, before swaps, while one
 * lasts, and in spans of the same length in which nothing happens. A check in which the system let
 * another thread have the processor tells nothing and is left out; how many and how long those are
 * that an interrupt made slow, the idle spans tell. A grace period interrupts readers as well: it
 * has the system issue two memory barriers on their processors. What these alone do to a reader is
 * measured beside.
 */
#include <linux/membarrier.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <weir/engine.h>

#include "benches.h"
#include "engines.h"
#include "pair.h"
#include "times.h"
#include "tokens.h"

/* Swaps a round makes, and nanoseconds of undisturbed reading before each. */
#define SWAPS 4
#define BEFORE 3e7

/* A check that takes longer than so many times the 99.9th percentile before counts as slow. */
#define SLOW 10

/* Ticks from which on a check is looked at more closely: no check is that slow by itself. */
#define SUSPICIOUS 10000

enum phase { PHASE_BEFORE, PHASE_SWAP, PHASE_IDLE, PHASE_BARRIERS, PHASE_COUNT, PHASE_STOP };

struct reader {
    struct weir_engine *engine;
    struct requests *requests;
    enum phase phase; /* stored by the writer's thread, loaded by the reader's; orders nothing */
    bool wrong;
    long displaced; /* times that another thread has had the reader's processor */
    uint64_t left_out;
    struct times times[PHASE_COUNT];
};

static enum phase phase_of(const struct reader *reader)
{
    return __atomic_load_n(&reader->phase, __ATOMIC_RELAXED);
}

static void phase_set(struct reader *reader, enum phase phase)
{
    __atomic_store_n(&reader->phase, phase, __ATOMIC_RELAXED);
}

/* Whether another thread has had the processor since this was last asked. */
static bool was_displaced(struct reader *reader)
{
    struct rusage usage;
    long before = reader->displaced;

    (void)getrusage(RUSAGE_THREAD, &usage);
    reader->displaced = usage.ru_nivcsw + usage.ru_nvcsw;
    return reader->displaced != before;
}

/* Asks, and counts what it took for the swap, or the barriers, if any of it fell there. */
static bool ask(struct reader *reader, const struct weir_question *question)
{
    enum phase begun = phase_of(reader);
    uint64_t start = times_ticks();
    enum weir_reason reason =
        weir_engine_check(reader->engine, question->token_id, &question->request, BENCH_NOW);
    uint64_t end = times_ticks();
    enum phase ended = phase_of(reader);

    if (ended == PHASE_SWAP || ended == PHASE_BARRIERS) {
        begun = ended;
    }
    if (end - start > SUSPICIOUS && was_displaced(reader)) {
        reader->left_out++;
    } else if (begun < PHASE_COUNT) {
        times_add(&reader->times[begun], end - start);
    }
    return reason == WEIR_ALLOWED;
}

static void *read_all_the_time(void *context)
{
    struct reader *reader = context;
    struct chunk chunk;

    (void)was_displaced(reader);
    while (phase_of(reader) != PHASE_STOP) {
        uint64_t allowed = 0;

        requests_stage(reader->requests, &chunk);
        for (size_t i = 0; i < CHUNK; i++) {
            allowed += ask(reader, &chunk.questions[i]);
        }
        reader->wrong |= allowed != chunk.allowed;
    }
    return NULL;
}

/* Another image of the same tokens, in memory of its own. */
static const struct weir_image *other_image(void)
{
    static struct weir_image *image;
    size_t size = 0;
    const void *bytes = weir_image_bytes(tokens_image(), &size);

    if (image == NULL) {
        engines_must(weir_image_open_memory(bytes, size, WEIR_IMAGE_COPY, NULL, &image, NULL),
                     "opening an image");
    }
    return image;
}

/* What a grace period asks of the system, without the swap. */
static void issue_barriers(void)
{
    for (size_t i = 0; i < 2; i++) {
        if (syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0) != 0) {
            engines_must(WEIR_ERROR_IO, "membarrier");
        }
    }
}

/* Swaps once. Returns the nanoseconds it took. */
static double swap_once(struct reader *reader, const struct weir_image *image)
{
    double start = 0;
    double span = 0;

    phase_set(reader, PHASE_BEFORE);
    times_sleep(BEFORE);
    phase_set(reader, PHASE_SWAP);
    start = times_wall();
    engines_must(weir_engine_swap(reader->engine, image, NULL), "swapping");
    span = times_wall() - start;
    phase_set(reader, PHASE_IDLE);
    times_sleep(span);
    phase_set(reader, PHASE_BARRIERS);
    issue_barriers();
    return span;
}

static void tell(const struct reader *reader, double span, struct bench_round *round)
{
    const struct times *times = reader->times;
    double usual = times_percentile(&times[PHASE_BEFORE], 0.999);

    bench_count(round, "swap_ns", span / SWAPS);
    bench_count(round, "p999_before_ns", times_of_ticks(usual));
    bench_count(round, "p999_beside_swap_ns",
                times_of_ticks(times_percentile(&times[PHASE_SWAP], 0.999)));
    bench_count(round, "longest_beside_swap_ns", times_of_ticks((double)times[PHASE_SWAP].longest));
    bench_count(round, "longest_idle_ns", times_of_ticks((double)times[PHASE_IDLE].longest));
    bench_count(round, "slow_beside_swap_checks",
                (double)times_longer_than(&times[PHASE_SWAP], SLOW * usual));
    bench_count(round, "longest_beside_barriers_ns",
                times_of_ticks((double)times[PHASE_BARRIERS].longest));
    bench_count(round, "left_out_checks", (double)reader->left_out);
    bench_count(round, "slow_idle_checks",
                (double)times_longer_than(&times[PHASE_IDLE], SLOW * usual));
}

static void swap_round(struct requests *requests, struct bench_round *round)
{
    static struct reader reader;
    static struct weir_engine *engine;
    const struct weir_image *images[2] = {tokens_image(), other_image()};
    struct pair pair;
    double span = 0;

    if (engine == NULL) {
        engines_must(weir_engine_open(tokens_image(), NULL, &engine, NULL), "opening an engine");
    }
    memset(&reader, 0, sizeof reader);
    reader.engine = engine;
    reader.requests = requests;
    pair_start(&pair, read_all_the_time, &reader);
    for (size_t i = 0; i < SWAPS; i++) {
        span += swap_once(&reader, images[(i + 1) % 2]);
    }
    phase_set(&reader, PHASE_STOP);
    pair_join(&pair);
    tell(&reader, span, round);
    if (reader.wrong) {
        bench_wrong(round, "wrong answers");
    }
}

void swap_beside_reader(void *requests, struct bench_round *round)
{
    swap_round(requests, round);
}
