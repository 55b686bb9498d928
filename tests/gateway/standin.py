"""A server that speaks as much of S2's REST interface as a gateway's tests take, over cleartext
HTTP/2, and remembers byte for byte what it was asked."""

import asyncio
import base64
import gzip
import json
import os
import threading
import urllib.parse

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import zstandard

from wire import (GZIP, NONE, ZSTD, Frames, Record, append_ack, decompress, frame, read_batch,
                  records_of, terminal)

LIST_LIMIT = 1000


class Basin:
    """Streams, each a list of records."""

    def __init__(self, on_append=False, on_read=False):
        self.on_append = on_append
        self.on_read = on_read
        self.streams = {}


class Reply(Exception):
    """What is answered instead of what else would be."""

    def __init__(self, status, value=None, headers=(), body=None):
        super().__init__(status)
        self.status = status
        self.headers = list(headers)
        self.body = body if body is not None else \
            b"" if value is None else json.dumps(value).encode()
        if body is None and value is not None:
            self.headers.append(("content-type", "application/json"))


def error(status, code, message):
    return Reply(status, {"code": code, "message": message})


def no_basin(basin):
    return error(404, "basin_not_found", f"basin `{basin}` not found")


def no_stream(basin, stream):
    return error(404, "stream_not_found", f"stream `{stream}` in basin `{basin}` not found")


class Seen:
    """A request: `headers` are pairs, `path` is as it was sent; `body` is what came so far."""

    def __init__(self, headers):
        self.pairs = headers
        self.headers = [(name, value) for name, value in headers if not name.startswith(":")]
        self.method = dict(headers)[":method"]
        self.path = dict(headers)[":path"]
        self.body = bytearray()
        self.ended = False
        self.was_reset = False
        self.is_answered = False

    def header(self, name):
        """The value of a header that is there at most once, or None."""
        values = [value for key, value in self.headers if key == name]
        if len(values) > 1:
            raise AssertionError(f"{name} is there {len(values)} times")
        return values[0] if values else None

    @property
    def line(self):
        return f"{self.method} {self.path}"

    def __repr__(self):
        return f"{self.line} {self.headers} {self.body[:100]!r}"


class Exchange:
    """A request being answered."""

    def __init__(self, connection, number, seen):
        self.connection = connection
        self.number = number
        self.seen = seen
        self.came = asyncio.Event()  # more of the body, its end, or a reset
        self.room = asyncio.Event()  # to send
        self.is_open = True
        self.task = None

    async def more(self, had):
        """Waits until more than `had` bytes have come, or the end."""
        while len(self.seen.body) <= had and not self.seen.ended:
            self.came.clear()
            await self.came.wait()

    async def whole(self):
        while not self.seen.ended:
            self.came.clear()
            await self.came.wait()
        encoding = self.seen.header("content-encoding")
        if encoding == "gzip":
            return gzip.decompress(self.seen.body)
        if encoding == "zstd":
            return zstandard.ZstdDecompressor().decompressobj().decompress(self.seen.body)
        return self.seen.body

    def begin(self, status, headers=(), end=False):
        self.connection.h2.send_headers(
            self.number, [(":status", str(status)), *headers], end_stream=end)
        self.connection.flush()

    async def send(self, data, end=False):
        while data:
            window = min(self.connection.h2.local_flow_control_window(self.number),
                         self.connection.h2.max_outbound_frame_size)
            if window <= 0:
                self.room.clear()
                await self.room.wait()
                continue
            self.connection.h2.send_data(self.number, data[:window])
            self.connection.flush()
            data = data[window:]
        if end:
            self.connection.h2.end_stream(self.number)
            self.connection.flush()

    async def reply(self, reply):
        self.begin(reply.status, [*reply.headers, ("content-length", str(len(reply.body)))],
                   end=not reply.body)
        if reply.body:
            await self.send(reply.body, end=True)


class Connection(asyncio.Protocol):
    """One of the gateway's."""

    def __init__(self, server):
        self.server = server
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(
            client_side=False, header_encoding="utf-8", validate_inbound_headers=False,
            normalize_inbound_headers=False))
        self.exchanges = {}
        self.transport = None

    def connection_made(self, transport):
        self.transport = transport
        self.server.connections.add(self)
        self.h2.initiate_connection()
        self.flush()

    def flush(self):
        self.transport.write(self.h2.data_to_send())

    def connection_lost(self, _):
        self.server.connections.discard(self)
        for exchange in list(self.exchanges.values()):
            self.close(exchange, was_reset=True)

    def data_received(self, some):
        try:
            events = self.h2.receive_data(some)
        except h2.exceptions.ProtocolError as mistake:
            self.server.mistakes.append(repr(mistake))
            self.flush()
            self.transport.close()
            return
        for event in events:
            self.take(event)
        self.flush()

    def take(self, event):
        exchange = self.exchanges.get(getattr(event, "stream_id", None))
        if isinstance(event, h2.events.RequestReceived):
            exchange = Exchange(self, event.stream_id, Seen(event.headers))
            self.exchanges[event.stream_id] = exchange
            self.server.seen.append(exchange.seen)
            exchange.task = asyncio.ensure_future(self.server.answer(exchange))
        elif isinstance(event, h2.events.DataReceived):
            if not self.server.stalls:
                self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            if exchange is not None:
                exchange.seen.body += event.data
                exchange.came.set()
        elif isinstance(event, h2.events.StreamEnded) and exchange is not None:
            exchange.seen.ended = True
            exchange.came.set()
        elif isinstance(event, h2.events.StreamReset) and exchange is not None:
            self.close(exchange, was_reset=True)
        elif isinstance(event, (h2.events.WindowUpdated, h2.events.RemoteSettingsChanged)):
            for other in self.exchanges.values():
                other.room.set()

    def close(self, exchange, was_reset=False):
        exchange.is_open = False
        exchange.seen.was_reset |= was_reset
        exchange.task.cancel()
        self.exchanges.pop(exchange.number, None)


class StandIn:
    """The server, in a thread of its own, listening on a Unix socket.

    `seen` holds all requests; `script`, a function of what was seen, may return or raise a Reply,
    or return a coroutine function of the exchange that answers it; None: as S2 would."""

    def __init__(self, path):
        self.path = path
        self.seen = []
        self.mistakes = []
        self.connections = set()
        self.basins = {}
        self.script = None
        self.stalls = False
        self.heartbeat = 0.2
        self.changed = None
        self.loop = asyncio.new_event_loop()
        self.listener = None
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.start()

    def call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(60)

    def start(self):
        async def listen():
            self.changed = asyncio.Condition()
            self.listener = await self.loop.create_unix_server(lambda: Connection(self), self.path)
        self.call(listen())

    def stop(self):
        """As if it were killed: nobody listens, all connections are cut."""
        async def end():
            self.listener.close()
            for connection in list(self.connections):
                connection.transport.abort()
        self.call(end())
        os.unlink(self.path)

    def end(self):
        self.stop()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()

    def reset(self):
        """Forgets all."""
        self.basins.clear()
        self.script = None
        self.stalls = False
        self.seen.clear()

    def take(self):
        """What was asked since the last time."""
        seen, self.seen = self.seen, []
        return seen

    def add(self, basin, stream, *records):
        """Puts records into a stream, making both; who waits for them gets them."""
        async def put():
            self.basins.setdefault(basin, Basin()).streams.setdefault(stream, []).extend(records)
            async with self.changed:
                self.changed.notify_all()
        self.call(put())

    def records(self, basin, stream):
        return self.basins[basin].streams[stream]

    # ---- Answering ----

    async def answer(self, exchange):
        try:
            try:
                scripted = self.script(exchange.seen) if self.script else None
                if isinstance(scripted, Reply):
                    raise scripted
                await (scripted(exchange) if scripted else self.route(exchange))
            except Reply as reply:
                await exchange.reply(reply)
        except asyncio.CancelledError:
            return
        except Exception as mistake:  # noqa: BLE001 (whatever it is, the test is told)
            self.mistakes.append(f"{exchange.seen!r}: {mistake!r}")
            await exchange.reply(error(500, "stand_in", repr(mistake)))
        exchange.seen.is_answered = True
        if exchange.is_open and exchange.seen.ended:
            exchange.connection.exchanges.pop(exchange.number, None)

    async def route(self, exchange):
        seen = exchange.seen
        path, _, query = seen.path.partition("?")
        if seen.method == "OPTIONS":
            raise Reply(200, headers=[("access-control-allow-origin", "*")])
        if not path.startswith("/v1/"):
            raise Reply(200, body=b"OK")
        raw = path[4:].split("/")
        parts = [urllib.parse.unquote(part, errors="strict") for part in raw]
        query = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
        method = "GET" if seen.method == "HEAD" else seen.method
        if parts[0] == "basins":
            await self.basins_call(exchange, method, parts[1:], query)
        elif parts[0] == "streams":
            await self.streams_call(exchange, method, parts[1:], query)
        else:
            raise Reply(200, {"path": seen.path})

    def page(self, names, key, query):
        limit = int(query.get("limit") or LIST_LIMIT) or LIST_LIMIT
        names = sorted((name for name in names if name.startswith(query.get("prefix", ""))
                        and name.encode() > query.get("start_after", "").encode()),
                       key=str.encode)
        values = [{"name": name, "created_at": "2026-01-01T00:00:00Z", "deleted_at": None}
                  for name in names[:min(limit, LIST_LIMIT)]]
        return Reply(200, {key: values, "has_more": len(names) > len(values)})

    async def basins_call(self, exchange, method, parts, query):
        body = await exchange.whole()
        if not parts:
            if method == "GET":
                raise self.page(self.basins, "basins", query)
            name = json.loads(body)["basin"]
        else:
            name = parts[0]
        if method in ("POST", "PUT"):
            made = name not in self.basins
            self.basins.setdefault(name, Basin())
            raise Reply(201 if made else 200, {"name": name},
                        [("s2-provision-result", "created" if made else "noop")])
        if name not in self.basins:
            raise no_basin(name)
        if method == "DELETE":
            del self.basins[name]
            raise Reply(202)
        raise Reply(200, {"create_stream_on_append": self.basins[name].on_append})

    async def streams_call(self, exchange, method, parts, query):
        basin = exchange.seen.header("s2-basin")
        if basin not in self.basins:
            raise no_basin(basin)
        if len(parts) >= 2 and parts[1] == "records":
            await self.records_call(exchange, method, basin, parts, query)
            return
        streams = self.basins[basin].streams
        body = await exchange.whole()
        if not parts:
            if method == "GET":
                raise self.page(streams, "streams", query)
            name = json.loads(body)["stream"]
        else:
            name = parts[0]
        if method in ("POST", "PUT"):
            if method == "POST" and name in streams:
                raise error(409, "resource_already_exists",
                            f"stream `{name}` in basin `{basin}` already exists")
            made = name not in streams
            streams.setdefault(name, [])
            raise Reply(201 if made else 200, {"name": name, "created_at": "2026-01-01T00:00:00Z",
                                               "deleted_at": None},
                        [("s2-provision-result", "created" if made else "noop")])
        if name not in streams:
            raise no_stream(basin, name)
        if method == "DELETE":
            del streams[name]
            raise Reply(202)
        raise Reply(200, {"storage_class": "express"})

    async def records_call(self, exchange, method, basin, parts, query):
        stream = parts[0]
        held = self.basins[basin]
        makes = held.on_append if method == "POST" else held.on_read
        if stream not in held.streams:
            if not makes:
                raise no_stream(basin, stream)
            held.streams[stream] = []
        records = held.streams[stream]
        if method == "POST":
            await self.append(exchange, records)
        elif parts[2:] == ["tail"]:
            raise Reply(200, {"tail": {"seq_num": len(records), "timestamp": 0}})
        else:
            await self.read(exchange, basin, stream, records, query)

    # ---- Appending ----

    async def extend(self, records, more):
        start = len(records)
        records.extend(more)
        async with self.changed:
            self.changed.notify_all()
        return start, len(records)

    @staticmethod
    def json_records(body, is_base64):
        text = (lambda value: base64.b64decode(value, validate=True)) if is_base64 else str.encode
        return [Record(text(record.get("body") or ""),
                       [(text(name), text(value)) for name, value in record.get("headers") or []])
                for record in json.loads(body)["records"]]

    async def append(self, exchange, records):
        seen = exchange.seen
        kind = seen.header("content-type") or ""
        if kind.startswith("s2s/proto"):
            await self.append_session(exchange, records)
            return
        body = await exchange.whole()
        if kind.startswith("application/json"):
            came = self.json_records(body, seen.header("s2-format") == "base64")
        else:
            came = records_of(body)
        start, end = await self.extend(records, came)
        if (seen.header("accept") or "").startswith("application/protobuf"):
            raise Reply(200, body=append_ack(start, end),
                        headers=[("content-type", "application/protobuf")])
        raise Reply(200, {place: {"seq_num": number, "timestamp": 0} for place, number in
                          (("start", start), ("end", end), ("tail", end))})

    async def append_session(self, exchange, records):
        exchange.begin(200, [("content-type", "s2s/proto")])
        frames = Frames()
        taken = 0
        while True:
            await exchange.more(taken)
            some, taken = exchange.seen.body[taken:], len(exchange.seen.body)
            for flag, content in frames.take(some):
                if flag not in (NONE, ZSTD, GZIP):
                    await exchange.send(terminal(400, "bad_frame", "bad flag"), end=True)
                    return
                start, end = await self.extend(records, records_of(decompress(content, flag)))
                await exchange.send(frame(append_ack(start, end)))
            if exchange.seen.ended and taken == len(exchange.seen.body):
                if frames.pending:
                    self.mistakes.append(f"half a frame came: {exchange.seen!r}")
                await exchange.send(b"", end=True)
                return

    # ---- Reading ----

    async def read(self, exchange, basin, stream, records, query):
        kind = exchange.seen.header("content-type") or ""
        accept = exchange.seen.header("accept") or ""
        at = int(query.get("seq_num") or 0)
        if kind.startswith("s2s/proto"):
            await self.follow(exchange, basin, stream, records, at, False)
        elif accept.startswith("text/event-stream"):
            await self.follow(exchange, basin, stream, records, at, True)
        else:
            if query.get("wait") and len(records) <= at:
                await self.wait(records, at, float(query["wait"]))
            values = [{"seq_num": number, "timestamp": 0, **record.json()}
                      for number, record in enumerate(records)][at:]
            raise Reply(200, {"records": values,
                              "tail": {"seq_num": len(records), "timestamp": 0}})

    async def wait(self, records, had, seconds):
        """Until there are more than `had`, or so many seconds."""
        async def more():
            async with self.changed:
                await self.changed.wait_for(lambda: len(records) > had)
        try:
            await asyncio.wait_for(more(), seconds)
        except asyncio.TimeoutError:
            pass

    async def follow(self, exchange, basin, stream, records, at, events):
        exchange.begin(200, [("content-type", "text/event-stream" if events else "s2s/proto"),
                             ("cache-control", "no-cache, no-transform"),
                             ("x-accel-buffering", "no")])
        while basin in self.basins and stream in self.basins[basin].streams:
            some = list(enumerate(records))[at:at + 1]
            at += len(some)
            await exchange.send(self.event(some, at) if events
                                else frame(read_batch(some, len(records))))
            await self.wait(records, at, self.heartbeat)
        gone = no_stream(basin, stream)
        await exchange.send(b"event: error\ndata: " + gone.body + b"\n\n" if events else
                            terminal(404, **json.loads(gone.body)), end=True)

    @staticmethod
    def event(some, tail):
        if not some:
            return b'event: ping\ndata: {"timestamp":0}\n\n'
        data = {"records": [{"seq_num": number, "timestamp": 0, **record.json()}
                            for number, record in some],
                "tail": {"seq_num": tail, "timestamp": 0}}
        return f"event: batch\nid: {some[-1][0]},1,1\ndata: {json.dumps(data)}\n\n".encode()
