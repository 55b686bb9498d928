"""Reloads, restarts and deaths of workers, changes of tokens, both ways at once: never a wrong
answer, and all goes on by itself."""

import os
import signal
import threading
import time

from client import Http1, Http2
from gateway import BASIN, GatewayTest, main
from wire import GZIP, Record, all_frames, append_input, frame, terminal_of

GOOD, BAD, GONE = "/v1/streams/mine%2Fa", "/v1/streams/yours%2Fa", "/v1/streams/mine%2Fgone"


class Traffic(threading.Thread):
    """Asks again and again until it is told to stop; what was wrong is in `wrong`."""

    def __init__(self, world, allowed, revoked):
        super().__init__(daemon=True)
        self.world = world
        self.allowed = allowed
        self.revoked = revoked
        self.ends = threading.Event()
        self.wrong = []
        self.counts = {}

    def run(self):
        number = 0
        while not self.ends.is_set():
            number += 1
            for credential, path, right in ((self.allowed, GOOD, 200), (self.allowed, BAD, 403),
                                            (self.revoked, GOOD, 401), (None, GOOD, 401)):
                try:
                    answer = self.world.ask("GET", path, credential, basin=BASIN,
                                            http=1 + number % 2)
                except (OSError, AssertionError) as mistake:
                    self.note("cut", mistake)
                    continue
                self.note(answer.status, None)
                # Nothing at all is in order where a worker has died; an allowance never is.
                if answer.status not in (right, 503, None):
                    self.wrong.append((path, right, answer))

    def note(self, what, _):
        self.counts[what] = self.counts.get(what, 0) + 1


class Workers(GatewayTest):
    OPTIONS = {"workers": 2, "shutdown": "2s", "serve": ("--lease", "60")}

    def setUp(self):
        super().setUp()
        for name in "mine/a", "yours/a":
            self.s2.add(BASIN, name)

    def during(self, action, seconds=3):
        """Does something over and over while there is traffic."""
        allowed = self.token(["get-stream-config"], streams="mine/")
        revoked = self.world.token("revoked-one")
        self.world.revoke("revoked-one")
        traffic = [Traffic(self.world, allowed, revoked) for _ in range(2)]
        for one in traffic:
            one.start()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            action()
        for one in traffic:
            one.ends.set()
        for one in traffic:
            one.join()
        self.world.opened.clear()
        counts = {}
        for one in traffic:
            self.assertEqual(one.wrong, [])
            for key, count in one.counts.items():
                counts[key] = counts.get(key, 0) + count
        for status in 200, 401, 403:
            self.assertGreater(counts.get(status, 0), 3, counts)
        for seen in self.s2.take():
            self.assertEqual(seen.path, GOOD)
        return counts

    def test_reloads(self):
        def reload():
            self.world.reload()
            time.sleep(0.2)
        counts = self.during(reload)
        self.assertNotIn(503, counts)

    def test_workers_that_are_killed(self):
        self.world.expected.append("exited on signal 9")

        def kill():
            workers = self.world.workers()
            if workers:
                os.kill(workers[0], signal.SIGKILL)
            time.sleep(0.3)
        self.during(kill)

    def test_tokens_that_come_and_go(self):
        def change():
            self.world.token("comes", ["get-stream-config"], streams="yours/")
            self.world.revoke("comes")
        counts = self.during(change)
        self.assertNotIn(503, counts)

    def test_a_configuration_that_is_wrong_changes_nothing(self):
        self.world.expected.append("emerg")
        old = self.world.workers()
        self.world.configure(http="weir_tokens twice;")
        self.addCleanup(self.world.configure)
        self.world.nginx.send_signal(signal.SIGHUP)
        self.world.until(lambda: "[emerg]" in self.world.error_log())
        time.sleep(0.3)
        self.assertEqual(self.world.workers(), old)
        self.assertEqual(self.ask("GET", GOOD, self.root, basin=BASIN).status, 200)

    def test_revoked_is_revoked_in_each_worker(self):
        for number in range(20):
            name = f"each-{number}"
            credential = self.world.token(name)
            clients = [self.world.http2() for _ in range(4)]
            headers = self.world.headers(credential, (), BASIN)
            for client in clients:
                self.assertEqual(client.open("GET", GOOD, headers).finish().status, 200)
            self.world.revoke(name)
            for client in clients:
                self.assertEqual(client.open("GET", GOOD, headers).finish().status, 401)
            self.world.close_clients()

    def test_much_both_ways_at_once(self):
        """Forty megabytes under back-pressure, looked at and not."""
        content = [os.urandom(1 << 20) for _ in range(4)]
        for ops in (["append", "create-stream"], None):
            for http in 1, 2:
                with self.subTest(ops=ops, http=http):
                    self.s2.basins[BASIN].streams["s"].clear()
                    stream = self.world.open("POST", "/v1/streams/s/records", self.token(ops),
                                             [("content-type", "s2s/proto")], http=http,
                                             sends=True)
                    sender = threading.Thread(target=self.send_all, args=(stream, content),
                                              daemon=True)
                    if http == 1:
                        sender.start()
                        stream.finish(120)
                        sender.join()
                    else:
                        self.send_all(stream, content)
                        stream.finish(120)
                    self.assertIsNone(terminal_of(stream.body))
                    self.assertEqual(len(all_frames(stream.body)), 40)
                    self.assertEqual([record.body for record in self.s2.records(BASIN, "s")],
                                     content * 10)

    @staticmethod
    def send_all(stream, content):
        for number in range(40):
            stream.send(frame(append_input([Record(content[number % 4])])))
        stream.send(b"", end=True)

    def test_a_server_that_does_not_take_it(self):
        """What it does not take is not held: the client is slowed down."""
        self.s2.stalls = True
        stream = self.world.open("POST", "/v1/streams/s/records",
                                 self.token(["append", "create-stream"]),
                                 [("content-type", "s2s/proto")], sends=True)
        stream.socket.settimeout(1)
        sent = 0
        some = frame(append_input([Record(bytes(1 << 20))]))
        try:
            while sent < 64 << 20:
                stream.socket.sendall(b"%x\r\n%s\r\n" % (len(some), some))
                sent += len(some)
        except TimeoutError:
            pass
        self.assertLess(sent, 16 << 20)


class Tls(GatewayTest):
    def test_alpn(self):
        headers = self.world.headers(self.root, [("connection", "close")], BASIN)
        client = self.world.connect_tls("http/1.1")
        self.assertEqual(client.selected_alpn_protocol(), "http/1.1")
        self.assertEqual(Http1(client, "GET", "/v1/streams/s", headers).finish().status, 200)
        client = self.world.connect_tls("h2", "http/1.1")
        self.assertEqual(client.selected_alpn_protocol(), "h2")
        connection = Http2(client)
        self.assertEqual(connection.open("GET", "/v1/streams/s", headers[:2]).finish().status,
                         200)
        stream = connection.open("POST", "/v1/streams/s/records",
                                 [*headers[:2], ("content-type", "s2s/proto")], end=False)
        stream.send(frame(append_input([Record(b"x")]), GZIP))
        stream.until(lambda it: all_frames(it.body), "an acknowledgement")
        self.world.revoke("root")
        stream.finish()
        self.assertEqual(terminal_of(stream.body)[0], 401)


if __name__ == "__main__":
    main()
