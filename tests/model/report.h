/* report.h - what a person needs to see, and to repeat, when something disagrees. */
#ifndef WEIR_TESTS_REPORT_H
#define WEIR_TESTS_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include <weir/decision.h>
#include <weir/error.h>
#include <weir/token.h>

#include "model/generate.h"

/* WEIR_SEED from the environment, else a fixed one. */
uint64_t model_seed(void);

/* `full` scaled to the build at hand: WEIR_MODEL_PERCENT from the environment, else what a
 * sanitizer or an unoptimized build leaves time for. */
uint64_t model_amount(uint64_t full);

/* To stderr, as JSON as far as the bytes allow; a byte that is not UTF-8 is shown as \xHH. */
void report_text(const char *label, struct weir_text text);
void report_token(const struct weir_token *token);
void report_request(const struct weir_request *request);
void report_instant(const char *label, struct weir_instant instant);

/* The world's seed, how to come back to it, and what it is asked at. */
void report_world(const struct world *world, const char *what);

/*
 * Takes scopes away from the token for as long as `persists` says that what is being looked at is
 * still there without them. The token then has scopes of its own, which are not freed: it is for
 * reporting, at the end of a test.
 */
typedef bool model_persists(const void *context, const struct weir_token *token);
void model_shrink(struct weir_token *token, model_persists *persists, const void *context);

/* Ends the test case unless the status is WEIR_OK. */
void must_succeed(enum weir_status status, const struct weir_error *error,
                  const struct world *world, const char *what);

#endif
