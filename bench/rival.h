/*
 * rival.h - the same engine behind a read-write lock, as one would have it without RCU: the same
 * indexes and blocks, looked for by the same inlined code, but a check holds the lock for reading
 * and a change holds it for writing.
 *
 * It is set up as well as it can be: the lock lies in cache lines of its own, and what a change
 * replaces is never released. One that spins tries for the lock again and again, which is best
 * where each thread has a processor of its own; one that does not lets the system put threads to
 * sleep.
 */
#ifndef WEIR_BENCH_RIVAL_H
#define WEIR_BENCH_RIVAL_H

#include <stdbool.h>

#include <weir/engine.h>

struct rival;

/* Opens one on an image, which must live as long. Ends the program if there is no memory. */
struct rival *rival_open(const struct weir_image *image, bool spins);

enum weir_reason rival_check(struct rival *rival, struct weir_text token_id,
                             const struct weir_request *request, struct weir_instant now);
enum weir_status rival_put(struct rival *rival, const struct weir_compiled_token *token);
enum weir_status rival_revoke(struct rival *rival, struct weir_text token_id);

#endif
