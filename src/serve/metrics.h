/* metrics.h - what was called, what came of it, how long it took: for Prometheus. */
#ifndef WEIR_SERVE_METRICS_H
#define WEIR_SERVE_METRICS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include <weir/authority.h>

#include "serve/buffer.h"
#include "serve/outcome.h"

#define METRICS_BUCKETS 14

struct histogram {
    uint64_t counts[METRICS_BUCKETS + 1]; /* the last: what is longer than any bound */
    uint64_t nanoseconds;
};

struct metrics {
    pthread_mutex_t lock;
    uint64_t outcomes[CALL_COUNT][OUTCOME_COUNT];
    struct histogram durations[CALL_COUNT];
};

void metrics_init(struct metrics *metrics);
void metrics_fini(struct metrics *metrics);

/* Any thread. */
void metrics_count(struct metrics *metrics, enum call call, enum outcome outcome,
                   uint64_t nanoseconds);

/* What is asked of others at the time of writing. */
struct gauges {
    struct weir_authority_standing authority;
    uint64_t connections;
    uint64_t requests;
    uint64_t buffered;
    uint64_t audit_failures;
    uint64_t log_failures;
    uint64_t maintenance_failures;
};

/* Adds it all, in Prometheus' text format. No name that a tenant chose is in it. Any thread. */
bool metrics_write(struct metrics *metrics, const struct gauges *gauges, struct buffer *text);

#endif
