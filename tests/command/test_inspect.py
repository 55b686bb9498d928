"""weir inspect: what is in an image."""

import re
import shutil
import subprocess
import unittest

from command import NOW, CommandTest, main, token


class Inspect(CommandTest):
    def setUp(self):
        super().setUp()
        tries = [{"basins": {"prefix": f"acme-{number}"}, "streams": {"prefix": f"s/{number}/"},
                  "ops": ["read", "append"]} for number in range(50)]
        self.tokens = self.write("tokens.json", [
            token("eternal"),
            token("expired", expires_at=NOW),
            token("living", expires_at="2026-12-23T12:00:00Z"),
            token("secret", credential_digest="AB" * 32),
            token("prefixed", auto_prefix_streams=True),
            token("broker", scopes=tries),
            token("evil\x1b[2J\n\u00e9"),
            token('a"\\N&lt;\\'),
        ])
        self.image = self.compile(self.tokens)

    def inspect(self, *arguments):
        result = self.succeeds("inspect", "--now", NOW, "--", self.image, *arguments)
        self.assertEqual(result.err, b"")
        self.assertTrue(all(line.isprintable() for line in result.text.splitlines()), result.text)
        return result.text

    def test_it_says_what_is_in_an_image(self):
        text = self.inspect()
        size = len(self.read(self.image))
        for part in (f"bytes        {size} (", "tokens       8, ", "1 (tokens with a credential digest)",
                     "sequence     0", "1 (tokens that prefix their streams)",
                     "1 expired, 1 will expire, 6 never do; at " + NOW,
                     "compiled tokens by size", 'bytes: "broker"'):
            self.assertIn(part, text)

    def test_sizes_add_up_to_the_tokens(self):
        rows = [line for line in self.inspect().splitlines() if line.startswith("  up to")]
        self.assertEqual(sum(int(row.split()[4]) for row in rows), 8)

    def test_an_empty_image_has_no_sizes(self):
        image = self.compile([], "none.weir")
        text = self.succeeds("inspect", image).text
        self.assertIn("tokens       0\n", text)
        self.assertNotIn("by size", text)

    def test_it_says_what_a_token_is(self):
        text = self.inspect("living")
        for part in ('token     "living"', "issue     0",
                     "expires   2026-12-23T12:00:00Z, in 30 days\n", "digest    none",
                     'prefix    "", its streams are called as they are', '"users/"', "read"):
            self.assertIn(part, text)
        self.assertIn("expires   2026-11-23T12:00:00Z, 0 seconds ago\n", self.inspect("expired"))
        self.assertIn("expires   never\n", self.inspect("eternal"))
        self.assertIn("digest    " + "ab" * 32 + "\n", self.inspect("secret"))
        self.assertIn('prefix    "users/", put before its streams', self.inspect("prefixed"))

    def test_it_shows_the_tries_of_a_token(self):
        text = self.inspect("broker")
        for part in "acme-", "s/", "append", "read":
            self.assertIn(part, text)

    def dot(self, name):
        return self.succeeds("inspect", "--dot", "--", self.image, name).text

    def test_a_token_is_drawn_as_a_graph(self):
        for name in "living", "prefixed", "broker", "evil\x1b[2J\n\u00e9", 'a"\\N&lt;\\':
            graph = self.dot(name)
            self.assertTrue(graph.isascii() and graph.startswith("digraph token {\n"))
            self.assertTrue(graph.endswith("\n}\n"))
            bare = re.sub(r'"(?:[^"\\]|\\.)*"', "", graph)
            self.assertNotRegex(bare, r'["\\&]')
            nodes = re.findall(r"^  (n\d+) \[", bare, re.M)
            ends = re.findall(r"-> (n\d+)", bare)
            self.assertEqual(len(nodes), len(set(nodes)))
            self.assertEqual(set(nodes), set(ends))
        self.assertGreater(self.dot("broker").count("s/"), 0)
        self.assertIn(r"evil\\x1b[2J\\x0a\\xc3\\xa9", self.dot("evil\x1b[2J\n\u00e9"))
        self.assertIn(r'a\"\\N&amp;lt;\\\l', self.dot('a"\\N&lt;\\'))
        self.fails("inspect", "--dot", self.image, says="--dot needs a TOKEN")

    @unittest.skipUnless(shutil.which("dot"), "graphviz is not installed")
    def test_graphviz_accepts_the_graph(self):
        for name in "living", "broker", "evil\x1b[2J\n\u00e9", 'a"\\N&lt;\\':
            done = subprocess.run(["dot", "-Tsvg"], input=self.dot(name).encode(), check=True,
                                  capture_output=True)
            self.assertEqual(done.stderr, b"")

    def test_hostile_ids_are_quoted(self):
        text = self.inspect("evil\x1b[2J\n\u00e9")
        self.assertIn(r'"evil\u001b[2J\u000a\u00e9"', text)

    def test_a_token_that_is_not_there_is_an_error(self):
        self.fails("inspect", "--", self.image, "no\tbody",
                   says=[f"weir: {self.image}: ", r'no such token: "no\u0009body"'])

    def test_only_an_image_can_be_inspected(self):
        for path in self.tokens, self.write("text", "hello"), self.write("empty", b""):
            self.fails("inspect", path, says=f"weir: {path}: ")

    def test_an_image_may_come_through_a_pipe(self):
        result = self.succeeds("inspect", "--now", NOW, "/dev/stdin", stdin=self.read(self.image))
        self.assertEqual(result.text, self.inspect())


if __name__ == "__main__":
    main()
