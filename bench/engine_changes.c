/* engine_changes.c - issuing, replacing and revoking one token after the other at a million. */
#include <weir/engine.h>

#include <stdlib.h>
#include <string.h>

#include "benches.h"
#include "engines.h"
#include "instructions.h"
#include "memory.h"
#include "times.h"
#include "tokens.h"

/* Changes that a round times. */
#define CHANGES ((size_t)1 << 13)

/* Room for what an engine takes while it is timed. */
#define FRESH_SIZE (CHANGES * 320)

/* From here on an allocation is an index, or as large as one. */
#define LARGE ((size_t)1 << 20)

/*
 * ---- Engines that release nothing while they are timed ----
 *
 * Their blocks come from memory that has been touched before the clock is read, one after the
 * other. All lies in pages of the usual size, as an image does.
 */

struct fresh {
    char *bytes; /* NULL: not yet */
    size_t used;
};

static size_t rounded(size_t size)
{
    return (size + 63) & ~(size_t)63;
}

static void fresh_make(struct fresh *fresh)
{
    fresh->bytes = malloc(FRESH_SIZE);
    fresh->used = 0;
    engines_must(fresh->bytes != NULL ? WEIR_OK : WEIR_ERROR_MEMORY, "memory for blocks");
    memset(fresh->bytes, 1, FRESH_SIZE);
}

static void *allocate(void *context, size_t size)
{
    struct fresh *fresh = context;
    char *memory = NULL;

    if (fresh->bytes == NULL || size >= LARGE || rounded(size) > FRESH_SIZE - fresh->used) {
        return malloc(size);
    }
    memory = fresh->bytes + fresh->used;
    fresh->used += rounded(size);
    return memory;
}

/* Only what is large goes back. */
static void release(void *context, void *memory, size_t size)
{
    (void)context;
    if (size >= LARGE) {
        free(memory);
    }
}

/* An engine never asks for this. */
static void *reallocate(void *context, void *memory, size_t old_size, size_t new_size)
{
    (void)context;
    (void)memory;
    (void)old_size;
    (void)new_size;
    return NULL;
}

static struct weir_engine *open_on(const struct weir_image *image, struct fresh *fresh)
{
    struct weir_allocator allocator = {allocate, reallocate, release, fresh};
    struct weir_engine_options options = {&allocator, SIZE_MAX};
    struct weir_engine *engine = NULL;

    engines_must(weir_engine_open(image, &options, &engine, NULL), "opening an engine");
    return engine;
}

/* An engine that has all tokens in the image; the one before has been closed. */
static struct weir_engine *unchanged_engine(void)
{
    static struct fresh fresh;

    if (fresh.bytes == NULL) {
        fresh_make(&fresh);
    }
    fresh.used = 0;
    return open_on(tokens_image(), &fresh);
}

/* An engine that has all tokens as blocks of its own, and fresh memory for what is timed. */
struct owner {
    struct weir_engine *engine;
    struct fresh fresh;
    size_t count; /* of tokens of the stock that were changed */
};

static struct owner *owner_ready(struct owner *owner, const struct weir_image *image)
{
    if (owner->engine == NULL) {
        owner->engine = open_on(image, &owner->fresh);
        engines_put_all(owner->engine);
    }
    fresh_make(&owner->fresh);
    return owner;
}

static struct owner *owner_of_replaced(void)
{
    static struct owner owner;

    return owner_ready(&owner, tokens_image());
}

static struct owner *owner_of_issued(void)
{
    static struct owner owner;

    return owner_ready(&owner, NULL);
}

/*
 * ---- Passes ----
 */

/* Makes one change with each of the staged tokens, none of which overlaps the next. Returns how
 * many failed. */
typedef size_t change_pass(struct weir_engine *engine, const struct staged *staged);

static size_t issue(struct weir_engine *engine, const struct staged *staged)
{
    size_t failed = 0;

    for (size_t i = 0; i < CHUNK; i++) {
        failed += weir_engine_issue(engine, staged->tokens[i], NULL) != WEIR_OK;
        times_fence();
    }
    return failed;
}

static size_t replace(struct weir_engine *engine, const struct staged *staged)
{
    size_t failed = 0;

    for (size_t i = 0; i < CHUNK; i++) {
        failed += weir_engine_replace(engine, staged->tokens[i], NULL) != WEIR_OK;
        times_fence();
    }
    return failed;
}

static size_t revoke(struct weir_engine *engine, const struct staged *staged)
{
    size_t failed = 0;

    for (size_t i = 0; i < CHUNK; i++) {
        failed += weir_engine_revoke(engine, staged->ids[i], NULL) != WEIR_OK;
        times_fence();
    }
    return failed;
}

static size_t time_pass(struct weir_engine *engine, const struct staged *staged, change_pass *pass,
                        struct times *times)
{
    uint64_t start = 0;
    uint64_t end = 0;
    size_t failed = 0;

    instructions_begin();
    start = times_ticks();
    failed = pass(engine, staged);
    end = times_ticks();
    instructions_end(CHUNK);
    times_add(times, end - start);
    return failed;
}

/* Times the pass over tokens first .. first + CHANGES. NULL as times: only does it. */
static size_t change(struct weir_engine *engine, const struct stock *stock, size_t first,
                     change_pass *pass, struct times *times)
{
    static struct staged staged;
    size_t failed = 0;

    for (size_t done = 0; done < CHANGES; done += CHUNK) {
        stock_stage(stock, first + done, &staged);
        failed += times != NULL ? time_pass(engine, &staged, pass, times) : pass(engine, &staged);
    }
    return failed;
}

/* The first of the next CHANGES tokens of those that the caller counts: none comes twice before all
 * have come, so that none has been put where its neighbours are. */
static size_t next_tokens(size_t *count)
{
    *count += CHANGES;
    return *count - CHANGES;
}

/* Times the pass over cold tokens. */
static size_t change_cold(struct weir_engine *engine, const struct stock *stock, size_t first,
                          change_pass *pass, struct bench_round *round)
{
    static struct times times;
    size_t failed = 0;

    memset(&times, 0, sizeof times);
    engines_evict();
    failed = change(engine, stock, first, pass, &times);
    bench_time(round, times_between(0, (uint64_t)times_percentile(&times, 0.5)) / CHUNK);
    return failed;
}

static void tell_failed(size_t failed, struct bench_round *round)
{
    if (failed != 0) {
        bench_wrong(round, "a change failed");
    }
}

/* In an engine in which `before`, if any, has gone over the same tokens. */
static void change_unchanged(change_pass *before, change_pass *pass, struct bench_round *round)
{
    const struct stock *stock = stock_of_image();
    static size_t count;
    struct weir_engine *engine = unchanged_engine();
    size_t first = next_tokens(&count);
    size_t failed = 0;

    if (before != NULL) {
        failed += change(engine, stock, first, before, NULL);
    }
    failed += change_cold(engine, stock, first, pass, round);
    tell_failed(failed, round);
    weir_engine_close(engine);
}

/* In an engine of which the tokens are its own, and which is afterwards made as it was. */
static void change_own(struct owner *owner, const struct stock *stock, change_pass *pass,
                       change_pass *undo, struct bench_round *round)
{
    size_t first = next_tokens(&owner->count);
    size_t failed = change_cold(owner->engine, stock, first, pass, round);

    if (undo != NULL) {
        failed += change(owner->engine, stock, first, undo, NULL);
    }
    tell_failed(failed, round);
}

void replace_of_image(void *subject, struct bench_round *round)
{
    (void)subject;
    change_unchanged(NULL, replace, round);
}

void replace_of_replaced(void *subject, struct bench_round *round)
{
    (void)subject;
    change_own(owner_of_replaced(), stock_of_image(), replace, NULL, round);
}

void revoke_of_image(void *subject, struct bench_round *round)
{
    (void)subject;
    change_unchanged(NULL, revoke, round);
}

void revoke_of_replaced(void *subject, struct bench_round *round)
{
    (void)subject;
    change_own(owner_of_replaced(), stock_of_image(), revoke, issue, round);
}

void issue_of_revoked(void *subject, struct bench_round *round)
{
    (void)subject;
    change_unchanged(revoke, issue, round);
}

void issue_of_new(void *subject, struct bench_round *round)
{
    (void)subject;
    change_own(owner_of_issued(), stock_of_others(), issue, revoke, round);
}

void revoke_of_issued(void *subject, struct bench_round *round)
{
    (void)subject;
    change_own(owner_of_issued(), stock_of_image(), revoke, issue, round);
}

/*
 * ---- Whole calls ----
 *
 * One engine with the options that one gets by default, all tokens of which have been replaced:
 * each call is timed by itself, those in which the writer waits for readers and releases what it
 * retired included.
 */

static struct weir_engine *whole_engine(void)
{
    static struct weir_engine *engine;

    if (engine == NULL) {
        engines_must(weir_engine_open(tokens_image(), NULL, &engine, NULL), "opening an engine");
        engines_put_all(engine);
    }
    return engine;
}

/* Makes one change. */
typedef enum weir_status one_change(struct weir_engine *engine, const struct staged *staged,
                                    size_t place);

static enum weir_status issue_one(struct weir_engine *engine, const struct staged *staged,
                                  size_t place)
{
    return weir_engine_issue(engine, staged->tokens[place], NULL);
}

static enum weir_status replace_one(struct weir_engine *engine, const struct staged *staged,
                                    size_t place)
{
    return weir_engine_replace(engine, staged->tokens[place], NULL);
}

static enum weir_status revoke_one(struct weir_engine *engine, const struct staged *staged,
                                   size_t place)
{
    return weir_engine_revoke(engine, staged->ids[place], NULL);
}

static size_t time_one(struct weir_engine *engine, const struct staged *staged, size_t place,
                       one_change *make, struct times *times)
{
    uint64_t start = 0;
    uint64_t end = 0;
    size_t failed = 0;

    instructions_begin();
    start = times_ticks();
    failed = make(engine, staged, place) != WEIR_OK;
    end = times_ticks();
    instructions_end(1);
    times_add(times, end - start);
    return failed;
}

/* Makes one change with each of CHANGES cold tokens from number `first` on. NULL as times: only
 * does it. */
static size_t change_each(size_t first, one_change *make, struct times *times)
{
    static struct staged staged;
    struct weir_engine *engine = whole_engine();
    size_t failed = 0;

    engines_evict();
    for (size_t done = 0; done < CHANGES; done += CHUNK) {
        stock_stage(stock_of_image(), first + done, &staged);
        for (size_t i = 0; i < CHUNK; i++) {
            failed += times != NULL ? time_one(engine, &staged, i, make, times)
                                    : make(engine, &staged, i) != WEIR_OK;
        }
    }
    return failed;
}

static void tell_each(const struct times *times, struct bench_round *round)
{
    bench_time(round, times_between(0, (uint64_t)times_percentile(times, 0.5)));
    bench_count(round, "p99_ns", times_of_ticks(times_percentile(times, 0.99)));
    bench_count(round, "p999_ns", times_of_ticks(times_percentile(times, 0.999)));
    bench_count(round, "longest_ns", times_of_ticks((double)times->longest));
}

/* `before` and `after`, if any, are made with the same tokens, and not told of. */
static void whole_round(one_change *before, one_change *make, one_change *after,
                        struct bench_round *round)
{
    static struct times times;
    static size_t count;
    size_t first = next_tokens(&count);
    size_t failed = 0;

    memset(&times, 0, sizeof times);
    if (before != NULL) {
        failed += change_each(first, before, NULL);
    }
    failed += change_each(first, make, &times);
    if (after != NULL) {
        failed += change_each(first, after, NULL);
    }
    tell_each(&times, round);
    tell_failed(failed, round);
}

void whole_replace(void *subject, struct bench_round *round)
{
    (void)subject;
    whole_round(NULL, replace_one, NULL, round);
}

void whole_revoke(void *subject, struct bench_round *round)
{
    (void)subject;
    whole_round(NULL, revoke_one, issue_one, round);
}

void whole_issue(void *subject, struct bench_round *round)
{
    (void)subject;
    whole_round(revoke_one, issue_one, NULL, round);
}

/*
 * ---- The whole ----
 */

static void compact(const struct weir_engine *engine, struct memory_arena *arena,
                    struct bench_round *round)
{
    struct weir_image *image = NULL;
    double start = 0;

    memory_arena_restart(arena);
    instructions_begin();
    start = times_own();
    engines_must(weir_engine_compact(engine, BENCH_NOW, 0, &arena->allocator, &image, NULL),
                 "compacting");
    bench_time(round, (times_own() - start) / TOKEN_COUNT);
    instructions_end(TOKEN_COUNT);
    bench_count(round, "peak_bytes_a_token", (double)arena->peak / TOKEN_COUNT);
    if (weir_image_token_count(image) != TOKEN_COUNT) {
        bench_wrong(round, "compacting has lost tokens");
    }
    weir_image_close(image);
}

void compact_of_image(void *arena, struct bench_round *round)
{
    compact(engines_of_image(), arena, round);
}

void compact_of_replaced(void *arena, struct bench_round *round)
{
    compact(engines_of_replaced(), arena, round);
}

/* What the engine takes for a token of its own, and how much of it is not the token's block. */
static void weigh(const struct weir_engine *engine, struct bench_round *round)
{
    struct weir_usage usage = weir_engine_usage(engine);

    bench_count(round, "bytes_a_token", (double)usage.own_bytes / (double)usage.own_tokens);
    bench_count(round, "bytes_beyond_its_block_a_token",
                (double)(usage.own_bytes - engines_block_bytes()) / (double)usage.own_tokens);
}

void size_of_replaced(void *subject, struct bench_round *round)
{
    (void)subject;
    weigh(engines_of_replaced(), round);
}

void size_of_issued(void *subject, struct bench_round *round)
{
    (void)subject;
    weigh(engines_of_issued(), round);
}
