#include "ngx_http_weir.h"

/* How long a body, or a frame, may take from its first byte to its last. */
#define ARRIVAL_TIME ((ngx_msec_t)30000)

static ngx_http_request_body_filter_pt next_body_filter;

/*
 * ---- A body that is read whole ----
 */

void ngx_http_weir_drop_body(ngx_http_weir_ctx_t *ctx)
{
    if (ctx->body != NULL) {
        s2_budget_give(ctx->budget, ctx->body, ctx->body_room);
    }
    ctx->body = NULL;
    ctx->body_room = 0;
    ctx->body_length = 0;
}

/* Makes room for so many bytes more, within the budget. */
static ngx_int_t make_room(ngx_http_weir_ctx_t *ctx, size_t more)
{
    size_t room = ctx->body_room > 0 ? ctx->body_room : 4096;
    u_char *body = NULL;

    while (room < ctx->body_length + more) {
        room *= 2;
    }
    if (room == ctx->body_room) {
        return NGX_OK;
    }
    body = s2_budget_resize(ctx->budget, ctx->body, ctx->body_room, room);
    if (body == NULL) {
        return NGX_ERROR;
    }
    ctx->body = body;
    ctx->body_room = room;
    return NGX_OK;
}

/* Takes what the client has sent; NGX_OK, or the status of a refusal. */
static ngx_int_t take(ngx_http_weir_ctx_t *ctx, ngx_buf_t *buffer)
{
    size_t length = (size_t)(buffer->last - buffer->pos);

    if (length > ctx->body_most - ctx->body_length) {
        ctx->refusal = NGX_HTTP_WEIR_REFUSAL(413, "too_large", "The body is too large.");
        return NGX_HTTP_REQUEST_ENTITY_TOO_LARGE;
    }
    if (length > 0 && make_room(ctx, length) != NGX_OK) {
        ctx->refusal =
            NGX_HTTP_WEIR_REFUSAL(503, "unavailable", "There is no memory for the body.");
        return NGX_HTTP_SERVICE_UNAVAILABLE;
    }
    if (length > 0) {
        ngx_memcpy(ctx->body + ctx->body_length, buffer->pos, length);
    }
    ctx->body_length += length;
    buffer->pos = buffer->last;
    return NGX_OK;
}

/* Tells who comes next that the body has ended. */
static ngx_int_t close_body(ngx_http_request_t *r)
{
    ngx_buf_t *last = ngx_calloc_buf(r->pool);
    ngx_chain_t out = {.buf = last};

    if (last == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    last->last_buf = 1;
    return next_body_filter(r, &out);
}

static ngx_int_t collect(ngx_http_request_t *r, ngx_http_weir_ctx_t *ctx, ngx_chain_t *in)
{
    ngx_int_t rc = NGX_OK;

    for (; in != NULL; in = in->next) {
        rc = take(ctx, in->buf);
        if (rc != NGX_OK) {
            return rc;
        }
        if (in->buf->last_buf) {
            return close_body(r);
        }
    }
    return next_body_filter(r, NULL);
}

static void stop_waiting(ngx_http_weir_ctx_t *ctx)
{
    if (ctx->arrival.timer_set) {
        ngx_del_timer(&ctx->arrival);
    }
}

/* What has begun to come must be there in time: it holds memory that others may need. */
static void arrival_handler(ngx_event_t *event)
{
    ngx_http_weir_ctx_t *ctx = event->data;
    ngx_http_request_t *r = ctx->request;
    ngx_connection_t *connection = r->connection;
    struct s2_refusal refusal =
        NGX_HTTP_WEIR_REFUSAL(408, "request_timeout", "The body did not arrive in time.");

    if (ctx->frames != NULL) {
        ngx_http_weir_session_end(ctx, refusal);
        return;
    }
    connection->timedout = 1;
    ngx_http_finalize_request(r, NGX_HTTP_REQUEST_TIME_OUT);
    ngx_http_run_posted_requests(connection);
}

static void wait_for_arrival(ngx_http_weir_ctx_t *ctx)
{
    if (!ctx->arrival.timer_set) {
        ctx->arrival.handler = arrival_handler;
        ctx->arrival.data = ctx;
        ctx->arrival.log = ctx->request->connection->log;
        ngx_add_timer(&ctx->arrival, ARRIVAL_TIME);
    }
}

static void body_is_read(ngx_http_request_t *r)
{
    ngx_http_weir_ctx_t *ctx = ngx_http_weir_ctx(r);

    stop_waiting(ctx);
    ctx->collects = 0;
    ctx->body_read = 1;
    r->write_event_handler = ngx_http_core_run_phases;
    ngx_http_core_run_phases(r);
}

ngx_int_t ngx_http_weir_read_body(ngx_http_request_t *r, ngx_http_weir_ctx_t *ctx, size_t most)
{
    ngx_int_t rc = NGX_OK;

    if (r->headers_in.content_length_n > (off_t)most) {
        return ngx_http_weir_refuse(
            r, ctx, NGX_HTTP_WEIR_REFUSAL(413, "too_large", "The body is too large."));
    }
    ctx->collects = 1;
    ctx->body_most = most;
    wait_for_arrival(ctx);
    rc = ngx_http_read_client_request_body(r, body_is_read);
    if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
        return rc;
    }
    /* The reading's reference; the request goes on, or has gone, by body_is_read. */
    ngx_http_finalize_request(r, NGX_DONE);
    return NGX_DONE;
}

ngx_int_t ngx_http_weir_set_body(ngx_http_request_t *r, u_char *bytes, size_t length)
{
    ngx_chain_t *chain = ngx_alloc_chain_link(r->pool);
    ngx_buf_t *buffer = ngx_calloc_buf(r->pool);
    u_char *digits = ngx_pnalloc(r->pool, NGX_OFF_T_LEN);

    if (chain == NULL || buffer == NULL || digits == NULL || r->request_body == NULL) {
        return NGX_ERROR;
    }
    buffer->start = buffer->pos = bytes;
    buffer->end = buffer->last = bytes + length;
    buffer->memory = length > 0; /* else it is an end alone */
    buffer->last_buf = 1;
    *chain = (ngx_chain_t){.buf = buffer};
    r->request_body->bufs = chain;
    r->headers_in.content_length_n = (off_t)length;
    r->headers_in.chunked = 0;
    if (r->headers_in.content_length != NULL) {
        r->headers_in.content_length->value.data = digits;
        r->headers_in.content_length->value.len =
            (size_t)(ngx_sprintf(digits, "%uz", length) - digits);
    }
    return ngx_http_weir_set_header(r, "content-encoding", (struct weir_text){0});
}

/*
 * ---- A session's frames ----
 */

/* No more is sent to the server; what it has got it answers, and then the refusal follows. */
static ngx_int_t stop(ngx_http_request_t *r, ngx_http_weir_ctx_t *ctx, struct s2_refusal refusal)
{
    ngx_http_weir_session_end_last(ctx, refusal);
    ctx->body_closed = 1;
    return close_body(r);
}

static ngx_int_t send_frame(ngx_http_request_t *r, ngx_http_weir_ctx_t *ctx, struct weir_text frame)
{
    ngx_chain_t out = {0};

    if (ctx->frame == NULL) {
        ctx->frame = ngx_calloc_buf(r->pool);
        if (ctx->frame == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }
    ctx->frame->start = ctx->frame->pos = (u_char *)(uintptr_t)frame.bytes;
    ctx->frame->end = ctx->frame->last = ctx->frame->pos + frame.length;
    ctx->frame->memory = 1;
    ctx->frame->flush = 1;
    out.buf = ctx->frame;
    return next_body_filter(r, &out);
}

/* Takes one frame out of a buffer, or what there is of one. */
static ngx_int_t take_frame(ngx_http_request_t *r, ngx_http_weir_ctx_t *ctx, ngx_buf_t *buffer)
{
    ngx_http_weir_main_conf_t *conf = ngx_http_get_module_main_conf(r, ngx_http_weir_module);
    struct weir_text bytes = {(const char *)buffer->pos, (size_t)(buffer->last - buffer->pos)};
    struct weir_text frame = {0};
    struct s2_refusal refusal = {0};
    weir_operations operations = 0;
    size_t taken = 0;
    enum s2_progress progress =
        s2_session_read(ctx->frames, bytes, &taken, &operations, &frame, &refusal);

    buffer->pos += taken;
    if (progress == S2_SESSION_REFUSED) {
        return stop(r, ctx, refusal);
    }
    if (progress == S2_SESSION_MORE) {
        return NGX_OK;
    }
    if (!ngx_http_weir_may(conf, ctx, operations)) {
        ctx->asked.operations = operations;
        return stop(r, ctx, ngx_http_weir_refusal(ctx->reason));
    }
    return send_frame(r, ctx, frame);
}

static ngx_int_t keep_untaken(ngx_http_request_t *r, ngx_http_weir_ctx_t *ctx, ngx_chain_t *in)
{
    ngx_chain_t **last = &ctx->untaken;

    while (*last != NULL) {
        last = &(*last)->next;
    }
    for (; in != NULL; in = in->next) {
        ngx_chain_t *link = ngx_alloc_chain_link(r->pool);

        if (link == NULL) {
            return NGX_ERROR;
        }
        *link = (ngx_chain_t){.buf = in->buf};
        *last = link;
        last = &link->next;
    }
    return NGX_OK;
}

/* Lets go of the first buffer that waits, all of which was taken. */
static void release_first(ngx_http_request_t *r, ngx_http_weir_ctx_t *ctx)
{
    ngx_chain_t *link = ctx->untaken;

    ctx->body_ended |= link->buf->last_buf;
    ctx->untaken = link->next;
    ngx_free_chain(r->pool, link);
}

/* The last frame is the server's before the next is read, so that there is never more than one. */
static bool frame_has_left(const ngx_http_weir_ctx_t *ctx)
{
    return ctx->frame == NULL || ctx->frame->pos == ctx->frame->last;
}

static ngx_int_t filter_frames(ngx_http_request_t *r, ngx_http_weir_ctx_t *ctx, ngx_chain_t *in)
{
    ngx_int_t rc = NGX_OK;

    if (keep_untaken(r, ctx, in) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    if (ctx->frame != NULL && frame_has_left(ctx)) {
        s2_session_rest(ctx->frames);
    }
    while (ctx->untaken != NULL && (ctx->body_closed || frame_has_left(ctx))) {
        ngx_buf_t *buffer = ctx->untaken->buf;

        if (ctx->body_closed) {
            buffer->pos = buffer->last;
        } else if (buffer->pos < buffer->last) {
            rc = take_frame(r, ctx, buffer);
            if (rc != NGX_OK) {
                return rc;
            }
        }
        if (buffer->pos == buffer->last) {
            release_first(r, ctx);
        }
    }
    if (ctx->body_closed || s2_session_between_frames(ctx->frames)) {
        stop_waiting(ctx);
    } else {
        wait_for_arrival(ctx);
    }
    if (!ctx->body_ended || ctx->body_closed || !frame_has_left(ctx)) {
        return next_body_filter(r, NULL);
    }
    if (!s2_session_between_frames(ctx->frames)) {
        return stop(r, ctx, NGX_HTTP_WEIR_REFUSAL(400, "bad_frame", "The last frame is cut off."));
    }
    ctx->body_closed = 1;
    return close_body(r);
}

static ngx_int_t filter(ngx_http_request_t *r, ngx_chain_t *in)
{
    ngx_http_weir_ctx_t *ctx = ngx_http_weir_ctx(r);

    if (ctx == NULL || r != r->main) {
        return next_body_filter(r, in);
    }
    if (ctx->collects) {
        return collect(r, ctx, in);
    }
    return ctx->frames != NULL ? filter_frames(r, ctx, in) : next_body_filter(r, in);
}

void ngx_http_weir_body_filter_init(void)
{
    next_body_filter = ngx_http_top_request_body_filter;
    ngx_http_top_request_body_filter = filter;
}
