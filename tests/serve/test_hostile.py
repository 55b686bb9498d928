"""weir serve: clients that are slow, many, or greedy, and what they are to the others."""

import json
import socket
import threading
import time

from server import TIMEOUT, TOKENS, ServeTest, main

MIB = 1 << 20


class Hostile(ServeTest):
    def connect(self, server, request=b""):
        """A client; the kernel takes little for it that it does not read."""
        client = socket.socket()
        self.addCleanup(client.close)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(TIMEOUT)
        client.connect(server.address)
        client.sendall(request)
        return client

    def head(self, method, length=None, credential=None, path=TOKENS):
        """Headers with a credential, the first token's unless another is given."""
        lines = [f"{method} {path} HTTP/1.1", "Host: x",
                 "Authorization: Bearer " + (credential or self.root)]
        if length is not None:
            lines.append(f"Content-Length: {length}")
        return "\r\n".join([*lines, "", ""]).encode()

    def ended(self, client):
        try:
            return client.recv(1 << 16) == b""
        except ConnectionResetError:
            return True

    def test_a_byte_a_second_is_too_slow(self):
        """Whatever is sent slowly: the first line, the headers, the body. All at once, since it
        takes ten seconds."""
        server = self.serve()
        body = json.dumps(self.token("a")).encode()
        idle = self.connect(server, b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        self.assertTrue(idle.recv(1 << 16).startswith(b"HTTP/1.1 200 "))
        slow = {
            "nothing": (b"", b""),
            "first line": (b"G", b"ET /v1/access-tokens?prefix=" + b"x" * 100),
            "headers": (b"GET / HTTP/1.1\r\nHost: x\r\n", b"X: " + b"x" * 100),
            "body": (self.head("POST", len(body)), body),
            "dropped body": (self.head("GET", 1000), b"x" * 100),
            "endless body": (self.head("POST").replace(
                b"\r\n\r\n", b"\r\nTransfer-Encoding: chunked\r\n\r\n"), b"1\r\nx\r\n" * 20),
        }
        began = time.monotonic()
        clients = {name: self.connect(server, begun) for name, (begun, _) in slow.items()}
        ended = {}
        for second in range(40):
            if len(ended) == len(slow):
                break
            for name, client in clients.items():
                if name in ended:
                    continue
                client.settimeout(0.01)
                try:
                    rest = slow[name][1]
                    client.sendall(rest[second:second + 1])
                    if self.ended(client):
                        ended[name] = time.monotonic() - began
                except TimeoutError:
                    pass
                except OSError:
                    ended[name] = time.monotonic() - began
            self.assertEqual(server.list(self.root).status, 200)
            time.sleep(1)
        self.assertEqual(set(ended), set(slow))
        for name, after in ended.items():
            self.assertGreater(after, 8, name)
            self.assertLess(after, 30, name)
        idle.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        self.assertTrue(idle.recv(1 << 16).startswith(b"HTTP/1.1 200 "))

    def test_an_address_has_so_many_connections_at_most(self):
        server = self.serve("--connections-per-address", "5")
        clients = [self.connect(server) for _ in range(20)]
        self.until(lambda: server.metrics()["weir_connections"] == 6)
        self.until(lambda: sum(self.has_ended(client) for client in clients) == 15)
        for client in clients:
            client.close()
        self.until(lambda: self.is_served(server))

    def has_ended(self, client):
        client.settimeout(0.01)
        try:
            return self.ended(client)
        except TimeoutError:
            return False

    def is_served(self, server):
        try:
            return server.ask("GET", "/health").status == 200
        except OSError:
            return False

    def test_there_are_so_many_connections_at_most(self):
        server = self.serve("--connections", "20", "--connections-per-address", "1000")
        clients = [self.connect(server) for _ in range(60)]
        self.until(lambda: server.metrics()["weir_connections"] > 10)
        time.sleep(0.5)
        self.assertLessEqual(server.metrics()["weir_connections"], 21)
        for client in clients:
            client.close()
        self.until(lambda: self.is_served(server))

    def hold_bodies(self, server, issuer):
        """Clients that hold as much memory for bodies as one requestor may have. What it is
        answered then, and what an issuer is."""
        clients = []
        for _ in range(40):
            client = self.connect(server, self.head("POST", MIB))
            client.sendall(b" " * (MIB - 1))
            clients.append(client)
        held = [-1, server.metrics()["weir_buffered_bytes"]]
        while held[-1] != held[-2]:  # what has been sent is being read
            time.sleep(0.1)
            held.append(server.metrics()["weir_buffered_bytes"])
        self.assertLessEqual(max(held), 32 * MIB)
        answers = (server.issue(self.root, b" " * (MIB - 1)),
                   server.issue(issuer, self.large_body("a")))
        self.assertEqual(server.ask("GET", "/health").status, 200)
        for client in clients:
            client.close()
        self.until(lambda: server.metrics()["weir_buffered_bytes"] == 0)
        return answers

    def team_token(self, name):
        return {"id": "team/" + name, "scope": {"ops": ["list-access-tokens"],
                                                "access_tokens": {"prefix": "team/"}}}

    def large_body(self, name):
        data = json.dumps(self.team_token(name)).encode()
        return data + b" " * (MIB - len(data))

    def test_a_requestor_that_holds_bodies_leaves_room_for_another(self):
        server = self.serve("--connections-per-address", "1000")
        issuer = self.issuer(server, "issuer", "team/")
        for _ in range(10):  # on a slow machine the first are given up before the last are there
            mine, others = self.hold_bodies(server, issuer)
            self.assertEqual(others.status, 201)
            self.assertEqual(server.revoke(self.root, "team/a").status, 204)
            if mine.status != 400:
                break
        self.assert_error(mine, 503, "unavailable")
        self.assertEqual(mine.headers["retry-after"], "1")
        self.assertEqual(server.issue(self.root, self.token("a")).status, 201)

    def test_who_has_no_credential_holds_no_memory(self):
        server = self.serve("--connections-per-address", "1000")
        for _ in range(75):
            head = self.head("POST", MIB).replace(self.root.encode(), b"x")
            self.connect(server, head + b" " * (MIB - 1))
        self.assertEqual(server.issue(self.root, self.token("a")).status, 201)
        self.assertEqual(server.metrics()["weir_buffered_bytes"], 0)

    def issue_large(self, server, name, *more):
        """The credential of a token whose declaration takes most of a mebibyte: that of a thousand
        scopes, and more."""
        scopes = [{"streams": {"prefix": f"{number:0>500}"}, "ops": ["read"]}
                  for number in range(1300)]
        answer = server.issue(self.root, {"id": name, "scopes": [*more, *scopes]})
        self.assertEqual(answer.status, 201)
        return answer.json["access_token"]

    def test_a_requestor_that_takes_no_lists_leaves_room_for_another(self):
        server = self.serve("--connections-per-address", "1000")
        for number in range(8):
            self.issue_large(server, f"large{number}")
        lister = server.issue(self.root, {"id": "lister", "scope": {
            "ops": ["list-access-tokens"], "access_tokens": {"prefix": ""}}}).json["access_token"]
        clients = [self.connect(server, self.head("GET")) for _ in range(12)]
        self.until(lambda: server.counted("list", "unavailable") +
                   server.counted("list", "ok") == 12)
        self.assertGreater(server.counted("list", "unavailable"), 0)
        self.assertLessEqual(server.metrics()["weir_buffered_bytes"], 32 * MIB)
        self.assertEqual(server.list(lister).status, 200)
        self.assertEqual(server.ask("GET", "/health").status, 200)
        for client in clients:
            client.close()
        self.until(lambda: server.metrics()["weir_buffered_bytes"] == 0)
        self.assertEqual(server.list(self.root).status, 200)

    def test_others_do_not_wait_until_a_requestor_has_been_answered_all_it_asks(self):
        """Calls that each take long, for their requestor's token is large: sixty clients with five
        each. Others are answered while most of these are still to come."""
        server = self.serve("--connections-per-address", "1000")
        greedy = self.issue_large(server, "greedy", {"ops": ["revoke-access-token"],
                                                     "access_tokens": {"prefix": "x/"}})
        issuer = self.issuer(server, "issuer", "team/")
        request = self.head("DELETE", credential=greedy, path=TOKENS + "/x%2Fnone")
        for _ in range(60):
            self.connect(server, 5 * request)
        self.until(lambda: server.counted("revoke", "access_token_not_found") > 0)
        for number in range(5):
            token = self.team_token(str(number))
            self.assertEqual(server.issue(issuer, token).status, 201)
            self.assertEqual(server.revoke(issuer, f"team/{number}").status, 204)
        connection = server.operator()
        self.assertEqual(server.revoke(None, "greedy", connection=connection).status, 204)
        connection.close()
        self.assertLess(server.counted("revoke", "access_token_not_found"), 150)
        # Its credential is good for nothing from then on, those that wait included.
        self.until(lambda: server.counted("revoke", "authn") > 0)
        self.until(lambda: server.metrics()["weir_requests_in_progress"] == 1)
        self.assertLess(server.counted("revoke", "access_token_not_found"), 150)

    def test_a_requestor_has_so_many_requests_wait_at_most(self):
        server = self.serve("--connections", "40", "--connections-per-address", "1000")
        greedy = self.issue_large(server, "greedy", {"ops": ["revoke-access-token"],
                                                     "access_tokens": {"prefix": "x/"}})
        request = self.head("DELETE", credential=greedy, path=TOKENS + "/x%2Fnone")
        for _ in range(36):
            self.connect(server, request)
        self.until(lambda: server.counted("revoke", "unavailable") > 0)
        self.until(lambda: server.counted("revoke", "access_token_not_found") > 0)

    def test_a_long_body_that_is_refused_is_not_read_to_its_end(self):
        server = self.serve()
        chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"
        for head in (self.head("POST"), self.head("GET")):
            client = self.connect(server, head.replace(
                b"\r\n\r\n", b"\r\nTransfer-Encoding: chunked\r\n\r\n"))
            sent = 0
            with self.assertRaises(OSError):
                while True:
                    client.sendall(chunk)
                    sent += len(chunk)
                    self.assertLess(sent, 64 * MIB)

    def test_many_clients_at_once_are_all_answered(self):
        server = self.serve("--connections-per-address", "1000")
        failures = []

        def work(number):
            connection = server.connection()
            for turn in range(10):
                name = f"t{number}-{turn}"
                statuses = (server.issue(self.root, self.token(name), connection=connection).status,
                            server.ask("GET", TOKENS + "?limit=1", self.root,
                                       connection=connection).status,
                            server.revoke(self.root, name, connection=connection).status)
                if statuses != (201, 200, 204):
                    failures.append((name, statuses))
            connection.close()

        threads = [threading.Thread(target=work, args=(number,)) for number in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])
        self.assertEqual(server.metrics()["weir_tokens"], 1)
        sequences = [line["sequence"] for line in server.audit() if line["sequence"] > 0]
        self.assertEqual(sorted(sequences), list(range(2, 322)))

    def test_a_flood_of_errors_does_not_fill_the_log(self):
        server = self.serve("--connections-per-address", "1000")
        began = time.monotonic()
        before = len(server.log())
        for _ in range(200):
            server.raw(b"GET / HTTP/2.0\r\n\r\n")
        lines = len(server.log()) - before
        self.assertGreater(lines, 5)
        self.assertLess(lines, 11 * (time.monotonic() - began + 2))


if __name__ == "__main__":
    main()
