"""Append bodies of every encoding: what they need, and what of them reaches the server."""

import base64
import gzip
import json
import random

import zstandard

from gateway import BASIN, GatewayTest, main
from wire import (FENCE, GZIP, NONE, TRIM, ZSTD, Record, all_frames, append_input, decompress,
                  field, frame, records_of, terminal_of, varint)

PATH = "/v1/streams/s/records"
PLAIN = Record(b"a body", [(b"name", b"value"), (b"", b"")])
BINARY = Record(bytes(range(256)), [(b"\x00\xff", b"\xfe")])
COMMANDS = [("fence", FENCE), ("trim", TRIM)]
# Records that look like commands and are none.
DECOYS = [Record(b"", [(b"", b"fence"), (b"", b"trim")]), Record(b"", [(b"", b"Fence")]),
          Record(b"", [(b"", b"fence ")]), Record(b"", [(b" ", b"fence")]),
          Record(b"", [(b"fence", b"")]), Record(b"fence", []), Record(b"", [(b"", b"")]),
          Record(b"", [(b"", b"trim"), (b"a", b"b")]), Record(b"", [(b"", b"tri")])]


def text64(value):
    return base64.b64encode(value).decode()


def as_json(records):
    return json.dumps({"records": [record.json() for record in records]}).encode()


def as_base64(records):
    return json.dumps({"records": [record.json(text64) for record in records]}).encode()


JSON = ("content-type", "application/json")
FORMS = {
    "json": (as_json, [JSON]),
    "base64": (as_base64, [JSON, ("s2-format", "base64")]),
    "protobuf": (append_input, [("content-type", "application/protobuf")]),
}
ENCODINGS = {None: bytes, "identity": bytes, "gzip": gzip.compress, "zstd": zstandard.compress}


class Appends(GatewayTest):
    def setUp(self):
        super().setUp()
        # Each may create streams, too, so that it is not asked first if this one is there.
        self.may = {ops: self.token([*ops, "create-stream"]) for ops in
                    (("append",), ("fence",), ("trim",), ("append", "fence"), ("append", "trim"),
                     ("fence", "trim"), ("append", "fence", "trim"))}

    def append(self, records, ops, form="protobuf", encoding=None, http=1):
        make, headers = FORMS[form]
        if encoding:
            headers = [*headers, ("content-encoding", encoding)]
        return self.ask("POST", PATH, self.may[ops], ENCODINGS[encoding](make(records)), headers,
                        BASIN, http)

    def send(self, body, headers, ops=("append",)):
        return self.ask("POST", PATH, self.may[ops], body, headers, BASIN)

    def test_each_form_reaches_the_server_as_the_same_records(self):
        for form in FORMS:
            records = [PLAIN, *DECOYS]
            if form != "json":
                records = [*records, BINARY]
            for encoding in ENCODINGS:
                for http in 1, 2:
                    with self.subTest(form=form, encoding=encoding, http=http):
                        self.s2.reset()
                        self.s2.add(BASIN, "s")
                        answer = self.append(records, ("append",), form, encoding, http)
                        self.assert_passed(answer, "POST " + PATH)
                        self.assertEqual(self.s2.records(BASIN, "s"), records)
                        self.assertEqual(answer.json["end"]["seq_num"], len(records))

    def test_who_may_all_sends_bytes_that_nobody_looked_at(self):
        for form in FORMS:
            for encoding in ENCODINGS:
                with self.subTest(form=form, encoding=encoding):
                    make, headers = FORMS[form]
                    body = ENCODINGS[encoding](make([PLAIN, FENCE]))
                    answer = self.append([PLAIN, FENCE], ("append", "fence", "trim"), form,
                                         encoding)
                    seen = self.assert_passed(answer, "POST " + PATH)
                    self.assertEqual(seen.header("content-type"), headers[0][1])
                    if encoding != "zstd":
                        self.assertEqual(len(seen.body), len(body))
                    else:
                        self.assertEqual(seen.body, body)

    def test_each_command_needs_its_own_operation(self):
        for form in FORMS:
            for encoding in None, "gzip", "zstd":
                for name, command in COMMANDS:
                    other = "trim" if name == "fence" else "fence"
                    for records, ops, allowed in (
                            ([command], (name,), True),
                            ([command], ("append",), False),
                            ([command], (other,), False),
                            ([PLAIN, command], ("append", name), True),
                            ([PLAIN, command], (name,), False),
                            ([PLAIN] * 30 + [command], ("append",), False),
                            ([command] + [PLAIN] * 30, ("append", other), False),
                            ([FENCE, TRIM], ("fence", "trim"), True),
                            ([FENCE, TRIM], (name,), False),
                            ([FENCE, TRIM, PLAIN], ("fence", "trim"), False),
                            ([], ("append",), True), ([], ("fence", "trim"), False)):
                        ops = tuple(sorted(ops))
                        with self.subTest(form=form, encoding=encoding, command=name, ops=ops):
                            answer = self.append(records, ops, form, encoding)
                            if allowed:
                                self.assert_passed(answer, "POST " + PATH)
                            else:
                                self.assert_refused(answer, 403, "permission_denied",
                                                    "op_not_permitted")

    def test_json_is_read_as_the_server_reads_it(self):
        head = b'{"records":[{"headers":[["",'
        for value in (b'"fence"', b'"\\u0066ence"', b'"\\u0066\\u0065\\u006E\\u0063\\u0065"'):
            with self.subTest(value=value):
                self.assert_refused(self.send(head + value + b']],"body":""}]}', [JSON]), 403,
                                    "permission_denied")
        for value in (text64(b"fence"),):
            self.assert_refused(
                self.send(head + b'"' + value.encode() + b'"]],"body":""}]}',
                          [JSON, ("s2-format", "base64")]), 403, "permission_denied")
        # The same text without the header is no command, and with it "fence" is another.
        self.assert_passed(self.send(head + b'"' + text64(b"fence").encode() + b'"]]}]}', [JSON]),
                           "POST " + PATH)

    def test_what_is_no_json_is_refused(self):
        for body in (b"", b"{", b"[]", b"null", b'{"records":{}}', b'{"records":[{}]',
                     b'{"records":[]}x', b'{"records":[],"records":[]}',
                     b'\xef\xbb\xbf{"records":[]}',
                     b'{"records":[{"body":"a","body":"b"}]}', b'{"records":[{"body":1}]}',
                     b'{"records":[{"headers":[["a"]]}]}',
                     b'{"records":[{"headers":[["","x","y"]]}]}',
                     b'{"records":[{"headers":{"":"fence"}}]}', b'{"records":[{"bodi":"a"}]}',
                     b'{"Records":[]}', b'{"records":[{"body":"\xff"}]}',
                     b'{"records":[{"body":"\\ud800"}]}', b'{"records":[],}', b"{'records':[]}",
                     b'{"records":[{"headers":[["","fe\x00nce"]]}]}', b"[" * 100000):
            with self.subTest(body=body[:40]):
                self.assert_refused(self.send(body, [JSON]), 400, "bad_json")
        for value in ("Zm", "Zm9v=", "Zm9 v", "Zm9v\\n", "Z!9v", "Zm9v====", "Zh=="):
            with self.subTest(value=value):
                body = f'{{"records":[{{"body":"{value}"}}]}}'.encode()
                self.assert_refused(self.send(body, [JSON, ("s2-format", "base64")]), 400,
                                    "bad_json")

    def test_protobuf_cannot_hide_a_command(self):
        kind = [("content-type", "application/protobuf")]

        def refused(record):
            self.assert_refused(self.send(field(1, record), kind), 403, "permission_denied")

        header = field(1, b"") + field(2, b"fence")
        refused(field(2, header))  # plainly
        refused(field(2, field(2, b"fence")))  # no name is the empty one
        refused(field(2, field(1, b"name") + field(2, b"fence") + field(1, b"")))  # the last counts
        refused(field(2, field(2, b"value") + field(2, b"fence")))
        refused(field(2, header) + field(9, b"unknown") + field(7, 3))
        refused(field(2, header + field(9, b"unknown")))
        refused(field(3, b"x") + field(3, b"") + field(2, header))
        refused(b"\x92\x80\x00" + varint(len(header)) + header)  # a key longer than it need be
        refused(b"\x12" + bytes([len(header) | 0x80, 0x00]) + header)
        # Nor is what only looks so taken for one.
        self.assert_passed(
            self.send(field(1, field(2, field(2, b"fence") + field(1, b"") + field(1, b"a"))),
                      kind), "POST " + PATH)
        self.assertEqual(self.s2.records(BASIN, "s")[-1], Record(b"", [(b"a", b"fence")]))

    def test_what_is_no_protobuf_is_refused(self):
        for body in (b"\x0a", b"\x0a\x05abc", b"\xff" * 11, b"\x0b\x0c", b"\x0a\x02\x12\x7f",
                     b"\x00", b"\x07", field(1, b"\x0e"), b"\x08\x01",
                     b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\x7f", field(1, field(2, b"\xff"))):
            with self.subTest(body=body):
                self.assert_refused(
                    self.send(body, [("content-type", "application/protobuf")]), 400,
                    "bad_proto")

    def test_an_encoding_that_lies_is_refused(self):
        good = append_input([PLAIN])
        zipped = gzip.compress(good)
        packed = zstandard.compress(good)
        for encoding, body in (
                ("gzip", good), ("zstd", good), ("gzip", packed), ("zstd", zipped),
                ("gzip", zipped[:-1]), ("zstd", packed[:-1]), ("gzip", zipped + b"x"),
                ("zstd", packed + b"x"), ("gzip", b""), ("gzip", zipped[:-8] + b"\0" * 8),
                ("gzip", zipped + gzip.compress(append_input([FENCE]))), ("identity", zipped)):
            with self.subTest(encoding=encoding, body=body[:8]):
                answer = self.send(body, [("content-type", "application/protobuf"),
                                          ("content-encoding", encoding)])
                self.assertEqual(answer.status, 400, answer)
                self.assertEqual(self.s2.take(), [])
        for encoding in "br", "deflate", "gzip, gzip", "x-gzip", "gzip,", "compress":
            with self.subTest(encoding=encoding):
                self.assert_refused(self.send(good, [("content-type", "application/protobuf"),
                                                     ("content-encoding", encoding)]),
                                    415, "unsupported_media_type")

    def test_bombs_and_giants_are_refused(self):
        kind = ("content-type", "application/protobuf")
        bomb = append_input([Record(b"\0" * (64 << 20))])
        for encoding in "gzip", "zstd":
            with self.subTest(encoding=encoding):
                self.assert_refused(self.send(ENCODINGS[encoding](bomb),
                                              [kind, ("content-encoding", encoding)]),
                                    413, "too_large")
        self.assert_refused(self.send(append_input([Record(random.randbytes(5 << 20))]), [kind]),
                            413, "too_large")
        big = [Record(random.randbytes(3 << 20))]
        self.assert_passed(self.append(big, ("append",)), "POST " + PATH)
        self.assertEqual(self.s2.records(BASIN, "s"), big)

    def test_a_chunked_body_is_read_alike(self):
        for records, allowed in (([PLAIN], True), ([PLAIN, FENCE], False)):
            stream = self.world.open("POST", PATH, self.may[("append",)],
                                     [("content-type", "application/protobuf"),
                                      ("connection", "close")], sends=True)
            for byte in append_input(records):
                stream.send(bytes([byte]))
            stream.send(b"", end=True)
            stream.finish()
            stream.close()
            if allowed:
                self.assert_passed(stream, "POST " + PATH)
                self.assertEqual(self.s2.records(BASIN, "s"), records)
            else:
                self.assert_refused(stream, 403, "permission_denied")


class Sessions(GatewayTest):
    """Append sessions, whose frames are looked at one by one."""

    KIND = [("content-type", "s2s/proto")]

    def session(self, ops=("append",), http=1):
        return self.world.open("POST", PATH, self.token([*ops, "create-stream"]), self.KIND,
                               http=http, sends=True)

    def acknowledged(self, stream, count):
        return stream.until(lambda it: len(all_frames(it.body)) >= count, f"ack {count}")

    def test_each_frame_is_acknowledged_before_the_next_comes(self):
        for http in 1, 2:
            for ops in ("append",), ("append", "fence", "trim"):
                with self.subTest(http=http, ops=ops):
                    self.setUp()
                    stream = self.session(ops, http)
                    for number, flag in enumerate((NONE, ZSTD, GZIP, NONE)):
                        stream.send(frame(append_input([PLAIN, BINARY]), flag))
                        self.acknowledged(stream, number + 1)
                    stream.send(b"", end=True)
                    stream.finish()
                    stream.close()
                    self.assertTrue(stream.ended)
                    self.assertEqual(self.s2.records(BASIN, "s"), [PLAIN, BINARY] * 4)
                    seen = self.s2.take()
                    self.assertEqual([one.line for one in seen], ["POST " + PATH])
                    self.assertEqual(seen[0].header("content-type"), "s2s/proto")

    def test_a_command_that_may_not_ends_it_after_what_went_before(self):
        for http in 1, 2:
            for flag in NONE, ZSTD, GZIP:
                for records in [FENCE], [PLAIN, TRIM]:
                    with self.subTest(http=http, flag=flag, records=records):
                        self.setUp()
                        stream = self.session(http=http)
                        good = [frame(append_input([PLAIN])) for _ in range(3)]
                        stream.send(b"".join(good) + frame(append_input(records), flag) + good[0])
                        stream.finish()
                        stream.close()
                        frames = all_frames(stream.body)
                        self.assertEqual([kind & 0x80 for kind, _ in frames], [0, 0, 0, 0x80])
                        status, told = terminal_of(stream.body)
                        self.assertEqual((status, told["code"]), (403, "permission_denied"))
                        self.assertTrue(stream.ended, stream)
                        self.assertEqual(self.s2.records(BASIN, "s"), [PLAIN] * 3)

    def test_frames_split_at_every_byte(self):
        batches = [frame(append_input([PLAIN]), flag) for flag in (NONE, ZSTD, GZIP)]
        whole = b"".join(batches)
        for http in 1, 2:
            stream = self.session(http=http)
            for byte in whole:
                stream.send(bytes([byte]))
            self.acknowledged(stream, 3)
            for place in range(1, len(whole), 7):
                stream.send(whole[:place])
                stream.send(whole[place:])
            stream.send(b"", end=True)
            stream.finish()
            stream.close()
            self.assertIsNone(terminal_of(stream.body))
            self.assertEqual(self.s2.records(BASIN, "s"),
                             [PLAIN] * 3 * (1 + len(range(1, len(whole), 7))))
            self.setUp()

    def test_frames_that_cannot_be_read_end_it(self):
        good = frame(append_input([PLAIN]))
        huge = ((2 << 20) + 2).to_bytes(3, "big")
        for bad, status, code in (
                (b"\0\0\0", 400, "bad_frame"), (b"\0\0\1\x80", 400, "bad_frame"),
                (b"\0\0\1\x60", 400, "bad_frame"), (b"\0\0\1\x01", 400, "bad_frame"),
                (b"\0\0\1\x10", 400, "bad_frame"), (huge + b"\0", 413, "too_large"),
                (b"\xff\xff\xff\0", 413, "too_large"), (b"\0\0\2\x40x", 400, None),
                (b"\0\0\2\0\x0a", 400, "bad_proto"), (b"\0\0\2\x20x", 400, None),
                (frame(append_input([Record(b"\0" * (3 << 20))]), GZIP), 413, "too_large"),
                (frame(append_input([Record(b"\0" * (3 << 20))]), ZSTD), 413, "too_large")):
            with self.subTest(bad=bad[:8]):
                self.setUp()
                stream = self.session()
                stream.send(good)
                self.acknowledged(stream, 1)
                stream.send(bad)
                stream.finish()
                stream.close()
                told = terminal_of(stream.body)
                self.assertIsNotNone(told, stream)
                self.assertEqual(told[0], status)
                if code:
                    self.assertEqual(told[1]["code"], code)
                self.assertEqual(self.s2.records(BASIN, "s"), [PLAIN])

    def test_a_body_that_ends_within_a_frame(self):
        for http in 1, 2:
            self.setUp()
            stream = self.session(http=http)
            stream.send(frame(append_input([PLAIN])) + frame(append_input([PLAIN]))[:-1], end=True)
            stream.finish()
            stream.close()
            self.assertEqual(terminal_of(stream.body)[1]["code"], "bad_frame")
            self.assertEqual(self.s2.records(BASIN, "s"), [PLAIN])

    def test_the_largest_frame_passes(self):
        record = Record(random.randbytes((2 << 20) - 64))
        stream = self.session()
        content = append_input([record])
        self.assertLess(len(content), 2 << 20)
        for _ in range(3):
            stream.send(frame(content))
        self.acknowledged(stream, 3)
        stream.send(b"", end=True)
        stream.finish()
        stream.close()
        self.assertEqual(self.s2.records(BASIN, "s"), [record] * 3)

    def test_what_reaches_the_server_is_frames_of_the_same_records(self):
        stream = self.session()
        stream.send(frame(append_input([PLAIN]), GZIP) + frame(append_input([BINARY]), ZSTD),
                    end=True)
        stream.finish()
        stream.close()
        seen = self.s2.take()[0]
        self.assertEqual([records_of(decompress(content, flag & 0x60))
                          for flag, content in all_frames(seen.body)], [[PLAIN], [BINARY]])

    def test_an_encoding_around_a_session_is_refused(self):
        answer = self.ask("POST", PATH, self.token(["append", "create-stream"]), b"x",
                          [*self.KIND, ("content-encoding", "gzip")], BASIN)
        self.assert_refused(answer, 415, "unsupported_media_type")


if __name__ == "__main__":
    main()
