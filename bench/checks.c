/* checks.c - asking. */
#include <weir/decision.h>

#include "benches.h"
#include "requests.h"
#include "rounds.h"
#include "times.h"
#include "tokens.h"

/* Requests in a row that a batch takes. */
#define BATCH 32

static const struct rounds_effort effort = {.warm = 200, .timed = 800};

static uint64_t ask_in_a_loop(const struct chunk *chunk)
{
    const struct weir_image *image = chunk->image;
    uint64_t allowed = 0;

    for (size_t i = 0; i < CHUNK; i++) {
        const struct weir_question *question = &chunk->questions[i];

        allowed +=
            weir_allowed(weir_check(image, question->token_id, &question->request, BENCH_NOW));
    }
    return allowed;
}

static uint64_t ask_one_at_a_time(const struct chunk *chunk)
{
    const struct weir_image *image = chunk->image;
    uint64_t allowed = 0;

    for (size_t i = 0; i < CHUNK; i++) {
        const struct weir_question *question = &chunk->questions[i];

        allowed +=
            weir_allowed(weir_check(image, question->token_id, &question->request, BENCH_NOW));
        times_fence();
    }
    return allowed;
}

static uint64_t ask_in_batches(const struct chunk *chunk)
{
    const struct weir_image *image = chunk->image;
    uint64_t allowed = 0;

    for (size_t done = 0; done < CHUNK; done += BATCH) {
        struct weir_decision decisions[BATCH];

        weir_check_batch(image, chunk->questions + done, BATCH, BENCH_NOW, decisions);
        for (size_t i = 0; i < BATCH; i++) {
            allowed += weir_allowed(decisions[i]);
        }
    }
    return allowed;
}

static uint64_t ask_resolved_in_a_loop(const struct chunk *chunk)
{
    uint64_t allowed = 0;

    for (size_t i = 0; i < CHUNK; i++) {
        allowed += weir_allowed(
            weir_check_token(chunk->tokens[i], &chunk->questions[i].request, BENCH_NOW));
    }
    return allowed;
}

static uint64_t ask_resolved_one_at_a_time(const struct chunk *chunk)
{
    uint64_t allowed = 0;

    for (size_t i = 0; i < CHUNK; i++) {
        allowed += weir_allowed(
            weir_check_token(chunk->tokens[i], &chunk->questions[i].request, BENCH_NOW));
        times_fence();
    }
    return allowed;
}

void check_in_a_loop(void *requests, struct bench_round *round)
{
    rounds_run(requests, effort, ask_in_a_loop, true, round);
}

void check_one_at_a_time(void *requests, struct bench_round *round)
{
    rounds_run(requests, effort, ask_one_at_a_time, true, round);
}

void check_in_batches(void *requests, struct bench_round *round)
{
    rounds_run(requests, effort, ask_in_batches, true, round);
}

void check_resolved_in_a_loop(void *requests, struct bench_round *round)
{
    rounds_run(requests, effort, ask_resolved_in_a_loop, true, round);
}

void check_resolved_one_at_a_time(void *requests, struct bench_round *round)
{
    rounds_run(requests, effort, ask_resolved_one_at_a_time, true, round);
}
