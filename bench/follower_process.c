#include "follower_process.h"

#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <weir/follow.h>

#include "engines.h"
#include "times.h"
#include "tokens.h"

#define FLAG "--follow"

/* Nanoseconds that it waits for a change at a time. */
#define PATIENCE UINT64_C(100000000)

/* And after which it gives up asking about a token. */
#define GIVING_UP UINT64_C(10000000000)

struct order {
    enum follower_task task;
    uint64_t token;
};

/*
 * ---- The process that starts it ----
 */

/* Runs this program with the socket as its standard input. */
static pid_t spawn(const char *path, int socket)
{
    char program[] = "/proc/self/exe";
    char flag[] = FLAG;
    char *argument = strdup(path);
    char *arguments[] = {program, flag, argument, NULL};
    posix_spawn_file_actions_t actions;
    pid_t id = 0;
    bool started = posix_spawn_file_actions_init(&actions) == 0 &&
                   posix_spawn_file_actions_adddup2(&actions, socket, STDIN_FILENO) == 0 &&
                   posix_spawn(&id, program, &actions, NULL, arguments, environ) == 0;

    engines_must(started ? WEIR_OK : WEIR_ERROR_IO, "starting a process");
    (void)posix_spawn_file_actions_destroy(&actions);
    free(argument);
    return id;
}

struct follower_process follower_process_start(const char *path)
{
    struct follower_process process;
    int sockets[2];

    engines_must(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) == 0
                     ? WEIR_OK
                     : WEIR_ERROR_IO,
                 "connecting a process");
    process.id = spawn(path, sockets[1]);
    process.socket = sockets[0];
    (void)close(sockets[1]);
    return process;
}

void follower_process_end(struct follower_process *process)
{
    (void)close(process->socket);
    (void)waitpid(process->id, NULL, 0);
}

void follower_process_tell(const struct follower_process *process, enum follower_task task,
                           uint64_t token)
{
    struct order order;

    memset(&order, 0, sizeof order);
    order.task = task;
    order.token = token;
    (void)send(process->socket, &order, sizeof order, MSG_NOSIGNAL);
}

struct follower_report follower_process_hear(const struct follower_process *process)
{
    struct follower_report report = {.failed = true};

    if (recv(process->socket, &report, sizeof report, 0) != (ssize_t)sizeof report) {
        report.failed = true;
    }
    engines_must(report.failed ? WEIR_ERROR_IO : WEIR_OK, "following in another process");
    return report;
}

/*
 * ---- The process itself ----
 */

static void say(struct follower_report report)
{
    (void)send(STDIN_FILENO, &report, sizeof report, MSG_NOSIGNAL);
}

/* A question to which the answer is yes as long as the token is there. */
static void question_make(uint64_t token, struct names *names, char basin[48],
                          struct weir_question *question)
{
    names_make(token, names);
    memset(basin, 'x', 48);
    memcpy(basin, names->bytes + names->id_length, names->basin_length);
    *question = (struct weir_question){
        .token_id = {names->bytes, names->id_length},
        .request = {.operation = WEIR_APPEND,
                    .basin = {basin, 24},
                    .stream = {names->bytes + names->id_length + names->basin_length,
                               names->stream_length}},
    };
}

/* A turn of a host's loop: polls, and asks. */
static enum weir_reason ask(struct weir_follower *follower, const struct weir_question *question,
                            struct weir_clocks now, bool *failed)
{
    *failed |= weir_follower_poll(follower, now.boot, 0, NULL) != WEIR_OK;
    return weir_follower_check(follower, question->token_id, &question->request, now);
}

static struct follower_report watch(struct weir_follower *follower, uint64_t token, bool sleeps)
{
    struct weir_clocks now = weir_clocks_now();
    uint64_t end = now.boot + GIVING_UP;
    struct follower_report report = {0};
    enum weir_reason reason = WEIR_ALLOWED;
    struct weir_question question;
    struct names names;
    char basin[48];

    question_make(token, &names, basin, &question);
    report.failed = ask(follower, &question, now, &report.failed) != WEIR_ALLOWED;
    say(report);
    while (reason == WEIR_ALLOWED && !report.failed) {
        if (sleeps) {
            (void)weir_follower_wait(follower, PATIENCE);
        }
        now = weir_clocks_now();
        reason = ask(follower, &question, now, &report.failed);
        report.failed |= now.boot > end;
    }
    report.ticks = times_ticks();
    report.failed |= reason != WEIR_UNKNOWN_TOKEN;
    return report;
}

static struct follower_report obey(struct weir_follower **follower, const char *path,
                                   const struct order *order)
{
    struct follower_report report = {0};

    if (order->task == FOLLOWER_OPEN) {
        report.failed = weir_follower_open(path, NULL, follower, NULL) != WEIR_OK;
    } else if (order->task == FOLLOWER_POLL) {
        report.failed = weir_follower_poll(*follower, weir_clocks_now().boot, 0, NULL) != WEIR_OK;
        report.own_bytes = weir_follower_status(*follower).usage.own_bytes;
    } else {
        report = watch(*follower, order->token, order->task == FOLLOWER_SLEEP);
    }
    return report;
}

/* Until the other process closes the socket, or ends. */
bool follower_process_run(int argc, char **argv, int *result)
{
    struct weir_follower *follower = NULL;
    struct order order;

    if (argc != 3 || strcmp(argv[1], FLAG) != 0) {
        return false;
    }
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    while (recv(STDIN_FILENO, &order, sizeof order, 0) == (ssize_t)sizeof order) {
        say(obey(&follower, argv[2], &order));
    }
    weir_follower_close(follower);
    *result = EXIT_SUCCESS;
    return true;
}
