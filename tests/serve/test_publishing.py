"""weir serve: what clients and followers see while the disk has no room for what is published."""

import os
import random
import time
import unittest

from command import SANITIZE
from server import TOKENS, ServeTest, main

SHIM = os.environ.get("WEIR_REFUSING_DISK", "")


@unittest.skipIf(SANITIZE or not SHIM, "what is loaded before a sanitizer is not seen by it")
class Publishing(ServeTest):
    def serve_on_a_refusing_disk(self):
        return self.serve("--lease", "0.3", environment={
            "LD_PRELOAD": SHIM, "WEIR_REFUSING": self.path("refusing"),
            "WEIR_REFUSED": os.path.realpath(self.folder) + "/DIR"})

    def refuse(self):
        self.write("refusing", "")

    def allow(self):
        os.unlink(self.path("refusing"))

    def test_a_change_that_is_durable_and_not_published_is_told_and_published_later(self):
        server = self.serve_on_a_refusing_disk()
        server.issue(self.root, self.token("before"))
        self.refuse()
        self.assert_error(server.issue(self.root, self.token("a")), 424, "unpublished")
        line = server.audit()[-1]
        self.assertEqual((line["token"], line["sequence"], line["token_number"], line["outcome"]),
                         ("a", 3, 3, "unpublished"))
        # Until it is published nothing else is changed, and followers deny.
        self.assert_error(server.issue(self.root, self.token("b")), 503, "unavailable")
        self.assert_error(server.revoke(self.root, "before"), 503, "unavailable")
        self.assertEqual(server.audit()[-1]["sequence"], 0)
        self.until(lambda: self.decision("before") == "stale")
        self.until(lambda: server.ask("GET", "/health").status == 503)
        self.assertEqual(server.metrics()["weir_publish_lag"], 1)
        self.assertEqual([token["id"] for token in server.list(self.root).json["access_tokens"]],
                         ["a", "before", "root"])
        self.assertTrue(any("No space left on device" in line["message"] for line in server.log()))
        self.allow()
        self.until(lambda: self.decision("a") == "allowed")
        self.until(lambda: server.ask("GET", "/health").status == 200)
        self.assertEqual(server.metrics()["weir_publish_lag"], 0)
        self.assert_error(server.issue(self.root, self.token("a")), 409, "resource_already_exists")
        self.assertEqual(server.issue(self.root, self.token("b")).status, 201)

    def test_a_revocation_that_is_not_published_denies_all_until_it_is(self):
        server = self.serve_on_a_refusing_disk()
        credential = self.issuer(server, "a", "")
        server.issue(self.root, self.token("b"))
        self.refuse()
        self.assert_error(server.revoke(self.root, "a"), 424, "unpublished")
        self.assertEqual(server.audit()[-1]["sequence"], 4)
        self.until(lambda: self.decision("a") == "stale")
        self.assert_error(server.list(credential), 401, "authn")
        self.allow()
        self.until(lambda: self.decision("b") == "allowed")
        self.assertEqual(self.decision("a"), "unknown_token")
        self.assert_error(server.revoke(self.root, "a"), 404, "access_token_not_found")

    def test_a_server_that_ends_with_a_change_unpublished_publishes_it_when_it_begins(self):
        server = self.serve_on_a_refusing_disk()
        self.refuse()
        self.assert_error(server.issue(self.root, self.token("a")), 424, "unpublished")
        self.assertEqual(server.end(), 0)
        self.allow()
        server = self.serve()
        self.assertEqual(self.decision("a"), "allowed")

    def test_a_change_for_which_the_journal_has_no_room_is_not_made(self):
        """A token that its segment has no room for, and no other can be made."""
        server = self.serve_on_a_refusing_disk()
        numbers = random.Random(1)
        scopes = [{"basins": {"prefix": ""}, "ops": ["read"],
                   "streams": {"prefix": numbers.randbytes(250).hex()}}
                  for _ in range(1600)]
        self.assertEqual(server.issue(self.root, {"id": "a", "scopes": scopes}).status, 201)
        self.refuse()
        answer = server.issue(self.root, {"id": "b", "scopes": scopes})
        self.assert_error(answer, 503, "unavailable", "no room to publish")
        self.assertEqual(server.audit()[-1]["sequence"], 0)
        # Nothing is behind: heartbeats go on, beyond the lease.
        time.sleep(0.6)
        self.until(lambda: self.decision("root", "x") == "allowed")
        self.assertEqual(server.ask("GET", "/health").status, 200)
        self.allow()
        self.assertEqual(server.issue(self.root, {"id": "b", "scopes": scopes}).status, 201)
        self.assertEqual(server.ask("GET", TOKENS + "?limit=1", self.root).status, 200)


if __name__ == "__main__":
    main()
