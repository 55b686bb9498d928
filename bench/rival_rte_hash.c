/*
 * rival_rte_hash.c - DPDK's cuckoo hash table, asked for many keys at once: what a batch is held
 * against.
 *
 * Its best set-up: a key is XXH3-128 of the id, sixteen bytes, which the table compares by itself
 * in one vector instruction, and whose first four bytes serve as hash; two tokens' ids are trusted
 * to have different keys, so that the id is not compared again; the table's data is the record,
 * which is asked for before the first of a batch is looked at; table and records in large pages, by
 * a heap of memory that DPDK is handed (its environment runs without any of the system's huge
 * pages, as whoever has no such pages reserved must run it).
 *
 * Tried: comparing the id in the record, and keys that are the id itself, padded to 48 bytes, each
 * take some nanoseconds more; batches of 16 are slower, of 64 no faster; one entry for a token,
 * two, or four make no difference.
 */
#include <sched.h>

#include <rte_eal.h>
#include <rte_hash.h>
#include <rte_malloc.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "benches.h"
#include "engines.h"
#include "memory.h"
#include "requests.h"
#include "rival_records.h"
#include "rounds.h"
#include "tokens.h"

#define BATCH 32
#define ENTRIES ((uint32_t)1 << 21)
#define HASH_SEED 1

static const struct rounds_effort effort = {.warm = 200, .timed = 800};

/* Starts DPDK's environment, which binds the thread to a processor: undone at once. */
static void start_environment(void)
{
    static char words[][24] = {
        "weir_bench",        "--no-huge", "--no-shconf", "--no-pci", "--no-telemetry",
        "--log-level=error", "-m",        "64",          "--lcores", "0@0"};
    char *arguments[sizeof words / sizeof words[0]];
    int count = (int)(sizeof words / sizeof words[0]);
    cpu_set_t processors;

    for (int i = 0; i < count; i++) {
        arguments[i] = words[i];
    }
    (void)sched_getaffinity(0, sizeof processors, &processors);
    engines_must(rte_eal_init(count, arguments) >= 0 ? WEIR_OK : WEIR_ERROR_MEMORY,
                 "starting DPDK's environment");
    (void)sched_setaffinity(0, sizeof processors, &processors);
}

/* A heap of large pages for DPDK to take from. */
static int heap_of_large_pages(void)
{
    static char name[] = "weir_bench";
    const size_t size = (size_t)512 << 20;
    const size_t page = (size_t)2 << 20;
    void *memory = memory_touched(size);

    engines_must(rte_malloc_heap_create(name) == 0 &&
                         rte_malloc_heap_memory_add(name, memory, size, NULL, 0, page) == 0
                     ? WEIR_OK
                     : WEIR_ERROR_MEMORY,
                 "a heap of DPDK's");
    return rte_malloc_heap_get_socket(name);
}

static uint32_t hash_of_key(const void *key, uint32_t length, uint32_t seed)
{
    uint32_t hash = 0;

    (void)length;
    (void)seed;
    memcpy(&hash, key, sizeof hash);
    return hash;
}

static XXH128_hash_t key_of(const char *id, size_t length)
{
    return XXH3_128bits_withSeed(id, length, HASH_SEED);
}

static void keep_record(void *table, struct rival_record *record)
{
    XXH128_hash_t key = key_of(rival_record_id(record), record->id_length);

    engines_must(rte_hash_add_key_data(table, &key, record) == 0 ? WEIR_OK : WEIR_ERROR_MEMORY,
                 "adding to a table of DPDK's");
}

static const struct rte_hash *table_of_tokens(void)
{
    static struct rte_hash *table;

    if (table == NULL) {
        struct rte_hash_parameters parameters = {
            .name = "tokens",
            .entries = ENTRIES,
            .key_len = sizeof(XXH128_hash_t),
            .hash_func = hash_of_key,
        };

        start_environment();
        parameters.socket_id = heap_of_large_pages();
        table = rte_hash_create(&parameters);
        engines_must(table != NULL ? WEIR_OK : WEIR_ERROR_MEMORY, "a table of DPDK's");
        rival_records_make(0, keep_record, table);
    }
    return table;
}

static uint64_t ask_a_batch(const struct rte_hash *table, const struct weir_question *questions)
{
    XXH128_hash_t keys[BATCH];
    const void *at[BATCH];
    hash_sig_t hashes[BATCH];
    void *records[BATCH];
    uint64_t hits = 0;
    uint64_t allowed = 0;

    for (size_t i = 0; i < BATCH; i++) {
        struct weir_text id = questions[i].token_id;

        keys[i] = key_of(id.bytes, id.length);
        hashes[i] = (hash_sig_t)keys[i].low64;
        at[i] = &keys[i];
    }
    (void)rte_hash_lookup_with_hash_bulk_data(table, at, hashes, BATCH, &hits, records);
    for (size_t i = 0; i < BATCH; i++) {
        if ((hits >> i & 1) != 0) {
            rival_record_prefetch(records[i]);
        }
    }
    for (size_t i = 0; i < BATCH; i++) {
        allowed += (hits >> i & 1) != 0 && rival_record_allows(records[i], &questions[i].request);
    }
    return allowed;
}

static uint64_t ask_in_batches(const struct chunk *chunk)
{
    const struct rte_hash *table = table_of_tokens();
    uint64_t allowed = 0;

    for (size_t done = 0; done < CHUNK; done += BATCH) {
        allowed += ask_a_batch(table, chunk->questions + done);
    }
    return allowed;
}

void rival_rte_hash_in_batches(void *requests, struct bench_round *round)
{
    rounds_run(requests, effort, ask_in_batches, true, round);
}
