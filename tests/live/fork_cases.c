/* Processes that fork while other threads read. */
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "library/support.h"
#include "live/guarantee_cases.h"
#include "live/recipes.h"

/* For a child that hangs. */
#define CHILD_SECONDS 30

static pthread_once_t handlers_once = PTHREAD_ONCE_INIT;

static void install_handlers(void)
{
    ck_assert_int_eq(pthread_atfork(weir_fork_prepare, weir_fork_parent, weir_fork_child), 0);
}

void surround_forks(void)
{
    ck_assert_int_eq(pthread_once(&handlers_once, install_handlers), 0);
}

/* A thread that stays in a read section. */
struct sitter {
    struct weir_engine *engine;
    sem_t sits;
    sem_t may_rise;
    bool found;
};

static void *sit(void *context)
{
    struct sitter *sitter = context;
    const struct weir_compiled_token *token = NULL;

    weir_read_begin();
    token = weir_engine_find(sitter->engine, text_of("a"));
    (void)sem_post(&sitter->sits);
    while (sem_wait(&sitter->may_rise) != 0) {
    }
    sitter->found = token != NULL && weir_compiled_token_issue_number(token) == 1;
    weir_read_end();
    return NULL;
}

/* What the child does; it says with its exit status what went wrong. */
static int live_as_child(struct weir_engine *engine)
{
    int step = 0;

    step += ask(engine, "a", 1) == WEIR_ALLOWED;
    step += revoke_token(engine, "b") == WEIR_OK;
    step += ask(engine, "b", 1) == WEIR_UNKNOWN_TOKEN;
    step += replace_token(engine, (struct recipe){"a", .version = 2}) == WEIR_OK;
    step += reclaim(engine) == WEIR_OK;
    step += ask(engine, "a", 2) == WEIR_ALLOWED;
    step += swap_image(engine, NULL) == WEIR_OK;
    step += ask(engine, "a", 2) == WEIR_UNKNOWN_TOKEN;
    weir_engine_close(engine);
    return step == 8 ? 0 : 1 + step;
}

/* The sitter of the parent is nobody in the child: nothing there waits for it. */
START_TEST(a_child_forked_while_another_thread_reads_has_an_engine_of_its_own)
{
    struct sitter sitter = {.engine = engine_on(NULL, NULL)};
    pthread_t thread;
    pid_t child = -1;
    int status = 0;

    ck_assert_int_eq(pthread_once(&handlers_once, install_handlers), 0);
    ck_assert_int_eq(
        issue_token(sitter.engine, (struct recipe){"a", .version = 1, .issue_number = 1}), WEIR_OK);
    ck_assert_int_eq(issue_token(sitter.engine, (struct recipe){"b", .version = 1}), WEIR_OK);
    ck_assert_int_eq(sem_init(&sitter.sits, 0, 0), 0);
    ck_assert_int_eq(sem_init(&sitter.may_rise, 0, 0), 0);
    ck_assert_int_eq(pthread_create(&thread, NULL, sit, &sitter), 0);
    while (sem_wait(&sitter.sits) != 0) {
    }
    child = fork();
    if (child == 0) {
        (void)alarm(CHILD_SECONDS);
        _exit(live_as_child(sitter.engine));
    }
    ck_assert_int_gt(child, 0);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(!WIFSIGNALED(status), "the child hangs, or worse: signal %d", WTERMSIG(status));
    ck_assert_msg(WEXITSTATUS(status) == 0, "in the child: %d", WEXITSTATUS(status));
    /* The parent's engine has not changed, and its reader is still one. */
    ck_assert_int_eq(ask(sitter.engine, "a", 1), WEIR_ALLOWED);
    ck_assert_int_eq(ask(sitter.engine, "b", 1), WEIR_ALLOWED);
    ck_assert_int_eq(revoke_token(sitter.engine, "a"), WEIR_OK);
    ck_assert_uint_gt(weir_engine_usage(sitter.engine).retired_bytes, 0);
    (void)sem_post(&sitter.may_rise);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert(sitter.found);
    ck_assert_int_eq(reclaim(sitter.engine), WEIR_OK);
    weir_engine_close(sitter.engine);
}
END_TEST

TCase *fork_cases(void)
{
    TCase *cases = tcase_create("forking");

    tcase_add_test(cases, a_child_forked_while_another_thread_reads_has_an_engine_of_its_own);
    return cases;
}
