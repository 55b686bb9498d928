/* test_authority.c - whatever the system refuses to an authority, or to SQLite below it: an error
 * that changes nothing, and the authority goes on when the system's trouble is over. */
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "authority/last_connection.h"
#include "faults/refusals.h"

/* A token for which the journal needs another segment. */
static enum weir_status issue_large(struct world *world, struct weir_error *error)
{
    enum { SCOPES = 150, NAME = 500 };
    static char json[SCOPES * (NAME + 100)];
    const struct weir_requestor requestor = {.is_operator = true};
    struct weir_issued issued;
    struct random random = {0};
    size_t length = (size_t)snprintf(json, sizeof json, "{\"id\":\"large\",\"scopes\":[");

    for (int i = 0; i < SCOPES; i++) {
        char name[NAME + 1] = "";

        for (int j = 0; j < NAME; j++) {
            name[j] = (char)('a' + random_below(&random, 26));
        }
        length += (size_t)snprintf(
            json + length, sizeof json - length,
            "%s{\"basins\":{\"prefix\":\"\"},\"streams\":{\"exact\":\"%s\"},\"ops\":[\"read\"]}",
            i > 0 ? "," : "", name);
    }
    length += (size_t)snprintf(json + length, sizeof json - length, "]}");
    return weir_authority_issue(world->authority, &requestor, (struct weir_text){json, length},
                                &issued, NULL, error);
}

static const struct call other_call = {"weir_authority_issue", issue_large, NOTHING_PECULIAR};

static const struct call *call_of(size_t number)
{
    return number < authority_call_count ? &authority_calls[number] : &other_call;
}

/* What SQLite calls, but for syncs, which cannot be put in the way (tests/authority/power_vfs.h).
 * Which of the names it uses is for its build to say. */
static bool fail_sqlite_too(void)
{
    static const struct {
        const char *name;
        sqlite3_syscall_ptr call;
    } calls_of_sqlite[] = {
        {"open", (sqlite3_syscall_ptr)open},           {"stat", (sqlite3_syscall_ptr)stat},
        {"fstat", (sqlite3_syscall_ptr)fstat},         {"lstat", (sqlite3_syscall_ptr)lstat},
        {"read", (sqlite3_syscall_ptr)read},           {"pread", (sqlite3_syscall_ptr)pread},
        {"pread64", (sqlite3_syscall_ptr)pread},       {"write", (sqlite3_syscall_ptr)write},
        {"pwrite", (sqlite3_syscall_ptr)pwrite},       {"pwrite64", (sqlite3_syscall_ptr)pwrite},
        {"ftruncate", (sqlite3_syscall_ptr)ftruncate}, {"fchmod", (sqlite3_syscall_ptr)fchmod},
        {"unlink", (sqlite3_syscall_ptr)unlink},
    };
    sqlite3_vfs *system = sqlite3_vfs_find(NULL);
    size_t put = 0;

    for (size_t i = 0; i < COUNT(calls_of_sqlite); i++) {
        put += system->xSetSystemCall(system, calls_of_sqlite[i].name, calls_of_sqlite[i].call) ==
               SQLITE_OK;
    }
    return put + 2 >= COUNT(calls_of_sqlite);
}

/* Whether the status is one for what the system refused. A medium that cannot be read is damaged,
 * says SQLite. */
static bool is_the_systems(enum weir_status status, struct manner manner)
{
    return status == WEIR_ERROR_IO || status == WEIR_ERROR_BEHIND ||
           status == WEIR_ERROR_UNPUBLISHED ||
           (status == WEIR_ERROR_DAMAGED && manner.number == EIO &&
            strstr(system_calls.failed, "read") != NULL);
}

static const struct expectation expectation = {is_the_systems, authority_world_state};

/* Once the trouble is over it is done, if it was not before, and what is published is what is
 * stored. */
static void expect_well(const struct call *call, struct world *world, enum weir_status status)
{
    struct weir_error error = {0};

    if (status != WEIR_OK && status != WEIR_ERROR_UNPUBLISHED &&
        call->run(world, &error) != WEIR_OK) {
        ck_abort_msg("%s, after %s failed, tried again: %s", call->function, system_calls.failed,
                     error.message);
    }
    if (weir_authority_maintain(world->authority, &error) != WEIR_OK) {
        ck_abort_msg("%s, after %s failed: maintain: %s", call->function, system_calls.failed,
                     error.message);
    }
    (void)authority_world_state(world);
}

/* System call 1 fails, then 2, …, until there are no more. */
START_TEST(a_call_to_which_the_system_refuses_something_has_changed_nothing)
{
    const struct call *call = call_of((size_t)_i / MANNERS);
    struct world world;
    size_t fails_at = 1;

    do {
        uint64_t state = 0;

        authority_world_make(&world, false);
        authority_world_make_other_store(&world);
        state = authority_world_state(&world);
        expect_well(call, &world,
                    run_refused(call, &world, state, fails_at, manners[(size_t)_i % MANNERS],
                                &expectation));
        authority_world_remove(&world);
    } while (system_calls.calls >= fails_at++);
    ck_assert_uint_gt(fails_at, 1);
}
END_TEST

/* A segment for the journal is the only file that is opened by its folder. */
static bool is_reservation(const char *function)
{
    return function != NULL && strcmp(function, "openat") == 0;
}

START_TEST(room_in_the_journal_is_made_before_a_change_is_durable)
{
    struct world world;
    size_t fails_at = 1;
    unsigned reservations = 0;

    do {
        struct weir_error error = {0};
        struct weir_authority_standing before;
        enum weir_status status = WEIR_OK;

        authority_world_make(&world, false);
        before = weir_authority_status(world.authority);
        system_calls_fail(fails_at, FAILS_ONCE, ENOSPC);
        status = other_call.run(&world, &error);
        system_calls_end();
        if (is_reservation(system_calls.failed)) {
            struct weir_authority_standing after = weir_authority_status(world.authority);

            reservations++;
            ck_assert_int_eq(status, WEIR_ERROR_BEHIND);
            ck_assert_uint_eq(after.sequence, before.sequence);
            ck_assert_uint_eq(after.tokens, before.tokens);
        }
        authority_world_remove(&world);
    } while (system_calls.calls >= fails_at++);
    ck_assert_uint_gt(reservations, 0);
}
END_TEST

static int interrupt(void *context)
{
    (void)context;
    return 1;
}

START_TEST(what_is_known_of_a_store_that_cannot_be_read_is_told)
{
    struct world world;
    struct weir_error error = {0};
    struct weir_authority_standing standing;
    uint64_t tokens = 0;

    authority_world_make(&world, false);
    standing = weir_authority_status(world.authority);
    ck_assert_int_eq(other_call.run(&world, &error), WEIR_OK);
    sqlite3_progress_handler(last_connection(), 1, interrupt, NULL);
    ck_assert_int_eq(weir_authority_count(world.authority, text_of(""), &tokens, &error),
                     WEIR_ERROR_IO);
    for (unsigned i = 0; i < 2; i++) {
        struct weir_authority_standing told = weir_authority_status(world.authority);

        ck_assert_uint_eq(told.sequence, standing.sequence + 1);
        ck_assert_uint_eq(told.published, standing.sequence + 1);
        ck_assert_uint_eq(told.tokens, standing.tokens + 1);
    }
    sqlite3_progress_handler(last_connection(), 0, NULL, NULL);
    ck_assert_uint_eq(weir_authority_status(world.authority).sequence, standing.sequence + 1);
    authority_world_remove(&world);
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("authority");

    if (!fail_sqlite_too() || !watch_connections()) {
        return 1;
    }
    tcase_add_loop_test(cases, a_call_to_which_the_system_refuses_something_has_changed_nothing, 0,
                        (int)((authority_call_count + 1) * MANNERS));
    tcase_add_test(cases, room_in_the_journal_is_made_before_a_change_is_durable);
    tcase_add_test(cases, what_is_known_of_a_store_that_cannot_be_read_is_told);
    return run_cases("faults_authority", &cases, 1);
}
