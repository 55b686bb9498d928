#include "heartbeat.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

/* Twice as many as a lease needs, so that one may be late. */
#define HEARTBEATS_A_LEASE 8

static void *give(void *context)
{
    const struct heartbeat *heartbeat = context;
    uint64_t pause = weir_publisher_lease(heartbeat->publisher) / HEARTBEATS_A_LEASE;
    struct timespec timeout = {(time_t)(pause / 1000000000), (long)(pause % 1000000000)};
    struct pollfd ended = {.fd = heartbeat->ended, .events = POLLIN};

    do {
        weir_publisher_heartbeat(heartbeat->publisher);
    } while (ppoll(&ended, 1, &timeout, NULL) <= 0);
    return NULL;
}

bool heartbeat_start(struct heartbeat *heartbeat, struct weir_publisher *publisher)
{
    int error = 0;

    heartbeat->publisher = publisher;
    weir_publisher_heartbeat(publisher);
    heartbeat->ended = eventfd(0, EFD_CLOEXEC);
    if (heartbeat->ended < 0) {
        return false;
    }
    error = pthread_create(&heartbeat->thread, NULL, give, heartbeat);
    if (error != 0) {
        (void)close(heartbeat->ended);
        errno = error;
    }
    return error == 0;
}

void heartbeat_stop(struct heartbeat *heartbeat)
{
    const uint64_t one = 1;

    (void)!write(heartbeat->ended, &one, sizeof one);
    (void)pthread_join(heartbeat->thread, NULL);
    (void)close(heartbeat->ended);
}
