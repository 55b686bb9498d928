/*
 * past.h - all changes that a publisher made, as declarations, and what there was after each: the
 * model that publisher and followers are held against.
 */
#ifndef WEIR_TESTS_PUBLISH_PAST_H
#define WEIR_TESTS_PUBLISH_PAST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/engine.h>

#include "model/generate.h"

/* One change: a token of the world's put, or an id's revoked; or all of it replaced, by what a
 * directory created anew begins with. */
struct past_change {
    size_t id;
    bool revokes;
    struct weir_token token;
    struct weir_token *all; /* not NULL: these, by id; `there` says which */
    bool *there;
};

struct past {
    struct world *world;
    struct dice dice;
    struct past_change *changes; /* change number n is at n - 1 */
    size_t count;
    size_t room;
    uint64_t last_number; /* of an issue */
};

/* The tokens as they were after change `sequence`: by the place of their id in the world. */
struct moment {
    const struct past *past;
    uint64_t sequence;
    struct weir_token *tokens;
    bool *there;
};

void past_begin(struct past *past, struct world *world);
void past_end(struct past *past);
void past_put(struct past *past, size_t id, const struct weir_token *token);
void past_revoke(struct past *past, size_t id);
void past_replace_all(struct past *past, const struct moment *moment);
/* A token for the id: with scopes and expiry of one of the world's; at times with its credential.
 */
struct weir_token past_draw(struct past *past, size_t id);

void moment_begin(struct moment *moment, const struct past *past);
void moment_end(struct moment *moment);
void moment_move(struct moment *moment, uint64_t sequence); /* forward only */
size_t moment_count(const struct moment *moment);
/* Whether a token but that of the id has the digest. */
bool moment_has_digest(const struct moment *moment, const uint8_t *digest, size_t but);

/* Asks the engine `questions` of the world's questions and demands the naive evaluator's answers;
 * with `all`, also looks each id up. */
void moment_check(struct moment *moment, const struct weir_engine *engine, struct dice *dice,
                  unsigned questions, bool all, const char *who);

#endif
