#!/usr/bin/env python3
"""Measures what the nginx module costs: the same nginx with and without it, before one server.

usage: gateway.py WEIR MODULE FOLDER [ROUNDS [SECONDS]]

Each round asks both gateways the same, one after the other, in an order that alternates; CPU time
is that of the gateway's one worker, told by the kernel in nanoseconds. What is printed are medians
of the rounds, and the median of the rounds' ratios. Also writes FOLDER/gateway.json.
"""

import base64
import hashlib
import json
import os
import random
import shutil
import socket
import statistics
import subprocess
import sys
import time
import zlib

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
HERE = os.path.dirname(os.path.abspath(__file__))
CONNECTIONS = 32
# What asks and what answers runs on another processor than the gateway (gateway.conf).
ELSEWHERE = ["taskset", "-c", "1"]


def credential(seed):
    text = "weir_" + "".join(random.Random(seed).choices(DIGITS, k=43))
    number, check = zlib.crc32(text.encode()), ""
    for _ in range(6):
        number, digit = divmod(number, 62)
        check = DIGITS[digit] + check
    return text + check


def token(name, operations, prefix="users/1234/"):
    return {"id": name, "credential_digest": hashlib.sha256(credential(name).encode()).hexdigest(),
            "scope": {"basins": {"prefix": "bench-"}, "streams": {"prefix": prefix},
                      "ops": operations}}


READ = ["read", "check-tail", "create-stream"]
TOKENS = [
    token("reads", READ),
    token("reads-only", READ[:2]),
    token("writes", ["append", "trim", "fence", "create-stream"]),
    token("appends", ["append", "create-stream"]),
    # And what a gateway holds besides.
    *(token(f"other-{number}", READ, f"users/{number}/") for number in range(100000)),
]


def varint(number):
    out = b""
    while number > 127:
        out, number = out + bytes([number & 127 | 128]), number >> 7
    return out + bytes([number])


def field(number, content):
    return varint(number << 3 | 2) + varint(len(content)) + content


def protobuf(size):
    header = field(1, b"content-type") + field(2, b"application/octet-stream")
    return field(1, field(2, header) + field(3, random.Random(size).randbytes(size)))


def as_json(size):
    return json.dumps({"records": [{
        "headers": [["content-type", "application/octet-stream"]],
        "body": base64.b64encode(random.Random(size).randbytes(size * 3 // 4)).decode()}]}).encode()


def frames(size, count):
    batch = protobuf(size)
    return ((len(batch) + 1).to_bytes(3, "big") + b"\0" + batch) * count


TAIL = "/v1/streams/users%2F1234%2Fevents/records/tail"
RECORDS = "/v1/streams/users%2F1234%2Fevents/records"
JSON, PROTOBUF, SESSION = "application/json", "application/protobuf", "s2s/proto"

# name, token, method, path, body, its content type, what the ratio of CPU times may be (or None)
CASES = [
    ("unary: tail", "reads", "GET", TAIL, b"", "", 1.03),
    ("unary: append of 1 KiB, may trim and fence", "writes", "POST", RECORDS, as_json(1024), JSON,
     1.03),
    ("session: 64 frames of 32 KiB, may trim and fence", "writes", "POST", RECORDS,
     frames(32768, 64), SESSION, 1.02),
    ("inspected: append of 1 KiB, JSON", "appends", "POST", RECORDS, as_json(1024), JSON, 1.15),
    ("inspected: append of 1 KiB, protobuf", "appends", "POST", RECORDS, protobuf(1024), PROTOBUF,
     1.15),
    ("inspected: append of 64 KiB, JSON", "appends", "POST", RECORDS, as_json(65536), JSON, 1.15),
    ("inspected: append of 64 KiB, protobuf", "appends", "POST", RECORDS, protobuf(65536),
     PROTOBUF, 1.15),
    ("inspected: session of 64 frames of 32 KiB", "appends", "POST", RECORDS, frames(32768, 64),
     SESSION, 1.15),
    ("existence asked: tail", "reads-only", "GET", TAIL, b"", "", None),
]


class Gateway:
    """A running nginx; `folder` is its prefix."""

    def __init__(self, folder, name):
        self.process = subprocess.Popen(
            [*(ELSEWHERE if name == "server" else []),
             "nginx", "-p", folder, "-c", f"{name}.conf", "-e", f"{name}.log"], cwd=folder)
        self.worker = None
        end = time.monotonic() + 30
        while self.worker is None:
            found = subprocess.run(["pgrep", "-P", str(self.process.pid)], capture_output=True,
                                   text=True, check=False).stdout.split()
            self.worker = int(found[0]) if found else None
            if time.monotonic() > end:
                raise SystemExit(f"gateway: {name} does not start")
            time.sleep(0.05)

    def cpu(self):
        """Of the worker, in nanoseconds."""
        with open(f"/proc/{self.worker}/schedstat", encoding="ascii") as file:
            return int(file.read().split()[0])

    def stop(self):
        self.process.terminate()
        self.process.wait()


def free_ports(count):
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports


def write_configuration(folder, name, ports, module=None):
    with open(os.path.join(HERE, "gateway.conf"), encoding="ascii") as file:
        text = file.read()
    user = "user root;" if os.getuid() == 0 else ""
    for key, value in {
            "MODULE": user + (f"load_module {module};" if module else ""),
            "TOKENS": "weir_tokens published;" if module else "",
            "WEIR": "weir s2;" if module else "",
            "NAME": name, "PORT": ports[0], "PORT2": ports[1]}.items():
        text = text.replace(f"@{key}@", str(value))
    with open(os.path.join(folder, f"{name}.conf"), "w", encoding="ascii") as file:
        file.write(text)


def ask(folder, port, case, seconds):
    """One round of load: what wrk has measured."""
    _, holder, method, path, body, content, _ = case
    if body:
        with open(os.path.join(folder, "body"), "wb") as file:
            file.write(body)
    environment = {**os.environ, "METHOD": method, "CREDENTIAL": credential(holder),
                   "CONTENT": content, "BODY": os.path.join(folder, "body") if body else ""}
    result = subprocess.run(
        [*ELSEWHERE, "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s",
         "-s", os.path.join(HERE, "load.lua"), f"http://127.0.0.1:{port}{path}"],
        env=environment, capture_output=True, text=True, check=True)
    measured = json.loads(result.stdout.splitlines()[-1])
    if measured["errors"] or measured["requests"] == 0:
        raise SystemExit(f"gateway: {case[0]}: {result.stdout}")
    return measured


def measure(folder, gateways, ports, case, rounds, seconds):
    samples = {name: [] for name in gateways}
    for number in range(-1, rounds):  # the first warms up
        names = list(gateways) if number % 2 else list(reversed(gateways))
        for name in names:
            before = gateways[name].cpu()
            sample = ask(folder, ports[name][0], case, seconds)
            sample["cpu"] = (gateways[name].cpu() - before) / sample["requests"] / 1000
            sample["rate"] = sample["requests"] / sample["microseconds"] * 1e6
            if number >= 0:
                samples[name].append(sample)
    return samples


def medians(samples):
    return {key: statistics.median(sample[key] for sample in samples)
            for key in ("rate", "p50", "p99", "p999", "cpu")}


def report(case, samples):
    ratios = [with_["cpu"] / without["cpu"]
              for with_, without in zip(samples["with"], samples["without"])]
    ratio = statistics.median(ratios)
    print(f"\n{case[0]}")
    for name in ("without", "with"):
        m = medians(samples[name])
        print(f"  {name:<8}{m['rate']:>9.0f} requests/s  p50 {m['p50']:>6.0f} us  "
              f"p99 {m['p99']:>6.0f} us  p99.9 {m['p999']:>6.0f} us  "
              f"CPU {m['cpu']:>7.2f} us a request")
    budget = f", budget {case[6]:.2f}" if case[6] else ""
    print(f"  ratio of CPU times {ratio:.3f} ({min(ratios):.3f} to {max(ratios):.3f}){budget}",
          flush=True)
    return {"case": case[0], "ratio": ratio, "ratios": ratios, "budget": case[6],
            **{name: medians(samples[name]) for name in samples}}


def publish(weir, folder):
    with open(os.path.join(folder, "tokens.ndjson"), "w", encoding="ascii") as file:
        file.writelines(json.dumps(token) + "\n" for token in TOKENS)
    publisher = subprocess.Popen(
        [weir, "publish", "--tokens", os.path.join(folder, "tokens.ndjson"), "--",
         os.path.join(folder, "published")], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
    while subprocess.run([weir, "check", "--tokens", os.path.join(folder, "published"), "--",
                          "reads", "list-basins"], capture_output=True,
                         check=False).returncode == 2:
        time.sleep(0.1)
    return publisher


def main():
    if len(sys.argv) < 4:
        raise SystemExit(__doc__)
    weir, module, folder = (os.path.abspath(path) for path in sys.argv[1:4])
    rounds = int(sys.argv[4]) if len(sys.argv) > 4 else 9
    seconds = int(sys.argv[5]) if len(sys.argv) > 5 else 3
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    shutil.copy(os.path.join(HERE, "server.conf"), folder)
    numbers = free_ports(4)
    ports = {"without": numbers[:2], "with": numbers[2:]}
    write_configuration(folder, "without", ports["without"])
    write_configuration(folder, "with", ports["with"], module)
    publisher = publish(weir, folder)
    running = [Gateway(folder, "server")]
    try:
        gateways = {}
        for name in ports:
            gateways[name] = Gateway(folder, name)
            running.append(gateways[name])
        time.sleep(1)
        results = [report(case, measure(folder, gateways, ports, case, rounds, seconds))
                   for case in CASES]
        with open(os.path.join(folder, "gateway.json"), "w", encoding="ascii") as file:
            json.dump(results, file, indent=1)
    finally:
        for gateway in running:
            gateway.stop()
        publisher.terminate()
        publisher.wait()


if __name__ == "__main__":
    main()
