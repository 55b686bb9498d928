#include "ngx_http_weir.h"

/* The most bytes of an answer. */
#define TOLD_MAX ((size_t)4 << 20)

/*
 * ---- One question ----
 */

static ngx_int_t push_header(ngx_http_request_t *r, const char *name, struct weir_text value)
{
    ngx_table_elt_t *header = ngx_list_push(&r->headers_in.headers);
    size_t length = ngx_strlen(name);

    if (header == NULL) {
        return NGX_ERROR;
    }
    *header = (ngx_table_elt_t){.hash = ngx_hash_key((u_char *)(uintptr_t)name, length),
                                .key = {length, (u_char *)(uintptr_t)name},
                                .value = {value.length, (u_char *)(uintptr_t)value.bytes},
                                .lowcase_key = (u_char *)(uintptr_t)name};
    return NGX_OK;
}

/* Of the client's headers a question has none. */
static ngx_int_t set_headers(ngx_http_request_t *question, ngx_http_weir_ctx_t *ctx)
{
    ngx_str_t server = question->headers_in.server;

    ngx_memzero(&question->headers_in, sizeof question->headers_in);
    question->headers_in.server = server;
    question->headers_in.content_length_n = -1;
    question->headers_in.keep_alive_n = -1;
    if (ngx_list_init(&question->headers_in.headers, question->pool, 2, sizeof(ngx_table_elt_t)) !=
            NGX_OK ||
        push_header(question, "accept", WEIR_TEXT("application/json")) != NGX_OK) {
        return NGX_ERROR;
    }
    return ctx->headers.basin.length > 0 ? push_header(question, "s2-basin", ctx->headers.basin)
                                         : NGX_OK;
}

static ngx_int_t is_answered(ngx_http_request_t *question, void *data, ngx_int_t rc)
{
    ngx_http_weir_ctx_t *ctx = data;

    ctx->asking = 0;
    /* What has come of a body that is thrown away has been told to the question. */
    if (question->main->discard_body && question->connection->read->ready) {
        ngx_post_event(question->connection->read, &ngx_posted_events);
    }
    ctx->status = question->headers_out.status;
    if (rc == NGX_ERROR || rc >= NGX_HTTP_SPECIAL_RESPONSE) {
        ctx->status = rc >= NGX_HTTP_SPECIAL_RESPONSE ? (ngx_uint_t)rc : NGX_HTTP_BAD_GATEWAY;
    }
    if (ctx->told_length > TOLD_MAX || !ctx->told_whole) {
        ctx->status = NGX_HTTP_BAD_GATEWAY;
    }
    return rc;
}

struct weir_text ngx_http_weir_write_uri(ngx_http_request_t *r, const struct s2_request *request,
                                         struct weir_text stream_prefix)
{
    char *uri = ngx_pnalloc(r->pool, s2_request_size(request, stream_prefix));

    return (struct weir_text){uri, uri != NULL ? s2_request_write(request, stream_prefix, uri) : 0};
}

ngx_int_t ngx_http_weir_ask(ngx_http_request_t *r, ngx_http_weir_ctx_t *ctx, struct weir_text uri)
{
    ngx_http_post_subrequest_t *post = ngx_palloc(r->pool, sizeof *post);
    ngx_http_request_t *question = NULL;
    ngx_http_weir_ctx_t *context = NULL;

    if (post == NULL) {
        return NGX_ERROR;
    }
    *post = (ngx_http_post_subrequest_t){.handler = is_answered, .data = ctx};
    if (ngx_http_subrequest(r, &r->uri, NULL, &question, post, NGX_HTTP_SUBREQUEST_WAITED) !=
        NGX_OK) {
        return NGX_ERROR;
    }
    context = ngx_http_weir_ctx_create(question);
    /* An empty one, so that the client's is neither read nor sent. */
    question->request_body = ngx_pcalloc(r->pool, sizeof *question->request_body);
    if (context == NULL || question->request_body == NULL || set_headers(question, ctx) != NGX_OK) {
        return NGX_ERROR;
    }
    context->main = r;
    question->unparsed_uri.data = (u_char *)(uintptr_t)uri.bytes;
    question->unparsed_uri.len = uri.length;
    question->valid_unparsed_uri = 1;
    question->filter_need_in_memory = 1;
    question->discard_body = 0; /* of the client's body, of which it has no length */
    ctx->asking = 1;
    ctx->told_length = 0;
    ctx->told_whole = 0;
    return NGX_OK;
}

ngx_int_t ngx_http_weir_take_told(ngx_http_weir_ctx_t *ctx, ngx_chain_t *in)
{
    ngx_http_weir_main_conf_t *conf =
        ngx_http_get_module_main_conf(ctx->request, ngx_http_weir_module);

    for (; in != NULL; in = in->next) {
        size_t length = (size_t)ngx_buf_size(in->buf);

        if (length > 0 && ctx->told_length + length <= TOLD_MAX) {
            while (ctx->told_room < ctx->told_length + length) {
                size_t room = ctx->told_room > 0 ? 2 * ctx->told_room : 16384;
                u_char *told = s2_budget_resize(&conf->budget, ctx->told, ctx->told_room, room);

                if (told == NULL) {
                    return NGX_ERROR;
                }
                ctx->told = told;
                ctx->told_room = room;
            }
            ngx_memcpy(ctx->told + ctx->told_length, in->buf->pos, length);
        }
        ctx->told_length += length;
        ctx->told_whole |= in->buf->last_buf | in->buf->last_in_chain;
        in->buf->pos = in->buf->last;
    }
    return NGX_OK;
}

/*
 * ---- Lists ----
 */

static void list_go_on(ngx_http_request_t *r);

/* Sends a refusal from the content phase. */
static void refuse(ngx_http_request_t *r, ngx_http_weir_ctx_t *ctx, struct s2_refusal refusal)
{
    ngx_str_t json;

    ctx->refusal = refusal;
    ngx_http_weir_audit(r, ctx, "denied");
    json = ngx_http_weir_refusal_json(r, ctx);
    ngx_http_finalize_request(r, json.len > 0
                                     ? ngx_http_weir_send(r, refusal.status, json.data, json.len)
                                     : NGX_HTTP_INTERNAL_SERVER_ERROR);
}

static enum weir_operation list_operation(const ngx_http_weir_ctx_t *ctx)
{
    return ctx->asked.call == S2_LIST_BASINS ? WEIR_LIST_BASINS : WEIR_LIST_STREAMS;
}

/* The page goes to the client, unless its token has changed while the server was asked. */
static void send_page(ngx_http_request_t *r, ngx_http_weir_ctx_t *ctx)
{
    ngx_http_weir_main_conf_t *conf = ngx_http_get_module_main_conf(r, ngx_http_weir_module);
    struct s2_refusal refusal = {0};
    size_t length = 0;
    char *page = NULL;
    ngx_str_t moved;

    if (!ngx_http_weir_may(conf, ctx, ctx->asked.operations)) {
        refuse(r, ctx, ngx_http_weir_refusal(ctx->reason));
        return;
    }
    page = s2_page_write(ctx->page, &length, &refusal);
    if (page == NULL) {
        refuse(r, ctx, refusal);
        return;
    }
    moved = ngx_http_weir_move(r, page, length);
    ngx_http_finalize_request(r, moved.data != NULL
                                     ? ngx_http_weir_send(r, NGX_HTTP_OK, moved.data, moved.len)
                                     : NGX_HTTP_INTERNAL_SERVER_ERROR);
}

/* Asks the next question, or sends the page. */
static void next_question(ngx_http_request_t *r, ngx_http_weir_ctx_t *ctx)
{
    struct weir_text uri = s2_page_next(ctx->page);
    u_char *copy = NULL;

    if (uri.length == 0) {
        send_page(r, ctx);
        return;
    }
    copy = ngx_pnalloc(r->pool, uri.length);
    if (copy != NULL) {
        ngx_memcpy(copy, uri.bytes, uri.length);
    }
    r->write_event_handler = list_go_on;
    if (copy == NULL ||
        ngx_http_weir_ask(r, ctx, (struct weir_text){(const char *)copy, uri.length}) != NGX_OK) {
        ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
    }
}

/* What the server refuses is told as it says it: a basin that is not there, say. */
static void pass_error(ngx_http_request_t *r, ngx_http_weir_ctx_t *ctx)
{
    struct weir_text told = {(const char *)ctx->told, ctx->told_length};
    struct s2_refusal refusal = {0};
    char *stripped = NULL;
    u_char *copy = NULL;

    if (ctx->status < NGX_HTTP_BAD_REQUEST || ctx->status >= NGX_HTTP_INTERNAL_SERVER_ERROR ||
        ctx->told_length == 0) {
        refuse(r, ctx,
               NGX_HTTP_WEIR_REFUSAL(503, "unavailable", "The server cannot be asked now."));
        return;
    }
    if (ctx->stream_prefix.length > 0) {
        stripped = s2_answer_strip(told, ctx->stream_prefix, (struct weir_text){"", 0},
                                   &told.length, &refusal);
        if (stripped == NULL) {
            refuse(r, ctx, refusal);
            return;
        }
        told.bytes = stripped;
    }
    copy = ngx_pnalloc(r->pool, told.length);
    if (copy != NULL) {
        ngx_memcpy(copy, told.bytes, told.length);
    }
    free(stripped);
    ngx_http_finalize_request(r, copy != NULL
                                     ? ngx_http_weir_send(r, ctx->status, copy, told.length)
                                     : NGX_HTTP_INTERNAL_SERVER_ERROR);
}

static void list_go_on(ngx_http_request_t *r)
{
    ngx_http_weir_ctx_t *ctx = ngx_http_weir_ctx(r);
    struct s2_refusal refusal = {0};

    if (ctx->asking) {
        return;
    }
    if (ctx->status != NGX_HTTP_OK) {
        pass_error(r, ctx);
    } else if (!s2_page_take(ctx->page,
                             (struct weir_text){(const char *)ctx->told, ctx->told_length},
                             &refusal)) {
        refuse(r, ctx, refusal);
    } else {
        next_question(r, ctx);
    }
}

/* What may be listed, and the page that is to be filled with it. */
static bool open_page(ngx_http_weir_main_conf_t *conf, ngx_http_weir_ctx_t *ctx,
                      struct s2_refusal *refusal)
{
    const struct weir_text *prefix = s2_request_parameter(&ctx->asked, "prefix");
    struct weir_clocks now = weir_clocks_now();
    const struct weir_engine *engine = ngx_http_weir_engine(conf, now);
    enum weir_status status = WEIR_ERROR_MEMORY;
    struct weir_listing *listing = NULL;

    ctx->reason = WEIR_STALE;
    if (engine != NULL) {
        weir_read_begin();
        status = weir_narrow(ngx_http_weir_find(engine, ctx), list_operation(ctx), ctx->asked.basin,
                             prefix != NULL ? *prefix : (struct weir_text){0}, now.wall, NULL,
                             &ctx->reason, &listing, NULL);
        weir_read_end();
    }
    if (status == WEIR_ERROR_NAME) {
        *refusal = NGX_HTTP_WEIR_REFUSAL(400, "bad_query", "The prefix is not valid.");
        return false;
    }
    if (status != WEIR_OK || listing == NULL) {
        *refusal = ngx_http_weir_refusal(status == WEIR_OK ? ctx->reason : WEIR_STALE);
        return false;
    }
    ctx->page = s2_page_open(&ctx->asked, listing, ctx->stream_prefix, refusal);
    return ctx->page != NULL;
}

ngx_int_t ngx_http_weir_list(ngx_http_request_t *r)
{
    ngx_http_weir_main_conf_t *conf = ngx_http_get_module_main_conf(r, ngx_http_weir_module);
    ngx_http_weir_ctx_t *ctx = ngx_http_weir_ctx(r);
    struct s2_refusal refusal = {0};
    ngx_int_t rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        return rc;
    }
    r->main->count++;
    if (open_page(conf, ctx, &refusal)) {
        next_question(r, ctx);
    } else {
        refuse(r, ctx, refusal);
    }
    return NGX_DONE;
}
