/* workload.h - the rules and requests that Weir and the real engines are measured with. */
#ifndef WEIR_BENCH_RIVALS_WORKLOAD_H
#define WEIR_BENCH_RIVALS_WORKLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A scope of a token: all streams under a prefix, in all basins under another. */
struct workload_rule {
    char id[48];
    char basin_prefix[24];
    char basin[48]; /* the one basin that the token's requests ask about, for who has no prefixes */
    char stream_prefix[48];
};

struct workload_request {
    char id[48];
    char basin[48];
    char stream[96];
    bool allowed; /* nine in ten are; the other asks for a stream beside the prefix */
};

/* Rules in a set, and requests about it: all that an engine is given at a time. */
struct workload {
    const char *name;
    const char *set; /* name of the rules: workloads of the same name have the same */
    uint32_t rules;
    uint32_t tokens; /* as many as rules, or 1 */
    uint32_t asked;  /* how many of the tokens the requests are about */
    uint32_t requests;
};

#define WORKLOAD_COUNT 8

/* Users with one scope each, `tokens` > 1, and brokers with many scopes. */
extern const struct workload workloads[WORKLOAD_COUNT];

/* The number of the first workload that has the same rules as this one. */
size_t workload_of_rules(size_t number);

/* The workload of this name; NULL if there is none. */
const struct workload *workload_find(const char *name);

void workload_rule(const struct workload *workload, uint32_t number, struct workload_rule *rule);
void workload_request(const struct workload *workload, uint32_t place,
                      struct workload_request *request);

#endif
