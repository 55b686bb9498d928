/* workloads.c - requests of tokens of some scopes each, and of users, services and brokers mixed.
 */
#include "workloads.h"

#include <math.h>
#include <stdio.h>

#include <weir/compile.h>

#include "brokers.h"
#include "engines.h"
#include "memory.h"
#include "popularity.h"
#include "requests.h"
#include "tokens.h"

#define REQUESTS ((size_t)1 << 19)
#define SCOPES_MAX 10000

/* How many scopes token `number` has. */
typedef size_t scope_counter(uint64_t number);

struct workload {
    uint64_t tokens;
    scope_counter *scopes;
    const struct weir_image *image;
    struct requests *uniform;
    struct requests *zipf;
};

static size_t scopes_of_service(uint64_t number)
{
    return 2 + tokens_mix(number) % 7;
}

static size_t scopes_of_broker(uint64_t number)
{
    double share = (double)(tokens_mix(number) % 1000) / 999;

    return (size_t)(pow(10, 1 + 3 * share) + 0.5);
}

static size_t scopes_of_anyone(uint64_t number)
{
    return number % 5000 == 0 ? scopes_of_broker(number)
           : number % 50 == 0 ? scopes_of_service(number)
                              : 1;
}

/* The prefixes of tokens are told apart by their numbers. */
static uint64_t prefix_number(uint64_t token, size_t scope)
{
    return token << 16 | scope;
}

static struct weir_text write_id(char *buffer, size_t size, uint64_t number)
{
    return (struct weir_text){buffer, (size_t)snprintf(buffer, size, "tok_%016llx_%llu",
                                                       (unsigned long long)tokens_mix(number),
                                                       (unsigned long long)number)};
}

/*
 * ---- Tokens ----
 */

struct declared {
    struct weir_scope scopes[SCOPES_MAX];
    char prefixes[SCOPES_MAX][BROKER_PREFIX_MAX];
};

static void declare_and_add(struct weir_compiler *compiler, struct declared *declared,
                            const struct workload *workload, uint64_t number)
{
    char id[64];
    struct weir_token token = {.id = write_id(id, sizeof id, number),
                               .scopes = declared->scopes,
                               .scope_count = workload->scopes(number)};

    for (size_t i = 0; i < token.scope_count; i++) {
        char *prefix = declared->prefixes[i];
        int length =
            broker_prefix(BROKER_SERVICES, prefix_number(number, i), prefix, BROKER_PREFIX_MAX);

        declared->scopes[i] = broker_scope((struct weir_text){prefix, (size_t)length});
    }
    engines_must(weir_compiler_add(compiler, &token, number, NULL), "compiling a workload");
}

static const struct weir_image *compile_workload(const struct workload *workload)
{
    struct declared *declared = memory_touched(sizeof *declared);
    struct weir_compiler *compiler = NULL;
    struct weir_image *image = NULL;

    engines_must(weir_compiler_new(NULL, &compiler, NULL), "compiling a workload");
    for (uint64_t i = 0; i < workload->tokens; i++) {
        declare_and_add(compiler, declared, workload, i);
    }
    engines_must(weir_compile(compiler, 0, &image, NULL, NULL), "compiling a workload");
    weir_compiler_free(compiler);
    memory_release(declared, sizeof *declared);
    return image;
}

/*
 * ---- Requests ----
 */

static void add_request(struct requests *requests, const struct workload *workload, uint64_t number,
                        uint64_t random)
{
    size_t scope = (random >> 24) % workload->scopes(number);
    char id[64];

    broker_add_request(requests, BROKER_SERVICES, prefix_number(number, scope),
                       write_id(id, sizeof id, number), NULL, random);
}

static struct requests *requests_drawn(struct workload *workload, double exponent)
{
    struct popularity popularity = {workload->tokens, exponent};
    struct requests *requests = NULL;

    if (workload->image == NULL) {
        workload->image = compile_workload(workload);
    }
    requests = requests_new(workload->image, REQUESTS);
    for (size_t i = 0; i < REQUESTS; i++) {
        add_request(requests, workload, popularity_draw(&popularity, tokens_mix(i)),
                    tokens_mix(i ^ UINT64_C(0x3a11) << 32));
    }
    return requests;
}

static struct requests *requests_uniform(struct workload *workload)
{
    if (workload->uniform == NULL) {
        workload->uniform = requests_drawn(workload, POPULARITY_UNIFORM);
    }
    return workload->uniform;
}

static struct requests *requests_by_zipf(struct workload *workload)
{
    if (workload->zipf == NULL) {
        workload->zipf = requests_drawn(workload, POPULARITY_ZIPF);
    }
    return workload->zipf;
}

static struct workload services = {.tokens = 100000, .scopes = scopes_of_service};
static struct workload brokers = {.tokens = 500, .scopes = scopes_of_broker};
static struct workload mixed = {.tokens = 1000000, .scopes = scopes_of_anyone};

void *requests_of_services(void)
{
    return requests_uniform(&services);
}

void *requests_of_services_zipf(void)
{
    return requests_by_zipf(&services);
}

void *requests_of_brokers(void)
{
    return requests_uniform(&brokers);
}

void *requests_of_brokers_zipf(void)
{
    return requests_by_zipf(&brokers);
}

void *requests_of_mixed(void)
{
    return requests_uniform(&mixed);
}

void *requests_of_mixed_zipf(void)
{
    return requests_by_zipf(&mixed);
}
