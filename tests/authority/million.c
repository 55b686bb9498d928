/*
 * How long an authority of many tokens takes: to be published, to be opened again after it was
 * killed, and to go through what its store holds; a `weir serve` to its first heartbeat; and calls.
 *
 *     million [TOKENS [SCOPES [WEIR]]]
 *
 * of so many scopes each. What is timed runs in a process of its own, which is killed at the end.
 * Exits with 1 if anything is not as it was before that, or a heartbeat comes after the lease.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <weir/authority.h>
#include <weir/follow.h>

#include "authority/place.h"
#include "authority/server.h"
#include "authority/store.h"
#include "authority/witness.h"

#define BATCH 10000
#define SCOPES_MAX 500
#define SCOPE_MAX 160 /* bytes */
#define ID_MAX 40
#define REOPENINGS 3

static uint64_t tokens = 1000000; /* besides the root */
static unsigned scopes = 1;
static char folder[256];
static char store_path[320];
static char directory[320];
static const char *program; /* weir, or NULL */

__attribute__((format(printf, 1, 2), noreturn)) static void wrong(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)fprintf(stderr, "wrong: ");
    (void)vfprintf(stderr, format, arguments);
    (void)fprintf(stderr, "\n");
    va_end(arguments);
    _exit(1);
}

static void expect(enum weir_status status, const struct weir_error *error)
{
    if (status != WEIR_OK) {
        wrong("%s", error->message);
    }
}

static void expect_number(const char *what, uint64_t number, uint64_t expected)
{
    if (number != expected) {
        wrong("%s: %" PRIu64 ", not %" PRIu64, what, number, expected);
    }
}

/*
 * ---- Time ----
 */

struct moment {
    double wall;
    double own; /* CPU time of the process */
};

static double seconds_of(clockid_t clock)
{
    struct timespec now;

    (void)clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static struct moment moment_now(void)
{
    return (struct moment){seconds_of(CLOCK_MONOTONIC), seconds_of(CLOCK_PROCESS_CPUTIME_ID)};
}

/* Prints how long it took since `begun`. */
static void tell(const char *what, struct moment begun)
{
    const struct moment now = moment_now();

    (void)printf("%-44s %8.3f s, %8.3f s of CPU\n", what, now.wall - begun.wall,
                 now.own - begun.own);
    (void)fflush(stdout);
}

/*
 * ---- Making it: straight into the store, many tokens in a transaction ----
 */

/* A token whose scopes are for one basin, and streams below its id. */
static struct weir_text declare(uint64_t number, char id[ID_MAX], char *json, size_t size)
{
    const unsigned tenant = (unsigned)(number % 1000);
    size_t length = 0;

    (void)snprintf(id, ID_MAX, "tenant-%03u/%" PRIu64, tenant, number);
    length = (size_t)snprintf(json, size, "{\"id\":\"%s\",\"scopes\":[", id);
    for (unsigned i = 0; i < scopes; i++) {
        length += (size_t)snprintf(json + length, size - length,
                                   "%s{\"basins\":{\"exact\":\"tenant-%03u\"},"
                                   "\"streams\":{\"prefix\":\"%s/%u/\"},\"ops\":[\"read\"]}",
                                   i > 0 ? "," : "", tenant, id, i);
    }
    length += (size_t)snprintf(json + length, size - length, "]}");
    return (struct weir_text){json, length};
}

/* Different for each number, in no order. */
static void make_digest(uint64_t number, uint8_t digest[WEIR_DIGEST_SIZE])
{
    for (size_t i = 0; i < WEIR_DIGEST_SIZE / sizeof number; i++) {
        number = (number ^ number >> 31) * UINT64_C(0x9e3779b97f4a7c15);
        memcpy(digest + i * sizeof number, &number, sizeof number);
    }
}

static void put(struct weir_store *store, uint64_t number)
{
    static char json[(SCOPES_MAX + 1) * SCOPE_MAX];
    struct weir_stored_token token = {.issued_at = weir_instant_now()};
    struct weir_error error;
    uint64_t sequence = 0;
    char id[ID_MAX];

    token.declaration = declare(number, id, json, sizeof json);
    token.id = (struct weir_text){id, strlen(id)};
    make_digest(number, token.digest);
    expect(weir_store_next_issue_number(store, &token.issue_number, &error), &error);
    expect(weir_store_issue(store, &token, &sequence, &error), &error);
}

static void make(void)
{
    const struct moment begun = moment_now();
    struct weir_credential root;
    struct weir_store *store = NULL;
    struct weir_error error;

    expect(weir_authority_init(store_path, WEIR_TEXT("root"), NULL, &root, &error), &error);
    expect(weir_store_open(store_path, false, NULL, &store, &error), &error);
    for (uint64_t i = 0; i < tokens;) {
        expect(weir_store_begin(store, true, &error), &error);
        do {
            put(store, i++);
        } while (i < tokens && i % BATCH != 0);
        expect(weir_store_commit(store, &error), &error);
    }
    tell("made", begun);
}

/*
 * ---- Opening it ----
 */

static void open_published(const char *what)
{
    const struct weir_authority_options options = {.directory = directory};
    const struct moment begun = moment_now();
    struct weir_authority *authority = NULL;
    struct weir_authority_standing standing;
    struct weir_error error;

    expect(weir_authority_open(store_path, &options, &authority, &error), &error);
    weir_authority_heartbeat(authority);
    tell(what, begun);
    standing = weir_authority_status(authority);
    expect_number("tokens", standing.tokens, tokens + 1);
    expect_number("published", standing.published, standing.sequence);
}

static void publish(void)
{
    open_published("opened and published anew");
}

static void reopen(void)
{
    open_published("opened again, after a kill");
}

/*
 * ---- Serving it ----
 */

static struct weir_follower_standing follow(struct weir_follower **follower)
{
    struct weir_error error;

    if (*follower == NULL) {
        expect(weir_follower_open(directory, NULL, follower, &error), &error);
    }
    expect(weir_follower_poll(*follower, boot_time(), 0, &error), &error);
    return weir_follower_status(*follower);
}

static double own_seconds(pid_t process)
{
    clockid_t clock;

    return clock_getcpuclockid(process, &clock) == 0 ? seconds_of(clock) : 0;
}

/* Starts a server and waits for its first heartbeat; `before`: of its predecessor, the last. */
static pid_t serve_until_heartbeat(const struct server_place *place,
                                   struct weir_follower **follower, uint64_t before)
{
    const uint64_t begun = boot_time();
    pid_t server = server_start(place);
    struct weir_follower_standing standing;

    do {
        pause_for(1000000);
        standing = follow(follower);
        if (waitpid(server, NULL, WNOHANG) != 0) {
            wrong("the server has ended; see %s", place->log);
        }
    } while (standing.heartbeat < begun);
    (void)printf("%-44s %8.3f s, %8.3f s of CPU\n", "weir serve, until its first heartbeat",
                 (double)(standing.heartbeat - begun) / 1e9, own_seconds(server));
    (void)fflush(stdout);
    if (before != 0 && standing.heartbeat - before >= standing.lease) {
        wrong("%.3f s between heartbeats, and the lease is %.3f s",
              (double)(standing.heartbeat - before) / 1e9, (double)standing.lease / 1e9);
    }
    return server;
}

static void serve_killed(void)
{
    char api[320];
    char log[320];
    const struct server_place place = {program, store_path, directory, NULL, api, log};
    struct weir_follower *follower = NULL;
    uint64_t before = 0;

    (void)snprintf(api, sizeof api, "%s/api", folder);
    (void)snprintf(log, sizeof log, "%s/log", folder);
    for (unsigned i = 0; i <= REOPENINGS; i++) {
        pid_t server = serve_until_heartbeat(&place, &follower, before);

        pause_for(500000000);
        before = follow(&follower).heartbeat;
        (void)kill(server, SIGKILL);
        (void)waitpid(server, NULL, 0);
    }
}

/*
 * ---- Going through it ----
 */

static bool count_one(void *context, const struct weir_stored_token *token)
{
    uint64_t *count = context;

    (void)token;
    ++*count;
    return true;
}

static void go_through(void)
{
    const struct weir_instant now = weir_instant_now();
    struct weir_store *store = NULL;
    struct weir_error error;
    struct moment begun;
    uint64_t count = 0;

    expect(weir_store_open(store_path, false, NULL, &store, &error), &error);
    expect(weir_store_begin(store, false, &error), &error);
    begun = moment_now();
    expect(weir_store_all(store, count_one, &count, &error), &error);
    tell("gone through, declarations and all", begun);
    expect_number("tokens gone through", count, tokens + 1);
    count = 0;
    begun = moment_now();
    expect(weir_store_all_issues(store, count_one, &count, &error), &error);
    tell("gone through, without declarations", begun);
    expect_number("issues gone through", count, tokens + 1);
    count = 0;
    begun = moment_now();
    expect(weir_store_expired(store, now, count_one, &count, &error), &error);
    tell("gone through what has expired: nothing", begun);
    expect_number("expired tokens", count, 0);
}

static void count_all(void)
{
    struct weir_authority *authority = NULL;
    struct weir_error error;
    struct moment begun;
    uint64_t count = 0;

    expect(weir_authority_open(store_path, NULL, &authority, &error), &error);
    begun = moment_now();
    expect(weir_authority_count(authority, WEIR_TEXT(""), &count, &error), &error);
    tell("counted, all", begun);
    expect_number("tokens counted", count, tokens + 1);
    begun = moment_now();
    expect(weir_authority_count(authority, WEIR_TEXT("tenant-007/"), &count, &error), &error);
    tell("counted, of a prefix", begun);
    expect_number("tokens of a prefix", count, tokens / 1000 + (tokens % 1000 > 7 ? 1 : 0));
}

/*
 * ---- Calls ----
 */

#define CALLS 200

static const struct weir_requestor by_operator = {.is_operator = true};

static bool see_one(void *context, const struct weir_token *token)
{
    (void)token;
    return count_one(context, NULL);
}

/* A page from the middle of all, as often as makes some time. */
static void list_page(struct weir_authority *authority, uint64_t limit)
{
    const struct weir_list_query query = {.start_after = WEIR_TEXT("tenant-500/"), .limit = limit};
    const struct moment begun = moment_now();
    struct weir_error error;
    char what[64];
    uint64_t seen = 0;
    bool has_more = false;

    for (unsigned i = 0; i < CALLS; i++) {
        expect(weir_authority_list(authority, &by_operator, &query, see_one, &seen, &has_more, NULL,
                                   &error),
               &error);
    }
    (void)snprintf(what, sizeof what, "%d pages of %" PRIu64 " tokens", CALLS, seen / CALLS);
    tell(what, begun);
}

static void issue_one(struct weir_authority *authority, unsigned number)
{
    struct weir_issued issued;
    struct weir_error error;
    char json[160];
    size_t length =
        (size_t)snprintf(json, sizeof json,
                         "{\"id\":\"tenant-500/more-%u\",\"scope\":{\"basins\":{\"prefix\":"
                         "\"\"},\"streams\":{\"prefix\":\"\"},\"ops\":[\"read\"]}}",
                         number);

    expect(weir_authority_issue(authority, &by_operator, (struct weir_text){json, length}, &issued,
                                NULL, &error),
           &error);
}

static void revoke_one(struct weir_authority *authority, unsigned number)
{
    struct weir_error error;
    char id[ID_MAX];
    size_t length = (size_t)snprintf(id, sizeof id, "tenant-500/more-%u", number);

    expect(weir_authority_revoke(authority, &by_operator, (struct weir_text){id, length}, NULL,
                                 &error),
           &error);
}

/* What must not grow with the tokens that there are besides. */
static void call(void)
{
    const struct weir_authority_options options = {.directory = directory};
    struct weir_authority *authority = NULL;
    struct weir_error error;
    struct moment begun;

    expect(weir_authority_open(store_path, &options, &authority, &error), &error);
    for (uint64_t limit = 10; limit <= WEIR_LIST_LIMIT_MAX; limit *= 10) {
        list_page(authority, limit);
    }
    begun = moment_now();
    for (unsigned i = 0; i < CALLS; i++) {
        issue_one(authority, i);
    }
    tell("issued, 200 tokens", begun);
    begun = moment_now();
    for (unsigned i = 0; i < CALLS; i++) {
        revoke_one(authority, i);
    }
    tell("revoked, 200 tokens", begun);
}

/*
 * ---- All of it ----
 */

/* Runs it in a process that is killed while everything is open. */
static bool run_and_kill(void run(void))
{
    pid_t process = fork();
    int status = 0;

    if (process == 0) {
        run();
        (void)raise(SIGKILL);
    }
    return process > 0 && waitpid(process, &status, 0) == process && WIFSIGNALED(status) &&
           WTERMSIG(status) == SIGKILL;
}

static bool run_all(void)
{
    if (!run_and_kill(make) || !run_and_kill(publish)) {
        return false;
    }
    for (unsigned i = 0; i < REOPENINGS; i++) {
        if (!run_and_kill(reopen)) {
            return false;
        }
    }
    return (program == NULL || run_and_kill(serve_killed)) && run_and_kill(go_through) &&
           run_and_kill(count_all) && run_and_kill(call);
}

int main(int argc, char **argv)
{
    bool is_right = false;

    tokens = argc > 1 ? strtoull(argv[1], NULL, 10) : tokens;
    scopes = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : scopes;
    program = argc > 3 ? argv[3] : NULL;
    if (tokens == 0 || scopes == 0 || scopes > SCOPES_MAX) {
        (void)fprintf(stderr, "usage: million [TOKENS [SCOPES [WEIR]]], at most %d scopes\n",
                      SCOPES_MAX);
        return 2;
    }
    if (!place_make(folder, store_path, directory)) {
        wrong("%s: %s", folder, strerror(errno));
    }
    is_right = run_all();
    if (!place_remove(folder)) {
        (void)fprintf(stderr, "%s is left behind\n", folder);
    }
    return is_right ? 0 : 1;
}
