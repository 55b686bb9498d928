/* credentials.c - from the text that a client sends to a decision: what hashing it costs, and the
 * rest. */
#include <weir/credential.h>

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "benches.h"
#include "credential/crypto.h"
#include "engines.h"
#include "rounds.h"
#include "times.h"
#include "tokens.h"

static const struct rounds_effort effort = {.warm = 100, .timed = 400};

/*
 * ---- Credentials ----
 */

#define DIGITS "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

/* What a credential's checksum is made of, and where it begins. */
#define CHECKED (WEIR_CREDENTIAL_LENGTH - 6)

/* The credential of a token: the same in every run. `salt` 0; with another it is nobody's. */
static void make_credential(struct weir_text id, uint64_t salt, struct weir_credential *credential)
{
    uint64_t seed = XXH3_64bits_withSeed(id.bytes, id.length, salt);
    uint32_t checksum = 0;

    memcpy(credential->text, WEIR_CREDENTIAL_PREFIX, sizeof WEIR_CREDENTIAL_PREFIX - 1);
    for (size_t i = sizeof WEIR_CREDENTIAL_PREFIX - 1; i < CHECKED; i++) {
        credential->text[i] = DIGITS[tokens_mix(seed + i) % 62];
    }
    checksum = (uint32_t)crc32(0, (const Bytef *)credential->text, CHECKED);
    for (size_t i = WEIR_CREDENTIAL_LENGTH; i-- > CHECKED;) {
        credential->text[i] = DIGITS[checksum % 62];
        checksum /= 62;
    }
}

static struct weir_text text_of(const struct weir_credential *credential)
{
    return (struct weir_text){credential->text, WEIR_CREDENTIAL_LENGTH};
}

static void add_token(struct weir_compiler *compiler, const struct names *names, uint64_t number)
{
    struct names_token declared;
    struct weir_credential credential;
    struct weir_token *token = &declared.token;

    names_declare(names, &declared);
    make_credential(token->id, 0, &credential);
    token->has_credential_digest = true;
    if (!weir_credential_digest(text_of(&credential), token->credential_digest)) {
        engines_must(WEIR_ERROR_CREDENTIAL, "making a credential");
    }
    engines_must(weir_compiler_add(compiler, token, number, NULL), "compiling");
}

/* The million tokens, each with a credential. Made once. */
static struct weir_engine *engine_with_credentials(void)
{
    static struct weir_engine *engine;
    struct weir_compiler *compiler = NULL;
    struct weir_image *image = NULL;
    const char *at = declarations_in_random_order()->bytes;

    if (engine != NULL) {
        return engine;
    }
    engines_must(weir_compiler_new(NULL, &compiler, NULL), "compiling");
    for (uint64_t i = 0; i < TOKEN_COUNT; i++) {
        const struct names *names = (const struct names *)(const void *)at;

        add_token(compiler, names, i);
        at += names_stride(names);
    }
    engines_must(weir_compile(compiler, 0, &image, NULL, NULL), "compiling");
    weir_compiler_free(compiler);
    engines_must(weir_engine_open(tokens_copy(image, MEMORY_LARGE_PAGES), NULL, &engine, NULL),
                 "opening an engine");
    weir_image_close(image);
    return engine;
}

/*
 * ---- What is made ready for a chunk ----
 */

static const struct weir_engine *asked;
static struct weir_credential texts[CHUNK];
static uint8_t digests[CHUNK][WEIR_DIGEST_SIZE];

static void ready(const struct chunk *chunk, uint64_t salt)
{
    for (size_t i = 0; i < CHUNK; i++) {
        make_credential(chunk->questions[i].token_id, salt, &texts[i]);
        (void)weir_credential_digest(text_of(&texts[i]), digests[i]);
    }
}

static void ready_known(const struct chunk *chunk)
{
    ready(chunk, 0);
}

static void ready_unknown(const struct chunk *chunk)
{
    ready(chunk, 1);
}

/* One digit is not what it was, so the checksum is wrong. */
static void ready_malformed(const struct chunk *chunk)
{
    ready_known(chunk);
    for (size_t i = 0; i < CHUNK; i++) {
        char *digit = &texts[i].text[8 + i % 32];

        *digit = *digit == 'a' ? 'b' : 'a';
    }
}

/*
 * ---- Passes ----
 */

static enum weir_reason ask(const struct chunk *chunk, size_t i)
{
    return weir_engine_check_credential(asked, text_of(&texts[i]), &chunk->questions[i].request,
                                        BENCH_NOW);
}

static uint64_t ask_in_a_loop(const struct chunk *chunk)
{
    uint64_t allowed = 0;

    for (size_t i = 0; i < CHUNK; i++) {
        allowed += ask(chunk, i) == WEIR_ALLOWED;
    }
    return allowed;
}

static uint64_t ask_one_at_a_time(const struct chunk *chunk)
{
    uint64_t allowed = 0;

    for (size_t i = 0; i < CHUNK; i++) {
        allowed += ask(chunk, i) == WEIR_ALLOWED;
        times_fence();
    }
    return allowed;
}

/* Of what no token has: as many as are to be allowed, if each is denied for that reason. */
static uint64_t ask_in_vain(const struct chunk *chunk)
{
    uint64_t unknown = 0;

    for (size_t i = 0; i < CHUNK; i++) {
        unknown += ask(chunk, i) == WEIR_UNKNOWN_TOKEN;
        times_fence();
    }
    return unknown == CHUNK ? chunk->allowed : CHUNK + 1;
}

/* What a check is without the digest. */
static uint64_t ask_by_digest(const struct chunk *chunk)
{
    uint64_t allowed = 0;

    for (size_t i = 0; i < CHUNK; i++) {
        weir_read_begin();
        allowed += weir_check_token(weir_engine_find_by_digest(asked, digests[i]),
                                    &chunk->questions[i].request, BENCH_NOW)
                       .reason == WEIR_ALLOWED;
        weir_read_end();
        times_fence();
    }
    return allowed;
}

static uint64_t ask_by_id(const struct chunk *chunk)
{
    uint64_t allowed = 0;

    for (size_t i = 0; i < CHUNK; i++) {
        const struct weir_question *question = &chunk->questions[i];

        allowed += weir_engine_check(asked, question->token_id, &question->request, BENCH_NOW) ==
                   WEIR_ALLOWED;
        times_fence();
    }
    return allowed;
}

static uint64_t see_form(const struct chunk *chunk)
{
    uint64_t sum = 0;

    (void)chunk;
    for (size_t i = 0; i < CHUNK; i++) {
        sum += weir_credential_well_formed(text_of(&texts[i]));
        times_fence();
    }
    return sum;
}

static uint64_t take_digest(const struct chunk *chunk)
{
    uint64_t sum = 0;

    (void)chunk;
    for (size_t i = 0; i < CHUNK; i++) {
        uint8_t digest[WEIR_DIGEST_SIZE];

        sum += weir_credential_digest(text_of(&texts[i]), digest);
        sum += rounds_keep(digest[0]);
        times_fence();
    }
    return sum;
}

/*
 * ---- Rounds ----
 */

static void run(void *requests, rounds_prepare *prepare, rounds_pass *pass, bool checks,
                struct bench_round *round)
{
    asked = engine_with_credentials();
    rounds_run_prepared(requests, effort, prepare, pass, checks, round);
}

void credential_check_in_a_loop(void *requests, struct bench_round *round)
{
    run(requests, ready_known, ask_in_a_loop, true, round);
}

void credential_check_one_at_a_time(void *requests, struct bench_round *round)
{
    run(requests, ready_known, ask_one_at_a_time, true, round);
}

void credential_check_unknown(void *requests, struct bench_round *round)
{
    run(requests, ready_unknown, ask_in_vain, true, round);
}

void credential_check_malformed(void *requests, struct bench_round *round)
{
    run(requests, ready_malformed, ask_in_vain, true, round);
}

void credential_check_by_digest(void *requests, struct bench_round *round)
{
    run(requests, ready_known, ask_by_digest, true, round);
}

void credential_check_by_id(void *requests, struct bench_round *round)
{
    run(requests, ready_known, ask_by_id, true, round);
}

void credential_form(void *requests, struct bench_round *round)
{
    run(requests, ready_known, see_form, false, round);
}

void credential_digest(void *requests, struct bench_round *round)
{
    run(requests, ready_known, take_digest, false, round);
}

/* SHA-256 of a credential by each library that is there. */
#define HASH(name)                                                                                 \
    bool weir_##name##_sha256(const void *bytes, size_t size, uint8_t digest[WEIR_SHA256_SIZE]);   \
                                                                                                   \
    static uint64_t hash_by_##name(const struct chunk *chunk)                                      \
    {                                                                                              \
        uint64_t sum = 0;                                                                          \
                                                                                                   \
        (void)chunk;                                                                               \
        for (size_t i = 0; i < CHUNK; i++) {                                                       \
            uint8_t digest[WEIR_SHA256_SIZE];                                                      \
                                                                                                   \
            sum += weir_##name##_sha256(texts[i].text, WEIR_CREDENTIAL_LENGTH, digest);            \
            sum += rounds_keep(digest[0]);                                                         \
            times_fence();                                                                         \
        }                                                                                          \
        return sum;                                                                                \
    }                                                                                              \
                                                                                                   \
    void credential_sha256_##name(void *requests, struct bench_round *round)                       \
    {                                                                                              \
        run(requests, ready_known, hash_by_##name, false, round);                                  \
    }
WEIR_HASHES
