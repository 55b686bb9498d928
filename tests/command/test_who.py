"""weir who: the ids of all tokens that may do something."""

import json

from command import NOW, CommandTest, main, token

READ_ALL = {"basins": {"prefix": ""}, "streams": {"prefix": ""}, "ops": ["read"]}


class Who(CommandTest):
    def who(self, tokens, *question):
        for path in self.write("who.json", tokens), self.compile(tokens, "who.weir"):
            result = self.succeeds("who", "--tokens", path, "--now", NOW, "--", *question)
            self.assertEqual(result.err, b"")
        return result.text

    def test_ids_are_json_strings_in_byte_order(self):
        names = ["b", "a", "B", "a/1", "\u00e9", "\U0001f600", "\ufffd", "z\n\"", "a" * 96, "-"]
        text = self.who([token(name, READ_ALL) for name in names], "read", "s2://basin-one/x")
        expected = sorted(names, key=lambda name: name.encode())
        self.assertEqual([json.loads(line) for line in text.splitlines()], expected)
        self.assertTrue(text.isascii())

    def test_only_those_that_may_are_listed(self):
        tokens = [
            token("may", READ_ALL),
            token("expired", READ_ALL, expires_at=NOW),
            token("other-op", {**READ_ALL, "ops": ["append"]}),
            token("other-basin", {**READ_ALL, "basins": {"exact": "basin-two"}}),
            token("other-stream", {**READ_ALL, "streams": {"prefix": "y"}}),
        ]
        self.assertEqual(self.who(tokens, "read", "s2://basin-one/x"), '"may"\n')

    def test_a_stream_is_named_as_each_tokens_client_names_it(self):
        tokens = [
            token("prefixed", {**READ_ALL, "streams": {"prefix": "t/1/"}},
                  auto_prefix_streams=True),
            token("plain", {**READ_ALL, "streams": {"prefix": "t/1/"}}),
            token("everything", READ_ALL),
        ]
        self.assertEqual(self.who(tokens, "read", "s2://basin-one/x"),
                         '"everything"\n"prefixed"\n')
        self.assertEqual(self.who(tokens, "read", "s2://basin-one/t/1/x"),
                         '"everything"\n"plain"\n"prefixed"\n')

    def test_each_kind_of_target_can_be_asked_for(self):
        scope = {"basins": {"prefix": "ba"}, "access_tokens": {"prefix": "x/"},
                 "op_groups": {"account": {"read": True, "write": True}}}
        tokens = [token("admin", scope)]
        self.assertEqual(self.who(tokens, "list-basins"), '"admin"\n')
        self.assertEqual(self.who(tokens, "create-basin", "s2://basin-one"), '"admin"\n')
        self.assertEqual(self.who(tokens, "revoke-access-token", "x/1"), '"admin"\n')
        self.assertEqual(self.who(tokens, "revoke-access-token", "y"), "")

    def test_nobody_is_no_error(self):
        self.assertEqual(self.who([], "list-basins"), "")
        self.assertEqual(self.who([token("a", READ_ALL)], "read", "s2://NO/x"), "")

    def test_many_ids_come_out_whole(self):
        tokens = [token(f"user/{number:06}", READ_ALL) for number in range(5000)]
        text = self.who(tokens, "read", "s2://basin-one/x")
        self.assertEqual(text, "".join(f'"user/{number:06}"\n' for number in range(5000)))

    def test_a_target_that_does_not_fit_is_an_error(self):
        path = self.write("tokens.json", [token("a")])
        self.fails("who", "--tokens", path, "read", says="read takes a TARGET s2://BASIN/STREAM")
        self.fails("who", "--tokens", path, "list-basins", "s2://x",
                   says="list-basins takes no TARGET")
        self.fails("who", "--tokens", path, "fly", says='no such operation: "fly"')


if __name__ == "__main__":
    main()
