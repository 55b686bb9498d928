"""What a client of S2 does with access tokens, and what must come of it. One server a case."""

import datetime
import json
import re
import subprocess

from client import Client, Refused, environment
from command import TIMEOUT
from front import Front
from relay import Relay
from server import ServeTest

DOCUMENTED = "user-1234-rw-token"
EVERYTHING = {"prefix": ""}
READ_WRITE = {"read": True, "write": True}
HOUR = datetime.timedelta(hours=1)
# "test NAME ... ok" says Rust's own suite, "--- PASS: NAME (...)" Go's.
PASSED = r"^test \S+ \.\.\. ok$|^--- PASS: "

OPERATIONS = """list-basins create-basin delete-basin reconfigure-basin get-basin-config
issue-access-token revoke-access-token list-access-tokens list-streams create-stream delete-stream
get-stream-config reconfigure-stream check-tail append read trim fence account-metrics
basin-metrics stream-metrics list-locations get-default-location set-default-location""".split()

STRANGE_IDS = (
    "users/1234/rw", "/", "a//b/", "100%", "%2F", "%2e%2e", "two words", " ", "a+b", "?#&=;:@",
    "'\"\\<>{}", "..a", "a/../b", "na\u00efve", "\u65e5\u672c\u8a9e", "\U0001f511", "\u202e\u0301",
    "tab\tline\nend", "\x7f\x1f", "weir_" + "0" * 49, "x" * 96)


def instant(when):
    return when.astimezone(datetime.timezone.utc).isoformat().replace("+00:00", "Z")


def documented_expiry():
    """The documentation's, the first of January 2027; once that is past, the next one."""
    now = datetime.datetime.now(datetime.timezone.utc)
    return instant(datetime.datetime(max(2027, now.year + 1), 1, 1, tzinfo=datetime.timezone.utc))


def reader(name, **fields):
    return {"id": name, "scope": {"basins": EVERYTHING, "streams": {"prefix": "users/"},
                                  "ops": ["read"]}, **fields}


class Cases:
    """Mixed with ServeTest and a `command`, the cases of one client."""

    def setUp(self):
        super().setUp()
        self.server = self.serve()
        self.client = self.as_who(self.root)

    def as_who(self, credential, address=None):
        return Client(self, self.command, self.front(address or self.server.address), credential)

    def front(self, address):
        """Where this client finds what listens at the address."""
        host, port = Front(self, address).address if self.has_front else address
        return f"http://{host}:{port}"

    def refused(self, status, code, call, *arguments, says=(), **options):
        """The server refuses, with this status and code, what was asked of it once."""
        before = len(self.server.audit())
        with self.assertRaises(Refused) as caught:
            call(*arguments, **options)
        refusal = caught.exception
        self.assertEqual((refusal.status, refusal.code), (status, code), refusal)
        for fragment in says:
            self.assertIn(fragment, refusal.message)
        lines = self.server.audit()[before:]
        self.assertEqual([line["outcome"] for line in lines], [code])

    def reason(self, name, operation, target):
        result = self.weir("check", "--tokens", "DIR", "--", name, operation, target)
        self.assertEqual(result.err, b"")
        return json.loads(result.text)["reason"]

    def issue_documented(self):
        return self.client.call("documented_issue", expires_at=documented_expiry())

    def test_list_the_first_token(self):
        page = self.client.call("documented_list")
        self.assertEqual([token["id"] for token in page["access_tokens"]], ["root"])
        self.assertFalse(page["has_more"])

    def test_list_nothing(self):
        self.assertEqual(self.client.list(prefix="nobody/"), ([], False))

    def test_issue_as_documented(self):
        credential = self.issue_documented()
        self.assertRegex(credential, "^weir_[0-9A-Za-z]{49}$")
        (listed,), more = self.client.list(prefix=DOCUMENTED)
        self.assertFalse(more)
        expiry = datetime.datetime.fromisoformat(listed.pop("expires_at"))
        self.assertEqual(instant(expiry), documented_expiry())
        self.assertEqual(listed, {"id": DOCUMENTED, "scope": {
            "basins": EVERYTHING, "streams": {"prefix": "users/1234/"},
            "op_groups": {"stream": READ_WRITE}}})

    def test_issue_and_ask_what_is_published(self):
        self.issue_documented()
        for operation in "append", "read", "trim", "fence", "check-tail":
            self.assertEqual(self.reason(DOCUMENTED, operation, "s2://any-basin/users/1234/x"),
                             "allowed")
        self.assertEqual(self.reason(DOCUMENTED, "append", "s2://any-basin/users/12345/x"),
                         "stream_out_of_scope")
        self.assertEqual(self.reason(DOCUMENTED, "create-stream", "s2://any-basin/users/1234/x"),
                         "op_not_permitted")
        self.client.call("documented_revoke")
        self.assertEqual(self.reason(DOCUMENTED, "append", "s2://any-basin/users/1234/x"),
                         "unknown_token")

    def test_issue_and_use_the_credential(self):
        child = reader("lister", expires_at=None)
        child["scope"].update(access_tokens={"prefix": "l"}, ops=["list-access-tokens", "read"])
        lister = self.as_who(self.client.issue(child))
        self.assertEqual(lister.ids(), ["lister"])
        self.refused(403, "permission_denied", lister.revoke, "lister", says=["op_not_permitted"])
        self.client.revoke("lister")
        self.refused(401, "authn", lister.list)

    def test_issue_twice(self):
        self.issue_documented()
        self.refused(409, "resource_already_exists", self.issue_documented)

    def test_issue_every_operation(self):
        token = {"id": "all", "scope": {"basins": EVERYTHING, "ops": OPERATIONS}}
        self.client.issue(token)
        (listed,), _ = self.client.list(prefix="all")
        self.assertEqual(listed["scope"]["ops"], sorted(OPERATIONS))

    def test_issue_with_every_kind_of_set(self):
        scope = {"basins": {"exact": "acme-prod"}, "streams": {"exact": "a/b"},
                 "access_tokens": {"prefix": "users/"}, "op_groups": {
                     "account": {"read": True}, "basin": {"write": True}, "stream": READ_WRITE}}
        self.client.issue({"id": "exact", "scope": scope})
        self.assertEqual(self.client.list(prefix="exact")[0], [{"id": "exact", "scope": scope}])

    def test_issue_with_auto_prefix(self):
        token = reader("device-7", auto_prefix_streams=True)
        self.client.issue(token)
        self.assertEqual(self.client.list(prefix="device-7")[0], [token])
        self.assertEqual(self.reason("device-7", "read", "s2://any-basin/inbox"), "allowed")
        result = self.weir("check", "--tokens", "DIR", "--", "device-7", "read",
                           "s2://any-basin/inbox")
        self.assertEqual(json.loads(result.text)["stream"], "users/inbox")

    def test_issue_with_the_default_expiry(self):
        soon = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=123000) + HOUR
        issuer = reader("issuer", expires_at=instant(soon))
        issuer["scope"].update(access_tokens=EVERYTHING, ops=["issue-access-token", "read"])
        self.as_who(self.client.issue(issuer)).issue(reader("child"))
        (listed,), _ = self.client.list(prefix="child")
        self.assertEqual(datetime.datetime.fromisoformat(listed["expires_at"]), soon)

    def test_issue_what_is_invalid(self):
        past = instant(datetime.datetime.now(datetime.timezone.utc) - HOUR)
        self.refused(422, "invalid", self.client.issue, reader("past", expires_at=past))
        nothing = {"id": "nothing", "scope": {"basins": EVERYTHING, "ops": []}}
        self.refused(422, "invalid", self.client.issue, nothing,
                     says=["Access token permissions cannot be empty"])
        exact = reader("exact", auto_prefix_streams=True)
        exact["scope"]["streams"] = {"exact": "inbox"}
        self.refused(422, "invalid", self.client.issue, exact, says=[
            "Auto prefixing is only allowed for streams with prefix matching"])
        self.assertEqual(self.client.ids(), ["root"])

    def test_issue_more_than_one_has(self):
        issuer = reader("issuer")
        issuer["scope"].update(access_tokens={"prefix": "users/"},
                               ops=["issue-access-token", "read"])
        issuer = self.as_who(self.client.issue(issuer))
        more = reader("users/1")
        more["scope"]["streams"] = EVERYTHING
        self.refused(403, "permission_denied", issuer.issue, more)
        self.refused(403, "permission_denied", issuer.issue, reader("others/1"))
        issuer.issue(reader("users/1"))

    def test_ask_without_permission(self):
        client = self.as_who(self.issue_documented())
        self.refused(403, "permission_denied", client.list, says=["op_not_permitted"])
        self.refused(403, "permission_denied", client.issue, reader("child"))
        self.refused(403, "permission_denied", client.revoke, "root")

    def test_ask_with_a_wrong_credential(self):
        unknown = "weir_" + "0" * 49
        for credential in unknown, "wrong", self.root[:-1]:
            client = self.as_who(credential)
            self.refused(401, "authn", client.list)
            self.refused(401, "authn", client.issue, reader("child"))
            self.refused(401, "authn", client.revoke, "root")

    def test_list_by_prefix(self):
        for name in "a", "user/1", "user/2", "users", "z":
            self.client.issue(reader(name))
        self.assertEqual(self.client.ids(), ["a", "root", "user/1", "user/2", "users", "z"])
        self.assertEqual(self.client.ids(prefix="user/"), ["user/1", "user/2"])
        self.assertEqual(self.client.ids(start_after="user/1"), ["user/2", "users", "z"])

    def test_list_page_by_page(self):
        names = [f"page/{number}" for number in range(7)]
        for name in names:
            self.client.issue(reader(name))
        listed, start = [], ""
        for expected in 3, 3, 1:
            page, more = self.client.list(prefix="page/", limit=3, start_after=start)
            self.assertEqual((len(page), more), (expected, expected == 3))
            listed += [token["id"] for token in page]
            start = listed[-1]
        self.assertEqual(listed, names)

    def test_list_all_of_several_pages(self):
        names = sorted(f"page/ {number}%\u00e9" for number in range(1005))
        connection = self.server.connection()
        for name in names:
            answer = self.server.issue(self.root, reader(name), connection=connection)
            self.assertEqual(answer.status, 201, answer)
        connection.close()
        before = len(self.server.audit())
        self.assertEqual(self.client.call("list_all", prefix="page/"), names)
        self.assertEqual(len(self.server.audit()) - before, 2)

    def test_list_a_token_of_several_scopes(self):
        """S2 has no such tokens. Rust's and Python's SDKs take no page with one, and say so."""
        scope = reader("one")["scope"]
        answer = self.server.issue(self.root, {"id": "several", "scopes": [scope, scope]})
        self.assertEqual(answer.status, 201, answer)
        self.assertEqual(self.client.ids(prefix="root"), ["root"])
        try:
            self.assertEqual(self.client.ids(), ["root", "several"])
        except Refused as refusal:
            self.assertEqual(refusal.status, 0, refusal)
            self.assertRegex(refusal.message, "missing field `scope`|'scope'")

    def test_revoke_twice(self):
        self.issue_documented()
        self.client.call("documented_revoke")
        self.assertEqual(self.client.ids(), ["root"])
        self.refused(404, "access_token_not_found", self.client.call, "documented_revoke")

    def test_strange_ids(self):
        for name in STRANGE_IDS:
            with self.subTest(id=name):
                self.client.issue(reader(name))
                self.assertEqual(self.client.ids(prefix=name), [name])
                self.assertEqual(self.reason(name, "read", "s2://any-basin/users/1"), "allowed")
                self.client.revoke(name)
                self.assertEqual(self.client.ids(start_after=name[:1], prefix=name), [])
                self.assertEqual(self.reason(name, "read", "s2://any-basin/users/1"),
                                 "unknown_token")

    def test_ids_that_are_none(self):
        for name in ".", "..", "a\0b", "x" * 97:
            with self.subTest(id=name), self.assertRaises(Refused) as caught:
                self.client.issue(reader(name))
            self.assertIn((caught.exception.status, caught.exception.code),
                          [(400, "bad_json"), (0, "client")])
        self.assertEqual(self.client.ids(), ["root"])

    def test_ask_again_after_503(self):
        relay = Relay(self, self.server)
        client = self.as_who(self.root, relay.address)
        relay.answers = [503]
        client.issue(reader("child"))
        relay.answers = [503] * 100
        with self.assertRaises(Refused) as caught:
            client.list()
        self.assertEqual(caught.exception.status, 503)
        self.assertEqual(relay.requests[:2], ["POST /v1/access-tokens"] * 2)
        self.assertLessEqual(len(relay.requests) - 2, 5, relay.requests)

    def test_do_not_ask_again_after_424(self):
        relay = Relay(self, self.server)
        client = self.as_who(self.root, relay.address)
        relay.answers = [424]
        with self.assertRaises(Refused) as caught:
            client.issue(reader("child"))
        self.assertEqual(caught.exception.status, 424)
        self.assertEqual(relay.requests, ["POST /v1/access-tokens"])

    def test_lose_an_answer(self):
        relay = Relay(self, self.server)
        client = self.as_who(self.root, relay.address)
        relay.answers = [Relay.LOST]
        with self.assertRaises(Refused) as caught:
            client.issue(reader("child"))
        self.assertIn((caught.exception.status, caught.exception.code),
                      [(409, "resource_already_exists"), (0, "client")])
        self.assertLessEqual(len(relay.requests), 2, relay.requests)
        self.assertEqual(self.client.ids(), ["child", "root"])


    def test_the_own_tests_of_the_SDK(self):
        if not self.suite:
            self.skipTest("its package has none of access tokens")
        relay = Relay(self, self.server)
        done = subprocess.run(
            self.suite, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, env=environment(self.front(relay.address), self.root),
            timeout=TIMEOUT, check=False)
        said = done.stdout.decode("utf-8", "replace")
        self.assertEqual(done.returncode, 0, said)
        self.assertGreater(len(re.findall(PASSED, said, re.M)), 5, said)
        self.assertEqual(self.client.ids(), ["root"])


def cases_of(name, command, suite, has_front):
    """The test cases of a client, whose program is started by that command, and the SDK's own
    tests by the other, if it has any."""
    return type(name, (Cases, ServeTest),
                {"command": command, "suite": suite, "has_front": has_front})
