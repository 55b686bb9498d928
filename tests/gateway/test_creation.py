"""Creating: bodies that name what is made, and streams that would be made by the way."""

import gzip
import json

import zstandard

from gateway import BASIN, GatewayTest, main
from standin import Basin, Reply
from wire import Record, all_frames, append_input, frame

JSON = ("content-type", "application/json")


class Bodies(GatewayTest):
    def post(self, body, credential, headers=(JSON,), path="/v1/streams"):
        return self.ask("POST", path, credential, body, headers,
                        BASIN if path == "/v1/streams" else None)

    def test_the_name_in_the_body_decides(self):
        token = self.token(["create-stream"], streams="mine/")
        for body, allowed in (
                (b'{"stream":"mine/a"}', True), (b'{"stream":"mine\\/b"}', True),
                (b'{"stream":"\\u006dine/c"}', True), (b'{"config":null,"stream":"mine/d"}', True),
                (b'{"stream":"yours/a"}', False), (b'{"stream":"mine%2Fa"}', False),
                (b'{"stream":"Mine/a"}', False), (b'{"stream":"mine"}', False)):
            with self.subTest(body=body):
                answer = self.post(body, token)
                if allowed:
                    seen = self.assert_passed(answer, "POST /v1/streams")
                    self.assertEqual(json.loads(seen.body), json.loads(body))
                else:
                    self.assert_refused(answer, 403, "permission_denied", "stream_out_of_scope")
        token = self.token(["create-basin"], basins="mine-")
        self.assert_passed(self.post(b'{"basin":"mine-basin"}', token, path="/v1/basins"),
                           "POST /v1/basins")
        self.assert_refused(self.post(b'{"basin":"your-basin"}', token, path="/v1/basins"), 403,
                            "permission_denied", "basin_out_of_scope")

    def test_what_might_be_read_otherwise_is_refused(self):
        for body in (b"", b"{}", b"[]", b'"mine"', b'{"stream":1}', b'{"stream":null}',
                     b'{"stream":"mine/a","stream":"yours/a"}',
                     b'{"stream":"yours/a","stream":"mine/a"}',
                     b'{"stream":"mine/a","str\\u0065am":"yours/a"}',
                     b'{"stream":"mine/a","config":{"a":1,"a":2}}', b'{"stream":"mine/a"',
                     b'{"stream":"mine/a"}{"stream":"yours/a"}', b"{'stream':'mine/a'}",
                     b'\xef\xbb\xbf{"stream":"mine/a"}', b'{"stream":"mine/\xff"}',
                     b'{"stream":"mine/\\u0000"}', b'{"stream":"mine/\\ud800"}',
                     b'{"stream":"."}', b'{"stream":""}', b'{"Stream":"mine/a"}',
                     b'{"stream":"' + b"x" * 513 + b'"}', b"[" * 100000,
                     b'{"stream":"mine/a"/**/}', b'{"stream":"mine/a",}'):
            with self.subTest(body=body[:40]):
                self.assert_refused(self.post(body, self.root), 400, "bad_json")

    def test_encodings(self):
        body = b'{"stream":"packed"}'
        for encoding, packed in (("gzip", gzip.compress(body)), ("zstd", zstandard.compress(body))):
            with self.subTest(encoding=encoding):
                answer = self.post(packed, self.root, [JSON, ("content-encoding", encoding)])
                seen = self.assert_passed(answer, "POST /v1/streams")
                self.assertEqual(json.loads(seen.body), {"stream": "packed"})
                self.assertIsNone(seen.header("content-encoding"))
                del self.s2.basins[BASIN].streams["packed"]
        self.assert_refused(self.post(gzip.compress(body)[:-2], self.root,
                                      [JSON, ("content-encoding", "gzip")]), 400, "bad_json")
        self.assert_refused(self.post(gzip.compress(b" " * (64 << 20)), self.root,
                                      [JSON, ("content-encoding", "gzip")]), 413, "too_large")
        self.assert_refused(self.post(body, self.root, [JSON, ("content-encoding", "br")]), 415,
                            "unsupported_media_type")

    def test_one_that_is_too_large(self):
        body = json.dumps({"stream": "a", "x": "y" * (5 << 20)}).encode()
        for http in 1, 2:
            answer = self.ask("POST", "/v1/streams", self.root, body, [JSON], BASIN, http)
            self.assert_refused(answer, 413, "too_large")

    def test_over_http2_and_in_pieces(self):
        body = b'{"stream":"in-pieces"}'
        for http in 1, 2:
            self.setUp()
            stream = self.world.open("POST", "/v1/streams", self.root,
                                     [JSON, *([("connection", "close")] if http == 1 else [])],
                                     http=http, sends=True)
            for byte in body:
                stream.send(bytes([byte]))
            stream.send(b"", end=True)
            stream.finish()
            self.assertEqual(self.assert_passed(stream, "POST /v1/streams").body, body)


class ByTheWay(GatewayTest):
    """A basin that makes streams when they are appended to, or read."""

    ALL = ["append", "read", "check-tail", "fence", "trim"]

    def setUp(self):
        super().setUp()
        self.s2.basins[BASIN] = Basin(on_append=True, on_read=True)
        self.s2.add(BASIN, "there")

    def calls(self, stream, credential, http):
        """Each way to make one: what it is, and the answer."""
        path = f"/v1/streams/{stream}/records"
        options = {"basin": BASIN, "http": http}
        yield "read", self.ask("GET", path, credential, **options)
        yield "tail", self.ask("GET", path + "/tail", credential, **options)
        yield "append", self.ask("POST", path, credential, {"records": []}, **options)
        for kind in ("content-type", "s2s/proto"), ("accept", "text/event-stream"):
            stream = self.world.open("GET", path, credential, [kind], http=http)
            stream.until(lambda it: it.body, "something")
            yield kind[1], stream
        stream = self.world.open("POST", path, credential, [("content-type", "s2s/proto")],
                                 http=http, sends=True)
        if stream.status is None:
            stream.send(frame(append_input([Record(b"x")])))
        stream.until(lambda it: it.body, "something")
        yield "session", stream

    def test_who_may_not_create_does_not(self):
        for ops in (self.ALL, ["append", "read", "check-tail"]):
            token = self.token(ops)
            for http in 1, 2:
                for kind, answer in self.calls("not-there", token, http):
                    with self.subTest(kind=kind, http=http):
                        self.assertEqual((answer.status, answer.json["code"]),
                                         (404, "stream_not_found"))
                        self.assertNotIn("not-there", self.s2.basins[BASIN].streams)
                        self.assertEqual([seen.line for seen in self.s2.take()],
                                         ["GET /v1/streams/not-there"])

    def test_who_may_not_create_uses_what_is_there(self):
        token = self.token(self.ALL)
        for http in 1, 2:
            for kind, answer in self.calls("there", token, http):
                with self.subTest(kind=kind, http=http):
                    self.assertEqual(answer.status, 200, answer)
                    first = self.s2.take()[0]
                    self.assertEqual(first.line, "GET /v1/streams/there")
                    self.assertEqual(first.header("s2-basin"), BASIN)
                    self.assertIsNone(first.header("authorization"))
                    self.assertEqual(first.body, b"")

    def test_who_may_create_is_not_asked_for(self):
        for kind, answer in self.calls("new", self.token([*self.ALL, "create-stream"]), 1):
            with self.subTest(kind=kind):
                self.assertEqual(answer.status, 200, answer)
                self.assertEqual(len(self.s2.take()), 1)
        self.assertIn("new", self.s2.basins[BASIN].streams)

    def test_who_may_create_others_only(self):
        scopes = [{"basins": {"prefix": ""}, "streams": {"prefix": ""}, "ops": ["append"]},
                  {"basins": {"prefix": ""}, "streams": {"prefix": "mine/"},
                   "ops": ["create-stream"]}]
        token = self.world.server.issue(self.root, {"id": "others", "scopes": scopes}).json[
            "access_token"]
        for stream, status in (("mine%2Fa", 200), ("a", 404)):
            answer = self.ask("POST", f"/v1/streams/{stream}/records", token, {"records": []},
                              basin=BASIN)
            self.assertEqual(answer.status, status, answer)
        self.world.revoke("others")

    def test_the_effective_name_is_asked_for(self):
        token = self.token(self.ALL, streams="p/", auto_prefix_streams=True)
        answer = self.ask("GET", "/v1/streams/a/records", token, basin=BASIN)
        self.assert_error(answer, 404, "stream_not_found")
        self.assertNotIn("p/", answer.json["message"])
        self.assertEqual([seen.line for seen in self.s2.take()], ["GET /v1/streams/p%2Fa"])

    def test_a_head_is_asked_for_like_its_get(self):
        answer = self.ask("HEAD", "/v1/streams/not-there/records/tail", self.token(self.ALL),
                          basin=BASIN)
        self.assertEqual((answer.status, answer.body), (404, b""))
        self.assertNotIn("not-there", self.s2.basins[BASIN].streams)

    def test_a_server_that_cannot_say_is_not_passed_on_to(self):
        for status in 500, 503, 302, 401, 204:
            with self.subTest(status=status):
                self.s2.script = lambda seen: Reply(
                    status, {"code": "x", "message": "y"} if status != 204 else None)
                answer = self.ask("GET", "/v1/streams/there/records", self.token(self.ALL),
                                  basin=BASIN)
                self.assert_error(answer, 503, "unavailable")
                self.assertEqual(len(self.s2.take()), 1)

    def test_a_large_answer_to_a_waiting_body(self):
        """The body comes while the server is being asked."""
        record = Record(bytes(3 << 20))
        token = self.token(["append"])
        answer = self.ask("POST", "/v1/streams/there/records", token, append_input([record]),
                          [("content-type", "application/protobuf")], BASIN)
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual(self.s2.records(BASIN, "there"), [record])
        for http in 1, 2:
            stream = self.world.open("POST", "/v1/streams/there/records", token,
                                     [("content-type", "s2s/proto")], http=http, sends=True)
            for count in range(5):
                stream.send(frame(append_input([Record(bytes(1 << 20))])))
            stream.until(lambda it: len(all_frames(it.body)) == 5, "acknowledgements")


if __name__ == "__main__":
    main()
