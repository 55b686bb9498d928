/*
 * rival_lfht.c - liburcu's lock-free hash table, from the id to its record.
 *
 * Its best set-up: the node lies at the head of its record, so that they come together; the hash is
 * XXH3; readers are of the flavour qsbr, whose read section costs nothing, and pass through a
 * quiescent state once a chunk; two buckets a token; buckets and records in large pages.
 *
 * Tried: one bucket a token takes a sixth longer, four are as good as two. It cannot be asked for
 * the memory that a look-up will read, so there is no batch.
 */
#define _LGPL_SOURCE
#include <urcu-qsbr.h>
#include <urcu/rculfhash.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <sys/mman.h>

#include "benches.h"
#include "engines.h"
#include "requests.h"
#include "rival_records.h"
#include "rounds.h"
#include "times.h"

#define BUCKETS ((unsigned long)1 << 21)
#define HASH_SEED 1

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

static const struct rounds_effort effort = {.warm = 200, .timed = 800};

struct entry {
    struct cds_lfht_node node;
    struct rival_record record;
};

static unsigned long hash_of(const char *id, size_t length)
{
    return XXH3_64bits_withSeed(id, length, HASH_SEED);
}

static const struct rival_record *record_of(const struct cds_lfht_node *node)
{
    return &caa_container_of(node, const struct entry, node)->record;
}

static int node_has_id(struct cds_lfht_node *node, const void *id)
{
    return rival_record_has_id(record_of(node), *(const struct weir_text *)id);
}

/* Gathers the buckets, which liburcu has allocated, in large pages. Where the system cannot, they
 * stay where they are. */
static void gather_in_large_pages(struct cds_lfht *table)
{
    const uintptr_t page = (uintptr_t)4 << 10;
    uintptr_t begin = (uintptr_t)cds_lfht_mm_mmap.bucket_at(table, 0) & ~(page - 1);
    size_t size = BUCKETS * sizeof(struct cds_lfht_node) + page;

    (void)madvise((void *)begin, size & ~(page - 1), MADV_COLLAPSE);
}

static void keep_entry(void *table, struct rival_record *record)
{
    struct entry *entry = caa_container_of(record, struct entry, record);

    cds_lfht_node_init(&entry->node);
    cds_lfht_add(table, hash_of(rival_record_id(record), record->id_length), &entry->node);
}

static struct cds_lfht *table_of_tokens(void)
{
    static struct cds_lfht *table;

    if (table == NULL) {
        urcu_qsbr_register_thread();
        table =
            _cds_lfht_new(BUCKETS, BUCKETS, BUCKETS, 0, &cds_lfht_mm_mmap, &urcu_qsbr_flavor, NULL);
        engines_must(table != NULL ? WEIR_OK : WEIR_ERROR_MEMORY, "a table of liburcu");
        gather_in_large_pages(table);
        urcu_qsbr_read_lock();
        rival_records_make(offsetof(struct entry, record), keep_entry, table);
        urcu_qsbr_read_unlock();
    }
    return table;
}

static inline bool ask(struct cds_lfht *table, const struct weir_question *question)
{
    struct weir_text id = question->token_id;
    struct cds_lfht_iter found;
    const struct cds_lfht_node *node = NULL;
    bool allowed = false;

    urcu_qsbr_read_lock();
    cds_lfht_lookup(table, hash_of(id.bytes, id.length), node_has_id, &id, &found);
    node = cds_lfht_iter_get_node(&found);
    allowed = node != NULL && rival_record_allows(record_of(node), &question->request);
    urcu_qsbr_read_unlock();
    return allowed;
}

static uint64_t ask_in_a_loop(const struct chunk *chunk)
{
    struct cds_lfht *table = table_of_tokens();
    uint64_t allowed = 0;

    for (size_t i = 0; i < CHUNK; i++) {
        allowed += ask(table, &chunk->questions[i]);
    }
    urcu_qsbr_quiescent_state();
    return allowed;
}

static uint64_t ask_one_at_a_time(const struct chunk *chunk)
{
    struct cds_lfht *table = table_of_tokens();
    uint64_t allowed = 0;

    for (size_t i = 0; i < CHUNK; i++) {
        allowed += ask(table, &chunk->questions[i]);
        times_fence();
    }
    urcu_qsbr_quiescent_state();
    return allowed;
}

void rival_lfht_in_a_loop(void *requests, struct bench_round *round)
{
    rounds_run(requests, effort, ask_in_a_loop, true, round);
}

void rival_lfht_one_at_a_time(void *requests, struct bench_round *round)
{
    rounds_run(requests, effort, ask_one_at_a_time, true, round);
}
