"""A program that uses an SDK, spoken to in lines of JSON."""

import json
import os
import select
import subprocess

from command import TIMEOUT


class Refused(Exception):
    """An error of the SDK: the status and the code that the server gave, or 0 and "client"."""

    def __init__(self, status, code, message):
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message


def environment(endpoint, credential, **more):
    """Where SDKs look for the server and the credential."""
    return {**os.environ, "S2_ACCESS_TOKEN": credential, "S2_ACCOUNT_ENDPOINT": endpoint,
            "S2_BASIN_ENDPOINT": endpoint, **more}


class Client:
    """The program, as one credential, at one endpoint."""

    def __init__(self, test, command, endpoint, credential, **more):
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            env=environment(endpoint, credential, **more))
        test.addCleanup(self.end)

    def end(self):
        self.process.stdin.close()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()

    def call(self, name, **given):
        """What the SDK gave; raises Refused if that was an error."""
        self.begin(name, **given)
        return self.finish()

    def begin(self, name, **given):
        self.process.stdin.write(json.dumps({"call": name, **given}).encode() + b"\n")
        self.process.stdin.flush()

    def finish(self):
        ready, _, _ = select.select([self.process.stdout], [], [], TIMEOUT)
        if not ready:
            raise AssertionError("the client says nothing")
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError("the client has ended")
        answer = json.loads(line)
        if answer.get("error"):
            raise Refused(**answer["error"])
        return answer["answer"]

    def issue(self, token):
        return self.call("issue", token=token)

    def revoke(self, name):
        self.call("revoke", id=name)

    def list(self, **query):
        """The tokens of a page, each in the same form however the SDK shows it; and whether
        there are more."""
        page = self.call("list", **query)
        return [plain(token) for token in page["access_tokens"]], page["has_more"]

    def ids(self, **query):
        return [token["id"] for token in self.list(**query)[0]]


def plain(value):
    """Without what means nothing: null, false, empty. SDKs leave out different parts of that. A
    set of the scope is kept as it is, since an empty prefix is everything."""
    if isinstance(value, dict):
        kept = {key: item if key in ("exact", "prefix") else plain(item)
                for key, item in value.items()}
        return {key: item for key, item in kept.items()
                if key in ("exact", "prefix") or item not in (None, False, {}, [], "")}
    if isinstance(value, list):
        return sorted(value)  # operations, which some SDKs keep as a set
    return value
