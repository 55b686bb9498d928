/*
 * weir.c - Weir, measured in the same way as the real engines, with the same requests. Speaks with
 * measure.py, as each of them does (see README.md).
 *
 * An image in memory of large pages; every check is told the instant and looks at all names, as any
 * other does. A check by id finds the token first; a check of a connection has found it when that
 * began.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weir/compile.h>
#include <weir/decision.h>

#include "memory.h"
#include "times.h"
#include "tokens.h"
#include "workload.h"

#define CHUNK 128      /* requests that are timed together, having been touched */
#define REPEATED 64    /* requests that are asked over and over, where they are repeated */
#define BATCH 32       /* requests in a row that a batch takes */
#define WARM 20e6      /* nanoseconds before a measurement … */
#define MEASURED 100e6 /* … and at least so many in it */

struct subject {
    const struct workload *workload;
    struct workload_request *requests;
    const struct weir_image *image;
};

struct chunk {
    struct weir_question questions[CHUNK];
    const struct weir_compiled_token *tokens[CHUNK];
    uint64_t allowed;
};

typedef uint64_t asker(const struct subject *subject, const struct chunk *chunk);

static void must(enum weir_status status, const char *what)
{
    if (status != WEIR_OK) {
        (void)fprintf(stderr, "rivals_weir: %s: %s\n", what, weir_status_name(status));
        exit(EXIT_FAILURE);
    }
}

/*
 * ---- What is asked ----
 */

static struct weir_text text_of(const char *string)
{
    return (struct weir_text){string, strlen(string)};
}

static struct weir_scope scope_of(const struct workload_rule *rule)
{
    return (struct weir_scope){
        .basins = {WEIR_SET_PREFIX, text_of(rule->basin_prefix)},
        .streams = {WEIR_SET_PREFIX, text_of(rule->stream_prefix)},
        .ops = WEIR_OPERATIONS_ALL,
    };
}

static void users_add(struct weir_compiler *compiler, const struct workload *workload)
{
    for (uint32_t i = 0; i < workload->rules; i++) {
        struct workload_rule rule;
        struct weir_scope scope;
        struct weir_token token = {.scopes = &scope, .scope_count = 1};

        workload_rule(workload, i, &rule);
        scope = scope_of(&rule);
        token.id = text_of(rule.id);
        must(weir_compiler_add(compiler, &token, i, NULL), "a user");
    }
}

static void broker_add(struct weir_compiler *compiler, const struct workload *workload)
{
    struct workload_rule *rules = calloc(workload->rules, sizeof *rules);
    struct weir_scope *scopes = calloc(workload->rules, sizeof *scopes);
    struct weir_token token = {.scopes = scopes, .scope_count = workload->rules};

    must(rules != NULL && scopes != NULL ? WEIR_OK : WEIR_ERROR_MEMORY, "a broker's rules");
    for (uint32_t i = 0; i < workload->rules; i++) {
        workload_rule(workload, i, &rules[i]);
        scopes[i] = scope_of(&rules[i]);
    }
    token.id = text_of(rules[0].id);
    must(weir_compiler_add(compiler, &token, 0, NULL), "a broker");
    free(scopes);
    free(rules);
}

/* In large pages, as the other engines' runtimes have their memory. */
static const struct weir_image *image_make(const struct workload *workload)
{
    struct weir_compiler *compiler = NULL;
    struct weir_image *image = NULL;

    must(weir_compiler_new(NULL, &compiler, NULL), "a compiler");
    if (workload->tokens == 1) {
        broker_add(compiler, workload);
    } else {
        users_add(compiler, workload);
    }
    must(weir_compile(compiler, 0, &image, NULL, NULL), "compiling");
    weir_compiler_free(compiler);
    return tokens_copy(image, MEMORY_LARGE_PAGES);
}

static void subject_make(const struct workload *workload, struct subject *subject)
{
    subject->workload = workload;
    subject->requests = memory_touched((size_t)workload->requests * sizeof *subject->requests);
    for (uint32_t i = 0; i < workload->requests; i++) {
        workload_request(workload, i, &subject->requests[i]);
    }
}

/* Takes the requests from number `begin` on, of so many. Their names are read here, so that they
 * are in the caches; what a check by id looks up is not, unless `resolved`. */
static void chunk_stage(const struct subject *subject, uint32_t begin, uint32_t count,
                        bool resolved, struct chunk *chunk)
{
    chunk->allowed = 0;
    for (uint32_t i = 0; i < CHUNK; i++) {
        const struct workload_request *request = &subject->requests[(begin + i) % count];

        chunk->questions[i] = (struct weir_question){
            .token_id = text_of(request->id),
            .request = {.operation = WEIR_READ,
                        .basin = text_of(request->basin),
                        .stream = text_of(request->stream)},
        };
        chunk->tokens[i] =
            resolved ? weir_image_find(subject->image, chunk->questions[i].token_id) : NULL;
        chunk->allowed += request->allowed;
    }
}

/*
 * ---- Asking ----
 */

static uint64_t ask_by_id(const struct subject *subject, const struct chunk *chunk)
{
    uint64_t allowed = 0;

    for (size_t i = 0; i < CHUNK; i++) {
        allowed += weir_allowed(weir_check(subject->image, chunk->questions[i].token_id,
                                           &chunk->questions[i].request, BENCH_NOW));
    }
    return allowed;
}

static uint64_t ask_in_batches(const struct subject *subject, const struct chunk *chunk)
{
    uint64_t allowed = 0;

    for (size_t done = 0; done < CHUNK; done += BATCH) {
        struct weir_decision decisions[BATCH];

        weir_check_batch(subject->image, chunk->questions + done, BATCH, BENCH_NOW, decisions);
        for (size_t i = 0; i < BATCH; i++) {
            allowed += weir_allowed(decisions[i]);
        }
    }
    return allowed;
}

static uint64_t ask_of_connection(const struct subject *subject, const struct chunk *chunk)
{
    uint64_t allowed = 0;

    (void)subject;
    for (size_t i = 0; i < CHUNK; i++) {
        allowed += weir_allowed(
            weir_check_token(chunk->tokens[i], &chunk->questions[i].request, BENCH_NOW));
    }
    return allowed;
}

static const struct {
    const char *workload;
    const char *by;
    const char *name;
    asker *ask;
    bool repeats;
} cases[] = {
    {"users_1000", "id", "1000 tokens of one scope, 512 asked about", ask_by_id, false},
    {"users_1000", "id, repeated", "1000 tokens of one scope, repeated requests", ask_by_id, true},
    {"users_1000000_hot", "id", "1000000 tokens of one scope, 512 asked about", ask_by_id, false},
    {"users_1000000_cold", "id", "1000000 tokens of one scope, all asked about", ask_by_id, false},
    {"users_1000000_cold", "batch", "1000000 tokens of one scope, all asked about, batches of 32",
     ask_in_batches, false},
    {"broker_1", "id", "1 rule, by id", ask_by_id, false},
    {"broker_1", "id, repeated", "1 rule, by id, repeated requests", ask_by_id, true},
    {"broker_1", "connection", "1 rule, resolved", ask_of_connection, false},
    {"broker_1", "connection, repeated", "1 rule, resolved, repeated requests", ask_of_connection,
     true},
    {"broker_10", "id", "10 rules, by id", ask_by_id, false},
    {"broker_10", "id, repeated", "10 rules, by id, repeated requests", ask_by_id, true},
    {"broker_10", "connection", "10 rules, resolved", ask_of_connection, false},
    {"broker_10", "connection, repeated", "10 rules, resolved, repeated requests",
     ask_of_connection, true},
    {"broker_100", "id", "100 rules, by id", ask_by_id, false},
    {"broker_100", "id, repeated", "100 rules, by id, repeated requests", ask_by_id, true},
    {"broker_100", "connection", "100 rules, resolved", ask_of_connection, false},
    {"broker_100", "connection, repeated", "100 rules, resolved, repeated requests",
     ask_of_connection, true},
    {"broker_1000", "id", "1000 rules, by id", ask_by_id, false},
    {"broker_1000", "id, repeated", "1000 rules, by id, repeated requests", ask_by_id, true},
    {"broker_1000", "connection", "1000 rules, resolved", ask_of_connection, false},
    {"broker_1000", "connection, repeated", "1000 rules, resolved, repeated requests",
     ask_of_connection, true},
    {"broker_10000", "id", "10000 rules, by id", ask_by_id, false},
    {"broker_10000", "id, repeated", "10000 rules, by id, repeated requests", ask_by_id, true},
    {"broker_10000", "connection", "10000 rules, resolved", ask_of_connection, false},
    {"broker_10000", "connection, repeated", "10000 rules, resolved, repeated requests",
     ask_of_connection, true},
};

#define CASE_COUNT (sizeof cases / sizeof cases[0])

/* Asks for so many nanoseconds of asking. Returns what a check took, on average; a negative number
 * if an answer was wrong. */
static double ask_for(double nanoseconds, const struct subject *subject, size_t number)
{
    static struct chunk chunk;
    uint32_t count = cases[number].repeats ? REPEATED : subject->workload->requests;
    uint32_t begin = 0;
    double total = 0;
    size_t chunks = 0;

    for (; total < nanoseconds; chunks++) {
        uint64_t start = 0;
        uint64_t allowed = 0;

        chunk_stage(subject, begin, count, cases[number].ask == ask_of_connection, &chunk);
        begin = (begin + CHUNK) % count;
        start = times_ticks();
        allowed = cases[number].ask(subject, &chunk);
        total += times_between(start, times_ticks());
        if (allowed != chunk.allowed) {
            return -1;
        }
    }
    return total / (double)(chunks * CHUNK);
}

static void measure(const struct subject *subjects, size_t number)
{
    const struct subject *subject = &subjects[workload_find(cases[number].workload) - workloads];
    double nanoseconds = ask_for(WARM, subject, number);

    nanoseconds = nanoseconds < 0 ? nanoseconds : ask_for(MEASURED, subject, number);
    if (nanoseconds < 0) {
        printf("wrong: %s\n", cases[number].name);
    } else {
        printf("%.3f\n", nanoseconds);
    }
}

int main(void)
{
    static struct subject subjects[WORKLOAD_COUNT];
    char line[32];

    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    for (size_t i = 0; i < WORKLOAD_COUNT; i++) {
        size_t first = workload_of_rules(i);

        subject_make(&workloads[i], &subjects[i]);
        subjects[i].image = first < i ? subjects[first].image : image_make(&workloads[i]);
    }
    printf("rival\tWeir\n");
    for (size_t i = 0; i < CASE_COUNT; i++) {
        printf("case\t%s\t%s\t%s\t\n", cases[i].workload, cases[i].by, cases[i].name);
    }
    printf("ready\n");
    while (fgets(line, sizeof line, stdin) != NULL) {
        size_t number = strtoul(line, NULL, 10);

        if (number >= CASE_COUNT) {
            return EXIT_FAILURE;
        }
        measure(subjects, number);
    }
    return EXIT_SUCCESS;
}
