"""weir inspect: what is in an image."""

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
        for part in (f"bytes        {size} (", "tokens       7, ", "1 (tokens with a credential digest)",
                     "sequence     0", "1 (tokens that prefix their streams)",
                     "1 expired, 1 will expire, 5 never do; at " + NOW,
                     "compiled tokens by size", 'bytes: "broker"'):
            self.assertIn(part, text)

    def test_sizes_add_up_to_the_tokens(self):
        rows = [line for line in self.inspect().splitlines() if line.startswith("  up to")]
        self.assertEqual(sum(int(row.split()[4]) for row in rows), 7)

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
