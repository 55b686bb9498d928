#include "live/recipes.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weir/compile.h>

#include "library/support.h"

#define BASIN "basin-of-all"

/*
 * ---- Making ----
 */

void digest_of(unsigned credential, uint8_t digest[WEIR_DIGEST_SIZE])
{
    for (unsigned i = 0; i < WEIR_DIGEST_SIZE; i++) {
        digest[i] = (uint8_t)((credential >> 8 * (i % 4)) + i);
    }
}

struct version_stream stream_of(unsigned version)
{
    struct version_stream stream;

    (void)snprintf(stream.name, sizeof stream.name, "version/%04u/", version);
    return stream;
}

void declare(struct declared *declared, struct recipe recipe)
{
    declared->stream = stream_of(recipe.version);
    declared->scope = (struct weir_scope){
        .basins = {WEIR_SET_PREFIX, WEIR_TEXT("")},
        .streams = {WEIR_SET_PREFIX, text_of(declared->stream.name)},
        .ops = WEIR_OPERATION_BIT(WEIR_READ),
    };
    declared->token = (struct weir_token){
        .id = text_of(recipe.id),
        .scopes = &declared->scope,
        .scope_count = 1,
        .expires = recipe.expires_at != 0,
        .expires_at = {recipe.expires_at, 0},
        .has_credential_digest = recipe.credential != 0,
        .issue_number = recipe.issue_number,
    };
    digest_of(recipe.credential, declared->token.credential_digest);
}

struct weir_compiled_token *compile_recipe(struct recipe recipe)
{
    struct declared declared;
    struct weir_compiled_token *compiled = NULL;
    size_t size = 0;

    declare(&declared, recipe);
    ck_assert_int_eq(weir_compile_token(&declared.token, NULL, &compiled, &size, NULL), WEIR_OK);
    return compiled;
}

struct weir_image *compile_recipes(const struct recipe *recipes, size_t count, uint64_t sequence)
{
    struct weir_compiler *compiler = NULL;
    struct weir_image *image = NULL;

    ck_assert_int_eq(weir_compiler_new(NULL, &compiler, NULL), WEIR_OK);
    for (size_t i = 0; i < count; i++) {
        struct declared declared;

        declare(&declared, recipes[i]);
        ck_assert_int_eq(weir_compiler_add(compiler, &declared.token, i, NULL), WEIR_OK);
    }
    ck_assert_int_eq(weir_compile(compiler, sequence, &image, NULL, NULL), WEIR_OK);
    weir_compiler_free(compiler);
    return image;
}

struct weir_engine *engine_on(const struct weir_image *image,
                              const struct weir_engine_options *options)
{
    struct weir_engine *engine = NULL;
    struct weir_error error;

    ck_assert_int_eq(weir_engine_open(image, options, &engine, &error), WEIR_OK);
    return engine;
}

/*
 * ---- Changing ----
 */

/* What is returned must be what the error says. */
static enum weir_status told(enum weir_status status, const struct weir_error *error)
{
    if (status != WEIR_OK) {
        expect_error(error, status);
    }
    return status;
}

typedef enum weir_status change(struct weir_engine *engine, const struct weir_compiled_token *token,
                                struct weir_error *error);

/* The token's memory is gone when the change returns: what the engine keeps is a copy. */
static enum weir_status change_with(struct weir_engine *engine, struct recipe recipe, change *how)
{
    struct weir_compiled_token *compiled = compile_recipe(recipe);
    struct weir_error error = {0};
    enum weir_status status = how(engine, compiled, &error);

    free(compiled);
    return told(status, &error);
}

enum weir_status issue_token(struct weir_engine *engine, struct recipe recipe)
{
    return change_with(engine, recipe, weir_engine_issue);
}

enum weir_status replace_token(struct weir_engine *engine, struct recipe recipe)
{
    return change_with(engine, recipe, weir_engine_replace);
}

enum weir_status put_token(struct weir_engine *engine, struct recipe recipe)
{
    return change_with(engine, recipe, weir_engine_put);
}

enum weir_status revoke_token(struct weir_engine *engine, const char *id)
{
    struct weir_error error = {0};

    return told(weir_engine_revoke(engine, text_of(id), &error), &error);
}

enum weir_status swap_image(struct weir_engine *engine, const struct weir_image *image)
{
    struct weir_error error = {0};

    return told(weir_engine_swap(engine, image, &error), &error);
}

enum weir_status reclaim(struct weir_engine *engine)
{
    struct weir_error error = {0};

    return told(weir_engine_reclaim(engine, &error), &error);
}

/*
 * ---- Asking ----
 */

struct asked {
    struct weir_question question;
    struct version_stream stream;
};

static void make_question(struct asked *asked, const char *id, unsigned version)
{
    asked->stream = stream_of(version);
    asked->question = (struct weir_question){
        text_of(id),
        {.operation = WEIR_READ, .basin = WEIR_TEXT(BASIN), .stream = text_of(asked->stream.name)}};
}

static void agree(enum weir_reason expected, enum weir_reason got, const char *way)
{
    if (expected != got) {
        ck_abort_msg("%s: %s, alone: %s", way, weir_reason_name(got), weir_reason_name(expected));
    }
}

/* In a batch of two rounds, in the second, after questions about others. */
static enum weir_reason ask_in_batch(const struct weir_engine *engine,
                                     const struct weir_question *question, struct weir_instant now)
{
    enum { SIZE = 35 };
    struct weir_question questions[SIZE];
    enum weir_reason reasons[SIZE];

    for (size_t i = 0; i < SIZE; i++) {
        questions[i] = *question;
        questions[i].token_id = i % 2 == 1 ? WEIR_TEXT("nobody") : question->token_id;
    }
    memset(reasons, 0xff, sizeof reasons);
    weir_engine_check_batch(engine, questions, SIZE, now, reasons);
    for (size_t i = 0; i < SIZE; i++) {
        agree(i % 2 == 1 ? WEIR_UNKNOWN_TOKEN : reasons[0], reasons[i], "in a batch");
    }
    return reasons[0];
}

static enum weir_reason ask_resolved_question(const struct weir_engine *engine,
                                              struct weir_resolved *resolved,
                                              const struct weir_request *request,
                                              struct weir_instant now)
{
    struct weir_resolved copy = *resolved;
    enum weir_reason reason = WEIR_STALE;

    weir_read_begin();
    reason = weir_check_token(weir_engine_find_resolved(engine, &copy), request, now).reason;
    weir_read_end();
    /* Found, a credential's token that was seen expired is no more. */
    if (!resolved->expired) {
        agree(reason, weir_engine_check_resolved_under(engine, &copy, request, now),
              "resolved, with everything under the stream");
        agree(reason, weir_engine_check_resolved(engine, resolved, request, now), "resolved");
        ck_assert_int_eq(copy.expired, resolved->expired);
    } else {
        agree(WEIR_EXPIRED, weir_engine_check_resolved_under(engine, &copy, request, now),
              "resolved and seen expired, with everything under the stream");
        agree(WEIR_UNKNOWN_TOKEN, reason, "found after it was seen expired");
        reason = weir_engine_check_resolved(engine, resolved, request, now);
        agree(WEIR_EXPIRED, reason, "resolved and seen expired");
    }
    return reason;
}

enum weir_reason ask_at(const struct weir_engine *engine, const char *id, unsigned version,
                        struct weir_instant now)
{
    struct asked asked;
    struct weir_resolved resolved;
    enum weir_reason reason = WEIR_STALE;

    make_question(&asked, id, version);
    reason = weir_engine_check(engine, text_of(id), &asked.question.request, now);
    agree(reason, ask_in_batch(engine, &asked.question, now), "in a batch");
    agree(reason, weir_engine_check_under(engine, text_of(id), &asked.question.request, now),
          "everything under the stream");
    weir_read_begin();
    agree(reason,
          weir_check_token(weir_engine_find(engine, text_of(id)), &asked.question.request, now)
              .reason,
          "found");
    weir_read_end();
    ck_assert_int_eq(weir_engine_resolve(engine, text_of(id), &resolved),
                     reason != WEIR_UNKNOWN_TOKEN);
    agree(reason, ask_resolved_question(engine, &resolved, &asked.question.request, now),
          "resolved by id");
    return reason;
}

enum weir_reason ask(const struct weir_engine *engine, const char *id, unsigned version)
{
    return ask_at(engine, id, version, NOW);
}

enum weir_reason ask_by_credential(const struct weir_engine *engine, unsigned credential,
                                   unsigned version)
{
    struct asked asked;
    struct weir_resolved resolved;
    uint8_t digest[WEIR_DIGEST_SIZE];
    enum weir_reason reason = WEIR_STALE;

    make_question(&asked, "", version);
    digest_of(credential, digest);
    weir_read_begin();
    reason =
        weir_check_token(weir_engine_find_by_digest(engine, digest), &asked.question.request, NOW)
            .reason;
    weir_read_end();
    if (weir_engine_resolve_by_digest(engine, digest, &resolved)) {
        agree(reason, ask_resolved_question(engine, &resolved, &asked.question.request, NOW),
              "resolved by credential");
    } else {
        agree(WEIR_UNKNOWN_TOKEN, reason, "not resolved by credential");
    }
    return reason;
}

enum weir_reason ask_resolved_at(const struct weir_engine *engine, struct weir_resolved *resolved,
                                 unsigned version, struct weir_instant now)
{
    struct asked asked;

    make_question(&asked, "", version);
    return ask_resolved_question(engine, resolved, &asked.question.request, now);
}

enum weir_reason ask_resolved(const struct weir_engine *engine, struct weir_resolved *resolved,
                              unsigned version)
{
    return ask_resolved_at(engine, resolved, version, NOW);
}

struct weir_resolved resolve(const struct weir_engine *engine, const char *id)
{
    struct weir_resolved resolved;

    (void)weir_engine_resolve(engine, text_of(id), &resolved);
    return resolved;
}

struct weir_resolved resolve_by_credential(const struct weir_engine *engine, unsigned credential)
{
    struct weir_resolved resolved;
    uint8_t digest[WEIR_DIGEST_SIZE];

    digest_of(credential, digest);
    ck_assert(weir_engine_resolve_by_digest(engine, digest, &resolved));
    return resolved;
}

/*
 * ---- All of it ----
 */

static uint64_t issue_number_of(const struct weir_engine *engine, const char *id)
{
    const struct weir_compiled_token *token = NULL;
    uint64_t number = 0;

    weir_read_begin();
    token = weir_engine_find(engine, text_of(id));
    number = token != NULL ? weir_compiled_token_issue_number(token) : UINT64_MAX;
    weir_read_end();
    return number;
}

struct state state_of(const struct weir_engine *engine)
{
    struct weir_usage usage = weir_engine_usage(engine);
    struct state state = {.tokens = usage.tokens, .own_tokens = usage.own_tokens};

    for (unsigned i = 0; i < STATE_SIZE; i++) {
        const char id[] = {(char)('a' + (int)i), '\0'};

        state.issue_numbers[i] = issue_number_of(engine, id);
        for (unsigned version = 0; version < STATE_SIZE; version++) {
            state.by_id[i][version] = ask(engine, id, version + 1);
            state.by_credential[i][version] = ask_by_credential(engine, i + 1, version + 1);
        }
    }
    return state;
}

bool states_equal(const struct state *left, const struct state *right)
{
    return memcmp(left->by_id, right->by_id, sizeof left->by_id) == 0 &&
           memcmp(left->by_credential, right->by_credential, sizeof left->by_credential) == 0 &&
           memcmp(left->issue_numbers, right->issue_numbers, sizeof left->issue_numbers) == 0 &&
           left->tokens == right->tokens && left->own_tokens == right->own_tokens;
}
