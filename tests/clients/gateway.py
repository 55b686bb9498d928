"""What a client of S2 does behind the gateway, and what must come of it. One gateway for all cases
(integrations/nginx/demo), a basin of its own for each."""

import datetime
import itertools
import json
import os
import re
import subprocess
import time
import unittest

from cases import DOCUMENTED, PASSED, documented_expiry, instant
from client import Client, Refused, environment

BOUND = 4  # seconds, from a revocation until a client tells of it, on a busy machine
LIFETIME = 8  # seconds
ENCODINGS = "none", "gzip", "zstd"
WITHOUT_ZSTD = "typescript",  # Node has it since 22.15
ENDED = [(401, "authn")]
STREAM_OPERATIONS = "check-tail", "append", "read", "trim", "fence"
STRANGE_STREAMS = (
    "users/1234/a b+c", "users/1234/%2F%2e%2e", "users/1234/../5678", "users/1234//",
    "users/1234/.",
    "users/1234/?#&=;:@'\"\\<>{}", "users/1234/na\u00efve \u65e5\u672c\u8a9e \U0001f511",
    "users/1234/tab\tline\nend", "users/1234/" + "x" * 501)
numbers = itertools.count(1)


def soon():
    """An expiry, far enough that a client has begun by then, and what sleeps until it has come (and
    a little more: sleep goes by another clock)."""
    began = time.time()
    expiry = datetime.datetime.fromtimestamp(began + LIFETIME, datetime.timezone.utc)
    return instant(expiry), lambda: time.sleep(max(0, began + LIFETIME + 0.1 - time.time()))


class GatewayCases:
    """Mixed with TestCase, a `command`, the `kind` of HTTP, the `encodings` that the client has,
    and the `suites` of its SDK, the cases of one client."""

    def setUp(self):
        folder = os.environ.get("WEIR_DEMO")
        if not folder:
            self.skipTest("there is no gateway")
        self.folder = folder
        self.number = f"{type(self).__name__}-{next(numbers)}"
        self.basin = f"basin-{self.number}".lower()
        self.admin = self.as_who(os.environ["S2_ACCESS_TOKEN"])
        self.admin.call("create_basin", basin=self.basin, create_on_append=False)

    def where(self):
        """The gateway's endpoint for this client, and what makes it trust that."""
        port = int(os.environ["WEIR_DEMO_PORT"])
        certificate = os.path.join(self.folder, "certificate.pem")
        endpoint = {"http1": f"http://127.0.0.1:{port}", "http2": f"http://127.0.0.1:{port + 1}",
                    "tls": f"https://localhost:{port + 2}"}[self.kind]
        return endpoint, {"NODE_EXTRA_CA_CERTS": certificate, "SSL_CERT_FILE": certificate}

    def as_who(self, credential, **more):
        endpoint, trust = self.where()
        return Client(self, self.command, endpoint, credential, **trust, **more)

    def token(self, name, *ops, streams="users/1234/", **fields):
        """A token of this case, for its basin and the streams that begin so."""
        return {"id": f"{self.number}/{name}", "scope": {
            "basins": {"exact": self.basin}, "streams": {"prefix": streams}, "ops": list(ops)},
            **fields}

    def holder(self, *given, encoding="none", **fields):
        """A client as who holds such a token."""
        credential = self.admin.issue(self.token(*given, **fields))
        return self.as_who(credential, CLIENT_COMPRESSION=encoding)

    def on(self, stream, **given):
        return {"basin": self.basin, "stream": stream, **given}

    def make(self, *streams):
        for stream in streams:
            self.admin.call("create_stream", **self.on(stream))

    def refused(self, status, code, client, call, **given):
        with self.assertRaises(Refused) as caught:
            client.call(call, **given)
        refusal = caught.exception
        self.assertEqual((refusal.status, refusal.code), (status, code), refusal)
        return refusal.message

    def denied(self, client, call, reason, **given):
        self.assertIn(reason, self.refused(403, "permission_denied", client, call, **given))

    def all_denied(self, client, reason, stream, calls):
        given = {"bodies": ["x"], "fencing_token": "f", "first": 0, "count": 1, "pause": 0,
                 "batches": [["x"]]}
        for call in calls:
            with self.subTest(call=call):
                self.denied(client, call, reason, **self.on(stream, **given))

    def read(self, client, stream, count, call="read"):
        return client.call(call, **self.on(stream, first=0, count=count))

    def outcomes(self, token, count):
        """The statuses of the requests of a token that the gateway has logged, oldest first, once
        there are so many."""
        for _ in range(50):
            with open(os.path.join(self.folder, "access.ndjson"), encoding="utf-8") as log:
                lines = [json.loads(line) for line in log]
            statuses = [line["status"] for line in lines if line["token"] == token["id"]]
            if len(statuses) >= count:
                break
            time.sleep(0.1)
        return statuses

    def test_list_issue_and_revoke_as_documented(self):
        self.make("users/1234/inbox", "users/5678/inbox")
        listed = self.admin.call("documented_list")["access_tokens"]
        self.assertIn("root", [token["id"] for token in listed])
        credential = self.admin.call("documented_issue", expires_at=documented_expiry())
        self.addCleanup(self.forget_documented)
        self.assertEqual(self.admin.ids(prefix=DOCUMENTED), [DOCUMENTED])
        user = self.as_who(credential)
        user.call("append", **self.on("users/1234/inbox", bodies=["hello"]))
        self.assertEqual(self.read(user, "users/1234/inbox", 1), ["hello"])
        self.all_denied(user, "stream_out_of_scope", "users/5678/inbox", ["append", "read"])
        self.admin.call("documented_revoke")
        self.refused(401, "authn", user, "check_tail", **self.on("users/1234/inbox"))

    def forget_documented(self):
        if self.admin.ids(prefix=DOCUMENTED):
            self.admin.call("documented_revoke")

    def test_use_everything(self):
        client, stream = self.admin, "users/1234/inbox"
        self.assertEqual(client.call("list_basins", prefix=self.basin), [self.basin])
        self.assertEqual(client.call("create_stream", **self.on(stream)), stream)
        client.call("stream_config", **self.on(stream))
        appended = client.call("append", **self.on(stream, bodies=["one", "two"]))
        self.assertEqual(appended, [0, 2])
        self.assertEqual(client.call("check_tail", **self.on(stream)), 2)
        self.assertEqual(self.read(client, stream, 2), ["one", "two"])
        fenced = client.call("fence", **self.on(stream, fencing_token="mine"))
        self.assertEqual(fenced, [2, 3])
        self.assertEqual(client.call("trim", **self.on(stream, first=1)), [3, 4])
        page = client.call("list_streams", basin=self.basin, prefix="")
        self.assertEqual(page, {"streams": [stream], "has_more": False})
        client.call("delete_stream", **self.on(stream))
        client.call("delete_basin", basin=self.basin)

    def test_sessions(self):
        self.make("users/1234/inbox")
        client = self.holder("sessions", *STREAM_OPERATIONS)
        batches = [[f"{number}/{record}" for record in range(10)] for number in range(20)]
        acks = client.call("append_session",
                           **self.on("users/1234/inbox", batches=batches, pause=0))
        self.assertEqual(acks, [[start, start + 10] for start in range(0, 200, 10)])
        read = self.read(client, "users/1234/inbox", 200, call="read_session")
        self.assertEqual(read, [body for batch in batches for body in batch])

    def test_a_session_follows_what_is_appended(self):
        self.make("users/1234/inbox")
        reader = self.holder("reader", "read")
        reader.begin("read_session", **self.on("users/1234/inbox", first=0, count=3))
        for body in "one", "two", "three":
            time.sleep(0.2)
            self.admin.call("append", **self.on("users/1234/inbox", bodies=[body]))
        self.assertEqual(reader.finish(), ["one", "two", "three"])

    def test_a_large_batch_in_every_encoding(self):
        self.make("users/1234/inbox")
        body = "0123456789" * 5_000
        for encoding in self.encodings:
            for name, ops in ("all", STREAM_OPERATIONS), ("inspected", ("append", "read")):
                with self.subTest(encoding=encoding, name=name):
                    client = self.holder(f"{name}-{encoding}", *ops, encoding=encoding)
                    first, end = client.call(
                        "append", **self.on("users/1234/inbox", bodies=[body] * 15))
                    self.assertEqual(end - first, 15)
                    client.call("append_session", **self.on(
                        "users/1234/inbox", batches=[[body] * 15] * 2, pause=0))
                    read = client.call("read_session", **self.on(
                        "users/1234/inbox", first=end, count=30))
                    self.assertEqual(read, [body] * 30)

    def test_a_scoped_token(self):
        self.make("users/1234/inbox", "users/5678/inbox")
        client = self.holder("scoped", *STREAM_OPERATIONS, "list-streams", "list-basins",
                             "create-stream", "get-stream-config", "get-basin-config")
        client.call("append", **self.on("users/1234/inbox", bodies=["hello"]))
        self.assertEqual(self.read(client, "users/1234/inbox", 1), ["hello"])
        self.assertFalse(client.call("basin_config", basin=self.basin))
        client.call("create_stream", **self.on("users/1234/outbox"))
        self.all_denied(client, "stream_out_of_scope", "users/5678/inbox", [
            "append", "read", "check_tail", "fence", "trim", "create_stream", "stream_config",
            "append_session", "read_session"])
        self.denied(client, "read", "basin_out_of_scope", basin="another-basin",
                    stream="users/1234/inbox", first=0, count=1)
        self.all_denied(client, "op_not_permitted", "users/1234/inbox", ["delete_stream"])
        self.denied(client, "delete_basin", "op_not_permitted", basin=self.basin)
        self.assertEqual(client.call("list_basins", prefix=""), [self.basin])
        page = client.call("list_streams", basin=self.basin, prefix="")
        self.assertEqual(page["streams"], ["users/1234/inbox", "users/1234/outbox"])

    def test_a_read_only_token(self):
        self.make("users/1234/inbox")
        self.admin.call("append", **self.on("users/1234/inbox", bodies=["hello"]))
        token = self.token("reader")
        token["scope"]["op_groups"] = {"stream": {"read": True}}
        client = self.as_who(self.admin.issue(token))
        self.assertEqual(self.read(client, "users/1234/inbox", 1), ["hello"])
        self.assertEqual(self.read(client, "users/1234/inbox", 1, "read_session"), ["hello"])
        self.assertEqual(client.call("check_tail", **self.on("users/1234/inbox")), 1)
        self.all_denied(client, "op_not_permitted", "users/1234/inbox", [
            "append", "fence", "trim", "append_session", "create_stream", "delete_stream"])

    def test_append_without_fence_and_trim(self):
        self.make("users/1234/inbox")
        for encoding in self.encodings:
            client = self.holder(f"writer-{encoding}", "append", encoding=encoding)
            client.call("append", **self.on("users/1234/inbox", bodies=["hello"]))
            client.call("append_session",
                        **self.on("users/1234/inbox", batches=[["a"], ["b"]], pause=0))
            self.all_denied(client, "op_not_permitted", "users/1234/inbox",
                            ["fence", "trim", "read", "check_tail"])
        self.assertEqual(self.admin.call("check_tail", **self.on("users/1234/inbox")),
                         3 * len(self.encodings))

    def test_fence_and_trim_without_append(self):
        self.make("users/1234/inbox")
        client = self.holder("keeper", "fence", "trim")
        self.assertEqual(client.call("fence", **self.on("users/1234/inbox", fencing_token="f")),
                         [0, 1])
        self.assertEqual(client.call("trim", **self.on("users/1234/inbox", first=0)), [1, 2])
        self.all_denied(client, "op_not_permitted", "users/1234/inbox",
                        ["append", "append_session"])

    def test_auto_prefix(self):
        client = self.holder("device", *STREAM_OPERATIONS, "create-stream", "delete-stream",
                             "list-streams", "get-stream-config", streams="devices/7/",
                             auto_prefix_streams=True)
        self.make("others/inbox")
        self.assertEqual(client.call("create_stream", **self.on("inbox")), "inbox")
        page = self.admin.call("list_streams", basin=self.basin, prefix="")
        self.assertEqual(page["streams"], ["devices/7/inbox", "others/inbox"])
        page = client.call("list_streams", basin=self.basin, prefix="")
        self.assertEqual(page, {"streams": ["inbox"], "has_more": False})
        client.call("stream_config", **self.on("inbox"))
        client.call("append", **self.on("inbox", bodies=["hello"]))
        client.call("append_session", **self.on("inbox", batches=[["there"]], pause=0))
        self.assertEqual(self.read(client, "inbox", 2), ["hello", "there"])
        self.assertEqual(self.read(client, "inbox", 2, "read_session"), ["hello", "there"])
        self.assertEqual(self.read(self.admin, "devices/7/inbox", 2), ["hello", "there"])
        said = self.refused(404, "stream_not_found", client, "check_tail", **self.on("outbox"))
        self.assertNotIn("devices/7/", said)
        client.call("delete_stream", **self.on("inbox"))

    def test_an_expired_token(self):
        self.make("users/1234/inbox")
        expiry, until_then = soon()
        client = self.holder("brief", *STREAM_OPERATIONS, expires_at=expiry)
        client.call("append", **self.on("users/1234/inbox", bodies=["hello"]))
        until_then()
        self.refused(401, "authn", client, "append", **self.on("users/1234/inbox", bodies=["x"]))
        self.refused(401, "authn", client, "list_basins", prefix="")

    def test_a_revoked_token(self):
        self.make("users/1234/inbox")
        token = self.token("revoked", *STREAM_OPERATIONS)
        client = self.as_who(self.admin.issue(token))
        client.call("append", **self.on("users/1234/inbox", bodies=["hello"]))
        self.admin.revoke(token["id"])
        for call in "append", "append_session", "read", "read_session", "check_tail":
            self.refused(401, "authn", client, call, **self.on(
                "users/1234/inbox", bodies=["x"], batches=[["x"]], pause=0, first=0, count=1))

    def test_a_wrong_credential(self):
        for credential in "weir_" + "0" * 49, "wrong":
            client = self.as_who(credential)
            self.refused(401, "authn", client, "list_basins", prefix="")
            self.refused(401, "authn", client, "read",
                         **self.on("users/1234/inbox", first=0, count=1))

    def ended(self, token, call, after, outcomes, **given):
        """The session of a token is open, until `after` has done what ends it."""
        client = self.as_who(self.admin.issue(token))
        self.denied(client, "basin_config", "op_not_permitted", basin=self.basin)
        client.begin(call, **self.on("users/1234/inbox", **given))
        after()
        began = time.monotonic()
        with self.assertRaises(Refused) as caught:
            client.finish()
        self.assertLess(time.monotonic() - began, BOUND)
        self.assertIn((caught.exception.status, caught.exception.code), outcomes,
                      caught.exception)
        self.assertEqual(self.outcomes(token, 2)[:2], ["403", "200"])

    def revoke_later(self, token):
        time.sleep(1)
        self.admin.revoke(token["id"])

    def test_a_read_session_ends_with_its_token(self):
        self.make("users/1234/inbox")
        token = self.token("reader", "read")
        self.ended(token, "read_session", lambda: self.revoke_later(token), ENDED,
                   first=0, count=9)

    def test_a_read_session_ends_when_its_token_expires(self):
        self.make("users/1234/inbox")
        expiry, until_then = soon()
        token = self.token("reader", "read", expires_at=expiry)
        self.ended(token, "read_session", until_then, ENDED, first=0, count=9)

    def test_an_append_session_ends_with_its_token(self):
        self.make("users/1234/inbox")
        for name, ops in ("all", STREAM_OPERATIONS), ("inspected", ["append"]):
            with self.subTest(name=name):
                token = self.token(name, *ops)
                # Of a session that ended while nothing was asked Go's tells only that it is closed.
                self.ended(token, "append_session", lambda: self.revoke_later(token),
                           [*ENDED, (0, "client")], batches=[["one"], ["two"]], pause=2.5)
        self.assertEqual(self.admin.call("check_tail", **self.on("users/1234/inbox")), 2)

    def test_create_on_append(self):
        basin = f"{self.basin}-c"
        self.admin.call("create_basin", basin=basin, create_on_append=True)
        given = {"basin": basin, "bodies": ["hello"], "batches": [["hello"]], "pause": 0}
        for stream in "users/1234/one", "users/1234/two":
            self.admin.call("append", stream=stream, **given)
        token = self.token("writer", *STREAM_OPERATIONS)
        token["scope"]["basins"] = {"exact": basin}
        client = self.as_who(self.admin.issue(token))
        client.call("append", stream="users/1234/one", **given)
        client.call("append_session", stream="users/1234/two", **given)
        for call in "append", "append_session":
            self.refused(404, "stream_not_found", client, call, stream="users/1234/three", **given)
        token["id"] += "-creator"
        token["scope"]["ops"].append("create-stream")
        creator = self.as_who(self.admin.issue(token))
        creator.call("append_session", stream="users/1234/three", **given)
        page = self.admin.call("list_streams", basin=basin, prefix="users/1234/t")
        self.assertEqual(page["streams"], ["users/1234/three", "users/1234/two"])

    def test_strange_stream_names(self):
        client = self.holder("strange", *STREAM_OPERATIONS, "create-stream", "list-streams")
        for stream in STRANGE_STREAMS:
            with self.subTest(stream=stream):
                self.assertEqual(client.call("create_stream", **self.on(stream)), stream)
                client.call("append", **self.on(stream, bodies=[stream]))
                self.assertEqual(self.read(client, stream, 1, "read_session"), [stream])
        page = client.call("list_streams", basin=self.basin, prefix="users/1234/")
        self.assertEqual(page["streams"], sorted(STRANGE_STREAMS, key=str.encode))

    def test_pages_of_what_a_token_may_see(self):
        seen = [f"users/1234/{number:02}" for number in range(7)]
        self.make(*seen, *(f"users/{number}/inbox" for number in range(5)))
        client = self.holder("lister", "list-streams")
        listed, start = [], ""
        for expected in 3, 3, 1:
            page = client.call("list_streams", basin=self.basin, prefix="users/", limit=3,
                               start_after=start)
            self.assertEqual((len(page["streams"]), page["has_more"]), (expected, expected == 3))
            listed += page["streams"]
            start = listed[-1]
        self.assertEqual(listed, seen)
        page = client.call("list_streams", basin=self.basin, prefix="users/5")
        self.assertEqual(page, {"streams": [], "has_more": False})

    def test_the_own_tests_of_the_SDK_behind_the_gateway(self):
        if not self.suites:
            self.skipTest("its package has none")
        endpoint, trust = self.where()
        for suite in self.suites:
            with self.subTest(suite=suite[0]):
                done = subprocess.run(
                    suite, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT, timeout=600, check=False,
                    env=environment(endpoint, os.environ["S2_ACCESS_TOKEN"], **trust))
                said = done.stdout.decode("utf-8", "replace")
                self.assertEqual(done.returncode, 0, said)
                self.assertGreater(len(re.findall(PASSED, said, re.M)), 5, said)


def gateway_cases_of(name, command, kind, suites):
    """The test cases of a client behind the gateway, which it speaks to in a kind of HTTP."""
    encodings = [one for one in ENCODINGS if one != "zstd" or name not in WITHOUT_ZSTD]
    return type(name, (GatewayCases, unittest.TestCase),
                {"command": command, "kind": kind, "suites": suites, "encodings": encodings})
