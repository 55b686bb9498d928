"""weir serve: bodies, however they are encoded and however long."""

import gzip
import json
import random
import shutil
import subprocess
import unittest
import zlib

from server import TOKENS, ServeTest, main

MIB = 1 << 20


def zstd(data, *flags):
    return subprocess.run(["zstd", "-q", "-c", *flags], input=data, stdout=subprocess.PIPE,
                          check=True).stdout


def zstd_stored(data):
    """A frame of zstd made by hand: raw blocks, no checksum, size not told, window of 1 MiB."""
    frame = bytearray(b"\x28\xb5\x2f\xfd\x00\x50")
    pieces = [data[place:place + 65536] for place in range(0, len(data), 65536)] or [b""]
    for number, piece in enumerate(pieces):
        last = number == len(pieces) - 1
        frame += (len(piece) << 3 | last).to_bytes(3, "little") + piece
    return bytes(frame)


def zstd_repeated(size, window=b"\x58"):
    """A bomb: blocks that each are one byte, 128 KiB times."""
    frame = bytearray(b"\x28\xb5\x2f\xfd\x00" + window)
    for number in range(size // 131072):
        last = number == size // 131072 - 1
        frame += (131072 << 3 | 1 << 1 | last).to_bytes(3, "little") + b" "
    return bytes(frame)


class Bodies(ServeTest):
    def setUp(self):
        super().setUp()
        self.server = self.serve()

    def encoded(self, data, encoding, *headers):
        return self.server.issue(self.root, data,
                                 headers=[("Content-Encoding", encoding), *headers])

    def body(self, name, size=None):
        """A token's JSON, with blanks behind it up to a size."""
        data = json.dumps(self.token(name)).encode()
        return data + b" " * (size - len(data)) if size else data

    def assert_refused(self, answer, *, status, code):
        self.assert_error(answer, status, code)
        self.assertEqual(self.server.ask("GET", "/health").status, 200)

    def test_gzip_is_decoded(self):
        for number, (encoding, data) in enumerate((
                ("gzip", gzip.compress(self.body("a0"))), ("GZIP", gzip.compress(self.body("a1"))),
                ("x-gzip", gzip.compress(self.body("a2"))),
                ("gzip", gzip.compress(self.body("a3")[:9]) + gzip.compress(self.body("a3")[9:])),
                (" gzip ", gzip.compress(self.body("a4"), 0)))):
            with self.subTest(number=number):
                self.assertEqual(self.encoded(data, encoding).status, 201)

    def test_zstd_is_decoded(self):
        body = self.body("b")
        self.assertEqual(self.encoded(zstd_stored(body), "zstd").status, 201)
        two = zstd_stored(self.body("c")[:7]) + zstd_stored(self.body("c")[7:])
        self.assertEqual(self.encoded(two, "Zstd").status, 201)
        skipped = b"\x50\x2a\x4d\x18\x04\x00\x00\x00abcd" + zstd_stored(self.body("d"))
        self.assertEqual(self.encoded(skipped, "zstd").status, 201)

    @unittest.skipUnless(shutil.which("zstd"), "needs zstd")
    def test_what_zstd_makes_is_decoded(self):
        for number, flags in enumerate((["-3"], ["-19"], ["--no-check"], ["--no-content-size"],
                                        ["--long=31"])):
            self.assertEqual(self.encoded(zstd(self.body(f"e{number}"), *flags), "zstd").status, 201)

    def test_identity_is_what_it_is(self):
        self.assertEqual(self.encoded(self.body("f"), "identity").status, 201)

    def test_an_encoding_that_is_not_ours_is_refused(self):
        for encoding in ("br", "deflate", "gzip, gzip", "gzip,zstd", "compress", "", "*",
                         "gzip;q=1"):
            with self.subTest(encoding=encoding):
                self.assert_refused(self.encoded(self.body("g"), encoding), status=415,
                                    code="unsupported_media_type")

    def test_a_body_that_is_not_encoded_as_it_says_is_refused(self):
        whole = gzip.compress(self.body("h"))
        for data in (self.body("h"), b"", whole[:-1], whole[:-9], whole + b"x", whole[:10],
                     whole + whole[:12], zlib.compress(self.body("h")),
                     whole[:-8] + bytes(4) + whole[-4:], zstd_stored(self.body("h"))):
            with self.subTest(data=data):
                self.assert_refused(self.encoded(data, "gzip"), status=400, code="bad_json")
        whole = zstd_stored(self.body("h"))
        for data in (self.body("h"), whole[:-1], whole[:5], whole + b"x", whole + whole[:7],
                     gzip.compress(self.body("h"))):
            with self.subTest(data=data):
                self.assert_refused(self.encoded(data, "zstd"), status=400, code="bad_json")

    def test_a_body_has_a_mebibyte_at_most(self):
        self.assertEqual(self.server.issue(self.root, self.body("i", MIB)).status, 201)
        self.assert_refused(self.server.issue(self.root, self.body("j", MIB + 1)), status=413,
                            code="too_large")
        self.assert_refused(self.encoded(gzip.compress(random.Random(1).randbytes(MIB + 1)), "gzip"),
                            status=413, code="too_large")
        self.assert_refused(self.server.issue(self.root, b"", headers=[
            ("Content-Length", "100000000000")]), status=413, code="too_large")

    def test_a_chunked_body_has_a_mebibyte_at_most(self):
        def chunked(data):
            pieces = [data[place:place + 60000] for place in range(0, len(data), 60000)]
            return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + \
                b"0\r\n\r\n"

        headers = [("Transfer-Encoding", "chunked")]
        answer = self.server.issue(self.root, chunked(self.body("k", MIB)), headers=headers)
        self.assertEqual(answer.status, 201)
        answer = self.server.issue(self.root, chunked(self.body("l", MIB + 1)), headers=headers)
        self.assert_refused(answer, status=413, code="too_large")

    def test_a_decoded_body_has_four_mebibytes_at_most(self):
        for encoding, encode in ("gzip", gzip.compress), ("zstd", zstd_stored):
            longest, longer = self.body(encoding, 4 * MIB), self.body("m", 4 * MIB + 1)
            if encoding == "zstd":
                longest, longer = longest[:MIB - 100].rstrip(), None
            self.assertEqual(self.encoded(encode(longest), encoding).status, 201)
            if longer:
                self.assert_refused(self.encoded(encode(longer), encoding), status=413,
                                    code="too_large")
        blanks = zstd_repeated(4 * MIB - 131072) + zstd_stored(self.body("n", 131072))
        self.assertEqual(self.encoded(blanks, "zstd").status, 201)
        self.assert_refused(self.encoded(blanks + zstd_stored(b" "), "zstd"), status=413,
                            code="too_large")

    def test_a_bomb_is_refused(self):
        """A gigabyte of blanks in some kilobytes, and a window of terabytes."""
        piece = gzip.compress(bytes(16 * MIB), 1)
        self.assert_refused(self.encoded(piece * (MIB // len(piece)), "gzip"), status=413,
                            code="too_large")
        self.assert_refused(self.encoded(zstd_repeated(1024 * MIB), "zstd"), status=413,
                            code="too_large")
        self.assert_refused(self.encoded(zstd_repeated(1024 * MIB, b"\xff"), "zstd"), status=400,
                            code="bad_json")
        with open(f"/proc/{self.server.process.pid}/status", encoding="ascii") as file:
            peak = [int(line.split()[1]) for line in file if line.startswith("VmHWM")]
        self.assertLess(peak[0], 1 << 18)

    def test_a_body_is_json(self):
        for number, kind in enumerate((
                "application/json", "APPLICATION/JSON", "application/json; charset=utf-8",
                "application/json;charset=utf-8", "application/vnd.s2+json")):
            answer = self.server.issue(self.root, self.body(f"o{number}"),
                                       headers=[("Content-Type", kind)])
            self.assertEqual(answer.status, 201, kind)
        for kind in ("text/plain", "application/x-www-form-urlencoded", "", "application/jsonx",
                     "application/protobuf", "application/+json", "text/x+json", "json"):
            answer = self.server.issue(self.root, self.body("p"), headers=[("Content-Type", kind)])
            self.assert_refused(answer, status=415, code="unsupported_media_type")

    def test_who_may_not_is_told_before_the_body_is_read(self):
        for credential, status in (None, 401), ("x", 401):
            authorization = f"Authorization: Bearer {credential}\r\n" if credential else ""
            request = (f"POST {TOKENS} HTTP/1.1\r\nHost: x\r\n{authorization}"
                       f"Content-Length: 1000\r\nExpect: 100-continue\r\n\r\n")
            answer = self.server.raw(request.encode())
            self.assertTrue(answer.startswith(b"HTTP/1.1 %d " % status), answer)

    def test_who_asks_whether_to_go_on_is_told_to(self):
        body = self.body("q")
        request = (f"POST {TOKENS} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {self.root}\r\n"
                   f"Content-Length: {len(body)}\r\nExpect: 100-continue\r\n"
                   f"Connection: close\r\n\r\n")
        answer = self.server.raw(request.encode() + body)
        self.assertTrue(answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 "), answer)

    def test_a_body_that_nothing_asks_for_is_dropped(self):
        self.assertEqual(self.server.ask("GET", TOKENS, self.root, body=b"x" * MIB).status, 200)
        self.server.issue(self.root, self.token("r"))
        self.assertEqual(self.server.revoke(self.root, "r", body=b"x" * MIB).status, 204)

    def test_memory_for_bodies_is_given_back(self):
        for _ in range(4):
            self.encoded(gzip.compress(b" " * 4 * MIB), "gzip")
            self.server.issue(self.root, b" " * MIB)
            self.server.issue(self.root, b" " * (MIB + 1))
            self.server.list(self.root)
        self.assertEqual(self.server.metrics()["weir_buffered_bytes"], 0)


if __name__ == "__main__":
    main()
