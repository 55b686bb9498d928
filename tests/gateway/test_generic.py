"""`weir on`: any service, whose operation, basin and stream are expressions; and `weir off`."""

import urllib.parse

from client import Http1
from gateway import BASIN, GatewayTest, World, main

SERVERS = """
    server {
        listen unix:%(folder)s/generic.sock;
        grpc_set_header Stream $weir_effective_stream;
        location / {
            weir on;
            weir_operation $arg_op;
            weir_basin $http_basin;
            weir_stream $arg_stream;
            grpc_pass grpc://s2;
        }
        location /files/ {
            weir on;
            weir_operation read;
            weir_basin basin-one;
            weir_stream $uri;
            grpc_pass grpc://s2;
        }
        location /open { weir off; grpc_pass grpc://s2; }
    }
    server { listen unix:%(folder)s/plain.sock; location / { grpc_pass grpc://s2; } }
"""


class Generic(GatewayTest):
    @classmethod
    def setUpClass(cls):
        cls.world = World()
        cls.world.options["http"] = (SERVERS % {"folder": cls.world.folder})
        cls.world.__enter__()
        cls.addClassCleanup(cls.world.__exit__)
        cls.credentials = {}

    def ask_generic(self, path, credential=None, headers=(), name="generic"):
        stream = Http1(self.world.connect(name), "GET", path,
                       self.world.headers(credential, [*headers, ("connection", "close")], None))
        return stream.finish()

    def question(self, credential, operation, basin=BASIN, stream="a"):
        return self.ask_generic("/x?" + urllib.parse.urlencode({"op": operation, "stream": stream}),
                                credential, [("basin", basin)] if basin else [])

    def test_it_decides_on_the_expressions(self):
        token = self.token(["read", "list-streams", "list-basins"], streams="a",
                           basins={"exact": BASIN})
        for operation, basin, stream, status in (
                ("read", BASIN, "a", 200), ("read", BASIN, "ab", 200), ("read", BASIN, "b", 403),
                ("append", BASIN, "a", 403), ("read", "basin-two", "a", 403),
                ("list-streams", BASIN, "", 200), ("list-basins", "", "", 200),
                ("read", "", "a", 400), ("read", BASIN, "", 400), ("read", "no", "a", 400),
                ("", BASIN, "a", 403), ("READ", BASIN, "a", 403), ("nonsense", BASIN, "a", 403),
                ("revoke-access-token", BASIN, "a", 403)):
            with self.subTest(operation=operation, basin=basin, stream=stream):
                answer = self.question(token, operation, basin, stream)
                self.assertEqual(answer.status, status, answer)
                self.assertEqual(len(self.s2.take()), 1 if status == 200 else 0)
        self.assertEqual(self.question(None, "read").status, 401)
        self.assertEqual(self.question("x", "read").status, 401)

    def test_the_path_may_be_the_stream(self):
        token = self.token(["read"], streams="/files/mine/")
        for path, status in (("/files/mine/a", 200), ("/files/yours/a", 403),
                             ("/files/mine/../yours/a", 403), ("/files/mine", 403)):
            with self.subTest(path=path):
                self.assertEqual(self.ask_generic(path, token).status, status)

    def test_the_effective_stream_is_a_variable(self):
        token = self.token(["read"], streams="p/", auto_prefix_streams=True)
        self.assertEqual(self.question(token, "read").status, 200)
        self.assertEqual(self.s2.take()[0].header("stream"), "p/a")

    def test_the_credential_is_not_sent_on(self):
        self.question(self.root, "read")
        self.assertIsNone(self.s2.take()[0].header("authorization"))

    def test_off_and_absent_decide_nothing(self):
        for path, name in (("/open", "generic"), ("/anything", "plain")):
            self.assertEqual(self.ask_generic(path, None, (), name).status, 200)
            self.assertEqual(len(self.s2.take()), 1)

    def test_a_request_that_waits_ends_with_its_token(self):
        credential = self.world.token("waits", ["read"])

        async def forever(exchange):
            exchange.begin(200, [("content-type", "text/plain")])
            await exchange.send(b"begun")
            exchange.came.clear()
            await exchange.came.wait()
        self.s2.script = lambda seen: forever
        stream = Http1(self.world.connect("generic"), "GET", "/x?op=read&stream=a",
                       self.world.headers(credential, [("basin", BASIN)], None))
        stream.until(lambda it: it.body, "the beginning")
        self.world.revoke("waits")
        stream.finish(10)
        self.assertTrue(stream.broken)
        self.world.until(lambda: self.s2.seen[-1].was_reset)


class Logs(GatewayTest):
    """Variables, and the audit trail."""

    def last(self, name, count):
        self.world.until(lambda: len(self.world.lines(name)) >= count, f"line {count}")
        return self.world.lines(name)[-1]

    def test_each_decision_is_logged(self):
        reader = self.token(["read"], streams="a")
        hostile = 'tenant "\n\u00e9\\'
        cases = [
            (self.root, "GET", "/v1/basins/basin-one", None, 200, "1", "allowed", "root"),
            (None, "GET", "/v1/basins/basin-one", None, 401, "0", "unknown_token", ""),
            (reader, "GET", "/v1/streams/b/records", BASIN, 403, "0", "stream_out_of_scope",
             "token-0"),
            (reader, "PUT", "/v1/streams/a", BASIN, 403, "0", "op_not_permitted", "token-0"),
            (self.world.token(hostile), "DELETE", "/v1/streams/none", BASIN, 404, "1", "allowed",
             hostile)]
        for credential, method, path, basin, status, allow, reason, token in cases:
            with self.subTest(path=path, reason=reason):
                before = len(self.world.lines("access.ndjson"))
                self.assertEqual(self.ask(method, path, credential, basin=basin).status, status)
                line = self.last("access.ndjson", before + 1)
                self.assertEqual((str(line["status"]), line["allow"], line["reason"],
                                  line["token"]), (str(status), allow, reason, token))
                self.assertEqual(line["uri"], path)
        self.world.revoke(hostile)

    def test_each_denial_is_in_the_audit_trail(self):
        reader = self.token(["read"], streams="a")
        before = len(self.world.lines("gateway.ndjson"))
        name = 'b"\n\u00e9\x7f'
        self.ask("GET", "/v1/streams/b%22%0A%C3%A9%7F/records", reader, basin=BASIN)
        line = self.last("gateway.ndjson", before + 1)
        self.assertEqual({key: line[key] for key in ("event", "token", "operation", "basin",
                                                     "stream", "status", "code", "reason")},
                         {"event": "denied", "token": "token-0", "operation": "read",
                          "basin": BASIN, "stream": name, "status": 403,
                          "code": "permission_denied", "reason": "stream_out_of_scope"})
        with open(self.world.path("gateway.ndjson"), "rb") as file:
            self.assertTrue(all(byte == 10 or 0x20 <= byte < 0x7F for byte in file.read()))
        self.ask("GET", "/v1/basins/basin-one")
        line = self.last("gateway.ndjson", before + 2)
        self.assertEqual((line["status"], line["reason"]), (401, "unknown_token"))
        self.assertNotIn("token", line)
        # What is allowed is not in it.
        self.ask("GET", "/v1/basins/basin-one", self.root)
        self.assertEqual(len(self.world.lines("gateway.ndjson")), before + 2)

    def test_a_session_that_is_ended_is_in_the_audit_trail(self):
        credential = self.world.token("ended")
        before = len(self.world.lines("gateway.ndjson"))
        stream = self.world.open("GET", "/v1/streams/s/records", credential,
                                 [("content-type", "s2s/proto")])
        stream.until(lambda it: it.body, "something")
        self.world.revoke("ended")
        stream.finish()
        line = self.last("gateway.ndjson", before + 1)
        self.assertEqual((line["event"], line["token"], line["operation"], line["reason"]),
                         ("ended", "ended", "read", "unknown_token"))

    def test_the_longest_names_are_whole_or_cut_but_a_line(self):
        token = self.token(["append"])
        name = "\u00e9" * 256
        self.ask("GET", "/v1/streams/" + "%C3%A9" * 256, token, basin=BASIN)
        self.assertEqual(self.world.lines("gateway.ndjson")[-1]["stream"], name)


if __name__ == "__main__":
    main()
