"""What nginx itself would say is said in S2's words, and tells nothing that is not so."""

import asyncio
import time

from gateway import BASIN, GatewayTest, main
from standin import Reply
from wire import Record, all_frames, append_input, frame, terminal_of

PATH = "/v1/streams/s/records"
ORIGIN = [("origin", "https://console.example")]


async def never(exchange):
    await asyncio.sleep(3600)


class Errors(GatewayTest):
    OPTIONS = {"change": [("client_body_timeout 24h;", "client_body_timeout 1s;"),
                          ("grpc_read_timeout 24h;", "grpc_read_timeout 2s;"),
                          ("client_max_body_size 0;", "client_max_body_size 64k;"),
                          ("client_header_timeout 30s;", "client_header_timeout 2s;")]}

    def assert_told(self, answer, status, code):
        self.assert_error(answer, status, code)
        self.assertEqual(answer.headers["access-control-allow-origin"], ORIGIN[0][1])
        self.assertNotIn(b"nginx", answer.body)

    def test_a_body_that_is_too_large(self):
        for http in 1, 2:
            for path in PATH, "/v1/streams", "/v1/access-tokens":
                with self.subTest(http=http, path=path):
                    answer = self.ask("POST", path, self.root, b"x" * (2 << 20),
                                      [*ORIGIN, ("content-type", "application/protobuf")], BASIN,
                                      http)
                    self.assert_told(answer, 413, "too_large")
                    self.assertEqual(self.s2.take(), [])

    def test_a_uri_that_is_too_long(self):
        answer = self.ask("GET", "/v1/streams/" + "a" * 40000, self.root)
        self.assert_refused(answer, 414, "uri_too_long")

    def test_a_body_that_does_not_come(self):
        for http in 1, 2:
            for path, kind in ((PATH, "application/protobuf"), ("/v1/streams", "application/json")):
                with self.subTest(http=http, path=path):
                    token = self.token(["append", "create-stream"])
                    stream = self.world.open("POST", path, token, [*ORIGIN, ("content-type", kind)],
                                             http=http, sends=True)
                    stream.send(b"\x0a")
                    stream.finish(20)
                    # nginx cuts it off without a word.
                    self.assertTrue(stream.broken)
                    self.assertEqual(self.s2.take(), [])

    def test_a_session_whose_client_falls_silent(self):
        """Here a second; as it is shipped a day: heartbeats are the server's."""
        stream = self.world.open("POST", PATH, self.token(["append", "create-stream"]),
                                 [("content-type", "s2s/proto")], sends=True)
        stream.send(frame(append_input([Record(b"x")])))
        stream.until(lambda it: all_frames(it.body), "an acknowledgement")
        stream.finish(20)
        self.world.until(lambda: self.s2.seen[-1].was_reset or self.s2.seen[-1].is_answered)

    def test_a_server_that_does_not_answer(self):
        self.s2.script = lambda seen: never
        for http in 1, 2:
            for method, path in (("GET", "/v1/basins/basin-one"), ("GET", "/v1/streams"),
                                 ("GET", PATH)):
                with self.subTest(http=http, path=path):
                    answer = self.ask(method, path, self.token(["get-basin-config", "read",
                                                                "list-streams"]),
                                      headers=ORIGIN, basin=BASIN, http=http)
                    if path == "/v1/basins/basin-one":
                        self.assert_told(answer, 504, "upstream_timeout")
                    else:
                        self.assert_told(answer, 503, "unavailable")

    def test_a_server_that_is_gone(self):
        self.world.expected.append(r"connect\(\) to unix")
        self.s2.stop()
        try:
            for http in 1, 2:
                for method, path, body in (("GET", "/v1/basins/basin-one", None),
                                           ("GET", "/v1/basins", None), ("GET", PATH, None),
                                           ("POST", PATH, {"records": []}),
                                           ("PUT", "/v1/streams/s", {}),
                                           ("POST", "/v1/streams", {"stream": "x"})):
                    for credential in self.root, self.token(streams="p", auto_prefix_streams=True):
                        with self.subTest(http=http, path=path):
                            answer = self.ask(method, path, credential, body, ORIGIN, BASIN, http)
                            self.assert_told(answer, 503, "unavailable")
        finally:
            self.s2.start()
        self.assertEqual(self.ask("GET", "/v1/basins/basin-one", self.root).status, 200)

    def test_a_server_that_dies_in_between(self):
        self.world.expected.append("upstream")
        for kind, http in ((("content-type", "s2s/proto"), 1), (("content-type", "s2s/proto"), 2),
                           (("accept", "text/event-stream"), 1)):
            with self.subTest(kind=kind, http=http):
                stream = self.world.open("GET", PATH, self.root, [kind], http=http)
                stream.until(lambda it: it.body, "something")
                self.s2.stop()
                self.s2.start()
                stream.finish()
                self.assertFalse(stream.ended and kind[0] == "content-type" and
                                 terminal_of(stream.body) is None, stream)

    def test_nonsense_of_the_server_is_not_passed_on(self):
        async def cut(exchange):
            exchange.begin(200, [("content-type", "application/json"), ("content-length", "100")])
            await exchange.send(b"{", end=True)

        async def reset(exchange):
            exchange.connection.h2.reset_stream(exchange.number)
            exchange.connection.flush()
        for script in cut, reset:
            self.s2.script = lambda seen: script
            with self.subTest(script=script.__name__):
                answer = self.ask("GET", "/v1/basins/basin-one", self.root)
                self.assertTrue(answer.broken or answer.status == 503, answer)

    def test_the_servers_own_errors_are_its_own(self):
        for status in 400, 403, 404, 409, 412, 416, 429, 500, 503, 504:
            self.s2.script = lambda seen: Reply(status, {"code": "its_own", "message": "m"})
            for method, path in (("GET", "/v1/basins/basin-one"), ("GET", PATH)):
                with self.subTest(status=status, path=path):
                    answer = self.ask(method, path, self.root, basin=BASIN)
                    self.assert_error(answer, status, "its_own")

    def test_a_head_that_does_not_come(self):
        with self.world.connect() as client:
            client.sendall(b"GET /v1/basins HTTP/1.1\r\nHost: x\r\nAuthoriz")
            begin = time.monotonic()
            while client.recv(1000):
                pass
            self.assertLess(time.monotonic() - begin, 20)
        self.assertEqual(self.s2.take(), [])


if __name__ == "__main__":
    main()
