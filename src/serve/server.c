#include "serve/server.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "serve/notify.h"
#include "serve/request.h"
#include "serve/serve.h"
#include "vocabulary/failure.h"

#define NANOSECONDS UINT64_C(1000000000)

/* Of a site that is public; they read and write, and leave what takes long to the workers. */
#define THREADS 4

/* Of the operator's, whose threads make its calls, and of the metrics'. */
#define FEW_THREADS 2
#define FEW_CONNECTIONS 64

/* Of each connection: its headers have to find room in it. */
#define CONNECTION_MEMORY ((size_t)32 << 10)

/* Versions before 1.0 then leave it to us to refuse what has no Host, and URIs with blanks; later
 * ones would let more pass. */
#define STRICTNESS (MHD_VERSION < 0x01000000 ? 0 : 1)

/* Seconds that what was begun has to be finished in, once the end has been asked for. */
#define SECONDS_TO_FINISH 30

/* Twice as many heartbeats as a lease needs, so that one may be late. */
#define HEARTBEATS_A_LEASE 8

uint64_t clock_now(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NANOSECONDS + (uint64_t)now.tv_nsec;
}

/*
 * ---- Threads that clients have no part in ----
 */

static void beat(void *context)
{
    weir_authority_heartbeat(context);
}

/* Notes whether a change has waited for longer than from one call to the next. */
static void note_lag(struct server *server, bool failed)
{
    struct weir_authority_standing facts = weir_authority_status(server->authority);

    (void)pthread_mutex_lock(&server->lag.lock);
    server->lag.lasts =
        facts.published != facts.sequence && facts.published == server->lag.published;
    server->lag.published = facts.published;
    server->lag.failures += failed;
    (void)pthread_mutex_unlock(&server->lag.lock);
}

static void maintain(void *context)
{
    struct server *server = context;
    struct weir_error error;
    bool failed = weir_authority_maintain(server->authority, &error) != WEIR_OK;

    if (failed) {
        log_error(&server->log, "maintenance", &error);
    }
    note_lag(server, failed);
}

static bool start_threads(struct server *server)
{
    uint64_t lease = weir_authority_status(server->authority).lease;

    if (lease > 0 &&
        !ticker_start(&server->heartbeat, lease / HEARTBEATS_A_LEASE, beat, server->authority)) {
        return false;
    }
    server->beats = lease > 0;
    if (ticker_start(&server->maintenance, NANOSECONDS, maintain, server)) {
        return true;
    }
    if (server->beats) {
        ticker_stop(&server->heartbeat);
    }
    return false;
}

static void stop_threads(struct server *server)
{
    ticker_stop(&server->maintenance);
    if (server->beats) {
        ticker_stop(&server->heartbeat);
    }
}

/*
 * ---- Sites ----
 */

__attribute__((format(printf, 2, 0))) static void log_http(void *context, const char *format,
                                                           va_list arguments)
{
    struct server *server = context;
    char message[512];

    (void)vsnprintf(message, sizeof message, format, arguments);
    message[strcspn(message, "\n")] = '\0';
    log_write_some(&server->log, LOG_LEVEL_WARNING, "http: %s", message);
}

static const char *describe(enum site_kind kind)
{
    switch (kind) {
    case SITE_OPERATOR:
        return " (operator)";
    case SITE_METRICS:
        return " (metrics)";
    default:
        return "";
    }
}

static bool start_site(struct site *site, unsigned threads, unsigned connections,
                       unsigned per_address)
{
    site->daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0, NULL, NULL,
        request_handle, site, MHD_OPTION_EXTERNAL_LOGGER, log_http, site->server,
        MHD_OPTION_LISTEN_SOCKET, site->listener.descriptor, MHD_OPTION_THREAD_POOL_SIZE, threads,
        MHD_OPTION_CONNECTION_LIMIT, connections, MHD_OPTION_PER_IP_CONNECTION_LIMIT, per_address,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)SECONDS_IDLE, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        CONNECTION_MEMORY, MHD_OPTION_STRICT_FOR_CLIENT, STRICTNESS, MHD_OPTION_NOTIFY_CONNECTION,
        request_connection_changed, site, MHD_OPTION_URI_LOG_CALLBACK, request_begin, site,
        MHD_OPTION_NOTIFY_COMPLETED, request_completed, site, MHD_OPTION_END);
    if (site->daemon == NULL) {
        return false;
    }
    log_write(&site->server->log, LOG_LEVEL_INFO, "listening on %s%s", site->listener.name,
              describe(site->kind));
    return true;
}

static void add_sites(struct server *server, enum site_kind kind, const struct listener *listeners,
                      size_t count)
{
    for (size_t i = 0; i < count; i++) {
        server->sites[server->site_count++] =
            (struct site){.server = server, .listener = listeners[i], .kind = kind};
    }
}

static enum weir_status open_sites(struct server *server, const struct serve_options *options,
                                   const char **about, struct weir_error *error)
{
    struct listener listeners[LISTENERS_MAX];
    struct listener operators;
    size_t count = 0;
    size_t public_count = 0;
    enum weir_status status = WEIR_OK;

    for (size_t i = 0; i < options->address_count && status == WEIR_OK; i++) {
        *about = options->addresses[i];
        status = listeners_open(listeners, &count, *about, options->allow_remote, error);
    }
    public_count = count;
    if (status == WEIR_OK && options->metrics != NULL) {
        *about = options->metrics;
        status = listeners_open(listeners, &count, *about, options->allow_remote, error);
    }
    add_sites(server, SITE_PUBLIC, listeners, public_count);
    add_sites(server, SITE_METRICS, listeners + public_count, count - public_count);
    if (status == WEIR_OK) {
        *about = options->operator_path;
        status = listener_open_unix(&operators, *about, true, error);
        add_sites(server, SITE_OPERATOR, &operators, status == WEIR_OK);
    }
    return status;
}

static bool start_sites(struct server *server, const struct serve_options *options)
{
    unsigned public_count = 0;
    unsigned each = 0;

    for (size_t i = 0; i < server->site_count; i++) {
        public_count += server->sites[i].kind == SITE_PUBLIC;
    }
    each = options->connections / (public_count > 0 ? public_count : 1);
    for (size_t i = 0; i < server->site_count; i++) {
        struct site *site = &server->sites[i];

        if (!(site->kind == SITE_PUBLIC
                  ? start_site(site, THREADS, each > THREADS ? each : THREADS + 1,
                               options->connections_per_address)
                  : start_site(site, FEW_THREADS, FEW_CONNECTIONS, 0))) {
            return false;
        }
    }
    return true;
}

/* Nobody connects from now on; those who have go on. */
static void close_listeners(struct server *server)
{
    for (size_t i = 0; i < server->site_count; i++) {
        struct site *site = &server->sites[i];

        if (site->daemon != NULL) {
            (void)MHD_quiesce_daemon(site->daemon); /* gives the socket back */
        }
        listener_close(&site->listener);
    }
}

static void stop_sites(struct server *server)
{
    for (size_t i = 0; i < server->site_count; i++) {
        if (server->sites[i].daemon != NULL) {
            MHD_stop_daemon(server->sites[i].daemon);
            server->sites[i].daemon = NULL;
        }
    }
}

/*
 * ---- Signals ----
 */

static int open_signals(void)
{
    sigset_t set;

    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGHUP);
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0) {
        return -1;
    }
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* The signal that came within that time; 0 for none. */
static int await_signal(int signals, int milliseconds)
{
    struct pollfd awaited = {.fd = signals, .events = POLLIN};
    struct signalfd_siginfo signal;

    if (poll(&awaited, 1, milliseconds) > 0 &&
        read(signals, &signal, sizeof signal) == (ssize_t)sizeof signal) {
        return (int)signal.ssi_signo;
    }
    return 0;
}

static void reopen(struct server *server)
{
    if (!record_reopen(&server->log.record)) {
        log_write(&server->log, LOG_LEVEL_ERROR, "the log cannot be opened anew: %s",
                  strerror(errno));
    }
    if (!record_reopen(&server->audit)) {
        log_write(&server->log, LOG_LEVEL_ERROR, "the audit trail cannot be opened anew: %s",
                  strerror(errno));
    }
    log_write(&server->log, LOG_LEVEL_INFO, "opened the log and the audit trail anew");
}

/* Until the end is asked for. */
static void attend(struct server *server, int signals)
{
    for (;;) {
        int signal = await_signal(signals, 1000);

        if (signal == SIGHUP) {
            reopen(server);
        } else if (signal != 0) {
            log_write(&server->log, LOG_LEVEL_INFO, "ending after signal %d", signal);
            return;
        }
        connections_reap(&server->connections);
    }
}

/* Finishes what was begun, as long as that takes no longer than it may and no other signal comes.
 */
static void finish(struct server *server, int signals)
{
    uint64_t end = clock_now() + SECONDS_TO_FINISH * NANOSECONDS;
    struct connection_counts counts;

    connections_begin_closing(&server->connections);
    close_listeners(server);
    do {
        int signal = await_signal(signals, 20);

        connections_reap(&server->connections);
        counts = connections_count(&server->connections);
        if (signal == SIGINT || signal == SIGTERM) {
            break;
        }
    } while (counts.requests > 0 && clock_now() < end);
    lanes_close(&server->lanes);
    counts = connections_count(&server->connections);
    if (counts.requests > 0) {
        log_write(&server->log, LOG_LEVEL_WARNING, "%" PRIu64 " requests are not finished",
                  counts.requests);
    }
    if (counts.calls > 0) {
        /* Nothing can be closed under them; a change has taken effect whole or not at all. */
        log_write(&server->log, LOG_LEVEL_ERROR, "%" PRIu64 " calls have not ended", counts.calls);
        _exit(2);
    }
    stop_sites(server);
    lanes_stop(&server->lanes);
}

/*
 * ---- Serving ----
 */

static void raise_file_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit); /* then the limit is what it was */
    }
}

/* A core would hold the credentials of requests in progress, and a debugger would see them. */
static void forbid_cores(void)
{
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

/* False: nothing goes on. */
static bool start(struct server *server, const struct serve_options *options,
                  struct weir_error *error)
{
    if (!start_threads(server)) {
        (void)weir_fail_errno(error, "cannot start");
        return false;
    }
    if (!lanes_start(&server->lanes)) {
        (void)weir_fail_errno(error, "cannot start");
        stop_threads(server);
        return false;
    }
    if (!start_sites(server, options)) {
        (void)weir_fail(error, WEIR_ERROR_IO, "the HTTP server cannot be started");
        close_listeners(server);
        lanes_close(&server->lanes);
        stop_sites(server);
        lanes_stop(&server->lanes);
        stop_threads(server);
        return false;
    }
    return true;
}

static bool run(struct server *server, const struct serve_options *options,
                struct weir_error *error)
{
    int signals = open_signals();

    if (signals < 0) {
        (void)weir_fail_errno(error, "cannot start");
        return false;
    }
    if (!start(server, options, error)) {
        (void)close(signals);
        return false;
    }
    if (!notify("READY=1")) {
        log_write(&server->log, LOG_LEVEL_WARNING, "NOTIFY_SOCKET: %s", strerror(errno));
    }
    attend(server, signals);
    (void)notify("STOPPING=1");
    finish(server, signals);
    stop_threads(server);
    (void)close(signals);
    log_write(&server->log, LOG_LEVEL_INFO, "ended");
    return true;
}

static void init(struct server *server, struct weir_authority *authority,
                 const struct serve_options *options)
{
    *server = (struct server){.authority = authority};
    metrics_init(&server->metrics);
    lanes_init(&server->lanes, BUFFERED_MAX, options->connections);
    connections_init(&server->connections);
    (void)pthread_mutex_init(&server->lag.lock, NULL);
}

static void fini(struct server *server)
{
    for (size_t i = 0; i < server->site_count; i++) {
        listener_close(&server->sites[i].listener);
    }
    (void)pthread_mutex_destroy(&server->lag.lock);
    connections_fini(&server->connections);
    lanes_fini(&server->lanes);
    metrics_fini(&server->metrics);
    record_close(&server->audit);
    log_close(&server->log);
}

bool serve(struct weir_authority *authority, const struct serve_options *options,
           const char **about, struct weir_error *error)
{
    struct server server;
    bool served = false;

    init(&server, authority, options);
    raise_file_limit();
    forbid_cores();
    *about = options->log;
    if (!log_open(&server.log, options->log)) {
        (void)weir_fail_errno(error, "cannot open the log");
    } else {
        *about = options->audit;
        if (!record_open(&server.audit, options->audit)) {
            (void)weir_fail_errno(error, "cannot open the audit trail");
        } else if (open_sites(&server, options, about, error) == WEIR_OK) {
            *about = NULL;
            served = run(&server, options, error);
        }
    }
    fini(&server);
    return served;
}
