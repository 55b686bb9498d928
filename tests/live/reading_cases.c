/* E4, E5: how checks go about it, and what a read section holds still. */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "library/support.h"
#include "live/guarantee_cases.h"
#include "live/recipes.h"

/* In the image, replaced, and lacking in it: each way that there is to a token. */
static struct weir_engine *engine_of_all_kinds(const struct weir_engine_options *options,
                                               struct weir_image **image)
{
    const struct recipe recipes[] = {{"a", .version = 1, .credential = 1},
                                     {"b", .version = 1, .credential = 2},
                                     {"c", .version = 1, .credential = 3}};
    struct weir_engine *engine = NULL;

    *image = compile_recipes(recipes, COUNT(recipes), 0);
    engine = engine_on(*image, options);
    ck_assert_int_eq(replace_token(engine, (struct recipe){"b", .version = 2, .credential = 2}),
                     WEIR_OK);
    ck_assert_int_eq(revoke_token(engine, "c"), WEIR_OK);
    for (unsigned i = 0; i < 60; i++) {
        char id[16];

        (void)snprintf(id, sizeof id, i == 0 ? "d" : "other%u", i);
        ck_assert_int_eq(
            issue_token(engine, (struct recipe){id, .version = 3, .credential = 4 + i}), WEIR_OK);
    }
    return engine;
}

/*
 * ---- E4 ----
 */

/* One of each function that checks; no assertions, which Check would write about. */
struct questions {
    struct weir_request request;
    struct weir_question batch[70];
    enum weir_reason reasons[70];
    uint8_t digests[5][WEIR_DIGEST_SIZE];
    struct weir_resolved resolved[8];
    size_t resolved_count;
};

static const char *const all_kinds[] = {"a", "b", "c", "d", "nobody", ""};

static void questions_make(struct questions *questions)
{
    memset(questions, 0, sizeof *questions);
    questions->request = (struct weir_request){
        .operation = WEIR_READ, .basin = WEIR_TEXT("some-basin"), .stream = FIRST_VERSION_STREAM};
    for (size_t i = 0; i < COUNT(questions->batch); i++) {
        questions->batch[i].token_id = text_of(all_kinds[i % COUNT(all_kinds)]);
        questions->batch[i].request = questions->request;
    }
    for (unsigned i = 0; i < COUNT(questions->digests); i++) {
        digest_of(i + 1, questions->digests[i]);
    }
}

/* Returns how many answers were to allow. */
static size_t ask_by_every_function(const struct weir_engine *engine, struct questions *questions)
{
    const struct weir_request *request = &questions->request;
    size_t allowed = 0;

    for (size_t i = 0; i < COUNT(all_kinds); i++) {
        struct weir_text id = questions->batch[i].token_id;
        struct weir_resolved *resolved = &questions->resolved[i];

        allowed += weir_engine_check(engine, id, request, NOW) == WEIR_ALLOWED;
        weir_read_begin();
        allowed += weir_allowed(weir_check_token(weir_engine_find(engine, id), request, NOW));
        weir_read_end();
        if (id.length > 0) {
            (void)weir_engine_resolve(engine, id, resolved);
            allowed += weir_engine_check_resolved(engine, resolved, request, NOW) == WEIR_ALLOWED;
            weir_read_begin();
            allowed += weir_engine_find_resolved(engine, resolved) != NULL;
            weir_read_end();
        }
    }
    for (size_t i = 0; i < COUNT(questions->digests); i++) {
        struct weir_resolved *resolved = &questions->resolved[i];

        weir_read_begin();
        allowed += weir_engine_find_by_digest(engine, questions->digests[i]) != NULL;
        weir_read_end();
        if (weir_engine_resolve_by_digest(engine, questions->digests[i], resolved)) {
            allowed += weir_engine_check_resolved(engine, resolved, request, NOW) == WEIR_ALLOWED;
        }
    }
    weir_engine_check_batch(engine, questions->batch, COUNT(questions->batch), NOW,
                            questions->reasons);
    for (size_t i = 0; i < COUNT(questions->batch); i++) {
        allowed += questions->reasons[i] == WEIR_ALLOWED;
    }
    return allowed;
}

/* From now on only the end of the process is allowed; anything else kills it. */
static bool forbid_system_calls(void)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    };
    struct sock_fprog program = {COUNT(filter), filter};

    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

enum { EXIT_AGREES = 17, EXIT_DIFFERS = 18, EXIT_NO_FILTER = 19 };

/* The whole process must end: exit_group, whatever the C library or a sanitizer would do at exit.
 */
_Noreturn static void end_process(int status)
{
    for (;;) {
        (void)syscall(SYS_exit_group, status);
    }
}

static int status_of_child(pid_t child)
{
    int status = 0;

    ck_assert_int_gt(child, 0);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    return status;
}

START_TEST(E4_checks_make_no_system_call_once_the_thread_is_registered)
{
    struct weir_image *image = NULL;
    struct weir_engine *engine = engine_of_all_kinds(NULL, &image);
    struct questions questions;
    size_t expected = 0;
    int status = 0;
    pid_t child = -1;

    questions_make(&questions);
    expected = ask_by_every_function(engine, &questions);
    ck_assert_uint_gt(expected, 10);
    surround_forks();
    child = fork();
    if (child == 0) {
        size_t allowed = 0;

        weir_thread_register();
        if (!forbid_system_calls()) {
            end_process(EXIT_NO_FILTER);
        }
        for (int i = 0; i < 100; i++) {
            allowed += ask_by_every_function(engine, &questions);
        }
        end_process(allowed == 100 * expected ? EXIT_AGREES : EXIT_DIFFERS);
    }
    status = status_of_child(child);
    ck_assert_msg(!WIFSIGNALED(status), "a check made a system call (signal %d)", WTERMSIG(status));
    ck_assert_int_eq(WEXITSTATUS(status), EXIT_AGREES);
    weir_engine_close(engine);
    weir_image_close(image);
}
END_TEST

/* The filter does what the test above relies on. */
START_TEST(a_system_call_where_none_is_allowed_ends_the_process)
{
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        if (forbid_system_calls()) {
            (void)syscall(SYS_getpid);
        }
        end_process(EXIT_AGREES);
    }
    status = status_of_child(child);
    ck_assert(WIFSIGNALED(status));
}
END_TEST

START_TEST(E4_checks_take_no_memory)
{
    struct counting_allocator counting;
    struct weir_engine_options options = {0};
    struct weir_image *image = NULL;
    struct weir_engine *engine = NULL;
    struct questions questions;
    size_t calls = 0;

    counting_allocator_start(&counting);
    options.allocator = &counting.allocator;
    engine = engine_of_all_kinds(&options, &image);
    questions_make(&questions);
    calls = counting.calls;
    ck_assert_uint_gt(ask_by_every_function(engine, &questions), 10);
    ck_assert_uint_eq(counting.calls, calls);
    weir_engine_close(engine);
    weir_image_close(image);
    counting_allocator_expect_balance(&counting);
}
END_TEST

/* A writer that stands still in the middle of a change keeps no other thread from reading: it is
 * held there, by its allocator, until that thread has its answers. */
struct held_writer {
    struct weir_engine *engine;
    struct questions questions;
    size_t expected;
    pthread_t reader;
    bool holds;
    bool agreed;
};

static void *read_beside(void *context)
{
    struct held_writer *held = context;

    held->agreed = ask_by_every_function(held->engine, &held->questions) == held->expected;
    return NULL;
}

static void *allocate_late(void *context, size_t size)
{
    struct held_writer *held = context;

    if (held->holds) {
        ck_assert_int_eq(pthread_create(&held->reader, NULL, read_beside, held), 0);
        ck_assert_int_eq(pthread_join(held->reader, NULL), 0);
        ck_assert(held->agreed);
    }
    return malloc(size);
}

static void release_at_once(void *context, void *memory, size_t size)
{
    (void)context;
    (void)size;
    free(memory);
}

START_TEST(E4_checks_go_on_while_a_writer_stands_still_in_the_middle_of_a_change)
{
    struct held_writer held = {.engine = NULL};
    const struct weir_allocator allocator = {allocate_late, NULL, release_at_once, &held};
    const struct weir_engine_options options = {.allocator = &allocator};
    struct weir_image *image = NULL;

    held.engine = engine_of_all_kinds(&options, &image);
    questions_make(&held.questions);
    held.expected = ask_by_every_function(held.engine, &held.questions);
    held.holds = true;
    for (unsigned i = 0; i < 30; i++) {
        char id[16];

        (void)snprintf(id, sizeof id, "new%u", i);
        ck_assert_int_eq(
            issue_token(held.engine, (struct recipe){id, .version = 1, .credential = 500 + i}),
            WEIR_OK);
    }
    ck_assert(held.agreed);
    held.holds = false;
    weir_engine_close(held.engine);
    weir_image_close(image);
}
END_TEST

/*
 * ---- Threads ----
 */

static void *ask_unregistered(void *context)
{
    return ask(context, "d", 3) == WEIR_ALLOWED ? context : NULL;
}

static void *register_and_ask(void *context)
{
    weir_thread_register();
    weir_thread_register();
    return ask_unregistered(context);
}

START_TEST(threads_that_read_may_come_and_go)
{
    struct weir_image *image = NULL;
    struct weir_engine *engine = engine_of_all_kinds(NULL, &image);

    for (unsigned i = 0; i < 200; i++) {
        pthread_t thread;
        void *answer = NULL;

        ck_assert_int_eq(
            pthread_create(&thread, NULL, i % 2 == 0 ? ask_unregistered : register_and_ask, engine),
            0);
        ck_assert_int_eq(pthread_join(thread, &answer), 0);
        ck_assert_ptr_eq(answer, engine);
        if (i % 10 == 0) {
            ck_assert_int_eq(put_token(engine, (struct recipe){"e", .version = 1}), WEIR_OK);
            ck_assert_int_eq(reclaim(engine), WEIR_OK);
        }
    }
    weir_engine_close(engine);
    weir_image_close(image);
}
END_TEST

/*
 * ---- E5 ----
 */

/* A writer in a thread of its own, for which a section of ours is in the way. */
struct writer {
    struct weir_engine *engine;
    const struct weir_image *image; /* to swap in */
    bool done;
};

static void *replace_and_wait(void *context)
{
    struct writer *writer = context;

    ck_assert_int_eq(replace_token(writer->engine, (struct recipe){"a", .version = 6}), WEIR_OK);
    __atomic_store_n(&writer->done, true, __ATOMIC_RELEASE);
    return NULL;
}

static void *revoke_and_wait(void *context)
{
    struct writer *writer = context;

    ck_assert_int_eq(revoke_token(writer->engine, "a"), WEIR_OK);
    __atomic_store_n(&writer->done, true, __ATOMIC_RELEASE);
    return NULL;
}

static void *swap_and_wait(void *context)
{
    struct writer *writer = context;

    ck_assert_int_eq(swap_image(writer->engine, writer->image), WEIR_OK);
    __atomic_store_n(&writer->done, true, __ATOMIC_RELEASE);
    return NULL;
}

static void *(*const writers[])(void *) = {replace_and_wait, revoke_and_wait, swap_and_wait};

START_TEST(E5_what_was_found_in_a_section_stays_as_it_was_until_the_section_ends)
{
    const struct recipe before = {"a", .version = 1, .issue_number = 5, .credential = 1};
    struct counting_allocator counting;
    struct weir_engine_options options = {.retired_max = 1};
    struct weir_compiled_token *copy = compile_recipe(before);
    const size_t size = weir_compiled_token_size(copy);
    struct weir_image *nothing = compile_recipes(&before, 0, 0);
    const struct weir_request request = {
        .operation = WEIR_READ, .basin = WEIR_TEXT("some-basin"), .stream = FIRST_VERSION_STREAM};
    struct writer writer = {.image = nothing};
    const struct weir_compiled_token *found = NULL;
    pthread_t thread;

    counting_allocator_start(&counting);
    options.allocator = &counting.allocator;
    writer.engine = engine_on(NULL, &options);
    ck_assert_int_eq(issue_token(writer.engine, before), WEIR_OK);
    weir_read_begin();
    found = weir_engine_find(writer.engine, text_of("a"));
    ck_assert_int_eq(pthread_create(&thread, NULL, writers[_i], &writer), 0);
    while (weir_engine_check(writer.engine, text_of("a"), &request, NOW) == WEIR_ALLOWED) {
        sched_yield();
    }
    for (int i = 0; i < 1000; i++) {
        sched_yield();
        ck_assert_uint_eq(weir_compiled_token_size(found), size);
        ck_assert_int_eq(memcmp(found, copy, size), 0);
    }
    ck_assert(!__atomic_load_n(&writer.done, __ATOMIC_ACQUIRE));
    weir_read_end();
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert_uint_eq(weir_engine_usage(writer.engine).retired_bytes, 0);
    weir_engine_close(writer.engine);
    weir_image_close(nothing);
    free(copy);
    counting_allocator_expect_balance(&counting);
}
END_TEST

TCase *reading_cases(void)
{
    TCase *cases = tcase_create("reading");

    tcase_add_test(cases, E4_checks_make_no_system_call_once_the_thread_is_registered);
    tcase_add_test(cases, a_system_call_where_none_is_allowed_ends_the_process);
    tcase_add_test(cases, E4_checks_take_no_memory);
    tcase_add_test(cases, E4_checks_go_on_while_a_writer_stands_still_in_the_middle_of_a_change);
    tcase_add_test(cases, threads_that_read_may_come_and_go);
    tcase_add_loop_test(cases,
                        E5_what_was_found_in_a_section_stays_as_it_was_until_the_section_ends, 0,
                        (int)COUNT(writers));
    return cases;
}
