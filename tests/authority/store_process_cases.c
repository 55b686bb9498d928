/* Processes that want the same store, and that are killed. */
#include "authority/store_cases.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "authority/power_vfs.h"
#include "authority/store_stage.h"

/* What both processes see. */
struct shared {
    uint64_t done; /* the last transaction that was acknowledged; atomic, by its own store */
    uint64_t ready;
};

static struct shared *share(void)
{
    struct shared *shared =
        mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    ck_assert_ptr_ne(shared, MAP_FAILED);
    return shared;
}

static void pause_for(long microseconds)
{
    struct timespec time = {0, microseconds * 1000};

    (void)nanosleep(&time, NULL);
}

static void reap(pid_t child)
{
    int status = 0;

    (void)kill(child, SIGKILL);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
}

START_TEST(a_store_has_one_owner_until_that_is_gone)
{
    struct stage stage;
    struct shared *shared = share();
    struct weir_store *store = NULL;
    struct weir_error error = {0};
    enum weir_status opened = WEIR_OK;
    enum weir_status made = WEIR_OK;
    pid_t child = -1;

    stage_make(&stage);
    child = fork();
    if (child == 0) {
        stage_open(&stage, true);
        put_token(stage.store, "a", 1);
        __atomic_store_n(&shared->ready, 1, __ATOMIC_RELEASE);
        for (;;) {
            (void)pause();
        }
    }
    while (__atomic_load_n(&shared->ready, __ATOMIC_ACQUIRE) == 0) {
        pause_for(1000);
    }
    opened = weir_store_open(stage.store_path, false, NULL, &store, &error);
    made = weir_store_open(stage.store_path, true, NULL, &store, NULL);
    reap(child);
    ck_assert_int_eq(opened, WEIR_ERROR_BUSY);
    ck_assert_int_eq(made, WEIR_ERROR_BUSY);
    ck_assert_str_eq(error.message, "another process owns the store");
    stage_open(&stage, false);
    ck_assert_uint_eq(count_tokens(stage.store), 1);
    (void)munmap(shared, sizeof *shared);
    stage_remove(&stage);
}
END_TEST

#define CONTENDERS 3
#define TURNS 15

/* Opens it, whenever it can be had, and puts a token. */
static void contend(struct stage *stage, unsigned contender)
{
    for (unsigned turn = 0; turn < TURNS;) {
        char name[32];
        enum weir_status status =
            weir_store_open(stage->store_path, true, NULL, &stage->store, NULL);

        if (status == WEIR_ERROR_DUPLICATE) {
            status = weir_store_open(stage->store_path, false, NULL, &stage->store, NULL);
        }
        if (status == WEIR_OK) {
            (void)snprintf(name, sizeof name, "%u-%u", contender, turn++);
            put_token(stage->store, name, contender * 1000 + turn);
            stage_close(stage);
        } else if (status != WEIR_ERROR_BUSY) {
            _exit(1);
        }
        pause_for(100);
    }
    _exit(0);
}

START_TEST(processes_that_contend_lose_nothing_and_share_no_issue_number)
{
    struct stage stage;
    struct weir_stored_token token;
    uint64_t numbers = 0;

    power_vfs_install();
    power_watch(false);
    stage_make(&stage);
    for (unsigned i = 0; i < CONTENDERS; i++) {
        if (fork() == 0) {
            contend(&stage, i);
        }
    }
    for (unsigned i = 0; i < CONTENDERS; i++) {
        int status = 0;

        ck_assert_int_gt(wait(&status), 0);
        ck_assert_int_eq(status, 0);
    }
    stage_open(&stage, false);
    ck_assert_uint_eq(count_tokens(stage.store), CONTENDERS * TURNS);
    ck_assert_int_eq(weir_store_begin(stage.store, false, NULL), WEIR_OK);
    for (unsigned i = 0; i < CONTENDERS * TURNS; i++) {
        char name[32];

        (void)snprintf(name, sizeof name, "%u-%u", i / TURNS, i % TURNS);
        ck_assert_int_eq(weir_store_find(stage.store, text_of(name), &token, NULL), WEIR_OK);
        ck_assert_uint_le(token.issue_number, CONTENDERS * TURNS);
        ck_assert_uint_eq(numbers >> token.issue_number & 1, 0);
        numbers |= UINT64_C(1) << token.issue_number;
    }
    weir_store_rollback(stage.store);
    stage_remove(&stage);
    power_vfs_remove();
}
END_TEST

/*
 * Transaction N issues the token N and removes the token N - KEPT, so that the log's last number
 * tells what there must be.
 */
#define KEPT 5u
#define KILLS 40

static uint64_t sequence_after(uint64_t transaction)
{
    return transaction + (transaction > KEPT ? transaction - KEPT : 0);
}

static bool make_transaction(struct weir_store *store, uint64_t transaction)
{
    struct model_id id = {8, {0}};
    struct sample sample;
    uint64_t number = 0;
    uint64_t old = transaction - KEPT;
    struct weir_logged_change change = {
        .kind = WEIR_CHANGE_EXPIRED, .id = {(const char *)&old, 8}, .issue_number = old};

    if (weir_store_begin(store, true, NULL) != WEIR_OK ||
        weir_store_next_issue_number(store, &number, NULL) != WEIR_OK || number != transaction) {
        return false;
    }
    memcpy(id.bytes, &transaction, 8);
    sample_token(&sample, &id, number, number);
    return weir_store_issue(store, &sample.token, &number, NULL) == WEIR_OK &&
           (transaction <= KEPT || weir_store_remove(store, &change, NULL) == WEIR_OK) &&
           weir_store_commit(store, NULL) == WEIR_OK;
}

static _Noreturn void go_on_until_killed(struct stage *stage, struct shared *shared)
{
    stage_open(stage, shared->done == 0);
    (void)sqlite3_exec(last_connection(), "PRAGMA wal_autocheckpoint = 30", NULL, NULL, NULL);
    __atomic_store_n(&shared->ready, 1, __ATOMIC_RELEASE);
    while (make_transaction(stage->store, shared->done + 1)) {
        __atomic_store_n(&shared->done, shared->done + 1, __ATOMIC_RELEASE);
    }
    _exit(1);
}

/* What was acknowledged is there, or that and the whole of the next; nothing else. */
static void expect_acknowledged(struct stage *stage, struct shared *shared)
{
    uint64_t sequence = 0;
    uint64_t last = shared->done;

    ck_assert_int_eq(weir_store_begin(stage->store, false, NULL), WEIR_OK);
    ck_assert_int_eq(weir_store_sequence(stage->store, &sequence, NULL), WEIR_OK);
    if (sequence != sequence_after(last)) {
        last++;
    }
    ck_assert_uint_eq(sequence, sequence_after(last));
    for (uint64_t i = last > KEPT ? last - KEPT : 1; i <= last + 1; i++) {
        struct weir_stored_token token;
        bool is_there = i <= last && i + KEPT > last;

        ck_assert_int_eq(
            weir_store_find(stage->store, (struct weir_text){(const char *)&i, 8}, &token, NULL),
            is_there ? WEIR_OK : WEIR_ERROR_NOT_FOUND);
    }
    weir_store_rollback(stage->store);
    ck_assert_uint_eq(count_tokens(stage->store), last < KEPT ? last : KEPT);
    shared->done = last;
}

START_TEST(what_was_acknowledged_is_there_after_kill_9)
{
    struct stage stage;
    struct shared *shared = share();
    struct random random = {0};

    power_vfs_install();
    power_watch(false);
    stage_make(&stage);
    for (unsigned i = 0; i < KILLS; i++) {
        pid_t child = fork();

        if (child == 0) {
            go_on_until_killed(&stage, shared);
        }
        while (i % 4 != 3 && __atomic_load_n(&shared->ready, __ATOMIC_ACQUIRE) == 0) {
            pause_for(200);
        }
        pause_for((long)random_below(&random, 20000));
        reap(child);
        shared->ready = 0;
        if (shared->done > 0) {
            stage_open(&stage, false);
            expect_acknowledged(&stage, shared);
            stage_close(&stage);
        }
    }
    ck_assert_uint_gt(shared->done, KILLS);
    (void)munmap(shared, sizeof *shared);
    stage_remove(&stage);
    power_vfs_remove();
}
END_TEST

TCase *store_process_cases(void)
{
    TCase *cases = tcase_create("processes");

    tcase_add_test(cases, a_store_has_one_owner_until_that_is_gone);
    tcase_add_test(cases, processes_that_contend_lose_nothing_and_share_no_issue_number);
    tcase_add_test(cases, what_was_acknowledged_is_there_after_kill_9);
    return cases;
}
