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

/* Checks of staged requests by rivals, which keep the same tokens their own way (rival_….c); by
 * those of tokens of many scopes, resolved. */
void rival_absl_in_a_loop(void *requests, struct bench_round *round);
void rival_absl_one_at_a_time(void *requests, struct bench_round *round);
void rival_absl_in_batches(void *requests, struct bench_round *round);
void rival_absl_in_slot_in_a_loop(void *requests, struct bench_round *round);
void rival_absl_in_slot_one_at_a_time(void *requests, struct bench_round *round);
void rival_absl_in_slot_in_batches(void *requests, struct bench_round *round);
void rival_lfht_in_a_loop(void *requests, struct bench_round *round);
void rival_lfht_one_at_a_time(void *requests, struct bench_round *round);
void rival_rte_hash_in_batches(void *requests, struct bench_round *round);
void rival_sorted_array_in_a_loop(void *requests, struct bench_round *round);
void rival_judy_in_a_loop(void *requests, struct bench_round *round);
void rival_darts_in_a_loop(void *requests, struct bench_round *round);

/* Images. */
void *compile_setup(void);
void compile_in_random_order(void *arena, struct bench_round *round);
void compile_by_id(void *arena, struct bench_round *round);
void compile_with_malloc(void *arena, struct bench_round *round);
void compile_teardown(void *arena);
void image_validate(void *subject, struct bench_round *round);
void image_size(void *subject, struct bench_round *round);
void image_pages(void *requests, struct bench_round *round);

/* What no check could be faster than. */
void floor_fence(void *requests, struct bench_round *round);
void floor_hash(void *requests, struct bench_round *round);
void floor_names(void *requests, struct bench_round *round);
void floor_resolved(void *requests, struct bench_round *round);
void floor_resolved_with_names(void *requests, struct bench_round *round);
void floor_record_miss(void *requests, struct bench_round *round);
void floor_index_and_record_miss(void *requests, struct bench_round *round);
void floor_two_lines(void *requests, struct bench_round *round);
void floor_replay_one_at_a_time(void *requests, struct bench_round *round);
void floor_replay_in_batches(void *requests, struct bench_round *round);
void floor_copy(void *arena, struct bench_round *round);
void floor_hash_and_write(void *arena, struct bench_round *round);

/* The engine: checks of staged requests, where it has their tokens in the image, has replaced them,
 * or has issued them; and its read sections. */
void engine_check_in_a_loop(void *requests, struct bench_round *round);
void engine_check_one_at_a_time(void *requests, struct bench_round *round);
void engine_check_in_batches(void *requests, struct bench_round *round);
void engine_check_resolved(void *requests, struct bench_round *round);
void replaced_check_in_a_loop(void *requests, struct bench_round *round);
void replaced_check_one_at_a_time(void *requests, struct bench_round *round);
void replaced_check_in_batches(void *requests, struct bench_round *round);
void replaced_check_resolved(void *requests, struct bench_round *round);
void issued_check_in_a_loop(void *requests, struct bench_round *round);
void issued_check_one_at_a_time(void *requests, struct bench_round *round);
void issued_check_in_batches(void *requests, struct bench_round *round);
void section_inlined(void *requests, struct bench_round *round);
void section_by_call(void *requests, struct bench_round *round);

/* From a credential's text to a decision, and its parts; each one at a time but the first.
 * credential_sha256_….: by each cryptographic library that is there. */
void credential_check_in_a_loop(void *requests, struct bench_round *round);
void credential_check_one_at_a_time(void *requests, struct bench_round *round);
void credential_check_unknown(void *requests, struct bench_round *round);
void credential_check_malformed(void *requests, struct bench_round *round);
void credential_check_by_digest(void *requests, struct bench_round *round);
void credential_check_by_id(void *requests, struct bench_round *round);
void credential_form(void *requests, struct bench_round *round);
void credential_digest(void *requests, struct bench_round *round);
void credential_sha256_sodium(void *requests, struct bench_round *round);
void credential_sha256_openssl(void *requests, struct bench_round *round);

/* Changes of cold tokens: where nothing is released, and whole calls, each timed by itself. */
void replace_of_image(void *subject, struct bench_round *round);
void replace_of_replaced(void *subject, struct bench_round *round);
void revoke_of_image(void *subject, struct bench_round *round);
void revoke_of_replaced(void *subject, struct bench_round *round);
void revoke_of_issued(void *subject, struct bench_round *round);
void issue_of_revoked(void *subject, struct bench_round *round);
void issue_of_new(void *subject, struct bench_round *round);
void whole_replace(void *subject, struct bench_round *round);
void whole_revoke(void *subject, struct bench_round *round);
void whole_issue(void *subject, struct bench_round *round);

/* All tokens of an engine: into an image, and their memory. */
void compact_of_image(void *arena, struct bench_round *round);
void compact_of_replaced(void *arena, struct bench_round *round);
void size_of_replaced(void *subject, struct bench_round *round);
void size_of_issued(void *subject, struct bench_round *round);

/* A reader's own time beside nothing, a writer, another reader; the same of the rival. */
void beside_nothing_hot(void *requests, struct bench_round *round);
void beside_nothing_cold(void *requests, struct bench_round *round);
void beside_changes_hot(void *requests, struct bench_round *round);
void beside_changes_cold(void *requests, struct bench_round *round);
void beside_reader(void *requests, struct bench_round *round);
void rival_beside_nothing_hot(void *requests, struct bench_round *round);
void rival_beside_nothing_cold(void *requests, struct bench_round *round);
void rival_beside_changes_hot(void *requests, struct bench_round *round);
void rival_beside_changes_cold(void *requests, struct bench_round *round);
void sleeping_rival_beside_changes_hot(void *requests, struct bench_round *round);
void rival_beside_reader(void *requests, struct bench_round *round);
void swap_beside_reader(void *requests, struct bench_round *round);

/* Single checks of the engine and its rival, each timed by itself; in their place nothing, or
 * arithmetic that takes as long. */
void latency_of_nothing(void *requests, struct bench_round *round);
void latency_of_arithmetic(void *requests, struct bench_round *round);
void latency_of_check(void *requests, struct bench_round *round);
void latency_of_check_beside_changes(void *requests, struct bench_round *round);
void latency_of_rival_beside_changes(void *requests, struct bench_round *round);

/* Checks a second of one thread, two, four and so on. */
void threads_asking_engine_hot(void *requests, struct bench_round *round);
void threads_asking_engine_cold(void *requests, struct bench_round *round);
void threads_asking_rival_hot(void *requests, struct bench_round *round);
void threads_asking_rival_cold(void *requests, struct bench_round *round);

/* Between processes: asking a follower, each time beside its own engine; the rest of a turn of its
 * host's loop; publishing changes; from a revocation to the first denial in another process; memory
 * of many followers; a new snapshot. */
void follower_check_in_a_loop(void *requests, struct bench_round *round);
void follower_check_one_at_a_time(void *requests, struct bench_round *round);
void follower_check_in_batches(void *requests, struct bench_round *round);
void poll_nothing_new(void *subject, struct bench_round *round);
void poll_one_change(void *subject, struct bench_round *round);
void poll_many_changes(void *subject, struct bench_round *round);
void clocks_read(void *subject, struct bench_round *round);
void heartbeat_give(void *subject, struct bench_round *round);
void publish_revoke(void *subject, struct bench_round *round);
void publish_put(void *subject, struct bench_round *round);
void revocation_to_polling(void *subject, struct bench_round *round);
void revocation_to_waiting(void *subject, struct bench_round *round);
void memory_of_followers(void *subject, struct bench_round *round);
void publish_compact(void *subject, struct bench_round *round);

#endif
