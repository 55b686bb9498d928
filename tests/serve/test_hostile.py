"""weir serve: clients that are slow, many, or greedy, and what they are to the others."""

import json
import socket
import threading
import time

from server import TIMEOUT, TOKENS, ServeTest, main

MIB = 1 << 20


class Hostile(ServeTest):
    def connect(self, server, request=b""):
        client = socket.create_connection(server.address, timeout=TIMEOUT)
        self.addCleanup(client.close)
        client.sendall(request)
        return client

    def head(self, method, length=None):
        """Headers with the first token's credential."""
        lines = [f"{method} {TOKENS} HTTP/1.1", "Host: x", "Authorization: Bearer " + self.root]
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
        clients = {name: self.connect(server, begun) for name, (begun, _) in slow.items()}
        began = time.monotonic()
        ended = {}
        for second in range(20):
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
            asked = time.monotonic()
            self.assertEqual(server.list(self.root).status, 200)
            self.assertLess(time.monotonic() - asked, 5)
            time.sleep(1)
        self.assertEqual(set(ended), set(slow))
        for name, after in ended.items():
            self.assertGreater(after, 8, name)
            self.assertLess(after, 18, name)
        idle.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        self.assertTrue(idle.recv(1 << 16).startswith(b"HTTP/1.1 200 "))

    def test_an_address_has_so_many_connections_at_most(self):
        server = self.serve("--connections-per-address", "5")
        clients = [self.connect(server) for _ in range(20)]
        operator = server.operator()
        self.until(lambda: b"\nweir_connections 6\n" in server.ask(
            "GET", "/metrics", connection=operator).body)
        refused = 0
        for client in clients:
            client.settimeout(0.1)
            try:
                refused += self.ended(client)
            except TimeoutError:
                pass
        self.assertEqual(refused, 15)
        for client in clients:
            client.close()
        self.until(lambda: self.is_served(server))

    def is_served(self, server):
        try:
            return server.ask("GET", "/health").status == 200
        except OSError:
            return False

    def test_there_are_so_many_connections_at_most(self):
        server = self.serve("--connections", "20", "--connections-per-address", "1000")
        clients = [self.connect(server) for _ in range(60)]
        time.sleep(0.5)
        operator = server.operator()
        body = server.ask("GET", "/metrics", connection=operator).body
        count = int(body.split(b"\nweir_connections ")[1].split(b"\n")[0])
        self.assertLessEqual(count, 21)
        self.assertGreater(count, 4)
        for client in clients:
            client.close()
        self.until(lambda: self.is_served(server))

    def hold_bodies(self, server):
        """Clients that hold all memory for bodies; and what another one is answered then."""
        clients = []
        for _ in range(75):
            client = self.connect(server, self.head("POST", MIB))
            client.sendall(b" " * (MIB - 1))
            clients.append(client)
        self.assertLessEqual(server.metrics()["weir_buffered_bytes"], 64 * MIB)
        answer = server.issue(self.root, b" " * (MIB - 1))
        self.assertEqual(server.ask("GET", "/health").status, 200)
        for client in clients:
            client.close()
        self.until(lambda: server.metrics()["weir_buffered_bytes"] == 0)
        return answer

    def test_bodies_that_are_held_have_a_bound_together(self):
        server = self.serve("--connections-per-address", "1000")
        for _ in range(10):  # on a slow machine the first are given up before the last are there
            answer = self.hold_bodies(server)
            if answer.status != 400:
                break
        self.assert_error(answer, 503, "unavailable")
        self.assertEqual(answer.headers["retry-after"], "1")
        self.assertEqual(server.issue(self.root, self.token("a")).status, 201)

    def test_who_has_no_credential_holds_no_memory(self):
        server = self.serve("--connections-per-address", "1000")
        for _ in range(75):
            head = self.head("POST", MIB).replace(self.root.encode(), b"x")
            self.connect(server, head + b" " * (MIB - 1))
        self.assertEqual(server.issue(self.root, self.token("a")).status, 201)
        self.assertEqual(server.metrics()["weir_buffered_bytes"], 0)

    def test_lists_that_nobody_takes_have_a_bound_together(self):
        server = self.serve("--connections-per-address", "1000")
        scopes = [{"streams": {"prefix": f"{number:0>500}"}, "ops": ["read"]}
                  for number in range(1300)]
        for number in range(8):
            self.assertEqual(server.issue(self.root, {"id": f"large{number}", "scopes": scopes})
                             .status, 201)
        clients = [self.connect(server, self.head("GET")) for _ in range(20)]
        self.until(lambda: server.metrics()['weir_calls_total{operation="list",outcome='
                                            '"unavailable"}'] > 0)
        self.assertLessEqual(server.metrics()["weir_buffered_bytes"], 64 * MIB)
        self.assertEqual(server.ask("GET", "/health").status, 200)
        for client in clients:
            client.close()
        self.until(lambda: server.metrics()["weir_buffered_bytes"] == 0)
        self.assertEqual(server.list(self.root).status, 200)

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
        for _ in range(200):
            server.raw(b"GET / HTTP/1.1\r\n\r\n")
        self.assertLess(len(server.log()), 100)


if __name__ == "__main__":
    main()
