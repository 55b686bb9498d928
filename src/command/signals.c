#include "signals.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>

int signals_open(void)
{
    sigset_t set;

    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGTERM);
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0) {
        return -1;
    }
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static enum awaited await(int signals, int descriptor, short events, int milliseconds)
{
    struct pollfd awaited[] = {
        {.fd = signals, .events = POLLIN},
        {.fd = descriptor, .events = events},
    };
    int count = 0;

    do {
        count = poll(awaited, 2, milliseconds);
    } while (count < 0 && errno == EINTR);
    if (count < 0) {
        return AWAITED_ERROR;
    }
    if (awaited[0].revents != 0) {
        return AWAITED_SIGNAL;
    }
    return awaited[1].revents != 0 ? AWAITED_OTHER : AWAITED_NOTHING;
}

enum awaited signals_await_input(int signals, int descriptor, int milliseconds)
{
    return await(signals, descriptor, POLLIN, milliseconds);
}

enum awaited signals_await_closing(int signals, int descriptor, int milliseconds)
{
    return await(signals, descriptor, 0, milliseconds);
}
