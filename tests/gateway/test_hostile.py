"""The hostile requests of hostile.py, each of which has one right answer."""

import asyncio
import json
import time

import h2.exceptions

from gateway import BASIN, GatewayTest, main
from hostile import HTTP1, HTTP2, PLAIN, READ, head


def answers(raw):
    """The answers in what came back: pairs of status and body. Of HTTP/0.9 the status is 0."""
    found = []
    while raw:
        if not raw.startswith(b"HTTP/"):
            return [*found, (0, raw)]
        begin, _, rest = raw.partition(b"\r\n\r\n")
        lines = begin.decode("latin-1").split("\r\n")
        status = int(lines[0].split(" ")[1])
        headers = {name.lower(): value for name, value in
                   (line.split(": ", 1) for line in lines[1:])}
        body = b""
        if "content-length" in headers:
            length = int(headers["content-length"])
            body, rest = rest[:length], rest[length:]
        elif headers.get("transfer-encoding") == "chunked":
            while True:
                line, _, rest = rest.partition(b"\r\n")
                size = int(line, 16)
                body, rest = body + rest[:size], rest[size + 2:]
                if size == 0:
                    break
        elif status >= 200:
            body, rest = rest, b""
        found.append((status, body))
        raw = rest
    return found


def is_cut(name):
    """Whether more of the body would have to come."""
    return name.startswith("a large ")


class Hostile(GatewayTest):
    def setUp(self):
        super().setUp()
        self.fill()
        self.named = {"ROOT": self.root, "READER": self.token(["read"], streams="public/"),
                      "WRITER": self.token(["append"], streams="public/")}

    def fill(self):
        self.s2.reset()
        for name in "public/a", "private/a":
            self.s2.add(BASIN, name)

    def fit(self, text):
        for name, credential in self.named.items():
            if isinstance(text, bytes):
                text = text.replace(b"{%s}" % name.encode(), credential.encode())
            else:
                text = text.replace("{%s}" % name, credential)
        return text

    def assert_clean(self, reached):
        seen = self.s2.take()
        self.assertEqual([one.line for one in seen], reached)
        for one in seen:
            self.assertNotIn("weir_", repr(one.pairs))
            self.assertEqual(one.header("s2-basin"),
                             BASIN if "/streams" in one.path else one.header("s2-basin"))
            for name in "connection", "upgrade", "transfer-encoding", "te", "keep-alive":
                if name != "te" or one.header(name) != "trailers":
                    self.assertIsNone(one.header(name), one)

    def assert_error_body(self, body, code=None):
        told = json.loads(body)
        self.assertEqual(list(told), ["code", "message"])
        if code:
            self.assertEqual(told["code"], code, told)

    def test_bytes_of_http1(self):
        for name, request, statuses, code, reached in HTTP1:
            with self.subTest(name):
                self.fill()
                came = answers(self.world.raw(self.fit(request), ends=is_cut(name)))
                self.assertEqual([status for status, _ in came], statuses, came)
                for status, body in came:
                    if status == 0 or status >= 400:
                        self.assert_error_body(body)
                if code:
                    self.assert_error_body(came[-1][1], code)
                self.assert_clean(reached)

    def test_the_same_one_byte_at_a_time(self):
        for name, request, statuses, _, reached in HTTP1:
            if len(request) > 1000 or is_cut(name):
                continue
            with self.subTest(name):
                self.fill()
                with self.world.connect() as client:
                    came = b""
                    try:
                        for byte in self.fit(request):
                            client.send(bytes([byte]))
                        while some := client.recv(1 << 16):
                            came += some
                    except (ConnectionResetError, BrokenPipeError):
                        continue  # it did not want to hear more
                self.assertEqual([status for status, _ in answers(came)], statuses, came)
                self.assert_clean(reached)

    def test_a_body_that_comes_while_the_server_is_asked(self):
        """It is the client's, and no answer to the gateway's own question; what is behind it is
        the next request."""
        async def later(exchange):
            await asyncio.sleep(0.3)
            await self.s2.route(exchange)
        self.s2.script = lambda seen: later
        old = self.world.workers()
        last = self.fit(head("GET /v1/basins HTTP/1.1"))
        for path in "/v1/basins", "/v1/streams", READ:
            with self.subTest(path=path), self.world.connect() as client:
                begin = time.monotonic()
                client.sendall(self.fit(head(f"GET {path} HTTP/1.1", "Content-Length: 5",
                                             close=False)))
                for byte in b"abcde" + last:
                    time.sleep(0.001)
                    client.sendall(bytes([byte]))
                came = b""
                while some := client.recv(1 << 16):
                    came += some
                self.assertEqual([status for status, _ in answers(came)], [200, 200])
                self.assertLess(time.monotonic() - begin, 4, "it waited for nothing")
        self.assertEqual(self.world.workers(), old)

    def test_headers_of_http2(self):
        for name, headers, body, status, reached in HTTP2:
            with self.subTest(name):
                self.fill()
                headers = [(key, self.fit(value)) for key, value in headers]
                client = self.world.http2()
                stream = client.open("", "", (), end=body is None, pseudo=headers)
                if body is not None:
                    stream.send(body, end=True)
                stream.until(lambda it: it.is_over or client.goes_away, "an answer")
                self.assertEqual(stream.status, status, stream)
                if status and status >= 400:
                    self.assert_error_body(stream.body)
                self.assert_clean(reached)

    def test_trailers_of_http2_decide_nothing(self):
        client = self.world.http2()
        headers = self.world.headers(self.named["WRITER"], [
            ("content-type", "application/protobuf")], BASIN)
        stream = client.open("POST", READ, headers, end=False)
        stream.send(PLAIN)
        try:
            client.h2.send_headers(stream.number, [("s2-basin", "basin-two")], end_stream=True)
            client.flush()
            stream.until(lambda it: it.is_over or client.goes_away, "an answer")
        except h2.exceptions.ProtocolError:
            pass
        for seen in self.s2.take():
            self.assertEqual(seen.header("s2-basin"), BASIN)

    def test_garbage_on_the_port_of_http2(self):
        for some in (b"GET /v1/basins HTTP/1.1\r\nHost: x\r\n\r\n", b"\0" * 100,
                     b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff" * 64):
            self.world.raw(some, "http2", ends=True)
            self.assertEqual(self.s2.take(), [])


if __name__ == "__main__":
    main()
