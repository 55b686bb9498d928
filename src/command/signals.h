/* signals.h - SIGINT and SIGTERM, waited for beside everything else that is waited for. */
#ifndef WEIR_COMMAND_SIGNALS_H
#define WEIR_COMMAND_SIGNALS_H

#include <stdbool.h>

/* From now on the two no longer end the process; the descriptor becomes readable when one comes. To
 * be called before any thread is started. -1 on an error, for which errno is set. */
int signals_open(void);

enum awaited {
    AWAITED_NOTHING, /* in that time */
    AWAITED_SIGNAL,
    AWAITED_OTHER, /* there is something to read, or nobody reads what is written any more */
    AWAITED_ERROR  /* errno is set */
};

/* Waits until `descriptor` can be read, a signal comes, or `milliseconds` have passed (-1: for
 * ever). A descriptor of -1 is none. */
enum awaited signals_await_input(int signals, int descriptor, int milliseconds);

/* Likewise until nobody reads from `descriptor`, a pipe or socket, any more. */
enum awaited signals_await_closing(int signals, int descriptor, int milliseconds);

#endif
