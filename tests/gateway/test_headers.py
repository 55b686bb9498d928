"""Headers: those that decide are there once; what is passed on, what is not, what is added."""

from gateway import BASIN, GatewayTest, main
from standin import Reply

VARY = "origin, access-control-request-method, access-control-request-headers"
ONCE = [("authorization", "Bearer x", "Bearer y"), ("content-type", "application/json",
        "application/protobuf"), ("content-encoding", "identity", "gzip"),
        ("s2-format", "raw", "base64"), ("s2-basin", "basin-one", "basin-two")]


class Headers(GatewayTest):
    def test_what_decides_is_there_once(self):
        for http in 1, 2:
            for name, first, second in ONCE:
                for pair in ((first, second), (second, first), (first, first)):
                    with self.subTest(http=http, name=name, pair=pair):
                        headers = [(name, pair[0]), ("x-between", "1"), (name, pair[1])]
                        answer = self.ask("POST", "/v1/streams/s/records",
                                          None if name == "authorization" else self.root, b"{}",
                                          headers, None if name == "s2-basin" else BASIN, http)
                        self.assert_refused(answer, 400, "bad_header")

    def test_whatever_their_case(self):
        answer = self.ask("GET", "/v1/basins", self.root,
                          headers=[("AUTHORIZATION", "Bearer " + self.root)])
        self.assert_refused(answer, 400, "bad_header")
        answer = self.ask("GET", "/v1/streams/s", self.root, headers=[("S2-BASIN", BASIN)])
        self.assertEqual(self.assert_passed(answer, "GET /v1/streams/s").header("s2-basin"),
                         BASIN)

    def test_a_credential_comes_with_its_scheme(self):
        for value in ("", "Bearer", "Bearer ", self.root, "Basic " + self.root,
                      "Bearer" + self.root, f"Bearer {self.root} x", f"Bearer {self.root},",
                      f"Bearer \"{self.root}\"", "Token " + self.root):
            with self.subTest(value=value[:12]):
                self.assert_refused(
                    self.ask("GET", "/v1/basins/basin-one", headers=[("authorization", value)]),
                    401, "authn")
        for value in (f"bearer {self.root}", f"BEARER  {self.root}", f"Bearer {self.root} "):
            with self.subTest(value=value[:12]):
                self.assert_passed(
                    self.ask("GET", "/v1/basins/basin-one", headers=[("authorization", value)]),
                    "GET /v1/basins/basin-one")

    def test_all_bad_credentials_are_told_the_same(self):
        self.world.token("gone")
        gone = self.world.token("gone-too")
        self.world.revoke("gone-too")
        told = {self.ask("GET", "/v1/basins", credential).body
                for credential in (None, "x", "weir_" + "A" * 49, gone, self.root[:-1],
                                   self.root + "0")}
        self.assertEqual(len(told), 1)
        self.world.revoke("gone")

    def test_a_credential_in_another_place_is_none(self):
        for headers in ([("x-authorization", "Bearer " + self.root)],
                        [("cookie", "authorization=" + self.root)],
                        [("proxy-authorization", "Bearer " + self.root)]):
            self.assert_refused(self.ask("GET", "/v1/basins", headers=headers), 401, "authn")
        self.assert_refused(self.ask("GET", "/v1/basins?access_token=" + self.token()), 401,
                            "authn")

    def test_the_credential_never_reaches_the_server(self):
        for http in 1, 2:
            for method, path, body in (("GET", "/v1/streams", None),
                                       ("GET", "/v1/streams/s/records", None),
                                       ("OPTIONS", "/v1/streams", None),
                                       ("GET", "/health", None),
                                       ("POST", "/v1/streams", {"stream": "new"}),
                                       ("POST", "/v1/streams/s/records", {"records": []})):
                with self.subTest(path=path, http=http):
                    self.ask(method, path, self.root, body, basin=BASIN, http=http)
                    seen = self.s2.take()
                    self.assertTrue(seen)
                    for one in seen:
                        self.assertNotIn(self.root, repr(one.pairs))
                        self.assertIsNone(one.header("authorization"))
                    self.s2.reset()
                    self.s2.add(BASIN, "s")

    def test_what_passes_through(self):
        def script(seen):
            return Reply(200, {}, [("s2-provision-result", "noop"), ("retry-after-ms", "77"),
                                   ("x-else", "y")])
        self.s2.script = script
        headers = [("s2-request-token", "t-1"), ("s2-encryption-key", "k"), ("x-else", "x"),
                   ("accept", "application/json"), ("user-agent", "a client")]
        answer = self.ask("PATCH", "/v1/streams/s", self.root, {}, headers, BASIN)
        seen = self.assert_passed(answer, "PATCH /v1/streams/s")
        for name, value in headers:
            self.assertEqual(seen.header(name), value)
        self.assertEqual(seen.header("s2-basin"), BASIN)
        for name, value in (("s2-provision-result", "noop"), ("retry-after-ms", "77"),
                            ("x-else", "y")):
            self.assertEqual(answer.headers[name], value)

    def test_a_key_of_encryption_is_not_logged(self):
        self.ask("GET", "/v1/streams/s", None, headers=[("s2-encryption-key", "a-secret-key")],
                 basin=BASIN)
        self.ask("GET", "/v1/streams/s", self.root,
                 headers=[("s2-encryption-key", "a-secret-key")], basin=BASIN)
        self.s2.take()
        for name in "error.log", "access.ndjson", "gateway.ndjson":
            with open(self.world.path(name), encoding="utf-8") as file:
                log = file.read()
            self.assertNotIn("a-secret-key", log)
            self.assertNotIn(self.root, log)

    def test_the_server_cannot_steer_nginx(self):
        for name, value in (("x-accel-redirect", "/v1/basins/basin-two"),
                            ("x-accel-redirect", "@authority"),
                            ("x-accel-limit-rate", "1"), ("x-accel-expires", "3600"),
                            ("x-accel-charset", "koi8-r"), ("x-accel-buffering", "yes")):
            with self.subTest(name=name, value=value):
                self.s2.script = lambda seen: Reply(200, {"a": 1}, [(name, value)])
                answer = self.ask("GET", "/v1/streams/s", self.root, basin=BASIN)
                self.assertEqual(answer.json, {"a": 1})
                self.assert_passed(answer, "GET /v1/streams/s")

    def test_a_browser_can_read_what_the_gateway_says_itself(self):
        origin = [("origin", "https://console.example")]
        reader = self.token(["read"])
        for answer in (self.ask("GET", "/v1/basins", headers=origin),
                       self.ask("GET", "/v1/streams/s", reader, headers=origin, basin=BASIN),
                       self.ask("GET", "/v1/streams/%FF", reader, headers=origin, basin=BASIN),
                       self.ask("GET", "/v1/nothing", reader, headers=origin),
                       self.ask("GET", "/v1/basins", self.root, headers=origin),
                       self.ask("GET", "/v1/streams", self.root, headers=origin, basin=BASIN),
                       self.ask("GET", "/v1/access-tokens", self.root, headers=origin),
                       self.ask("GET", "/v1/access-tokens", headers=origin)):
            self.assertEqual(answer.headers.get("access-control-allow-origin"),
                             "https://console.example", answer)
            self.assertEqual(answer.headers["access-control-allow-credentials"], "true")
            self.assertEqual(answer.headers["vary"], VARY)
            self.assertEqual(sum(name.lower() == "access-control-allow-origin"
                                 for name, _ in answer.pairs), 1)

    def test_the_media_type_is_sent_on_as_it_was_read(self):
        """The server must not read another than the gateway."""
        reads = self.token(["append", "create-stream"])
        for kind in ("application/json", "application/json; charset=utf-8", "APPLICATION/JSON",
                     "application/problem+json"):
            with self.subTest(kind=kind):
                answer = self.ask("POST", "/v1/streams/s/records", reads,
                                  b'{"records":[{"body":"x"}]}', [("content-type", kind)], BASIN)
                seen = self.assert_passed(answer, "POST /v1/streams/s/records")
                self.assertEqual(seen.header("content-type"), "application/protobuf")
        for kind in ("text/plain", "application/json, application/protobuf", "json", "",
                     "application/json\tx/y", "multipart/form-data; boundary=x", "s2s/protoo"):
            with self.subTest(kind=kind):
                answer = self.ask("POST", "/v1/streams/s/records", reads,
                                  b'{"records":[{"body":"x"}]}', [("content-type", kind)], BASIN)
                self.assertIn(answer.status, (400, 415), answer)
                self.assertEqual(self.s2.take(), [])


if __name__ == "__main__":
    main()
