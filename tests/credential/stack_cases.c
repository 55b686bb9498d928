/* What is left behind: nothing of a credential, nor of the digest where that is not asked for. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "credential/credential_cases.h"
#include "credential/naive_credential.h"
#include "credential/samples.h"
#include "library/support.h"

enum { STACK_SIZE = 1 << 18, PIECE = 8 };

/* The stack of a thread that has ended, to look through. */
struct stack {
    char *bytes;
};

static void stack_make(struct stack *stack)
{
    stack->bytes =
        mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(stack->bytes, MAP_FAILED);
}

static void stack_free(struct stack *stack)
{
    munmap(stack->bytes, STACK_SIZE);
}

/* Something to do, deep in the stack: what the thread does at its end does not come so far. */
struct deep {
    void (*run)(void *argument);
    void *argument;
};

static void *run_deep(void *argument)
{
    const struct deep *deep = argument;
    volatile char above[STACK_SIZE / 2];

    above[0] = '\0';
    deep->run(deep->argument);
    above[sizeof above - 1] = above[0];
    return NULL;
}

static void run_on(struct stack *stack, struct deep *deep)
{
    pthread_attr_t attributes;
    pthread_t thread;

    ck_assert_int_eq(pthread_attr_init(&attributes), 0);
    ck_assert_int_eq(pthread_attr_setstack(&attributes, stack->bytes, STACK_SIZE), 0);
    ck_assert_int_eq(pthread_create(&thread, &attributes, run_deep, deep), 0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    pthread_attr_destroy(&attributes);
}

static bool has(const struct stack *stack, const char *piece, size_t size)
{
    return memmem(stack->bytes, STACK_SIZE, piece, size) != NULL;
}

/* Whether eight bytes in a row of the credential are there: as they are, or as two words of
 * SHA-256, whose bytes are in the other order. */
static bool has_text(const struct stack *stack, const struct weir_credential *credential)
{
    for (size_t at = NAIVE_PREFIX; at + PIECE <= WEIR_CREDENTIAL_LENGTH; at++) {
        const char *piece = credential->text + at;
        char words[PIECE];

        for (size_t i = 0; i < PIECE; i++) {
            words[i] = piece[i ^ 3];
        }
        if (has(stack, piece, PIECE) || has(stack, words, PIECE)) {
            return true;
        }
    }
    return false;
}

/* Whether half of the digest is: a word of it, kept while it was looked for, tells nobody anything.
 */
static bool has_digest(const struct stack *stack, const uint8_t digest[WEIR_DIGEST_SIZE])
{
    const size_t half = WEIR_DIGEST_SIZE / 2;

    for (size_t at = 0; at <= half; at++) {
        if (has(stack, (const char *)digest + at, half)) {
            return true;
        }
    }
    return false;
}

/*
 * ---- What the threads do ----
 */

struct task {
    struct weir_credential *credential;
    const struct weir_engine *engine;
    uint8_t digest[WEIR_DIGEST_SIZE];
    bool done;
};

/* A byte at a time, so that no register is left with more of it. */
static void copy_text(const struct task *task, volatile char *copy)
{
    for (size_t i = 0; i < sizeof task->credential->text; i++) {
        copy[i] = task->credential->text[i];
    }
}

static void carelessly(void *argument)
{
    struct task *task = argument;
    volatile char copy[sizeof task->credential->text];

    copy_text(task, copy);
    task->done = copy[0] == 'w';
}

static void carefully(void *argument)
{
    struct task *task = argument;
    char copy[sizeof task->credential->text];

    copy_text(task, copy);
    task->done = weir_credential_well_formed((struct weir_text){copy, WEIR_CREDENTIAL_LENGTH});
    weir_wipe(copy, sizeof copy);
}

static void draw(void *argument)
{
    struct task *task = argument;

    task->done = weir_credential_draw(task->credential, NULL) == WEIR_OK;
}

static void take_digest(void *argument)
{
    struct task *task = argument;

    task->done = weir_credential_digest(text_of_credential(task->credential), task->digest);
}

static void check(void *argument)
{
    static const struct weir_request request = {
        .operation = WEIR_READ, .basin = {"acme-prod", 9}, .stream = {"some/stream", 11}};
    struct task *task = argument;

    task->done = weir_engine_check_credential(task->engine, text_of_credential(task->credential),
                                              &request, weir_instant_now()) == WEIR_UNKNOWN_TOKEN;
}

/* Runs it on a stack of its own and tells whether it leaves a piece of the text, or the digest. */
static bool leaves(void (*run)(void *), struct task *task)
{
    struct deep deep = {run, task};
    struct stack stack;
    uint8_t digest[WEIR_DIGEST_SIZE];
    bool found = false;

    stack_make(&stack);
    run_on(&stack, &deep);
    ck_assert(task->done);
    ck_assert(weir_credential_digest(text_of_credential(task->credential), digest));
    found = has_text(&stack, task->credential) || has_digest(&stack, digest);
    stack_free(&stack);
    return found;
}

/*
 * ---- The cases ----
 */

START_TEST(what_is_left_is_found_and_what_is_wiped_is_not)
{
    struct weir_credential credential = {SAMPLE_CREDENTIAL};
    struct task task = {.credential = &credential};

    ck_assert(leaves(carelessly, &task));
    ck_assert(!leaves(carefully, &task));
}
END_TEST

START_TEST(drawing_leaves_nothing_on_the_stack)
{
    struct weir_credential credential;
    struct task task = {.credential = &credential};

    ck_assert(!leaves(draw, &task));
}
END_TEST

START_TEST(taking_the_digest_leaves_nothing_on_the_stack)
{
    struct weir_credential credential = {SAMPLE_CREDENTIAL};
    struct task task = {.credential = &credential};

    ck_assert(!leaves(take_digest, &task));
    ck_assert_mem_eq(task.digest, sample_digest, WEIR_DIGEST_SIZE);
}
END_TEST

START_TEST(a_check_leaves_neither_text_nor_digest_on_the_stack)
{
    struct weir_credential credential = {SAMPLE_CREDENTIAL};
    struct weir_engine *engine = NULL;
    struct task task = {.credential = &credential};

    ck_assert_int_eq(weir_engine_open(NULL, NULL, &engine, NULL), WEIR_OK);
    task.engine = engine;
    ck_assert(!leaves(check, &task));
    weir_engine_close(engine);
}
END_TEST

START_TEST(wiping_overwrites_just_what_it_is_given)
{
    for (size_t from = 0; from < 70; from++) {
        for (size_t size = 0; from + size <= 70; size++) {
            char bytes[72];

            memset(bytes, 'x', sizeof bytes);
            weir_wipe(bytes + from, size);
            for (size_t i = 0; i < sizeof bytes; i++) {
                bool inside = i >= from && i < from + size;

                if ((bytes[i] != 'x') != inside) {
                    ck_abort_msg("byte %zu of %zu from %zu", i, size, from);
                }
            }
        }
    }
}
END_TEST

TCase *stack_cases(void)
{
    TCase *cases = tcase_create("what is left");

#if !defined(__SANITIZE_THREAD__) /* which needs more of a stack than they look at */
    tcase_add_test(cases, what_is_left_is_found_and_what_is_wiped_is_not);
    tcase_add_test(cases, drawing_leaves_nothing_on_the_stack);
    tcase_add_test(cases, taking_the_digest_leaves_nothing_on_the_stack);
    tcase_add_test(cases, a_check_leaves_neither_text_nor_digest_on_the_stack);
#else
    (void)what_is_left_is_found_and_what_is_wiped_is_not;
    (void)drawing_leaves_nothing_on_the_stack;
    (void)taking_the_digest_leaves_nothing_on_the_stack;
    (void)a_check_leaves_neither_text_nor_digest_on_the_stack;
#endif
    tcase_add_test(cases, wiping_overwrites_just_what_it_is_given);
    return cases;
}
