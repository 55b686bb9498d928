/* test_cancelled.c - readers that are cancelled in the middle: nothing stays locked, nothing waits
 * for them, and what they looked at is released. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "library/support.h"
#include "live/recipes.h"

enum { THREADS = 100, WRITES = 5, HANGS_SECONDS = 120 };

struct reader {
    const struct weir_engine *engine;
    int type; /* of cancellation */
    atomic_uint checks;
};

/* Checks in every way, for ever. */
static void *read_on(void *context)
{
    struct reader *reader = context;
    struct weir_resolved resolved;
    struct weir_question question = {WEIR_TEXT("a"),
                                     {.operation = WEIR_READ,
                                      .basin = WEIR_TEXT("basin-of-all"),
                                      .stream = FIRST_VERSION_STREAM}};
    const struct weir_question questions[2] = {question, question};
    enum weir_reason reasons[2];

    weir_thread_register();
    (void)pthread_setcanceltype(reader->type, NULL);
    for (;;) {
        (void)weir_engine_check(reader->engine, question.token_id, &question.request, NOW);
        weir_engine_check_batch(reader->engine, questions, 2, NOW, reasons);
        (void)weir_engine_resolve(reader->engine, question.token_id, &resolved);
        (void)weir_engine_check_resolved(reader->engine, &resolved, &question.request, NOW);
        atomic_fetch_add(&reader->checks, 1);
        pthread_testcancel();
    }
    return NULL;
}

/* Ends in a read section, at the cancellation point in it. */
static void *read_in_section(void *context)
{
    struct reader *reader = context;

    for (;;) {
        weir_read_begin();
        (void)weir_engine_find(reader->engine, WEIR_TEXT("a"));
        atomic_fetch_add(&reader->checks, 1);
        pthread_testcancel();
        weir_read_end();
    }
    return NULL;
}

static void change(struct weir_engine *engine, unsigned number)
{
    ck_assert_int_eq(put_token(engine, (struct recipe){"a", .version = 1 + number % 2}), WEIR_OK);
}

static void cancel_one(struct weir_engine *engine, void *(*read)(void *), int type,
                       struct random *random)
{
    struct reader reader = {.engine = engine, .type = type};
    unsigned until = 1 + (unsigned)random_below(random, 50);
    pthread_t thread;
    void *result = NULL;

    ck_assert_int_eq(pthread_create(&thread, NULL, read, &reader), 0);
    while (atomic_load(&reader.checks) < until) {
        change(engine, atomic_load(&reader.checks));
    }
    ck_assert_int_eq(pthread_cancel(thread), 0);
    ck_assert_int_eq(pthread_join(thread, &result), 0);
    ck_assert_ptr_eq(result, PTHREAD_CANCELED);
    for (unsigned i = 0; i < WRITES; i++) {
        change(engine, i);
    }
    ck_assert_int_eq(reclaim(engine), WEIR_OK);
    ck_assert_uint_eq(weir_engine_usage(engine).retired_bytes, 0);
}

/* A writer waits for who reads: were one that is no more taken for one, it would for ever. */
static void cancel_many(void *(*read)(void *), int type)
{
    struct counting_allocator counting;
    struct weir_engine_options options = {.retired_max = 1};
    struct weir_engine *engine = NULL;
    struct random random = {5};

    counting_allocator_start(&counting);
    options.allocator = &counting.allocator;
    engine = engine_on(NULL, &options);
    change(engine, 0);
    (void)alarm(HANGS_SECONDS);
    for (unsigned i = 0; i < THREADS; i++) {
        cancel_one(engine, read, type, &random);
    }
    (void)alarm(0);
    ck_assert_int_eq(revoke_token(engine, "a"), WEIR_OK);
    ck_assert_int_eq(ask(engine, "a", 1), WEIR_UNKNOWN_TOKEN);
    weir_engine_close(engine);
    counting_allocator_expect_balance(&counting);
}

START_TEST(a_reader_cancelled_between_its_checks_is_awaited_by_nobody)
{
    cancel_many(read_on, PTHREAD_CANCEL_DEFERRED);
}
END_TEST

/* At any instruction. A sanitizer's own code does not stand that. */
START_TEST(a_registered_reader_cancelled_in_a_check_is_awaited_by_nobody)
{
#if !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)
    cancel_many(read_on, PTHREAD_CANCEL_ASYNCHRONOUS);
#endif
}
END_TEST

START_TEST(a_reader_cancelled_in_a_read_section_is_awaited_by_nobody)
{
    cancel_many(read_in_section, PTHREAD_CANCEL_DEFERRED);
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("cancelled");

    tcase_add_test(cases, a_reader_cancelled_between_its_checks_is_awaited_by_nobody);
    tcase_add_test(cases, a_registered_reader_cancelled_in_a_check_is_awaited_by_nobody);
    tcase_add_test(cases, a_reader_cancelled_in_a_read_section_is_awaited_by_nobody);
    return run_cases("faults_cancelled", &cases, 1);
}
