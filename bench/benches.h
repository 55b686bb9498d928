/* benches.h - the rounds that the table in main.c is made of. */
#ifndef WEIR_BENCH_BENCHES_H
#define WEIR_BENCH_BENCHES_H

#include "harness.h"

/* Checks of staged requests. */
void check_in_a_loop(void *requests, struct bench_round *round);
void check_one_at_a_time(void *requests, struct bench_round *round);
void check_in_batches(void *requests, struct bench_round *round);
void check_resolved_in_a_loop(void *requests, struct bench_round *round);
void check_resolved_one_at_a_time(void *requests, struct bench_round *round);

/* Images. */
void *compile_setup(void);
void compile_in_random_order(void *arena, struct bench_round *round);
void compile_by_id(void *arena, struct bench_round *round);
void compile_with_malloc(void *arena, struct bench_round *round);
void compile_teardown(void *arena);
void image_validate(void *subject, struct bench_round *round);
void image_size(void *subject, struct bench_round *round);

/* What no check could be faster than. */
void floor_fence(void *requests, struct bench_round *round);
void floor_hash(void *requests, struct bench_round *round);
void floor_names(void *requests, struct bench_round *round);
void floor_resolved(void *requests, struct bench_round *round);
void floor_resolved_with_names(void *requests, struct bench_round *round);
void floor_record_miss(void *subject, struct bench_round *round);
void floor_index_and_record_miss(void *subject, struct bench_round *round);
void floor_replay_one_at_a_time(void *requests, struct bench_round *round);
void floor_replay_in_batches(void *requests, struct bench_round *round);
void floor_copy(void *arena, struct bench_round *round);
void floor_hash_and_write(void *arena, struct bench_round *round);

#endif
