/*
 * request.h - S2's REST interface as a gateway sees it: which operations a request needs, on what,
 * and how it is written afresh once that is known, so that nobody behind can read it otherwise.
 *
 * Nothing here knows a server, a token or a connection. Texts are bytes of hostile clients.
 */
#ifndef WEIR_S2_REQUEST_H
#define WEIR_S2_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include <weir/name.h>
#include <weir/operation.h>

#include "s2/refusal.h"

/*
 * ---- Headers ----
 */

enum s2_content {
    S2_CONTENT_NONE,
    S2_CONTENT_JSON,
    S2_CONTENT_PROTOBUF,
    S2_CONTENT_SESSION,
    S2_CONTENT_OTHER
};
enum s2_encoding { S2_ENCODING_IDENTITY, S2_ENCODING_GZIP, S2_ENCODING_ZSTD, S2_ENCODING_OTHER };

/* All zero: none has been read. Values live as long as what was given to s2_headers_read. */
struct s2_headers {
    struct weir_text credential; /* of `Authorization: Bearer`; empty: none, or another scheme */
    struct weir_text basin;      /* of `s2-basin`, not looked at yet */
    enum s2_content content;     /* of `Content-Type`, read as s2-lite reads it */
    enum s2_encoding encoding;   /* of `Content-Encoding` */
    bool base64;                 /* of `s2-format` */
    bool event_stream;           /* of `Accept`: server-sent events are asked for */
    unsigned seen;               /* which of those that may be there once have been */
};

/* Takes a header, name in any case, into account. False, `*refusal` filled in (400 bad_header): it
 * is there twice, or says what cannot be understood. */
bool s2_headers_read(struct s2_headers *headers, struct weir_text name, struct weir_text value,
                     struct s2_refusal *refusal);

/* The `Content-Type` to send on instead of the one that was read, and the `s2-format`; NULL: none.
 * Static. */
const char *s2_headers_content_type(const struct s2_headers *headers);
const char *s2_headers_format(const struct s2_headers *headers);

/*
 * ---- What is asked ----
 */

enum s2_call {
    S2_NOTHING = 0,   /* no such call: 404, not forwarded */
    S2_PASSED,        /* OPTIONS, /health, /ping: passed on without a decision */
    S2_METRICS_PAGE,  /* Prometheus' /metrics: only where configured */
    S2_ACCESS_TOKENS, /* answered by the authority, whatever it is */
    S2_LIST_BASINS,
    S2_CREATE_BASIN, /* POST; the basin is in the body */
    S2_PUT_BASIN,
    S2_ONE_BASIN, /* GET, PATCH, DELETE */
    S2_LOCATIONS,
    S2_METRICS, /* of the account, a basin, a stream */
    S2_LIST_STREAMS,
    S2_CREATE_STREAM, /* POST; the stream is in the body */
    S2_PUT_STREAM,
    S2_ONE_STREAM, /* GET, PATCH, DELETE */
    S2_CHECK_TAIL,
    S2_READ,
    S2_APPEND /* what it needs besides is in the body (append.h) */
};

/* The most keys that a query may have. */
#define S2_QUERY_MAX 32

struct s2_parameter {
    struct weir_text key;
    struct weir_text value;
    bool has_value; /* `key=` as opposed to `key` */
};

struct s2_request {
    enum s2_call call;
    weir_operations operations; /* every one of them is needed; none for S2_PASSED and
                                   S2_METRICS_PAGE, and for S2_APPEND, whose body says */
    const char *pattern;        /* of the path, such as "/v1/basins/{b}"; NULL: passed as it is */
    struct weir_text basin; /* decoded and valid; empty where there is none, or it is in the body */
    struct weir_text stream;                 /* decoded and valid, as the client names it */
    struct weir_text access_token;           /* decoded and valid: the id of one to be revoked */
    struct weir_text path;                   /* as sent, without the query */
    struct s2_parameter query[S2_QUERY_MAX]; /* decoded, in the order in which they came */
    size_t query_count;
};

/*
 * Reads method and URI as they were sent (the URI undecoded, path and query, also with a host
 * before them). `memory` has `uri.length` bytes, in which the decoded texts are put, and lives as
 * long as `request`, as `uri` and what `headers` were read from do.
 *
 * False: refused, `*refusal` filled in: 400 bad_path (raw `.`, `..` or empty segments, bytes that
 * no URI may have, a bad percent sign, a name that is not allowed), 404 not_found (no such call, or
 * not with this method), 400 bad_header (no basin where one is needed, an invalid one), 400
 * bad_query (a key twice, too many, a bad percent sign; of a listing, a prefix or start_after that
 * is none, or a limit that is no number). Whether a stream's effective name is allowed is for the
 * decision to say.
 */
bool s2_request_read(struct weir_text method, struct weir_text uri,
                     const struct s2_headers *headers, char *memory, struct s2_request *request,
                     struct s2_refusal *refusal);

/* The value of a query's key (empty, if it has none), or NULL. Lives as long as `request`. */
const struct weir_text *s2_request_parameter(const struct s2_request *request, const char *key);

/* Room that s2_request_write needs at most. */
size_t s2_request_size(const struct s2_request *request, struct weir_text stream_prefix);

/*
 * Writes the URI afresh, for the server: everything but unreserved characters percent-encoded,
 * `stream_prefix` (empty: none) before the stream, before a listing's `prefix` (always,
 * S2_LIST_STREAMS alone) and its `start_after` (when not empty). What becomes longer than a
 * stream's name may be is SPEC section 5's affair: s2_page (answer.h) asks for pages. Returns the
 * length.
 */
size_t s2_request_write(const struct s2_request *request, struct weir_text stream_prefix,
                        char *buffer);

/*
 * ---- Bodies that name what they create ----
 */

/*
 * Reads the body of S2_CREATE_BASIN or S2_CREATE_STREAM: strict JSON, each key once at every depth,
 * with a valid name, which lives in `*body`, to be given to s2_body_write and s2_body_free. False:
 * refused, nothing held: 400 bad_json, 413 too_large (what it is decoded to), 415
 * unsupported_media_type (an encoding that is none of ours), 503 unavailable (no memory).
 */
struct s2_body;
bool s2_body_read(enum s2_call call, struct weir_text bytes, enum s2_encoding encoding,
                  struct s2_body **body, struct weir_text *name, struct s2_refusal *refusal);

/* The most bytes that such a body is decoded to. */
#define S2_BODY_MAX ((size_t)1 << 20)

/* Encodes it afresh, without a content encoding, with `stream_prefix` before the stream of
 * S2_CREATE_STREAM; NULL: no memory. To be released with free(). */
char *s2_body_write(const struct s2_body *body, struct weir_text stream_prefix, size_t *length);
void s2_body_free(struct s2_body *body);

#endif
