#include "authority/server.h"

#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

pid_t server_start(const struct server_place *place)
{
    char address[400];
    pid_t process = 0;

    (void)snprintf(address, sizeof address, "unix:%s", place->api);
    process = fork();
    if (process == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)execl(place->program, "weir", "serve", "--store", place->store, "--publish",
                    place->directory, "--listen", address, "--log", place->log,
                    place->lease != NULL ? "--lease" : NULL, place->lease, NULL);
        _exit(127);
    }
    return process;
}
