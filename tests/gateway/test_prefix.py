"""Auto-prefix: put before streams on the way in, taken off on the way out."""

import json

from gateway import BASIN, GatewayTest, main
from standin import Reply
from wire import Record, all_frames, append_input, frame, terminal_of

PREFIX = "tenants/7/"
SENT = "tenants%2F7%2F"


class Prefix(GatewayTest):
    def setUp(self):
        super().setUp()
        self.tenant = self.token(streams=PREFIX, auto_prefix_streams=True)
        for name in "tenants/7/a", "tenants/7/b", "tenants/7/dir/c", "tenants/8/a", "a", "z":
            self.s2.add(BASIN, name)

    def call(self, method, path, body=None, headers=(), **options):
        return self.ask(method, path, self.tenant, body, headers, BASIN, **options)

    def test_paths(self):
        for method, path, body in (
                ("GET", "/v1/streams/{}a", None), ("PATCH", "/v1/streams/{}a", {}),
                ("PUT", "/v1/streams/{}a", {}), ("GET", "/v1/streams/{}a/records", None),
                ("GET", "/v1/streams/{}a/records/tail", None),
                ("POST", "/v1/streams/{}a/records", {"records": []}),
                ("GET", "/v1/metrics/basin-one/{}a", None), ("DELETE", "/v1/streams/{}a", None),
                ("PUT", "/v1/streams/{}new", {})):
            with self.subTest(method=method, path=path):
                self.assert_passed(self.call(method, path.format(""), body),
                                   f"{method} {path.format(SENT)}")

    def test_a_name_that_has_the_prefix_gets_it_again(self):
        self.s2.add(BASIN, PREFIX + PREFIX + "a")
        self.assert_passed(self.call("GET", f"/v1/streams/{SENT}a"),
                           f"GET /v1/streams/{SENT}{SENT}a")
        answer = self.call("GET", "/v1/streams/..%2F8%2Fa")
        self.assertEqual(answer.status, 404)
        self.assertEqual(self.s2.take()[-1].path, f"/v1/streams/{SENT}..%2F8%2Fa")

    def test_bodies_and_answers_of_creation(self):
        for name in "new", "\u00e9/\"\\\n", "tenants/7/", "x" * 502:
            with self.subTest(name=name[:10]):
                answer = self.call("POST", "/v1/streams",
                                   {"stream": name, "config": {"storage_class": "express"}})
                seen = self.assert_passed(answer, "POST /v1/streams")
                self.assertEqual(json.loads(seen.body), {
                    "stream": PREFIX + name, "config": {"storage_class": "express"}})
                self.assertEqual(int(seen.header("content-length")), len(seen.body))
                self.assertEqual((answer.status, answer.json["name"]), (201, name))
                self.assertEqual(answer.headers["s2-provision-result"], "created")
        answer = self.call("PUT", "/v1/streams/put", {})
        self.assertEqual(answer.json["name"], "put")
        self.assertEqual(int(answer.headers["content-length"]), len(answer.body))

    def test_lists(self):
        def names(query=""):
            answer = self.call("GET", "/v1/streams" + query)
            self.assertEqual(answer.status, 200, answer)
            return [one["name"] for one in answer.json["streams"]], answer.json["has_more"]

        self.assertEqual(names(), (["a", "b", "dir/c"], False))
        self.assertEqual(names("?prefix=dir%2F"), (["dir/c"], False))
        self.assertEqual(names("?prefix=tenants%2F7%2F"), ([], False))
        self.assertEqual(names("?start_after=a"), (["b", "dir/c"], False))
        self.assertEqual(names("?limit=2"), (["a", "b"], True))
        self.assertEqual(names("?prefix=" + "x" * 503), ([], False))
        for seen in self.s2.take():
            self.assertIn("prefix=" + SENT, seen.path)
        # Names that would strip to nothing, or to what no stream can be, are left out.
        for name in "tenants/7/", "tenants/7/.", "tenants/7/..":
            self.s2.add(BASIN, name)
        self.assertEqual(names(), (["a", "b", "dir/c"], False))

    def test_messages_of_errors(self):
        for http in 1, 2:
            for method, path in (("GET", "/v1/streams/gone"), ("GET", "/v1/streams/gone/records"),
                                 ("GET", "/v1/streams/gone/records/tail"),
                                 ("DELETE", "/v1/streams/gone")):
                with self.subTest(http=http, path=path):
                    answer = self.call(method, path, http=http)
                    self.assertEqual(answer.json, {
                        "code": "stream_not_found",
                        "message": f"stream `gone` in basin `{BASIN}` not found"})
                    self.assertEqual(int(answer.headers["content-length"]), len(answer.body))
        answer = self.call("POST", "/v1/streams", {"stream": "a"})
        self.assertEqual((answer.status, answer.json["message"]),
                         (409, f"stream `a` in basin `{BASIN}` already exists"))
        answer = self.call("POST", "/v1/streams/gone/records", {"records": []})
        self.assertNotIn("tenants", answer.json["message"])

    def test_messages_of_sessions(self):
        for kind, told in ((("content-type", "s2s/proto"), "frames"),
                           (("accept", "text/event-stream"), "events")):
            for http in 1, 2:
                with self.subTest(kind=told, http=http):
                    self.s2.add(BASIN, PREFIX + "a", Record(b"tenants/7/a is data"))
                    stream = self.world.open("GET", "/v1/streams/a/records", self.tenant, [kind],
                                             http=http)
                    stream.until(lambda it: b"tenants/7/a is data" in it.body, "the record")
                    del self.s2.basins[BASIN].streams[PREFIX + "a"]
                    stream.finish()
                    self.assertTrue(stream.ended)
                    if told == "frames":
                        said = terminal_of(stream.body)[1]
                    else:
                        said = json.loads(stream.body.split(b"data: ")[-1])
                    self.assertEqual(said["message"],
                                     f"stream `a` in basin `{BASIN}` not found")

    def test_what_is_data_is_left_alone(self):
        record = {"headers": [["tenants/7/a", "tenants/7/a"]], "body": "tenants/7/a"}
        self.assert_passed(self.call("POST", "/v1/streams/a/records", {"records": [record]}),
                           f"POST /v1/streams/{SENT}a/records")
        answer = self.call("GET", "/v1/streams/a/records")
        self.assertEqual(answer.json["records"][0]["body"], "tenants/7/a")
        stream = self.world.open("POST", "/v1/streams/a/records", self.tenant,
                                 [("content-type", "s2s/proto")], sends=True)
        stream.send(frame(append_input([Record(b"tenants/7/a")])))
        stream.until(lambda it: all_frames(it.body), "the acknowledgement")
        self.assertEqual(self.s2.records(BASIN, PREFIX + "a")[-1].body, b"tenants/7/a")

    def test_an_answer_that_cannot_be_rewritten_is_none(self):
        for body in (b"not json", b'{"name":', b"[" * 10000,
                     json.dumps({"name": PREFIX + "a", "x": "y" * (2 << 20)}).encode()):
            for status in 200, 404:
                with self.subTest(body=body[:20], status=status):
                    self.s2.script = lambda seen: Reply(
                        status, body=body, headers=[("content-type", "application/json")])
                    answer = self.call("PUT", "/v1/streams/a", {})
                    self.assertIn(answer.status, (502, 503), answer)
                    self.assertNotIn(b"tenants", answer.body)
                    self.assertEqual(list(answer.json), ["code", "message"])
        self.s2.script = lambda seen: Reply(404, headers=[("content-type", "application/json")])
        self.assertEqual(self.call("GET", "/v1/streams/a").status, 404)

    def test_the_server_is_asked_for_no_compression_where_it_is_rewritten(self):
        for method, path, body in (("POST", "/v1/streams", {"stream": "new"}),
                                   ("PUT", "/v1/streams/new", {}), ("GET", "/v1/streams", None),
                                   ("GET", "/v1/streams/a/records", None)):
            with self.subTest(method=method, path=path):
                self.call(method, path, body, [("accept-encoding", "gzip, zstd")])
                for seen in self.s2.take():
                    self.assertIn(seen.header("accept-encoding"), (None, "", "identity"))


if __name__ == "__main__":
    main()
