/* engine_checks.c - asking an engine: what it costs that tokens may change. */
#include <weir/engine.h>

#include <string.h>

#include "benches.h"
#include "engines.h"
#include "instructions.h"
#include "live/section.h"
#include "rounds.h"
#include "times.h"
#include "tokens.h"

/* Requests in a row that a batch takes. */
#define BATCH 32

static const struct rounds_effort effort = {.warm = 200, .timed = 800};
static const struct rounds_effort section_effort = {.warm = 800,
                                                    .timed = 4000}; /* 1 or 2 ns each */

/* The one that is asked in this round. */
static const struct weir_engine *asked;

/*
 * ---- Passes ----
 */

static uint64_t ask_in_a_loop(const struct chunk *chunk)
{
    const struct weir_engine *engine = asked;
    uint64_t allowed = 0;

    for (size_t i = 0; i < CHUNK; i++) {
        const struct weir_question *question = &chunk->questions[i];

        allowed += weir_engine_check(engine, question->token_id, &question->request, BENCH_NOW) ==
                   WEIR_ALLOWED;
    }
    return allowed;
}

static uint64_t ask_one_at_a_time(const struct chunk *chunk)
{
    const struct weir_engine *engine = asked;
    uint64_t allowed = 0;

    for (size_t i = 0; i < CHUNK; i++) {
        const struct weir_question *question = &chunk->questions[i];

        allowed += weir_engine_check(engine, question->token_id, &question->request, BENCH_NOW) ==
                   WEIR_ALLOWED;
        times_fence();
    }
    return allowed;
}

static uint64_t ask_in_batches(const struct chunk *chunk)
{
    uint64_t allowed = 0;

    for (size_t done = 0; done < CHUNK; done += BATCH) {
        enum weir_reason reasons[BATCH];

        weir_engine_check_batch(asked, chunk->questions + done, BATCH, BENCH_NOW, reasons);
        for (size_t i = 0; i < BATCH; i++) {
            allowed += reasons[i] == WEIR_ALLOWED;
        }
    }
    return allowed;
}

/* What stands for the chunk's tokens, resolved while it is staged. */
static struct weir_resolved resolved[CHUNK];

static uint64_t ask_resolved(const struct chunk *chunk)
{
    const struct weir_engine *engine = asked;
    uint64_t allowed = 0;

    for (size_t i = 0; i < CHUNK; i++) {
        allowed += weir_engine_check_resolved(engine, &resolved[i], &chunk->questions[i].request,
                                              BENCH_NOW) == WEIR_ALLOWED;
    }
    return allowed;
}

static uint64_t open_sections_inlined(const struct chunk *chunk)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < CHUNK; i++) {
        struct weir_section section = weir_section_begin();

        sum += rounds_keep(chunk->sizes[i]);
        weir_section_end(section);
    }
    return sum;
}

static uint64_t open_sections_by_call(const struct chunk *chunk)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < CHUNK; i++) {
        weir_read_begin();
        sum += rounds_keep(chunk->sizes[i]);
        weir_read_end();
    }
    return sum;
}

/*
 * ---- Rounds ----
 */

static void ask(struct weir_engine *engine, rounds_pass *pass, void *requests,
                struct bench_round *round)
{
    asked = engine;
    rounds_run(requests, effort, pass, true, round);
}

void engine_check_in_a_loop(void *requests, struct bench_round *round)
{
    ask(engines_of_image(), ask_in_a_loop, requests, round);
}

void engine_check_one_at_a_time(void *requests, struct bench_round *round)
{
    ask(engines_of_image(), ask_one_at_a_time, requests, round);
}

void engine_check_in_batches(void *requests, struct bench_round *round)
{
    ask(engines_of_image(), ask_in_batches, requests, round);
}

void replaced_check_in_a_loop(void *requests, struct bench_round *round)
{
    ask(engines_of_replaced(), ask_in_a_loop, requests, round);
}

void replaced_check_one_at_a_time(void *requests, struct bench_round *round)
{
    ask(engines_of_replaced(), ask_one_at_a_time, requests, round);
}

void replaced_check_in_batches(void *requests, struct bench_round *round)
{
    ask(engines_of_replaced(), ask_in_batches, requests, round);
}

void issued_check_in_a_loop(void *requests, struct bench_round *round)
{
    ask(engines_of_issued(), ask_in_a_loop, requests, round);
}

void issued_check_one_at_a_time(void *requests, struct bench_round *round)
{
    ask(engines_of_issued(), ask_one_at_a_time, requests, round);
}

void issued_check_in_batches(void *requests, struct bench_round *round)
{
    ask(engines_of_issued(), ask_in_batches, requests, round);
}

static void resolve_all(const struct chunk *chunk)
{
    for (size_t i = 0; i < CHUNK; i++) {
        (void)weir_engine_resolve(asked, chunk->questions[i].token_id, &resolved[i]);
    }
}

/* As rounds_run, but the tokens have to be resolved before the clock is read. */
static void ask_of_resolved(struct weir_engine *engine, void *requests, struct bench_round *round)
{
    static struct chunk chunk __attribute__((aligned(64)));
    static struct times times;
    bool wrong = false;

    asked = engine;
    memset(&times, 0, sizeof times);
    for (size_t i = 0; i < effort.warm + effort.timed; i++) {
        uint64_t start = 0;
        uint64_t end = 0;

        requests_stage(requests, &chunk);
        resolve_all(&chunk);
        instructions_begin();
        start = times_ticks();
        wrong |= ask_resolved(&chunk) != chunk.allowed;
        end = times_ticks();
        instructions_end(CHUNK);
        if (i >= effort.warm) {
            times_add(&times, end - start);
        }
    }
    bench_time(round, times_between(0, (uint64_t)times_percentile(&times, 0.5)) / CHUNK);
    if (wrong) {
        bench_wrong(round, "wrong answers");
    }
}

void engine_check_resolved(void *requests, struct bench_round *round)
{
    ask_of_resolved(engines_of_image(), requests, round);
}

void replaced_check_resolved(void *requests, struct bench_round *round)
{
    ask_of_resolved(engines_of_replaced(), requests, round);
}

void section_inlined(void *requests, struct bench_round *round)
{
    rounds_run(requests, section_effort, open_sections_inlined, false, round);
}

void section_by_call(void *requests, struct bench_round *round)
{
    rounds_run(requests, section_effort, open_sections_by_call, false, round);
}
