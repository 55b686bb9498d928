/* directory.h - a directory that somebody publishes, followed. */
#ifndef WEIR_COMMAND_DIRECTORY_H
#define WEIR_COMMAND_DIRECTORY_H

#include <stdbool.h>
#include <stdint.h>

#include <weir/follow.h>

#include "options.h"
#include "output.h"

/* Begins as all zero. */
struct directory {
    const char *path;
    struct weir_follower *follower; /* NULL while none is followed */
    uint64_t looked;                /* when it was last looked whether to adopt a snapshot */
    bool failing;                   /* the last poll failed, which has been reported */
};

/* Follows the directory; `observer` may be NULL. On an error, which is reported, returns false. */
bool directory_open(struct directory *directory, const char *path, const struct options *options,
                    weir_change_observer *observer, void *context);

/* Whether what is remembered beside the snapshot is much, and there is a newer one without it. */
bool directory_outgrown(const struct weir_follower_standing *status);

/*
 * Applies what was published by now, `boot`. A failure is reported when it begins: what is known
 * goes on being answered from until the lease ends. Adopts a newer snapshot where that is worth it.
 */
void directory_poll(struct directory *directory, uint64_t boot);

void directory_close(struct directory *directory);

/* How a followed directory stands at a time since boot. */
struct standing {
    struct weir_follower_standing status;
    bool heard;   /* a heartbeat, of this boot of the machine */
    bool fresh;   /* so that it may be answered from */
    uint64_t age; /* of the heartbeat, in nanoseconds */
};

struct standing standing_of(const struct weir_follower *follower, uint64_t boot);

/* Where a follower has nothing to answer from, how long for: `no heartbeat for 3.141 s, and the
 * lease is 2 s`. */
struct staleness {
    char text[160];
};
struct staleness staleness_of(const struct standing *standing);

/* The engine as it was when it was last fresh, for those who do not decide anything by it; NULL if
 * it never was. */
const struct weir_engine *directory_engine_last_fresh(const struct directory *directory);

#endif
