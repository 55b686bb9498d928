#!/usr/bin/env python3
"""Measures how soon a revocation is felt through a gateway: the time from the answer 204 to the end
of a read session that is open, and to the first 401 of a request that is new.

usage: revocation.py PORT CREDENTIAL [ROUNDS]

PORT speaks HTTP/1.1 on loopback; CREDENTIAL is a file with one that may do everything. A basin and
a stream of a name of their own are made, and stay. With integrations/nginx/demo, a whole gateway
is at hand: `demo -- COMMAND` sets WEIR_DEMO_PORT.
"""

import http.client
import json
import os
import statistics
import sys
import threading
import time

BASIN = f"revocation-{os.getpid()}"
RECORDS = "/v1/streams/events/records"


class Client:
    def __init__(self, port, credential):
        self.port = port
        self.headers = {"authorization": f"Bearer {credential}", "s2-basin": BASIN}
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def ask(self, method, path, body=None):
        headers = dict(self.headers)
        if body is not None:
            headers["content-type"] = "application/json"
            body = json.dumps(body)
        self.connection.request(method, path, body, headers)
        answer = self.connection.getresponse()
        return answer.status, answer.read()

    def must(self, method, path, body=None):
        status, text = self.ask(method, path, body)
        if status >= 300:
            raise SystemExit(f"revocation: {method} {path}: {status} {text!r}")
        return text


class Session(threading.Thread):
    """A read session, of server-sent events; knows when it ended."""

    def __init__(self, port, credential):
        super().__init__()
        self.client = Client(port, credential)
        self.begun = threading.Event()
        self.ended = None
        self.start()

    def run(self):
        self.client.connection.request("GET", RECORDS + "?seq_num=0", headers={
            **self.client.headers, "accept": "text/event-stream"})
        answer = self.client.connection.getresponse()
        while answer.readline():
            self.begun.set()
        self.ended = time.monotonic()


def one_round(root, port):
    issued = json.loads(root.must("POST", "/v1/access-tokens", {
        "id": "to-be-revoked", "scope": {"basins": {"exact": BASIN}, "streams": {"prefix": ""},
                                         "ops": ["read", "check-tail", "create-stream"]}}))
    session = Session(port, issued["access_token"])
    client = Client(port, issued["access_token"])
    session.begun.wait()
    client.must("GET", RECORDS + "/tail")
    root.must("DELETE", "/v1/access-tokens/to-be-revoked")
    revoked = time.monotonic()
    while client.ask("GET", RECORDS + "/tail")[0] != 401:
        pass
    refused = time.monotonic()
    session.join()
    return (session.ended - revoked) * 1000, (refused - revoked) * 1000


def show(name, samples):
    samples = sorted(samples)
    print(f"{name:<28} p50 {statistics.median(samples):7.2f} ms  "
          f"p90 {samples[int(len(samples) * 0.9)]:7.2f} ms  "
          f"p99 {samples[int(len(samples) * 0.99)]:7.2f} ms  most {samples[-1]:7.2f} ms")


def main():
    if len(sys.argv) < 3:
        raise SystemExit(__doc__)
    port = int(sys.argv[1])
    with open(sys.argv[2], encoding="ascii") as file:
        root = Client(port, file.read().strip())
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 300
    root.must("POST", "/v1/basins", {"basin": BASIN})
    root.must("POST", "/v1/streams", {"stream": "events"})
    root.must("POST", RECORDS, {"records": [{"body": "first"}]})
    times = [one_round(root, port) for _ in range(rounds)]
    print(f"{rounds} revocations")
    show("the session's end", [session for session, _ in times])
    show("a new request's first 401", [refused for _, refused in times])


if __name__ == "__main__":
    main()
