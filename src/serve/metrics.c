#include "serve/metrics.h"

#include <inttypes.h>
#include <string.h>

/* Upper bounds in microseconds: from a look-up to a disk that hangs. */
static const uint64_t bounds[METRICS_BUCKETS] = {
    50, 100, 250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 500000, 2500000, 10000000};

void metrics_init(struct metrics *metrics)
{
    memset(metrics, 0, sizeof *metrics);
    (void)pthread_mutex_init(&metrics->lock, NULL);
}

void metrics_fini(struct metrics *metrics)
{
    (void)pthread_mutex_destroy(&metrics->lock);
}

void metrics_count(struct metrics *metrics, enum call call, enum outcome outcome,
                   uint64_t nanoseconds)
{
    size_t bucket = 0;

    while (bucket < METRICS_BUCKETS && nanoseconds > bounds[bucket] * 1000) {
        bucket++;
    }
    (void)pthread_mutex_lock(&metrics->lock);
    metrics->outcomes[call][outcome]++;
    metrics->durations[call].counts[bucket]++;
    metrics->durations[call].nanoseconds += nanoseconds;
    (void)pthread_mutex_unlock(&metrics->lock);
}

static bool write_outcomes(const struct metrics *metrics, struct buffer *text)
{
    bool written = buffer_format(text, "# HELP weir_calls_total Requests answered.\n"
                                       "# TYPE weir_calls_total counter\n");

    for (unsigned call = 0; call < CALL_COUNT; call++) {
        for (unsigned outcome = 0; outcome < OUTCOME_COUNT; outcome++) {
            uint64_t count = metrics->outcomes[call][outcome];

            /* What each call hopes for is there from the beginning. */
            if (count > 0 || outcome == OUTCOME_OK) {
                written =
                    written &&
                    buffer_format(text,
                                  "weir_calls_total{operation=\"%s\",outcome=\"%s\"} %" PRIu64 "\n",
                                  call_name(call), outcome_code(outcome), count);
            }
        }
    }
    return written;
}

static bool write_histogram(const struct histogram *histogram, const char *name,
                            struct buffer *text)
{
    bool written = true;
    uint64_t count = 0;

    for (size_t i = 0; i < METRICS_BUCKETS; i++) {
        count += histogram->counts[i];
        written =
            written &&
            buffer_format(
                text, "weir_call_duration_seconds_bucket{operation=\"%s\",le=\"%g\"} %" PRIu64 "\n",
                name, (double)bounds[i] / 1e6, count);
    }
    count += histogram->counts[METRICS_BUCKETS];
    return written &&
           buffer_format(text,
                         "weir_call_duration_seconds_bucket{operation=\"%s\",le=\"+Inf\"} %" PRIu64
                         "\n"
                         "weir_call_duration_seconds_sum{operation=\"%s\"} %.9f\n"
                         "weir_call_duration_seconds_count{operation=\"%s\"} %" PRIu64 "\n",
                         name, count, name, (double)histogram->nanoseconds / 1e9, name, count);
}

static bool write_durations(const struct metrics *metrics, struct buffer *text)
{
    bool written = buffer_format(
        text, "# HELP weir_call_duration_seconds From the whole request to the answer.\n"
              "# TYPE weir_call_duration_seconds histogram\n");

    for (unsigned call = 0; call < CALL_AUTHORITY_COUNT; call++) {
        written = written && write_histogram(&metrics->durations[call], call_name(call), text);
    }
    return written;
}

static bool write_gauges(const struct gauges *gauges, struct buffer *text)
{
    const struct {
        const char *name;
        const char *type;
        const char *help;
        uint64_t value;
    } values[] = {
        {"weir_tokens", "gauge", "Tokens in the store.", gauges->authority.tokens},
        {"weir_sequence", "counter", "Number of the last change.", gauges->authority.sequence},
        {"weir_published_sequence", "counter", "Number of the last change published.",
         gauges->authority.published},
        {"weir_publish_lag", "gauge", "Changes that are durable and not published.",
         gauges->authority.sequence - gauges->authority.published},
        {"weir_connections", "gauge", "Connections that are open.", gauges->connections},
        {"weir_requests_in_progress", "gauge", "Requests begun and not answered.",
         gauges->requests},
        {"weir_buffered_bytes", "gauge", "Memory of bodies and lists.", gauges->buffered},
        {"weir_audit_failures_total", "counter", "Lines of the audit trail that were not written.",
         gauges->audit_failures},
        {"weir_log_failures_total", "counter", "Lines of the log that were not written.",
         gauges->log_failures},
        {"weir_maintenance_failures_total", "counter", "Housekeeping that failed.",
         gauges->maintenance_failures},
    };
    bool written = true;

    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        written = written && buffer_format(text, "# HELP %s %s\n# TYPE %s %s\n%s %" PRIu64 "\n",
                                           values[i].name, values[i].help, values[i].name,
                                           values[i].type, values[i].name, values[i].value);
    }
    return written && buffer_format(text,
                                    "# HELP weir_lease_seconds Without a heartbeat for so long, "
                                    "followers deny; 0: nothing is published.\n"
                                    "# TYPE weir_lease_seconds gauge\n"
                                    "weir_lease_seconds %g\n",
                                    (double)gauges->authority.lease / 1e9);
}

bool metrics_write(struct metrics *metrics, const struct gauges *gauges, struct buffer *text)
{
    bool written = false;

    (void)pthread_mutex_lock(&metrics->lock);
    written = write_outcomes(metrics, text) && write_durations(metrics, text);
    (void)pthread_mutex_unlock(&metrics->lock);
    return written && write_gauges(gauges, text);
}
