"""Open sessions end when their token does, within the bound; nothing else does end them."""

import json
import time
from datetime import datetime, timedelta, timezone

from gateway import BASIN, BOUND, GatewayTest, main, records
from wire import FENCE, Record, all_frames, append_input, frame, terminal_of

SESSION = [("content-type", "s2s/proto")]
EVENTS = [("accept", "text/event-stream")]
PATH = records("s")


def events_of(body):
    """The events in a body: pairs of name and data."""
    found = []
    for text in body.decode().split("\n\n")[:-1]:
        parts = dict(line.split(": ", 1) for line in text.split("\n"))
        found.append((parts.get("event"), parts["data"]))
    return found


class Kinds:
    """The ways to be open: each yields a stream that has begun, and how its end is told."""

    def read_frames(self, credential, http):
        stream = self.world.open("GET", PATH, credential, SESSION, http=http)
        stream.until(lambda it: all_frames(it.body), "a frame")
        return stream

    def read_events(self, credential, http):
        stream = self.world.open("GET", PATH, credential, EVENTS, http=http)
        stream.until(lambda it: b"\n\n" in it.body, "an event")
        return stream

    def append_frames(self, credential, http):
        stream = self.world.open("POST", PATH, credential, SESSION, http=http, sends=True)
        stream.send(frame(append_input([Record(b"x")])))
        stream.until(lambda it: all_frames(it.body), "an acknowledgement")
        return stream

    KINDS = read_frames, read_events, append_frames

    def each(self):
        for kind in self.KINDS:
            for http in 1, 2:
                yield kind, http

    def told(self, stream):
        """What its last message says: status (None in an event) and code."""
        if stream.headers["content-type"] == "text/event-stream":
            name, data = events_of(stream.body)[-1]
            self.assertEqual(name, "error", stream)
            return None, json.loads(data)["code"]
        told = terminal_of(stream.body)
        self.assertIsNotNone(told, stream)
        return told[0], told[1]["code"]

    def assert_ends(self, stream, begin, status, code, bound=BOUND):
        stream.until(lambda it: it.is_over, "the end", 60)
        took = time.monotonic() - begin
        self.assertTrue(stream.ended, stream)
        self.assertIn(self.told(stream), ((status, code), (None, code)))
        self.assertLess(took, bound)

    def assert_let_go(self):
        """The server is told that nobody listens any more."""
        self.world.until(lambda: all(one.is_answered or one.was_reset for one in self.s2.seen),
                         "the reset")


class Sessions(GatewayTest, Kinds):
    number = 0

    def setUp(self):
        super().setUp()
        Sessions.number += 1
        self.name = f"session-{Sessions.number}"

    def fresh(self, ops=None, **fields):
        Sessions.number += 1
        self.name = f"session-{Sessions.number}"
        return self.world.token(self.name, ops, **fields)

    def test_revoked(self):
        for ops in (None, ["read", "append", "create-stream"], ["read", "append"]):
            for kind, http in self.each():
                with self.subTest(kind=kind.__name__, http=http, ops=ops):
                    stream = kind(self, self.fresh(ops), http)
                    begin = time.monotonic()
                    self.world.revoke(self.name)
                    self.assert_ends(stream, begin, 401, "authn")
                    self.assert_let_go()

    def test_replaced(self):
        """It belongs to the token that was, not to the next of its name."""
        for kind, http in self.each():
            with self.subTest(kind=kind.__name__, http=http):
                stream = kind(self, self.fresh(), http)
                begin = time.monotonic()
                self.world.revoke(self.name)
                self.world.token(self.name)
                self.assert_ends(stream, begin, 401, "authn")

    def test_expired(self):
        streams = []
        for kind, http in self.each():
            at = datetime.now(timezone.utc) + timedelta(seconds=2)
            credential = self.fresh(expires_at=at.isoformat().replace("+00:00", "Z"))
            streams.append((kind(self, credential, http), at, kind, http))
        for stream, at, kind, http in streams:
            with self.subTest(kind=kind.__name__, http=http):
                begin = time.monotonic() + (at - datetime.now(timezone.utc)).total_seconds()
                self.assert_ends(stream, begin, 401, "authn")

    def test_nothing_else_ends_them(self):
        streams = [kind(self, self.fresh(), http) for kind, http in self.each()]
        for number in range(20):
            self.world.token(f"other-{number}")
            self.world.revoke(f"other-{number}")
        for stream in streams:
            had = len(stream.body)
            if stream.headers["content-type"] == "s2s/proto" and len(all_frames(stream.body)) == 1:
                stream.pump(0.5)
            self.assertFalse(stream.is_over, stream)
            self.assertGreaterEqual(len(stream.body), had)
        self.s2.add(BASIN, "s", Record(b"at last"))
        for stream in streams[:4]:
            stream.until(lambda it: b"at last" in it.body, "the record")
        for stream in streams[4:]:
            stream.send(frame(append_input([Record(b"one more")])))
            stream.until(lambda it: len(all_frames(it.body)) == 2, "an acknowledgement")

    def test_a_client_that_does_not_read_is_cut_off(self):
        self.s2.add(BASIN, "s", *(Record(bytes(1 << 20)) for _ in range(24)))
        for http in 1, 2:
            with self.subTest(http=http):
                credential = self.fresh()
                if http == 1:
                    stream = self.world.open("GET", PATH, credential, SESSION)
                else:
                    stream = self.world.http2().open(
                        "GET", PATH, self.world.headers(credential, SESSION, BASIN))
                    stream.reads = False
                stream.until(lambda it: it.status == 200, "the head")
                time.sleep(0.3)
                self.world.revoke(self.name)
                self.world.until(lambda: self.s2.seen[-1].was_reset, "the reset", BOUND)

    def test_an_answer_that_waited_is_checked_again(self):
        for http in 1, 2:
            credential = self.fresh()
            stream = self.world.open("GET", PATH + "?wait=60", credential, http=http)
            self.world.until(lambda: self.s2.seen and self.s2.seen[-1].path.endswith("wait=60"))
            begin = time.monotonic()
            self.world.revoke(self.name)
            stream.finish()
            self.assertLess(time.monotonic() - begin, BOUND)
            self.assert_error(stream, 401, "authn")
            self.s2.seen.clear()

    def test_a_change_of_what_an_append_may_hold_ends_it(self):
        """The token is the same where it is a file's; here a new one takes its place."""
        stream = self.append_frames(self.fresh(["append", "create-stream"]), 2)
        stream.send(frame(append_input([FENCE])))
        stream.finish()
        self.assertEqual(terminal_of(stream.body)[0], 403)

    def test_what_the_server_ends_it_ends(self):
        for kind, http in self.each():
            if kind is Kinds.append_frames:
                continue
            with self.subTest(kind=kind.__name__, http=http):
                self.setUp()
                stream = kind(self, self.fresh(), http)
                del self.s2.basins[BASIN].streams["s"]
                self.assert_ends(stream, time.monotonic(), 404, "stream_not_found", 30)

    def test_many_at_once(self):
        credential = self.fresh()
        client = self.world.http2()
        streams = [client.open("GET", PATH, self.world.headers(
            credential, SESSION if number % 2 else EVENTS, BASIN)) for number in range(60)]
        streams += [self.read_frames(credential, 1) for _ in range(20)]
        for stream in streams:
            stream.until(lambda it: it.body, "something")
        other = self.read_frames(self.root, 2)
        begin = time.monotonic()
        self.world.revoke(self.name)
        for stream in streams:
            stream.finish()
            self.told(stream)
        self.assertLess(time.monotonic() - begin, BOUND)
        had = len(other.body)
        other.until(lambda it: len(it.body) > had, "a heartbeat")


class Leases(GatewayTest, Kinds):
    OPTIONS = {"serve": ("--lease", "2")}

    def test_without_a_publisher_nothing_goes_on(self):
        streams = [kind(self, self.root, http) for kind, http in self.each()]
        self.world.server.process.kill()
        begin = time.monotonic()
        for stream in streams:
            self.assert_ends(stream, begin, 503, "unavailable", BOUND + 2)
        self.s2.seen.clear()
        answer = self.ask("GET", "/v1/basins/basin-one", self.root)
        self.assert_refused(answer, 503, "unavailable")
        self.assertIn("retry-after", answer.headers)
        # And once it is back all goes on by itself.
        self.world.server.process.wait()
        self.world.start_authority()
        self.world.until(lambda: self.ask("GET", "/v1/basins/basin-one", self.root).status == 200)
        self.read_frames(self.root, 1)


class Leaving(GatewayTest, Kinds):
    OPTIONS = {"shutdown": "3s"}

    def test_a_worker_that_leaves_ends_them(self):
        streams = [kind(self, self.root, http) for kind, http in self.each()]
        old = self.world.workers()
        self.world.reload()
        begin = time.monotonic()
        for stream in streams:
            self.assert_ends(stream, begin, 503, "unavailable", BOUND + 3)
        self.world.until(lambda: not set(old) & set(self.world.workers()), "the old worker's end")

    def test_one_that_drains_still_looks_for_changes(self):
        credential = self.world.token("draining")
        streams = [kind(self, credential, http) for kind, http in self.each()]
        self.world.reload()
        self.world.revoke("draining")
        begin = time.monotonic()
        for stream in streams:
            self.assert_ends(stream, begin, 401, "authn")


if __name__ == "__main__":
    main()
