/* explain_directory.c - how the directory stands from which an answer comes. */
#include <inttypes.h>

#include "explain.h"
#include "words.h"

static void write_heartbeat(struct output *output, const struct standing *standing)
{
    if (standing->heard) {
        output_format(output, "confirmed %.3f s ago (lease %g s)\n", seconds_of(standing->age),
                      seconds_of(standing->status.lease));
    } else {
        output_string(output, "not confirmed since the machine last booted\n");
    }
}

void explain_directory(struct output *output, const struct inquiry *inquiry)
{
    struct standing standing =
        standing_of(inquiry->tokens->directory.follower, weir_clocks_now().boot);

    output_format(output, "as of    change %" PRIu64 ", ", standing.status.sequence);
    write_heartbeat(output, &standing);
    if (inquiry->decision.reason == WEIR_STALE) {
        output_format(output,
                      "\nthere was %s;\nthe publisher has ended or stands still, so changes made "
                      "since may be unknown here.\nUntil it is heard of again everything is "
                      "denied.\n",
                      staleness_of(&standing).text);
    }
}
