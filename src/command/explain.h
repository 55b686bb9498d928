/* explain.h - what the parts of `weir explain` share. */
#ifndef WEIR_COMMAND_EXPLAIN_H
#define WEIR_COMMAND_EXPLAIN_H

#include <stdbool.h>

#include <weir/decision.h>

#include "input.h"
#include "output.h"

/* A question, its answer, and what is looked into. */
struct inquiry {
    const char *file;
    struct tokens *tokens;
    struct weir_text token_id;
    struct weir_request request;
    struct weir_instant now;
    struct weir_decision decision;

    /* Of an expired token it is worth knowing what it could do: the last instant at which it was
     * valid, and the decision then. Of any other token they are those of now. */
    struct weir_instant asked_at;
    struct weir_decision decision_then;

    /* What the stream is called at the server. */
    struct weir_text effective_stream;
};

/* Whether the answer was found in the scopes, or comes before any scope is looked at. */
bool inquiry_reached_scopes(const struct inquiry *inquiry);

/* The name that the target has for the set: of the basin, the stream at the server, or the token.
 */
struct weir_text inquiry_name(const struct inquiry *inquiry, enum weir_set_role role);

/* Whether the operation's target has a name for that set. */
bool inquiry_has_name(const struct inquiry *inquiry, enum weir_set_role role);

/* The decision, and what there is to know of the token and the names. */
void explain_facts(struct output *output, const struct inquiry *inquiry);

/* Of a directory: how it stands, and, where it is stale, what to do about it. */
void explain_directory(struct output *output, const struct inquiry *inquiry);

/* From a declaration: its scopes, what matched and what did not. */
void explain_scopes(struct output *output, const struct inquiry *inquiry);

/* From an image, in which scopes are merged: the rules on the way and beside it. */
void explain_rules(struct output *output, const struct inquiry *inquiry);

#endif
