/*
 * history.h - an engine and, beside it, what it should hold: an array of declarations. Changes are
 * made to both; what the engine says of each must be what the array says.
 */
#ifndef WEIR_TESTS_LIVE_HISTORY_H
#define WEIR_TESTS_LIVE_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/engine.h>
#include <weir/token.h>

#include "model/dice.h"
#include "model/generate.h"

/* What an engine is opened on. */
enum beginning {
    BEGIN_WITH_NOTHING,
    BEGIN_WITH_TOKENS,
    BEGIN_WITH_IMAGE,
    BEGIN_WITH_MAPPED_IMAGE,
    BEGINNINGS
};

struct history {
    struct world *world; /* its tokens lend their scopes, its questions theirs */
    struct dice dice;
    enum beginning beginning;
    size_t id_count;
    struct weir_text *ids;
    char (*numbered_ids)[16]; /* what `ids` points to, or NULL */
    size_t digest_count;      /* there are so many credentials in this world */

    /* The model: the tokens that are there, in no order. */
    struct weir_token *held;
    size_t held_count;
    uint64_t last_number;

    struct weir_engine *engine;
    struct weir_image *image;    /* what it is on, or NULL */
    uint64_t steps;              /* changes made or refused */
    uint64_t swaps;              /* to whatever */
    const char *last;            /* what was done last, for a person */
    struct weir_resolved *by_id; /* kept for ever, one for each id */
};

/* `id_count` 0: as many as the world has tokens, and their ids; else numbers. */
void history_begin(struct history *history, struct world *world, size_t id_count,
                   enum beginning beginning);
void history_end(struct history *history);

/* Does something, and demands that the engine accepts or refuses it as it should. With `grows`
 * mostly issues. */
void history_step(struct history *history, bool grows);

/* What the array has. */
const struct weir_token *history_holder_of_id(const struct history *history, struct weir_text id);
const struct weir_token *history_holder_of_digest(const struct history *history,
                                                  const uint8_t *digest);

/* Credential `number` of the world. */
void history_digest(const struct history *history, size_t number, uint8_t *digest);

_Noreturn void history_fail(const struct history *history, const struct weir_token *token,
                            const struct weir_request *request, const char *what);

#endif
