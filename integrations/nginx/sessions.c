#include "ngx_http_weir.h"

/* How long an answer may take to come to the end of its message, and its client to take it. */
#define GRACE ((ngx_msec_t)500)
/* How long the server may take to answer what went before. */
#define LAST_GRACE ((ngx_msec_t)2000)

/*
 * ---- Ending ----
 */

/* Lets go of the server: the request goes on without it. */
static void detach(ngx_http_request_t *r)
{
    if (r->upstream != NULL && r->upstream->cleanup != NULL) {
        /* What ends the upstream's part of the request also takes its reference. */
        r->main->count++;
        (*r->upstream->cleanup)(r);
    }
    r->read_event_handler = ngx_http_block_reading;
    r->write_event_handler = ngx_http_request_empty_handler;
}

static void set_deadline(ngx_http_weir_ctx_t *ctx, ngx_msec_t grace)
{
    if (!ctx->deadline.timer_set) {
        ngx_add_timer(&ctx->deadline, grace);
    }
}

/* Ends what has begun to be answered, between two messages. */
static void finish(ngx_http_weir_ctx_t *ctx)
{
    ngx_http_request_t *r = ctx->request;

    detach(r);
    set_deadline(ctx, GRACE); /* of the client */
    ngx_http_finalize_request(r, ngx_http_weir_send_last(r, ctx));
}

/* Answers what has not been answered. */
static void refuse(ngx_http_weir_ctx_t *ctx)
{
    ngx_http_request_t *r = ctx->request;
    ngx_str_t json = ngx_http_weir_refusal_json(r, ctx);

    detach(r);
    set_deadline(ctx, GRACE);
    ngx_http_weir_drop_headers(r);
    r->keepalive = 0;
    ngx_http_finalize_request(
        r,
        json.len > 0 ? ngx_http_weir_send(r, ctx->refusal.status, json.data, json.len) : NGX_ERROR);
}

/* Gives up a connection whose client does not read, or whose server does not end its message. */
static void reset(ngx_http_weir_ctx_t *ctx)
{
    ngx_http_request_t *r = ctx->request;
    ngx_connection_t *connection = r->connection;

    detach(r);
    connection->error = 1;
    ngx_http_finalize_request(r, NGX_ERROR);
    ngx_http_run_posted_requests(connection);
}

static void deadline_handler(ngx_event_t *event)
{
    ngx_http_weir_ctx_t *ctx = event->data;

    if (!ctx->answered && ctx->stream != NULL && s2_stream_between_messages(ctx->stream)) {
        finish(ctx);
    } else {
        reset(ctx);
    }
}

void ngx_http_weir_session_end_soon(ngx_http_weir_ctx_t *ctx)
{
    ngx_add_timer(&ctx->deadline, 1);
}

/* False: it is ending already. */
static bool begin_end(ngx_http_weir_ctx_t *ctx, struct s2_refusal refusal)
{
    if (ctx->ending || ctx->answered || (ctx->ends_last && ctx->own_answer)) {
        return false;
    }
    ctx->refusal = refusal;
    ngx_http_weir_audit(ctx->request, ctx, "ended");
    return true;
}

void ngx_http_weir_session_end(ngx_http_weir_ctx_t *ctx, struct s2_refusal refusal)
{
    if (ctx->own_answer || !begin_end(ctx, refusal)) {
        return;
    }
    ctx->ending = 1;
    if (!ctx->request->header_sent) {
        if (ctx->request->upstream != NULL && ctx->request->upstream->cleanup != NULL) {
            refuse(ctx);
        } /* else another handler has it now: its answer will not leave (response.c) */
    } else if (ctx->stream != NULL && s2_stream_between_messages(ctx->stream)) {
        finish(ctx);
    } else if (ctx->stream != NULL || ctx->generic) {
        set_deadline(ctx, GRACE);
    } /* else it is a whole answer, which was allowed when it began to leave */
}

void ngx_http_weir_session_end_last(ngx_http_weir_ctx_t *ctx, struct s2_refusal refusal)
{
    if (!ctx->ends_last && begin_end(ctx, refusal)) {
        ctx->ends_last = 1;
        set_deadline(ctx, LAST_GRACE);
    }
}

/*
 * ---- The list ----
 */

void ngx_http_weir_session_open(ngx_http_weir_main_conf_t *conf, ngx_http_weir_ctx_t *ctx)
{
    if (ctx->listed) {
        return;
    }
    ngx_queue_insert_tail(&conf->sessions, &ctx->session);
    ctx->listed = 1;
    ctx->deadline.handler = deadline_handler;
    ctx->deadline.data = ctx;
    ctx->deadline.log = ctx->request->connection->log;
}

void ngx_http_weir_session_close(ngx_http_weir_ctx_t *ctx)
{
    if (ctx->listed) {
        ngx_queue_remove(&ctx->session);
        ctx->listed = 0;
    }
    if (ctx->deadline.timer_set) {
        ngx_del_timer(&ctx->deadline);
    }
    if (ctx->arrival.timer_set) {
        ngx_del_timer(&ctx->arrival);
    }
}

/* May it go on? Of an append the operations that its records may need must not have changed. */
static enum weir_reason check(ngx_http_weir_main_conf_t *conf, const ngx_http_weir_ctx_t *ctx)
{
    enum weir_reason reason = WEIR_STALE;

    if (ctx->asked.call != S2_APPEND) {
        (void)ngx_http_weir_allowed(conf, ctx, ctx->asked.operations, &reason);
        return reason;
    }
    if (ngx_http_weir_allowed(conf, ctx, NGX_HTTP_WEIR_RECORDS, &reason) == ctx->held) {
        return WEIR_ALLOWED;
    }
    return reason != WEIR_ALLOWED ? reason : WEIR_OP_NOT_PERMITTED;
}

/*
 * Goes through all, whatever of them ends meanwhile: one that does may take others with it, of the
 * same connection.
 */
static void each(ngx_http_weir_main_conf_t *conf,
                 void (*visit)(ngx_http_weir_main_conf_t *, ngx_http_weir_ctx_t *))
{
    ngx_queue_t seen;

    ngx_queue_init(&seen);
    while (!ngx_queue_empty(&conf->sessions)) {
        ngx_queue_t *place = ngx_queue_head(&conf->sessions);

        ngx_queue_remove(place);
        ngx_queue_insert_tail(&seen, place);
        visit(conf, ngx_queue_data(place, ngx_http_weir_ctx_t, session));
    }
    if (!ngx_queue_empty(&seen)) {
        ngx_queue_add(&conf->sessions, &seen);
    }
}

static void check_one(ngx_http_weir_main_conf_t *conf, ngx_http_weir_ctx_t *ctx)
{
    enum weir_reason reason = ctx->ending ? WEIR_ALLOWED : check(conf, ctx);

    if (reason != WEIR_ALLOWED) {
        ctx->reason = reason;
        ngx_http_weir_session_end(ctx, ngx_http_weir_refusal(reason));
    }
}

void ngx_http_weir_sessions_check(ngx_http_weir_main_conf_t *conf)
{
    each(conf, check_one);
}

static void end_one(ngx_http_weir_main_conf_t *conf, ngx_http_weir_ctx_t *ctx)
{
    (void)conf;
    ngx_http_weir_session_end(
        ctx, NGX_HTTP_WEIR_REFUSAL(503, "unavailable", "The gateway is being restarted."));
}

void ngx_http_weir_sessions_end(ngx_http_weir_main_conf_t *conf)
{
    each(conf, end_one);
}
