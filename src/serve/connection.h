/* connection.h - the connections that are open, what each is about, and by when it has to be. */
#ifndef WEIR_SERVE_CONNECTION_H
#define WEIR_SERVE_CONNECTION_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include <weir/authority.h>
#include <weir/credential.h>

#include "serve/answer.h"
#include "serve/buffer.h"
#include "serve/decode.h"
#include "serve/lane.h"
#include "serve/target.h"

struct server;
struct connection;

/* The longest URI: a query of two ids, every byte of them as three, and room to spare. */
#define URI_MAX 2047

/* Seconds within which a request has to be there from its first line on, the first request of a
 * connection from its beginning on; for which a connection may be idle; within which an answer has
 * to be taken. */
#define SECONDS_TO_SEND 10
#define SECONDS_IDLE 60
#define SECONDS_TO_TAKE 60

/* A request's call, while a worker makes it and MHD waits. */
struct call_job {
    struct job job; /* first */
    struct connection *connection;
    struct MHD_Connection *mhd;
};

struct request {
    bool begun;     /* its first line has been read, and it is not yet answered */
    bool presented; /* its headers have been read, too */
    bool refused;   /* `answer` is known already */
    bool concluded; /* ... and recorded: it is to be sent */
    bool chunked;   /* its body, so that the connection ends with it */
    bool has_authorization;
    size_t uri_length; /* more than URI_MAX: of one that was not kept */
    char uri[URI_MAX + 1];
    size_t credential_length;
    char credential[WEIR_CREDENTIAL_LENGTH]; /* nothing, unless it is as long as that */
    struct target target;
    enum encoding encoding;
    struct lane *lane; /* its requestor's; NULL: none */
    struct call_job call;
    uint64_t began;    /* when it had been read, on the monotonic clock */
    uint64_t received; /* bytes of its body, those dropped included */
    struct buffer body;
    struct answer answer;
    struct weir_audit audit;
    uint64_t revoked; /* tokens, by this request */
};

struct connection {
    struct server *server;
    struct connection *next;
    struct connection *previous;
    int descriptor;
    uint64_t deadline; /* on the monotonic clock, in nanoseconds; 0: none */
    bool answers;      /* what it has not taken of an answer is all that is waited for */
    enum site_kind site;
    bool peer_is_operator; /* of the operator's socket, and its user is ours, or root */
    char peer[64];         /* `127.0.0.1:40000`, `uid:1000` */
    struct request request;
};

/* All of them. Any thread. */
struct connections {
    pthread_mutex_t lock;
    struct connection *first;
    uint64_t count;
    uint64_t requests; /* that are begun */
    bool closing;      /* connections are not kept for another request */
};

void connections_init(struct connections *connections);
void connections_fini(struct connections *connections);

/* NULL: there is no memory. */
struct connection *connection_new(struct server *server, struct connections *connections,
                                  int descriptor, enum site_kind site);
void connection_free(struct connections *connections, struct connection *connection);

/* It has so many seconds from now for what comes next; 0: any time. */
void connection_expect(struct connections *connections, struct connection *connection,
                       unsigned seconds);

/* It has so many seconds from now to take an answer, whatever else it sends meanwhile. */
void connection_answer(struct connections *connections, struct connection *connection,
                       unsigned seconds);

/* A request has begun, or has come to its end, whatever that was. */
void connection_begin_request(struct connections *connections, struct connection *connection);
void connection_end_request(struct connections *connections, struct connection *connection);

/* Shuts down those whose time is over: what reads from them then finds their end. */
void connections_reap(struct connections *connections);

/* From now on connections are not kept. */
void connections_begin_closing(struct connections *connections);

struct connection_counts {
    uint64_t connections;
    uint64_t requests;
    uint64_t calls; /* connections that wait for us */
    bool closing;
};
struct connection_counts connections_count(struct connections *connections);

#endif
