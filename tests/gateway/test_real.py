"""The gateway before the real s2-lite, whose program WEIR_S2_LITE names: what the other tests ask
of a stand-in holds of the server, too."""

import base64
import gzip
import json
import os
import signal
import socket
import subprocess
import time
import unittest
import urllib.request

import zstandard

from gateway import BOUND, World, main, quoted, records
from wire import (FENCE, GZIP, NONE, ZSTD, Record, all_frames, append_input, frame, terminal_of)

S2_LITE = os.environ.get("WEIR_S2_LITE", "")
BASIN = "real-basin"
SESSION = [("content-type", "s2s/proto")]
PROTOBUF = [("content-type", "application/protobuf")]


class RealWorld(World):
    """With the real server, in memory, on a port of this machine."""

    def start_s2(self):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.upstream = f"127.0.0.1:{port}"
        with open(self.path("s2-lite.log"), "wb") as log:
            self.lite = subprocess.Popen([S2_LITE, "--port", str(port)], stdin=subprocess.DEVNULL,
                                         stdout=log, stderr=log, cwd=self.folder)
        self.addCleanup(self.end_s2)
        self.until(lambda: self.is_well(port), "s2-lite")

    @staticmethod
    def is_well(port):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False

    def end_s2(self):
        self.lite.send_signal(signal.SIGKILL)
        self.lite.wait()


@unittest.skipUnless(S2_LITE, "WEIR_S2_LITE names no s2-lite")
class Real(unittest.TestCase):
    number = 0

    @classmethod
    def setUpClass(cls):
        cls.world = RealWorld()
        cls.world.__enter__()
        cls.addClassCleanup(cls.world.__exit__)
        answer = cls.world.ask("POST", "/v1/basins", cls.world.root, {"basin": BASIN})
        if answer.status != 201:
            raise AssertionError(answer)

    def setUp(self):
        self.world.close_clients()
        Real.number += 1
        self.stream = f"t{Real.number}/a b"
        self.root = self.world.root
        self.succeeds("POST", "/v1/streams", self.root, {"stream": self.stream})

    def ask(self, *arguments, **options):
        return self.world.ask(*arguments, basin=BASIN, **options)

    def succeeds(self, *arguments, **options):
        answer = self.ask(*arguments, **options)
        self.assertLess(answer.status, 300, answer)
        return answer

    def token(self, ops=None, **fields):
        Real.number += 1
        self.name = f"real-{Real.number}"
        return self.world.token(self.name, ops, **fields)

    def bodies(self, credential=None, stream=None):
        answer = self.ask("GET", records(stream or self.stream) + "?seq_num=0",
                          credential or self.root, headers=[("s2-format", "base64")])
        if answer.status == 416:  # there are none
            return []
        self.assertEqual(answer.status, 200, answer)
        return [base64.b64decode(record.get("body", ""))
                for record in answer.json["records"]]

    def test_appends_of_all_forms(self):
        sent = []
        for ops in ["append", "create-stream"], ["append"], None:
            credential = self.token(ops)
            for encoding, pack in ((None, bytes), ("gzip", gzip.compress),
                                   ("zstd", zstandard.compress)):
                packed = [("content-encoding", encoding)] if encoding else []
                for http in 1, 2:
                    body = f"{ops} {encoding} {http}".encode()
                    sent += [body] * 3
                    record = Record(body, [(b"n", b"v")])
                    path = records(self.stream)
                    kind = ("content-type", "application/json")
                    self.succeeds("POST", path, credential,
                                  pack(json.dumps({"records": [record.json()]}).encode()),
                                  [kind, *packed], http=http)
                    self.succeeds("POST", path, credential, pack(json.dumps({"records": [
                        record.json(lambda value: base64.b64encode(value).decode())]}).encode()),
                        [kind, ("s2-format", "base64"), *packed], http=http)
                    self.succeeds("POST", path, credential, pack(append_input([record])),
                                  [*PROTOBUF, *packed], http=http)
        self.assertEqual(self.bodies(), sent)
        self.assertEqual(self.succeeds("GET", records(self.stream) + "/tail", self.root).json[
            "tail"]["seq_num"], len(sent))

    def test_fences_and_trims(self):
        appends = self.token(["append"])
        fences = self.token(["fence"])
        answer = self.ask("POST", records(self.stream), appends, append_input([FENCE]), PROTOBUF)
        self.assertEqual((answer.status, answer.json["code"]), (403, "permission_denied"))
        self.assertEqual(self.bodies(), [])
        self.succeeds("POST", records(self.stream), fences, append_input([FENCE]), PROTOBUF)
        self.assertEqual(self.bodies(), [FENCE.body])

    def test_sessions(self):
        for ops in ["append", "read"], None:
            for http in 1, 2:
                with self.subTest(ops=ops, http=http):
                    self.setUp()
                    credential = self.token(ops)
                    reader = self.world.open("GET", records(self.stream) + "?seq_num=0",
                                             credential, SESSION, BASIN, http)
                    events = self.world.open("GET", records(self.stream) + "?seq_num=0",
                                             credential, [("accept", "text/event-stream")], BASIN,
                                             http)
                    writer = self.world.open("POST", records(self.stream), credential, SESSION,
                                             BASIN, http, sends=True)
                    for number, flag in enumerate((NONE, GZIP, ZSTD)):
                        writer.send(frame(append_input([Record(b"record-%d" % number)]), flag))
                        writer.until(lambda it: len(all_frames(it.body)) > number, "ack")
                        for one in reader, events:
                            one.until(lambda it: b"record-%d" % number in it.body, "the record")
                    begin = time.monotonic()
                    self.world.revoke(self.name)
                    for one in reader, events, writer:
                        one.finish()
                        self.assertTrue(one.ended, one)
                    self.assertLess(time.monotonic() - begin, BOUND)
                    for one in reader, writer:
                        self.assertEqual(terminal_of(one.body)[0], 401)
                    self.assertIn(b"event: error", events.body)
                    self.assertEqual(self.bodies(), [b"record-%d" % number for number in range(3)])

    def test_auto_prefix(self):
        credential = self.token(streams="tenant/", auto_prefix_streams=True)
        for name in "a", "b/c":
            answer = self.succeeds("POST", "/v1/streams", credential, {"stream": name})
            self.assertEqual(answer.json["name"], name)
        answer = self.succeeds("GET", "/v1/streams", credential)
        self.assertEqual([one["name"] for one in answer.json["streams"]], ["a", "b/c"])
        answer = self.succeeds("GET", "/v1/streams?prefix=tenant%2F", self.root)
        self.assertEqual([one["name"] for one in answer.json["streams"]],
                         ["tenant/a", "tenant/b/c"])
        self.succeeds("POST", records("a"), credential, {"records": [{"body": "x"}]})
        self.assertEqual(self.bodies(stream="tenant/a"), [b"x"])
        for method, path in (("GET", "/v1/streams/gone"), ("GET", records("gone")),
                             ("DELETE", "/v1/streams/gone"), ("GET", records("gone") + "/tail")):
            answer = self.ask(method, path, credential)
            self.assertEqual((answer.status, answer.json["code"]), (404, "stream_not_found"))
            self.assertNotIn(b"tenant", answer.body)
        answer = self.ask("POST", "/v1/streams", credential, {"stream": "a"})
        self.assertEqual(answer.status, 409)
        self.assertNotIn(b"tenant", answer.body)

    def test_pages(self):
        names = [f"pages/{place}/{number}" for place in "xyz" for number in range(5)]
        for name in names:
            self.succeeds("PUT", "/v1/streams/" + quoted(name), self.root, {})
        credential = self.token(["list-streams"], streams="pages/y/")
        for limit in 1, 2, 5, 100:
            found, after = [], ""
            while True:
                answer = self.succeeds(
                    "GET", f"/v1/streams?limit={limit}&start_after={quoted(after)}", credential)
                found += [one["name"] for one in answer.json["streams"]]
                if not answer.json["has_more"]:
                    break
                after = found[-1]
            self.assertEqual(found, names[5:10])
        answer = self.succeeds("GET", "/v1/basins", self.token(["list-basins"], basins="real-"))
        self.assertEqual([one["name"] for one in answer.json["basins"]], [BASIN])

    def test_creating_by_the_way(self):
        basin = "creating-basin"
        answer = self.world.ask("POST", "/v1/basins", self.root, {
            "basin": basin, "config": {"create_stream_on_append": True,
                                       "create_stream_on_read": True}})
        self.assertEqual(answer.status, 201, answer)
        credential = self.token(["append", "read", "check-tail"])
        for method, path, body in (("POST", records("new"), {"records": [{"body": "x"}]}),
                                   ("GET", records("new"), None),
                                   ("GET", records("new") + "/tail", None)):
            answer = self.world.ask(method, path, credential, body, basin=basin)
            self.assertEqual((answer.status, answer.json["code"]), (404, "stream_not_found"))
            listed = self.world.ask("GET", "/v1/streams", self.root, basin=basin)
            self.assertEqual(listed.json["streams"], [])
        answer = self.world.ask("POST", records("new"), self.token(["append", "create-stream"]),
                                {"records": [{"body": "x"}]}, basin=basin)
        self.assertEqual(answer.status, 200, answer)
        answer = self.world.ask("GET", records("new") + "?seq_num=0", credential, basin=basin)
        self.assertEqual(answer.status, 200, answer)

    def test_when_the_server_is_killed(self):
        self.world.expected.append("connect\\(\\) failed|upstream prematurely")
        stream = self.world.open("GET", records(self.stream), self.root, SESSION, BASIN)
        stream.until(lambda it: it.status == 200, "the head")
        self.world.end_s2()
        stream.finish()
        answer = self.ask("GET", "/v1/streams/x", self.root)
        self.assertEqual((answer.status, answer.json["code"]), (503, "unavailable"))
        self.assertEqual(self.ask("GET", "/v1/streams/x", None).status, 401)
        self.world.start_s2()
        self.world.configure()
        self.world.reload()
        self.world.until(lambda: self.world.ask("POST", "/v1/basins", self.root,
                                                {"basin": BASIN}).status == 201)


if __name__ == "__main__":
    main()
