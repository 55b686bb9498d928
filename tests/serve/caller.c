#include "serve/caller.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

/* A server that lives answers before that. */
#define TIMEOUT_SECONDS 60

void caller_init(struct caller *caller)
{
    caller->socket = -1;
}

void caller_disconnect(struct caller *caller)
{
    if (caller->socket >= 0) {
        (void)close(caller->socket);
    }
    caller->socket = -1;
}

bool caller_connect(struct caller *caller, const char *path)
{
    const struct timeval timeout = {.tv_sec = TIMEOUT_SECONDS};
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    caller_disconnect(caller);
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    caller->socket = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (caller->socket < 0 ||
        setsockopt(caller->socket, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout) != 0 ||
        connect(caller->socket, (const struct sockaddr *)&address, sizeof address) != 0) {
        caller_disconnect(caller);
        return false;
    }
    return true;
}

static bool send_all(const struct caller *caller, const char *bytes, size_t length)
{
    ssize_t sent = 1;

    for (; length > 0 && sent > 0; length -= (size_t)sent, bytes += sent) {
        sent = send(caller->socket, bytes, length, MSG_NOSIGNAL);
        if (sent <= 0) {
            return false;
        }
    }
    return true;
}

static bool send_request(const struct caller *caller, const char *method, const char *path,
                         const char *credential, const char *body)
{
    char request[2048];
    int length = snprintf(request, sizeof request,
                          "%s %s HTTP/1.1\r\nHost: weir\r\nAuthorization: Bearer %s\r\n"
                          "Content-Length: %zu\r\n\r\n%s",
                          method, path, credential, body != NULL ? strlen(body) : 0,
                          body != NULL ? body : "");

    return length > 0 && (size_t)length < sizeof request &&
           send_all(caller, request, (size_t)length);
}

/* How long the answer is whose head has come; 0: it has not. */
static size_t answer_length(struct caller *caller)
{
    static const char name[] = "\r\nContent-Length: ";
    const char *end = strstr(caller->answer, "\r\n\r\n");
    const char *length = strstr(caller->answer, name);

    if (end == NULL) {
        return 0;
    }
    caller->body = end + 4;
    return (size_t)(caller->body - caller->answer) +
           (length != NULL && length < end ? strtoul(length + sizeof name - 1, NULL, 10) : 0);
}

static bool receive_answer(struct caller *caller)
{
    size_t expected = 0;

    caller->length = 0;
    do {
        size_t room = sizeof caller->answer - 1 - caller->length;
        ssize_t received = recv(caller->socket, caller->answer + caller->length, room, 0);

        if (received <= 0) {
            return false;
        }
        caller->length += (size_t)received;
        caller->answer[caller->length] = '\0';
        expected = answer_length(caller);
    } while (expected == 0 || caller->length < expected);
    return sscanf(caller->answer, "HTTP/1.1 %d ", &caller->status) == 1;
}

bool caller_ask(struct caller *caller, const char *method, const char *path, const char *credential,
                const char *body)
{
    if (!send_request(caller, method, path, credential, body) || !receive_answer(caller)) {
        caller_disconnect(caller);
        return false;
    }
    return true;
}
