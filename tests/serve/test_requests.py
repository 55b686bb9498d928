"""weir serve: routes, methods, headers, and what a browser asks."""

import json
import re
import socket

from server import TOKENS, ServeTest, main

VARY = "origin, access-control-request-method, access-control-request-headers"


class Requests(ServeTest):
    def setUp(self):
        super().setUp()
        self.server = self.serve()

    def head(self, *lines):
        """The beginning of a raw request, with the first token's credential."""
        lines = [*lines, "Host: x", "Authorization: Bearer " + self.root, "Connection: close"]
        return "\r\n".join(lines).encode("latin-1") + b"\r\n"

    def raw(self, request):
        """Status and body of the one answer to it."""
        answer = self.server.raw(request)
        head, _, body = answer.partition(b"\r\n\r\n")
        return int(head.split(b" ")[1]) if head else None, body

    def assert_raw_error(self, request, status, code):
        found, body = self.raw(request)
        self.assertEqual((found, json.loads(body)["code"]), (status, code), body)

    def test_health_is_told_to_anyone(self):
        answer = self.server.ask("GET", "/health")
        self.assertEqual((answer.status, answer.body), (200, b"OK"))

    def test_what_is_not_served_is_not_found(self):
        for path in ("/", "/v1", "/v1/basins", "/v1/access-token", "/v1/access-tokenss",
                     "/v2/access-tokens", "/V1/access-tokens", "/v1/access-tokens/a/b",
                     "/health/x", "/healthz", "/v1%2Faccess-tokens", "/v1/access%2Dtokens"):
            with self.subTest(path=path):
                self.assert_error(self.server.ask("GET", path, self.root), 404, "not_found")

    def test_a_path_that_might_be_read_otherwise_is_refused(self):
        for path in ("//v1/access-tokens", "/v1//access-tokens", "/v1/access-tokens/",
                     "/v1/../v1/access-tokens", "/v1/access-tokens/..", "/..", "/a/",
                     "/v1/access-tokens//a", "//", "v1/access-tokens", "*"):
            for method in "GET", "DELETE":
                with self.subTest(method=method, path=path):
                    self.assert_error(self.server.ask(method, path, self.root), 400, "bad_path")

    def test_a_method_that_there_is_not_is_told_which_there_are(self):
        for path, methods, wrong in (
                (TOKENS, "GET, HEAD, POST, OPTIONS", ("DELETE", "PUT", "PATCH", "TRACE", "get")),
                (TOKENS + "/a", "DELETE, OPTIONS", ("GET", "HEAD", "POST", "PUT", "PATCH")),
                (TOKENS + "/count", "DELETE, OPTIONS", ("GET",)),
                ("/health", "GET, HEAD, OPTIONS", ("POST", "DELETE"))):
            for method in wrong:
                with self.subTest(path=path, method=method):
                    answer = self.server.ask(method, path, self.root)
                    self.assertEqual(answer.status, 405)
                    self.assertEqual(answer.headers["allow"], methods)
                    if method != "HEAD":
                        self.assert_error(answer, 405, "method_not_allowed")

    def test_head_is_its_get_without_the_body(self):
        for path in TOKENS, TOKENS + "?prefix=r", "/health":
            got = self.server.ask("GET", path, self.root)
            head = self.server.ask("HEAD", path, self.root)
            self.assertEqual(head.body, b"")
            for answer in got, head:
                answer.headers.pop("date")
            self.assertEqual((head.status, head.headers), (got.status, got.headers))
        self.assertEqual(self.server.ask("HEAD", TOKENS).status, 401)

    def test_a_host_in_the_uri_is_skipped(self):
        for uri in "http://a.b:80" + TOKENS, "HTTPS://x" + TOKENS + "?limit=1":
            self.assertEqual(self.raw(self.head(f"GET {uri} HTTP/1.1") + b"\r\n")[0], 200)
        self.assertEqual(self.raw(self.head("GET http://x HTTP/1.1") + b"\r\n")[0], 400)

    def test_a_browser_from_anywhere_may_ask_and_read(self):
        asked = [("Origin", "https://console.example"),
                 ("Access-Control-Request-Method", "POST"),
                 ("Access-Control-Request-Headers", "authorization,content-type")]
        for path in TOKENS, TOKENS + "/a", "/health", "/nothing":
            answer = self.server.ask("OPTIONS", path, headers=asked)
            self.assertEqual((answer.status, answer.body), (200, b""))
            headers = answer.headers
            self.assertEqual(headers["access-control-allow-origin"], "https://console.example")
            self.assertEqual(headers["access-control-allow-credentials"], "true")
            self.assertEqual(headers["access-control-allow-methods"], "POST")
            self.assertEqual(headers["access-control-allow-headers"],
                             "authorization,content-type")
            self.assertEqual(headers["vary"], VARY)

    def test_every_answer_can_be_read_by_a_browser(self):
        origin = [("Origin", "null")]
        for answer in (self.server.ask("GET", TOKENS, self.root, headers=origin),
                       self.server.issue(self.root, self.token("a"), headers=origin),
                       self.server.revoke(self.root, "a", headers=origin),
                       self.server.revoke(self.root, "a", headers=origin),
                       self.server.ask("GET", TOKENS, headers=origin),
                       self.server.ask("PUT", TOKENS, headers=origin),
                       self.server.ask("GET", "/nothing", headers=origin),
                       self.server.ask("GET", TOKENS + "?limit=x", headers=origin)):
            self.assertEqual(answer.headers["access-control-allow-origin"], "null", answer)
            self.assertEqual(answer.headers["access-control-allow-credentials"], "true")
            self.assertEqual(answer.headers["vary"], VARY)

    def test_a_header_that_decides_is_there_once(self):
        body = json.dumps(self.token("a"))
        for name, value in (("authorization", "Bearer x"),
                            ("AUTHORIZATION", "Bearer " + self.root)):
            answer = self.server.ask("GET", TOKENS, self.root, headers=[(name, value)])
            self.assert_error(answer, 400, "bad_header", "Authorization")
        for name, value in (("Content-Type", "application/json"),
                            ("Content-Encoding", "identity"),
                            ("Content-Length", str(len(body)))):
            answer = self.server.issue(self.root, body.encode(),
                                       headers=[("Content-Length", str(len(body)))] * (
                                           name != "Content-Length") + [(name, value)] * 2)
            self.assert_error(answer, 400, "bad_header", name)
        self.assertEqual(self.server.list(self.root, prefix="a").json["access_tokens"], [])

    def test_a_body_whose_end_is_unclear_is_refused_and_what_follows_is_no_request(self):
        revoke = self.head("DELETE " + TOKENS + "/victim HTTP/1.1") + b"\r\n"
        self.server.issue(self.root, self.token("victim"))
        for lines in (["Content-Length: 5", "Transfer-Encoding: chunked"],
                      ["Transfer-Encoding: gzip, chunked"], ["Transfer-Encoding: identity"],
                      ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"],
                      ["Content-Length: 5", "Content-Length: 5"],
                      ["Content-Length: 0", "Content-Length: 5"]):
            for request in f"POST {TOKENS} HTTP/1.1", f"GET {TOKENS} HTTP/1.1":
                head = self.head(request, *lines).replace(b"Connection: close\r\n", b"")
                with self.subTest(request=request, lines=lines):
                    self.assert_raw_error(head + b"\r\n0\r\n\r\n" + revoke, 400, "bad_header")
        self.assertEqual(len(self.server.list(self.root, prefix="v").json["access_tokens"]), 1)

    def assert_refused_once(self, request):
        """One answer of ours, 400, and nothing behind it."""
        answer = self.server.raw(request)
        head, _, body = answer.partition(b"\r\n\r\n")
        self.assertTrue(head.startswith(b"HTTP/1.1 400 "), answer)
        self.assertEqual(json.loads(body)["code"], "bad_header")

    def test_what_a_proxy_might_read_otherwise_is_refused_and_ends_the_connection(self):
        self.server.issue(self.root, self.token("victim"))
        revoke = self.head("DELETE " + TOKENS + "/victim HTTP/1.1") + b"\r\n"
        for line in ("Content-Length : %d", "Content-Length:\r\n %d", "Content-Length: %d\r\n x",
                     "Content-Length: %d\0x", "Transfer-Encoding : chunked",
                     "Transfer-Encoding: chunked\0x", "Host: y", "X: y\nY: z", "X: y\n",
                     "X: y\r\n\n", "X: y\r", "X: y\rY: z", "\n"):
            for path in "/health", "/nothing":
                with self.subTest(line=line, path=path):
                    line = line.replace("%d", str(len(revoke)))
                    head = f"GET {path} HTTP/1.1\r\nHost: x\r\n{line}\r\n\r\n".encode("latin-1")
                    self.assert_refused_once(head + revoke)
        self.assert_refused_once(b"GET /health HTTP/1.1\r\n\r\n" + revoke)
        head = b"GET /health HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        self.assert_refused_once(head + revoke)
        self.assertEqual(len(self.server.list(self.root, prefix="v").json["access_tokens"]), 1)

    def test_what_the_http_library_refuses_ends_the_connection(self):
        """It does so in HTML, and may say it twice."""
        self.server.issue(self.root, self.token("victim"))
        revoke = self.head("DELETE " + TOKENS + "/victim HTTP/1.1") + b"\r\n"
        secret = self.root.encode()
        get = self.head("GET /health HTTP/1.1")
        chunked = self.head(f"POST {TOKENS} HTTP/1.1", "Transfer-Encoding: chunked") + b"\r\n"
        for request, status in (
                (self.head("GET /health"), 400), (self.head("GET /health HTTX/1.1"), 400),
                (self.head("GET /health HTTP/0.9"), 505), (self.head("GET /health HTTP/2.0"), 505),
                (get + b"nothing\r\n\r\n", 400), (get + b"Content-Length\0: 5\r\n\r\n", 400),
                (get + b"Content-Length:\r\n\r\n", 400),
                (get + b"Content-Length:\x0b5\r\n\r\n", 400),
                (get + b"Content-Length: +5\r\n\r\n", 400),
                (get + b"Content-Length: x\r\n\r\n", 400),
                (get + b"Content-Length: 99999999999999999999\r\n\r\n", 413),
                (get + b"X: " + b"x" * 33000 + b"\r\n\r\n", 431),
                (get + b"X: y\r\n" * 2000 + b"\r\n", 431),
                (self.head("GET /" + "x" * 33000 + " HTTP/1.1") + b"\r\n", 414),
                (chunked + b"x\r\n", 400), (chunked + b"1\r\nxy\r\n", 400),
                (chunked + b"fffffffffffffffff\r\n", 413),
                (chunked + b"0\r\nnothing\r\n\r\n", 400)):
            with self.subTest(request=request[-50:]):
                answer = self.server.raw(request + revoke)
                self.assertEqual(set(re.findall(b"HTTP/1.1 ([0-9]+) ", answer)), {b"%d" % status})
                self.assertIn(b"<html>", answer)
                self.assertNotIn(secret, answer)
        self.assertEqual(len(self.server.list(self.root, prefix="v").json["access_tokens"]), 1)

    def test_a_chunked_body_ends_the_connection(self):
        """Proxies do not agree where the lines between chunks end."""
        self.server.issue(self.root, self.token("victim"))
        revoke = self.head("DELETE " + TOKENS + "/victim HTTP/1.1") + b"\r\n"
        head = b"GET /health HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        for chunks in (b"0\r\n\r\n", b"0\n\n", b"0\r\nX: y\r\r", b"1\nx\n0\r\n\n", b"0;x\n\r\n"):
            with self.subTest(chunks=chunks):
                answer = self.server.raw(head + chunks + revoke)
                self.assertEqual(re.findall(b"HTTP/1.1 ([0-9]+) ", answer), [b"200"])
        self.assertEqual(len(self.server.list(self.root, prefix="v").json["access_tokens"]), 1)

    def test_a_nul_byte_ends_no_uri(self):
        self.server.issue(self.root, self.token("a"))
        for uri in TOKENS + "/a\0b", TOKENS + "/a\0", TOKENS + "/a?x=\0", TOKENS + "/\0a":
            with self.subTest(uri=uri):
                self.assert_raw_error(self.head(f"DELETE {uri} HTTP/1.1") + b"\r\n", 400,
                                      "bad_path")
        for method in "DELETE\0", "DELETE\0x", "DELETE ", "DELETE  ":
            with self.subTest(method=method):
                self.assert_raw_error(self.head(f"{method} {TOKENS}/a HTTP/1.1") + b"\r\n", 400,
                                      "bad_path")
        self.assertEqual(self.server.revoke(self.root, "a").status, 204)

    def test_a_control_character_is_in_no_uri(self):
        for byte in "\r", "\x01", "\x1f", "\x7f":
            for method in "DELETE", "OPTIONS":
                with self.subTest(byte=byte, method=method):
                    head = self.head(f"{method} {TOKENS}/a{byte}b HTTP/1.1")
                    self.assert_raw_error(head + b"\r\n", 400, "bad_path")

    def test_a_uri_is_so_long_at_most(self):
        path = TOKENS + "?x="
        longest = path + "x" * (2047 - len(path))
        self.assertEqual(self.server.ask("GET", longest, self.root).status, 200)
        self.assert_error(self.server.ask("GET", longest + "x", self.root), 414, "uri_too_long")

    def test_headers_that_are_too_large_are_refused(self):
        self.assertEqual(self.server.ask("GET", "/health", headers=[("X", "x" * 20000)]).status,
                         200)
        self.assertEqual(self.server.ask("GET", "/health", headers=[("X", "x" * 33000)]).status,
                         431)

    def test_a_connection_serves_one_request_after_the_other(self):
        connection = self.server.connection()
        connection.connect()
        mine = connection.sock
        for number in range(3):
            name = f"a{number}"
            self.assertEqual(self.server.issue(self.root, self.token(name),
                                               connection=connection).status, 201)
            self.assertEqual(self.server.ask("GET", TOKENS, connection=connection).status, 401)
            self.assertEqual(self.server.revoke(self.root, name, connection=connection).status,
                             204)
        self.assertIs(connection.sock, mine)
        connection.close()

    def test_requests_sent_at_once_are_answered_in_order(self):
        request = (f"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
                   f"GET {TOKENS} HTTP/1.1\r\nHost: x\r\n\r\n"
                   f"GET /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = self.server.raw(request.encode())
        self.assertEqual(re.findall(b"HTTP/1.1 ([0-9]+) ", answer), [b"200", b"401", b"404"])

    def test_http_1_0_is_served(self):
        status, body = self.raw(b"GET /health HTTP/1.0\r\n\r\n")
        self.assertEqual((status, body), (200, b"OK"))

    def test_garbage_is_not_served(self):
        for garbage in (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n", b"\r\n" * 100 + b"x\r\n\r\n",
                        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"GET\r\n\r\n",
                        b"GET /health HTTP/1.1\r\n\r\n"):
            with self.subTest(garbage=garbage):
                self.assertNotEqual(self.raw(garbage)[0], 200)
        self.assertEqual(self.server.ask("GET", "/health").status, 200)

    def test_several_addresses_are_served(self):
        self.assertEqual(self.server.end(), 0)
        server = self.serve(listen=("127.0.0.1:0", "unix:api.socket"))
        self.assertEqual(server.ask("GET", "/health").status, 200)
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(self.path("api.socket"))
            client.sendall(b"GET /health HTTP/1.0\r\n\r\n")
            self.assertTrue(client.recv(1 << 16).startswith(b"HTTP/1.1 200 OK\r\n"))

    def test_ip_version_6_is_served(self):
        try:
            with socket.socket(socket.AF_INET6) as probe:
                probe.bind(("::1", 0))
        except OSError:
            self.skipTest("there is none here")
        self.assertEqual(self.server.end(), 0)
        server = self.serve(listen=("[::1]:0",))
        server.address = ("::1", server.address[1])
        self.assertEqual(server.list(self.root).status, 200)
        self.assertRegex(server.audit()[-1]["peer"], r"^\[::1\]:[0-9]+$")


if __name__ == "__main__":
    main()
