#include "sides.h"

#include "rival.h"
#include "times.h"

/* Changes that the writer makes in a second, and nanoseconds that it sleeps before it makes what is
 * due. */
#define RATE 100000
#define PAUSE 5e4

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

struct side *side_of_engine(void)
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

struct side *side_of_rival(void)
{
    static struct side side = {.check = locked_check, .put = locked_put, .revoke = locked_revoke};

    side.set = side.set != NULL ? side.set : rival_open(tokens_image(), true);
    return &side;
}

struct side *side_of_sleeping_rival(void)
{
    static struct side side = {.check = locked_check, .put = locked_put, .revoke = locked_revoke};

    side.set = side.set != NULL ? side.set : rival_open(tokens_image(), false);
    return &side;
}

/* Readers take turns at the requests; each then asks by itself. */
void side_stage(struct requests *requests, struct chunk *chunk)
{
    static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;

    (void)pthread_mutex_lock(&turn);
    requests_stage(requests, chunk);
    (void)pthread_mutex_unlock(&turn);
}

/*
 * ---- The writer ----
 */

/* Of eight changes six replace a token by its equal, which readers ask about; one issues another
 * one, and one revokes that. So no answer changes. */
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

void writer_start(struct writer *writer, struct side *side)
{
    *writer = (struct writer){.side = side};
    (void)stock_of_image();
    (void)stock_of_others();
    pair_start(&writer->pair, write_steadily, writer);
}

void writer_stop(struct writer *writer, struct bench_round *round)
{
    __atomic_store_n(&writer->stop, true, __ATOMIC_RELAXED);
    pair_join(&writer->pair);
    bench_count(round, "changes_a_second", (double)writer->made / writer->span * 1e9);
    if (writer->failed != 0) {
        bench_wrong(round, "a change failed");
    }
}
