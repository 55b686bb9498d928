#include "model/subject.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weir/compile.h>

#include "model/naive.h"
#include "model/report.h"

static struct guarded compile_alone(const struct weir_token *token, struct weir_text beyond)
{
    struct weir_compiled_token *compiled = NULL;
    struct guarded alone;
    unsigned char *margin = NULL;
    size_t size = 0;

    ck_assert_int_eq(weir_compile_token(token, NULL, &compiled, &size, NULL), WEIR_OK);
    ck_assert_uint_eq(size, weir_compiled_token_size(compiled) + WEIR_TOKEN_MARGIN);
    alone = guarded_copy(compiled, size, true);
    free(compiled);
    margin = alone.bytes + size - WEIR_TOKEN_MARGIN;
    memset(margin, 0xff, WEIR_TOKEN_MARGIN);
    if (beyond.length > 0) {
        memcpy(margin, beyond.bytes,
               beyond.length < WEIR_TOKEN_MARGIN ? beyond.length : WEIR_TOKEN_MARGIN);
    }
    return alone;
}

static struct guarded compile_image(const struct weir_token *token)
{
    struct weir_compiler *compiler = NULL;
    struct weir_image *image = NULL;
    struct guarded bytes;
    const void *made = NULL;
    size_t size = 0;

    ck_assert_int_eq(weir_compiler_new(NULL, &compiler, NULL), WEIR_OK);
    ck_assert_int_eq(weir_compiler_add(compiler, token, 0, NULL), WEIR_OK);
    ck_assert_int_eq(weir_compile(compiler, 0, &image, NULL, NULL), WEIR_OK);
    weir_compiler_free(compiler);
    made = weir_image_bytes(image, &size);
    bytes = guarded_copy(made, size, true);
    weir_image_close(image);
    return bytes;
}

static const struct weir_compiled_token *alone(const struct subject *subject)
{
    return (const struct weir_compiled_token *)(const void *)subject->alone.bytes;
}

void subject_make(struct subject *subject, const struct weir_token *token, struct weir_text beyond)
{
    *subject = (struct subject){
        .token = token, .alone = compile_alone(token, beyond), .bytes = compile_image(token)};
    ck_assert_int_eq(weir_image_open_memory(subject->bytes.bytes, subject->bytes.size,
                                            WEIR_IMAGE_SHARED, NULL, &subject->image, NULL),
                     WEIR_OK);
    for (enum holding i = HOLDS_IMAGE; i < HOLDINGS; i++) {
        ck_assert_int_eq(weir_engine_open(i == HOLDS_IMAGE ? subject->image : NULL, NULL,
                                          &subject->engines[i], NULL),
                         WEIR_OK);
    }
    ck_assert_int_eq(weir_engine_issue(subject->engines[HOLDS_OWN], alone(subject), NULL), WEIR_OK);
    for (enum holding i = HOLDS_IMAGE; i < HOLDINGS; i++) {
        ck_assert(weir_engine_resolve(subject->engines[i], token->id, &subject->resolved[i]));
    }
}

void subject_free(struct subject *subject)
{
    for (enum holding i = HOLDS_IMAGE; i < HOLDINGS; i++) {
        weir_engine_close(subject->engines[i]);
    }
    weir_image_close(subject->image);
    guarded_free(&subject->bytes);
    guarded_free(&subject->alone);
}

/* What is asked, and what must be answered. */
struct asked {
    const struct subject *subject;
    const struct weir_question *question;
    struct weir_instant now;
    enum weir_reason expected;
};

static void agree(const struct asked *asked, const char *way, enum weir_reason got)
{
    if (got == asked->expected) {
        return;
    }
    (void)fprintf(stderr, "asked %s: %s, expected %s\n", way, weir_reason_name(got),
                  weir_reason_name(asked->expected));
    report_instant("at", asked->now);
    report_text("token id", asked->question->token_id);
    report_request(&asked->question->request);
    report_token(asked->subject->token);
    ck_abort_msg("the reasons differ (see above)");
}

static void ask_image(const struct asked *asked)
{
    const struct weir_image *image = asked->subject->image;
    const struct weir_question *question = asked->question;
    struct weir_decision decision = {0};

    agree(asked, "by id",
          weir_check(image, question->token_id, &question->request, asked->now).reason);
    weir_check_batch(image, question, 1, asked->now, &decision);
    agree(asked, "in a batch", decision.reason);
    agree(
        asked, "found before",
        weir_check_token(weir_image_find(image, question->token_id), &question->request, asked->now)
            .reason);
}

static void ask_engine(const struct asked *asked, const struct weir_engine *engine)
{
    const struct weir_question *question = asked->question;
    enum weir_reason reason = WEIR_STALE;

    agree(asked, "an engine, by id",
          weir_engine_check(engine, question->token_id, &question->request, asked->now));
    weir_engine_check_batch(engine, question, 1, asked->now, &reason);
    agree(asked, "an engine, in a batch", reason);
}

/* The ways that take no id. */
static void ask_token(const struct asked *asked, struct subject *subject)
{
    const struct weir_request *request = &asked->question->request;

    agree(asked, "alone", weir_check_token(alone(subject), request, asked->now).reason);
    for (enum holding i = HOLDS_IMAGE; i < HOLDINGS; i++) {
        agree(asked, "resolved",
              weir_engine_check_resolved(subject->engines[i], &subject->resolved[i], request,
                                         asked->now));
    }
}

enum weir_reason subject_expect(struct subject *subject, const struct weir_question *question,
                                struct weir_instant now)
{
    const struct asked asked = {
        subject, question, now,
        naive_decide(subject->token, 1, question->token_id, &question->request, now).reason};

    ask_image(&asked);
    for (enum holding i = HOLDS_IMAGE; i < HOLDINGS; i++) {
        ask_engine(&asked, subject->engines[i]);
    }
    if (asked.expected != WEIR_UNKNOWN_TOKEN) {
        ask_token(&asked, subject);
    }
    return asked.expected;
}
