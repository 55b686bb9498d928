"""weir token while weir serve owns the store: through its operator socket."""

import json
import os
import pty
import subprocess
import unittest

from command import TROUBLE, run
from server import SECRET, TIMEOUT, WEIR, ServeTest, main

NOBODY = 65534
AS_NOBODY = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]


class Through(ServeTest):
    def setUp(self):
        super().setUp()
        self.server = self.serve()
        self.environment = {
            name: value for name, value in os.environ.items() if name != "WEIR_CREDENTIAL"
        }

    def token(self, command, *arguments, **options):
        options.setdefault("env", self.environment)
        return self.weir("token", command, "--store", "tokens.db", *arguments, **options)

    def done(self, *arguments, **options):
        result = self.token(*arguments, **options)
        self.assertEqual((result.code, result.error), (0, ""))
        return json.loads(result.out)

    def refused(self, command, *arguments, says, **options):
        options.setdefault("env", self.environment)
        self.fails("token", command, "--store", "tokens.db", *arguments, says=says, **options)

    def issue(self, name, *arguments, **options):
        return self.done("issue", "--id", name, *(arguments or ("--ops", "read")),
                         **options)["access_token"]

    def issuer(self, name, *ops):
        """The credential of a token for all names, and those operations on tokens of team/."""
        return self.issue(name, "--access-tokens", "team/", "--basins", "", "--streams", "",
                          "--ops", ",".join(("read", *ops)))

    def ids(self, *arguments, **options):
        return [token["id"] for token in self.done("list", *arguments, **options)["access_tokens"]]

    def test_it_is_the_server_that_does_it(self):
        self.assertRegex(self.issue("a"), "^weir_[0-9A-Za-z]{49}$")
        self.assertEqual(self.done("revoke", "--", "a"), {"revoked": 1})
        self.assertEqual([(line["call"], line["operator"], line.get("token"))
                          for line in self.server.audit()[-2:]],
                         [("issue", True, "a"), ("revoke", True, "a")])

    def test_init_finds_that_there_is_a_store(self):
        self.refused("init", says="owns the store")
        self.assertEqual(self.ids(), ["root"])

    def test_names_are_any_text(self):
        for name in ("a b", "a+b", "a/b", "a%2Fb", "a?b=c&d", "a#b", "é\n", "count", "--all", "."):
            with self.subTest(name=name):
                if name == ".":
                    self.refused("issue", "--id", name, "--ops", "read",
                                 says="not a valid token id")
                    continue
                declaration = {"id": name, "scope": {"ops": ["read"]}}
                self.done("issue", stdin=json.dumps(declaration).encode())
                self.assertEqual(self.ids("--prefix", name), [name])
                self.assertEqual(self.done("revoke", "--", name), {"revoked": 1})
        self.refused("revoke", "--", "none", says='there is no token "none"')
        self.assertEqual(self.ids(), ["root"])

    def test_pages_go_on_where_they_ended(self):
        for name in ("b/1", "b/2", "b/3", "c"):
            self.issue(name)
        page = self.done("list", "--limit", "2", "--prefix", "b/")
        self.assertEqual(([token["id"] for token in page["access_tokens"]], page["has_more"]),
                         (["b/1", "b/2"], True))
        self.assertEqual(self.ids("--prefix", "b/", "--start-after", "b/2"), ["b/3"])

    def test_a_page_is_a_page_at_any_limit(self):
        names = [f"t{number}" for number in range(5)]
        for name in names:
            self.issue(name)
        for limit in range(1, 8):
            seen, after, more = [], "", True
            while more:
                page = self.done("list", "--prefix", "t", "--limit", str(limit),
                                 "--start-after", after)
                seen += [token["id"] for token in page["access_tokens"]]
                self.assertLessEqual(len(page["access_tokens"]), limit)
                after, more = seen[-1], page["has_more"]
            self.assertEqual(seen, names)

    def test_a_page_is_a_token_file(self):
        self.issue("x", "--basins", "", "--streams", "users/", "--ops", "read")
        self.write("page.json", self.token("list", "--prefix", "x").out)
        self.assertEqual(self.check("page.json", "x", "read", "s2://my-basin/users/1").code, 0)

    def test_a_prefix_is_revoked(self):
        for name in ("team/1", "team/2", "other"):
            self.issue(name)
        self.assertEqual(self.done("revoke", "--prefix", "none"), {"revoked": 0})
        self.assertEqual(self.done("revoke", "--prefix", "team/"), {"revoked": 2})
        self.assertEqual(self.ids(), ["other", "root"])
        self.refused("revoke", "--prefix", "", says="needs --all")
        self.assertEqual(self.done("revoke", "--prefix", "", "--all"), {"revoked": 2})
        self.assertEqual(self.ids(), [])

    def revoke_on_a_terminal(self, answer, *flags):
        """Exit code and standard error."""
        ours, theirs = pty.openpty()
        os.write(ours, answer)
        done = subprocess.run(
            [WEIR, "token", "revoke", "--store", "tokens.db", "--prefix", "team/", *flags],
            stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=self.folder,
            env=self.environment, check=False, timeout=TIMEOUT)
        os.close(ours)
        os.close(theirs)
        return done.returncode, done.stderr

    def test_on_a_terminal_a_prefix_is_asked_about(self):
        self.issue("team/1")
        self.issue("team/2")
        question = b'Revoke 2 tokens whose ids begin with "team/"? [y/N] '
        for answer in (b"n\n", b"\n"):
            code, said = self.revoke_on_a_terminal(answer)
            self.assertEqual((code, said[:len(question)]), (TROUBLE, question))
            self.assertEqual(self.ids("--prefix", "team/"), ["team/1", "team/2"])
        self.assertEqual(self.revoke_on_a_terminal(b"y\n"), (0, question))
        self.assertEqual(self.ids("--prefix", "team/"), [])
        self.assertEqual(self.revoke_on_a_terminal(b"", "--yes"), (0, b""))

    def test_a_credential_limits_what_is_done(self):
        credential = self.issuer("boss", "issue-access-token", "list-access-tokens",
                                 "revoke-access-token")
        self.write("credential", credential + "\n")
        for options in ({"env": self.environment | {"WEIR_CREDENTIAL": credential}}, {}):
            by = () if options else ("--credential-file", "credential")
            with self.subTest(by=by):
                self.issue("team/1", "--basins", "", "--streams", "", "--ops", "read", *by,
                           **options)
                self.assertEqual(self.ids(*by, **options), ["team/1"])
                self.refused("issue", *by, "--id", "x", "--ops", "read",
                             says="access_token_out_of_scope", **options)
                self.refused("revoke", *by, "--", "root", says="access_token_out_of_scope",
                             **options)
                self.refused("revoke", *by, "--prefix", "tea", says="access_token_out_of_scope",
                             **options)
                self.assertEqual(self.done("revoke", *by, "--prefix", "team/", **options),
                                 {"revoked": 1})
        self.assertTrue(all(line["requestor"] == "boss" for line in self.server.audit()
                            if not line["operator"]))
        self.assertEqual(self.ids(), ["boss", "root"])

    def test_a_wrong_credential_is_refused_and_not_shown(self):
        for wrong in ("weir_" + 49 * "0", "nonsense", "a b"):
            result = self.token("list", env=self.environment | {"WEIR_CREDENTIAL": wrong})
            self.assertEqual((result.code, result.out), (TROUBLE, b""))
            self.assertIn("credential", result.error)
            self.assertNotIn(wrong, result.error)
        for path in self.server.log_path, self.server.audit_path:
            with open(path, "rb") as file:
                self.assertIsNone(SECRET.search(file.read()))

    def test_a_token_whose_credential_cannot_be_printed_is_revoked_again(self):
        issuer = self.issuer("issuer", "issue-access-token")
        for environment in (self.environment, self.environment | {"WEIR_CREDENTIAL": issuer}):
            with open("/dev/full", "wb") as full:
                result = self.token("issue", "--id", "team/é", "--basins", "", "--streams", "",
                                    "--ops", "read", stdout=full, env=environment)
            self.assertEqual((result.code, result.error), (
                TROUBLE,
                "weir: <stdout>: No space left on device: the token is revoked again\n"))
            self.assertEqual(self.ids(), ["issuer", "root"])
            self.assertEqual((self.server.audit()[-2]["call"], self.server.audit()[-2]["token"]),
                             ("revoke", "team/é"))

    def test_its_answers_are_those_that_the_store_gives(self):
        """Whatever is asked: once through the server, once where there is none."""
        declaration = {"id": "é\n", "scope": {"ops": ["read"], "basins": {"prefix": ""}}}
        asked = [
            (["issue", "--id", "a", "--ops", "read"], b""),
            (["issue", "--id", "a", "--ops", "read"], b""),
            (["issue"], json.dumps(declaration).encode()),
            (["issue"], json.dumps(declaration).encode()),
            (["issue"], b"{"),
            (["issue"], b""),
            (["issue"], b'{"id": "b", "scope": {"ops": ["read"]}, "expiry": null}'),
            (["issue"], b'{"id": "b", "scope": {"ops": ["fly"]}}'),
            (["issue"], b'{"id": "b", "scope": {}}'),
            (["issue"], b'{"id": "..", "scope": {"ops": ["read"]}}'),
            (["issue", "--id", "b", "--ops", "read", "--expires-at", "2000-01-01T00:00:00Z"], b""),
            (["issue", "--id", "b", "--ops", "read", "--auto-prefix"], b""),
            (["issue", "--id", "b/1", "--ops", "read", "--auto-prefix", "--streams", "s/",
              "--op-groups", "stream=rw", "--expires-at", "2099-01-01T00:00:00.5Z"], b""),
            (["list"], b""),
            (["list", "--prefix", "b", "--limit", "1"], b""),
            (["list", "--limit", "1", "--start-after", "a"], b""),
            (["list", "--prefix", "é"], b""),
            (["list", "--prefix", "x" * 97], b""),
            (["list", "--start-after", "x" * 97], b""),
            (["revoke", "--", "none"], b""),
            (["revoke", "--", ""], b""),
            (["revoke", "--", ".."], b""),
            (["revoke", "--", "x" * 97], b""),
            (["revoke", "--", "x" * 4000], b""),
            (["revoke", "--", b"\xff"], b""),
            (["revoke", "--", "é\n"], b""),
            (["revoke", "--", "é\n"], b""),
            (["revoke", "--prefix", "x" * 97], b""),
            (["revoke", "--prefix", "none"], b""),
            (["revoke", "--prefix", "b"], b""),
            (["revoke", "--prefix", ""], b""),
            (["revoke", "--prefix", "", "--all"], b""),
            (["list"], b""),
        ]
        through = [self.answer("tokens.db", *question) for question in asked]
        self.assertEqual(self.server.end(), 0)
        self.succeeds("token", "init", "--store", "direct.db")
        for question, answer in zip(asked, through):
            with self.subTest(question=question):
                self.assertEqual(answer, self.answer("direct.db", *question))

    def answer(self, store, question, stdin):
        """Exit code, what was printed but for secrets, and how the error's line ends."""
        result = self.weir("token", question[0], "--store", store, *question[1:], stdin=stdin,
                           env=self.environment)
        said = SECRET.sub(b"", result.out)
        return result.code, json.loads(said) if said else None, result.error.rsplit(": ")[-1]

    @unittest.skipIf(os.geteuid() != 0, "needs root, to be somebody else")
    def test_it_is_asked_who_one_is(self):
        """Somebody else has no authority there but that of a token."""
        if subprocess.run([*AS_NOBODY, "test", "-x", WEIR], check=False).returncode != 0:
            self.skipTest("nobody may not run weir")
        credential = self.issuer("boss", "issue-access-token", "list-access-tokens")
        os.chmod(self.folder, 0o755)
        os.chmod(self.path("tokens.db"), 0o666)
        asked = (["list"], ["issue", "--id", "x", "--ops", "read"], ["revoke", "--", "root"],
                 ["revoke", "--prefix", "boss"])
        for mode, says in (0o600, "cannot be asked"), (0o666, "operator"):
            os.chmod(self.path("tokens.db.operator"), mode)
            for command, *arguments in asked:
                with self.subTest(mode=mode, command=command):
                    result = self.token_as_nobody(command, *arguments)
                    self.assert_failed(result, says)
        self.assertEqual([line["operator"] for line in self.server.audit()
                          if line["peer"] == f"uid:{NOBODY}"], [False] * len(asked))
        self.assertEqual(self.ids(), ["boss", "root"])
        self.assertEqual(
            self.token_as_nobody("issue", "--id", "team/1", "--ops", "read",
                                 env=self.environment | {"WEIR_CREDENTIAL": credential}).code, 0)
        self.assertEqual(self.ids(), ["boss", "root", "team/1"])

    def token_as_nobody(self, command, *arguments, **options):
        options.setdefault("env", self.environment)
        return run(*AS_NOBODY[1:], WEIR, "token", command, "--store", "tokens.db", *arguments,
                   program=AS_NOBODY[0], cwd=self.folder, **options)

    def test_the_socket_may_lie_elsewhere(self):
        self.assertEqual(self.server.end(), 0)
        self.server = self.serve("--socket", "elsewhere")
        self.assertEqual(self.ids("--socket", "elsewhere"), ["root"])


if __name__ == "__main__":
    main()
