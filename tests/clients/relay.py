"""A server of HTTP between a client and `weir serve`, which answers some requests itself."""

import http.server
import json
import threading


class Relay:
    """Passes on what it gets, but that it says itself that each basin is made: some SDKs' tests
    begin with one. `answers` are what the next requests get instead: a status is answered (the
    request goes no further), LOST passes the request on and drops its answer."""

    LOST = 0

    def __init__(self, test, server):
        self.server = server
        self.answers = []
        self.requests = []
        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        self.http.daemon_threads = True
        self.address = self.http.server_address
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        test.addCleanup(self.end)

    def end(self):
        self.http.shutdown()
        self.http.server_close()

    def handler(relay):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                relay.handle(self)

            do_POST = do_DELETE = do_GET

            def log_message(self, *_):
                pass

        return Handler

    def handle(self, request):
        body = request.rfile.read(int(request.headers.get("Content-Length", 0)))
        self.requests.append(f"{request.command} {request.path}")
        answer = self.answers.pop(0) if self.answers else None
        if answer:
            self.answer(request, answer, {"code": "unavailable", "message": "the relay refused"})
            return
        if request.command == "POST" and request.path == "/v1/basins":
            self.answer(request, 201, {"name": json.loads(body)["basin"], "scope": "aws:us-east-1",
                                       "created_at": "2026-01-01T00:00:00Z"})
            return
        passed = self.server.ask(
            request.command, request.path, body=body or None,
            headers=[(name, value) for name, value in request.headers.items()
                     if name.lower() in ("authorization", "content-type")])
        if answer == self.LOST:
            request.close_connection = True
            return
        self.send(request, passed.status, passed.body)

    def answer(self, request, status, value):
        self.send(request, status, json.dumps(value).encode())

    @staticmethod
    def send(request, status, body):
        request.send_response(status)
        if status != 204:
            request.send_header("Content-Type", "application/json")
            request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)
