/* heartbeat.h - a thread that does nothing but give a publisher's heartbeats. */
#ifndef WEIR_COMMAND_HEARTBEAT_H
#define WEIR_COMMAND_HEARTBEAT_H

#include <pthread.h>
#include <stdbool.h>

#include <weir/publish.h>

struct heartbeat {
    struct weir_publisher *publisher;
    pthread_t thread;
    int ended; /* a descriptor that becomes readable when the thread is to end */
};

/* Starts the thread. False on an error, for which errno is set. */
bool heartbeat_start(struct heartbeat *heartbeat, struct weir_publisher *publisher);

/* Ends the thread, and waits for its end. */
void heartbeat_stop(struct heartbeat *heartbeat);

#endif
