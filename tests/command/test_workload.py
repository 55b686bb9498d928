"""scripts/make-workload: deterministic, and like what it says."""

import collections
import json
import os
import subprocess
import sys
import unittest

from command import CommandTest, main

SCRIPT = os.path.join(os.environ.get("WEIR_SCRIPTS", "scripts"), "make-workload")


@unittest.skipUnless(os.path.exists(SCRIPT), "no script")
class Workload(CommandTest):
    def make(self, name, *arguments):
        subprocess.run([sys.executable, SCRIPT, self.path(name), *arguments], check=True)
        return self.read(f"{name}/tokens.ndjson"), self.read(f"{name}/requests.ndjson")

    def test_the_same_arguments_make_the_same_files(self):
        arguments = ["--tokens", "500", "--requests", "700", "--seed", "3"]
        first = self.make("a", *arguments)
        self.assertEqual(first, self.make("b", *arguments))
        self.assertEqual([text.count(b"\n") for text in first], [500, 700])
        self.assertNotEqual(first, self.make("a", *arguments[:-1], "4"))
        self.assertEqual(sorted(os.listdir(self.path("a"))), ["requests.ndjson", "tokens.ndjson"])

    def test_small_ones_can_be_made_too(self):
        for seed in range(10):
            self.make("tiny", "--tokens", "1", "--requests", "30", "--seed", str(seed))
            self.succeeds("eval", "--tokens", "tiny/tokens.ndjson", "tiny/requests.ndjson")

    def test_nine_requests_in_ten_are_allowed_and_every_reason_occurs(self):
        self.make("work", "--tokens", "10000", "--requests", "30000")
        self.succeeds("compile", "--tokens", "work/tokens.ndjson", "-o", "work/tokens.weir")
        for tokens in "tokens.ndjson", "tokens.weir":
            result = self.succeeds("eval", "--tokens", f"work/{tokens}", "work/requests.ndjson")
            counts = collections.Counter(json.loads(line)["reason"]
                                         for line in result.text.splitlines())
            self.assertEqual(set(counts), {
                "allowed", "unknown_token", "expired", "invalid_name", "op_not_permitted",
                "basin_out_of_scope", "stream_out_of_scope", "access_token_out_of_scope"})
            self.assertAlmostEqual(counts["allowed"] / 30000, 0.9, delta=0.02)

    def test_tokens_are_of_every_kind_and_few_of_them_are_asked_for_often(self):
        tokens, requests = self.make("work", "--tokens", "10000", "--requests", "30000")
        tokens = [json.loads(line) for line in tokens.splitlines()]
        kinds = collections.Counter(token["id"].split("/")[0] for token in tokens)
        self.assertEqual(set(kinds), {"user", "service", "broker", "admin"})
        self.assertGreater(kinds["user"], 9000)
        self.assertTrue(all(len(token["scopes"]) >= 200 for token in tokens
                            if token["id"].startswith("broker/")))
        for field in "expires_at", "auto_prefix_streams", "credential_digest":
            self.assertTrue(500 < sum(field in token for token in tokens) < 9000, field)
        asked = collections.Counter(json.loads(line)["token"] for line in requests.splitlines())
        self.assertGreater(sum(count for _, count in asked.most_common(100)), 30000 / 5)


if __name__ == "__main__":
    main()
