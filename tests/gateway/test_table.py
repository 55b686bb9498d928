"""Which operations a request needs, on what: each row of the table."""

from gateway import BASIN, OPERATIONS, GatewayTest, main

STREAM = "a/b c"
PATH = "/v1/streams/a%2Fb%20c"

# method, path, body, which operations it needs, on what, and what reaches the server (None: the
# path as it is).
TABLE = [
    ("GET", "/v1/basins", None, ["list-basins"], "", "/v1/basins?limit=1000"),
    ("POST", "/v1/basins", {"basin": "basin-two"}, ["create-basin"], "b", None),
    ("GET", "/v1/basins/basin-one", None, ["get-basin-config"], "b", None),
    ("PATCH", "/v1/basins/basin-one", {}, ["reconfigure-basin"], "b", None),
    ("DELETE", "/v1/basins/basin-one", None, ["delete-basin"], "b", None),
    ("PUT", "/v1/basins/basin-one", {}, ["create-basin", "reconfigure-basin"], "b", None),
    ("GET", "/v1/locations", None, ["list-locations"], "", None),
    ("GET", "/v1/locations/default", None, ["get-default-location"], "", None),
    ("PUT", "/v1/locations/default", {"location": "x"}, ["set-default-location"], "", None),
    ("GET", "/v1/metrics?set=x", None, ["account-metrics"], "", None),
    ("GET", "/v1/metrics/basin-one?set=x", None, ["basin-metrics"], "b", None),
    ("GET", "/v1/metrics/basin-one/a%2Fb%20c?set=x", None, ["stream-metrics"], "bs", None),
    ("GET", "/v1/streams", None, ["list-streams"], "b", "/v1/streams?limit=1000"),
    ("POST", "/v1/streams", {"stream": "new"}, ["create-stream"], "bs", None),
    ("GET", PATH, None, ["get-stream-config"], "bs", None),
    ("PATCH", PATH, {}, ["reconfigure-stream"], "bs", None),
    ("DELETE", PATH, None, ["delete-stream"], "bs", None),
    ("PUT", PATH, {}, ["create-stream", "reconfigure-stream"], "bs", None),
    ("GET", PATH + "/records/tail", None, ["check-tail"], "bs", None),
    ("GET", PATH + "/records?seq_num=0", None, ["read"], "bs", None),
    ("POST", PATH + "/records", {"records": [{"body": "x"}]}, ["append"], "bs", None),
    ("POST", PATH + "/records", {"records": [{"headers": [["", "fence"]], "body": ""}]},
     ["fence"], "bs", None),
    ("POST", PATH + "/records", {"records": [{"headers": [["", "trim"]], "body": "12345678"}]},
     ["trim"], "bs", None),
]
RECORDS = ("append", "check-tail", "read")
GETS = {path for method, path, *_ in TABLE if method == "GET"}


def asks_first(needed):
    """Whether the server is asked first if the stream is there: who may create it needs not."""
    return bool({"append", "fence", "trim", "check-tail", "read"} & set(needed))


class Table(GatewayTest):
    def setUp(self):
        super().setUp()
        self.s2.add(BASIN, STREAM)

    def call(self, row, credential, method=None):
        return self.ask(method or row[0], row[1], credential, row[2],
                        basin=BASIN if row[1].startswith("/v1/streams") else None)

    def reached(self, row):
        first = ["GET " + PATH] if asks_first(row[3]) else []
        return [*first, f"{row[0]} {row[5] or row[1]}"]

    def test_just_what_it_needs_is_enough(self):
        for row in TABLE:
            with self.subTest(row=row[:2], needs=row[3]):
                self.setUp()
                self.assert_passed(self.call(row, self.token(row[3])), *self.reached(row))

    def test_all_but_one_of_what_it_needs_is_not(self):
        for row in TABLE:
            for lacked in row[3]:
                with self.subTest(row=row[:2], lacked=lacked):
                    others = [name for name in OPERATIONS if name != lacked]
                    self.assert_refused(self.call(row, self.token(others)), 403,
                                        "permission_denied", "op_not_permitted")

    def test_on_another_basin_it_is_not(self):
        for row in TABLE:
            if "b" in row[4]:
                with self.subTest(row=row[:2]):
                    self.assert_refused(self.call(row, self.token(basins="other-basin")), 403,
                                        "permission_denied", "basin_out_of_scope")

    def test_on_another_stream_it_is_not(self):
        for row in TABLE:
            if "s" in row[4]:
                with self.subTest(row=row[:2]):
                    self.assert_refused(self.call(row, self.token(streams="other/")), 403,
                                        "permission_denied", "stream_out_of_scope")

    def test_the_very_stream_is_enough(self):
        for row in TABLE:
            if "s" in row[4] and row[1].startswith(PATH):
                with self.subTest(row=row[:2]):
                    self.setUp()
                    self.assert_passed(
                        self.call(row, self.token(row[3], basins={"exact": BASIN},
                                                  streams={"exact": STREAM})),
                        *self.reached(row))

    def test_nobody_may_without_a_credential(self):
        for row in TABLE:
            for credential in None, "", "x", "weir_" + "0" * 49:
                with self.subTest(row=row[:2], credential=credential):
                    self.assert_refused(self.call(row, credential), 401, "authn")

    def test_head_is_its_get(self):
        for row in TABLE:
            if row[0] == "GET":
                with self.subTest(path=row[1]):
                    answer = self.call(row, self.token(row[3]), "HEAD")
                    self.assertEqual(answer.body, b"")
                    # A list is asked for by the gateway itself.
                    method = "GET" if "limit=1000" in (row[5] or "") else "HEAD"
                    first = ["GET " + PATH] if asks_first(row[3]) else []
                    self.assert_passed(answer, *first, f"{method} {row[5] or row[1]}")
                    self.assertEqual(
                        self.call(row, self.token(["issue-access-token"]), "HEAD").status, 403)
                    self.assertEqual(self.s2.take(), [])

    def test_what_is_not_in_the_table_is_not_found(self):
        for method, path in (
                ("GET", "/"), ("GET", "/v1"), ("GET", "/v1/basin"), ("GET", "/v1/basinss"),
                ("GET", "/V1/basins"), ("GET", "/v2/basins"), ("GET", "/v1/basins/b/c"),
                ("PUT", "/v1/basins"), ("DELETE", "/v1/streams"),
                ("POST", "/v1/basins/basin-one"), ("POST", PATH), ("PUT", PATH + "/records"),
                ("GET", PATH + "/record"), ("GET", PATH + "/records/head"),
                ("POST", PATH + "/records/tail"), ("GET", "/v1/streams/a/b/records"),
                ("POST", "/v1/locations/default"), ("POST", "/v1/metrics"), ("GET", "/metrics"),
                ("POST", "/health"), ("GET", "/healthz"), ("GET", "/v1%2Fbasins"),
                ("GET", "/v1/b%61sins"), ("PROPFIND", "/v1/basins"), ("MKCOL", "/v1/basins")):
            with self.subTest(method=method, path=path):
                self.assert_refused(self.ask(method, path, self.root, basin=BASIN), 404,
                                    "not_found")

    def test_what_needs_nothing_is_passed_on(self):
        for method, path in (("GET", "/health"), ("GET", "/ping"), ("OPTIONS", "/v1/basins"),
                             ("OPTIONS", "/v1/streams/x/records")):
            for credential in None, self.root:
                with self.subTest(path=path):
                    self.assert_passed(self.ask(method, path, credential), f"{method} {path}")


if __name__ == "__main__":
    main()
