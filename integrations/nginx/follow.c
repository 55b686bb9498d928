#include "ngx_http_weir.h"

/* How often a worker looks for changes when no request makes it look. */
#define POLL_INTERVAL ((ngx_msec_t)50)
/* How long before its end a leaving worker ends what is open, in nanoseconds. */
#define LEAVING_MARGIN UINT64_C(1000000000)
/* The most changes that are applied before a request is answered. */
#define POLL_LIMIT 4096

static void log_failure(ngx_log_t *log, const char *what, const struct weir_error *error)
{
    ngx_log_error(NGX_LOG_ERR, log, 0, "weir: %s: %s%s%s", what, error->place,
                  error->place[0] != '\0' ? ": " : "", error->message);
}

static void open_follower(ngx_http_weir_main_conf_t *conf, ngx_log_t *log)
{
    struct weir_follower_options options = {.owner = conf->owner};
    struct weir_error error;

    if (weir_follower_open((const char *)conf->tokens.data, &options, &conf->follower, &error) ==
        WEIR_OK) {
        conf->failing = 0;
        return;
    }
    conf->follower = NULL;
    if (!conf->failing) {
        log_failure(log, "the tokens cannot be followed", &error);
        conf->failing = 1;
    }
}

static void poll_follower(ngx_http_weir_main_conf_t *conf, uint64_t boot, uint64_t limit)
{
    struct weir_error error;

    if (conf->follower == NULL) {
        return;
    }
    if (weir_follower_poll(conf->follower, boot, limit, &error) == WEIR_OK) {
        conf->failing = 0;
    } else if (!conf->failing) {
        log_failure(ngx_cycle->log, "a change cannot be applied", &error);
        conf->failing = 1;
    }
}

/* Whether what is remembered beside the snapshot is much, and there is a newer one without it. */
static bool has_outgrown(const struct weir_follower_standing *standing)
{
    return standing->newest_snapshot > standing->snapshot &&
           (standing->usage.own_bytes > (64U << 20) ||
            standing->usage.own_tokens > standing->usage.tokens / 4);
}

static void check_sessions(ngx_http_weir_main_conf_t *conf, uint64_t boot)
{
    struct weir_follower_standing standing = {0};

    if (conf->follower != NULL) {
        standing = weir_follower_status(conf->follower);
        if (has_outgrown(&standing)) {
            (void)weir_follower_adopt(conf->follower, NULL);
            standing = weir_follower_status(conf->follower);
        }
    }
    /* Expiry and lapsed leases come by themselves. */
    if (standing.sequence != conf->sequence || boot - conf->looked >= UINT64_C(250000000)) {
        conf->sequence = standing.sequence;
        conf->looked = boot;
        ngx_http_weir_sessions_check(conf);
    }
}

/* A worker that leaves ends what is open a moment before nginx closes its connections. */
static void leave(ngx_http_weir_main_conf_t *conf, uint64_t boot)
{
    ngx_core_conf_t *core = (ngx_core_conf_t *)ngx_get_conf(ngx_cycle->conf_ctx, ngx_core_module);
    uint64_t most = (uint64_t)core->shutdown_timeout * 1000000;

    if (!ngx_exiting || core->shutdown_timeout == 0) {
        return;
    }
    if (conf->leaving == 0) {
        conf->leaving = boot;
    }
    if (boot - conf->leaving + LEAVING_MARGIN >= most) {
        ngx_http_weir_sessions_end(conf);
    }
}

static void poll_handler(ngx_event_t *event)
{
    ngx_http_weir_main_conf_t *conf = event->data;
    uint64_t boot = weir_clocks_now().boot;

    if (conf->follower == NULL && conf->engine == NULL) {
        open_follower(conf, ngx_cycle->log);
    }
    poll_follower(conf, boot, 0);
    check_sessions(conf, boot);
    leave(conf, boot);
    ngx_add_timer(event, POLL_INTERVAL);
}

ngx_int_t ngx_http_weir_follow(ngx_http_weir_main_conf_t *conf, ngx_cycle_t *cycle)
{
    ngx_queue_init(&conf->sessions);
    conf->budget = (struct s2_budget){.most = conf->bodies};
    for (size_t i = 0; i < sizeof conf->shares / sizeof *conf->shares; i++) {
        conf->shares[i] = (struct s2_budget){.most = conf->bodies / 4, .whole = &conf->budget};
    }
    if (conf->tokens.len == 0) {
        return NGX_OK;
    }
    weir_thread_register();
    if (conf->engine == NULL) {
        open_follower(conf, cycle->log);
    }
    conf->poll.handler = poll_handler;
    conf->poll.data = conf;
    conf->poll.log = cycle->log;
    conf->poll.cancelable = 1;
    ngx_add_timer(&conf->poll, POLL_INTERVAL);
    return NGX_OK;
}

void ngx_http_weir_unfollow(ngx_http_weir_main_conf_t *conf)
{
    weir_follower_close(conf->follower);
    conf->follower = NULL;
}

/* Whether the last heartbeat is recent enough for this gateway, whatever the publisher's lease. */
static bool is_recent(const ngx_http_weir_main_conf_t *conf, uint64_t boot)
{
    uint64_t heartbeat = 0;

    if (conf->lease == 0) {
        return true;
    }
    heartbeat = weir_follower_status(conf->follower).heartbeat;
    return heartbeat != 0 && boot >= heartbeat &&
           boot - heartbeat < (uint64_t)conf->lease * 1000000;
}

const struct weir_engine *ngx_http_weir_engine(ngx_http_weir_main_conf_t *conf,
                                               struct weir_clocks now)
{
    if (conf->engine != NULL) {
        return conf->engine;
    }
    if (conf->follower == NULL) {
        return NULL;
    }
    poll_follower(conf, now.boot, POLL_LIMIT);
    return is_recent(conf, now.boot) ? weir_follower_engine(conf->follower, now.boot) : NULL;
}

const struct weir_compiled_token *ngx_http_weir_find(const struct weir_engine *engine,
                                                     const ngx_http_weir_ctx_t *ctx)
{
    const struct weir_compiled_token *token = weir_engine_find_by_digest(engine, ctx->digest);
    struct weir_text prefix;

    if (token == NULL || weir_compiled_token_issue_number(token) != ctx->issue_number) {
        return NULL;
    }
    /* A file's tokens have no numbers; what was rewritten was so by the prefix that was kept. */
    prefix = weir_compiled_token_stream_prefix(token);
    return prefix.length == ctx->stream_prefix.length &&
                   (prefix.length == 0 ||
                    ngx_memcmp(prefix.bytes, ctx->stream_prefix.bytes, prefix.length) == 0)
               ? token
               : NULL;
}

weir_operations ngx_http_weir_allowed(ngx_http_weir_main_conf_t *conf,
                                      const ngx_http_weir_ctx_t *ctx, weir_operations operations,
                                      enum weir_reason *reason)
{
    struct weir_clocks now = weir_clocks_now();
    const struct weir_engine *engine = ngx_http_weir_engine(conf, now);
    struct weir_request request = {.basin = ctx->asked.basin, .stream = ctx->asked.stream};
    const struct weir_compiled_token *token = NULL;
    weir_operations allowed = 0;

    *reason = engine != NULL ? WEIR_ALLOWED : WEIR_STALE;
    if (engine == NULL) {
        return 0;
    }
    weir_read_begin();
    token = ngx_http_weir_find(engine, ctx);
    for (weir_operations rest = operations; rest != 0; rest &= rest - 1) {
        struct weir_decision decision;

        request.operation = (enum weir_operation)__builtin_ctzll(rest);
        decision = weir_check_token(token, &request, now.wall);
        if (weir_allowed(decision)) {
            allowed |= WEIR_OPERATION_BIT(request.operation);
        } else if (*reason == WEIR_ALLOWED) {
            *reason = decision.reason;
        }
    }
    weir_read_end();
    return allowed;
}

bool ngx_http_weir_may(ngx_http_weir_main_conf_t *conf, ngx_http_weir_ctx_t *ctx,
                       weir_operations operations)
{
    return ngx_http_weir_allowed(conf, ctx, operations, &ctx->reason) == operations &&
           ctx->reason == WEIR_ALLOWED;
}
