/*
 * torture - readers and a writer, for as long as asked: each answer that a reader gets is held
 * against what the writer did at that time. Ends with an abort at the first that it may not have
 * got.
 *
 *     torture [SECONDS] [READERS]
 *
 * For 3 seconds and with 2 readers unless told otherwise. WEIR_SEED repeats the writer's changes.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "live/torture.h"

enum { READERS_MOST = 64 };

_Noreturn void torture_fail(const char *what)
{
    fprintf(stderr, "torture: %s\n", what);
    abort();
}

static void start(pthread_t *thread, void *(*run)(void *), void *context)
{
    if (pthread_create(thread, NULL, run, context) != 0) {
        torture_fail("no thread can be made");
    }
}

static void print_tally(const struct torture_tally *tally)
{
    uint64_t least = 0;

    for (unsigned way = 0; way < TORTURE_WAYS; way++) {
        printf("  %-24s %12" PRIu64 "\n", torture_way_names[way], tally->judged[way]);
    }
    printf("  %-24s %12" PRIu64 "\n  %-24s %12" PRIu64 "\n  %-24s %12" PRIu64 "\n  %-24s %12" PRIu64
           "\n",
           "allowed", tally->allowed, "allowed under a prefix", tally->allowed_under,
           "too long to be judged", tally->unjudged, "bytes known and held", tally->summed);
    printf("versions behind the last one begun:\n");
    for (unsigned age = 0; age < TORTURE_AGES; age++) {
        if (tally->ages[age] != 0) {
            printf("  %8" PRIu64 " and more        %12" PRIu64 "\n", least, tally->ages[age]);
        }
        least = least == 0 ? 1 : 2 * least;
    }
}

/* Every way of asking has been gone. */
static int verdict(const struct torture_tally *tally)
{
    for (unsigned way = 0; way < TORTURE_WAYS; way++) {
        if (tally->judged[way] == 0) {
            fprintf(stderr, "torture: nothing was judged of way %u\n", way);
            return EXIT_FAILURE;
        }
    }
    return tally->allowed_under > 0 && tally->allowed > tally->allowed_under && tally->summed > 0
               ? EXIT_SUCCESS
               : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    const char *seed_text = getenv("WEIR_SEED");
    const uint64_t seed = seed_text != NULL ? strtoull(seed_text, NULL, 0) : 1;
    const unsigned seconds = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 3;
    const unsigned asked_readers = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 2;
    const unsigned readers = asked_readers < READERS_MOST ? asked_readers : READERS_MOST;
    struct torture *torture = calloc(1, sizeof *torture);
    struct torture_writer *writer = NULL;
    struct torture_reader *reader[READERS_MOST];
    struct torture_tally tally = {0};
    pthread_t threads[READERS_MOST + 1];

    if (torture == NULL) {
        torture_fail("no memory");
    }
    printf("seed %" PRIu64 ", %u seconds, %u readers\n", seed, seconds, readers);
    (void)fflush(stdout);
    writer = torture_writer_new(torture, seed);
    for (unsigned i = 0; i < readers; i++) {
        reader[i] = torture_reader_new(torture, seed * READERS_MOST + i);
        start(&threads[i], torture_read, reader[i]);
    }
    start(&threads[readers], torture_write, writer);
    (void)nanosleep(&(struct timespec){.tv_sec = (time_t)seconds}, NULL);
    __atomic_store_n(&torture->stops, true, __ATOMIC_RELAXED);
    for (unsigned i = 0; i <= readers; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    torture_writer_print(writer);
    for (unsigned i = 0; i < readers; i++) {
        torture_reader_add(reader[i], &tally);
        torture_reader_free(reader[i]);
    }
    print_tally(&tally);
    torture_writer_free(writer);
    free(torture);
    return verdict(&tally);
}
