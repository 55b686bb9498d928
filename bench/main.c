/* main.c - what Weir promises of its speed and size, and the floors beside it. */
#include "benches.h"
#include "requests.h"

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
    {"check/resolved/10000_services", requests_of_services, check_resolved_in_a_loop, NULL},
    {"check/resolved/10000_hexadecimal", requests_of_hexadecimal, check_resolved_in_a_loop, NULL},
    {"check/resolved/10000_users", requests_of_users, check_resolved_in_a_loop, NULL},
    {"compile/random_order", compile_setup, compile_in_random_order, compile_teardown},
    {"compile/by_id", compile_setup, compile_by_id, compile_teardown},
    {"compile/random_order/malloc", compile_setup, compile_with_malloc, compile_teardown},
    {"image/validate", NULL, image_validate, NULL},
    {"image/size", NULL, image_size, NULL},
    {"floor/fence", requests_hot, floor_fence, NULL},
    {"floor/hash", requests_hot, floor_hash, NULL},
    {"floor/names", requests_hot, floor_names, NULL},
    {"floor/resolved", requests_hot, floor_resolved, NULL},
    {"floor/resolved_with_names", requests_hot, floor_resolved_with_names, NULL},
    {"floor/record_miss", NULL, floor_record_miss, NULL},
    {"floor/index_and_record_miss", NULL, floor_index_and_record_miss, NULL},
    {"floor/replay/serial", requests_cold, floor_replay_one_at_a_time, NULL},
    {"floor/replay/batch", requests_cold, floor_replay_in_batches, NULL},
    {"floor/copy", compile_setup, floor_copy, compile_teardown},
    {"floor/hash_and_write", compile_setup, floor_hash_and_write, compile_teardown},
};

int main(int argc, char **argv)
{
    return bench_main(argc, argv, benches, sizeof benches / sizeof benches[0]);
}
