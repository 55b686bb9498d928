/* sides.h - an engine and its rival, asked and changed alike; a writer that changes one steadily.
 */
#ifndef WEIR_BENCH_SIDES_H
#define WEIR_BENCH_SIDES_H

#include <weir/engine.h>

#include "engines.h"
#include "harness.h"
#include "pair.h"
#include "requests.h"
#include "tokens.h"

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

/* Each has the million tokens. Made once. */
struct side *side_of_engine(void);
struct side *side_of_rival(void);
struct side *side_of_sleeping_rival(void);

static inline bool side_allows(const struct side *side, const struct weir_question *question)
{
    return side->check(side->set, question->token_id, &question->request, BENCH_NOW) ==
           WEIR_ALLOWED;
}

/* Stages requests for one of several readers. */
void side_stage(struct requests *requests, struct chunk *chunk);

/* Another thread, which makes 100 000 changes a second. */
struct writer {
    struct pair pair;
    struct side *side;
    size_t made;
    size_t failed;
    double span; /* nanoseconds in which it made them */
    bool stop;   /* stored by the reader's thread, loaded by the writer's; orders nothing */
};

void writer_start(struct writer *writer, struct side *side);

/* Tells the round how many changes it was, or that one failed. */
void writer_stop(struct writer *writer, struct bench_round *round);

#endif
