#include "rival_rules.h"

#include "brokers.h"
#include "engines.h"
#include "tokens.h"

void rival_rules_of(struct requests *requests, struct rival_rules *rules)
{
    static struct chunk chunk;
    const struct weir_text everything = WEIR_TEXT("");
    enum weir_reason reason = WEIR_STALE;

    requests_stage(requests, &chunk);
    *rules =
        (struct rival_rules){.operations = WEIR_OPERATIONS_ALL, .basins = WEIR_TEXT(BROKER_BASINS)};
    engines_must(weir_narrow(chunk.tokens[0], WEIR_LIST_STREAMS, chunk.questions[0].request.basin,
                             everything, BENCH_NOW, NULL, &reason, &rules->listing, NULL),
                 "listing a token's rules");
    engines_must(reason == WEIR_ALLOWED && rules->listing->exact_count == 0 ? WEIR_OK
                                                                            : WEIR_ERROR_ARGUMENT,
                 "a token of prefixes");
    rules->prefixes = rules->listing->prefixes;
    rules->count = rules->listing->prefix_count;
}

void rival_rules_free(struct rival_rules *rules)
{
    weir_listing_free(rules->listing);
}

void rival_rules_run(struct requests *requests, rounds_pass *pass, struct bench_round *round)
{
    static const struct rounds_effort effort = {.warm = 200, .timed = 800};

    rounds_run(requests, effort, pass, true, round);
}
