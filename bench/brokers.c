/* brokers.c - requests of a token of many prefixes. */
#include "brokers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weir/compile.h>

#include "engines.h"
#include "tokens.h"
#include "workloads.h"

#define REQUESTS ((size_t)1 << 16)

static int write_service(char *buffer, size_t size, uint64_t number)
{
    static const char *const services[] = {"billing",  "orders",    "telemetry", "audit",  "events",
                                           "sessions", "inventory", "mail",      "search", "logs"};
    uint64_t random = tokens_mix(number);

    return snprintf(buffer, size, "org-%02u/%s/%06x/", (unsigned)(random % 50),
                    services[(random >> 8) % 10], (unsigned)(random >> 20) & 0xffffff);
}

int broker_prefix(enum broker_kind kind, uint64_t number, char *buffer, size_t size)
{
    switch (kind) {
    case BROKER_SERVICES:
        return write_service(buffer, size, number);
    case BROKER_HEXADECIMAL:
        return snprintf(buffer, size, "%012llx/", (unsigned long long)(tokens_mix(number) >> 16));
    default:
        return snprintf(buffer, size, "users/%u/", (unsigned)number);
    }
}

struct weir_scope broker_scope(struct weir_text prefix)
{
    return (struct weir_scope){
        .basins = {WEIR_SET_PREFIX, WEIR_TEXT(BROKER_BASINS)},
        .streams = {WEIR_SET_PREFIX, prefix},
        .ops = WEIR_OPERATIONS_ALL,
    };
}

void broker_add_request(struct requests *requests, enum broker_kind kind, uint64_t number,
                        struct weir_text id, const struct weir_compiled_token *token,
                        uint64_t random)
{
    char stream[64];
    char prefix[BROKER_PREFIX_MAX];
    int prefix_length = broker_prefix(kind, number, prefix, sizeof prefix);
    size_t length = 20 + (random >> 32) % 41;
    bool allowed = random % 10 != 0;

    length = length < (size_t)prefix_length + 2 ? (size_t)prefix_length + 2 : length;
    for (size_t i = 0; i < sizeof stream; i++) {
        stream[i] = (char)('a' + tokens_mix(random + i) % 26);
    }
    memcpy(stream, prefix, (size_t)prefix_length);
    if (!allowed) {
        stream[prefix_length - 2] = '~';
    }
    requests_add(requests,
                 &(struct kept_request){
                     .question = {.token_id = id,
                                  .request = {.operation = requests_operation(random >> 8),
                                              .basin = WEIR_TEXT(BROKER_BASIN),
                                              .stream = {stream, length}}},
                     .token = token,
                     .allowed = allowed,
                 });
}

/* A token with as many scopes as prefixes. */
static const struct weir_compiled_token *compile_broker(enum broker_kind kind, size_t count)
{
    struct weir_scope *scopes = calloc(count, sizeof *scopes);
    char(*prefixes)[BROKER_PREFIX_MAX] = calloc(count, sizeof *prefixes);
    struct weir_token token = {.id = WEIR_TEXT("broker"), .scopes = scopes, .scope_count = count};
    struct weir_compiled_token *compiled = NULL;
    size_t size = 0;

    for (size_t i = 0; i < count; i++) {
        int length = broker_prefix(kind, i, prefixes[i], sizeof prefixes[i]);

        scopes[i] = broker_scope((struct weir_text){prefixes[i], (size_t)length});
    }
    engines_must(weir_compile_token(&token, NULL, &compiled, &size, NULL), "compiling a broker");
    free(prefixes);
    free(scopes);
    return compiled;
}

static struct requests *requests_of_broker(enum broker_kind kind, size_t count)
{
    struct requests *requests = requests_new(NULL, REQUESTS);
    const struct weir_compiled_token *token = compile_broker(kind, count);

    for (size_t i = 0; i < REQUESTS; i++) {
        uint64_t random = tokens_mix(i ^ UINT64_C(0xb20c) << 32);

        broker_add_request(requests, kind, (random >> 24) % count, WEIR_TEXT(""), token, random);
    }
    return requests;
}

#define REQUESTS_OF(count, name, kind)                                                             \
    void *requests_of_##count##_##name(void)                                                       \
    {                                                                                              \
        static struct requests *requests;                                                          \
                                                                                                   \
        return requests = requests != NULL ? requests : requests_of_broker(kind, count);           \
    }

REQUESTS_OF(1, services, BROKER_SERVICES)
REQUESTS_OF(10, services, BROKER_SERVICES)
REQUESTS_OF(100, services, BROKER_SERVICES)
REQUESTS_OF(1000, services, BROKER_SERVICES)
REQUESTS_OF(10000, services, BROKER_SERVICES)
REQUESTS_OF(1, hexadecimal, BROKER_HEXADECIMAL)
REQUESTS_OF(10, hexadecimal, BROKER_HEXADECIMAL)
REQUESTS_OF(100, hexadecimal, BROKER_HEXADECIMAL)
REQUESTS_OF(1000, hexadecimal, BROKER_HEXADECIMAL)
REQUESTS_OF(10000, hexadecimal, BROKER_HEXADECIMAL)
REQUESTS_OF(1, users, BROKER_USERS)
REQUESTS_OF(10, users, BROKER_USERS)
REQUESTS_OF(100, users, BROKER_USERS)
REQUESTS_OF(1000, users, BROKER_USERS)
REQUESTS_OF(10000, users, BROKER_USERS)
