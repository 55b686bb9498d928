/* notify.h - telling systemd how far we are (sd_notify(3), without its library). */
#ifndef WEIR_SERVE_NOTIFY_H
#define WEIR_SERVE_NOTIFY_H

#include <stdbool.h>

/* Sends a state such as "READY=1" to the socket that the environment names; nothing where it names
 * none. False on an error, for which errno is set. */
bool notify(const char *state);

#endif
