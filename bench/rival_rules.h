/*
 * rival_rules.h - the rules of a token of many scopes, as the rivals keep them: prefixes of
 * streams, all in basins of one prefix, all of the same operations. No prefix begins with another,
 * so that the one that a name begins with, if there is one, is the last that does not come after
 * it.
 */
#ifndef WEIR_BENCH_RIVAL_RULES_H
#define WEIR_BENCH_RIVAL_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <weir/decision.h>
#include <weir/listing.h>

#include "rounds.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The rules in byte order, as Weir itself lists them: they are given away with the listing. */
struct rival_rules {
    struct weir_listing *listing;
    const struct weir_text *prefixes;
    size_t count;
    weir_operations operations;
    struct weir_text basins;
};

/* The rules of the one token that those requests are about. Ends the program if it is about more
 * than that. */
void rival_rules_of(struct requests *requests, struct rival_rules *rules);
void rival_rules_free(struct rival_rules *rules);

/* Times passes over those requests as check_resolved_in_a_loop does. */
void rival_rules_run(struct requests *requests, rounds_pass *pass, struct bench_round *round);

static inline bool rival_begins(struct weir_text name, struct weir_text prefix)
{
    return name.length >= prefix.length && memcmp(name.bytes, prefix.bytes, prefix.length) == 0;
}

/* What is asked beside the stream's name. */
static inline bool rival_rules_allow_basin(const struct rival_rules *rules,
                                           const struct weir_request *request)
{
    return (rules->operations >> request->operation & 1) != 0 &&
           rival_begins(request->basin, rules->basins);
}

#ifdef __cplusplus
}
#endif

#endif
