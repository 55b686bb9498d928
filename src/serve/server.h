/* server.h - what all requests have in common. */
#ifndef WEIR_SERVE_SERVER_H
#define WEIR_SERVE_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include <microhttpd.h>

#include <weir/authority.h>

#include "serve/connection.h"
#include "serve/lane.h"
#include "serve/listener.h"
#include "serve/log.h"
#include "serve/metrics.h"
#include "serve/record.h"
#include "serve/ticker.h"

/* All bodies and lists that are held at one time. */
#define BUFFERED_MAX ((size_t)64 << 20)

/* A listener at work. */
struct site {
    struct server *server;
    struct listener listener;
    struct MHD_Daemon *daemon; /* NULL: not yet, or no more */
    enum site_kind kind;
};

/* What was last seen of how far publishing is behind. */
struct lag {
    pthread_mutex_t lock;
    uint64_t published;
    bool lasts; /* nothing was published for a second, and something is to be */
    uint64_t failures;
};

struct server {
    struct weir_authority *authority;
    struct log log;
    struct record audit;
    struct metrics metrics;
    struct lanes lanes;
    struct connections connections;
    struct lag lag;
    struct ticker heartbeat;
    struct ticker maintenance;
    bool beats;
    struct site sites[LISTENERS_MAX + 1];
    size_t site_count;
};

/* Nanoseconds, on a clock that only goes on. */
uint64_t clock_now(void);

#endif
