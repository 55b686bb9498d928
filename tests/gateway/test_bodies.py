"""Bodies that are slow, wrong or many: nobody gains by one, and nobody else is harmed."""

import hashlib

from gateway import BASIN, BOUND, GatewayTest, main, records
from wire import Record, all_frames, append_input, frame

MIB = 1 << 20
PATH = records("s")
SESSION = [("content-type", "s2s/proto")]
RECORD = {"records": [{"body": "x"}]}


def share(credential):
    """Tokens for which this is the same have one share of the memory."""
    return hashlib.sha256(credential.encode()).digest()[0]


class Bodies(GatewayTest):
    OPTIONS = {"http": "weir_bodies 8m;"}

    def others(self, credential):
        """A token whose bodies are looked into, and who shares nothing with that one."""
        for length in range(len(BASIN)):
            other = self.token(["append", "create-stream"], basins=BASIN[:length], streams="s")
            if share(other) != share(credential):
                return other
        raise AssertionError("all tokens have one share")

    def assert_appends(self, credential):
        answer = self.ask("POST", PATH, credential, RECORD, basin=BASIN)
        self.assertEqual(answer.status, 200, answer)

    def begin(self, credential, method, path, length, first):
        """A client that has sent the beginning of its body."""
        client = self.world.connect()
        client.sendall(f"{method} {path} HTTP/1.1\r\nhost: x\r\n"
                       f"authorization: Bearer {credential}\r\ns2-basin: {BASIN}\r\n"
                       f"content-type: application/json\r\n{length}\r\n\r\n".encode() + first)
        return client

    def test_names_of_any_length_have_their_line_in_the_trail(self):
        for length in (1, 170, 171, 512, 600, 1300, 2000, 2600):
            for credential in ("x", self.root):
                answer = self.ask("GET", "/v1/streams/" + "%01" * length, credential, basin=BASIN)
                self.assertIn(answer.status, (200, 400, 401, 404), answer)
        self.assertGreater(len(self.world.lines("gateway.ndjson")), 8)

    def test_a_body_that_goes_wrong_is_held_no_longer(self):
        credential = self.token(["append", "create-stream"])
        for _ in range(12):
            client = self.begin(credential, "POST", PATH, "transfer-encoding: chunked",
                                b"%x\r\n" % MIB + b" " * MIB + b"\r\n")
            client.sendall(b"what is no chunk\r\n")
            self.assertIn(b"400", client.recv(65536).split(b"\r\n")[0])
            client.close()
        self.assert_appends(credential)

    def test_a_slow_body_is_no_way_around_a_revocation(self):
        for number, (method, path) in enumerate((
                ("PUT", "/v1/streams/s"), ("PATCH", "/v1/streams/s"),
                ("POST", "/v1/streams"), ("PATCH", f"/v1/basins/{BASIN}"), ("POST", PATH))):
            with self.subTest(method=method, path=path):
                name = f"slow-{number}"
                credential = self.world.token(name)
                client = self.begin(credential, method, path, "content-length: 17", b"{")
                self.world.revoke(name)
                client.settimeout(BOUND)
                if path == "/v1/streams":  # decided on when it is there
                    client.sendall(b'"stream": "new"}')
                self.assertIn(b" 401 ", client.recv(65536).split(b"\r\n")[0])

    def test_one_who_stalls_leaves_room_for_others(self):
        credential = self.token(["append"], streams="s")
        self.s2.add(BASIN, "s")
        for _ in range(8):
            self.begin(credential, "POST", PATH, f"content-length: {2 * MIB}", b" " * (MIB + 1))
        self.assert_appends(self.others(credential))

    def test_who_may_create_nothing_is_told_before_a_body_comes(self):
        client = self.begin(self.token(["list-basins"]), "POST", "/v1/basins",
                            "content-length: 100", b"")
        self.assertIn(b" 403 ", client.recv(65536).split(b"\r\n")[0])
        client = self.begin(self.root, "POST", "/v1/basins", f"content-length: {MIB + 1}", b"")
        self.assertIn(b" 413 ", client.recv(65536).split(b"\r\n")[0])

    def test_sessions_that_wait_hold_nothing(self):
        credential = self.token(["append", "create-stream"])
        for _ in range(16):
            stream = self.world.open("POST", PATH, credential, SESSION, sends=True)
            stream.send(frame(append_input([Record(b"x" * (MIB // 2))])))
            stream.until(lambda it: all_frames(it.body), "an acknowledgement")
        self.assert_appends(credential)


if __name__ == "__main__":
    main()
