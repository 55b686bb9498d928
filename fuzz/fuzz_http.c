/*
 * What a client sends to `weir serve`, of which the first request is read, MHD
 * taking it apart as it does for the server. What is not refused says what a
 * plain reader reads in the same bytes, who refuses all that can be read in two
 * ways. Its body is decoded, whatever it is.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <microhttpd.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "demand.h"
#include "plain.h"
#include "serve/decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What comes of a connection. */
struct exchange {
    const struct plain_request *plain;
    char *uri; /* as it was sent, up to a NUL byte */
    bool presented;
    bool refused;
    bool complete;
    bool closed;
    enum call call;
    enum encoding encoding;
    struct buffer body;
};

/*
 * ---- The head ----
 */

static void expect_credential(struct weir_text credential, struct weir_text value)
{
    struct weir_text expected = {"", 0};

    if (value.length > 6 && strncasecmp(value.bytes, "Bearer", 6) == 0 &&
        (value.bytes[6] == ' ' || value.bytes[6] == '\t')) {
        const char *end = value.bytes + value.length;

        for (expected.bytes = value.bytes + 6; *expected.bytes == ' ' || *expected.bytes == '\t';) {
            expected.bytes++;
        }
        expected.length = (size_t)(end - expected.bytes);
    }
    demand(plain_same(credential, expected));
}

/* Nothing of a credential is left where it was. */
static void wipe(struct headers *headers)
{
    const struct weir_text value = headers->values[HEADER_AUTHORIZATION];

    headers_wipe(headers);
    for (size_t i = 0; i < value.length; i++) {
        demand(value.bytes[i] == '\0');
    }
    demand(headers_credential(headers).length == 0);
}

static void expect_headers(const struct headers *headers, const struct plain_request *plain)
{
    for (size_t i = 0; i < HEADER_COUNT; i++) {
        demand(headers->there[i] == plain->there[i]);
        demand(plain_same(headers->values[i], plain->values[i]));
    }
    expect_credential(headers_credential(headers), plain->values[HEADER_AUTHORIZATION]);
}

static void expect_target(struct exchange *exchange, const char *method, enum site_kind site)
{
    const char *message = NULL;
    struct plain_target plain;
    struct target target;
    char *uri = strdup(exchange->uri);

    demand(uri != NULL);
    plain_target_read(&plain, method, exchange->uri, site);
    demand(target_read(method, uri, site, &target, &message) == plain.outcome);
    demand(target.call == plain.target.call);
    demand((message != NULL) == (plain.outcome != OUTCOME_OK));
    demand((target.allow != NULL) == (plain.outcome == OUTCOME_METHOD_NOT_ALLOWED));
    if (plain.outcome == OUTCOME_OK) {
        demand(plain_same(target.id, plain.target.id));
        demand(plain_same(target.prefix, plain.target.prefix));
        demand(plain_same(target.start_after, plain.target.start_after));
        demand(target.limit == plain.target.limit);
        exchange->call = target.call;
    }
    plain_target_free(&plain);
    free(uri);
}

/* The server's own checks, in its order. */
static bool is_refused(const struct exchange *exchange, const struct headers *headers,
                       const char *url, const char *method, const char *version)
{
    return headers_ambiguity(headers, version) != NULL || headers->twice != NULL ||
           (uintptr_t)url - (uintptr_t)method != strlen(method) + 1 ||
           (uintptr_t)version - (uintptr_t)url != strlen(exchange->uri) + 1;
}

static void present(struct exchange *exchange, struct MHD_Connection *mhd, const char *url,
                    const char *method, const char *version)
{
    const struct plain_request *plain = exchange->plain;
    struct headers headers;
    uint64_t length = 0;

    headers_read(mhd, method, version, &headers);
    exchange->refused = is_refused(exchange, &headers, url, method, version) || plain->hidden;
    if (!exchange->refused) {
        demand(plain->headed && plain->sound);
        expect_headers(&headers, plain);
        (void)headers_json(&headers);
        demand(headers_body(&headers, &length) || plain->length == 0);
        exchange->refused =
            headers.there[HEADER_CONTENT_ENCODING] &&
            !encoding_parse(headers.values[HEADER_CONTENT_ENCODING], &exchange->encoding);
        expect_target(exchange, method, SITE_METRICS);
        expect_target(exchange, method, SITE_OPERATOR);
        expect_target(exchange, method, SITE_PUBLIC);
    }
    if (exchange->call != CALL_OTHER) {
        demand(plain->begun);
        demand(plain_same((struct weir_text){method, strlen(method)}, plain->method));
        demand(plain_same((struct weir_text){exchange->uri, strlen(exchange->uri)}, plain->uri));
        demand(plain_same((struct weir_text){version, strlen(version)}, plain->version));
    }
    wipe(&headers);
}

/*
 * ---- The connection ----
 */

static struct exchange *current;

static void *begin(void *context, const char *uri, struct MHD_Connection *mhd)
{
    (void)context;
    (void)mhd;
    current->uri = strdup(uri);
    demand(current->uri != NULL);
    return NULL;
}

/* MHD_NO ends the connection. */
static enum MHD_Result handle(void *context, struct MHD_Connection *mhd, const char *url,
                              const char *method, const char *version, const char *data,
                              size_t *size, void **state)
{
    (void)context;
    (void)state;
    if (!current->presented) {
        current->presented = true;
        present(current, mhd, url, method, version);
        return current->refused ? MHD_NO : MHD_YES;
    }
    if (*size == 0) {
        current->complete = true;
        return MHD_NO;
    }
    demand(buffer_add(&current->body, data, *size));
    *size = 0;
    return MHD_YES;
}

static void connection_changed(void *context, struct MHD_Connection *mhd, void **state,
                               enum MHD_ConnectionNotificationCode code)
{
    (void)context;
    (void)mhd;
    (void)state;
    current->closed = code == MHD_CONNECTION_NOTIFY_CLOSED;
}

/* One for all, since it takes longer to start than a request. */
static struct MHD_Daemon *daemon_of_all(void)
{
    static struct MHD_Daemon *daemon;

    if (daemon == NULL) {
        daemon = MHD_start_daemon(MHD_USE_NO_LISTEN_SOCKET, 0, NULL, NULL, handle, NULL,
                                  MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_NOTIFY_CONNECTION,
                                  connection_changed, NULL, MHD_OPTION_URI_LOG_CALLBACK, begin,
                                  NULL, MHD_OPTION_END);
        demand(daemon != NULL);
    }
    return daemon;
}

static void send_all(struct exchange *exchange, const uint8_t *data, size_t size)
{
    const struct sockaddr nobody = {.sa_family = AF_UNIX};
    int ends[2];

    current = exchange;
    demand(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) == 0);
    demand(send(ends[0], data, size, MSG_NOSIGNAL) == (ssize_t)size);
    demand(shutdown(ends[0], SHUT_WR) == 0);
    demand(MHD_add_connection(daemon_of_all(), ends[1], &nobody, sizeof nobody) == MHD_YES);
    for (unsigned i = 0; i < 10000 && !exchange->closed; i++) {
        demand(MHD_run(daemon_of_all()) == MHD_YES);
    }
    demand(exchange->closed);
    (void)close(ends[0]);
}

/*
 * ---- The body ----
 */

/* Decoded by another way of the same library: a little at a time. */
static enum outcome inflate_slowly(struct weir_text body, struct buffer *decoded)
{
    z_stream stream = {.next_in = (Bytef *)(uintptr_t)body.bytes, .avail_in = (uInt)body.length};
    unsigned char piece[1000];
    int result = Z_OK;

    demand(inflateInit2(&stream, 31) == Z_OK);
    while (result == Z_OK && decoded->length <= BODY_DECODED_MAX) {
        stream.next_out = piece;
        stream.avail_out = sizeof piece;
        result = inflate(&stream, Z_SYNC_FLUSH);
        demand(buffer_add(decoded, piece, sizeof piece - stream.avail_out));
        if (result == Z_STREAM_END && stream.avail_in > 0) {
            result = inflateReset(&stream);
        }
    }
    (void)inflateEnd(&stream);
    if (decoded->length > BODY_DECODED_MAX) {
        return OUTCOME_TOO_LARGE;
    }
    return result == Z_STREAM_END ? OUTCOME_OK : OUTCOME_BAD_JSON;
}

/* What has a window that is larger than all that may be decoded is not
 * compared: UNAVAILABLE. */
static enum outcome decompress_slowly(struct weir_text body, struct buffer *decoded)
{
    ZSTD_DCtx *context = ZSTD_createDCtx();
    ZSTD_inBuffer in = {body.bytes, body.length, 0};
    unsigned char piece[1000];
    size_t left = 0;
    bool goes_on = body.length > 0;

    demand(context != NULL);
    demand(!ZSTD_isError(ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, 23)));
    while (goes_on && decoded->length <= BODY_DECODED_MAX) {
        ZSTD_outBuffer out = {piece, sizeof piece, 0};
        size_t before = in.pos;

        left = ZSTD_decompressStream(context, &out, &in);
        demand(buffer_add(decoded, piece, out.pos));
        goes_on = !ZSTD_isError(left) && (out.pos > 0 || in.pos > before) &&
                  (left > 0 || in.pos < in.size);
    }
    (void)ZSTD_freeDCtx(context);
    if (decoded->length > BODY_DECODED_MAX) {
        return OUTCOME_TOO_LARGE;
    }
    if (ZSTD_isError(left)) {
        return ZSTD_getErrorCode(left) == ZSTD_error_frameParameter_windowTooLarge
                   ? OUTCOME_UNAVAILABLE
                   : OUTCOME_BAD_JSON;
    }
    return left == 0 ? OUTCOME_OK : OUTCOME_BAD_JSON;
}

/* Decodes a copy of the body; `expected` is what it says then, if it is encoded
 * so. */
static void decode(struct weir_text body, enum encoding encoding, enum outcome expected_outcome,
                   struct weir_text expected)
{
    struct lanes lanes;
    struct buffer copy = {.lane = NULL};
    const char *message = NULL;
    enum outcome outcome = OUTCOME_OK;

    lanes_init(&lanes, (size_t)1 << 30, 1);
    copy.lane = lane_enter(&lanes, 1);
    demand(copy.lane != NULL);
    demand(buffer_add(&copy, body.bytes, body.length));
    outcome = body_decode(&copy, encoding, &message);
    demand((message != NULL) == (outcome != OUTCOME_OK));
    if (expected_outcome != OUTCOME_UNAVAILABLE) {
        demand((outcome == OUTCOME_OK) == (expected_outcome == OUTCOME_OK));
    }
    if (outcome == OUTCOME_OK && expected_outcome == OUTCOME_OK) {
        demand(plain_same((struct weir_text){copy.bytes, copy.length}, expected));
    }
    buffer_release(&copy);
    demand(lanes_bytes(&lanes) == 0);
    lane_leave(copy.lane);
    lanes_fini(&lanes);
}

static void decode_as_it_says(struct weir_text body, enum encoding encoding)
{
    struct buffer decoded = {.lane = NULL};
    enum outcome outcome = OUTCOME_OK;

    if (encoding == ENCODING_IDENTITY) {
        decode(body, encoding, OUTCOME_OK, body);
        return;
    }
    outcome = encoding == ENCODING_GZIP ? inflate_slowly(body, &decoded)
                                        : decompress_slowly(body, &decoded);
    decode(body, encoding, outcome, (struct weir_text){decoded.bytes, decoded.length});
    buffer_release(&decoded);
}

/* Adds a gzip member of these bytes. */
static void add_member(struct buffer *encoded, struct weir_text text)
{
    z_stream stream = {.next_in = (Bytef *)(uintptr_t)text.bytes, .avail_in = (uInt)text.length};

    demand(deflateInit2(&stream, 1, Z_DEFLATED, 31, 1, Z_FIXED) == Z_OK);
    demand(buffer_reserve(encoded, deflateBound(&stream, text.length)));
    stream.next_out = (Bytef *)encoded->bytes + encoded->length;
    stream.avail_out = (uInt)(encoded->room - encoded->length);
    demand(deflate(&stream, Z_FINISH) == Z_STREAM_END);
    encoded->length += stream.total_out;
    (void)deflateEnd(&stream);
}

static void add_frame(struct buffer *encoded, struct weir_text text)
{
    size_t size = 0;

    demand(buffer_reserve(encoded, ZSTD_compressBound(text.length)));
    size = ZSTD_compress(encoded->bytes + encoded->length, encoded->room - encoded->length,
                         text.bytes, text.length, 1);
    demand(!ZSTD_isError(size));
    encoded->length += size;
}

/* What is encoded, in two parts, one behind the other, is decoded as it was. */
static void encode_and_decode(struct weir_text body)
{
    const struct weir_text first = {body.bytes, body.length / 3};
    const struct weir_text second = {body.bytes + first.length, body.length - first.length};
    struct buffer encoded = {.lane = NULL};

    add_member(&encoded, first);
    add_member(&encoded, second);
    decode((struct weir_text){encoded.bytes, encoded.length}, ENCODING_GZIP, OUTCOME_OK, body);
    buffer_release(&encoded);
    add_frame(&encoded, first);
    add_frame(&encoded, second);
    decode((struct weir_text){encoded.bytes, encoded.length}, ENCODING_ZSTD, OUTCOME_OK, body);
    buffer_release(&encoded);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct plain_request plain;
    struct exchange exchange = {.plain = &plain, .call = CALL_OTHER};

    plain_read(&plain, (const char *)data, size);
    send_all(&exchange, data, size);
    if (exchange.complete) {
        const struct weir_text body = {plain.body, plain.length};

        /* After chunks, whose lines end in more ways for MHD, the server ends the connection. */
        demand(plain.complete || plain.there[HEADER_TRANSFER_ENCODING]);
        demand(!plain.complete ||
               plain_same((struct weir_text){exchange.body.bytes, exchange.body.length}, body));
        if (exchange.call == CALL_ISSUE) {
            decode_as_it_says(body, exchange.encoding);
            encode_and_decode(body);
        }
    }
    buffer_release(&exchange.body);
    free(exchange.uri);
    plain_free(&plain);
    return 0;
}
