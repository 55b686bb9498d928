/*
 * script.h - a history of changes that is known in advance: what change number n does, and so what
 * there is after it, follows from n. So whoever says at which number it is can be checked, and what
 * a publisher acknowledged before it was killed is a single number.
 *
 * The ids take turns. Each is issued, then replaced, then revoked, then issued again; the issue
 * number of a token is the number of the change that put it there.
 */
#ifndef WEIR_TESTS_PUBLISH_SCRIPT_H
#define WEIR_TESTS_PUBLISH_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/engine.h>
#include <weir/publish.h>

#define SCRIPT_IDS 12u

/* What one token of the script says. */
struct script_id {
    char text[16];
};
struct script_id script_id(unsigned number);

/* The issue number of that id's token after change `sequence`; 0: there is none. */
uint64_t script_holder(unsigned id, uint64_t sequence);

/* Makes change `sequence`, which must be the publisher's next. */
enum weir_status script_change(struct weir_publisher *publisher, uint64_t sequence,
                               struct weir_error *error);

/* How large the tokens are: 0, a few hundred bytes; 1, mostly kilobytes, and some larger than a
 * segment of the least size. The whole program's. */
extern unsigned script_largeness;

/* Whether the engine holds, under that id, what there is after change `sequence`: the token that it
 * finds, and the answer to a check. */
bool script_agrees(const struct weir_engine *engine, unsigned id, uint64_t sequence);
/* Likewise of all ids and the number of tokens; no change may be under way. */
bool script_agrees_in_all(const struct weir_engine *engine, uint64_t sequence);

#endif
