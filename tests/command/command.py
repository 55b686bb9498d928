"""Running `weir` and saying what it must do. WEIR names the program; NOW is the tests' instant."""

import json
import os
import subprocess
import tempfile
import unittest

WEIR = os.environ["WEIR"]
SANITIZE = os.environ.get("WEIR_SANITIZE", "")
TEST_DATA = os.environ.get(
    "WEIR_TEST_DATA", os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "data")
)
NOW = "2026-11-23T12:00:00Z"
TIMEOUT = 120

ALLOWED, DENIED, TROUBLE = 0, 1, 2


class Result:
    """What came of a run: exit code (negative: a signal), bytes on standard output and error."""

    def __init__(self, done):
        self.code = done.returncode
        self.out = done.stdout
        self.err = done.stderr

    @property
    def text(self):
        return self.out.decode("ascii")

    @property
    def error(self):
        return self.err.decode("ascii")


def run(*arguments, stdin=b"", program=None, **options):
    """Runs `weir` with the arguments, strings or bytes."""
    done = subprocess.run(
        [program or WEIR, *arguments],
        input=stdin,
        stdout=options.pop("stdout", subprocess.PIPE),
        stderr=options.pop("stderr", subprocess.PIPE),
        timeout=TIMEOUT,
        check=False,
        **options,
    )
    return Result(done)


def token(name, scope=None, **fields):
    """A token, as JSON has it; without a scope one that may read users/ in every basin."""
    if scope is None and "scopes" not in fields:
        scope = {
            "basins": {"prefix": ""},
            "streams": {"prefix": "users/"},
            "ops": ["read"],
        }
    made = {"id": name, **fields}
    if scope is not None:
        made["scope"] = scope
    return made


def ndjson(values):
    return b"".join(json.dumps(value).encode() + b"\n" for value in values)


class CommandTest(unittest.TestCase):
    """A test with a folder of its own, which is the current one of what it runs."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, content):
        """Writes bytes, a text, or tokens (a list: the array form) to a file; returns its path."""
        if isinstance(content, list):
            content = json.dumps(content)
        if isinstance(content, str):
            content = content.encode()
        with open(self.path(name), "wb") as file:
            file.write(content)
        return self.path(name)

    def read(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()

    def compile(self, tokens, name="tokens.weir"):
        """An image of tokens, or of the file of that path."""
        source = self.write(name + ".json", tokens) if isinstance(tokens, list) else tokens
        self.succeeds("compile", "--tokens", source, "-o", self.path(name))
        return self.path(name)

    def weir(self, *arguments, **options):
        return run(*arguments, cwd=self.folder, **options)

    def succeeds(self, *arguments, **options):
        result = self.weir(*arguments, **options)
        self.assertEqual(result.code, 0, result.err)
        return result

    def fails(self, *arguments, says=(), out=b"", **options):
        """Exit 2, nothing on standard output but `out`, and one line of error that holds each of
        `says` in this order."""
        result = self.weir(*arguments, **options)
        self.assert_failed(result, says, out)
        return result

    def assert_failed(self, result, says=(), out=b""):
        self.assertEqual(result.code, TROUBLE, (result.code, result.out, result.err))
        self.assertEqual(result.out, out)
        self.assertEqual(result.err.count(b"\n"), 1, result.err)
        self.assertTrue(result.err.startswith(b"weir"), result.err)
        self.assertTrue(result.err.endswith(b"\n"), result.err)
        self.assertTrue(all(0x20 <= byte < 0x7F for byte in result.err[:-1]), result.err)
        place = 0
        for fragment in [says] if isinstance(says, str) else says:
            found = result.error.find(fragment, place)
            self.assertGreaterEqual(found, 0, f"{fragment!r} is missing in {result.error!r}")
            place = found + len(fragment)

    def check(self, tokens, *question, now=NOW):
        return self.weir("check", "--tokens", tokens, "--now", now, "--", *question)


def main():
    unittest.main(verbosity=1)
