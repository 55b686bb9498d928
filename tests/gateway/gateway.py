"""An nginx with Weir's module between clients and a server that stands in for S2's, and a
`weir serve` beside it: all in one folder, all ended with the test."""

import contextlib
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import tempfile
import time
import unittest
import urllib.parse

from client import TIMEOUT, Http1, Http2
from command import main, run  # noqa: F401 (main is the tests')
from server import TOKENS, Server  # noqa: F401 (TOKENS is the tests')
from standin import StandIn

NGINX = os.environ.get("WEIR_NGINX_PROGRAM", "nginx")
MODULE = os.environ["WEIR_NGINX_MODULE"]
SHIPPED = os.environ["WEIR_NGINX_CONF"]
PRELOAD = os.environ.get("WEIR_PRELOAD", "")  # a sanitizer's library, which nginx has not

# How long a change may take to end what it ends: two seconds, and what a busy machine adds.
BOUND = 2 + float(os.environ.get("WEIR_SLACK", "8"))

EVERYTHING = {"basins": {"prefix": ""}, "streams": {"prefix": ""}, "access_tokens": {"prefix": ""},
              "op_groups": {group: {"read": True, "write": True}
                            for group in ("account", "basin", "stream")}}
OPERATIONS = ["list-basins", "create-basin", "delete-basin", "reconfigure-basin",
              "get-basin-config", "issue-access-token", "revoke-access-token",
              "list-access-tokens", "list-streams", "create-stream", "delete-stream",
              "get-stream-config", "reconfigure-stream", "check-tail", "append", "read", "trim",
              "fence", "account-metrics", "basin-metrics", "stream-metrics", "list-locations",
              "get-default-location", "set-default-location"]
BASIN = "basin-one"

# Around what is shipped: the files weir-http.conf and weir-s2.conf.
CONFIGURATION = """\
load_module {module};
{user}
daemon off;
worker_processes {workers};
error_log error.log info;
pid nginx.pid;
worker_shutdown_timeout {shutdown};
events {{ worker_connections 1024; }}
http {{
    include {shipped}/weir-http.conf;
    client_body_temp_path temporary/body;
    proxy_temp_path temporary/proxy;
    fastcgi_temp_path temporary/fastcgi;
    uwsgi_temp_path temporary/uwsgi;
    scgi_temp_path temporary/scgi;
    access_log access.ndjson weir_s2;
    weir_tokens {tokens};
    weir_audit gateway.ndjson;
    upstream s2 {{ server {upstream} max_fails=0; keepalive 64; }}
    upstream weir_authority {{ server {authority} max_fails=0; keepalive 8; }}
    {http}
    server {{
        listen unix:{folder}/http1.sock;
        listen unix:{folder}/http2.sock http2;
        listen unix:{folder}/tls.sock ssl http2;
        ssl_certificate certificate.pem;
        ssl_certificate_key key.pem;
        {server}
        include s2.conf;
    }}
}}
"""


def quoted(name):
    """A name as a path's segment."""
    return urllib.parse.quote(name, safe="")


def records(stream):
    return f"/v1/streams/{quoted(stream)}/records"


class World:
    """A folder, and what runs in it; it is to Server what a test is."""

    def __init__(self, http="", server="", change=(), workers=1, shutdown="5s", serve=(),
                 tokens="DIR"):
        self.stack = contextlib.ExitStack()
        self.folder = self.stack.enter_context(tempfile.TemporaryDirectory())
        self.options = {"http": http, "server": server, "workers": workers, "shutdown": shutdown,
                        "tokens": tokens}
        self.change = change  # of the shipped configuration: pairs of texts
        self.serve_flags = serve
        self.root = None
        self.s2 = None
        self.upstream = None
        self.server = None
        self.nginx = None
        self.opened = []  # sockets of clients
        self.expected = []  # what the error log may hold, as regular expressions

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.stack.close()
            raise
        return self

    def __exit__(self, *_):
        self.stack.close()

    def start(self):
        made = run("token", "init", "--store", "tokens.db", cwd=self.folder)
        self.root = json.loads(made.text)["access_token"]
        self.start_s2()
        self.start_authority()
        self.make_certificate()
        os.mkdir(self.path("temporary"))
        self.configure()
        self.start_nginx()
        self.stack.callback(self.check_log)
        self.stack.callback(self.stop_nginx)
        self.stack.callback(self.close_clients)

    def addCleanup(self, function, *arguments):
        self.stack.callback(function, *arguments)

    def path(self, name):
        return os.path.join(self.folder, name)

    # ---- Processes ----

    def start_s2(self):
        self.s2 = StandIn(self.path("s2.sock"))
        self.upstream = "unix:" + self.path("s2.sock")
        self.addCleanup(self.s2.end)

    def start_authority(self):
        self.server = Server(self, *self.serve_flags)

    def make_certificate(self):
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
             "-nodes", "-days", "2", "-subj", "/CN=gateway", "-keyout", "key.pem",
             "-out", "certificate.pem"], cwd=self.folder, check=True, capture_output=True)

    def configure(self, **changes):
        """Writes nginx's configuration."""
        options = {**self.options, **changes}
        with open(os.path.join(SHIPPED, "weir-s2.conf"), encoding="ascii") as file:
            shipped = file.read()
        for before, after in self.change:
            if before not in shipped:
                raise AssertionError(f"{before!r} is not in what is shipped")
            shipped = shipped.replace(before, after)
        with open(self.path("s2.conf"), "w", encoding="ascii") as file:
            file.write(shipped)
        with open(self.path("nginx.conf"), "w", encoding="ascii") as file:
            file.write(CONFIGURATION.format(
                module=MODULE, folder=self.folder, shipped=SHIPPED, upstream=self.upstream,
                authority="{}:{}".format(*self.server.address),
                user="user root;" if os.geteuid() == 0 else "", **options))

    def start_nginx(self):
        environment = None
        if PRELOAD:
            # What nginx allocates once, its connections above all, it leaves to the system.
            with open(self.path("leaks"), "w", encoding="ascii") as file:
                file.write("leak:ngx_alloc\n")
            environment = {**os.environ, "LD_PRELOAD": PRELOAD, "LSAN_OPTIONS":
                           f"print_suppressions=0:suppressions={self.path('leaks')}"}
        self.nginx = subprocess.Popen(
            [NGINX, "-p", self.folder, "-c", self.path("nginx.conf"), "-e",
             self.path("error.log")],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env=environment)
        self.until(self.answers, "nginx")

    def answers(self):
        if self.nginx.poll() is not None:
            raise AssertionError((self.nginx.communicate()[0], self.error_log()))
        with socket.socket(socket.AF_UNIX) as client:
            if client.connect_ex(self.path("http1.sock")) != 0:
                return False
        return len(self.workers()) == self.options["workers"]

    def stop_nginx(self):
        if self.nginx.poll() is None:
            self.nginx.send_signal(signal.SIGTERM)
            try:
                self.nginx.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self.nginx.kill()
                self.nginx.wait()
        said = self.nginx.communicate()[0]
        if said:
            raise AssertionError(said.decode("utf-8", "replace"))

    def error_log(self):
        with open(self.path("error.log"), encoding="utf-8", errors="replace") as file:
            return file.read()

    def check_log(self):
        """Nothing that should wake an operator has been logged."""
        log = self.error_log()
        bad = [line for line in log.splitlines()
               if re.search(r"\[(alert|crit|emerg)\]|exited on signal|Sanitizer|runtime error|"
                            r"^ +#[0-9]+ 0x|leak of", line)
               and not any(re.search(pattern, line) for pattern in self.expected)]
        if bad:
            raise AssertionError("\n".join(bad[:60]))
        if self.s2 is not None and self.s2.mistakes:
            raise AssertionError("\n".join(self.s2.mistakes))

    def workers(self):
        """The ids of nginx's worker processes."""
        with open(f"/proc/{self.nginx.pid}/task/{self.nginx.pid}/children",
                  encoding="ascii") as file:
            return [int(number) for number in file.read().split()]

    def reload(self):
        """New workers with the configuration as it is; the old ones serve what is open."""
        old = self.workers()
        self.nginx.send_signal(signal.SIGHUP)
        self.until(lambda: len(set(self.workers()) - set(old)) == self.options["workers"],
                   "a worker")

    def until(self, holds, what="it", seconds=TIMEOUT):
        begin = time.monotonic()
        while not holds():
            if time.monotonic() - begin > seconds:
                raise AssertionError(f"{what} never came to be")
            time.sleep(0.01)
        return time.monotonic() - begin

    # ---- Tokens ----

    def token(self, name, ops=None, basins="", streams="", **fields):
        """The credential of a token that may do this; `ops` None: everything."""
        scope = dict(EVERYTHING)
        if ops is not None:
            del scope["op_groups"]
            scope["ops"] = list(ops)
        scope["basins"] = {"prefix": basins} if isinstance(basins, str) else basins
        scope["streams"] = {"prefix": streams} if isinstance(streams, str) else streams
        answer = self.server.issue(self.root, {"id": name, "scope": scope, **fields})
        if answer.status != 201:
            raise AssertionError(answer)
        return answer.json["access_token"]

    def revoke(self, name):
        answer = self.server.revoke(self.root, name)
        if answer.status != 204:
            raise AssertionError(answer)

    # ---- Clients ----

    def connect(self, name="http1"):
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(TIMEOUT)
        client.connect(self.path(name + ".sock"))
        self.opened.append(client)
        return client

    def close_clients(self):
        for client in self.opened:
            client.close()
        self.opened.clear()

    def connect_tls(self, *protocols):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(self.path("certificate.pem"))
        context.check_hostname = False
        context.set_alpn_protocols(list(protocols))
        client = context.wrap_socket(self.connect("tls"))
        self.opened.append(client)
        return client

    def http2(self):
        return Http2(self.connect("http2"))

    @staticmethod
    def headers(credential, headers, basin):
        made = [] if credential is None else [("authorization", "Bearer " + credential)]
        if basin is not None:
            made.append(("s2-basin", basin))
        return [*made, *headers]

    def ask(self, method, path, credential=None, body=None, headers=(), basin=None, http=1):
        """An answer, once it is whole. `body`: bytes, or a value sent as JSON."""
        headers = self.headers(credential, headers, basin)
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            headers.append(("content-type", "application/json"))
        if http == 1:
            stream = Http1(self.connect(), method, path, [*headers, ("connection", "close")], body)
        else:
            if body is not None:
                headers.append(("content-length", str(len(body))))
            stream = self.http2().open(method, path, headers, end=body is None)
            if body is not None:
                stream.send(body, end=True)
        stream.finish()
        stream.close()
        return stream

    def open(self, method, path, credential, headers=(), basin=BASIN, http=1, sends=False):
        """A request whose answer may go on; `sends`: its body, too, is sent piece by piece."""
        headers = self.headers(credential, headers, basin)
        if http == 1:
            return Http1(self.connect(), method, path, headers, Http1.CHUNKED if sends else None)
        return self.http2().open(method, path, headers, end=not sends)

    def raw(self, request, name="http1", ends=False):
        """Everything that comes back for these bytes, until the connection ends. `ends`: the
        client has no more to say once something has come."""
        with self.connect(name) as client:
            answer = b""
            try:
                client.sendall(request)
                while True:
                    some = client.recv(1 << 16)
                    if not some:
                        return answer
                    answer += some
                    if ends:
                        client.shutdown(socket.SHUT_WR)
            except OSError as mistake:
                if isinstance(mistake, TimeoutError):
                    raise
                return answer

    def lines(self, name):
        """The whole lines of a file of JSON."""
        return self.server.lines(self.path(name))


class GatewayTest(unittest.TestCase):
    """Tests that share one world, whose server is empty when each of them begins."""

    OPTIONS = {}

    @classmethod
    def setUpClass(cls):
        cls.world = World(**cls.OPTIONS).__enter__()
        cls.addClassCleanup(cls.world.__exit__)
        cls.credentials = {}

    def setUp(self):
        self.s2 = self.world.s2
        self.world.close_clients()
        self.s2.reset()
        self.s2.add(BASIN, "s")

    @property
    def root(self):
        return self.world.root

    def ask(self, *arguments, **options):
        return self.world.ask(*arguments, **options)

    def token(self, ops=None, **fields):
        """The credential of a token like that, made once."""
        key = json.dumps([ops and sorted(ops), fields], sort_keys=True)
        if key not in self.credentials:
            self.credentials[key] = self.world.token(f"token-{len(self.credentials)}", ops,
                                                     **fields)
        return self.credentials[key]

    def assert_error(self, answer, status, code, *says):
        self.assertEqual(answer.status, status, answer)
        self.assertEqual(answer.headers["content-type"], "application/json", answer)
        self.assertEqual(list(answer.json), ["code", "message"], answer)
        self.assertEqual(answer.json["code"], code, answer)
        for fragment in says:
            self.assertIn(fragment, answer.json["message"])

    def assert_refused(self, answer, status, code, *says):
        """An error, and nothing of the request has reached the server."""
        self.assert_error(answer, status, code, *says)
        self.assertEqual(self.s2.take(), [])

    def assert_passed(self, answer, *lines):
        """What has reached the server: a method and a path each."""
        seen = self.s2.take()
        self.assertEqual([one.line for one in seen], list(lines), answer)
        for one in seen:
            self.assertIsNone(one.header("authorization"))
            self.assertNotIn("weir_", repr(one.headers))
        self.assertLess(answer.status, 400, answer)
        return seen[-1] if seen else None
