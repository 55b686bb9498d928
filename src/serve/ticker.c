#include "serve/ticker.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

static void *run(void *context)
{
    const struct ticker *ticker = context;
    struct timespec pause = {(time_t)(ticker->pause / 1000000000),
                             (long)(ticker->pause % 1000000000)};
    struct pollfd ended = {.fd = ticker->ended, .events = POLLIN};

    while (ppoll(&ended, 1, &pause, NULL) <= 0) {
        ticker->tick(ticker->context);
    }
    return NULL;
}

bool ticker_start(struct ticker *ticker, uint64_t pause, void (*tick)(void *context), void *context)
{
    int error = 0;

    *ticker = (struct ticker){.tick = tick, .context = context, .pause = pause};
    tick(context);
    ticker->ended = eventfd(0, EFD_CLOEXEC);
    if (ticker->ended < 0) {
        return false;
    }
    error = pthread_create(&ticker->thread, NULL, run, ticker);
    if (error != 0) {
        (void)close(ticker->ended);
        errno = error;
    }
    return error == 0;
}

void ticker_stop(struct ticker *ticker)
{
    const uint64_t one = 1;

    (void)!write(ticker->ended, &one, sizeof one);
    (void)pthread_join(ticker->thread, NULL);
    (void)close(ticker->ended);
}
