"""weir token: the lifecycle of tokens in a store."""

import contextlib
import fcntl
import json
import os
import pty
import socket
import stat
import subprocess
import threading
import time
import unittest

from command import TIMEOUT, TROUBLE, WEIR, CommandTest, main


class TokenTest(CommandTest):
    def setUp(self):
        super().setUp()
        self.environment = {
            name: value for name, value in os.environ.items() if name != "WEIR_CREDENTIAL"
        }

    def token(self, *arguments, **options):
        options.setdefault("env", self.environment)
        return self.weir("token", *arguments, **options)

    def done(self, *arguments, **options):
        result = self.token(*arguments, **options)
        self.assertEqual((result.code, result.error), (0, ""))
        return json.loads(result.text)

    def refused(self, *arguments, says, **options):
        options.setdefault("env", self.environment)
        return self.fails("token", *arguments, says=says, **options)

    def init(self, *arguments):
        return self.done("init", "--store", "STORE", *arguments)["access_token"]

    def issue(self, *arguments, **options):
        return self.done("issue", "--store", "STORE", *arguments, **options)["access_token"]

    def ids(self, *arguments, **options):
        page = self.done("list", "--store", "STORE", *arguments, **options)
        self.assertEqual(list(page), ["access_tokens", "has_more"])
        return [token["id"] for token in page["access_tokens"]]

    def only(self, name):
        tokens = self.done("list", "--store", "STORE", "--prefix", name)["access_tokens"]
        self.assertEqual(len(tokens), 1)
        return tokens[0]


class Token(TokenTest):
    def test_init_makes_a_store_and_prints_the_first_credential(self):
        self.assertRegex(self.init(), "^weir_[0-9A-Za-z]{49}$")
        self.assertEqual(stat.S_IMODE(os.stat(self.path("STORE")).st_mode), 0o600)
        root = self.only("root")
        self.assertIsNone(root["expires_at"])
        for name in ("basins", "streams", "access_tokens"):
            self.assertEqual(root["scope"][name], {"prefix": ""})
        for group in root["scope"]["op_groups"].values():
            self.assertEqual(group, {"read": True, "write": True})

    def test_init_again_changes_nothing(self):
        self.init("--id", "first")
        before = self.read("STORE")
        self.refused("init", "--store", "STORE", says="there is a store already")
        self.assertEqual(self.read("STORE"), before)
        self.assertEqual(self.ids(), ["first"])

    def test_init_of_what_is_something_else_leaves_it(self):
        self.write("STORE", b"some text\n" * 1000)
        self.refused("init", "--store", "STORE", says="STORE")
        self.assertEqual(self.read("STORE"), b"some text\n" * 1000)
        self.assertEqual(os.listdir(self.folder), ["STORE"])

    def test_without_a_store_there_is_an_error_and_no_store(self):
        for command in (["issue", "--id", "x", "--ops", "read"], ["list"], ["revoke", "--", "x"]):
            self.refused(command[0], "--store", "STORE", *command[1:], says="STORE")
        self.assertEqual(os.listdir(self.folder), [])

    def test_issue_reads_a_file_or_standard_input(self):
        self.init()
        declaration = {"id": "a", "scope": {"ops": ["read"], "basins": {"exact": "my-basin"}}}
        self.write("token.json", json.dumps(declaration).encode())
        self.issue("token.json")
        self.issue(stdin=json.dumps(declaration | {"id": "b"}).encode())
        self.issue("-", stdin=json.dumps(declaration | {"id": "c"}).encode())
        self.assertEqual(self.ids(), ["a", "b", "c", "root"])
        self.assertEqual(self.only("a")["scope"]["basins"], {"exact": "my-basin"})

    def test_issue_by_flags(self):
        self.init()
        self.issue("--id", "x", "--basins", "", "--streams", "users/", "--access-tokens", "=one",
                   "--ops", "read,list-streams", "--op-groups", "account=r,stream=rw,basin=w",
                   "--expires-at", "2099-01-01T00:00:00Z", "--auto-prefix")
        self.assertEqual(self.only("x"), {
            "id": "x",
            "expires_at": "2099-01-01T00:00:00Z",
            "auto_prefix_streams": True,
            "scope": {
                "basins": {"prefix": ""},
                "streams": {"prefix": "users/"},
                "access_tokens": {"exact": "one"},
                "op_groups": {
                    "account": {"read": True, "write": False},
                    "basin": {"read": False, "write": True},
                    "stream": {"read": True, "write": True},
                },
                "ops": ["list-streams", "read"],
            },
        })

    def test_expires_in_counts_from_now(self):
        self.init()
        for number, (text, seconds) in enumerate(
            [("90s", 90), ("30m", 1800), ("12h", 43200), ("30d", 2592000), ("4w", 2419200),
             ("1d12h", 129600)]
        ):
            self.issue("--id", f"x{number}", "--ops", "read", "--expires-in", text)
            expires = subprocess.run(
                ["date", "-d", self.only(f"x{number}")["expires_at"], "+%s"],
                stdout=subprocess.PIPE, check=True)
            now = subprocess.run(["date", "+%s"], stdout=subprocess.PIPE, check=True)
            self.assertLess(abs(int(expires.stdout) - int(now.stdout) - seconds), 60)

    def test_flags_that_make_no_token(self):
        self.init()
        for arguments, says in [
            (["--id", "x"], "permissions cannot be empty"),
            (["--id", "..", "--ops", "read"], "not a valid token id"),
            (["--ops", "read"], "--id ID is missing"),
            (["--id", "x", "--ops", "fly"], "--ops holds no operations"),
            (["--id", "x", "--ops", ""], "--ops holds no operations"),
            (["--id", "x", "--ops", "read,"], "--ops holds no operations"),
            (["--id", "x", "--op-groups", "stream"], "--op-groups is not like"),
            (["--id", "x", "--op-groups", "stream="], "--op-groups is not like"),
            (["--id", "x", "--op-groups", "stream=x"], "--op-groups is not like"),
            (["--id", "x", "--op-groups", "streams=r"], "--op-groups is not like"),
            (["--id", "x", "--ops", "read", "--basins", "UPPER"], "basin"),
            (["--id", "x", "--ops", "read", "--expires-in", "30"], "--expires-in is not"),
            (["--id", "x", "--ops", "read", "--expires-in", ""], "--expires-in is not"),
            (["--id", "x", "--ops", "read", "--expires-in", "0d"], "--expires-in is not"),
            (["--id", "x", "--ops", "read", "--expires-in", "-1d"], "--expires-in is not"),
            (["--id", "x", "--ops", "read", "--expires-in", "999999999999w"], "--expires-in is"),
            (["--id", "x", "--ops", "read", "--expires-at", "tomorrow"], "--expires-at is not"),
            (["--id", "x", "--ops", "read", "--expires-at", "2000-01-01T00:00:00Z"], "xpir"),
            (["--id", "x", "--ops", "read", "--expires-in", "1d", "--expires-at",
              "2099-01-01T00:00:00Z"], "exclude each other"),
            (["--id", "x", "--ops", "read", "--auto-prefix"], "prefix"),
            (["--id", "x", "token.json"], "exclude each other"),
        ]:
            with self.subTest(arguments=arguments):
                self.refused("issue", "--store", "STORE", *arguments, says=says)
        self.assertEqual(self.ids(), ["root"])

    def test_list_goes_on_where_it_ended(self):
        self.init()
        for name in ("a", "b/1", "b/2", "b/3", "c"):
            self.issue("--id", name, "--ops", "read")
        self.assertEqual(self.ids("--prefix", "b/"), ["b/1", "b/2", "b/3"])
        page = self.done("list", "--store", "STORE", "--limit", "2", "--prefix", "b/")
        self.assertTrue(page["has_more"])
        self.assertEqual(self.ids("--prefix", "b/", "--start-after", "b/2"), ["b/3"])
        self.refused("list", "--store", "STORE", "--limit", "few", says="--limit is not a number")

    def test_a_page_is_a_token_file(self):
        self.init()
        self.issue("--id", "x", "--basins", "", "--streams", "users/", "--ops", "read")
        self.write("page.json", self.token("list", "--store", "STORE").out)
        result = self.weir("check", "--tokens", "page.json", "--", "x", "read",
                           "s2://my-basin/users/1")
        self.assertEqual(result.code, 0)

    def test_revoke_one(self):
        self.init()
        self.issue("--id", "--all", "--ops", "read")
        self.assertEqual(self.done("revoke", "--store", "STORE", "--", "--all"), {"revoked": 1})
        self.refused("revoke", "--store", "STORE", "--", "--all", says='there is no token "--all"')

    def test_revoke_by_prefix_says_how_many(self):
        self.init()
        for name in ("team/1", "team/2", "other"):
            self.issue("--id", name, "--ops", "read")
        store = ("revoke", "--store", "STORE")
        self.refused(*store, says="ID or --prefix P is missing")
        self.refused(*store, "--prefix", "team/", "--", "other", says="exclude each other")
        self.refused(*store, "--prefix", "", says="needs --all")
        self.assertEqual(self.done(*store, "--prefix", "none"), {"revoked": 0})
        self.assertEqual(self.done(*store, "--prefix", "team/"), {"revoked": 2})
        self.assertEqual(self.ids(), ["other", "root"])
        self.assertEqual(self.done(*store, "--prefix", "", "--all"), {"revoked": 2})
        self.assertEqual(self.ids(), [])

    def test_on_a_terminal_a_prefix_is_asked_about(self):
        self.init()
        self.issue("--id", "team/1", "--ops", "read")
        for answer, code, left in [("n\n", TROUBLE, ["team/1"]), ("\n", TROUBLE, ["team/1"]),
                                   ("y\n", 0, [])]:
            ours, theirs = pty.openpty()
            os.write(ours, answer.encode())
            done = subprocess.run(
                [WEIR, "token", "revoke", "--store", "STORE", "--prefix", "team/"],
                stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=self.folder,
                env=self.environment, check=False, timeout=60)
            os.close(ours)
            os.close(theirs)
            self.assertEqual(done.returncode, code)
            self.assertIn(b'Revoke 1 token whose ids begin with "team/"? [y/N]', done.stderr)
            self.assertEqual(self.ids("--prefix", "team/"), left)

    def test_a_credential_limits_what_is_done(self):
        self.init()
        credential = self.issue("--id", "boss", "--access-tokens", "team/", "--op-groups",
                                "account=rw", "--expires-in", "1h")
        self.write("credential", credential.encode() + b"\n")
        by_file = ("--credential-file", "credential")
        self.issue("--id", "team/1", "--ops", "list-basins", *by_file)
        self.assertEqual(self.ids(*by_file), ["team/1"])
        self.refused("issue", "--store", "STORE", *by_file, "--id", "x", "--ops", "list-basins",
                     says="access_token_out_of_scope")
        self.refused("issue", "--store", "STORE", *by_file, "--id", "team/2", "--ops", "read",
                     says="scope")
        by_variable = self.environment | {"WEIR_CREDENTIAL": credential}
        self.assertEqual(self.ids(env=by_variable), ["team/1"])
        self.refused("revoke", "--store", "STORE", "--", "root", env=by_variable,
                     says="access_token_out_of_scope")
        for wrong in ("weir_" + 49 * "0", "nonsense"):
            self.refused("list", "--store", "STORE", says="credential",
                         env=self.environment | {"WEIR_CREDENTIAL": wrong})
        self.refused("list", "--store", "STORE", says="there is no credential",
                     env=self.environment | {"WEIR_CREDENTIAL": ""})
        self.write("empty", b"\n")
        self.refused("list", "--store", "STORE", "--credential-file", "empty",
                     says="there is no credential")

    def test_no_message_holds_a_credential(self):
        self.init()
        credential = self.issue("--id", "x", "--ops", "read")
        environment = self.environment | {"WEIR_CREDENTIAL": credential}
        for arguments in (["list"], ["revoke", "--", "root"], ["issue", "--id", "y", "--ops",
                                                               "read"]):
            result = self.token(arguments[0], "--store", "STORE", *arguments[1:], env=environment)
            self.assertEqual(result.code, TROUBLE)
            self.assertNotIn(credential.encode(), result.err + result.out)
        for name in os.listdir(self.folder):
            self.assertNotIn(credential.encode(), self.read(name))

    def test_the_help_of_each(self):
        for command in ("init", "issue", "list", "revoke"):
            result = self.token(command, "--help")
            self.assertEqual(result.code, 0)
            self.assertTrue(result.text.startswith(f"Usage: weir token {command} "))
        self.assertIn("init|issue|list|revoke", self.token("--help").text)
        self.refused(says="COMMAND is missing")
        self.refused("fly", says='no such command: "fly"')


class Unprinted(TokenTest):
    """Standard output that takes nothing."""

    def unprinted(self, *arguments, says, **options):
        with open("/dev/full", "wb") as full:
            result = self.token(*arguments, stdout=full, **options)
        self.assertEqual((result.code, result.error),
                         (TROUBLE, f"weir: <stdout>: No space left on device: {says}\n"))

    def test_a_token_whose_credential_is_lost_does_not_live(self):
        self.init()
        self.unprinted("issue", "--store", "STORE", "--id", "x", "--ops", "read",
                       says="the token is revoked again")
        self.unprinted("issue", "--store", "STORE", says="the token is revoked again",
                       stdin=b'{"id": "\\u0078\\n", "scope": {"ops": ["read"]}}')
        self.assertEqual(self.ids(), ["root"])
        self.issue("--id", "x", "--ops", "read")

    def test_it_does_not_where_its_issuer_may_not_revoke(self):
        self.init()
        issuer = self.issue("--id", "issuer", "--access-tokens", "", "--ops",
                            "issue-access-token,read", "--basins", "", "--streams", "")
        environment = self.environment | {"WEIR_CREDENTIAL": issuer}
        self.issue("--id", "kept", "--ops", "read", "--basins", "", "--streams", "",
                   env=environment)
        self.refused("revoke", "--store", "STORE", "--", "kept", says="", env=environment)
        self.unprinted("issue", "--store", "STORE", "--id", "x", "--ops", "read",
                       says="the token is revoked again", env=environment)
        self.assertEqual(self.ids(), ["issuer", "kept", "root"])

    def test_it_does_not_where_the_reader_has_gone_or_nobody_ever_was(self):
        self.init()
        issue = ["token", "issue", "--store", "STORE", "--ops", "read", "--id", "x"]
        reading, writing = os.pipe()
        os.close(reading)
        result = self.weir(*issue, env=self.environment, stdout=writing)
        os.close(writing)
        self.assertEqual((result.code, result.error),
                         (TROUBLE, "weir: <stdout>: Broken pipe: the token is revoked again\n"))
        done = subprocess.run(["sh", "-c", 'exec "$@" >&-', "sh", WEIR, *issue], cwd=self.folder,
                              env=self.environment, capture_output=True, check=False, timeout=60)
        self.assertEqual(done.returncode, TROUBLE)
        self.assertIn(b"Bad file descriptor: the token is revoked again", done.stderr)
        self.assertEqual(self.ids(), ["root"])

    def test_a_store_whose_first_credential_is_lost_is_removed(self):
        self.unprinted("init", "--store", "STORE", says="the store is removed again")
        self.assertEqual(os.listdir(self.folder), [])
        os.mkdir(self.path("real"))
        os.symlink("real/STORE", self.path("link"))
        self.unprinted("init", "--store", "link", says="the store is removed again")
        self.assertEqual(os.listdir(self.path("real")), [])
        self.init()

    def blocked_init(self):
        """A process that has made the store, and waits for room in a pipe; its reading end."""
        reading, writing = os.pipe()
        os.set_blocking(writing, False)
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(writing, bytes(1 << 16))
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(writing, b"x")
        os.set_blocking(writing, True)
        process = subprocess.Popen([WEIR, "token", "init", "--store", "STORE"], stdout=writing,
                                   stderr=subprocess.PIPE, cwd=self.folder, env=self.environment)
        self.addCleanup(process.kill)
        os.close(writing)
        end = time.monotonic() + TIMEOUT
        while self.token("list", "--store", "STORE").code != 0:
            self.assertLess(time.monotonic(), end)
            time.sleep(0.01)
        time.sleep(0.2)
        return process, reading

    def test_one_that_somebody_has_used_by_then_is_not(self):
        process, reading = self.blocked_init()
        self.issue("--id", "x", "--ops", "read")
        os.close(reading)
        self.assertIn(b"<stdout>: Broken pipe: the store is there, its token's credential is lost",
                      process.communicate(timeout=TIMEOUT)[1])
        self.assertEqual(process.returncode, TROUBLE)
        self.assertEqual(self.ids(), ["root", "x"])

    def test_nor_one_that_somebody_uses(self):
        process, reading = self.blocked_init()
        with open(self.path("STORE"), "rb") as store:
            fcntl.flock(store, fcntl.LOCK_EX)
            os.close(reading)
            self.assertIn(b"the store is there", process.communicate(timeout=TIMEOUT)[1])
        self.assertEqual(self.ids(), ["root"])

    def test_what_is_revoked_is_told(self):
        self.init()
        for name in ("a", "b/1", "b/2"):
            self.issue("--id", name, "--ops", "read")
        self.unprinted("revoke", "--store", "STORE", "--", "a", says="revoked tokens: 1")
        self.unprinted("revoke", "--store", "STORE", "--prefix", "b/", says="revoked tokens: 2")
        self.assertEqual(self.ids(), ["root"])


class Busy(TokenTest):
    """A store that another process owns, and that process does not answer."""

    def setUp(self):
        super().setUp()
        self.init()

    @contextlib.contextmanager
    def owned(self):
        with open(self.path("STORE"), "rb") as store:
            fcntl.flock(store, fcntl.LOCK_EX)
            yield store

    @contextlib.contextmanager
    def listener(self):
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(self.path("STORE.operator"))
            listener.listen()
            yield listener

    def test_commands_at_the_same_time_wait_for_each_other(self):
        commands = [
            subprocess.Popen([WEIR, "token", "issue", "--store", "STORE", "--id", f"x{number}",
                              "--ops", "read"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             cwd=self.folder, env=self.environment)
            for number in range(12)
        ]
        for command in commands:
            self.assertEqual((command.communicate(timeout=TIMEOUT)[1], command.returncode),
                             (b"", 0))
        self.assertEqual(len(self.ids("--prefix", "x")), 12)

    def test_a_store_that_gets_free_is_waited_for(self):
        with self.listener():
            pass  # a socket file remains, on which nobody listens
        with self.owned() as store:
            timer = threading.Timer(0.5, fcntl.flock, (store, fcntl.LOCK_UN))
            timer.start()
            self.assertEqual(self.ids(), ["root"])
            timer.join()

    def test_one_that_does_not_is_an_error_in_the_end(self):
        with self.owned():
            began = time.monotonic()
            self.refused("list", "--store", "STORE",
                         says=["STORE.operator", 'owns "STORE" cannot be asked'])
            self.assertGreater(time.monotonic() - began, 4.5)

    @unittest.skipIf(os.geteuid() == 0, "root may ask anybody")
    def test_one_that_may_not_be_asked_is_not_waited_for(self):
        with self.owned(), self.listener():
            os.chmod(self.path("STORE.operator"), 0)
            began = time.monotonic()
            self.refused("list", "--store", "STORE", says="cannot be asked")
            self.assertLess(time.monotonic() - began, 4.5)

    def ends_when_asked(self, *arguments, says):
        """The owner takes what it is asked, and ends."""
        def take(listener):
            request = b""
            while not request:
                client = listener.accept()[0]
                with client:
                    request = client.recv(1 << 16)

        with self.owned(), self.listener() as listener:
            owner = threading.Thread(target=take, args=(listener,), daemon=True)
            owner.start()
            self.refused(*arguments, says=says)
            owner.join(TIMEOUT)
        os.unlink(self.path("STORE.operator"))

    def test_what_was_asked_and_not_answered_may_have_been_done(self):
        for command in (["issue", "--id", "x", "--ops", "read"], ["revoke", "--", "x"]):
            self.ends_when_asked(command[0], "--store", "STORE", *command[1:],
                                 says="it may have done it")
        self.ends_when_asked("list", "--store", "STORE", says="cannot be asked")


if __name__ == "__main__":
    main()
