"""A `weir serve` with a store of its own, and clients of it."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import time
import urllib.parse

from command import TIMEOUT, WEIR, main, token  # noqa: F401 (main is the tests')
from published import PublishedTest

TOKENS = "/v1/access-tokens"
SECRET = re.compile(rb"weir_[0-9A-Za-z]{49}")


class Answer:
    """What came back: status, headers (a dictionary, names in lower case), body."""

    def __init__(self, status, headers, body):
        self.status = status
        self.headers = {name.lower(): value for name, value in headers}
        self.body = body

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"{self.status} {self.body[:200]!r}"


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path):
        super().__init__("localhost", timeout=TIMEOUT)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(TIMEOUT)
        self.sock.connect(self.path)


class Server:
    """The process. `address` is what it listens on, as (host, port)."""

    def __init__(self, test, *flags, listen=("127.0.0.1:0",), publish="DIR",
                 audit="audit.ndjson", metrics=None, environment=None, before=()):
        self.test = test
        self.log_path = test.path("log.ndjson")
        self.audit_path = test.path(audit)
        arguments = ["serve", "--store", "tokens.db", "--log", "log.ndjson",
                     "--audit", audit, *flags]
        if publish is not None:
            arguments += ["--publish", publish]
        for address in listen:
            arguments += ["--listen", address]
        if metrics is not None:
            arguments += ["--metrics", metrics]
        for path in self.log_path, self.audit_path:
            if os.path.isfile(path):
                os.unlink(path)
        self.process = subprocess.Popen(
            [*before, WEIR, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, cwd=test.folder,
            env={**os.environ, **(environment or {})})
        test.addCleanup(self.clean_up)
        self.names = self.await_listening(len(listen) + 1 + (metrics is not None))
        tcp = [self.host_and_port(name) for name in self.names if not name.startswith("unix:")]
        self.address = tcp[0] if tcp else None

    def host_and_port(self, name):
        host, port = name.rsplit(":", 1)
        return host.strip("[]"), int(port)

    def clean_up(self):
        """Ends it in its own way, in which leaks are looked for and coverage is counted, unless
        that takes long."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
        said = self.process.communicate()[1]
        if said:
            raise AssertionError(said.decode("utf-8", "replace"))

    def await_listening(self, count):
        end = time.monotonic() + TIMEOUT
        while time.monotonic() < end:
            names = [line["message"].split(" ")[2] for line in self.log()
                     if line["message"].startswith("listening on ")]
            if len(names) >= count:
                return names
            if self.process.poll() is not None:
                raise AssertionError(self.process.communicate())
            time.sleep(0.01)
        raise AssertionError("it never listened")

    def lines(self, path):
        """The whole lines of a file of JSON."""
        try:
            with open(path, "rb") as file:
                return [json.loads(line) for line in file.read().split(b"\n")[:-1]]
        except FileNotFoundError:
            return []

    def log(self):
        return self.lines(self.log_path)

    def audit(self):
        return self.lines(self.audit_path)

    def connection(self):
        return http.client.HTTPConnection(*self.address, timeout=TIMEOUT)

    def operator(self):
        connection = UnixConnection(self.test.path("tokens.db.operator"))
        self.test.addCleanup(connection.close)
        return connection

    def ask(self, method, path, credential=None, body=None, headers=(), connection=None):
        """An answer. `body` is bytes, or a value sent as JSON. `headers` are pairs."""
        ours = connection is None
        connection = connection or self.connection()
        connection.putrequest(method, path, skip_accept_encoding=True)
        if credential is not None:
            connection.putheader("Authorization", "Bearer " + credential)
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        if body is not None and not any(name.lower() in ("content-length", "transfer-encoding")
                                        for name, _ in headers):
            connection.putheader("Content-Length", str(len(body)))
        for name, value in headers:
            connection.putheader(name, value)
        connection.endheaders()
        if body:
            connection.send(body)
        answer = connection.getresponse()
        result = Answer(answer.status, answer.getheaders(), answer.read())
        if ours or answer.will_close:
            connection.close()
        return result

    def issue(self, credential, token, **options):
        return self.ask("POST", TOKENS, credential, token, **options)

    def revoke(self, credential, name, **options):
        return self.ask("DELETE", TOKENS + "/" + urllib.parse.quote(name, safe=""), credential,
                        **options)

    def list(self, credential, **query):
        return self.ask("GET", TOKENS + ("?" + urllib.parse.urlencode(query) if query else ""),
                        credential)

    def raw(self, request, wait=True):
        """Everything that comes back for these bytes, until the connection ends."""
        with socket.create_connection(self.address, timeout=TIMEOUT) as client:
            client.sendall(request)
            if not wait:
                client.shutdown(socket.SHUT_WR)
            answer = b""
            while True:
                try:
                    some = client.recv(1 << 16)
                except ConnectionResetError:
                    return answer
                if not some:
                    return answer
                answer += some

    def metrics(self):
        """The samples of /metrics: a dictionary from what names them."""
        samples = {}
        connection = self.operator()
        body = self.ask("GET", "/metrics", connection=connection).body
        connection.close()
        for line in body.decode("ascii").splitlines():
            if not line.startswith("#"):
                name, value = line.rsplit(" ", 1)
                samples[name] = float(value)
        return samples

    def counted(self, operation, outcome):
        """How many calls were answered so; there is no sample for that before the first."""
        return self.metrics().get(
            f'weir_calls_total{{operation="{operation}",outcome="{outcome}"}}', 0)

    def end(self, number=signal.SIGTERM):
        """The exit code after a signal."""
        self.process.send_signal(number)
        return self.process.wait(timeout=TIMEOUT)


class ServeTest(PublishedTest):
    """With a store, whose first token's credential is `root`."""

    def setUp(self):
        super().setUp()
        self.root = json.loads(self.succeeds("token", "init", "--store", "tokens.db").text)[
            "access_token"]

    def serve(self, *flags, **options):
        return Server(self, *flags, **options)

    def token(self, name, **fields):
        return token(name, **fields)

    def issuer(self, server, name, prefix, **fields):
        """The credential of a token that may do anything with ids that begin so."""
        scope = {"basins": {"prefix": ""}, "streams": {"prefix": ""},
                 "access_tokens": {"prefix": prefix},
                 "op_groups": {group: {"read": True, "write": True}
                               for group in ("account", "basin", "stream")}}
        answer = server.issue(self.root, {"id": name, "scope": scope, **fields})
        self.assertEqual(answer.status, 201, answer)
        return answer.json["access_token"]

    def assert_error(self, answer, status, code, *says):
        self.assertEqual(answer.status, status, answer)
        self.assertEqual(answer.headers["content-type"], "application/json")
        self.assertEqual(list(answer.json), ["code", "message"])
        self.assertEqual(answer.json["code"], code)
        for fragment in says:
            self.assertIn(fragment, answer.json["message"])
