#include <pwd.h>

#include "ngx_http_weir.h"

/*
 * ---- Directives ----
 */

static ngx_conf_enum_t modes[] = {{ngx_string("off"), NGX_HTTP_WEIR_OFF},
                                  {ngx_string("s2"), NGX_HTTP_WEIR_S2},
                                  {ngx_string("on"), NGX_HTTP_WEIR_ON},
                                  {ngx_null_string, 0}};

/* weir_tokens DIR|FILE [owner=USER]; */
static char *set_tokens(ngx_conf_t *cf, ngx_command_t *command, void *data)
{
    ngx_http_weir_main_conf_t *conf = data;
    ngx_str_t *words = cf->args->elts;
    struct passwd *user = NULL;

    (void)command;
    if (conf->tokens.data != NULL) {
        return "is duplicate";
    }
    conf->tokens = words[1];
    if (ngx_conf_full_name(cf->cycle, &conf->tokens, 1) != NGX_OK) {
        return NGX_CONF_ERROR;
    }
    if (cf->args->nelts == 2) {
        return NGX_CONF_OK;
    }
    if (words[2].len <= 6 || ngx_strncmp(words[2].data, "owner=", 6) != 0) {
        return "takes a directory or a file, and owner=USER";
    }
    ngx_set_errno(0);
    user = getpwnam((const char *)words[2].data + 6);
    if (user == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno, "no user \"%s\"", words[2].data + 6);
        return NGX_CONF_ERROR;
    }
    conf->owner = user->pw_uid;
    return NGX_CONF_OK;
}

/* weir_audit FILE; */
static char *set_audit(ngx_conf_t *cf, ngx_command_t *command, void *data)
{
    ngx_http_weir_main_conf_t *conf = data;
    ngx_str_t *words = cf->args->elts;

    (void)command;
    if (conf->audit != NULL) {
        return "is duplicate";
    }
    conf->audit = ngx_conf_open_file(cf->cycle, &words[1]);
    return conf->audit != NULL ? NGX_CONF_OK : NGX_CONF_ERROR;
}

/* weir_authority @location; */
static char *set_authority(ngx_conf_t *cf, ngx_command_t *command, void *data)
{
    ngx_http_weir_loc_conf_t *conf = data;
    ngx_str_t *words = cf->args->elts;

    (void)command;
    if (conf->authority.data != NULL) {
        return "is duplicate";
    }
    if (words[1].len < 2 || words[1].data[0] != '@') {
        return "takes a named location";
    }
    conf->authority = words[1];
    return NGX_CONF_OK;
}

#define PLACES (NGX_HTTP_MAIN_CONF | NGX_HTTP_SRV_CONF | NGX_HTTP_LOC_CONF)

static ngx_command_t commands[] = {
    {ngx_string("weir_tokens"), NGX_HTTP_MAIN_CONF | NGX_CONF_TAKE12, set_tokens,
     NGX_HTTP_MAIN_CONF_OFFSET, 0, NULL},
    {ngx_string("weir_lease"), NGX_HTTP_MAIN_CONF | NGX_CONF_TAKE1, ngx_conf_set_msec_slot,
     NGX_HTTP_MAIN_CONF_OFFSET, offsetof(ngx_http_weir_main_conf_t, lease), NULL},
    {ngx_string("weir_audit"), NGX_HTTP_MAIN_CONF | NGX_CONF_TAKE1, set_audit,
     NGX_HTTP_MAIN_CONF_OFFSET, 0, NULL},
    {ngx_string("weir_bodies"), NGX_HTTP_MAIN_CONF | NGX_CONF_TAKE1, ngx_conf_set_size_slot,
     NGX_HTTP_MAIN_CONF_OFFSET, offsetof(ngx_http_weir_main_conf_t, bodies), NULL},
    {ngx_string("weir"), PLACES | NGX_CONF_TAKE1, ngx_conf_set_enum_slot, NGX_HTTP_LOC_CONF_OFFSET,
     offsetof(ngx_http_weir_loc_conf_t, mode), modes},
    {ngx_string("weir_authority"), PLACES | NGX_CONF_TAKE1, set_authority, NGX_HTTP_LOC_CONF_OFFSET,
     0, NULL},
    {ngx_string("weir_metrics"), PLACES | NGX_CONF_FLAG, ngx_conf_set_flag_slot,
     NGX_HTTP_LOC_CONF_OFFSET, offsetof(ngx_http_weir_loc_conf_t, metrics), NULL},
    {ngx_string("weir_operation"), PLACES | NGX_CONF_TAKE1, ngx_http_set_complex_value_slot,
     NGX_HTTP_LOC_CONF_OFFSET, offsetof(ngx_http_weir_loc_conf_t, operation), NULL},
    {ngx_string("weir_basin"), PLACES | NGX_CONF_TAKE1, ngx_http_set_complex_value_slot,
     NGX_HTTP_LOC_CONF_OFFSET, offsetof(ngx_http_weir_loc_conf_t, basin), NULL},
    {ngx_string("weir_stream"), PLACES | NGX_CONF_TAKE1, ngx_http_set_complex_value_slot,
     NGX_HTTP_LOC_CONF_OFFSET, offsetof(ngx_http_weir_loc_conf_t, stream), NULL},
    ngx_null_command};

static void *create_main_conf(ngx_conf_t *cf)
{
    ngx_http_weir_main_conf_t *conf = ngx_pcalloc(cf->pool, sizeof *conf);

    if (conf != NULL) {
        conf->lease = NGX_CONF_UNSET_MSEC;
        conf->bodies = NGX_CONF_UNSET_SIZE;
    }
    return conf;
}

static void close_file(void *data)
{
    ngx_http_weir_main_conf_t *conf = data;

    weir_engine_close(conf->engine);
    weir_image_close(conf->image);
}

/* A file is read once, with the configuration: what is wrong with it is wrong with that. */
static char *open_file(ngx_conf_t *cf, ngx_http_weir_main_conf_t *conf)
{
    ngx_pool_cleanup_t *cleanup = ngx_pool_cleanup_add(cf->pool, 0);
    struct weir_error error;

    if (cleanup == NULL) {
        return NGX_CONF_ERROR;
    }
    if (ngx_http_weir_open_file((const char *)conf->tokens.data, &conf->image, &conf->engine,
                                &error) != WEIR_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "the tokens in \"%V\": %s%s%s", &conf->tokens,
                           error.place, error.place[0] != '\0' ? ": " : "", error.message);
        return NGX_CONF_ERROR;
    }
    cleanup->handler = close_file;
    cleanup->data = conf;
    return NGX_CONF_OK;
}

static char *init_main_conf(ngx_conf_t *cf, void *data)
{
    ngx_http_weir_main_conf_t *conf = data;
    ngx_file_info_t info;

    ngx_conf_init_msec_value(conf->lease, 0);
    ngx_conf_init_size_value(conf->bodies, (size_t)64 << 20);
    if (conf->tokens.len > 0 && ngx_file_info(conf->tokens.data, &info) != NGX_FILE_ERROR &&
        !ngx_is_dir(&info)) {
        return open_file(cf, conf);
    }
    return NGX_CONF_OK; /* a directory may be there later */
}

static void *create_loc_conf(ngx_conf_t *cf)
{
    ngx_http_weir_loc_conf_t *conf = ngx_pcalloc(cf->pool, sizeof *conf);

    if (conf != NULL) {
        conf->mode = NGX_CONF_UNSET_UINT;
        conf->metrics = NGX_CONF_UNSET;
    }
    return conf;
}

static char *merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_weir_loc_conf_t *above = parent;
    ngx_http_weir_loc_conf_t *conf = child;

    ngx_conf_merge_uint_value(conf->mode, above->mode, NGX_HTTP_WEIR_OFF);
    ngx_conf_merge_str_value(conf->authority, above->authority, "");
    ngx_conf_merge_value(conf->metrics, above->metrics, 0);
    if (conf->operation == NULL) {
        conf->operation = above->operation;
    }
    if (conf->basin == NULL) {
        conf->basin = above->basin;
    }
    if (conf->stream == NULL) {
        conf->stream = above->stream;
    }
    if (conf->mode == NGX_HTTP_WEIR_ON && conf->operation == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"weir on\" needs a \"weir_operation\"");
        return NGX_CONF_ERROR;
    }
    return NGX_CONF_OK;
}

/*
 * ---- Variables ----
 */

static ngx_int_t set_value(ngx_http_variable_value_t *value, const void *bytes, size_t length)
{
    value->valid = 1;
    value->no_cacheable = 0;
    value->not_found = 0;
    value->len = (unsigned)length & 0x0fffffff;
    value->data = (u_char *)(uintptr_t)bytes;
    return NGX_OK;
}

enum variable { ALLOW, REASON, TOKEN_ID, EFFECTIVE_STREAM };

static ngx_int_t get_variable(ngx_http_request_t *r, ngx_http_variable_value_t *value,
                              uintptr_t which)
{
    ngx_http_weir_ctx_t *ctx = ngx_http_weir_ctx(r);
    bool refused = false;

    if (ctx == NULL || !ctx->decided || ctx->to_authority) {
        value->not_found = 1;
        return NGX_OK;
    }
    /* What is refused for another cause than its token has no reason of a token's. */
    refused = ctx->refusal.status != 0;
    if ((which == TOKEN_ID && ctx->token_id.len == 0) ||
        (which == REASON && refused && ctx->reason == WEIR_ALLOWED) ||
        (which == EFFECTIVE_STREAM && refused)) {
        value->not_found = 1;
        return NGX_OK;
    }
    switch ((enum variable)which) {
    case ALLOW:
        return set_value(value, refused ? "0" : "1", 1);
    case REASON: {
        const char *name = weir_reason_name(ctx->reason);

        return set_value(value, name, ngx_strlen(name));
    }
    case TOKEN_ID:
        return set_value(value, ctx->token_id.data, ctx->token_id.len);
    case EFFECTIVE_STREAM:
        break;
    }
    return set_value(value, ctx->effective.bytes, ctx->effective.length);
}

/* What is allowed may be refused later, and is looked at again then: they are not cached. */
static ngx_http_variable_t variables[] = {
    {ngx_string("weir_allow"), NULL, get_variable, ALLOW, NGX_HTTP_VAR_NOCACHEABLE, 0},
    {ngx_string("weir_reason"), NULL, get_variable, REASON, NGX_HTTP_VAR_NOCACHEABLE, 0},
    {ngx_string("weir_token_id"), NULL, get_variable, TOKEN_ID, NGX_HTTP_VAR_NOCACHEABLE, 0},
    {ngx_string("weir_effective_stream"), NULL, get_variable, EFFECTIVE_STREAM,
     NGX_HTTP_VAR_NOCACHEABLE, 0},
};

static ngx_int_t add_variables(ngx_conf_t *cf)
{
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
        ngx_http_variable_t *variable =
            ngx_http_add_variable(cf, &variables[i].name, variables[i].flags);

        if (variable == NULL) {
            return NGX_ERROR;
        }
        variable->get_handler = variables[i].get_handler;
        variable->data = variables[i].data;
    }
    return NGX_OK;
}

/*
 * ---- A request's context ----
 */

static void clean_up(void *data)
{
    ngx_http_weir_ctx_t *ctx = data;
    ngx_http_weir_main_conf_t *conf =
        ngx_http_get_module_main_conf(ctx->request, ngx_http_weir_module);

    ngx_http_weir_session_close(ctx);
    if (ctx->batch.memory != NULL) {
        s2_batch_free(&ctx->batch, ctx->budget);
    }
    if (ctx->frames != NULL) {
        s2_session_close(ctx->frames);
    }
    if (ctx->stream != NULL) {
        s2_stream_close(ctx->stream);
    }
    if (ctx->page != NULL) {
        s2_page_close(ctx->page);
    }
    s2_budget_give(&conf->budget, ctx->told, ctx->told_room);
    ngx_http_weir_drop_body(ctx);
}

ngx_http_weir_ctx_t *ngx_http_weir_ctx_create(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t *cleanup = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_weir_ctx_t));
    ngx_http_weir_ctx_t *ctx = NULL;

    if (cleanup == NULL) {
        return NULL;
    }
    ctx = cleanup->data;
    ngx_memzero(ctx, offsetof(ngx_http_weir_ctx_t, asked.query));
    ctx->asked.query_count = 0;
    ctx->request = r;
    cleanup->handler = clean_up;
    ngx_http_set_ctx(r, ctx, ngx_http_weir_module);
    return ctx;
}

ngx_http_weir_ctx_t *ngx_http_weir_ctx(ngx_http_request_t *r)
{
    ngx_http_weir_ctx_t *ctx = ngx_http_get_module_ctx(r, ngx_http_weir_module);

    /* A redirect within nginx forgets all modules' contexts; what is decided remains so. */
    if (ctx == NULL && (r->internal || r->filter_finalize)) {
        for (ngx_pool_cleanup_t *cleanup = r->pool->cleanup; cleanup != NULL;
             cleanup = cleanup->next) {
            if (cleanup->handler == clean_up &&
                ((ngx_http_weir_ctx_t *)cleanup->data)->request == r) {
                return cleanup->data;
            }
        }
    }
    return ctx;
}

/*
 * ---- The module ----
 */

static ngx_int_t init(ngx_conf_t *cf)
{
    ngx_http_core_main_conf_t *core = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);
    ngx_http_handler_pt *handler = ngx_array_push(&core->phases[NGX_HTTP_ACCESS_PHASE].handlers);

    if (handler == NULL) {
        return NGX_ERROR;
    }
    *handler = ngx_http_weir_access;
    ngx_http_weir_body_filter_init();
    ngx_http_weir_response_filter_init();
    return NGX_OK;
}

static ngx_http_weir_main_conf_t *conf_of(ngx_cycle_t *cycle)
{
    return ngx_http_cycle_get_module_main_conf(cycle, ngx_http_weir_module);
}

static ngx_int_t init_process(ngx_cycle_t *cycle)
{
    ngx_http_weir_main_conf_t *conf = conf_of(cycle);

    return conf != NULL ? ngx_http_weir_follow(conf, cycle) : NGX_OK;
}

static void exit_process(ngx_cycle_t *cycle)
{
    ngx_http_weir_main_conf_t *conf = conf_of(cycle);

    if (conf != NULL) {
        ngx_http_weir_unfollow(conf);
    }
}

static ngx_http_module_t context = {.preconfiguration = add_variables,
                                    .postconfiguration = init,
                                    .create_main_conf = create_main_conf,
                                    .init_main_conf = init_main_conf,
                                    .create_loc_conf = create_loc_conf,
                                    .merge_loc_conf = merge_loc_conf};

ngx_module_t ngx_http_weir_module = {
    NGX_MODULE_V1, &context, commands, NGX_HTTP_MODULE, NULL, NULL,
    init_process,  NULL,     NULL,     exit_process,    NULL, NGX_MODULE_V1_PADDING};
