#include "directory.h"

#include <errno.h>
#include <stdio.h>

#include "report.h"
#include "words.h"

/* A snapshot is adopted for the sake of more tokens than these beside the one in use, if they are
 * more than one in so many of all. */
#define OWN_TOKENS_MIN 1000
#define OWN_TOKENS_SHARE 8

/* How often it is looked whether to adopt, in nanoseconds. */
#define NANOSECONDS_BETWEEN UINT64_C(1000000000)

static bool report_opening(const char *path, const struct weir_error *error)
{
    if (error->status != WEIR_ERROR_NOT_FOUND) {
        return report_error(path, error);
    }
    return error->place[0] != '\0' ? report(path, "Is a directory, and nothing is published in it")
                                   : report_errno(path, ENOENT);
}

bool directory_open(struct directory *directory, const char *path, const struct options *options,
                    weir_change_observer *observer, void *context)
{
    struct weir_follower_options how = {
        .owner = options->owner,
        .observer = observer,
        .observer_context = context,
    };
    struct weir_error error = {0};

    *directory = (struct directory){.path = path};
    return weir_follower_open(path, &how, &directory->follower, &error) == WEIR_OK ||
           report_opening(path, &error);
}

bool directory_outgrown(const struct weir_follower_standing *status)
{
    return status->newest_snapshot != status->snapshot &&
           status->usage.own_tokens > OWN_TOKENS_MIN &&
           status->usage.own_tokens > status->usage.tokens / OWN_TOKENS_SHARE;
}

static enum weir_status adopt_if_worth_it(struct directory *directory, uint64_t boot,
                                          struct weir_error *error)
{
    struct weir_follower_standing status;

    if (boot - directory->looked < NANOSECONDS_BETWEEN) {
        return WEIR_OK;
    }
    directory->looked = boot;
    status = weir_follower_status(directory->follower);
    return directory_outgrown(&status) ? weir_follower_adopt(directory->follower, error) : WEIR_OK;
}

void directory_poll(struct directory *directory, uint64_t boot)
{
    struct weir_error error = {0};
    enum weir_status status = weir_follower_poll(directory->follower, boot, 0, &error);

    if (status == WEIR_OK) {
        status = adopt_if_worth_it(directory, boot, &error);
    }
    if (status != WEIR_OK && !directory->failing) {
        (void)report_error(directory->path, &error);
    }
    directory->failing = status != WEIR_OK;
}

void directory_close(struct directory *directory)
{
    weir_follower_close(directory->follower);
    directory->follower = NULL;
}

struct standing standing_of(const struct weir_follower *follower, uint64_t boot)
{
    struct weir_follower_standing status = weir_follower_status(follower);

    return (struct standing){
        .status = status,
        .heard = status.heartbeat != 0,
        .fresh = weir_follower_engine(follower, boot) != NULL,
        .age = boot > status.heartbeat ? boot - status.heartbeat : 0,
    };
}

struct staleness staleness_of(const struct standing *standing)
{
    struct staleness staleness;

    if (!standing->heard) {
        (void)snprintf(staleness.text, sizeof staleness.text,
                       "no heartbeat since the machine last booted");
        return staleness;
    }
    (void)snprintf(staleness.text, sizeof staleness.text,
                   "no heartbeat for %.3f s, and the lease is %g s", seconds_of(standing->age),
                   seconds_of(standing->status.lease));
    return staleness;
}

const struct weir_engine *directory_engine_last_fresh(const struct directory *directory)
{
    uint64_t heartbeat = weir_follower_status(directory->follower).heartbeat;

    return weir_follower_engine(directory->follower, heartbeat);
}
