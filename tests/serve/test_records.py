"""weir serve: the audit trail, the log, the metrics, and that no secret is in any of them."""

import json
import os
import resource
import signal
import stat
import urllib.parse

from server import SECRET, TOKENS, ServeTest, UnixConnection, main

KEYS = ["time", "peer", "operator", "requestor", "requestor_number", "call", "token",
        "token_number", "prefix", "sequence", "revoked", "outcome", "reason"]


class Records(ServeTest):
    def last(self, server):
        line = server.audit()[-1]
        self.assertEqual(list(line), KEYS)
        self.assertRegex(line["time"], r"^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")
        return {key: value for key, value in line.items() if key not in ("time", "peer")}

    def line(self, call, outcome="ok", **fields):
        return {"operator": False, "requestor": "root", "requestor_number": 1, "call": call,
                "token": None, "token_number": 0, "prefix": None, "sequence": 0, "revoked": 0,
                "outcome": outcome, "reason": None, **fields}

    def test_each_call_has_its_line(self):
        server = self.serve()
        server.issue(self.root, self.token("a"))
        self.assertEqual(self.last(server), self.line("issue", token="a", token_number=2,
                                                      sequence=2))
        server.issue(self.root, self.token("a"))
        self.assertEqual(self.last(server), self.line("issue", "resource_already_exists",
                                                      token="a"))
        server.list(self.root, prefix="a")
        self.assertEqual(self.last(server), self.line("list", prefix="a"))
        server.revoke(self.root, "a")
        self.assertEqual(self.last(server), self.line("revoke", token="a", token_number=2,
                                                      sequence=3, revoked=1))
        server.revoke(self.root, "a")
        self.assertEqual(self.last(server), self.line("revoke", "access_token_not_found",
                                                      token="a"))
        server.issue(self.root, b"{")
        self.assertEqual(self.last(server), self.line("issue", "bad_json"))
        server.list(self.root, limit="x")
        self.assertEqual(self.last(server), self.line("list", "bad_query", requestor=None,
                                                      requestor_number=0))
        server.list("x")
        self.assertEqual(self.last(server), self.line("list", "authn", requestor=None,
                                                      requestor_number=0))
        issuer = self.issuer(server, "issuer", "team/")
        server.revoke(issuer, "root")
        self.assertEqual(self.last(server), self.line(
            "revoke", "permission_denied", requestor="issuer", requestor_number=3, token="root",
            reason="access_token_out_of_scope"))
        server.issue(issuer, {"id": "team/a", "scope": {"access_tokens": {"prefix": ""},
                                                        "ops": ["list-access-tokens"]}})
        self.assertEqual(self.last(server), self.line(
            "issue", "permission_denied", requestor="issuer", requestor_number=3, token="team/a"))

    def test_the_operators_calls_have_their_lines(self):
        server = self.serve()
        nobody = {"operator": True, "requestor": None, "requestor_number": 0}
        server.ask("POST", TOKENS, body=self.token("a"), connection=server.operator())
        self.assertEqual(self.last(server), self.line("issue", token="a", token_number=2,
                                                      sequence=2, **nobody))
        self.assertEqual(server.audit()[-1]["peer"], f"uid:{os.geteuid()}")
        server.ask("GET", TOKENS + "/count?prefix=", connection=server.operator())
        self.assertEqual(self.last(server), self.line("count", prefix="", **nobody))
        server.ask("DELETE", TOKENS + "?prefix=a", connection=server.operator())
        self.assertEqual(self.last(server), self.line("revoke_prefix", prefix="a", sequence=3,
                                                      revoked=1, **nobody))

    def test_what_is_no_call_has_none(self):
        server = self.serve()
        for path in "/health", "/metrics", "/nothing":
            server.ask("GET", path, self.root)
        server.ask("OPTIONS", TOKENS)
        self.assertEqual(server.audit(), [])

    def test_a_peer_is_its_address(self):
        server = self.serve()
        connection = server.connection()
        connection.connect()
        port = connection.sock.getsockname()[1]
        server.ask("GET", TOKENS, connection=connection)
        connection.close()
        self.assertEqual(server.audit()[-1]["peer"], f"127.0.0.1:{port}")

    def test_names_are_quoted_and_a_line_is_a_line(self):
        server = self.serve()
        name = '"\n\u2028é\x1b\\'
        server.issue(self.root, self.token(name))
        server.revoke(self.root, "x\n\x00")
        with open(server.audit_path, "rb") as file:
            content = file.read()
        self.assertEqual(content.count(b"\n"), 2)
        self.assertTrue(all(0x20 <= byte < 0x7F or byte == 0x0A for byte in content))
        self.assertEqual(server.audit()[0]["token"], name)

    def test_the_files_are_the_owners_alone(self):
        server = self.serve()
        for path in server.log_path, server.audit_path:
            self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)

    def test_a_change_has_its_line_before_it_is_answered(self):
        server = self.serve()
        for number in range(20):
            server.issue(self.root, self.token(f"a{number}"))
            self.assertEqual(len(server.audit()), number + 1)

    def test_files_are_opened_anew_after_a_hangup(self):
        server = self.serve()
        server.list(self.root)
        for path in server.log_path, server.audit_path:
            os.rename(path, path + ".1")
        server.process.send_signal(signal.SIGHUP)
        self.until(lambda: [line for line in server.log() if "anew" in line["message"]])
        server.issue(self.root, self.token("a"))
        self.assertEqual([line["call"] for line in server.audit()], ["issue"])
        self.assertEqual([line["call"] for line in server.lines(server.audit_path + ".1")],
                         ["list"])
        self.assertEqual(server.end(), 0)

    def test_files_that_cannot_be_opened_anew_are_gone_on_with(self):
        os.mkdir(self.path("logs"))
        server = self.serve(audit="logs/audit.ndjson")
        os.rename(self.path("logs"), self.path("gone"))
        server.process.send_signal(signal.SIGHUP)
        self.until(lambda: [line for line in server.log() if line["level"] == "error"])
        server.list(self.root)
        self.assertEqual(len(server.lines(self.path("gone/audit.ndjson"))), 1)

    def test_an_audit_trail_that_cannot_be_written_is_told_and_undoes_nothing(self):
        server = self.serve(audit="/dev/full")
        self.assertEqual(server.issue(self.root, self.token("a")).status, 201)
        self.assertEqual(server.metrics()["weir_audit_failures_total"], 1)
        self.assertIn("No space left on device", server.log()[-1]["message"])
        self.assertEqual(self.decision("a"), "allowed")

    def test_metrics_tell_what_was_called_and_what_came_of_it(self):
        server = self.serve()
        before = server.metrics()
        self.assertEqual(before["weir_tokens"], 1)
        self.assertEqual(before["weir_lease_seconds"], 2)
        self.assertEqual(before['weir_calls_total{operation="issue",outcome="ok"}'], 0)
        server.issue(self.root, self.token("a"))
        server.issue(self.root, self.token("a"))
        server.issue("x", self.token("a"))
        server.list(self.root)
        server.ask("GET", "/nothing")
        after = server.metrics()
        for operation, outcome, count in (
                ("issue", "ok", 1), ("issue", "resource_already_exists", 1), ("issue", "authn", 1),
                ("list", "ok", 1), ("other", "not_found", 1), ("metrics", "ok", 1)):
            name = f'weir_calls_total{{operation="{operation}",outcome="{outcome}"}}'
            self.assertEqual(after[name], count, name)
        self.assertEqual(after["weir_tokens"], 2)
        self.assertEqual(after["weir_sequence"], before["weir_sequence"] + 1)
        self.assertEqual(after["weir_published_sequence"], after["weir_sequence"])
        self.assertEqual(after["weir_publish_lag"], 0)
        # That clients have gone is seen a moment later: then the one that asks is left.
        for gauge in ("weir_requests_in_progress", "weir_connections"):
            self.until(lambda gauge=gauge: server.metrics()[gauge] == 1)

    def test_metrics_are_a_histogram_that_adds_up(self):
        server = self.serve()
        for number in range(5):
            server.issue(self.root, self.token(f"a{number}"))
        samples = server.metrics()
        buckets = [value for name, value in samples.items()
                   if name.startswith('weir_call_duration_seconds_bucket{operation="issue"')]
        self.assertEqual(buckets, sorted(buckets))
        self.assertEqual(buckets[-1], 5)
        self.assertEqual(samples['weir_call_duration_seconds_count{operation="issue"}'], 5)
        self.assertGreater(samples['weir_call_duration_seconds_sum{operation="issue"}'], 0)

    def test_each_metric_is_explained_once(self):
        server = self.serve()
        answer = server.ask("GET", "/metrics", connection=server.operator())
        self.assertEqual(answer.headers["content-type"], "text/plain; version=0.0.4")
        lines = answer.body.decode("ascii").splitlines()
        types = [line.split(" ")[2] for line in lines if line.startswith("# TYPE ")]
        helps = [line.split(" ")[2] for line in lines if line.startswith("# HELP ")]
        self.assertEqual(types, helps)
        self.assertEqual(len(types), len(set(types)))
        for line in lines:
            if not line.startswith("#"):
                name = line.split("{")[0].split(" ")[0]
                for suffix in "_bucket", "_sum", "_count":
                    name = name[:-len(suffix)] if name.endswith(suffix) else name
                self.assertIn(name, types)

    def test_metrics_are_told_where_that_was_asked_for_and_to_the_operator(self):
        server = self.serve()
        self.assert_error(server.ask("GET", "/metrics", self.root), 404, "not_found")
        self.assertEqual(server.end(), 0)
        server = self.serve(metrics="127.0.0.1:0")
        public, server.address = server.address, server.host_and_port(server.names[1])
        told = [line["message"] for line in server.log() if "(metrics)" in line["message"]]
        self.assertEqual(told, [f"listening on {server.names[1]} (metrics)"])
        for answer in (server.ask("GET", "/metrics"),
                       server.ask("GET", "/metrics", connection=server.operator())):
            self.assertEqual(answer.status, 200)
            self.assertIn(b"\nweir_tokens 1\n", answer.body)
        answer = server.ask("POST", "/metrics")
        self.assert_error(answer, 405, "method_not_allowed")
        self.assertEqual(answer.headers["allow"], "GET, HEAD, OPTIONS")
        self.assertEqual(server.ask("GET", "/health").status, 200)
        for path in TOKENS, TOKENS + "/a", TOKENS + "/count", "/":
            for method in "GET", "DELETE":
                self.assert_error(server.ask(method, path, self.root), 404, "not_found")
        server.address = public
        self.assert_error(server.ask("GET", "/metrics"), 404, "not_found")
        self.assertEqual(server.list(self.root).status, 200)

    def test_metrics_are_for_no_page_of_a_browser(self):
        server = self.serve(metrics="unix:metrics.socket")
        for name in "metrics.socket", "tokens.db.operator":
            for method in "GET", "OPTIONS":
                connection = UnixConnection(self.path(name))
                self.addCleanup(connection.close)
                answer = server.ask(method, "/metrics", connection=connection, headers=[
                    ("Origin", "https://console.example"),
                    ("Access-Control-Request-Method", "GET")])
                self.assertEqual(answer.status, 200)
                self.assertEqual([header for header in answer.headers
                                  if header.startswith("access-control-")], [])

    def test_no_tenant_has_a_say_in_the_metrics(self):
        server = self.serve()
        server.issue(self.root, self.token("tenant"))
        server.revoke(self.root, "tenant")
        server.ask("GET", "/tenant")
        server.ask("TENANT", TOKENS)
        answer = server.ask("GET", "/metrics", connection=server.operator())
        self.assertEqual(answer.status, 200)
        self.assertNotIn(b"enant", answer.body)

    def test_no_secret_is_in_any_output(self):
        server = self.serve()
        issued = [server.issue(self.root, self.token(f"a{number}")).json["access_token"]
                  for number in range(3)]
        secrets = [self.root, *issued]
        for secret in secrets:
            quoted = urllib.parse.quote(secret)
            for path in (TOKENS + "/" + quoted, TOKENS + "?prefix=" + quoted,
                         TOKENS + "?access_token=" + quoted, "/" + quoted):
                for method in "GET", "DELETE", "POST":
                    server.ask(method, path, secret)
                    server.ask(method, path, connection=server.operator())
            server.ask("GET", TOKENS, headers=[("Authorization", secret)])
            server.ask("GET", TOKENS, secret, headers=[("Authorization", "Bearer " + secret)])
            server.issue(self.root, {"id": secret, "scope": {"ops": ["read"]}})
            server.issue(self.root, {secret: 1})
            server.issue(self.root, secret.encode())
            server.raw(b"GET /\r\nAuthorization: Bearer " + secret.encode() + b"\r\n\r\n")
            server.raw(f"GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {secret}\r\n"
                       f"X: {'x' * 33000}\r\n\r\n".encode())
        metrics = server.ask("GET", "/metrics", connection=server.operator()).body
        self.assertEqual(server.end(), 0)
        out, err = server.process.communicate()
        for name in os.listdir(self.folder):
            if os.path.isfile(self.path(name)) and not name.startswith("tokens.db"):
                metrics += self.read(name)
        content = out + err + metrics
        self.assertGreater(len(content), 10000)
        self.assertEqual(SECRET.findall(content), [])
        for secret in secrets:
            self.assertNotIn(secret[5:].encode(), content)

    def test_a_credential_within_a_name_is_neither_written_nor_told(self):
        server = self.serve()
        for name in self.root, "Bearer " + self.root, "x" + self.root, self.root + "/x":
            quoted = urllib.parse.quote(name, safe="")
            answers = server.revoke(self.root, name).body + server.ask(
                "GET", TOKENS + "?prefix=" + quoted, self.root).body
            self.assertEqual(SECRET.findall(answers + self.read("audit.ndjson")), [])
            self.assertIn("(a credential)", server.audit()[-1]["prefix"])

    def test_a_disk_that_was_full_leaves_whole_lines(self):
        server = self.serve(before=("sh", "-c", "trap '' XFSZ; exec \"$0\" \"$@\""))
        start = 64 << 20
        os.truncate(server.audit_path, start)
        unlimited = resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (start + 100, unlimited[1]))
        server.list(self.root)
        self.assertEqual(os.path.getsize(server.audit_path), start)
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, unlimited)
        server.list(self.root)
        with open(server.audit_path, "rb") as file:
            file.seek(start)
            self.assertEqual(json.loads(file.read())["call"], "list")

    def test_no_secret_is_in_the_store_or_what_is_published(self):
        server = self.serve()
        secrets = [self.root] + [server.issue(self.root, self.token(f"a{number}"))
                                 .json["access_token"] for number in range(20)]
        self.assertEqual(server.end(), 0)
        content = b""
        for path, _, files in os.walk(self.folder):
            for name in files:
                with open(os.path.join(path, name), "rb") as file:
                    content += file.read()
        self.assertIn(b"a19", content)
        for secret in secrets:
            self.assertNotIn(secret.encode(), content)


if __name__ == "__main__":
    main()
