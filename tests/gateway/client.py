"""Clients of the gateway, over HTTP/1.1 and HTTP/2, that can do what no library would."""

import json
import os
import select
import time

import h2.config
import h2.connection
import h2.events
import h2.exceptions

TIMEOUT = float(os.environ.get("WEIR_PATIENCE", "60"))


class Answer:
    """What has come back so far. `headers` is a dictionary, names in lower case."""

    def __init__(self):
        self.status = None
        self.pairs = []
        self.body = b""
        self.ended = False  # as it should
        self.broken = False  # a reset, or an end in the middle

    @property
    def headers(self):
        return {name.lower(): value for name, value in self.pairs}

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def is_over(self):
        return self.ended or self.broken

    def __repr__(self):
        end = "ended" if self.ended else "broken" if self.broken else "open"
        return f"{self.status} {self.body[:300]!r} {end}"


class Stream(Answer):
    """A request and its answer, both of which may go on for long."""

    def pump(self, seconds):
        """Takes what comes within so many seconds, if anything does."""
        raise NotImplementedError

    def until(self, holds, what="it", seconds=TIMEOUT):
        """Waits until something holds of it; how long that took."""
        begin = time.monotonic()
        while not holds(self):
            left = begin + seconds - time.monotonic()
            if left < 0:
                raise AssertionError(f"{what} never came: {self!r}")
            if self.is_over:
                raise AssertionError(f"{what} never came, it is over: {self!r}")
            self.pump(min(left, 0.2))
        return time.monotonic() - begin

    def finish(self, seconds=TIMEOUT):
        """The answer once it is over."""
        self.until(lambda it: it.is_over, "the end", seconds)
        return self


# ---- HTTP/1.1 ----

class Parser:
    """Takes bytes of an HTTP/1.1 answer."""

    def __init__(self, answer, is_head):
        self.answer = answer
        self.is_head = is_head
        self.pending = b""
        self.left = None  # of a body with a length, or a chunk
        self.chunked = False

    def take(self, some):
        self.pending += some
        while self.step():
            pass

    def step(self):
        answer = self.answer
        if answer.ended:
            return False
        if answer.status is None or answer.status < 200:
            return self.head()
        if self.left is not None and (self.left > 0 or not self.chunked):
            some, self.pending = self.pending[:self.left], self.pending[self.left:]
            answer.body += some
            self.left -= len(some)
            if self.left == 0 and not self.chunked:
                answer.ended = True
            return bool(some) and not answer.ended
        if self.chunked:
            return self.chunk()
        answer.body += self.pending
        self.pending = b""
        return False

    def head(self):
        head, end, rest = self.pending.partition(b"\r\n\r\n")
        if not end:
            return False
        lines = head.decode("latin-1").split("\r\n")
        self.pending = rest
        self.answer.status = int(lines[0].split(" ")[1])
        self.answer.pairs = [tuple(line.split(": ", 1)) for line in lines[1:]]
        headers = self.answer.headers
        self.chunked = headers.get("transfer-encoding") == "chunked"
        self.left = 0 if self.chunked else int(headers["content-length"]) \
            if "content-length" in headers else None
        if self.answer.status >= 200 and (self.is_head or self.answer.status == 204
                                          or (self.left == 0 and not self.chunked)):
            self.answer.ended = True
        return True

    def chunk(self):
        if self.pending.startswith(b"\r\n"):
            self.pending = self.pending[2:]
        line, end, rest = self.pending.partition(b"\r\n")
        if not end:
            return False
        self.left = int(line, 16)
        self.pending = rest
        if self.left == 0:
            if not rest.startswith(b"\r\n"):
                self.pending = line + end + rest
                return False
            self.answer.ended = True
        return True

    def end(self):
        """The connection is closed."""
        answer = self.answer
        if not answer.ended:
            answer.ended = answer.status is not None and self.left is None and not self.chunked
            answer.broken = not answer.ended


class Http1(Stream):
    """One request on a connection of its own. `body`: bytes; None: none, and CHUNKED: to be sent
    with `send`, piece by piece."""

    CHUNKED = object()

    def __init__(self, socket, method, path, headers=(), body=None):
        super().__init__()
        self.socket = socket
        self.parser = Parser(self, method == "HEAD")
        names = {name.lower() for name, _ in headers}
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
        if "host" not in names:
            lines.append("Host: gateway")
        if body is Http1.CHUNKED:
            lines.append("Transfer-Encoding: chunked")
        elif body is not None and "content-length" not in names:
            lines.append(f"Content-Length: {len(body)}")
        self.write("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" +
                   (body if isinstance(body, bytes) else b""))

    def write(self, some):
        try:
            self.socket.sendall(some)
        except (BrokenPipeError, ConnectionResetError):
            pass  # the answer tells why, if anything does

    def send(self, some, end=False):
        if some:
            self.write(f"{len(some):x}\r\n".encode() + some + b"\r\n")
        if end:
            self.write(b"0\r\n\r\n")

    def pump(self, seconds):
        if not select.select([self.socket], [], [], seconds)[0] and not self.has_pending():
            return
        try:
            some = self.socket.recv(1 << 18)
        except ConnectionResetError:
            some = b""
        self.parser.take(some)
        if not some:
            self.parser.end()

    def has_pending(self):
        return hasattr(self.socket, "pending") and self.socket.pending() > 0

    def close(self):
        self.socket.close()


# ---- HTTP/2 ----

class Http2Stream(Stream):
    def __init__(self, connection, number):
        super().__init__()
        self.connection = connection
        self.number = number
        self.reads = True  # gives back the room that what came has taken

    def send(self, some, end=False):
        """Takes what comes meanwhile, as long as there is no room."""
        h2_ = self.connection.h2
        while some:
            size = min(h2_.local_flow_control_window(self.number), h2_.max_outbound_frame_size)
            if self.is_over:
                return  # the answer tells why
            if size == 0:
                self.pump(1)
                continue
            h2_.send_data(self.number, some[:size])
            some = some[size:]
            self.connection.flush()
        if end and not self.is_over:
            h2_.end_stream(self.number)
            self.connection.flush()

    def pump(self, seconds):
        self.connection.pump(seconds)

    def close(self):
        self.connection.socket.close()


class Http2:
    """A connection."""

    def __init__(self, socket):
        self.socket = socket
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(
            client_side=True, header_encoding="utf-8", validate_outbound_headers=False,
            normalize_outbound_headers=False))
        self.streams = {}
        self.goes_away = False
        self.pending = b""
        self.h2.initiate_connection()
        self.flush()

    def flush(self):
        try:
            self.socket.sendall(self.h2.data_to_send())
        except (BrokenPipeError, ConnectionResetError):
            pass

    def open(self, method, path, headers=(), end=True, pseudo=None):
        """A request. `pseudo`: its pseudo headers, where they are to be other than usual."""
        number = self.h2.get_next_available_stream_id()
        pseudo = pseudo or [(":method", method), (":path", path), (":scheme", "http"),
                            (":authority", "gateway")]
        self.streams[number] = Http2Stream(self, number)
        self.h2.send_headers(number, [*pseudo, *((name.lower(), value)
                                                 for name, value in headers)], end_stream=end)
        self.flush()
        return self.streams[number]

    def pump(self, seconds):
        if not select.select([self.socket], [], [], seconds)[0] and not \
                (hasattr(self.socket, "pending") and self.socket.pending() > 0):
            return
        try:
            some = self.socket.recv(1 << 18)
        except ConnectionResetError:
            some = b""
        if some:
            for event in self.h2.receive_data(self.without_goaway(some)):
                self.take(event)
            self.flush()
        else:
            for stream in self.streams.values():
                stream.broken = not stream.ended

    def without_goaway(self, some):
        """Whole frames without those of GOAWAY, after which the library takes no more of streams
        that go on."""
        self.pending += some
        kept = b""
        while len(self.pending) >= 9:
            size = 9 + int.from_bytes(self.pending[:3], "big")
            if len(self.pending) < size:
                break
            if self.pending[3] == 7:
                self.goes_away = True
                last = int.from_bytes(self.pending[9:13], "big")
                for number, stream in self.streams.items():
                    stream.broken |= number > last and not stream.ended
            else:
                kept += self.pending[:size]
            self.pending = self.pending[size:]
        return kept

    def take(self, event):
        stream = self.streams.get(getattr(event, "stream_id", None))
        if stream is None:
            return
        if isinstance(event, h2.events.ResponseReceived):
            headers = dict(event.headers)
            stream.status = int(headers.pop(":status"))
            stream.pairs = list(headers.items())
        elif isinstance(event, h2.events.DataReceived):
            stream.body += event.data
            if stream.reads:
                self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.StreamEnded):
            stream.ended = True
        elif isinstance(event, h2.events.StreamReset):
            stream.broken = not stream.ended
