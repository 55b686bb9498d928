/* beside.c - a reader beside a writer: what the one costs the other. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <weir/engine.h>

#include "benches.h"
#include "engines.h"
#include "pair.h"
#include "rival.h"
#include "times.h"
#include "tokens.h"

/* Changes that the writer makes in a second. */
#define RATE 100000

/* Nanoseconds that a round reads, and that the writer sleeps before it makes what is due. */
#define READING 1e8
#define PAUSE 5e4

/* Passes over the same requests, in the hot rounds. */
#define PASSES 16

/*
 * ---- What is changed and asked ----
 */

/* An engine or its rival, which are made and loaded alike. */
struct side {
    enum weir_reason (*check)(void *set, struct weir_text id, const struct weir_request *request,
                              struct weir_instant now);
    enum weir_status (*put)(void *set, const struct weir_compiled_token *token);
    enum weir_status (*revoke)(void *set, struct weir_text id);
    void *set;
    size_t next; /* number of the stock's token that is changed next */
    struct staged image;
    struct staged others;
};

static enum weir_reason engine_check(void *set, struct weir_text id,
                                     const struct weir_request *request, struct weir_instant now)
{
    return weir_engine_check(set, id, request, now);
}

static enum weir_status engine_put(void *set, const struct weir_compiled_token *token)
{
    return weir_engine_put(set, token, NULL);
}

static enum weir_status engine_revoke(void *set, struct weir_text id)
{
    return weir_engine_revoke(set, id, NULL);
}

static struct side *side_of_engine(void)
{
    static struct side side = {.check = engine_check, .put = engine_put, .revoke = engine_revoke};
    struct weir_engine *engine = NULL;

    if (side.set == NULL) {
        engines_must(weir_engine_open(tokens_image(), NULL, &engine, NULL), "opening an engine");
        side.set = engine;
    }
    return &side;
}

static enum weir_reason locked_check(void *set, struct weir_text id,
                                     const struct weir_request *request, struct weir_instant now)
{
    return rival_check(set, id, request, now);
}

static enum weir_status locked_put(void *set, const struct weir_compiled_token *token)
{
    return rival_put(set, token);
}

static enum weir_status locked_revoke(void *set, struct weir_text id)
{
    return rival_revoke(set, id);
}

static struct side *side_of_rival(void)
{
    static struct side side = {.check = locked_check, .put = locked_put, .revoke = locked_revoke};

    side.set = side.set != NULL ? side.set : rival_open(tokens_image(), true);
    return &side;
}

static struct side *side_of_sleeping_rival(void)
{
    static struct side side = {.check = locked_check, .put = locked_put, .revoke = locked_revoke};

    side.set = side.set != NULL ? side.set : rival_open(tokens_image(), false);
    return &side;
}

/*
 * ---- The writer ----
 */

struct writer {
    struct pair pair;
    struct side *side;
    size_t made;
    size_t failed;
    double span; /* nanoseconds in which it made them */
    bool stop;   /* stored by the reader's thread, loaded by the writer's; orders nothing */
};

/* Of eight changes six replace a token by its equal, which readers ask about; one issues another
 * one, and one revokes that. So all that is asked stays allowed. */
static enum weir_status change_next(struct side *side)
{
    size_t place = side->next % CHUNK;

    if (place == 0) {
        stock_stage(stock_of_image(), side->next, &side->image);
        stock_stage(stock_of_others(), side->next, &side->others);
    }
    side->next++;
    switch (place % 8) {
    case 6:
        return side->put(side->set, side->others.tokens[place]);
    case 7:
        return side->revoke(side->set, side->others.ids[place - 1]);
    default:
        return side->put(side->set, side->image.tokens[place]);
    }
}

static void *write_steadily(void *context)
{
    struct writer *writer = context;
    double begin = times_wall();

    while (!__atomic_load_n(&writer->stop, __ATOMIC_RELAXED)) {
        double due = (times_wall() - begin) * RATE / 1e9;

        while ((double)writer->made < due) {
            writer->failed += change_next(writer->side) != WEIR_OK;
            writer->made++;
        }
        times_sleep(PAUSE);
    }
    writer->span = times_wall() - begin;
    return NULL;
}

static void writer_start(struct writer *writer, struct side *side)
{
    *writer = (struct writer){.side = side};
    (void)stock_of_image();
    (void)stock_of_others();
    pair_start(&writer->pair, write_steadily, writer);
}

static void writer_stop(struct writer *writer, struct bench_round *round)
{
    __atomic_store_n(&writer->stop, true, __ATOMIC_RELAXED);
    pair_join(&writer->pair);
    bench_count(round, "changes_a_second", (double)writer->made / writer->span * 1e9);
    if (writer->failed != 0) {
        bench_wrong(round, "a change failed");
    }
}

/*
 * ---- The reader ----
 */

/* Readers take turns at the requests; each then asks by itself. */
static void stage_in_turn(struct requests *requests, struct chunk *chunk)
{
    static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;

    (void)pthread_mutex_lock(&turn);
    requests_stage(requests, chunk);
    (void)pthread_mutex_unlock(&turn);
}

/* Asks for some time, and returns the nanoseconds of its own that a check took. */
static double read_for_a_while(const struct side *side, struct requests *requests, size_t passes,
                               bool *wrong)
{
    struct chunk chunk __attribute__((aligned(64)));
    double end = times_wall() + READING;
    double spent = 0;
    size_t asked = 0;

    while (times_wall() < end) {
        uint64_t allowed = 0;
        double start = 0;

        stage_in_turn(requests, &chunk);
        start = times_own();
        for (size_t i = 0; i < passes * CHUNK; i++) {
            const struct weir_question *question = &chunk.questions[i % CHUNK];

            allowed += side->check(side->set, question->token_id, &question->request, BENCH_NOW) ==
                       WEIR_ALLOWED;
        }
        spent += times_own() - start;
        asked += passes * CHUNK;
        *wrong |= allowed != passes * chunk.allowed;
    }
    return spent / (double)asked;
}

static void read_round(struct side *side, bool disturbed, struct requests *requests, size_t passes,
                       struct bench_round *round)
{
    struct writer writer;
    bool wrong = false;

    if (disturbed) {
        writer_start(&writer, side);
    }
    bench_time(round, read_for_a_while(side, requests, passes, &wrong));
    if (disturbed) {
        writer_stop(&writer, round);
    }
    if (wrong) {
        bench_wrong(round, "wrong answers");
    }
}

void beside_nothing_hot(void *requests, struct bench_round *round)
{
    read_round(side_of_engine(), false, requests, PASSES, round);
}

void beside_changes_hot(void *requests, struct bench_round *round)
{
    read_round(side_of_engine(), true, requests, PASSES, round);
}

void beside_nothing_cold(void *requests, struct bench_round *round)
{
    read_round(side_of_engine(), false, requests, 1, round);
}

void beside_changes_cold(void *requests, struct bench_round *round)
{
    read_round(side_of_engine(), true, requests, 1, round);
}

void rival_beside_nothing_hot(void *requests, struct bench_round *round)
{
    read_round(side_of_rival(), false, requests, PASSES, round);
}

void rival_beside_changes_hot(void *requests, struct bench_round *round)
{
    read_round(side_of_rival(), true, requests, PASSES, round);
}

void rival_beside_nothing_cold(void *requests, struct bench_round *round)
{
    read_round(side_of_rival(), false, requests, 1, round);
}

void rival_beside_changes_cold(void *requests, struct bench_round *round)
{
    read_round(side_of_rival(), true, requests, 1, round);
}

void sleeping_rival_beside_changes_hot(void *requests, struct bench_round *round)
{
    read_round(side_of_sleeping_rival(), true, requests, PASSES, round);
}

/*
 * ---- Two readers ----
 */

struct reader {
    const struct side *side;
    struct requests *requests;
    double spent; /* of its own nanoseconds, for a check */
    bool wrong;
};

static void *read_beside(void *context)
{
    struct reader *reader = context;

    reader->spent = read_for_a_while(reader->side, reader->requests, PASSES, &reader->wrong);
    return NULL;
}

/* Two threads ask the same questions; the figure is the mean of what a check takes each. */
static void two_readers_round(const struct side *side, struct requests *requests,
                              struct bench_round *round)
{
    struct pair pair;
    struct reader other = {.side = side, .requests = requests};
    bool wrong = false;
    double spent = 0;

    pair_start(&pair, read_beside, &other);
    spent = read_for_a_while(side, requests, PASSES, &wrong);
    pair_join(&pair);
    bench_time(round, (spent + other.spent) / 2);
    if (wrong || other.wrong) {
        bench_wrong(round, "wrong answers");
    }
}

void beside_reader(void *requests, struct bench_round *round)
{
    two_readers_round(side_of_engine(), requests, round);
}

void rival_beside_reader(void *requests, struct bench_round *round)
{
    two_readers_round(side_of_rival(), requests, round);
}
