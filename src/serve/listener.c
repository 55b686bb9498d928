#include "serve/listener.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <weir/name.h>

#include "vocabulary/failure.h"

#define UNIX_PREFIX "unix:"

/* The most bytes of a host's name or number. */
#define HOST_MAX 255

static void name_unix(struct listener *listener, const char *path)
{
    char quoted[LISTENER_NAME_SIZE - sizeof UNIX_PREFIX];

    (void)weir_quote((struct weir_text){path, strlen(path)}, quoted, sizeof quoted);
    (void)snprintf(listener->name, sizeof listener->name, UNIX_PREFIX "%s", quoted);
}

/* Why it could not be listened on; closes the socket. */
static enum weir_status fail(struct listener *listener, const char *what, struct weir_error *error)
{
    int number = errno;

    if (listener->descriptor >= 0) {
        (void)close(listener->descriptor);
        listener->descriptor = -1;
    }
    return weir_fail(error, number == EADDRINUSE ? WEIR_ERROR_BUSY : WEIR_ERROR_IO, "%s: %s: %s",
                     listener->name, what, strerror(number));
}

/*
 * ---- Unix sockets ----
 */

/* Removes the socket at the address, unless somebody answers there. */
static bool remove_stale(const struct sockaddr_un *address)
{
    struct stat status;
    int descriptor = -1;
    bool stale = false;

    if (lstat(address->sun_path, &status) != 0 || !S_ISSOCK(status.st_mode)) {
        return false;
    }
    descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (descriptor < 0) {
        return false;
    }
    stale = connect(descriptor, (const struct sockaddr *)address, sizeof *address) != 0 &&
            errno == ECONNREFUSED;
    (void)close(descriptor);
    return stale && unlink(address->sun_path) == 0;
}

static bool bind_unix(int descriptor, const struct sockaddr_un *address, mode_t mode)
{
    mode_t before = umask((mode_t)~mode & 0777);
    bool bound = bind(descriptor, (const struct sockaddr *)address, sizeof *address) == 0;

    if (!bound && errno == EADDRINUSE) {
        bound = remove_stale(address) &&
                bind(descriptor, (const struct sockaddr *)address, sizeof *address) == 0;
        errno = bound ? 0 : EADDRINUSE;
    }
    (void)umask(before);
    return bound;
}

enum weir_status listener_open_unix(struct listener *listener, const char *path, bool private,
                                    struct weir_error *error)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct stat status;

    *listener = (struct listener){.descriptor = -1};
    name_unix(listener, path);
    if (path[0] == '\0' || strlen(path) >= sizeof address.sun_path) {
        return weir_fail(error, WEIR_ERROR_ARGUMENT, "%s: a socket's path has 1 to %zu bytes",
                         listener->name, sizeof address.sun_path - 1);
    }
    memcpy(address.sun_path, path, strlen(path));
    listener->descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (listener->descriptor < 0 ||
        !bind_unix(listener->descriptor, &address, private ? 0600 : 0666)) {
        return fail(listener, "cannot make the socket", error);
    }
    if (listen(listener->descriptor, SOMAXCONN) != 0 || lstat(path, &status) != 0) {
        return fail(listener, "cannot listen", error);
    }
    listener->path = path;
    listener->device = status.st_dev;
    listener->file = status.st_ino;
    return WEIR_OK;
}

/*
 * ---- Hosts and ports ----
 */

static bool is_loopback(const struct sockaddr *address)
{
    const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)(const void *)address;
    const struct sockaddr_in *four = (const struct sockaddr_in *)(const void *)address;

    if (address->sa_family == AF_INET) {
        return ntohl(four->sin_addr.s_addr) >> 24 == 127;
    }
    return IN6_IS_ADDR_LOOPBACK(&six->sin6_addr) ||
           (IN6_IS_ADDR_V4MAPPED(&six->sin6_addr) && six->sin6_addr.s6_addr[12] == 127);
}

/* The address that it has, which tells the port if any would do. */
static void name_host(struct listener *listener, const struct sockaddr *address, socklen_t size)
{
    char host[64] = "?";
    char port[8] = "?";

    (void)getnameinfo(address, size, host, sizeof host, port, sizeof port,
                      NI_NUMERICHOST | NI_NUMERICSERV);
    (void)snprintf(listener->name, sizeof listener->name,
                   address->sa_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
}

static enum weir_status open_host(struct listener *listener, const struct addrinfo *found,
                                  struct weir_error *error)
{
    const int one = 1;
    struct sockaddr_storage bound = {.ss_family = AF_UNSPEC};
    socklen_t size = sizeof bound;

    *listener = (struct listener){
        .descriptor = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    name_host(listener, found->ai_addr, found->ai_addrlen);
    if (listener->descriptor < 0 ||
        setsockopt(listener->descriptor, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0 ||
        (found->ai_family == AF_INET6 &&
         setsockopt(listener->descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one) != 0) ||
        bind(listener->descriptor, found->ai_addr, found->ai_addrlen) != 0 ||
        listen(listener->descriptor, SOMAXCONN) != 0 ||
        getsockname(listener->descriptor, (struct sockaddr *)&bound, &size) != 0) {
        return fail(listener, "cannot listen", error);
    }
    name_host(listener, (const struct sockaddr *)&bound, size);
    return WEIR_OK;
}

static enum weir_status open_hosts(struct listener *listeners, size_t *count,
                                   const struct addrinfo *found, bool allow_remote,
                                   struct weir_error *error)
{
    for (; found != NULL; found = found->ai_next) {
        enum weir_status status = WEIR_OK;

        if (!allow_remote && !is_loopback(found->ai_addr)) {
            return weir_fail(error, WEIR_ERROR_DENIED,
                             "other machines reach it, and what is sent can be read on the way: "
                             "put TLS in front, or give --allow-remote");
        }
        if (*count == LISTENERS_MAX) {
            return weir_fail(error, WEIR_ERROR_LIMIT, "more than %d sockets", LISTENERS_MAX);
        }
        status = open_host(&listeners[*count], found, error);
        if (status != WEIR_OK) {
            return status;
        }
        (*count)++;
    }
    return WEIR_OK;
}

/* Splits `HOST:PORT`, `[HOST]:PORT`. */
static bool split(const char *address, char host[HOST_MAX + 1], const char **port)
{
    const char *colon = strrchr(address, ':');
    size_t length = colon != NULL ? (size_t)(colon - address) : 0;

    if (length > 2 && address[0] == '[' && colon[-1] == ']') {
        address++;
        length -= 2;
    }
    if (length == 0 || length > HOST_MAX || colon[1] == '\0' ||
        strspn(colon + 1, "0123456789") != strlen(colon + 1) || strlen(colon + 1) > 5 ||
        strtoul(colon + 1, NULL, 10) > UINT16_MAX) {
        return false;
    }
    memcpy(host, address, length);
    host[length] = '\0';
    *port = colon + 1;
    return true;
}

enum weir_status listeners_open(struct listener listeners[LISTENERS_MAX], size_t *count,
                                const char *address, bool allow_remote, struct weir_error *error)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    char host[HOST_MAX + 1];
    const char *port = NULL;
    enum weir_status status = WEIR_OK;
    int failure = 0;

    if (strncmp(address, UNIX_PREFIX, strlen(UNIX_PREFIX)) == 0) {
        if (*count == LISTENERS_MAX) {
            return weir_fail(error, WEIR_ERROR_LIMIT, "more than %d sockets", LISTENERS_MAX);
        }
        status =
            listener_open_unix(&listeners[*count], address + strlen(UNIX_PREFIX), false, error);
        *count += status == WEIR_OK;
        return status;
    }
    if (!split(address, host, &port)) {
        return weir_fail(error, WEIR_ERROR_ARGUMENT, "neither unix:PATH nor HOST:PORT");
    }
    failure = getaddrinfo(host, port, &hints, &found);
    if (failure != 0) {
        return weir_fail(error, WEIR_ERROR_IO, "%s", gai_strerror(failure));
    }
    status = open_hosts(listeners, count, found, allow_remote, error);
    freeaddrinfo(found);
    return status;
}

void listener_close(struct listener *listener)
{
    struct stat status;

    if (listener->descriptor >= 0) {
        (void)close(listener->descriptor);
        listener->descriptor = -1;
    }
    if (listener->path != NULL && lstat(listener->path, &status) == 0 &&
        status.st_dev == listener->device && status.st_ino == listener->file) {
        (void)unlink(listener->path);
    }
}
