/* main.c - what Weir promises of its speed and size, and the floors beside it. */
#include "benches.h"
#include "follower_process.h"
#include "workloads.h"

#define BENCH(name, setup, run)                                                                    \
    {                                                                                              \
        name, setup, run, NULL                                                                     \
    }

/* What checks of such requests take. */
#define CHECKS(name, requests)                                                                     \
    BENCH(name "/loop", requests, check_in_a_loop),                                                \
        BENCH(name "/serial", requests, check_one_at_a_time),                                      \
        BENCH(name "/batch", requests, check_in_batches)

/* The same beside the cache misses of the image that they ask. */
#define CHECKS_AND_MISSES(name, requests)                                                          \
    CHECKS(name, requests), BENCH(name "/floor/record_miss", requests, floor_record_miss),         \
        BENCH(name "/floor/index_and_record_miss", requests, floor_index_and_record_miss),         \
        BENCH(name "/floor/two_lines", requests, floor_two_lines),                                 \
        BENCH(name "/floor/replay/serial", requests, floor_replay_one_at_a_time),                  \
        BENCH(name "/floor/replay/batch", requests, floor_replay_in_batches)

/* A rival's checks of the same requests as check/id. */
#define RIVAL_CHECKS(name, run)                                                                    \
    BENCH(name "/hot/loop", requests_hot, run##_in_a_loop),                                        \
        BENCH(name "/hot/serial", requests_hot, run##_one_at_a_time),                              \
        BENCH(name "/cold/loop", requests_cold, run##_in_a_loop),                                  \
        BENCH(name "/cold/serial", requests_cold, run##_one_at_a_time)
#define RIVAL_BATCHES(name, run)                                                                   \
    BENCH(name "/hot/batch", requests_hot, run##_in_batches),                                      \
        BENCH(name "/cold/batch", requests_cold, run##_in_batches)

/* A rival's checks of the same requests as check/resolved/…_services. */
#define RIVAL_RULES(name, run)                                                                     \
    BENCH(name "/1", requests_of_1_services, run),                                                 \
        BENCH(name "/10", requests_of_10_services, run),                                           \
        BENCH(name "/100", requests_of_100_services, run),                                         \
        BENCH(name "/1000", requests_of_1000_services, run),                                       \
        BENCH(name "/10000", requests_of_10000_services, run)

static const struct bench benches[] = {
    {"check/id/hot/loop", requests_hot, check_in_a_loop, NULL},
    {"check/id/hot/serial", requests_hot, check_one_at_a_time, NULL},
    {"check/id/hot/batch", requests_hot, check_in_batches, NULL},
    {"check/id/cold/loop", requests_cold, check_in_a_loop, NULL},
    {"check/id/cold/serial", requests_cold, check_one_at_a_time, NULL},
    {"check/id/cold/batch", requests_cold, check_in_batches, NULL},
    {"check/id/unknown/serial", requests_unknown, check_one_at_a_time, NULL},
    {"check/id/unknown/batch", requests_unknown, check_in_batches, NULL},
    {"check/resolved/one_scope", requests_hot, check_resolved_in_a_loop, NULL},
    {"check/resolved/one_scope/serial", requests_hot, check_resolved_one_at_a_time, NULL},
    {"check/resolved/1_services", requests_of_1_services, check_resolved_in_a_loop, NULL},
    {"check/resolved/10_services", requests_of_10_services, check_resolved_in_a_loop, NULL},
    {"check/resolved/100_services", requests_of_100_services, check_resolved_in_a_loop, NULL},
    {"check/resolved/1000_services", requests_of_1000_services, check_resolved_in_a_loop, NULL},
    {"check/resolved/10000_services", requests_of_10000_services, check_resolved_in_a_loop, NULL},
    {"check/resolved/1_hexadecimal", requests_of_1_hexadecimal, check_resolved_in_a_loop, NULL},
    {"check/resolved/10_hexadecimal", requests_of_10_hexadecimal, check_resolved_in_a_loop, NULL},
    {"check/resolved/100_hexadecimal", requests_of_100_hexadecimal, check_resolved_in_a_loop, NULL},
    {"check/resolved/1000_hexadecimal", requests_of_1000_hexadecimal, check_resolved_in_a_loop,
     NULL},
    {"check/resolved/10000_hexadecimal", requests_of_10000_hexadecimal, check_resolved_in_a_loop,
     NULL},
    {"check/resolved/1_users", requests_of_1_users, check_resolved_in_a_loop, NULL},
    {"check/resolved/10_users", requests_of_10_users, check_resolved_in_a_loop, NULL},
    {"check/resolved/100_users", requests_of_100_users, check_resolved_in_a_loop, NULL},
    {"check/resolved/1000_users", requests_of_1000_users, check_resolved_in_a_loop, NULL},
    {"check/resolved/10000_users", requests_of_10000_users, check_resolved_in_a_loop, NULL},
#ifdef WEIR_RIVAL_ABSL
    RIVAL_CHECKS("rival/absl", rival_absl),
    RIVAL_BATCHES("rival/absl", rival_absl),
    RIVAL_CHECKS("rival/absl_in_slot", rival_absl_in_slot),
    RIVAL_BATCHES("rival/absl_in_slot", rival_absl_in_slot),
#endif
#ifdef WEIR_RIVAL_LFHT
    RIVAL_CHECKS("rival/lfht", rival_lfht),
#endif
#ifdef WEIR_RIVAL_RTE_HASH
    RIVAL_BATCHES("rival/rte_hash", rival_rte_hash),
#endif
    RIVAL_RULES("rival/sorted_array", rival_sorted_array_in_a_loop),
#ifdef WEIR_RIVAL_JUDY
    RIVAL_RULES("rival/judy", rival_judy_in_a_loop),
#endif
#ifdef WEIR_RIVAL_DARTS
    RIVAL_RULES("rival/darts", rival_darts_in_a_loop),
#endif
    CHECKS("workload/users/zipf", requests_zipf),
    CHECKS("workload/services/uniform", requests_of_services),
    CHECKS("workload/services/zipf", requests_of_services_zipf),
    CHECKS("workload/brokers/uniform", requests_of_brokers),
    CHECKS("workload/brokers/zipf", requests_of_brokers_zipf),
    CHECKS("workload/mixed/uniform", requests_of_mixed),
    CHECKS("workload/mixed/zipf", requests_of_mixed_zipf),
    CHECKS("workload/hostile/uniform", requests_hostile),
    CHECKS_AND_MISSES("tokens/1k", requests_of_1k),
    CHECKS_AND_MISSES("tokens/10k", requests_of_10k),
    CHECKS_AND_MISSES("tokens/100k", requests_of_100k),
    CHECKS_AND_MISSES("tokens/1m", requests_of_1m),
    CHECKS_AND_MISSES("tokens/10m", requests_of_10m),
    CHECKS_AND_MISSES("small_pages/1k", requests_of_1k_small),
    CHECKS_AND_MISSES("small_pages/10k", requests_of_10k_small),
    CHECKS_AND_MISSES("small_pages/100k", requests_of_100k_small),
    CHECKS_AND_MISSES("small_pages/1m", requests_of_1m_small),
    CHECKS_AND_MISSES("small_pages/10m", requests_of_10m_small),
    {"compile/random_order", compile_setup, compile_in_random_order, compile_teardown},
    {"compile/by_id", compile_setup, compile_by_id, compile_teardown},
    {"compile/random_order/malloc", compile_setup, compile_with_malloc, compile_teardown},
    {"image/validate", NULL, image_validate, NULL},
    {"image/size", NULL, image_size, NULL},
    {"image/pages/large", requests_of_1m, image_pages, NULL},
    {"image/pages/small", requests_of_1m_small, image_pages, NULL},
    {"engine/section/inlined", requests_hot, section_inlined, NULL},
    {"engine/section/by_call", requests_hot, section_by_call, NULL},
    {"engine/image/hot/loop", requests_hot, engine_check_in_a_loop, NULL},
    {"engine/image/hot/serial", requests_hot, engine_check_one_at_a_time, NULL},
    {"engine/image/hot/batch", requests_hot, engine_check_in_batches, NULL},
    {"engine/image/cold/loop", requests_cold, engine_check_in_a_loop, NULL},
    {"engine/image/cold/serial", requests_cold, engine_check_one_at_a_time, NULL},
    {"engine/image/cold/batch", requests_cold, engine_check_in_batches, NULL},
    {"engine/image/unknown/serial", requests_unknown, engine_check_one_at_a_time, NULL},
    {"engine/image/unknown/batch", requests_unknown, engine_check_in_batches, NULL},
    {"engine/image/resolved", requests_hot, engine_check_resolved, NULL},
    {"engine/replaced/hot/loop", requests_hot, replaced_check_in_a_loop, NULL},
    {"engine/replaced/cold/loop", requests_cold, replaced_check_in_a_loop, NULL},
    {"engine/replaced/cold/serial", requests_cold, replaced_check_one_at_a_time, NULL},
    {"engine/replaced/cold/batch", requests_cold, replaced_check_in_batches, NULL},
    {"engine/replaced/resolved", requests_hot, replaced_check_resolved, NULL},
    {"engine/issued/hot/loop", requests_hot, issued_check_in_a_loop, NULL},
    {"engine/issued/cold/loop", requests_cold, issued_check_in_a_loop, NULL},
    {"engine/issued/cold/serial", requests_cold, issued_check_one_at_a_time, NULL},
    {"engine/issued/cold/batch", requests_cold, issued_check_in_batches, NULL},
    {"engine/issued/unknown/serial", requests_unknown, issued_check_one_at_a_time, NULL},
    {"engine/issued/unknown/batch", requests_unknown, issued_check_in_batches, NULL},
    {"credential/hot/loop", requests_hot, credential_check_in_a_loop, NULL},
    {"credential/hot/serial", requests_hot, credential_check_one_at_a_time, NULL},
    {"credential/cold/loop", requests_cold, credential_check_in_a_loop, NULL},
    {"credential/cold/serial", requests_cold, credential_check_one_at_a_time, NULL},
    {"credential/unknown/serial", requests_hot, credential_check_unknown, NULL},
    {"credential/malformed/serial", requests_hot, credential_check_malformed, NULL},
    {"credential/by_digest/hot/serial", requests_hot, credential_check_by_digest, NULL},
    {"credential/by_digest/cold/serial", requests_cold, credential_check_by_digest, NULL},
    {"credential/by_id/hot/serial", requests_hot, credential_check_by_id, NULL},
    {"credential/by_id/cold/serial", requests_cold, credential_check_by_id, NULL},
    {"credential/form", requests_hot, credential_form, NULL},
    {"credential/digest", requests_hot, credential_digest, NULL},
#define HASH(name) {"credential/sha256/" #name, requests_hot, credential_sha256_##name, NULL},
    WEIR_HASHES
#undef HASH
    {"change/replace/of_image", NULL, replace_of_image, NULL},
    {"change/replace/of_replaced", NULL, replace_of_replaced, NULL},
    {"change/revoke/of_image", NULL, revoke_of_image, NULL},
    {"change/revoke/of_replaced", NULL, revoke_of_replaced, NULL},
    {"change/revoke/of_issued", NULL, revoke_of_issued, NULL},
    {"change/issue/of_revoked", NULL, issue_of_revoked, NULL},
    {"change/issue/of_new", NULL, issue_of_new, NULL},
    {"change/whole/replace", NULL, whole_replace, NULL},
    {"change/whole/revoke", NULL, whole_revoke, NULL},
    {"change/whole/issue", NULL, whole_issue, NULL},
    {"compact/of_image", compile_setup, compact_of_image, compile_teardown},
    {"compact/of_replaced", compile_setup, compact_of_replaced, compile_teardown},
    {"engine/size/replaced", NULL, size_of_replaced, NULL},
    {"engine/size/issued", NULL, size_of_issued, NULL},
    {"beside/nothing/hot", requests_hot, beside_nothing_hot, NULL},
    {"beside/nothing/cold", requests_cold, beside_nothing_cold, NULL},
    {"beside/changes/hot", requests_hot, beside_changes_hot, NULL},
    {"beside/changes/cold", requests_cold, beside_changes_cold, NULL},
    {"beside/reader/hot", requests_hot, beside_reader, NULL},
    {"rwlock/beside/nothing/hot", requests_hot, rival_beside_nothing_hot, NULL},
    {"rwlock/beside/nothing/cold", requests_cold, rival_beside_nothing_cold, NULL},
    {"rwlock/beside/changes/hot", requests_hot, rival_beside_changes_hot, NULL},
    {"rwlock/beside/changes/cold", requests_cold, rival_beside_changes_cold, NULL},
    {"rwlock/beside/reader/hot", requests_hot, rival_beside_reader, NULL},
    {"rwlock/asleep/beside/changes/hot", requests_hot, sleeping_rival_beside_changes_hot, NULL},
    {"latency/nothing", requests_hot, latency_of_nothing, NULL},
    {"latency/arithmetic/hot", requests_hot, latency_of_arithmetic, NULL},
    {"latency/arithmetic/cold", requests_cold, latency_of_arithmetic, NULL},
    {"latency/hot", requests_hot, latency_of_check, NULL},
    {"latency/cold", requests_cold, latency_of_check, NULL},
    {"latency/beside_changes/hot", requests_hot, latency_of_check_beside_changes, NULL},
    {"latency/beside_changes/cold", requests_cold, latency_of_check_beside_changes, NULL},
    {"rwlock/latency/beside_changes/hot", requests_hot, latency_of_rival_beside_changes, NULL},
    {"threads/hot", requests_hot, threads_asking_engine_hot, NULL},
    {"threads/cold", requests_cold, threads_asking_engine_cold, NULL},
    {"rwlock/threads/hot", requests_hot, threads_asking_rival_hot, NULL},
    {"rwlock/threads/cold", requests_cold, threads_asking_rival_cold, NULL},
    {"swap/beside_reader/cold", requests_cold, swap_beside_reader, NULL},
    {"follow/hot/loop", requests_hot, follower_check_in_a_loop, NULL},
    {"follow/cold/loop", requests_cold, follower_check_in_a_loop, NULL},
    {"follow/cold/serial", requests_cold, follower_check_one_at_a_time, NULL},
    {"follow/cold/batch", requests_cold, follower_check_in_batches, NULL},
    {"follow/poll/nothing_new", NULL, poll_nothing_new, NULL},
    {"follow/poll/one_change", NULL, poll_one_change, NULL},
    {"follow/poll/many_changes", NULL, poll_many_changes, NULL},
    {"follow/clocks", NULL, clocks_read, NULL},
    {"follow/memory", NULL, memory_of_followers, NULL},
    {"publish/heartbeat", NULL, heartbeat_give, NULL},
    {"publish/whole/revoke", NULL, publish_revoke, NULL},
    {"publish/whole/put", NULL, publish_put, NULL},
    {"publish/compact", NULL, publish_compact, NULL},
    {"revocation/to_polling", NULL, revocation_to_polling, NULL},
    {"revocation/to_waiting", NULL, revocation_to_waiting, NULL},
    {"floor/fence", requests_hot, floor_fence, NULL},
    {"floor/hash", requests_hot, floor_hash, NULL},
    {"floor/names", requests_hot, floor_names, NULL},
    {"floor/resolved", requests_hot, floor_resolved, NULL},
    {"floor/resolved_with_names", requests_hot, floor_resolved_with_names, NULL},
    {"floor/record_miss", requests_cold, floor_record_miss, NULL},
    {"floor/index_and_record_miss", requests_cold, floor_index_and_record_miss, NULL},
    {"floor/replay/serial", requests_cold, floor_replay_one_at_a_time, NULL},
    {"floor/replay/batch", requests_cold, floor_replay_in_batches, NULL},
    {"floor/two_lines", requests_cold, floor_two_lines, NULL},
    {"floor/copy", compile_setup, floor_copy, compile_teardown},
    {"floor/hash_and_write", compile_setup, floor_hash_and_write, compile_teardown},
    CHECKS_AND_MISSES("tokens/100m", requests_of_100m),
};

#define BENCHES (sizeof benches / sizeof benches[0])

/* Those of a hundred million tokens come last. */
#define HUGE_BENCHES 8

/* --huge: with those, which need 21 GB of memory. */
int main(int argc, char **argv)
{
    int result = 0;
    bool huge = bench_take_flag(&argc, argv, "--huge");

    if (follower_process_run(argc, argv, &result)) {
        return result;
    }
    return bench_main(argc, argv, benches, huge ? BENCHES : BENCHES - HUGE_BENCHES);
}
