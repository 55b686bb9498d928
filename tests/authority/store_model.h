/*
 * store_model.h - what a store holds, kept the naive way: in arrays that are gone through.
 *
 * Everything about a token or a change but its id and its numbers comes from a seed, so that a few
 * seeds say all that a store must give back.
 */
#ifndef WEIR_TESTS_AUTHORITY_STORE_MODEL_H
#define WEIR_TESTS_AUTHORITY_STORE_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "authority/store.h"
#include "model/dice.h"

#define MODEL_TOKENS_MAX 48
#define MODEL_CHANGES_MAX 96
#define SAMPLE_DECLARATION_MAX 12000

struct model_id {
    size_t length;
    char bytes[WEIR_TOKEN_ID_MAX];
};

struct model_token {
    struct model_id id;
    uint64_t number;
    uint64_t seed;
};

struct model_change {
    struct model_id id;
    enum weir_change_kind kind;
    uint64_t number;
    uint64_t seed;
};

struct model {
    struct model_token tokens[MODEL_TOKENS_MAX];
    size_t token_count;
    struct model_change changes[MODEL_CHANGES_MAX]; /* the first is number `forgotten` + 1 */
    size_t change_count;
    uint64_t forgotten;
    uint64_t issue_number; /* drawn last */
};

/* What a seed says. Instants are few and near to each other, so that many are equal. */
struct weir_instant sample_instant(struct dice *dice);
struct sample {
    struct weir_stored_token token;
    char by[WEIR_TOKEN_ID_MAX];
    char declaration[SAMPLE_DECLARATION_MAX];
};
/* Refers to the id. */
void sample_token(struct sample *sample, const struct model_id *id, uint64_t number, uint64_t seed);
/* Of a removal: `by`, `by_number`, `at`; refers to the id and to `sample`. */
void sample_change(struct sample *sample, struct weir_logged_change *change,
                   const struct model_id *id, uint64_t number, enum weir_change_kind kind,
                   uint64_t seed);

struct weir_text text_of_id(const struct model_id *id);
/* Few ids, many of which begin like others, some with bytes that no name has. */
struct model_id random_id(struct dice *dice);
/* The beginning of one. */
struct model_id random_prefix(struct dice *dice);

struct model_token *model_find(struct model *model, const struct model_id *id);
uint64_t model_sequence(const struct model *model);
void model_issue(struct model *model, const struct model_id *id, uint64_t number, uint64_t seed);
void model_remove(struct model *model, struct model_token *token, enum weir_change_kind kind,
                  uint64_t seed);
void model_forget(struct model *model, uint64_t sequence, struct weir_instant before,
                  uint64_t most);

/*
 * ---- Comparing: bytes that both sides write ----
 */

struct listing {
    unsigned char *bytes;
    size_t length;
    size_t room;
    size_t most; /* rows; the visitors end when there are so many */
    size_t rows;
};

void listing_clear(struct listing *listing);
void listing_free(struct listing *listing);
weir_stored_token_visitor list_token;
weir_logged_change_visitor list_change;
bool listing_equal(const struct listing *left, const struct listing *right);

/* The model's tokens that begin with the prefix and are `least` or come after it (`excluded`: not
 * it), by id; without those expired at `*now`, unless it is NULL. */
void model_list(struct model *model, const struct model_id *prefix, const struct model_id *least,
                bool excluded, const struct weir_instant *now, struct listing *listing);
/* Those expired at `now`, as a set: by id. */
void model_list_expired(struct model *model, struct weir_instant now, struct listing *listing);
void model_list_changes(const struct model *model, uint64_t sequence, struct listing *listing);

/* NULL, or how the store, in a transaction of its own, differs from the model. A store that cannot
 * be read differs. */
const char *store_difference(struct weir_store *store, struct model *model);

#endif
