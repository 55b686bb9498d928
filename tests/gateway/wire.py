"""S2's records on the wire: protobuf messages and the frames of sessions, plainly."""

import gzip
import json
import struct

import zstandard

RECORDS, MATCH_SEQ_NUM, FENCING_TOKEN = 1, 2, 3  # of AppendInput

TERMINAL = 0x80
NONE, ZSTD, GZIP = 0x00, 0x20, 0x40  # how a frame's content is compressed


def varint(number):
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def field(number, value):
    """A field: a number, or bytes."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def fields(message):
    """The fields of a message: pairs of number and value."""
    at = 0

    def number():
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7

    while at < len(message):
        key = number()
        if key & 7 == 0:
            yield key >> 3, number()
        elif key & 7 == 2:
            length = number()
            yield key >> 3, bytes(message[at:at + length])
            at += length
        else:
            raise ValueError(f"a field of wire type {key & 7}")


class Record:
    """A record: `body` and `headers`, pairs of bytes."""

    def __init__(self, body=b"", headers=(), timestamp=None):
        self.body = body
        self.headers = [tuple(pair) for pair in headers]
        self.timestamp = timestamp

    def __eq__(self, other):
        return (self.body, self.headers) == (other.body, other.headers)

    def __repr__(self):
        return f"Record({self.body[:60]!r}, {self.headers!r})"

    def proto(self):
        out = b"" if self.timestamp is None else field(1, self.timestamp)
        for name, value in self.headers:
            out += field(2, field(1, name) + field(2, value))
        return out + field(3, self.body)

    def json(self, base64=None):
        text = base64 or (lambda value: value.decode())
        return {"headers": [[text(name), text(value)] for name, value in self.headers],
                "body": text(self.body)}

    @staticmethod
    def of_proto(message):
        record = Record()
        for number, value in fields(message):
            if number == 1:
                record.timestamp = value
            elif number == 2:
                pair = dict(fields(value))
                record.headers.append((pair.get(1, b""), pair.get(2, b"")))
            elif number == 3:
                record.body = value
        return record


FENCE = Record(b"token", [(b"", b"fence")])
TRIM = Record(struct.pack(">Q", 0), [(b"", b"trim")])


def append_input(records):
    return b"".join(field(RECORDS, record.proto()) for record in records)


def records_of(message):
    return [Record.of_proto(value) for number, value in fields(message) if number == RECORDS]


def position(number):
    return field(1, number) + field(2, 0)


def append_ack(start, end):
    return field(1, position(start)) + field(2, position(end)) + field(3, position(end))


def read_batch(records, tail):
    """`records`: pairs of sequence number and record."""
    out = b""
    for number, record in records:
        message = field(1, number) + field(2, 0)
        for name, value in record.headers:
            message += field(3, field(1, name) + field(2, value))
        out += field(1, message + field(4, record.body))
    return out + field(2, position(tail))


def compress(content, how):
    if how == GZIP:
        return gzip.compress(content)
    return zstandard.compress(content) if how == ZSTD else content


def decompress(content, how):
    if how == GZIP:
        return gzip.decompress(content)
    if how == ZSTD:
        return zstandard.ZstdDecompressor().decompressobj().decompress(content)
    return content


def frame(content, flag=NONE):
    """A frame, its content compressed as its flag says."""
    content = compress(content, flag & 0x60)
    return (len(content) + 1).to_bytes(3, "big") + bytes([flag]) + content


def terminal(status, code, message):
    content = status.to_bytes(2, "big") + json.dumps({"code": code, "message": message}).encode()
    return (len(content) + 1).to_bytes(3, "big") + bytes([TERMINAL]) + content


class Frames:
    """Takes bytes, and gives the frames in them: pairs of flag and content."""

    def __init__(self):
        self.pending = b""

    def take(self, some):
        self.pending += some
        while len(self.pending) >= 4:
            end = 3 + int.from_bytes(self.pending[:3], "big")
            if len(self.pending) < end:
                return
            flag, content = self.pending[3], self.pending[4:end]
            self.pending = self.pending[end:]
            yield flag, content


def all_frames(some):
    return list(Frames().take(some))


def terminal_of(some):
    """Status and JSON of the terminal frame at the end of these bytes, or None."""
    frames = all_frames(some)
    if not frames or frames[-1][0] & TERMINAL == 0:
        return None
    return int.from_bytes(frames[-1][1][:2], "big"), json.loads(frames[-1][1][2:])
