/*
 * crashes.c - publishers that are killed and followers that watch: what was acknowledged is there
 * afterwards, of what was not all or nothing, and nobody sees anything else.
 *
 *     crashes [KILLS [STRIDE]]     60 and 31 unless given; 3000 and 1 are a few minutes
 *
 * Kills before and after each system call of a fixed course of events, or at every so many of these
 * places (STRIDE; 1 if there are at least 1000 KILLS), then KILLS times at random moments, under
 * the eyes of a crowd of followers in other processes, on a disk that is full at times. Then stops
 * publisher and followers for longer than the lease. WEIR_SEED repeats the dice.
 */
#include "publish/crashes.h"

#include <inttypes.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <unistd.h>

#include "publish/script.h"

struct ledger *ledger;
char published[400];
struct weir_publisher_options publisher_options = {.lease = WEIR_LEASE_MIN, .segment_size = 65536};
static char folder[300];
static pid_t parent;

/*
 * ---- The ledger ----
 */

uint64_t read_ledger(const uint64_t *word)
{
    return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}

void write_ledger(uint64_t *word, uint64_t value)
{
    __atomic_store_n(word, value, __ATOMIC_SEQ_CST);
}

void count_in_ledger(uint64_t *word)
{
    (void)__atomic_fetch_add(word, 1, __ATOMIC_SEQ_CST);
}

static void remove_folder(void)
{
    char command[400];

    (void)umount2(folder, MNT_DETACH);
    (void)snprintf(command, sizeof command, "rm -rf '%s'", folder);
    if (system(command) != 0) { // NOLINT(cert-env33-c): a name of our own
        fputs("crashes: the folder is left behind\n", stderr);
    }
}

/* Only the first failure is told; in the parent, it is also the end. */
void fail(const char *format, ...)
{
    va_list arguments;

    if (__atomic_exchange_n(&ledger->failed, 1, __ATOMIC_SEQ_CST) == 0) {
        va_start(arguments, format);
        (void)fputs("crashes: ", stderr);
        (void)vfprintf(stderr, format, arguments);
        (void)fprintf(stderr, " (acknowledged %" PRIu64 ", begun %" PRIu64 ")\n", ledger->done,
                      ledger->begun);
        va_end(arguments);
    }
    write_ledger(&ledger->ends, 1);
    if (getpid() == parent) {
        remove_folder();
    }
    _exit(1);
}

void expect_no_failure(void)
{
    if (read_ledger(&ledger->failed) != 0) {
        fail("elsewhere");
    }
}

void demand(enum weir_status status, const struct weir_error *error, const char *what)
{
    if (status != WEIR_OK) {
        fail("%s: %s: %s: %s", what, weir_status_name(status), error->place, error->message);
    }
}

/*
 * ---- Publishing ----
 */

struct weir_publisher *go_on_publishing(void)
{
    struct weir_publisher *publisher = NULL;
    struct weir_error error = {0};
    uint64_t done = read_ledger(&ledger->done);
    uint64_t sequence = 0;
    enum weir_status status =
        weir_publisher_resume(published, &publisher_options, &publisher, &error);

    if (status == WEIR_ERROR_NOT_FOUND && done == 0) {
        status = weir_publisher_create(published, NULL, &publisher_options, &publisher, &error);
    }
    demand(status, &error, "resume");
    weir_publisher_heartbeat(publisher);
    sequence = weir_publisher_sequence(publisher);
    if (sequence < done || sequence > read_ledger(&ledger->begun)) {
        fail("resumed at %" PRIu64, sequence);
    }
    if (!script_agrees_in_all(weir_publisher_engine(publisher), sequence)) {
        fail("the publisher resumed at %" PRIu64 " holds other tokens", sequence);
    }
    write_ledger(&ledger->begun, sequence);
    write_ledger(&ledger->done, sequence);
    return publisher;
}

void publish_next(struct weir_publisher *publisher)
{
    uint64_t next = weir_publisher_sequence(publisher) + 1;
    struct weir_error error = {0};
    enum weir_status status = WEIR_ERROR_IO;

    write_ledger(&ledger->begun, next);
    for (unsigned attempt = 0; status == WEIR_ERROR_IO && attempt < 20000; attempt++) {
        status = script_change(publisher, next, &error);
        weir_publisher_heartbeat(publisher);
        if (status == WEIR_ERROR_IO) {
            count_in_ledger(&ledger->full);
            (void)usleep(1000);
        }
    }
    demand(status, &error, "change");
    write_ledger(&ledger->done, next);
}

void compact(struct weir_publisher *publisher)
{
    struct weir_error error = {0};
    enum weir_status status =
        weir_publisher_compact(publisher, (struct weir_instant){0, 0}, &error);

    if (status == WEIR_ERROR_IO) {
        count_in_ledger(&ledger->full);
        return;
    }
    demand(status, &error, "compact");
    count_in_ledger(&ledger->compactions);
}

struct weir_publisher *create_anew(struct weir_publisher *publisher)
{
    struct weir_image *image = NULL;
    struct weir_publisher *made = NULL;
    struct weir_error error = {0};
    enum weir_status status =
        weir_engine_compact(weir_publisher_engine(publisher), (struct weir_instant){0, 0},
                            weir_publisher_sequence(publisher), NULL, &image, &error);

    demand(status, &error, "an image");
    weir_publisher_close(publisher);
    status = weir_publisher_create(published, image, &publisher_options, &made, &error);
    weir_image_close(image);
    if (status == WEIR_ERROR_IO) {
        count_in_ledger(&ledger->full);
        return go_on_publishing();
    }
    demand(status, &error, "create anew");
    weir_publisher_heartbeat(made);
    count_in_ledger(&ledger->creations);
    return made;
}

/*
 * ---- Following ----
 */

static void check_follower(struct weir_follower *follower, uint64_t done)
{
    struct weir_follower_standing status = weir_follower_status(follower);
    const struct weir_engine *engine = weir_follower_engine(follower, status.heartbeat);

    if (status.sequence < done || status.sequence > read_ledger(&ledger->begun)) {
        fail("a poll begun when %" PRIu64 " was acknowledged came to %" PRIu64, done,
             status.sequence);
    }
    /* Of a directory created anew by one that was killed before it gave a heartbeat nothing is
     * answered. */
    if (status.heartbeat != 0 && engine == NULL) {
        fail("a follower is stale at the time of its heartbeat");
    }
    if (engine != NULL && !script_agrees_in_all(engine, status.sequence)) {
        fail("a follower at %" PRIu64 " holds other tokens", status.sequence);
    }
}

/* A poll finds all that was acknowledged before it, whatever was created anew, and by whomever. */
void poll_and_check(struct weir_follower *follower)
{
    uint64_t done = read_ledger(&ledger->done);
    struct weir_error error = {0};
    enum weir_status status = weir_follower_poll(follower, weir_clocks_now().boot, 0, &error);

    demand(status, &error, "poll");
    check_follower(follower, done);
}

struct weir_follower *follow_and_check(void)
{
    uint64_t done = read_ledger(&ledger->done);
    struct weir_follower *follower = NULL;
    struct weir_error error = {0};

    demand(weir_follower_open(published, NULL, &follower, &error), &error, "follow");
    check_follower(follower, done);
    return follower;
}

/*
 * ---- The whole ----
 */

void begin_anew(void)
{
    char command[500];

    (void)snprintf(command, sizeof command, "rm -rf '%s'", published);
    if (system(command) != 0) { // NOLINT(cert-env33-c): a name of our own
        fail("%s cannot be removed", published);
    }
    write_ledger(&ledger->done, 0);
    write_ledger(&ledger->begun, 0);
}

static void prepare(void)
{
    const char *temporary = getenv("TMPDIR");

    parent = getpid();
    ledger = mmap(NULL, sizeof *ledger, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (ledger == MAP_FAILED) {
        abort();
    }
    (void)snprintf(folder, sizeof folder, "%s/weir-crashes-XXXXXX",
                   temporary != NULL && temporary[0] == '/' ? temporary : "/tmp");
    if (mkdtemp(folder) == NULL) {
        fail("no folder");
    }
    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("none", folder, "tmpfs", 0, "size=64m,mode=755") != 0) {
        fputs("crashes: not root: the disk is a large one, and never full\n", stderr);
    }
    (void)snprintf(published, sizeof published, "%s/published", folder);
}

static uint64_t seed(void)
{
    const char *text = getenv("WEIR_SEED");

    return text != NULL && *text != '\0' ? strtoull(text, NULL, 0) : 1;
}

int main(int count, char **arguments)
{
    unsigned kills = count > 1 ? (unsigned)strtoul(arguments[1], NULL, 10) : 60;
    bool is_long = kills >= 1000;
    unsigned stride = count > 2 ? (unsigned)strtoul(arguments[2], NULL, 10) : is_long ? 1 : 31;

    prepare();
    printf("crashes: %u kills, WEIR_SEED=%" PRIu64 "\n", kills, seed());
    (void)fflush(stdout);
    kill_at_system_calls(stride, (unsigned)(seed() % stride));
    kill_at_random(kills, is_long ? 10 : 3, is_long ? 10 : 4, seed());
    stop_publisher(is_long ? 20 : 2);
    stop_follower(is_long ? 200 : 8, seed());
    printf("crashes: %" PRIu64 " polls, %" PRIu64 " checks, %" PRIu64 " openings, %" PRIu64
           " adoptions by followers; %" PRIu64 " errors in passing; %" PRIu64
           " compactions, %" PRIu64 " creations anew, %" PRIu64 " times without space\n",
           ledger->polls, ledger->checks, ledger->openings, ledger->adoptions, ledger->errors,
           ledger->compactions, ledger->creations, ledger->full);
    remove_folder();
    return 0;
}
