/*
 * ngx_http_weir.h - the nginx module: who sends a request may do what it asks for, or is told why
 * not.
 *
 * The way of a request: access.c reads what it needs from its unparsed URI and its headers (s2/),
 * finds the token and decides; bodies that have to be read whole are read then (body.c). What is
 * allowed is written afresh and goes to the location's content handler, which is grpc_pass or
 * proxy_pass. On the way back response.c looks at the answer. What lasts is in the worker's list of
 * open requests (sessions.c), which is gone through when tokens change.
 *
 * A worker has one thread; so has all of this.
 */
#ifndef NGX_HTTP_WEIR_H
#define NGX_HTTP_WEIR_H

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include <weir/credential.h>
#include <weir/engine.h>
#include <weir/follow.h>
#include <weir/image.h>
#include <weir/listing.h>

#include "s2/answer.h"
#include "s2/append.h"
#include "s2/refusal.h"
#include "s2/request.h"

extern ngx_module_t ngx_http_weir_module;

/*
 * ---- Configuration ----
 */

enum ngx_http_weir_mode { NGX_HTTP_WEIR_OFF, NGX_HTTP_WEIR_S2, NGX_HTTP_WEIR_ON };

typedef struct {
    ngx_str_t tokens; /* a published directory, or a file; empty: no tokens, everything is denied */
    ngx_uid_t owner;  /* whose directory may be followed, besides root's and the worker's own */
    ngx_msec_t lease; /* the oldest heartbeat that is answered from; 0: the publisher's lease */
    ngx_open_file_t *audit;
    size_t bodies; /* bytes that bodies may be held in, in one worker */

    /* Of the worker. */
    struct weir_follower *follower;
    struct weir_image *image;   /* of a file; */
    struct weir_engine *engine; /* and on it */
    struct s2_budget budget;
    struct s2_budget shares[256]; /* of it: a token's, and of others whose digest begins likewise */
    ngx_event_t poll;
    uint64_t leaving;     /* since boot, when the worker was told to leave */
    ngx_queue_t sessions; /* ngx_http_weir_ctx_t.session */
    uint64_t sequence;    /* of the last change that sessions were looked at for */
    uint64_t looked;      /* since boot, when they were */
    ngx_flag_t failing;   /* the last poll failed, which is logged */
} ngx_http_weir_main_conf_t;

typedef struct {
    ngx_uint_t mode;                     /* enum ngx_http_weir_mode */
    ngx_str_t authority;                 /* the named location that token calls go to */
    ngx_flag_t metrics;                  /* whether Prometheus' /metrics is passed on */
    ngx_http_complex_value_t *operation; /* of NGX_HTTP_WEIR_ON */
    ngx_http_complex_value_t *basin;
    ngx_http_complex_value_t *stream;
} ngx_http_weir_loc_conf_t;

/*
 * ---- A request ----
 */

typedef struct {
    ngx_http_request_t *request;

    struct s2_headers headers;
    uint8_t digest[WEIR_DIGEST_SIZE]; /* of the credential */
    ngx_str_t token_id;               /* empty: not known */
    uint64_t issue_number;
    struct s2_budget *budget;       /* the token's share */
    struct weir_text stream_prefix; /* of a token with auto-prefix; empty: none */
    struct weir_text effective;     /* the stream's name at the server */
    enum weir_reason reason;
    struct s2_refusal refusal; /* what is answered in place of what the server would; or nothing */

    /* What the request waits for, in the access phase. */
    unsigned decided : 1;
    unsigned passes : 1;          /* all is allowed: it goes to the server */
    unsigned body_read : 1;       /* of those that are read whole */
    unsigned existence_asked : 1; /* whether the stream exists (question.c) */
    unsigned generic : 1;         /* `weir on` */
    unsigned to_authority : 1;

    /* The body: whole, or frame by frame. */
    unsigned collects : 1;
    u_char *body;
    size_t body_length;
    size_t body_room;
    size_t body_most;
    struct s2_batch batch;
    struct s2_session *frames;
    weir_operations held;    /* of append, fence and trim, at the beginning */
    ngx_chain_t *untaken;    /* of the client's buffers: what waits for the frame before to leave */
    ngx_buf_t *frame;        /* on its way to the server */
    unsigned body_ended : 1; /* the client has sent all */
    unsigned body_closed : 1; /* the server has been told so */
    ngx_event_t arrival;      /* when a body or a frame that has begun must be there */

    /* The answer. */
    struct s2_stream *stream; /* one that lasts */
    enum s2_stream_kind stream_kind;
    unsigned holds_answer : 1; /* it is rewritten once it is whole */
    unsigned replaced : 1;     /* it is thrown away, and `refusal` sent */
    unsigned answered : 1;     /* nothing more goes to the client */
    unsigned own_answer : 1;   /* it is the gateway's, as it is */
    ngx_chain_t *copies;       /* that were sent on, to be used again */
    ngx_chain_t *copies_busy;  /* that are on their way */

    /* While it is open. */
    ngx_queue_t session;
    ngx_event_t deadline;
    unsigned listed : 1;
    unsigned ending : 1;    /* at the next message's end, or the deadline */
    unsigned ends_last : 1; /* once the server has answered all that went before */

    /* A list's page, and the questions to the server (question.c). */
    struct s2_page *page;
    ngx_http_request_t *main; /* of a question: whose it is; NULL: this is the client's own */
    ngx_uint_t status;        /* of the last question */
    u_char *told;             /* its body */
    size_t told_length;
    size_t told_room;
    unsigned told_whole : 1;
    unsigned asking : 1;

    struct s2_request asked; /* last: its parameters are not cleared */
} ngx_http_weir_ctx_t;

/* The request's, or NULL; also after an internal redirect. */
ngx_http_weir_ctx_t *ngx_http_weir_ctx(ngx_http_request_t *r);

/* Makes it, to be cleaned up with the request. */
ngx_http_weir_ctx_t *ngx_http_weir_ctx_create(ngx_http_request_t *r);

static inline struct weir_text ngx_http_weir_text(ngx_str_t string)
{
    return (struct weir_text){(const char *)string.data, string.len};
}

/* Of a string; NULL: no text. */
static inline struct weir_text ngx_http_weir_text_of(const char *string)
{
    return (struct weir_text){string, string != NULL ? ngx_strlen(string) : 0};
}

/* Moves what was made by malloc into the request's memory; `data` NULL: no memory. */
ngx_str_t ngx_http_weir_move(ngx_http_request_t *r, char *text, size_t length);

/* Writes a URI for the server, in the request's memory; `bytes` NULL: no memory. */
struct weir_text ngx_http_weir_write_uri(ngx_http_request_t *r, const struct s2_request *request,
                                         struct weir_text stream_prefix);

/*
 * ---- follow.c: the tokens ----
 */

/* Of a file, an image or JSON (file.c): all codes of weir_image_open and weir_token_file_read. */
enum weir_status ngx_http_weir_open_file(const char *path, struct weir_image **image,
                                         struct weir_engine **engine, struct weir_error *error);

ngx_int_t ngx_http_weir_follow(ngx_http_weir_main_conf_t *conf, ngx_cycle_t *cycle);
void ngx_http_weir_unfollow(ngx_http_weir_main_conf_t *conf);

/* The engine to ask now, brought up to date; NULL: stale, deny. */
const struct weir_engine *ngx_http_weir_engine(ngx_http_weir_main_conf_t *conf,
                                               struct weir_clocks now);

/* The request's token, inside a read section; NULL: it is no more, or not what it was. */
const struct weir_compiled_token *ngx_http_weir_find(const struct weir_engine *engine,
                                                     const ngx_http_weir_ctx_t *ctx);

/*
 * Which of these operations the request's token may do now, on its basin and stream. `*reason`: of
 * the first that it may not, or WEIR_ALLOWED.
 */
weir_operations ngx_http_weir_allowed(ngx_http_weir_main_conf_t *conf,
                                      const ngx_http_weir_ctx_t *ctx, weir_operations operations,
                                      enum weir_reason *reason);

/* Whether it may do all of them; `ctx->reason` says why not. */
bool ngx_http_weir_may(ngx_http_weir_main_conf_t *conf, ngx_http_weir_ctx_t *ctx,
                       weir_operations operations);

/* Of an append: what its records may need. */
#define NGX_HTTP_WEIR_RECORDS                                                                      \
    (WEIR_OPERATION_BIT(WEIR_APPEND) | WEIR_OPERATION_BIT(WEIR_FENCE) |                            \
     WEIR_OPERATION_BIT(WEIR_TRIM))

/*
 * ---- access.c: the decision ----
 */

ngx_int_t ngx_http_weir_access(ngx_http_request_t *r);

/*
 * ---- answer.c: what the gateway says itself ----
 */

/* The refusal of a reason that denies. */
struct s2_refusal ngx_http_weir_refusal(enum weir_reason reason);
#define NGX_HTTP_WEIR_REFUSAL(status_, code_, message_)                                            \
    ((struct s2_refusal){.status = (status_), .code = (code_), .message = (message_)})

/* Answers the request with a refusal, and logs it; what to return from a phase's handler. */
ngx_int_t ngx_http_weir_refuse(ngx_http_request_t *r, ngx_http_weir_ctx_t *ctx,
                               struct s2_refusal refusal);

/* Makes the answer's header that of so much JSON. */
void ngx_http_weir_set_json(ngx_http_request_t *r, size_t length);

/* Sends a JSON answer that is not the server's, and adds the CORS headers to it. */
ngx_int_t ngx_http_weir_send(ngx_http_request_t *r, ngx_uint_t status, u_char *json, size_t length);

/* The refusal as JSON, or as the last message of an answer that lasts, in the request's memory;
 * empty: no memory. */
ngx_str_t ngx_http_weir_refusal_json(ngx_http_request_t *r, ngx_http_weir_ctx_t *ctx);
ngx_str_t ngx_http_weir_refusal_message(ngx_http_request_t *r, ngx_http_weir_ctx_t *ctx,
                                        enum s2_stream_kind kind);

void ngx_http_weir_add_cors(ngx_http_request_t *r);

/* Forgets the headers of an answer that another takes the place of. */
void ngx_http_weir_drop_headers(ngx_http_request_t *r);

/* Makes a header of the request one that is sent on to no server. */
void ngx_http_weir_hide(ngx_table_elt_t *header);

/* Sets a header of the request to a text that lives as long; NULL: it is sent on to no server. */
ngx_int_t ngx_http_weir_set_header(ngx_http_request_t *r, const char *name, struct weir_text value);

/* A line of the audit trail. */
void ngx_http_weir_audit(ngx_http_request_t *r, ngx_http_weir_ctx_t *ctx, const char *event);

/*
 * ---- body.c: the client's body ----
 */

void ngx_http_weir_body_filter_init(void);

/* Reads the body whole into `ctx->body`, in memory; the access phase is run again then. */
ngx_int_t ngx_http_weir_read_body(ngx_http_request_t *r, ngx_http_weir_ctx_t *ctx, size_t most);

/* Releases the body that was read. */
void ngx_http_weir_drop_body(ngx_http_weir_ctx_t *ctx);

/* Puts these bytes, which live as long as the request, in the body's place. */
ngx_int_t ngx_http_weir_set_body(ngx_http_request_t *r, u_char *bytes, size_t length);

/*
 * ---- response.c: the server's answer ----
 */

void ngx_http_weir_response_filter_init(void);

/* Sends the rest of an answer that lasts, with the refusal as its last message. */
ngx_int_t ngx_http_weir_send_last(ngx_http_request_t *r, ngx_http_weir_ctx_t *ctx);

/*
 * ---- sessions.c: what lasts ----
 */

void ngx_http_weir_session_open(ngx_http_weir_main_conf_t *conf, ngx_http_weir_ctx_t *ctx);
void ngx_http_weir_session_close(ngx_http_weir_ctx_t *ctx);

/* Goes through all that are open: ends those that may not go on. */
void ngx_http_weir_sessions_check(ngx_http_weir_main_conf_t *conf);
/* Ends all of them: the worker leaves. */
void ngx_http_weir_sessions_end(ngx_http_weir_main_conf_t *conf);

/* Ends one: at its message's end, but soon. The request may be gone when it returns. */
void ngx_http_weir_session_end(ngx_http_weir_ctx_t *ctx, struct s2_refusal refusal);

/* Likewise in the next turn of the event loop: for who is in the request's own filters. */
void ngx_http_weir_session_end_soon(ngx_http_weir_ctx_t *ctx);

/* Ends one after the server's answers to what went before; also soon. */
void ngx_http_weir_session_end_last(ngx_http_weir_ctx_t *ctx, struct s2_refusal refusal);

/*
 * ---- question.c: what the gateway asks the server by itself ----
 */

/* Asks for a URI by GET; when it is answered `ctx->status` and `ctx->told` say how, and the
 * request goes on with its write_event_handler. */
ngx_int_t ngx_http_weir_ask(ngx_http_request_t *r, ngx_http_weir_ctx_t *ctx, struct weir_text uri);

/* Keeps what comes of the answer. */
ngx_int_t ngx_http_weir_take_told(ngx_http_weir_ctx_t *ctx, ngx_chain_t *in);

/* The content handler of lists. */
ngx_int_t ngx_http_weir_list(ngx_http_request_t *r);

#endif
