"""weir serve: the operator's socket, and who may what there."""

import json
import os
import socket
import stat
import subprocess
import unittest

from server import TIMEOUT, TOKENS, WEIR, ServeTest, main

NOBODY = 65534


def ask_as(user, path, request):
    """What comes back over a Unix socket for these bytes, if another user sends them."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setresgid(user, user, user)
            os.setresuid(user, user, user)
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(TIMEOUT)
                client.connect(path)
                client.sendall(request)
                while some := client.recv(1 << 16):
                    os.write(writing, some)
        except OSError as error:
            os.write(writing, str(error).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as answer:
        content = answer.read()
    os.waitpid(child, 0)
    return content


class Operator(ServeTest):
    def setUp(self):
        super().setUp()
        self.server = self.serve()

    def ask(self, method, path, credential=None, body=None):
        return self.server.ask(method, path, credential, body, connection=self.server.operator())

    def issue(self, *names):
        for name in names:
            self.assertEqual(self.server.issue(self.root, self.token(name)).status, 201)

    def ids(self):
        return [token["id"] for token in self.server.list(self.root).json["access_tokens"]]

    def ask_as_nobody(self, path, *headers):
        os.chmod(self.folder, 0o755)
        lines = [f"GET {path} HTTP/1.0", *headers, "", ""]
        return ask_as(NOBODY, self.path("tokens.db.operator"), "\r\n".join(lines).encode())

    def test_who_has_no_token_there_has_the_operators_authority(self):
        answer = self.ask("POST", TOKENS, body=self.token("a"))
        self.assertEqual(answer.status, 201, answer)
        self.assertEqual([token["id"] for token in self.ask("GET", TOKENS).json["access_tokens"]],
                         ["a", "root"])
        self.assertEqual(self.ask("DELETE", TOKENS + "/a").status, 204)

    def test_who_has_a_token_there_has_its_authority(self):
        issuer = self.issuer(self.server, "issuer", "team/")
        self.assertEqual(self.ask("GET", TOKENS, issuer).json["access_tokens"], [])
        self.assert_error(self.ask("POST", TOKENS, issuer, self.token("a")), 403,
                          "permission_denied")
        self.assert_error(self.ask("GET", TOKENS, "x"), 401, "authn")
        self.assert_error(self.ask("GET", TOKENS, ""), 401, "authn")

    def test_tokens_are_counted_and_revoked_by_prefix(self):
        self.issue("team/a", "team/b", "tea", "a b/c")
        self.assertEqual(self.ask("GET", TOKENS + "/count?prefix=team%2F").json, {"count": 2})
        self.assertEqual(self.ask("GET", TOKENS + "/count").json, {"count": 5})
        self.assertEqual(self.ask("DELETE", TOKENS + "?prefix=team%2F").json, {"revoked": 2})
        self.assertEqual(self.ids(), ["a b/c", "root", "tea"])
        self.assertEqual(self.ask("DELETE", TOKENS + "?prefix=a+b").json, {"revoked": 1})
        self.assertEqual(self.ask("DELETE", TOKENS + "?prefix=team").json, {"revoked": 0})
        self.assertEqual(self.ids(), ["root", "tea"])

    def test_all_are_revoked_only_if_that_is_said(self):
        self.issue("a")
        for query in ("", "?prefix=", "?all=true", "?prefix=&all=false", "?prefix=&all=yes",
                      "?prefix=&all", "?prefix=&prefix=a", "?Prefix=a", "?prefix=%zz",
                      "?prefix=" + "x" * 97):
            with self.subTest(query=query):
                self.assert_error(self.ask("DELETE", TOKENS + query), 400, "bad_query")
        self.assertEqual(self.ids(), ["a", "root"])
        self.assertEqual(self.ask("DELETE", TOKENS + "?prefix=&all=true").json, {"revoked": 2})
        self.assertEqual(self.server.list(self.root).status, 401)
        self.assertEqual(self.ask("GET", TOKENS).json["access_tokens"], [])

    def test_a_token_revokes_by_prefix_what_it_may(self):
        issuer = self.issuer(self.server, "issuer", "team/")
        self.issue("team/a", "team/b")
        self.assert_error(self.ask("DELETE", TOKENS + "?prefix=tea", issuer), 403,
                          "permission_denied", "access_token_out_of_scope")
        self.assertEqual(self.ask("DELETE", TOKENS + "?prefix=team%2F", issuer).json,
                         {"revoked": 2})
        self.assert_error(self.ask("GET", TOKENS + "/count", issuer), 403, "permission_denied")

    def test_none_of_that_is_to_be_had_elsewhere(self):
        self.issue("count")
        self.assertEqual(self.server.ask("DELETE", TOKENS + "?prefix=c", self.root).status, 405)
        self.assertEqual(self.server.ask("GET", TOKENS + "/count", self.root).status, 405)
        self.assertEqual(self.server.revoke(self.root, "count").status, 204)

    def test_a_token_whose_id_is_count_is_revoked_there_too(self):
        self.issue("count")
        self.assertEqual(self.ask("DELETE", TOKENS + "/count").status, 204)
        self.assertEqual(self.ids(), ["root"])

    def test_the_socket_is_the_owners_alone(self):
        mode = os.stat(self.path("tokens.db.operator")).st_mode
        self.assertEqual(stat.S_IMODE(mode), 0o600)

    @unittest.skipIf(os.geteuid() != 0, "needs root, to be somebody else")
    def test_somebody_else_is_nobody_there(self):
        self.assertIn(b"Permission denied", self.ask_as_nobody(TOKENS))
        os.chmod(self.path("tokens.db.operator"), 0o666)
        answer = self.ask_as_nobody(TOKENS)
        self.assertTrue(answer.startswith(b"HTTP/1.1 403 "), answer)
        self.assertIn(b'{"code":"permission_denied"', answer)
        self.assertTrue(self.ask_as_nobody("/health").startswith(b"HTTP/1.1 200 "))
        answer = self.ask_as_nobody(TOKENS, "Authorization: Bearer " + self.root)
        self.assertTrue(answer.startswith(b"HTTP/1.1 200 "), answer)
        answer = self.ask_as_nobody(TOKENS + "/count")
        self.assertTrue(answer.startswith(b"HTTP/1.1 403 "), answer)
        line = self.server.audit()[-1]
        self.assertEqual((line["peer"], line["operator"], line["outcome"]),
                         (f"uid:{NOBODY}", False, "permission_denied"))

    @unittest.skipIf(os.geteuid() != 0, "needs root, to be somebody else")
    def test_root_is_the_operator_of_anybodys_store(self):
        as_nobody = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
        if subprocess.run([*as_nobody, "test", "-x", WEIR], check=False).returncode != 0:
            self.skipTest("nobody may not run weir")
        self.assertEqual(self.server.end(), 0)
        os.chmod(self.folder, 0o777)
        for name in "tokens.db", "log.ndjson", "audit.ndjson", "DIR":
            for path, _, files in os.walk(self.path(name)):
                os.chown(path, NOBODY, NOBODY)
                for file in files:
                    os.chown(os.path.join(path, file), NOBODY, NOBODY)
            os.chown(self.path(name), NOBODY, NOBODY)
        self.server = self.serve(before=as_nobody)
        self.addCleanup(self.server.process.kill)  # nobody may write what coverage counts
        self.assertEqual(self.ask("GET", TOKENS + "/count").json, {"count": 1})
        self.assertTrue(self.ask_as_nobody(TOKENS).startswith(b"HTTP/1.1 200 "))

    def test_weir_token_goes_through_it(self):
        issued = self.succeeds("token", "issue", "--store", "tokens.db", "--id", "a b/é",
                               "--basins", "", "--streams", "", "--ops", "read")
        self.assertRegex(issued.text, '^{"access_token":"weir_[0-9A-Za-z]{49}"}\n$')
        listed = self.succeeds("token", "list", "--store", "tokens.db", "--prefix", "a")
        self.assertEqual([token["id"] for token in json.loads(listed.out)["access_tokens"]],
                         ["a b/é"])
        self.fails("token", "issue", "--store", "tokens.db", "--id", "a b/é", "--basins", "",
                   "--streams", "", "--ops", "read", says="a b/\\u00e9")
        self.succeeds("token", "revoke", "--store", "tokens.db", "--", "a b/é")
        self.assertEqual(self.ids(), ["root"])


if __name__ == "__main__":
    main()
