/* A process that follows a directory forks while its other threads check. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "publish/guarantee_cases.h"
#include "publish/stage.h"

enum { READERS = 2, CHECKS = 200, CHILD_SECONDS = 30 }; /* the last for a child that hangs */

static pthread_once_t handlers_once = PTHREAD_ONCE_INIT;

static void install_handlers(void)
{
    ck_assert_int_eq(pthread_atfork(weir_fork_prepare, weir_fork_parent, weir_fork_child), 0);
}

/* The token "a" has its first version, then its second. */
struct reader {
    pthread_t thread;
    const struct weir_follower *follower;
    uint64_t boot;
    atomic_uint checks;
    atomic_bool stops;
    bool second; /* it has been seen */
    bool went_back;
};

static void check_once(struct reader *reader)
{
    const struct weir_request request = {
        .operation = WEIR_READ, .basin = WEIR_TEXT("basin-of-all"), .stream = FIRST_VERSION_STREAM};
    const struct weir_clocks clocks = {NOW, reader->boot};
    enum weir_reason reason =
        weir_follower_check(reader->follower, WEIR_TEXT("a"), &request, clocks);

    reader->went_back |=
        reason != WEIR_STREAM_OUT_OF_SCOPE && (reason != WEIR_ALLOWED || reader->second);
    reader->second |= reason == WEIR_STREAM_OUT_OF_SCOPE;
    atomic_fetch_add(&reader->checks, 1);
}

/* Every other check is in a read section, so that the process forks in one, too. */
static void *read_on(void *context)
{
    struct reader *reader = context;

    while (!atomic_load(&reader->stops)) {
        weir_read_begin();
        check_once(reader);
        weir_read_end();
        check_once(reader);
    }
    return NULL;
}

/* The token stays as it was found, for as long as the section lasts. */
static void *sit(void *context)
{
    struct reader *reader = context;
    const struct weir_engine *engine = weir_follower_engine(reader->follower, reader->boot);
    const struct weir_compiled_token *token = NULL;

    weir_read_begin();
    token = weir_engine_find(engine, WEIR_TEXT("a"));
    atomic_store(&reader->checks, CHECKS);
    while (!atomic_load(&reader->stops)) {
        (void)usleep(1000);
    }
    reader->second = true;
    reader->went_back = token == NULL || weir_compiled_token_issue_number(token) != 1;
    weir_read_end();
    return NULL;
}

static void start_reader(struct reader *reader, const struct weir_follower *follower,
                         void *(*run)(void *))
{
    reader->follower = follower;
    reader->boot = weir_clocks_now().boot;
    ck_assert_int_eq(pthread_create(&reader->thread, NULL, run, reader), 0);
    while (atomic_load(&reader->checks) < CHECKS) {
        (void)usleep(1000);
    }
}

static void stop_reader(struct reader *reader)
{
    atomic_store(&reader->stops, true);
    ck_assert_int_eq(pthread_join(reader->thread, NULL), 0);
    ck_assert(reader->second);
    ck_assert(!reader->went_back);
}

static void await_more_checks(struct reader *reader)
{
    const unsigned checks = atomic_load(&reader->checks);

    while (atomic_load(&reader->checks) - checks < CHECKS) {
        (void)usleep(1000);
    }
}

/* Holds what it held when it was forked, until it polls. */
static int live_as_child(struct stage *stage, struct weir_follower *follower, int go, bool closes)
{
    char byte = 0;
    int step = 0;

    step += read(go, &byte, 1) == 1;
    step += follower_ask(follower, "a", 1) == WEIR_ALLOWED;
    step += follower_ask(follower, "b", 1) == WEIR_ALLOWED;
    step += weir_follower_wait(follower, SECOND);
    step += poll_later(follower, 0) == WEIR_OK;
    step += follower_ask(follower, "a", 2) == WEIR_ALLOWED;
    step += follower_ask(follower, "b", 1) == WEIR_UNKNOWN_TOKEN;
    step += publish_put(stage, (struct recipe){"a", .version = 3}) == WEIR_ERROR_BUSY;
    if (closes) {
        weir_follower_close(follower);
    }
    return step == 8 ? 0 : 1 + step;
}

static pid_t fork_child(struct stage *stage, struct weir_follower *follower, int go, bool closes)
{
    pid_t child = fork();

    if (child == 0) {
        (void)alarm(CHILD_SECONDS);
        _exit(live_as_child(stage, follower, go, closes));
    }
    ck_assert_int_gt(child, 0);
    return child;
}

static void change_both(struct stage *stage, int go)
{
    ck_assert_int_eq(publish_put(stage, (struct recipe){"a", .version = 2}), WEIR_OK);
    ck_assert_int_eq(publish_revoke(stage, "b"), WEIR_OK);
    ck_assert_int_eq(write(go, "", 1), 1);
}

static void await(pid_t child)
{
    int status = 0;

    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(!WIFSIGNALED(status), "the child hangs, or worse: signal %d", WTERMSIG(status));
    ck_assert_msg(WEXITSTATUS(status) == 0, "in the child: %d", WEXITSTATUS(status));
}

START_TEST(a_child_forked_while_other_threads_check_follows_by_itself)
{
    struct stage stage;
    struct reader sitter = {0};
    struct reader readers[READERS] = {{0}};
    struct weir_follower *follower = NULL;
    pid_t child = -1;
    int go[2];

    ck_assert_int_eq(pthread_once(&handlers_once, install_handlers), 0);
    ck_assert_int_eq(pipe(go), 0);
    stage_create(&stage);
    ck_assert_int_eq(publish_put(&stage, (struct recipe){"a", .version = 1, .issue_number = 1}),
                     WEIR_OK);
    ck_assert_int_eq(publish_put(&stage, (struct recipe){"b", .version = 1}), WEIR_OK);
    follower = follow(&stage);
    start_reader(&sitter, follower, sit);
    for (unsigned i = 0; i < READERS; i++) {
        start_reader(&readers[i], follower, read_on);
    }
    child = fork_child(&stage, follower, go[0], _i != 0);
    change_both(&stage, go[1]);
    await(child);
    /* Nothing that the child did has reached this process, which goes on. */
    ck_assert_int_eq(follower_ask(follower, "a", 1), WEIR_ALLOWED);
    ck_assert_int_eq(poll(&stage, follower), WEIR_OK);
    expect_current(&stage, follower);
    stop_reader(&sitter);
    for (unsigned i = 0; i < READERS; i++) {
        await_more_checks(&readers[i]);
        stop_reader(&readers[i]);
    }
    weir_follower_close(follower);
    stage_remove(&stage);
    (void)close(go[0]);
    (void)close(go[1]);
}
END_TEST

TCase *fork_cases(void)
{
    TCase *cases = tcase_create("forking");

    tcase_add_loop_test(cases, a_child_forked_while_other_threads_check_follows_by_itself, 0, 2);
    return cases;
}
