"""weir serve: how it begins, and how it ends."""

import json
import os
import re
import signal
import socket
import subprocess
import time

from command import run
from server import TIMEOUT, TOKENS, ServeTest, main

UNIT = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                    "../../integrations/systemd/weir.service")


class Lifetime(ServeTest):
    def fails_to_serve(self, *flags, says=()):
        self.fails("serve", "--store", "tokens.db", *flags, says=says)

    def begin_issue(self, server, name):
        """A client whose request has been read but for its last byte, and that byte."""
        body = json.dumps(self.token(name)).encode()
        client = socket.create_connection(server.address, timeout=TIMEOUT)
        self.addCleanup(client.close)
        client.sendall(f"POST {TOKENS} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {self.root}\r\n"
                       f"Content-Length: {len(body)}\r\n\r\n".encode() + body[:-1])
        self.until(lambda: server.metrics()["weir_requests_in_progress"] == 2)
        return client, body[-1:]

    def test_it_begins_where_it_ended(self):
        server = self.serve()
        credential = server.issue(self.root, self.token("a")).json["access_token"]
        self.assertEqual(server.end(), 0)
        server = self.serve()
        self.assertEqual(server.list(credential).status, 403)
        self.assertEqual([token["id"] for token in server.list(self.root).json["access_tokens"]],
                         ["a", "root"])
        self.assertEqual(self.decision("a"), "allowed")

    def test_it_begins_again_after_it_was_killed(self):
        server = self.serve(publish="DIR")
        self.assertEqual(server.issue(self.root, self.token("a")).status, 201)
        server.process.kill()
        server.process.wait()
        self.assertTrue(self.exists("tokens.db.operator"))
        server = self.serve()
        self.assertEqual(self.decision("a"), "allowed")
        self.assertEqual(server.revoke(self.root, "a").status, 204)
        self.assertEqual(self.decision("a"), "unknown_token")

    def test_its_heart_beats_while_it_lives(self):
        server = self.serve("--lease", "1.5")  # a machine may have us wait for a second
        server.issue(self.root, self.token("reader"))
        end = time.monotonic() + 3
        while time.monotonic() < end:
            self.assertEqual(self.decision("reader"), "allowed")
        server.process.kill()
        server.process.wait()
        self.until(lambda: self.decision("reader") == "stale")

    def test_it_ends_at_a_signal_without_a_trace_but_its_files(self):
        for number in signal.SIGTERM, signal.SIGINT:
            server = self.serve(listen=("127.0.0.1:0", "unix:api.socket"))
            self.assertTrue(self.exists("api.socket"))
            self.assertEqual(server.end(number), 0)
            self.assertEqual(server.process.communicate(), (b"", b""))
            self.assertEqual(sorted(os.listdir(self.folder)),
                             ["DIR", "audit.ndjson", "log.ndjson", "tokens.db"])
            self.assertEqual(server.log()[-1]["message"], "ended")

    def test_what_was_begun_is_finished(self):
        server = self.serve()
        client, rest = self.begin_issue(server, "a")
        server.process.send_signal(signal.SIGTERM)
        self.until(lambda: "ending" in server.log()[-1]["message"])
        time.sleep(0.2)
        self.assertIsNone(server.process.poll())
        with self.assertRaises(ConnectionRefusedError):
            socket.create_connection(server.address, timeout=TIMEOUT)
        client.sendall(rest)
        answer = client.recv(1 << 16)
        self.assertTrue(answer.startswith(b"HTTP/1.1 201 "), answer)
        self.assertIn(b"\r\nConnection: close\r\n", answer)
        self.assertEqual(client.recv(1 << 16), b"")
        self.assertEqual(server.process.wait(timeout=TIMEOUT), 0)
        self.assertEqual([line["token"] for line in server.audit()], ["a"])

    def test_a_second_signal_waits_for_nobody(self):
        server = self.serve()
        self.begin_issue(server, "a")
        server.process.send_signal(signal.SIGTERM)
        self.until(lambda: "ending" in server.log()[-1]["message"])
        began = time.monotonic()
        self.assertEqual(server.end(), 0)
        self.assertLess(time.monotonic() - began, 8)
        self.assertIn("1 requests are not finished", [line["message"] for line in server.log()])
        server = self.serve()
        self.assertEqual(server.issue(self.root, self.token("a")).status, 201)

    def test_a_client_that_sends_no_more_does_not_keep_it_for_long(self):
        server = self.serve()
        self.begin_issue(server, "a")
        began = time.monotonic()
        self.assertEqual(server.end(), 0)
        self.assertLess(time.monotonic() - began, 25)

    def test_idle_connections_do_not_keep_it(self):
        server = self.serve()
        connection = server.connection()
        self.addCleanup(connection.close)
        server.ask("GET", "/health", connection=connection)
        fresh = socket.create_connection(server.address, timeout=TIMEOUT)
        self.addCleanup(fresh.close)
        began = time.monotonic()
        self.assertEqual(server.end(), 0)
        self.assertLess(time.monotonic() - began, 30)

    def test_a_store_has_one_process(self):
        self.serve()
        self.fails_to_serve("--listen", "127.0.0.1:0", says="tokens.db")
        self.fails_to_serve("--listen", "127.0.0.1:0", "--socket", "other", says="tokens.db")
        self.assertTrue(self.exists("tokens.db.operator"))
        self.assertFalse(self.exists("other"))

    def test_a_store_has_to_be_there(self):
        self.fails("serve", "--store", "none.db", "--listen", "127.0.0.1:0", says="none.db")

    def test_a_socket_that_nobody_listens_on_is_replaced(self):
        for name in "tokens.db.operator", "api.socket":
            with socket.socket(socket.AF_UNIX) as stale:
                stale.bind(self.path(name))
        server = self.serve(listen=("unix:api.socket", "127.0.0.1:0"))
        self.assertEqual(server.ask("GET", "/health", connection=server.operator()).status, 200)

    def test_a_socket_that_somebody_listens_on_is_left_alone(self):
        with socket.socket(socket.AF_UNIX) as other:
            other.bind(self.path("api.socket"))
            other.listen()
            self.fails_to_serve("--listen", "unix:api.socket", says=("api.socket", "in use"))
            self.fails_to_serve("--listen", "127.0.0.1:0", "--socket", "api.socket",
                                says=("api.socket", "in use"))
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(self.path("api.socket"))

    def test_a_socket_whose_owner_is_busy_is_left_alone(self):
        with socket.socket(socket.AF_UNIX) as other:
            other.bind(self.path("api.socket"))
            other.listen(0)
            try:
                while True:
                    client = socket.socket(socket.AF_UNIX)
                    self.addCleanup(client.close)
                    client.setblocking(False)
                    client.connect(self.path("api.socket"))
            except BlockingIOError:
                pass
            self.fails_to_serve("--listen", "unix:api.socket", says=("api.socket", "in use"))
            self.assertTrue(self.exists("api.socket"))

    def test_what_is_no_socket_is_left_alone(self):
        self.write("file", "content")
        self.fails_to_serve("--listen", "unix:file", says=("file", "in use"))
        os.symlink("file", self.path("link"))
        self.fails_to_serve("--listen", "unix:link", says=("link", "in use"))
        self.assertEqual(self.read("file"), b"content")

    def test_a_socket_of_another_is_not_removed_at_the_end(self):
        server = self.serve(listen=("127.0.0.1:0", "unix:api.socket"))
        os.unlink(self.path("api.socket"))
        self.write("api.socket", "somebody else's")
        self.assertEqual(server.end(), 0)
        self.assertEqual(self.read("api.socket"), b"somebody else's")

    def test_other_machines_are_let_in_only_if_that_is_said(self):
        for address in "0.0.0.0:0", "[::]:0", "192.0.2.1:0":
            self.fails_to_serve("--listen", address, says=(address, "--allow-remote"))
            self.fails_to_serve("--listen", "127.0.0.1:0", "--metrics", address,
                                says=(address, "--allow-remote"))
        server = self.serve("--allow-remote", listen=("0.0.0.0:0",))
        self.assertEqual(server.ask("GET", "/health").status, 200)

    def test_an_address_that_is_none_is_told(self):
        for address in ("", "x", ":80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:-1",
                        "127.0.0.1:99999999", "unix:", "unix:" + "x" * 200, "a.invalid:80",
                        "unix:none/socket"):
            with self.subTest(address=address):
                self.fails_to_serve("--listen", address)

    def test_a_port_that_is_taken_is_told(self):
        server = self.serve()
        self.succeeds("token", "init", "--store", "other.db")
        self.fails("serve", "--store", "other.db", "--listen", "127.0.0.1:%d" % server.address[1],
                   says=("127.0.0.1:", "in use"))
        self.assertFalse(self.exists("other.db.operator"))

    def test_files_that_cannot_be_opened_are_told(self):
        for flag in "--log", "--audit":
            self.fails_to_serve("--listen", "127.0.0.1:0", flag, "none/file", says="none/file")

    def test_flags_that_are_none_are_told(self):
        self.fails("serve", "--listen", "127.0.0.1:0", says="--store STORE is missing")
        self.fails_to_serve(says="--listen ADDRESS is missing")
        for flag in "--connections", "--connections-per-address":
            for value in "0", "-1", "x", "", "1000001":
                self.fails_to_serve("--listen", "127.0.0.1:0", flag, value, says=flag)
        self.fails_to_serve(*["--listen", "127.0.0.1:0"] * 17, says="16 times")

    def test_systemd_is_told(self):
        for name in self.path("notify"), "\0weir-test-%d" % os.getpid():
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
                manager.settimeout(TIMEOUT)
                manager.bind(name)
                server = self.serve(environment={"NOTIFY_SOCKET": name.replace("\0", "@")})
                self.assertEqual(manager.recv(100), b"READY=1")
                self.assertEqual(server.ask("GET", "/health").status, 200)
                self.assertEqual(server.end(), 0)
                self.assertEqual(manager.recv(100), b"STOPPING=1")

    def test_nothing_published_is_nothing_followed(self):
        server = self.serve(publish=None)
        self.assertEqual(server.issue(self.root, self.token("a")).status, 201)
        self.assertEqual(server.metrics()["weir_lease_seconds"], 0)
        self.assertFalse(self.exists("DIR"))

    def test_without_a_log_file_it_logs_to_standard_error(self):
        process = subprocess.Popen(
            [os.environ["WEIR"], "serve", "--store", "tokens.db", "--listen", "127.0.0.1:0"],
            stderr=subprocess.PIPE, cwd=self.folder)
        self.addCleanup(process.kill)
        line = json.loads(process.stderr.readline())
        self.assertEqual((line["level"], line["message"].split(":")[0]),
                         ("info", "listening on 127.0.0.1"))
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(timeout=TIMEOUT), 0)
        process.stderr.close()

    def test_the_unit_for_systemd_gives_flags_that_there_are(self):
        with open(UNIT, encoding="ascii") as file:
            start = file.read().split("\nExecStart=")[1].replace("\\\n", "").split("\n")[0]
        flags = re.findall("--[a-z-]+", start)
        self.assertIn("--publish", flags)
        told = run("serve", "--help").text
        for flag in flags:
            self.assertIn(f"\n  {flag} ", told)

    def test_the_help_is_the_commands(self):
        self.assertTrue(run("serve", "--help").text.startswith("Usage: weir serve --store STORE"))
        self.assertIn("  serve ", run("help").text)


if __name__ == "__main__":
    main()
