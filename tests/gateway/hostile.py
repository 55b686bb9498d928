"""Hostile requests: bytes of HTTP/1.1 and headers of HTTP/2, what is answered, and what of each
reaches the server.

In the bytes, {ROOT} is a credential that may do everything, {READER} one that may read streams
beginning `public/`, and {WRITER} one that may append to them, but neither fence nor trim. The
streams `public/a` and `private/a` are there, in basin-one.
"""

import gzip
import zlib

import zstandard

from wire import Record, append_input, field

READ = "/v1/streams/public%2Fa/records"
PRIVATE = "/v1/streams/private%2Fa/records"
GOT = "GET /v1/streams/public%2Fa"  # whether it is there
FENCE = Record(b"t", [(b"", b"fence")])
BOMB = b"\0" * (48 << 20)


def head(line, *headers, token="ROOT", basin="basin-one", close=True):
    """A request's head, with the headers that it needs."""
    lines = [line, "Host: x"]
    if token:
        lines.append("Authorization: Bearer {%s}" % token)
    if basin:
        lines.append("s2-basin: " + basin)
    lines += headers
    if close:
        lines.append("Connection: close")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"


def get(path, *headers, **options):
    return head(f"GET {path} HTTP/1.1", *headers, **options)


def post(path, body, *headers, kind="application/json", length=None, **options):
    return head(f"POST {path} HTTP/1.1", *headers, f"Content-Type: {kind}",
                f"Content-Length: {len(body) if length is None else length}", **options) + body


def chunked(path, body, *headers, kind="application/protobuf", token="WRITER", **options):
    return head(f"POST {path} HTTP/1.1", *headers, f"Content-Type: {kind}",
                "Transfer-Encoding: chunked", token=token, **options) + body


def protobuf(body, *headers, **options):
    return post(READ, body, *headers, kind="application/protobuf", token="WRITER", **options)


PLAIN = append_input([Record(b"x")])
APPENDED = [GOT, "POST " + READ]
CHUNK = b"%x\r\n%s\r\n0\r\n\r\n" % (len(PLAIN), PLAIN)

# Name, bytes, the statuses that are answered (none: the connection is closed), the code of the
# last answer (None: it is not the gateway's), and the requests that reach the server.
HTTP1 = [
    # Paths.
    ("raw dots", get("/v1/streams/public%2Fa/../../basins/basin-one"), [400], "bad_path", []),
    ("raw dot", get("/v1/./basins/basin-one"), [400], "bad_path", []),
    ("encoded dots", get("/v1/streams/%2e%2e/records"), [400], "bad_path", []),
    ("encoded dots, upper case", get("/v1/streams/%2E%2E"), [400], "bad_path", []),
    ("encoded dots as a part of a name", get("/v1/streams/public%2F%2e%2e%2Fprivate%2Fa",
     token="READER"), [403], "permission_denied", []),
    ("a name that climbs is a name", get("/v1/streams/public%2F..%2Fprivate%2Fa/records",
     token="READER"), [404], "stream_not_found", ["GET /v1/streams/public%2F..%2Fprivate%2Fa"]),
    ("encoded twice", get("/v1/streams/public%252Fa/records", token="READER"), [403],
     "permission_denied", []),
    ("encoded thrice", get("/v1/streams/%25252e%25252e", token="READER"), [403],
     "permission_denied", []),
    ("dots encoded twice", get("/v1/streams/%252e%252e/records"), [404], "stream_not_found",
     ["GET /v1/streams/%252e%252e/records"]),
    ("overlong slash", get("/v1/streams/public%C0%AFa"), [400], "bad_path", []),
    ("a slash's look-alike", get("/v1/streams/public%E2%88%95a/records", token="READER"), [403],
     "permission_denied", []),
    ("NUL", get("/v1/streams/public%2Fa%00"), [400], "bad_path", []),
    ("NUL behind a suffix", get("/v1/streams/private%2Fa%00public%2F/records"), [400], "bad_path",
     []),
    ("raw NUL", get("/v1/streams/public\0"), [400], "bad_header", []),
    ("raw slash in a name", get("/v1/streams/public/a/records"), [404], "not_found", []),
    ("two slashes", get("//v1/basins"), [400], "bad_path", []),
    ("two slashes within", get("/v1//basins"), [400], "bad_path", []),
    ("a slash at the end", get("/v1/basins/"), [400], "bad_path", []),
    ("back-slashes", get("/v1\\basins\\basin-one"), [404], "not_found", []),
    ("raw bytes beyond ASCII", get("/v1/streams/\xc3\xa9"), [404], "stream_not_found",
     ["GET /v1/streams/%C3%A9"]),
    ("a fragment", get("/v1/basins/basin-one#x"), [400], "bad_path", []),
    ("an encoded question mark", get("/v1/streams/public%2Fa%3Fx/records", token="READER"), [404],
     "stream_not_found", ["GET /v1/streams/public%2Fa%3Fx"]),
    ("an encoded line's end", get("/v1/streams/public%2F%0D%0AX:y", token="READER"), [403],
     "permission_denied", []),
    ("a space in the path", get("/v1/basins /x"), [400], "bad_header", []),
    ("a tab in the path", get("/v1/basins\t"), [400], "bad_header", []),
    ("a bad percent sign", get("/v1/streams/%g0"), [400], "bad_path", []),
    ("half a percent sign", get("/v1/streams/a%4"), [400], "bad_path", []),
    ("percent u", get("/v1/streams/%u002e"), [400], "bad_path", []),
    ("path parameters", get("/v1/basins;a=b/basin-one"), [404], "not_found", []),
    ("encoded path of a call", get("/v1/%62asins/basin-one"), [404], "not_found", []),
    ("no slash", get("v1/basins"), [400], "bad_header", []),
    ("a star", get("*"), [400], "bad_header", []),
    ("OPTIONS of a star", head("OPTIONS * HTTP/1.1"), [400], "bad_header", []),
    ("a query without a path", get("?x"), [400], "bad_header", []),
    ("a key twice", get(READ + "?seq_num=0&seq_num=1", token="READER"), [400], "bad_query", []),
    ("a key twice, encoded", get(READ + "?seq_num=0&seq%5Fnum=1", token="READER"), [400],
     "bad_query", []),
    ("the absolute form", get("http://other.example/v1/basins/basin-one"), [200], None,
     ["GET /v1/basins/basin-one"]),
    ("the absolute form, two slashes", get("http://other.example//v1/basins"), [400], "bad_path",
     []),
    ("the absolute form, dots", get("http://x/v1/../v1/basins"), [400], "bad_path", []),
    ("the absolute form, no path", get("http://other.example"), [404], "not_found", []),
    ("an absolute form of another scheme", get("file:///v1/basins/basin-one"), [400],
     "bad_header", []),
    ("a long path", get("/v1/streams/" + "a" * 20000), [414], "uri_too_long", []),
    # Methods and versions.
    ("TRACE", head("TRACE /v1/basins HTTP/1.1"), [405], "method_not_allowed", []),
    ("CONNECT", head("CONNECT basin-one:443 HTTP/1.1"), [400], "bad_header", []),
    ("CONNECT to a path", head("CONNECT /v1/basins HTTP/1.1"), [405], "method_not_allowed", []),
    ("a method in lower case", head("get /v1/basins HTTP/1.1"), [400], "bad_header", []),
    ("a method that there is not", head("FETCH /v1/basins HTTP/1.1"), [404], "not_found", []),
    ("another method by a header", get(READ, "X-HTTP-Method-Override: DELETE", token="READER"),
     [200], None, [GOT, "GET " + READ]),
    ("another path by a header", get(READ, "X-Original-URL: " + PRIVATE, "X-Rewrite-URL: /",
                                     token="READER"), [200], None, [GOT, "GET " + READ]),
    ("HTTP/1.0", head("GET /v1/basins/basin-one HTTP/1.0"), [200], None,
     ["GET /v1/basins/basin-one"]),
    ("HTTP/1.0, denied", head("GET /v1/basins/basin-one HTTP/1.0", token="READER"), [403],
     "permission_denied", []),
    ("HTTP/0.9", b"GET /v1/basins/basin-one\r\n", [0], "authn", []),
    ("HTTP/2.0 in a line", head("GET /v1/basins HTTP/2.0"), [505], "other", []),
    ("HTTP/1.9", head("GET /v1/basins/basin-one HTTP/1.9"), [200], None,
     ["GET /v1/basins/basin-one"]),
    ("another protocol", head("GET /v1/basins HTCPCP/1.0"), [400], "bad_header", []),
    ("the preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", [400], "bad_header", []),
    ("TLS on plain", bytes.fromhex("160301020001000001fc0303") + b"\0" * 64, [400], "bad_header",
     []),
    # Headers.
    ("no host", b"GET /v1/basins HTTP/1.1\r\nAuthorization: Bearer {ROOT}\r\n\r\n", [400],
     "bad_header", []),
    ("two hosts", get("/v1/basins", "Host: y"), [400], "bad_header", []),
    ("two basins", get(READ, "s2-basin: basin-two", token="READER"), [400], "bad_header", []),
    ("the same basin twice", get(READ, "s2-basin: basin-one", token="READER"), [400],
     "bad_header", []),
    ("two basins in one", get(READ, token="READER", basin="basin-one, basin-two"), [400],
     "bad_header", []),
    ("a basin folded", get(READ, "s2-basin: basin-one\r\n , basin-two", basin=None,
                           token="READER"), [400], "bad_header", []),
    ("a basin behind a fold", get(READ, "X-Y: z\r\n s2-basin: basin-one", basin=None,
                                  token="READER"), [400], "bad_header", []),
    ("a basin with an underscore", get(READ, "s2_basin: basin-one", basin=None, token="READER"),
     [400], "bad_header", []),
    ("a space before the colon", get(READ, "s2-basin : basin-one", basin=None, token="READER"),
     [400], "bad_header", []),
    ("a credential folded", get("/v1/basins", "Authorization: Bearer\r\n {ROOT}", token=None),
     [400], "bad_header", []),
    ("two credentials", get("/v1/basins", "Authorization: Bearer {READER}"), [400], "bad_header",
     []),
    ("two credentials in one", get("/v1/basins", "Authorization: Bearer {READER}, Bearer {ROOT}",
                                   token=None), [401], "authn", []),
    ("NUL in a header", get("/v1/basins", "X-Y: a\0b"), [400], "bad_header", []),
    ("a return in a header", get("/v1/basins", "X-Y: a\rb"), [400], "bad_header", []),
    ("a header without a colon", get("/v1/basins/basin-one", "X-Y"), [200], None,
     ["GET /v1/basins/basin-one"]),
    ("line feeds alone", b"GET /v1/basins HTTP/1.1\nHost: x\nConnection: close\n\n", [401],
     "authn", []),
    ("a huge header", get("/v1/basins", "X-Y: " + "a" * 20000), [400], "bad_header", []),
    ("headers without end", get("/v1/basins", *("X-%d: %s" % (number, "a" * 8000)
                                                for number in range(20))), [400], "bad_header",
     []),
    ("Connection names what decides", get(READ, "Connection: s2-basin, authorization",
                                          token="READER"), [200], None,
     [GOT, "GET " + READ]),
    ("X-Accel of a client", get("/v1/basins/basin-one", "X-Accel-Redirect: /v1/basins/x"), [200],
     None, ["GET /v1/basins/basin-one"]),
    ("Range", get(READ, "Range: bytes=0-3", token="READER"), [200], None, [GOT, "GET " + READ]),
    ("Range of the gateway's own", get("/v1/basins", "Range: bytes=0-3"), [200], None,
     ["GET /v1/basins?limit=1000"]),
    ("Range of an error", get("/v1/basins", "Range: bytes=0-3", token=None), [401], "authn", []),
    ("If-Modified-Since of an error", get("/v1/basins", "If-Match: x", token=None), [401],
     "authn", []),
    ("h2c", get("/v1/basins/basin-one", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__",
                "Connection: Upgrade, HTTP2-Settings"), [200], None,
     ["GET /v1/basins/basin-one"]),
    ("a web socket", get("/v1/basins/basin-one", "Upgrade: websocket", "Connection: Upgrade",
                         "Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw=="), [200], None,
     ["GET /v1/basins/basin-one"]),
    # Bodies and their lengths.
    ("Expect", post("/v1/streams", b'{"stream":"new"}', "Expect: 100-continue"), [100, 201], None,
     ["POST /v1/streams"]),
    ("Expect, denied", post("/v1/streams", b'{"stream":"new"}', "Expect: 100-continue",
                            token="READER"), [100, 403], "permission_denied", []),
    ("Expect of another kind", post("/v1/streams", b'{"stream":"new"}', "Expect: 200-ok"), [201],
     None, ["POST /v1/streams"]),
    ("both lengths", chunked(READ, CHUNK, "Content-Length: 5"), [400], "bad_header", []),
    ("two lengths", protobuf(PLAIN, "Content-Length: 3"), [400], "bad_header", []),
    ("the same length twice", protobuf(PLAIN, f"Content-Length: {len(PLAIN)}"), [400],
     "bad_header", []),
    ("a length with a sign", protobuf(PLAIN, length="+5"), [400], "bad_header", []),
    ("a negative length", protobuf(PLAIN, length="-1"), [400], "bad_header", []),
    ("two lengths in one", protobuf(PLAIN, length="5, 5"), [400], "bad_header", []),
    ("a hexadecimal length", protobuf(PLAIN, length="0x5"), [400], "bad_header", []),
    ("a length beyond all", protobuf(PLAIN, length="9" * 30), [400], "bad_header", []),
    ("a large length", protobuf(PLAIN, length=str(1 << 40)), [413], "too_large", [GOT]),
    ("a large length of what is created", post("/v1/streams", b"{}", length=str(1 << 40)), [413],
     "too_large", []),
    ("chunked", chunked(READ, CHUNK), [200], None, APPENDED),
    ("chunks with extensions", chunked(READ, b"1;a=b\r\n" + PLAIN[:1] + b"\r\n%x;c\r\n" % (
        len(PLAIN) - 1) + PLAIN[1:] + b"\r\n0;d\r\n\r\n"), [200], None, APPENDED),
    ("chunks with a trailer", chunked(READ, CHUNK[:-2] + b"s2-basin: basin-two\r\n"
                                      b"Authorization: Bearer x\r\n\r\n"), [200], None, APPENDED),
    ("a chunk with 0x", chunked(READ, b"0x" + CHUNK), [400], "bad_header", [GOT]),
    ("a chunk with a sign", chunked(READ, b"+" + CHUNK), [400], "bad_header", [GOT]),
    ("a chunk beyond all", chunked(READ, b"f" * 20 + b"\r\n" + PLAIN), [400], "bad_header",
     [GOT]),
    ("a chunk that is longer than it says", chunked(READ, b"1\r\n" + PLAIN + b"\r\n0\r\n\r\n"),
     [400], "bad_header", [GOT]),
    ("chunked twice", chunked(READ, CHUNK, "Transfer-Encoding: chunked"), [400], "bad_header",
     []),
    ("chunked within gzip", head(f"POST {READ} HTTP/1.1", "Transfer-Encoding: gzip, chunked") +
     CHUNK, [501], "not_implemented", []),
    ("chunked by another name", head(f"POST {READ} HTTP/1.1", "Transfer-Encoding: xchunked") +
     CHUNK, [501], "not_implemented", []),
    ("identity", head(f"POST {READ} HTTP/1.1", "Transfer-Encoding: identity") + CHUNK, [501],
     "not_implemented", []),
    ("chunked of HTTP/1.0", head(f"POST {READ} HTTP/1.0", "Transfer-Encoding: chunked") + CHUNK,
     [400], "bad_header", []),
    ("a body of GET", get("/v1/streams", "Content-Length: 5") + b"abcde", [200], None,
     ["GET /v1/streams?limit=1000"]),
    ("a body of GET that is a request", get(READ, "Content-Length: 28", token="READER") +
     b"GET /v1/basins HTTP/1.1\r\n\r\n\r\n", [200], None, [GOT, "GET " + READ]),
    # One connection, many requests.
    ("pipelined", get("/v1/basins/basin-one", close=False) + get("/v1/basins/basin-one",
     token="READER", close=False) + get("/v1/basins/basin-one", token=None), [200, 403, 401],
     "authn", ["GET /v1/basins/basin-one"]),
    ("pipelined behind a body that is denied", post("/v1/streams", b'{"stream":"n"}',
     token="READER", close=False) + get("/v1/basins", token=None), [403, 401], "authn", []),
    ("pipelined behind a body that is refused unread", post(
        PRIVATE, get("/v1/basins/basin-one", token=None), token="READER", close=False) +
     get("/v1/basins", token=None), [403, 401], "authn", []),
    ("pipelined appends", protobuf(PLAIN, close=False) + protobuf(append_input([FENCE]),
     close=False) + protobuf(PLAIN), [200, 403, 200], None, APPENDED + [GOT] + APPENDED),
    # Bodies that lie.
    ("gzip that is none", protobuf(PLAIN, "Content-Encoding: gzip"), [400], "bad_proto", [GOT]),
    ("zstd that is none", protobuf(PLAIN, "Content-Encoding: zstd"), [400], "bad_proto", [GOT]),
    ("deflate", protobuf(zlib.compress(PLAIN), "Content-Encoding: deflate"), [415],
     "unsupported_media_type", [GOT]),
    ("gzip behind gzip", protobuf(gzip.compress(PLAIN) + gzip.compress(append_input([FENCE])),
                                  "Content-Encoding: gzip"), [400], "bad_proto", [GOT]),
    ("gzip in gzip", protobuf(gzip.compress(gzip.compress(PLAIN)), "Content-Encoding: gzip"),
     [400], "bad_proto", [GOT]),
    ("a bomb of gzip", protobuf(gzip.compress(field(1, field(3, BOMB))),
                                "Content-Encoding: gzip"), [413], "too_large", [GOT]),
    ("a bomb of zstd", protobuf(zstandard.compress(field(1, field(3, BOMB))),
                                "Content-Encoding: zstd"), [413], "too_large", [GOT]),
    ("a bomb that names a stream", post("/v1/streams", gzip.compress(b" " * (48 << 20)),
                                        "Content-Encoding: gzip"), [413], "too_large", []),
    ("protobuf that is JSON", post(READ, b'{"records":[]}', kind="application/protobuf",
                                   token="WRITER"), [400], "bad_proto", [GOT]),
    ("JSON that is protobuf", post(READ, PLAIN, token="WRITER"), [400], "bad_json", [GOT]),
    ("two media types", post(READ, PLAIN, "Content-Type: application/protobuf", token="WRITER"),
     [400], "bad_header", []),
    ("two media types in one", post(READ, PLAIN, kind="application/json, application/protobuf",
                                    token="WRITER"), [400], "bad_header", []),
    ("a session that is whole at once", post(READ, b"\0\0\1\0", kind="s2s/proto", token="WRITER"),
     [200], None, APPENDED),
    ("a fence in UTF-16", post(READ, '{"records":[{"headers":[["","fence"]]}]}'.encode("utf-16"),
                               token="WRITER"), [400], "bad_json", [GOT]),
    ("a name twice in protobuf", protobuf(field(1, field(2, field(1, b"n") + field(2, b"fence") +
                                                         field(1, b"")))), [403],
     "permission_denied", [GOT]),
    ("a value twice in protobuf", protobuf(field(1, field(2, field(2, b"x") +
                                                          field(2, b"trim")))), [403],
     "permission_denied", [GOT]),
    ("a fence behind many records", protobuf(append_input([Record(b"x")] * 900 + [FENCE])), [403],
     "permission_denied", [GOT]),
]


def pseudo(path="/v1/basins/basin-one", method="GET", scheme="http", authority="x"):
    return [(":method", method), (":path", path), (":scheme", scheme), (":authority", authority)]


ROOT = ("authorization", "Bearer {ROOT}")
ONE = ["GET /v1/basins/basin-one"]

# Name, headers, a body or None, the status (None: the stream or the connection is reset), and what
# reaches the server.
HTTP2 = [
    ("as it should be", [*pseudo(), ROOT], None, 200, ONE),
    ("no path", [(":method", "GET"), (":scheme", "http"), (":authority", "x"), ROOT], None, 400,
     []),
    ("an empty path", [*pseudo(""), ROOT], None, 400, []),
    ("two paths", [*pseudo(), (":path", "/v1/basins"), ROOT], None, 400, []),
    ("the same path twice", [*pseudo(), (":path", "/v1/basins/basin-one"), ROOT], None, 400, []),
    ("two methods", [*pseudo(), (":method", "DELETE"), ROOT], None, 400, []),
    ("no method", [*pseudo()[1:], ROOT], None, 400, []),
    ("two schemes", [*pseudo(), (":scheme", "https"), ROOT], None, 400, []),
    ("a pseudo header that there is not", [*pseudo(), (":protocol", "websocket"), ROOT], None, 400,
     []),
    ("a path behind a header", [(":method", "GET"), (":scheme", "http"), ("x", "y"),
                                (":path", "/v1/basins/basin-one"), (":authority", "x"), ROOT],
     None, 200, ONE),
    ("a path with a space", [*pseudo("/v1/basins HTTP/1.1"), ROOT], None, 400, []),
    ("a path with a line's end", [*pseudo("/v1/basins\r\nx: y"), ROOT], None, None, []),
    ("a path with NUL", [*pseudo("/v1/basins\0"), ROOT], None, None, []),
    ("a path without a slash", [*pseudo("v1/basins"), ROOT], None, 400, []),
    ("a path with a host", [*pseudo("http://y/v1/basins/basin-one"), ROOT], None, 400, []),
    ("a star", [*pseudo("*"), ROOT], None, 400, []),
    ("dots", [*pseudo("/v1/../v1/basins"), ROOT], None, 400, []),
    ("two slashes", [*pseudo("//v1/basins"), ROOT], None, 400, []),
    ("TRACE", [*pseudo(method="TRACE"), ROOT], None, 405, []),
    ("CONNECT", [*pseudo(method="CONNECT"), ROOT], None, 405, []),
    ("a method with a space", [*pseudo(method="GET /v1"), ROOT], None, 400, []),
    ("a method in lower case", [*pseudo(method="get"), ROOT], None, 400, []),
    ("a long path", [*pseudo("/v1/streams/" + "a" * 40000), ROOT], None, None, []),
    ("two basins", [*pseudo("/v1/streams/public%2Fa"), ROOT, ("s2-basin", "basin-one"),
                    ("s2-basin", "basin-two")], None, 400, []),
    ("two credentials", [*pseudo(), ROOT, ("authorization", "Bearer {READER}")], None, 400, []),
    ("a header with a line's end", [*pseudo(), ROOT, ("x", "a\r\ns2-basin: y")], None, None, []),
    ("a header with NUL", [*pseudo(), ROOT, ("x", "a\0b")], None, None, []),
    ("a header in upper case", [*pseudo(), ("Authorization", "Bearer {ROOT}")], None, None, []),
    ("a header with a colon", [*pseudo(), ROOT, ("x:y", "z")], None, None, []),
    ("connection", [*pseudo(), ROOT, ("connection", "s2-basin, authorization")], None, 200, ONE),
    ("keep-alive", [*pseudo(), ROOT, ("keep-alive", "timeout=1")], None, 200, ONE),
    ("upgrade", [*pseudo(), ROOT, ("upgrade", "websocket")], None, 200, ONE),
    ("te", [*pseudo(), ROOT, ("te", "trailers")], None, 200, ONE),
    ("two hosts", [*pseudo(), ROOT, ("host", "y")], None, 400, []),
    ("transfer-encoding", [*pseudo(READ, "POST"), ("authorization", "Bearer {WRITER}"),
                           ("s2-basin", "basin-one"), ("transfer-encoding", "chunked"),
                           ("content-type", "application/protobuf")], PLAIN, 200,
     APPENDED),
    ("a length that is too short", [*pseudo(READ, "POST"), ("authorization", "Bearer {WRITER}"),
                                    ("s2-basin", "basin-one"), ("content-length", "1"),
                                    ("content-type", "application/protobuf")], PLAIN, 400, [GOT]),
    ("a length that is too long", [*pseudo(READ, "POST"), ("authorization", "Bearer {WRITER}"),
                                   ("s2-basin", "basin-one"), ("content-length", "99"),
                                   ("content-type", "application/protobuf")], PLAIN, 400, [GOT]),
    ("two lengths", [*pseudo(READ, "POST"), ("authorization", "Bearer {WRITER}"),
                     ("s2-basin", "basin-one"), ("content-length", str(len(PLAIN))),
                     ("content-length", "1"), ("content-type", "application/protobuf")], PLAIN,
     400, []),
    ("an append", [*pseudo(READ, "POST"), ("authorization", "Bearer {WRITER}"),
                   ("s2-basin", "basin-one"), ("content-type", "application/protobuf")], PLAIN,
     200, APPENDED),
    ("a fence", [*pseudo(READ, "POST"), ("authorization", "Bearer {WRITER}"),
                 ("s2-basin", "basin-one"), ("content-type", "application/protobuf")],
     append_input([FENCE]), 403, [GOT]),
]
