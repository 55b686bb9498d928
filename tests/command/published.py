"""A publisher process, its directory, and processes that follow it."""

import json
import os
import select
import signal
import subprocess
import time

from command import TIMEOUT, WEIR, CommandTest

READ = {"basins": {"prefix": ""}, "streams": {"prefix": "users/"}, "ops": ["read"]}


class Process:
    """A `weir` that runs beside the test, spoken to in lines."""

    def __init__(self, test, *arguments, **options):
        self.process = subprocess.Popen(
            [WEIR, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, bufsize=0, cwd=test.folder, **options)
        self.pending = {self.process.stdout: b"", self.process.stderr: b""}
        test.addCleanup(self.clean_up)

    def clean_up(self):
        """Ends it politely: one that is killed tells nobody which of its lines it reached."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.wait()
        for stream in self.process.stdin, self.process.stdout, self.process.stderr:
            stream.close()

    def write(self, value):
        line = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.process.stdin.write(line + b"\n")

    def line(self, stream=None):
        """The next line of standard output, or of another stream; empty at its end."""
        stream = stream or self.process.stdout
        while b"\n" not in self.pending[stream]:
            if not select.select([stream], [], [], TIMEOUT)[0]:
                raise AssertionError("no line came")
            some = stream.read(1 << 16)
            if not some:
                break
            self.pending[stream] += some
        line, _, self.pending[stream] = self.pending[stream].partition(b"\n")
        return line.decode("ascii")

    def value(self):
        return json.loads(self.line())

    def ask(self, value):
        """The answer to a line."""
        self.write(value)
        return self.value()

    def end(self, number=signal.SIGTERM):
        """The exit code after a signal."""
        self.process.send_signal(number)
        return self.process.wait(timeout=TIMEOUT)

    def finish(self):
        """The exit code after the end of its input."""
        self.process.stdin.close()
        return self.process.wait(timeout=TIMEOUT)

    def rest(self):
        """Everything more that it writes until it ends."""
        return list(iter(self.line, ""))


class PublishedTest(CommandTest):
    """With a directory named DIR in the test's folder."""

    def publish(self, tokens=(), *flags, lease="60"):
        """Publishes tokens, and returns the publisher once it does."""
        path = self.write("published.json", list(tokens))
        return self.publisher("--tokens", path, "--lease", lease, *flags)

    def resume(self, *flags):
        return self.publisher("--resume", *flags)

    def publisher(self, *flags):
        publisher = Process(self, "publish", *flags, "--", "DIR")
        line = publisher.line(publisher.process.stderr)
        self.assertRegex(line, "^weir publish: publishing [0-9]+ tokens, sequence ")
        return publisher

    def until(self, holds):
        """Waits until something holds, however long that takes."""
        end = time.monotonic() + TIMEOUT
        while not holds():
            self.assertLess(time.monotonic(), end, "it never came to hold")
            time.sleep(0.01)

    def decision(self, name, stream="users/7"):
        result = self.weir("check", "--tokens", "DIR", "--", name, "read", f"s2://basin-one/{stream}")
        self.assertEqual(result.err, b"")
        decision = json.loads(result.text)
        self.assertEqual(result.code, 0 if decision["allow"] else 1)
        return decision["reason"]

    def is_stale(self):
        return self.decision("reader") == "stale"

    def make_stale(self, tokens):
        """Publishes tokens with a short lease, kills the publisher, and waits for the lease's end."""
        publisher = self.publish(tokens, lease="0.3")
        publisher.process.kill()
        publisher.process.wait()
        self.until(self.is_stale)

    def exists(self, name):
        return os.path.exists(self.path(name))
