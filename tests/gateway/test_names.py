"""Names in paths, headers, queries and bodies: decoded once, never normalised, encoded afresh."""

from gateway import BASIN, GatewayTest, main, quoted

# As a client writes it in a path, the stream that it is, and as the server reads it (None: as the
# client has written it).
STREAMS = [
    ("plain", "plain", None),
    ("a%2Fb", "a/b", None),
    ("a%2fb", "a/b", "a%2Fb"),
    ("%61%62", "ab", "ab"),
    ("a+b", "a+b", "a%2Bb"),
    ("a%2Bb", "a+b", None),
    ("a%20b", "a b", None),
    ("~tilde-and_more.", "~tilde-and_more.", None),
    ("%7E", "~", "~"),
    ("%252e%252E", "%2e%2E", "%252e%252E"),
    ("%25%32%66", "%2f", "%252f"),
    ("...", "...", None),
    ("a..b", "a..b", None),
    ("..%2Fa", "../a", None),
    ("%2e%2e%2Fa", "../a", "..%2Fa"),
    ("%2E.%2F", "../", "..%2F"),
    ("a%2F..%2F..%2Fb", "a/../../b", None),
    ("a%2F%2Fb%2F", "a//b/", None),
    ("%2F", "/", None),
    ("%C3%A9", "\u00e9", None),
    ("e%CC%81", "e\u0301", None),
    ("%F0%9F%98%80", "\U0001f600", None),
    ("%01%7F", "\x01\x7f", None),
    ("%0D%0A", "\r\n", None),
    ("a%3Fb%23c", "a?b#c", None),
    ("a;b=c", "a;b=c", "a%3Bb%3Dc"),
    ("a:b@c", "a:b@c", "a%3Ab%40c"),
    ("(a)!*'", "(a)!*'", "%28a%29%21%2A%27"),
    ("%22%5C", '"\\', None),
    ("records", "records", None),
    ("x" * 512, "x" * 512, None),
    ("%C3%A9" * 256, "\u00e9" * 256, None),
]
NO_STREAMS = ["%00", "a%00b", "%2e", "%2E%2E", "%80", "%C3", "%C0%AF", "%ED%A0%80", "%F4%90%80%80",
              "%FF", "x" * 513, "%C3%A9" * 256 + "a"]
BAD_PATHS = ["/v1/streams/.", "/v1/streams/..", "/v1/streams/./records", "/v1/streams/../records",
             "/v1/./streams/a", "/v1/../v1/streams/a", "/v1//streams/a", "//v1/streams/a",
             "/v1/streams//records", "/v1/streams/a/", "/v1/streams/", "/v1/streams/a%",
             "/v1/streams/a%2", "/v1/streams/a%zz", "/v1/streams/%u0041", "/v1/basins/",
             "/v1/basins/..", "/..", "/v1/streams/a/.."]
BASINS = ["basin-one", "0123456789", "abcdefgh", "a" * 48]
NO_BASINS = ["short", "Basin-One", "basin_one", "-basin-one", "basin-one-", "a" * 49, "basin one",
             "basin-one/x", "b\u00e4sin-one", "basin%2Done"]


class Names(GatewayTest):
    def test_a_stream_is_decoded_once_and_encoded_afresh(self):
        for written, stream, read in STREAMS:
            exact = self.token(["get-stream-config"], streams={"exact": stream})
            with self.subTest(stream=stream):
                self.s2.reset()
                self.s2.add(BASIN, stream)
                answer = self.ask("GET", f"/v1/streams/{written}", exact, basin=BASIN)
                self.assert_passed(answer, f"GET /v1/streams/{read or written}")

    def test_a_name_is_in_scope_by_its_bytes(self):
        token = self.token(["get-stream-config"], streams="users/1234/")
        for written, inside in (("users%2F1234%2F..%2F5678", True), ("users%2F1234%2F", True),
                                ("%75sers%2f1234%2F%2e%2e", True), ("users%2F1234", False),
                                ("users%2F.%2F1234%2Fa", False), ("Users%2F1234%2Fa", False),
                                ("users%252F1234%252Fa", False), ("users%2F%2F1234%2Fa", False),
                                ("users%2F5678%2F..%2F1234%2Fa", False),
                                ("users%5C1234%5Ca", False)):
            with self.subTest(written=written):
                answer = self.ask("GET", f"/v1/streams/{written}", token, basin=BASIN)
                if inside:
                    self.assertEqual((answer.status, len(self.s2.take())), (404, 1), answer)
                    self.assertIn("users/1234/", answer.json["message"])
                else:
                    self.assert_refused(answer, 403, "permission_denied")

    def test_what_no_stream_can_be_is_refused(self):
        for written in NO_STREAMS:
            for path in "/v1/streams/{}", "/v1/streams/{}/records", "/v1/metrics/basin-one/{}":
                with self.subTest(path=path, written=written[:20]):
                    self.assert_refused(
                        self.ask("GET", path.format(written), self.root, basin=BASIN), 400,
                        "bad_path")

    def test_what_might_be_read_otherwise_is_refused(self):
        for path in BAD_PATHS:
            for method in "GET", "DELETE", "POST":
                for http in 1, 2:
                    with self.subTest(path=path, method=method, http=http):
                        self.assert_refused(
                            self.ask(method, path, self.root, basin=BASIN, http=http), 400,
                            "bad_path")

    def test_a_basin_of_a_path(self):
        for basin in BASINS:
            with self.subTest(basin=basin):
                self.s2.add(basin, "s")
                self.assert_passed(self.ask("GET", f"/v1/basins/{basin}", self.root),
                                   f"GET /v1/basins/{basin}")
        self.assert_passed(self.ask("GET", "/v1/basins/basin%2Done", self.root),
                           "GET /v1/basins/basin-one")
        for basin in NO_BASINS:
            with self.subTest(basin=basin):
                self.assert_refused(
                    self.ask("GET", "/v1/basins/" + quoted(basin), self.root), 400, "bad_path")

    def test_the_basin_of_a_header(self):
        for basin in BASINS:
            with self.subTest(basin=basin):
                self.s2.add(basin, "s")
                seen = self.assert_passed(
                    self.ask("GET", "/v1/streams/s", self.root, basin=basin),
                    "GET /v1/streams/s")
                self.assertEqual(seen.header("s2-basin"), basin)
        for basin in [*NO_BASINS[:6], "", None, "basin-one,basin-two", "basin-one, basin-one"]:
            with self.subTest(basin=basin):
                self.assert_refused(
                    self.ask("GET", "/v1/streams/s", self.root, basin=basin), 400, "bad_header")

    def test_a_query_is_decoded_and_encoded_afresh(self):
        for written, sent in (("seq_num=1", "seq_num=1"), ("seq%5Fnum=%31", "seq_num=1"),
                              ("seq_num=0&count=2", "seq_num=0&count=2"), ("", ""),
                              ("x=a+b", "x=a%20b"), ("x=%C3%A9", "x=%C3%A9"),
                              ("x=a%26y=1", "x=a%26y%3D1"), ("x", "x"), ("x=", "x=")):
            with self.subTest(written=written):
                answer = self.ask("GET", f"/v1/streams/s/records?{written}", self.root,
                                  basin=BASIN)
                path = "/v1/streams/s/records" + ("?" + sent if sent else "")
                self.assert_passed(answer, "GET " + path)

    def test_a_query_that_might_be_read_otherwise_is_refused(self):
        for query in ("seq_num=1&seq_num=2", "seq_num=1&seq%5fnum=2", "x=%", "x=%4", "x=%zz",
                      "&".join(f"k{number}=1" for number in range(40))):
            with self.subTest(query=query[:30]):
                self.assert_refused(
                    self.ask("GET", f"/v1/streams/s/records?{query}", self.root, basin=BASIN),
                    400, "bad_query")
        for query in ("prefix=a&prefix=b", "limit=x", "limit=-1", "limit=1&limit=1",
                      "prefix=%00", "prefix=%FF", "start_after=%00", "prefix=" + "x" * 513):
            with self.subTest(query=query[:30]):
                self.assert_refused(
                    self.ask("GET", f"/v1/streams?{query}", self.root, basin=BASIN), 400,
                    "bad_query")

    def test_the_effective_name_is_what_must_be_valid(self):
        token = self.token(streams="p" * 500, auto_prefix_streams=True)
        self.s2.add(BASIN, "p" * 500 + "x" * 12)
        self.assert_passed(self.ask("GET", "/v1/streams/" + "x" * 12, token, basin=BASIN),
                           "GET /v1/streams/" + "p" * 500 + "x" * 12)
        self.assert_refused(self.ask("GET", "/v1/streams/" + "x" * 13, token, basin=BASIN), 400,
                            "bad_path")
        self.assert_refused(self.ask("POST", "/v1/streams", token, {"stream": "x" * 13},
                                     basin=BASIN), 400, "bad_json")
        dot = self.token(streams=".", auto_prefix_streams=True)
        self.assert_refused(self.ask("GET", "/v1/streams/%2e", dot, basin=BASIN), 400,
                            "bad_path")


if __name__ == "__main__":
    main()
