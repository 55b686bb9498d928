/*
 * generate.h - sets of tokens, and questions about them, that love edges.
 *
 * A world is a set of tokens drawn from a seed: the same seed, the same world, whatever was drawn
 * before. Its names come from small pools whose members are grown from one another, so that rules
 * coincide, begin with each other, and part at every byte. Its questions are grown from its rules,
 * so that many match and many miss by one byte.
 */
#ifndef WEIR_TESTS_GENERATE_H
#define WEIR_TESTS_GENERATE_H

#include <stddef.h>
#include <stdint.h>

#include <weir/decision.h>
#include <weir/instant.h>
#include <weir/token.h>

#include "model/dice.h"

/* Texts that beget each other: prefixes that are allowed in their role. */
struct pool {
    struct weir_text *texts;
    size_t count;
};

struct world_shape;

struct world {
    uint64_t seed;
    const char *shape; /* what it is rich in, for a person */
    struct weir_instant now;
    struct weir_token *tokens;
    size_t count;
    size_t questions; /* worth asking: fewer where the naive evaluator has much to read */

    /* For the generator. */
    struct dice dice;
    const struct world_shape *form;
    struct pool pools[3];      /* by enum weir_set_role */
    struct weir_scope *common; /* scopes that tokens share */
    size_t common_count;
    void **memory;
    size_t memory_count;
    size_t memory_room;
};

/* Every 64 consecutive seeds give all shapes of world; the largest is the rarest. */
#define WORLD_SHAPE_PERIOD 64

struct world *world_new(uint64_t seed);
void world_free(struct world *world);

/*
 * Draws a question. Each of its texts is memory of its own and of exactly its length, so that a
 * sanitizer sees one byte too many; free them with question_fini.
 */
void world_question(struct world *world, struct weir_question *question);
void question_fini(struct weir_question *question);

/* Likewise about this token, so that its scopes permit the operation more often than not. */
void world_request(struct world *world, const struct weir_token *token,
                   struct weir_request *request);
void request_fini(struct weir_request *request);

/* A name close to the set: a member, one byte beside it, or anything. Free it with text_fini. */
struct weir_text world_name(struct world *world, enum weir_set_role role,
                            const struct weir_set *near);
void text_fini(struct weir_text *text);

/* The set of that role. */
const struct weir_set *scope_set(const struct weir_scope *scope, enum weir_set_role role);

/* A declaration that differs from one of the world's in one thing, which often makes it one that
 * may not be compiled. Lives as long as the world. */
struct weir_token world_spoilt_token(struct world *world);

/* Puts the things in another order. */
void shuffle(struct dice *dice, void *things, size_t count, size_t size);

/* `size` bytes, or the end of the process. */
void *must_allocate(size_t size);

/* The array with room for one element more than `count`, each of that size, or the end of the
 * process. `*room` is how many it has room for. */
void *must_grow(void *memory, size_t count, size_t *room, size_t size);

#endif
