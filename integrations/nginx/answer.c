#include "ngx_http_weir.h"

/*
 * ---- Refusals ----
 */

struct s2_refusal ngx_http_weir_refusal(enum weir_reason reason)
{
    switch (reason) {
    case WEIR_STALE:
        return NGX_HTTP_WEIR_REFUSAL(503, "unavailable", "Access tokens cannot be checked now.");
    case WEIR_UNKNOWN_TOKEN:
    case WEIR_EXPIRED:
        return NGX_HTTP_WEIR_REFUSAL(
            401, "authn", "the credential is missing, malformed, unknown, revoked or expired");
    case WEIR_INVALID_NAME:
        return NGX_HTTP_WEIR_REFUSAL(400, "bad_path", "A name is not valid.");
    default:
        return NGX_HTTP_WEIR_REFUSAL(403, "permission_denied", "The token does not permit that");
    }
}

/* Why, where that is the client's to know. */
static const char *detail_of(const ngx_http_weir_ctx_t *ctx)
{
    return ctx->refusal.status == NGX_HTTP_FORBIDDEN ? weir_reason_name(ctx->reason) : NULL;
}

ngx_str_t ngx_http_weir_refusal_json(ngx_http_request_t *r, ngx_http_weir_ctx_t *ctx)
{
    ngx_str_t json = ngx_null_string;

    json.data = ngx_pnalloc(r->pool, S2_REFUSAL_SIZE);
    if (json.data != NULL) {
        json.len =
            s2_refusal_write(&ctx->refusal, detail_of(ctx), (char *)json.data, S2_REFUSAL_SIZE);
    }
    return json;
}

ngx_str_t ngx_http_weir_refusal_message(ngx_http_request_t *r, ngx_http_weir_ctx_t *ctx,
                                        enum s2_stream_kind kind)
{
    ngx_str_t message = ngx_null_string;

    message.data = ngx_pnalloc(r->pool, S2_REFUSAL_SIZE);
    if (message.data != NULL) {
        message.len = (kind == S2_STREAM_FRAMES ? s2_terminal_write : s2_event_write)(
            &ctx->refusal, detail_of(ctx), (char *)message.data, S2_REFUSAL_SIZE);
    }
    return message;
}

/*
 * ---- Headers ----
 */

static ngx_int_t add_header(ngx_http_request_t *r, const char *name, ngx_str_t value)
{
    ngx_table_elt_t *header = ngx_list_push(&r->headers_out.headers);

    if (header == NULL) {
        return NGX_ERROR;
    }
    *header = (ngx_table_elt_t){
        .hash = 1, .key = {ngx_strlen(name), (u_char *)(uintptr_t)name}, .value = value};
    return NGX_OK;
}

void ngx_http_weir_hide(ngx_table_elt_t *header)
{
    /* Of one connection alone, so that nginx passes none of this name on. */
    static u_char name[] = "keep-alive";

    header->key.data = name;
    header->key.len = sizeof name - 1;
    header->lowcase_key = name;
    header->hash = ngx_hash_key(name, sizeof name - 1);
    ngx_str_null(&header->value);
}

/* A header of the request, or NULL; `name` is in small letters. */
static ngx_table_elt_t *find_header(ngx_http_request_t *r, const char *name, size_t length)
{
    ngx_list_part_t *part = &r->headers_in.headers.part;

    for (; part != NULL; part = part->next) {
        ngx_table_elt_t *headers = part->elts;

        for (ngx_uint_t i = 0; i < part->nelts; i++) {
            if (headers[i].key.len == length &&
                ngx_memcmp(headers[i].lowcase_key, name, length) == 0) {
                return &headers[i];
            }
        }
    }
    return NULL;
}

ngx_int_t ngx_http_weir_set_header(ngx_http_request_t *r, const char *name, struct weir_text value)
{
    size_t length = ngx_strlen(name);
    ngx_table_elt_t *header = find_header(r, name, length);

    if (value.bytes == NULL) {
        for (; header != NULL; header = find_header(r, name, length)) {
            ngx_http_weir_hide(header);
        }
        return NGX_OK;
    }
    if (header == NULL) {
        header = ngx_list_push(&r->headers_in.headers);
        if (header == NULL) {
            return NGX_ERROR;
        }
        *header = (ngx_table_elt_t){.hash = ngx_hash_key((u_char *)(uintptr_t)name, length),
                                    .key = {length, (u_char *)(uintptr_t)name},
                                    .lowcase_key = (u_char *)(uintptr_t)name};
    }
    header->value.data = (u_char *)(uintptr_t)value.bytes;
    header->value.len = value.length;
    return NGX_OK;
}

/* As s2-lite's: whoever asks may read the answer. A credential is no cookie: no page has one that
 * was not given to it. */
void ngx_http_weir_add_cors(ngx_http_request_t *r)
{
    static ngx_str_t truth = ngx_string("true");
    static ngx_str_t vary =
        ngx_string("origin, access-control-request-method, access-control-request-headers");
    ngx_table_elt_t *origin = find_header(r, "origin", sizeof "origin" - 1);

    if (origin != NULL) {
        (void)add_header(r, "access-control-allow-origin", origin->value);
        (void)add_header(r, "access-control-allow-credentials", truth);
    }
    (void)add_header(r, "vary", vary);
}

void ngx_http_weir_drop_headers(ngx_http_request_t *r)
{
    ngx_list_t *headers = &r->headers_out.headers;

    headers->part.nelts = 0;
    headers->part.next = NULL;
    headers->last = &headers->part;
    r->headers_out.content_encoding = NULL;
}

/*
 * ---- Answers ----
 */

void ngx_http_weir_set_json(ngx_http_request_t *r, size_t length)
{
    ngx_http_clear_content_length(r);
    ngx_http_clear_accept_ranges(r);
    ngx_http_clear_last_modified(r);
    ngx_http_clear_etag(r);
    r->headers_out.content_length_n = (off_t)length;
    ngx_str_set(&r->headers_out.content_type, "application/json");
    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.content_type_lowcase = NULL;
    ngx_str_null(&r->headers_out.charset);
}

ngx_str_t ngx_http_weir_move(ngx_http_request_t *r, char *text, size_t length)
{
    ngx_str_t moved = {length, ngx_pnalloc(r->pool, length)};

    if (moved.data != NULL) {
        ngx_memcpy(moved.data, text, length);
    }
    free(text);
    return moved;
}

ngx_int_t ngx_http_weir_send(ngx_http_request_t *r, ngx_uint_t status, u_char *json, size_t length)
{
    ngx_http_weir_ctx_t *ctx = ngx_http_weir_ctx(r);
    ngx_buf_t *buffer = ngx_calloc_buf(r->pool);
    ngx_chain_t out = {.buf = buffer};
    ngx_int_t rc = NGX_OK;

    if (buffer == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    r->headers_out.status = status;
    ngx_http_weir_set_json(r, length);
    r->disable_not_modified = 1; /* it is of this moment */
    ngx_http_weir_add_cors(r);
    if (ctx != NULL) {
        ctx->own_answer = 1;
    }
    rc = ngx_http_send_header(r);
    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }
    buffer->pos = json;
    buffer->last = json + length;
    buffer->memory = length > 0;
    buffer->last_buf = 1;
    buffer->last_in_chain = 1;
    return ngx_http_output_filter(r, &out);
}

ngx_int_t ngx_http_weir_refuse(ngx_http_request_t *r, ngx_http_weir_ctx_t *ctx,
                               struct s2_refusal refusal)
{
    ngx_str_t json;
    ngx_int_t rc = NGX_OK;

    ctx->refusal = refusal;
    ctx->decided = 1;
    ngx_http_weir_audit(r, ctx, "denied");
    json = ngx_http_weir_refusal_json(r, ctx);
    if (json.len == 0) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }
    if (refusal.status == NGX_HTTP_SERVICE_UNAVAILABLE) {
        (void)add_header(r, "retry-after", (ngx_str_t)ngx_string("1"));
    }
    rc = ngx_http_weir_send(r, refusal.status, json.data, json.len);
    ngx_http_finalize_request(r, rc);
    return NGX_DONE;
}

/*
 * ---- The audit trail ----
 */

/* Of a line: eight texts at their longest, and what is between them. */
#define AUDIT_TEXT_MAX 512
#define AUDIT_SIZE (8 * (WEIR_QUOTED_MAX(AUDIT_TEXT_MAX) + 32))

/* Appends `"key":"text"`, quoted as JSON; a longer text than any name is cut. */
static u_char *put_text(u_char *out, const char *key, struct weir_text text)
{
    text.length = ngx_min(text.length, (size_t)AUDIT_TEXT_MAX);
    out = ngx_sprintf(out, ",\"%s\":", key);
    return out + weir_quote(text, (char *)out, WEIR_QUOTED_MAX(AUDIT_TEXT_MAX));
}

/* The first operation of those that are needed. */
static const char *operation_of(const ngx_http_weir_ctx_t *ctx)
{
    for (unsigned number = 1; number <= WEIR_OPERATION_COUNT; number++) {
        if ((ctx->asked.operations & WEIR_OPERATION_BIT(number)) != 0) {
            return weir_operation_name((enum weir_operation)number);
        }
    }
    return NULL;
}

void ngx_http_weir_audit(ngx_http_request_t *r, ngx_http_weir_ctx_t *ctx, const char *event)
{
    ngx_http_weir_main_conf_t *conf = ngx_http_get_module_main_conf(r, ngx_http_weir_module);
    u_char line[AUDIT_SIZE];
    u_char *out = line;
    const char *operation = operation_of(ctx);

    if (conf->audit == NULL) {
        return;
    }
    out = ngx_sprintf(out, "{\"time\":\"%V\"", &ngx_cached_http_log_iso8601);
    out = put_text(out, "event", ngx_http_weir_text_of(event));
    out = put_text(out, "client", ngx_http_weir_text(r->connection->addr_text));
    if (ctx->token_id.len > 0) {
        out = put_text(out, "token", ngx_http_weir_text(ctx->token_id));
    }
    if (operation != NULL) {
        out = put_text(out, "operation", ngx_http_weir_text_of(operation));
    }
    if (ctx->asked.basin.length > 0) {
        out = put_text(out, "basin", ctx->asked.basin);
    }
    if (ctx->asked.stream.length > 0) {
        out = put_text(out, "stream", ctx->asked.stream);
    }
    out = ngx_sprintf(out, ",\"status\":%ud", ctx->refusal.status);
    out = put_text(out, "code", ngx_http_weir_text_of(ctx->refusal.code));
    if (ctx->reason != WEIR_ALLOWED) {
        out = put_text(out, "reason", ngx_http_weir_text_of(weir_reason_name(ctx->reason)));
    }
    *out++ = '}';
    *out++ = '\n';
    (void)ngx_write_fd(conf->audit->fd, line, (size_t)(out - line));
}
