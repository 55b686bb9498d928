#include "serve/connection.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "serve/server.h"

void connections_init(struct connections *connections)
{
    *connections = (struct connections){.first = NULL};
    (void)pthread_mutex_init(&connections->lock, NULL);
}

void connections_fini(struct connections *connections)
{
    (void)pthread_mutex_destroy(&connections->lock);
}

/* Who is at the other end: an address, or a user of this machine. */
static void find_peer(struct connection *connection)
{
    struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
    socklen_t size = sizeof address;
    struct ucred user;
    socklen_t user_size = sizeof user;
    char host[40] = "?";
    char port[8] = "?";

    (void)snprintf(connection->peer, sizeof connection->peer, "?");
    if (getpeername(connection->descriptor, (struct sockaddr *)&address, &size) != 0) {
        return;
    }
    if (address.ss_family != AF_UNIX) {
        (void)getnameinfo((struct sockaddr *)&address, size, host, sizeof host, port, sizeof port,
                          NI_NUMERICHOST | NI_NUMERICSERV);
        (void)snprintf(connection->peer, sizeof connection->peer,
                       address.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
    } else if (getsockopt(connection->descriptor, SOL_SOCKET, SO_PEERCRED, &user, &user_size) ==
               0) {
        (void)snprintf(connection->peer, sizeof connection->peer, "uid:%u", (unsigned)user.uid);
        connection->peer_is_operator =
            connection->site == SITE_OPERATOR && (user.uid == 0 || user.uid == geteuid());
    }
}

static uint64_t deadline_in(unsigned seconds)
{
    return seconds > 0 ? clock_now() + (uint64_t)seconds * 1000000000 : 0;
}

struct connection *connection_new(struct server *server, struct connections *connections,
                                  int descriptor, enum site_kind site)
{
    struct connection *connection = calloc(1, sizeof *connection);

    if (connection == NULL) {
        return NULL;
    }
    connection->server = server;
    connection->descriptor = descriptor;
    connection->site = site;
    connection->deadline = deadline_in(SECONDS_TO_SEND);
    find_peer(connection);
    (void)pthread_mutex_lock(&connections->lock);
    connection->next = connections->first;
    if (connection->next != NULL) {
        connection->next->previous = connection;
    }
    connections->first = connection;
    connections->count++;
    (void)pthread_mutex_unlock(&connections->lock);
    return connection;
}

void connection_free(struct connections *connections, struct connection *connection)
{
    connection_end_request(connections, connection);
    (void)pthread_mutex_lock(&connections->lock);
    if (connection->previous != NULL) {
        connection->previous->next = connection->next;
    } else {
        connections->first = connection->next;
    }
    if (connection->next != NULL) {
        connection->next->previous = connection->previous;
    }
    connections->count--;
    (void)pthread_mutex_unlock(&connections->lock);
    free(connection);
}

static void set_deadline(struct connections *connections, struct connection *connection,
                         unsigned seconds, bool answers)
{
    uint64_t deadline = deadline_in(seconds);

    (void)pthread_mutex_lock(&connections->lock);
    connection->deadline = deadline;
    connection->answers = answers;
    (void)pthread_mutex_unlock(&connections->lock);
}

void connection_expect(struct connections *connections, struct connection *connection,
                       unsigned seconds)
{
    set_deadline(connections, connection, seconds, false);
}

void connection_answer(struct connections *connections, struct connection *connection,
                       unsigned seconds)
{
    set_deadline(connections, connection, seconds, true);
}

void connection_begin_request(struct connections *connections, struct connection *connection)
{
    connection_end_request(connections, connection);
    connection->request = (struct request){.begun = true};
    (void)pthread_mutex_lock(&connections->lock);
    connections->requests++;
    (void)pthread_mutex_unlock(&connections->lock);
}

void connection_end_request(struct connections *connections, struct connection *connection)
{
    struct request *request = &connection->request;

    if (!request->begun) {
        return;
    }
    buffer_release(&request->body);
    answer_release(&request->answer);
    if (request->lane != NULL) {
        lane_leave(request->lane);
    }
    weir_wipe(request, sizeof *request);
    (void)pthread_mutex_lock(&connections->lock);
    connections->requests--;
    (void)pthread_mutex_unlock(&connections->lock);
}

/* Whether it has sent what we have not read: then it is us that the other waits for. */
static bool waits_for_us(const struct connection *connection)
{
    int unread = 0;

    return !connection->answers && ioctl(connection->descriptor, FIONREAD, &unread) == 0 &&
           unread > 0;
}

void connections_reap(struct connections *connections)
{
    uint64_t now = clock_now();

    (void)pthread_mutex_lock(&connections->lock);
    for (struct connection *each = connections->first; each != NULL; each = each->next) {
        if (each->deadline != 0 && now >= each->deadline && !waits_for_us(each)) {
            (void)shutdown(each->descriptor, SHUT_RDWR);
        }
    }
    (void)pthread_mutex_unlock(&connections->lock);
}

void connections_begin_closing(struct connections *connections)
{
    (void)pthread_mutex_lock(&connections->lock);
    connections->closing = true;
    (void)pthread_mutex_unlock(&connections->lock);
}

struct connection_counts connections_count(struct connections *connections)
{
    struct connection_counts counts;

    (void)pthread_mutex_lock(&connections->lock);
    counts = (struct connection_counts){.connections = connections->count,
                                        .requests = connections->requests,
                                        .closing = connections->closing};
    for (const struct connection *each = connections->first; each != NULL; each = each->next) {
        counts.calls += each->deadline == 0;
    }
    (void)pthread_mutex_unlock(&connections->lock);
    return counts;
}
