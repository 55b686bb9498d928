#include "ngx_http_weir.h"

static ngx_http_output_header_filter_pt next_header_filter;
static ngx_http_output_body_filter_pt next_body_filter;

/* The most bytes of an answer that is rewritten whole. */
#define ANSWER_MAX ((size_t)1 << 20)

/*
 * ---- Headers ----
 */

/* What nginx says by a status alone, in S2's words. An answer that did not come may still have
 * taken effect: no code says that it has not. */
static struct s2_refusal refusal_of_status(ngx_uint_t status)
{
    static const struct s2_refusal refusals[] = {
        {404, "not_found", "There is no such call."},
        {405, "method_not_allowed", "There is no such call."},
        {408, "request_timeout", "The request did not arrive in time."},
        {413, "too_large", "The body is too large."},
        {414, "uri_too_long", "The request line is too long."},
        {415, "unsupported_media_type", "No such body can be read."},
        {429, "rate_limited", "There are too many requests."},
        {501, "not_implemented", "No such request can be read."},
        {503, "unavailable", "What stands behind the gateway did not answer."},
        {504, "upstream_timeout", "What stands behind the gateway took too long."},
    };

    if (status == NGX_HTTP_BAD_GATEWAY) {
        status = NGX_HTTP_SERVICE_UNAVAILABLE;
    } else if (status >= NGX_HTTP_REQUEST_HEADER_TOO_LARGE &&
               status < NGX_HTTP_INTERNAL_SERVER_ERROR) {
        /* nginx's own kinds of 400. */
        status = status == NGX_HTTP_REQUEST_HEADER_TOO_LARGE ? 431 : NGX_HTTP_BAD_REQUEST;
    }
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        if (refusals[i].status == status) {
            return refusals[i];
        }
    }
    return status < NGX_HTTP_INTERNAL_SERVER_ERROR
               ? (struct s2_refusal){(unsigned)status, "bad_header",
                                     "The request is not well-formed HTTP."}
               : (struct s2_refusal){(unsigned)status, "other", "The gateway could not answer."};
}

/* Sends the refusal in the answer's place. */
static ngx_int_t replace_header(ngx_http_request_t *r, ngx_http_weir_ctx_t *ctx)
{
    ngx_str_t json = ngx_http_weir_refusal_json(r, ctx);

    ctx->replaced = 1;
    r->headers_out.status = ctx->refusal.status;
    ngx_str_null(&r->headers_out.status_line);
    ngx_http_weir_set_json(r, json.len);
    ngx_http_weir_add_cors(r);
    return next_header_filter(r);
}

static bool has_type(ngx_http_request_t *r, const char *type)
{
    size_t length = ngx_strlen(type);

    return r->headers_out.content_type.len >= length &&
           ngx_strncasecmp(r->headers_out.content_type.data, (u_char *)(uintptr_t)type, length) ==
               0;
}

/* Whether names at the server may be in the answer, which then is rewritten whole. */
static bool names_streams(ngx_http_request_t *r, const ngx_http_weir_ctx_t *ctx)
{
    if (ctx->stream_prefix.length == 0 || !has_type(r, "application/json")) {
        return false;
    }
    return r->headers_out.status >= NGX_HTTP_BAD_REQUEST || ctx->asked.call == S2_CREATE_STREAM ||
           ctx->asked.call == S2_PUT_STREAM || ctx->asked.call == S2_ONE_STREAM;
}

/* An answer that lasts is followed message by message. */
static ngx_int_t open_stream(ngx_http_request_t *r, ngx_http_weir_ctx_t *ctx)
{
    bool frames = has_type(r, "s2s/proto");

    if (!ctx->listed || (!frames && !has_type(r, "text/event-stream"))) {
        return NGX_OK;
    }
    ctx->stream_kind = frames ? S2_STREAM_FRAMES : S2_STREAM_EVENTS;
    ctx->stream = s2_stream_open(ctx->stream_kind, ctx->stream_prefix, ctx->asked.stream);
    r->filter_need_in_memory = 1;
    return ctx->stream != NULL ? NGX_OK : NGX_ERROR;
}

static ngx_int_t server_header(ngx_http_request_t *r, ngx_http_weir_ctx_t *ctx)
{
    ngx_http_weir_main_conf_t *conf = ngx_http_get_module_main_conf(r, ngx_http_weir_module);

    /* What was waited for is checked again before it leaves. */
    if (ctx->asked.call == S2_READ && !ngx_http_weir_may(conf, ctx, ctx->asked.operations)) {
        ctx->refusal = ngx_http_weir_refusal(ctx->reason);
        ngx_http_weir_audit(r, ctx, "denied");
        ngx_http_weir_drop_headers(r);
        return replace_header(r, ctx);
    }
    /* Words that are not JSON cannot be told from names. */
    if (ctx->stream_prefix.length > 0 && r->headers_out.status >= NGX_HTTP_BAD_REQUEST &&
        !has_type(r, "application/json")) {
        ctx->refusal = (struct s2_refusal){(unsigned)r->headers_out.status, "other",
                                           "The server's message is not shown, since it may name "
                                           "what is not yours to see."};
        ngx_http_weir_drop_headers(r);
        return replace_header(r, ctx);
    }
    if (names_streams(r, ctx)) {
        ctx->holds_answer = 1;
        r->filter_need_in_memory = 1;
        return NGX_OK; /* it is sent with the body, whose length it tells */
    }
    return open_stream(r, ctx) == NGX_OK ? next_header_filter(r) : NGX_ERROR;
}

/* Whether nginx itself, and neither the server nor this module, has made the answer. */
static bool is_of_nginx(ngx_http_request_t *r)
{
    return r->headers_out.status >= NGX_HTTP_BAD_REQUEST &&
           (r->upstream == NULL || r->err_status != 0);
}

/* Whether nginx has given up at the path, which it decodes before anything is asked. */
static bool has_bad_path(ngx_http_request_t *r)
{
    return r->headers_out.status == NGX_HTTP_BAD_REQUEST && r->uri.data != NULL && r->uri.len == 0;
}

static ngx_int_t header_filter(ngx_http_request_t *r)
{
    ngx_http_weir_loc_conf_t *loc = ngx_http_get_module_loc_conf(r, ngx_http_weir_module);
    ngx_http_weir_ctx_t *ctx = ngx_http_weir_ctx(r);

    if (ctx != NULL && ctx->main != NULL) {
        return NGX_OK; /* of a question: no client sees it */
    }
    if (r == r->main && ctx != NULL && ctx->ending && !ctx->own_answer) {
        ngx_http_weir_drop_headers(r);
        return replace_header(r, ctx);
    }
    if (r != r->main ||
        (ctx != NULL ? ctx->own_answer || ctx->generic : loc->mode != NGX_HTTP_WEIR_S2)) {
        return next_header_filter(r);
    }
    if (is_of_nginx(r)) {
        if (ctx == NULL) {
            ctx = ngx_http_weir_ctx_create(r);
            if (ctx == NULL) {
                return NGX_ERROR;
            }
        }
        if (ctx->refusal.status != r->headers_out.status) {
            ctx->refusal = has_bad_path(r) ? NGX_HTTP_WEIR_REFUSAL(400, "bad_path",
                                                                   "The path is not well-formed.")
                                           : refusal_of_status(r->headers_out.status);
        }
        return replace_header(r, ctx);
    }
    return ctx != NULL && ctx->passes && !ctx->to_authority ? server_header(r, ctx)
                                                            : next_header_filter(r);
}

/*
 * ---- Bodies ----
 */

static void consume(ngx_chain_t *in)
{
    for (; in != NULL; in = in->next) {
        in->buf->pos = in->buf->last;
        in->buf->file_pos = in->buf->file_last;
    }
}

/* Sends these bytes, which live as long as the request, as the last. */
static ngx_int_t send_end(ngx_http_request_t *r, ngx_http_weir_ctx_t *ctx, ngx_str_t bytes)
{
    ngx_buf_t *buffer = ngx_calloc_buf(r->pool);
    ngx_chain_t *link = ngx_alloc_chain_link(r->pool);

    if (buffer == NULL || link == NULL) {
        return NGX_ERROR;
    }
    ctx->answered = 1;
    buffer->pos = bytes.data;
    buffer->last = bytes.data + bytes.len;
    buffer->memory = bytes.len > 0;
    buffer->last_buf = 1;
    buffer->last_in_chain = 1;
    buffer->flush = 1;
    *link = (ngx_chain_t){.buf = buffer};
    return next_body_filter(r, link);
}

ngx_int_t ngx_http_weir_send_last(ngx_http_request_t *r, ngx_http_weir_ctx_t *ctx)
{
    return send_end(r, ctx, ngx_http_weir_refusal_message(r, ctx, ctx->stream_kind));
}

static ngx_int_t replaced_body(ngx_http_request_t *r, ngx_http_weir_ctx_t *ctx)
{
    ngx_str_t json = ngx_http_weir_refusal_json(r, ctx);

    if (r->header_only) {
        ngx_str_null(&json);
    }
    return send_end(r, ctx, json);
}

/* Holds an answer until it is whole, and sends it rewritten. */
static ngx_int_t held_body(ngx_http_request_t *r, ngx_http_weir_ctx_t *ctx, ngx_chain_t *in)
{
    struct s2_refusal refusal = {0};
    struct weir_text whole = {0};
    ngx_str_t bytes = ngx_null_string;
    bool last = false;
    char *afresh = NULL;

    for (ngx_chain_t *link = in; link != NULL; link = link->next) {
        last |= link->buf->last_buf;
    }
    if (ngx_http_weir_take_told(ctx, in) != NGX_OK) {
        return NGX_ERROR;
    }
    /* A server that is gone before it has said all. */
    if (!last && r->upstream != NULL && r->upstream->cleanup == NULL) {
        ctx->holds_answer = 0;
        ctx->refusal = refusal_of_status(NGX_HTTP_SERVICE_UNAVAILABLE);
        ngx_http_weir_drop_headers(r);
        return replace_header(r, ctx) == NGX_ERROR ? NGX_ERROR : replaced_body(r, ctx);
    }
    if (!last) {
        return NGX_OK;
    }
    ctx->holds_answer = 0;
    whole = (struct weir_text){(const char *)ctx->told, ctx->told_length};
    if (ctx->told_length == 0) {
        if (next_header_filter(r) == NGX_ERROR) {
            return NGX_ERROR;
        }
        return send_end(r, ctx, bytes);
    }
    if (ctx->told_length <= ANSWER_MAX) {
        afresh =
            s2_answer_strip(whole, ctx->stream_prefix, ctx->asked.stream, &bytes.len, &refusal);
    }
    if (afresh == NULL) {
        ctx->refusal = refusal.status != 0 ? refusal : refusal_of_status(NGX_HTTP_BAD_GATEWAY);
        if (replace_header(r, ctx) == NGX_ERROR) {
            return NGX_ERROR;
        }
        return replaced_body(r, ctx);
    }
    bytes = ngx_http_weir_move(r, afresh, bytes.len);
    if (bytes.data == NULL) {
        return NGX_ERROR;
    }
    ngx_http_weir_set_json(r, bytes.len);
    if (next_header_filter(r) == NGX_ERROR) {
        return NGX_ERROR;
    }
    return send_end(r, ctx, bytes);
}

#define COPY_TAG ((ngx_buf_tag_t)&ngx_http_weir_module)
/* The least memory of a copy, so that it can be used again. */
#define COPY_MIN ((size_t)512)

/* Puts a copy of what is passed on for a buffer into the chain. */
static ngx_int_t add_copy(ngx_http_request_t *r, ngx_http_weir_ctx_t *ctx, ngx_chain_t ***end,
                          struct weir_text bytes)
{
    ngx_chain_t *link = NULL;
    ngx_buf_t *buffer = NULL;

    if (bytes.length == 0) {
        return NGX_OK;
    }
    link = ngx_chain_get_free_buf(r->pool, &ctx->copies);
    if (link == NULL) {
        return NGX_ERROR;
    }
    buffer = link->buf;
    if (buffer->start == NULL || (size_t)(buffer->end - buffer->start) < bytes.length) {
        size_t size = ngx_max(bytes.length, COPY_MIN);

        buffer->start = ngx_palloc(r->pool, size);
        if (buffer->start == NULL) {
            return NGX_ERROR;
        }
        buffer->end = buffer->start + size;
    }
    buffer->pos = buffer->start;
    buffer->last = ngx_cpymem(buffer->start, bytes.bytes, bytes.length);
    buffer->temporary = 1;
    buffer->flush = 1;
    buffer->tag = COPY_TAG;
    link->next = NULL;
    **end = link;
    *end = &link->next;
    return NGX_OK;
}

static ngx_int_t add_buffer(ngx_http_request_t *r, ngx_chain_t ***end, ngx_buf_t *buffer)
{
    ngx_chain_t *link = ngx_alloc_chain_link(r->pool);

    if (link == NULL) {
        return NGX_ERROR;
    }
    *link = (ngx_chain_t){.buf = buffer};
    **end = link;
    *end = &link->next;
    return NGX_OK;
}

/*
 * Passes on what a buffer holds: itself where nothing in it is altered, else copies. Where the
 * session is ending, no further than to the end of a message.
 */
static ngx_int_t pass_buffer(ngx_http_request_t *r, ngx_http_weir_ctx_t *ctx, ngx_buf_t *buffer,
                             ngx_chain_t ***end)
{
    bool altered = buffer->last_buf;

    while (buffer->pos < buffer->last) {
        struct weir_text bytes = {(const char *)buffer->pos, (size_t)(buffer->last - buffer->pos)};
        struct weir_text out = {0};
        size_t count = 0;

        if (ctx->ending && s2_stream_between_messages(ctx->stream)) {
            buffer->pos = buffer->last;
            break;
        }
        if (!s2_stream_take(ctx->stream, bytes, ctx->ending, &count, &out)) {
            return NGX_ERROR;
        }
        if (!altered && count == bytes.length && out.bytes == bytes.bytes && out.length > 0) {
            buffer->last = buffer->pos + out.length; /* the rest is kept for later */
            return add_buffer(r, end, buffer);
        }
        altered = true;
        if (add_copy(r, ctx, end, out) != NGX_OK) {
            return NGX_ERROR;
        }
        buffer->pos += count;
    }
    return NGX_OK;
}

/* The request's own last message, where it has one to add. */
static ngx_int_t add_last(ngx_http_request_t *r, ngx_http_weir_ctx_t *ctx, ngx_chain_t ***end)
{
    if (s2_stream_has_ended(ctx->stream) || !s2_stream_between_messages(ctx->stream)) {
        return NGX_OK;
    }
    return add_copy(r, ctx, end,
                    ngx_http_weir_text(ngx_http_weir_refusal_message(r, ctx, ctx->stream_kind)));
}

static ngx_int_t pass_chain(ngx_http_request_t *r, ngx_http_weir_ctx_t *ctx, ngx_chain_t *out)
{
    ngx_int_t rc = next_body_filter(r, out);

    ngx_chain_update_chains(r->pool, &ctx->copies, &ctx->copies_busy, &out, COPY_TAG);
    return rc;
}

static ngx_int_t end_stream(ngx_http_request_t *r, ngx_http_weir_ctx_t *ctx, ngx_buf_t *last,
                            ngx_chain_t ***end)
{
    if ((ctx->ending || ctx->ends_last) && add_last(r, ctx, end) != NGX_OK) {
        return NGX_ERROR;
    }
    if (!ctx->ending && !ctx->ends_last) {
        ngx_http_weir_session_close(ctx);
    }
    ctx->answered = 1;
    return add_buffer(r, end, last);
}

static ngx_int_t stream_body(ngx_http_request_t *r, ngx_http_weir_ctx_t *ctx, ngx_chain_t *in)
{
    ngx_chain_t *out = NULL;
    ngx_chain_t **end = &out;

    for (; in != NULL; in = in->next) {
        if (in->buf->pos < in->buf->last && pass_buffer(r, ctx, in->buf, &end) != NGX_OK) {
            return NGX_ERROR;
        }
        if (in->buf->last_buf) {
            in->buf->pos = in->buf->last;
            if (end_stream(r, ctx, in->buf, &end) != NGX_OK) {
                return NGX_ERROR;
            }
        } else if (ngx_buf_special(in->buf) && add_buffer(r, &end, in->buf) != NGX_OK) {
            return NGX_ERROR; /* one that was copied is empty now, and no such thing */
        }
    }
    if (ctx->ending && !ctx->answered && s2_stream_between_messages(ctx->stream)) {
        ngx_http_weir_session_end_soon(ctx);
    }
    return pass_chain(r, ctx, out);
}

static ngx_int_t body_filter(ngx_http_request_t *r, ngx_chain_t *in)
{
    ngx_http_weir_ctx_t *ctx = ngx_http_weir_ctx(r);

    if (ctx != NULL && ctx->main != NULL) {
        return ngx_http_weir_take_told(ngx_http_weir_ctx(ctx->main), in);
    }
    if (r != r->main || ctx == NULL || ctx->own_answer) {
        return next_body_filter(r, in);
    }
    if (ctx->answered) {
        consume(in);
        return next_body_filter(r, NULL);
    }
    if (ctx->replaced) {
        consume(in);
        return replaced_body(r, ctx);
    }
    if (ctx->holds_answer) {
        return held_body(r, ctx, in);
    }
    return ctx->stream != NULL ? stream_body(r, ctx, in) : next_body_filter(r, in);
}

void ngx_http_weir_response_filter_init(void)
{
    next_header_filter = ngx_http_top_header_filter;
    ngx_http_top_header_filter = header_filter;
    next_body_filter = ngx_http_top_body_filter;
    ngx_http_top_body_filter = body_filter;
}
