/*
 * torture.c - a publisher under load and the followers of other processes, each of whose answers
 * is judged by what was published when.
 *
 *     torture [SECONDS [PROCESSES [THREADS]]]     3, 2 and 2 unless given
 *
 * For minutes: `torture 300 3 3`, best in a build with -DWEIR_SANITIZE=thread as well. Prints how
 * old the answers were, and how long revocations took to reach another process. WEIR_SEED repeats
 * the dice, not the processes' timing.
 */
#include "publish/torture.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROCESSES_MAX 64

struct torture *torture;
char published[300];

uint64_t now(void)
{
    return weir_clocks_now().boot;
}

struct weir_text id_text(unsigned id, char buffer[16])
{
    int length = snprintf(buffer, 16, "subject-%u", id);

    return (struct weir_text){buffer, (size_t)length};
}

struct weir_text stream_text(uint64_t version, char buffer[32])
{
    int length =
        snprintf(buffer, 32, "%s%" PRIu64 "/", version % 2 == 0 ? "" : "version/", version);

    return (struct weir_text){buffer, (size_t)length};
}

void fail(const char *format, ...)
{
    va_list arguments;

    if (__atomic_exchange_n(&torture->failed, 1, __ATOMIC_SEQ_CST) == 0) {
        va_start(arguments, format);
        (void)fputs("torture: ", stderr);
        (void)vfprintf(stderr, format, arguments);
        (void)fputc('\n', stderr);
        va_end(arguments);
    }
    store(&torture->ends, 1);
    _exit(1);
}

static void print_histogram(const char *what, const uint64_t *buckets)
{
    printf("%s:", what);
    for (unsigned i = 0; i < BUCKETS; i++) {
        if (buckets[i] != 0) {
            printf(" <%" PRIu64 ":%" PRIu64, UINT64_C(1) << i, buckets[i]);
        }
    }
    printf("\n");
}

static void print_all(void)
{
    printf("torture: %" PRIu64 " changes, %" PRIu64 " compactions, %" PRIu64
           " resumptions, %" PRIu64 " creations anew, %" PRIu64 " silences\n",
           torture->changes, torture->compactions, torture->resumptions, torture->creations,
           torture->silences);
    printf("torture: %" PRIu64 " answers judged, %" PRIu64
           " allowed everything under a prefix, %" PRIu64 " stale, %" PRIu64
           " too late to judge; %" PRIu64 " polls, %" PRIu64 " adoptions\n",
           torture->judged, torture->under, torture->stale, torture->unjudged, torture->polls,
           torture->adoptions);
    print_histogram("versions behind the newest", torture->ages);
    print_histogram("ns from revoke to the first denial elsewhere", torture->latencies);
}

static void make_folder(void)
{
    const char *temporary = getenv("TMPDIR");

    (void)snprintf(published, sizeof published, "%s/weir-torture-XXXXXX",
                   temporary != NULL && temporary[0] == '/' ? temporary : "/tmp");
    if (mkdtemp(published) == NULL) {
        fail("no folder");
    }
    (void)strcat(published, "/published");
}

static void remove_folder(void)
{
    char command[400];

    (void)snprintf(command, sizeof command, "rm -r \"$(dirname '%s')\"", published);
    if (system(command) != 0) { // NOLINT(cert-env33-c): a name of our own
        fputs("torture: the folder is left behind\n", stderr);
    }
}

static unsigned argument(int count_of, char **arguments, int number, unsigned otherwise)
{
    return count_of > number ? (unsigned)strtoul(arguments[number], NULL, 10) : otherwise;
}

/* Waits for the end, or for somebody to fail. */
static bool wait_for_all(const pid_t *processes, unsigned number, unsigned seconds)
{
    uint64_t end = now() + seconds * UINT64_C(1000000000);
    bool well = true;

    while (now() < end && load(&torture->failed) == 0) {
        (void)usleep(10000);
    }
    store(&torture->ends, 1);
    for (unsigned i = 0; i < number; i++) {
        int status = 0;

        well = waitpid(processes[i], &status, 0) == processes[i] && status == 0 && well;
    }
    return well;
}

int main(int argument_count, char **arguments)
{
    unsigned seconds = argument(argument_count, arguments, 1, 3);
    unsigned processes = argument(argument_count, arguments, 2, 2) % PROCESSES_MAX;
    unsigned threads = argument(argument_count, arguments, 3, 2);
    const char *text = getenv("WEIR_SEED");
    uint64_t seed = text != NULL && *text != '\0' ? strtoull(text, NULL, 0) : 1;
    pid_t children[PROCESSES_MAX];
    bool well = false;

    printf("torture: WEIR_SEED=%" PRIu64 "\n", seed);
    (void)fflush(stdout);
    torture =
        mmap(NULL, sizeof *torture, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    make_folder();
    for (unsigned i = 0; i <= processes; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            if (i == 0) {
                publish_all_the_time(seed);
            }
            check_all_the_time(threads, seed + i);
        }
    }
    well = wait_for_all(children, processes + 1, seconds);
    remove_folder();
    print_all();
    if (well && (torture->judged == 0 || torture->under == 0 || torture->polls == 0 ||
                 torture->compactions == 0)) {
        fputs("torture: nothing was judged\n", stderr);
        return 1;
    }
    return well ? 0 : 1;
}
