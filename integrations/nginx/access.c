#include "ngx_http_weir.h"

/*
 * ---- Reading the request ----
 */

/* Takes all headers into account; the first refusal is kept. */
static void read_headers(ngx_http_request_t *r, ngx_http_weir_ctx_t *ctx)
{
    ngx_list_part_t *part = &r->headers_in.headers.part;

    for (; part != NULL; part = part->next) {
        ngx_table_elt_t *headers = part->elts;

        for (ngx_uint_t i = 0; i < part->nelts; i++) {
            if (!s2_headers_read(&ctx->headers, ngx_http_weir_text(headers[i].key),
                                 ngx_http_weir_text(headers[i].value), &ctx->refusal)) {
                return;
            }
        }
    }
}

/* Overwrites the credential in nginx's memory, from where it would go on to the server. */
static void wipe_credential(ngx_http_request_t *r)
{
    ngx_table_elt_t *header = r->headers_in.authorization;

    if (header != NULL) {
        weir_wipe(header->value.data, header->value.len);
        ngx_http_weir_hide(header);
    }
}

/* Copies what is needed of the token. */
static enum weir_reason keep(ngx_http_request_t *r, ngx_http_weir_ctx_t *ctx,
                             const struct weir_compiled_token *token)
{
    struct weir_text id = weir_compiled_token_id(token);
    struct weir_text prefix = weir_compiled_token_stream_prefix(token);
    u_char *memory = ngx_pnalloc(r->pool, id.length + prefix.length + 1);

    if (memory == NULL) {
        return WEIR_STALE;
    }
    ngx_memcpy(memory, id.bytes, id.length);
    ctx->token_id.data = memory;
    ctx->token_id.len = id.length;
    ctx->issue_number = weir_compiled_token_issue_number(token);
    if (prefix.length > 0) {
        ngx_memcpy(memory + id.length, prefix.bytes, prefix.length);
        ctx->stream_prefix = (struct weir_text){(const char *)memory + id.length, prefix.length};
    }
    return WEIR_ALLOWED;
}

/* Finds the credential's token. */
static enum weir_reason find_token(ngx_http_request_t *r, ngx_http_weir_main_conf_t *conf,
                                   ngx_http_weir_ctx_t *ctx)
{
    struct weir_clocks now = weir_clocks_now();
    const struct weir_engine *engine = ngx_http_weir_engine(conf, now);
    const struct weir_compiled_token *token = NULL;
    struct weir_request any = {.operation = WEIR_LIST_BASINS};
    enum weir_reason reason = WEIR_UNKNOWN_TOKEN;

    if (engine == NULL) {
        return WEIR_STALE;
    }
    if (!weir_credential_digest(ctx->headers.credential, ctx->digest)) {
        return WEIR_UNKNOWN_TOKEN;
    }
    weir_read_begin();
    token = weir_engine_find_by_digest(engine, ctx->digest);
    ctx->budget = &conf->shares[ctx->digest[0]];
    if (token != NULL) {
        /* Whatever is asked, expiry comes first. */
        reason = weir_check_token(token, &any, now.wall).reason;
        reason = reason == WEIR_EXPIRED ? reason : keep(r, ctx, token);
    }
    weir_read_end();
    return reason;
}

/*
 * ---- Deciding ----
 */

/* The stream's name at the server, in the request's memory. */
static ngx_int_t set_effective(ngx_http_request_t *r, ngx_http_weir_ctx_t *ctx)
{
    struct weir_text prefix = ctx->stream_prefix;
    struct weir_text stream = ctx->asked.stream;
    u_char *name = NULL;

    if (prefix.length == 0 || stream.length == 0) {
        ctx->effective = stream;
        return NGX_OK;
    }
    name = ngx_pnalloc(r->pool, prefix.length + stream.length);
    if (name == NULL) {
        return NGX_ERROR;
    }
    ngx_memcpy(name, prefix.bytes, prefix.length);
    ngx_memcpy(name + prefix.length, stream.bytes, stream.length);
    ctx->effective = (struct weir_text){(const char *)name, prefix.length + stream.length};
    return NGX_OK;
}

/* The URI afresh: what the content handler sends on. */
static ngx_int_t rewrite(ngx_http_request_t *r, ngx_http_weir_ctx_t *ctx)
{
    struct weir_text uri = ngx_http_weir_write_uri(r, &ctx->asked, ctx->stream_prefix);

    if (uri.bytes == NULL) {
        return NGX_ERROR;
    }
    r->unparsed_uri.data = (u_char *)(uintptr_t)uri.bytes;
    r->unparsed_uri.len = uri.length;
    r->valid_unparsed_uri = 1;
    return NGX_OK;
}

/* The headers that were decided on, as they were read. */
static ngx_int_t set_headers(ngx_http_request_t *r, ngx_http_weir_ctx_t *ctx)
{
    bool inspected = ctx->batch.bytes.bytes != NULL;
    const char *content =
        inspected ? "application/protobuf" : s2_headers_content_type(&ctx->headers);
    const char *format = inspected ? NULL : s2_headers_format(&ctx->headers);

    if (ngx_http_weir_set_header(r, "content-type", ngx_http_weir_text_of(content)) != NGX_OK ||
        ngx_http_weir_set_header(r, "s2-format", ngx_http_weir_text_of(format)) != NGX_OK) {
        return NGX_ERROR;
    }
    if (ctx->headers.basin.length > 0 &&
        ngx_http_weir_set_header(r, "s2-basin", ctx->headers.basin) != NGX_OK) {
        return NGX_ERROR;
    }
    /* What is rewritten, or added to, must not come compressed. */
    if (ctx->headers.content != S2_CONTENT_SESSION &&
        (ctx->stream_prefix.length > 0 || ctx->headers.event_stream)) {
        return ngx_http_weir_set_header(r, "accept-encoding", (struct weir_text){0});
    }
    return NGX_OK;
}

/* Goes on to the content handler. */
static ngx_int_t pass(ngx_http_request_t *r, ngx_http_weir_main_conf_t *conf,
                      ngx_http_weir_ctx_t *ctx)
{
    if (set_effective(r, ctx) != NGX_OK || rewrite(r, ctx) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    ctx->decided = 1;
    ctx->passes = 1;
    wipe_credential(r);
    if (set_headers(r, ctx) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    /* Until it is answered: what is asked may be long in coming, and so may be the answer. */
    if (ctx->token_id.len > 0) {
        ngx_http_weir_session_open(conf, ctx);
    }
    return NGX_DECLINED;
}

static ngx_int_t refuse_reason(ngx_http_request_t *r, ngx_http_weir_ctx_t *ctx,
                               enum weir_reason reason)
{
    ctx->reason = reason;
    return ngx_http_weir_refuse(r, ctx, ngx_http_weir_refusal(reason));
}

/*
 * ---- Requests whose bodies say what they need ----
 */

/* Creates what the body names. */
static ngx_int_t decide_creation(ngx_http_request_t *r, ngx_http_weir_main_conf_t *conf,
                                 ngx_http_weir_ctx_t *ctx)
{
    struct weir_text bytes = {(const char *)ctx->body, ctx->body_length};
    struct s2_refusal refusal = {0};
    struct s2_body *body = NULL;
    struct weir_text name = {0};
    u_char *copy = NULL;
    char *afresh = NULL;
    size_t length = 0;
    ngx_str_t moved;

    if (!s2_body_read(ctx->asked.call, bytes, ctx->headers.encoding, &body, &name, &refusal)) {
        return ngx_http_weir_refuse(r, ctx, refusal);
    }
    copy = ngx_pnalloc(r->pool, name.length + 1);
    afresh = s2_body_write(body, ctx->stream_prefix, &length);
    if (copy != NULL) {
        ngx_memcpy(copy, name.bytes, name.length);
        name.bytes = (const char *)copy;
    }
    s2_body_free(body);
    if (copy == NULL || afresh == NULL) {
        free(afresh);
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    if (ctx->asked.call == S2_CREATE_BASIN) {
        ctx->asked.basin = name;
    } else {
        ctx->asked.stream = name;
    }
    if (!ngx_http_weir_may(conf, ctx, ctx->asked.operations)) {
        free(afresh);
        if (ctx->reason == WEIR_INVALID_NAME) {
            return ngx_http_weir_refuse(r, ctx,
                                        NGX_HTTP_WEIR_REFUSAL(400, "bad_json", "Invalid name."));
        }
        return refuse_reason(r, ctx, ctx->reason);
    }
    moved = ngx_http_weir_move(r, afresh, length);
    if (moved.data == NULL || ngx_http_weir_set_body(r, moved.data, moved.len) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    ngx_http_weir_drop_body(ctx);
    return pass(r, conf, ctx);
}

/* Appends a batch that was read whole. */
static ngx_int_t decide_batch(ngx_http_request_t *r, ngx_http_weir_main_conf_t *conf,
                              ngx_http_weir_ctx_t *ctx)
{
    struct weir_text bytes = {(const char *)ctx->body, ctx->body_length};
    struct s2_refusal refusal = {0};

    if (ctx->batch.bytes.bytes == NULL) {
        if (!s2_append_read(bytes, ctx->headers.content, ctx->headers.encoding, ctx->headers.base64,
                            ctx->budget, &ctx->batch, &refusal)) {
            return ngx_http_weir_refuse(r, ctx, refusal);
        }
        ngx_http_weir_drop_body(ctx);
        ctx->asked.operations = ctx->batch.operations;
    }
    if (!ngx_http_weir_may(conf, ctx, ctx->batch.operations)) {
        return refuse_reason(r, ctx, ctx->reason);
    }
    if (ngx_http_weir_set_body(r, (u_char *)(uintptr_t)ctx->batch.bytes.bytes,
                               ctx->batch.bytes.length) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    return pass(r, conf, ctx);
}

/* What an append needs to be looked at for: nothing, where the token may do all that it can hold.
 */
static ngx_int_t decide_append(ngx_http_request_t *r, ngx_http_weir_main_conf_t *conf,
                               ngx_http_weir_ctx_t *ctx)
{
    if (ctx->held == NGX_HTTP_WEIR_RECORDS && !ctx->body_read) {
        return pass(r, conf, ctx);
    }
    if (ctx->headers.content == S2_CONTENT_SESSION) {
        if (ctx->headers.encoding != S2_ENCODING_IDENTITY) {
            return ngx_http_weir_refuse(
                r, ctx,
                NGX_HTTP_WEIR_REFUSAL(415, "unsupported_media_type",
                                      "A session has no content encoding."));
        }
        ctx->frames = s2_session_open(ctx->budget);
        return ctx->frames != NULL ? pass(r, conf, ctx) : NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    if (!ctx->body_read) {
        return ngx_http_weir_read_body(r, ctx, S2_BODY_ENCODED_MAX);
    }
    return decide_batch(r, conf, ctx);
}

/*
 * ---- Creating by the way ----
 */

static ngx_int_t ask_existence(ngx_http_request_t *r, ngx_http_weir_ctx_t *ctx)
{
    struct s2_request question = {
        .call = S2_ONE_STREAM, .pattern = "/v1/streams/{s}", .stream = ctx->asked.stream};
    struct weir_text uri = ngx_http_weir_write_uri(r, &question, ctx->stream_prefix);

    if (uri.bytes == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    ctx->existence_asked = 1;
    if (ngx_http_weir_ask(r, ctx, uri) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    return NGX_AGAIN;
}

/* NGX_OK: it is there. */
static ngx_int_t take_existence(ngx_http_request_t *r, ngx_http_weir_ctx_t *ctx)
{
    if (ctx->status == NGX_HTTP_OK) {
        return NGX_OK;
    }
    if (ctx->status == NGX_HTTP_NOT_FOUND) {
        return ngx_http_weir_refuse(
            r, ctx, NGX_HTTP_WEIR_REFUSAL(404, "stream_not_found", "Stream not found."));
    }
    return ngx_http_weir_refuse(
        r, ctx, NGX_HTTP_WEIR_REFUSAL(503, "unavailable", "The server cannot be asked now."));
}

/*
 * Reads, appends, and the tail. Who may not create the stream must not do so by asking for it:
 * whether it is there is asked first. What is denied anyway is not asked for.
 */
static ngx_int_t decide_records(ngx_http_request_t *r, ngx_http_weir_main_conf_t *conf,
                                ngx_http_weir_ctx_t *ctx)
{
    const weir_operations create = WEIR_OPERATION_BIT(WEIR_CREATE_STREAM);
    weir_operations wanted =
        ctx->asked.call == S2_APPEND ? NGX_HTTP_WEIR_RECORDS : ctx->asked.operations;
    weir_operations allowed = 0;
    enum weir_reason reason = WEIR_STALE;

    if (ctx->existence_asked) {
        ngx_int_t rc = ctx->asking ? NGX_AGAIN : take_existence(r, ctx);

        if (rc != NGX_OK) {
            return rc;
        }
    }
    allowed = ngx_http_weir_allowed(conf, ctx, wanted | create, &reason);
    if ((allowed & wanted) == 0) {
        (void)ngx_http_weir_allowed(conf, ctx, wanted, &reason);
        return refuse_reason(r, ctx, reason);
    }
    if ((allowed & create) == 0 && !ctx->existence_asked) {
        return ask_existence(r, ctx);
    }
    ctx->reason = WEIR_ALLOWED;
    ctx->held = allowed & wanted;
    return ctx->asked.call == S2_APPEND ? decide_append(r, conf, ctx) : pass(r, conf, ctx);
}

/*
 * ---- The phase ----
 */

/* Where token calls go: the authority, which has its own decisions. */
static ngx_int_t pass_to_authority(ngx_http_request_t *r, ngx_http_weir_ctx_t *ctx)
{
    ngx_http_weir_loc_conf_t *conf = ngx_http_get_module_loc_conf(r, ngx_http_weir_module);

    if (conf->authority.len == 0) {
        return ngx_http_weir_refuse(
            r, ctx, NGX_HTTP_WEIR_REFUSAL(501, "unimplemented", "No authority is configured."));
    }
    ctx->decided = 1;
    ctx->passes = 1;
    ctx->to_authority = 1;
    (void)ngx_http_named_location(r, &conf->authority);
    ngx_http_finalize_request(r, NGX_DONE);
    return NGX_DONE;
}

/* Who may create nothing is told so before a body is taken. */
static ngx_int_t begin_creation(ngx_http_request_t *r, ngx_http_weir_main_conf_t *conf,
                                ngx_http_weir_ctx_t *ctx)
{
    const bool basin = ctx->asked.call == S2_CREATE_BASIN;
    struct weir_text *name = basin ? &ctx->asked.basin : &ctx->asked.stream;
    bool may = false;

    /* Some name: what a scope says of it is not what is asked yet. */
    *name = basin ? WEIR_TEXT("some-basin") : WEIR_TEXT("x");
    may = ngx_http_weir_may(conf, ctx, ctx->asked.operations) ||
          ctx->reason == (basin ? WEIR_BASIN_OUT_OF_SCOPE : WEIR_STREAM_OUT_OF_SCOPE);
    *name = (struct weir_text){0};
    return may ? ngx_http_weir_read_body(r, ctx, S2_BODY_MAX) : refuse_reason(r, ctx, ctx->reason);
}

static ngx_int_t decide(ngx_http_request_t *r, ngx_http_weir_main_conf_t *conf,
                        ngx_http_weir_ctx_t *ctx)
{
    switch (ctx->asked.call) {
    case S2_CREATE_BASIN:
    case S2_CREATE_STREAM:
        return ctx->body_read ? decide_creation(r, conf, ctx) : begin_creation(r, conf, ctx);
    case S2_CHECK_TAIL:
    case S2_READ:
    case S2_APPEND:
        return decide_records(r, conf, ctx);
    default:
        break;
    }
    if (!ngx_http_weir_may(conf, ctx, ctx->asked.operations)) {
        return refuse_reason(r, ctx, ctx->reason);
    }
    if (ctx->asked.call == S2_LIST_BASINS || ctx->asked.call == S2_LIST_STREAMS) {
        ctx->decided = 1;
        r->content_handler = ngx_http_weir_list;
        return NGX_DECLINED;
    }
    return pass(r, conf, ctx);
}

/* The first look at a request. */
static ngx_int_t begin(ngx_http_request_t *r, ngx_http_weir_main_conf_t *conf,
                       ngx_http_weir_ctx_t *ctx)
{
    ngx_http_weir_loc_conf_t *loc = ngx_http_get_module_loc_conf(r, ngx_http_weir_module);
    struct s2_refusal refusal = {0};
    char *memory = ngx_pnalloc(r->pool, r->unparsed_uri.len + 1);
    bool is_read = false;

    if (memory == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    read_headers(r, ctx);
    if (ctx->refusal.status != 0) {
        return ngx_http_weir_refuse(r, ctx, ctx->refusal);
    }
    is_read =
        s2_request_read(ngx_http_weir_text(r->method_name), ngx_http_weir_text(r->unparsed_uri),
                        &ctx->headers, memory, &ctx->asked, &refusal);
    if (is_read &&
        (ctx->asked.call == S2_PASSED || (ctx->asked.call == S2_METRICS_PAGE && loc->metrics))) {
        ctx->reason = WEIR_ALLOWED;
        return pass(r, conf, ctx);
    }
    if (is_read && ctx->asked.call == S2_ACCESS_TOKENS) {
        return pass_to_authority(r, ctx);
    }
    ctx->reason = find_token(r, conf, ctx);
    if (ctx->reason != WEIR_ALLOWED) {
        return refuse_reason(r, ctx, ctx->reason);
    }
    if (!is_read) {
        ctx->asked.basin = ctx->asked.stream = (struct weir_text){0}; /* names that are none */
    }
    if (!is_read || ctx->asked.call == S2_METRICS_PAGE) {
        return ngx_http_weir_refuse(
            r, ctx,
            is_read ? NGX_HTTP_WEIR_REFUSAL(404, "not_found", "There is no such call.") : refusal);
    }
    return decide(r, conf, ctx);
}

/*
 * ---- Any service ----
 */

static ngx_int_t evaluate(ngx_http_request_t *r, ngx_http_complex_value_t *value,
                          struct weir_text *text)
{
    ngx_str_t string = ngx_null_string;

    if (value != NULL && ngx_http_complex_value(r, value, &string) != NGX_OK) {
        return NGX_ERROR;
    }
    *text = ngx_http_weir_text(string);
    return NGX_OK;
}

static ngx_int_t decide_generic(ngx_http_request_t *r, ngx_http_weir_main_conf_t *conf,
                                ngx_http_weir_loc_conf_t *loc, ngx_http_weir_ctx_t *ctx)
{
    struct weir_text name = {0};
    enum weir_operation operation = WEIR_LIST_BASINS;

    ctx->generic = 1;
    read_headers(r, ctx);
    if (ctx->refusal.status != 0) {
        return ngx_http_weir_refuse(r, ctx, ctx->refusal);
    }
    if (evaluate(r, loc->operation, &name) != NGX_OK ||
        evaluate(r, loc->basin, &ctx->asked.basin) != NGX_OK ||
        evaluate(r, loc->stream, &ctx->asked.stream) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    ctx->reason = find_token(r, conf, ctx);
    if (ctx->reason != WEIR_ALLOWED) {
        return refuse_reason(r, ctx, ctx->reason);
    }
    if (!weir_operation_parse(name, &operation) ||
        weir_operation_target(operation) == WEIR_TARGET_ACCESS_TOKEN) {
        ctx->reason = WEIR_OP_NOT_PERMITTED;
        return refuse_reason(r, ctx, ctx->reason);
    }
    ctx->asked.operations = WEIR_OPERATION_BIT(operation);
    if (!ngx_http_weir_may(conf, ctx, ctx->asked.operations)) {
        return refuse_reason(r, ctx, ctx->reason);
    }
    if (set_effective(r, ctx) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    ctx->decided = 1;
    ctx->passes = 1;
    wipe_credential(r);
    ngx_http_weir_session_open(conf, ctx);
    return NGX_DECLINED;
}

ngx_int_t ngx_http_weir_access(ngx_http_request_t *r)
{
    ngx_http_weir_main_conf_t *conf = ngx_http_get_module_main_conf(r, ngx_http_weir_module);
    ngx_http_weir_loc_conf_t *loc = ngx_http_get_module_loc_conf(r, ngx_http_weir_module);
    ngx_http_weir_ctx_t *ctx = ngx_http_weir_ctx(r);

    /* Redirected within nginx: there is one decision for one request. */
    if (loc->mode == NGX_HTTP_WEIR_OFF || (ctx != NULL && ctx->passes)) {
        return NGX_DECLINED;
    }
    if (ctx != NULL && (ctx->decided || r->internal)) {
        return NGX_HTTP_FORBIDDEN;
    }
    if (ctx == NULL) {
        ctx = ngx_http_weir_ctx_create(r);
        if (ctx == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
        return loc->mode == NGX_HTTP_WEIR_S2 ? begin(r, conf, ctx)
                                             : decide_generic(r, conf, loc, ctx);
    }
    return decide(r, conf, ctx);
}
