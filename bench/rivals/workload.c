#include "workload.h"

#include <string.h>

#include <weir/name.h>

#include "brokers.h"
#include "tokens.h"

const struct workload workloads[WORKLOAD_COUNT] = {
    {"users_1000", "users_1000", 1000, 1000, 512, 1 << 16},
    {"users_1000000_hot", "users_1000000", TOKEN_COUNT, TOKEN_COUNT, 512, 1 << 16},
    {"users_1000000_cold", "users_1000000", TOKEN_COUNT, TOKEN_COUNT, TOKEN_COUNT, 1 << 20},
    {"broker_1", "broker_1", 1, 1, 1, 1 << 16},
    {"broker_10", "broker_10", 10, 1, 1, 1 << 16},
    {"broker_100", "broker_100", 100, 1, 1, 1 << 16},
    {"broker_1000", "broker_1000", 1000, 1, 1, 1 << 16},
    {"broker_10000", "broker_10000", 10000, 1, 1, 1 << 16},
};

size_t workload_of_rules(size_t number)
{
    size_t first = 0;

    while (strcmp(workloads[first].set, workloads[number].set) != 0) {
        first++;
    }
    return first;
}

const struct workload *workload_find(const char *name)
{
    for (size_t i = 0; i < WORKLOAD_COUNT; i++) {
        if (strcmp(workloads[i].name, name) == 0) {
            return &workloads[i];
        }
    }
    return NULL;
}

static void copy(char *to, const char *from, size_t length)
{
    memcpy(to, from, length);
    to[length] = '\0';
}

/* Appends a number of equal letters. */
static void pad(char *text, char letter, size_t count)
{
    size_t length = strlen(text);

    memset(text + length, letter, count);
    text[length + count] = '\0';
}

static void user_rule(uint64_t number, struct workload_rule *rule)
{
    struct names names;
    size_t padding = tokens_mix(~number) % 24;

    names_make(number, &names);
    copy(rule->id, names.bytes, names.id_length);
    copy(rule->basin_prefix, names.bytes + names.id_length, names.basin_length);
    copy(rule->stream_prefix, names.bytes + names.id_length + names.basin_length,
         names.stream_length);
    if (names.basin_length + padding < WEIR_BASIN_MIN) {
        padding = WEIR_BASIN_MIN - (size_t)names.basin_length;
    }
    copy(rule->basin, rule->basin_prefix, names.basin_length);
    pad(rule->basin, 'x', padding);
}

static void broker_rule(uint64_t number, struct workload_rule *rule)
{
    *rule = (struct workload_rule){
        .id = "broker", .basin_prefix = BROKER_BASINS, .basin = BROKER_BASIN};
    (void)broker_prefix(BROKER_SERVICES, number, rule->stream_prefix, sizeof rule->stream_prefix);
}

void workload_rule(const struct workload *workload, uint32_t number, struct workload_rule *rule)
{
    if (workload->tokens == 1) {
        broker_rule(number, rule);
    } else {
        user_rule(number, rule);
    }
}

/* The tokens asked about lie as far apart as they can. */
static uint32_t rule_asked(const struct workload *workload, uint64_t random)
{
    if (workload->tokens == 1) {
        return (uint32_t)(random % workload->rules);
    }
    return (uint32_t)(random % workload->asked) * (workload->tokens / workload->asked);
}

void workload_request(const struct workload *workload, uint32_t place,
                      struct workload_request *request)
{
    uint64_t random = tokens_mix(place ^ UINT64_C(0x5eed) << 32);
    struct workload_rule rule;
    size_t prefix = 0;
    size_t more = 4 + (random >> 32) % 32;

    workload_rule(workload, rule_asked(workload, random), &rule);
    prefix = strlen(rule.stream_prefix);
    copy(request->id, rule.id, strlen(rule.id));
    copy(request->basin, rule.basin, strlen(rule.basin));
    copy(request->stream, rule.stream_prefix, prefix);
    for (size_t i = 0; i < more; i++) {
        pad(request->stream, (char)('a' + tokens_mix(random + i) % 26), 1);
    }
    request->allowed = place % 10 != 9;
    if (!request->allowed) { /* no prefix has this byte */
        request->stream[prefix - 2] = '~';
    }
}
