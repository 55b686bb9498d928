/* ticker.h - a thread that does one thing again and again. */
#ifndef WEIR_SERVE_TICKER_H
#define WEIR_SERVE_TICKER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct ticker {
    void (*tick)(void *context);
    void *context;
    uint64_t pause; /* nanoseconds between the end of one and the next */
    pthread_t thread;
    int ended; /* a descriptor that becomes readable when the thread is to end */
};

/* Ticks once, and starts the thread. False on an error, for which errno is set. */
bool ticker_start(struct ticker *ticker, uint64_t pause, void (*tick)(void *context),
                  void *context);

/* Ends the thread, and waits for its end. */
void ticker_stop(struct ticker *ticker);

#endif
