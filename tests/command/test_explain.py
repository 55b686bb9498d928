"""weir explain: the decision and why, for a person."""

from command import ALLOWED, DENIED, NOW, CommandTest, main, token


def scope(basins, streams, *ops, **fields):
    return {"basins": basins, "streams": streams, "ops": list(ops), **fields}


class Explain(CommandTest):
    def setUp(self):
        super().setUp()
        users = scope({"prefix": "acme-"}, {"prefix": "users/1234/"},
                      op_groups={"stream": {"read": True}, "account": {"read": False}})
        self.tokens = self.write("tokens.json", [
            token("user-1234", users, expires_at="2027-01-01T00:00:00Z"),
            token("old", users, expires_at="2026-11-20T08:00:00Z"),
            token("prefixed", scope({"exact": "acme-prod"}, {"prefix": "t/1/"}, "read"),
                  auto_prefix_streams=True),
            token("several", scopes=[
                scope({"exact": "other-basin"}, {"prefix": ""}, "read"),
                scope({"prefix": "acme-"}, {"prefix": "logs/eu/"}, "read", "append"),
                scope({"prefix": "acme-"}, {"exact": "logs/us/1"}, "append"),
            ]),
            token("lister", scope({"prefix": "acme-"}, {"prefix": "a"}, "list-streams",
                                  "list-basins", "list-access-tokens")),
            token("admin", {"access_tokens": {"prefix": "team-a/"}, "basins": {"exact": ""},
                            "ops": ["revoke-access-token", "create-basin"]}),
            token("broker", scopes=[
                scope({"exact": "acme-prod"}, {"prefix": f"device/{number:04}/"}, "read")
                for number in range(300)]),
            token("\u00e9\x1b[31m\n"),
        ])
        self.image = self.compile(self.tokens)

    def explain(self, code, *question, tokens=None, now=NOW):
        result = self.weir("explain", "--tokens", tokens or self.tokens, "--now", now, "--",
                           *question)
        self.assertEqual(result.code, code, result.err)
        self.assertEqual(result.err, b"")
        self.assertTrue(all(line.isprintable() for line in result.text.splitlines()))
        return result.text

    def has(self, text, *parts):
        """Each part in the text, in this order."""
        place = 0
        for part in parts:
            found = text.find(part, place)
            self.assertGreaterEqual(found, 0, f"{part!r} is missing in\n{text}")
            place = found + len(part)

    def test_the_decision_comes_first(self):
        text = self.explain(ALLOWED, "user-1234", "read", "s2://acme-prod/users/1234/x")
        self.assertEqual(text.splitlines()[0], "allowed: the token may do this")
        text = self.explain(DENIED, "user-1234", "read", "s2://acme-prod/users/1235/x")
        self.has(text.splitlines()[0], "DENIED (stream_out_of_scope): ", "not on this stream")

    def test_every_reason_has_words_of_its_own(self):
        questions = {
            "unknown_token": ["nobody", "read", "s2://acme-prod/x"],
            "expired": ["old", "read", "s2://acme-prod/x"],
            "invalid_name": ["user-1234", "read", "s2://acme/x"],
            "op_not_permitted": ["user-1234", "append", "s2://acme-prod/x"],
            "basin_out_of_scope": ["user-1234", "read", "s2://acne-prod/x"],
            "stream_out_of_scope": ["user-1234", "read", "s2://acme-prod/x"],
            "access_token_out_of_scope": ["admin", "revoke-access-token", "x"],
        }
        for tokens in self.tokens, self.image:
            lines = {self.explain(DENIED, *question, tokens=tokens).splitlines()[0]
                     .partition(reason)[2] for reason, question in questions.items()}
            self.assertEqual(len(lines), len(questions))

    def test_it_says_what_the_token_is_and_what_was_asked(self):
        for tokens in self.tokens, self.image:
            text = self.explain(DENIED, "user-1234", "read", "s2://acme-prod/x", tokens=tokens)
            self.has(text, 'token    "user-1234"\n',
                     'asks to  read, basin "acme-prod", stream "x"\n', "at       " + NOW,
                     "expires  2027-01-01T00:00:00Z, in 38 days 12 hours\n")
            text = self.explain(DENIED, "several", "read", "s2://acme-prod/x", tokens=tokens)
            self.has(text, "expires  never\n")

    def test_an_expired_token_is_told_what_it_could_do_before(self):
        for tokens in self.tokens, self.image:
            text = self.explain(DENIED, "old", "read", "s2://acme-prod/users/1234/x", tokens=tokens)
            self.has(text, "expires  2026-11-20T08:00:00Z, 3 days 4 hours ago\n",
                     "before it expired: allowed")
            text = self.explain(DENIED, "old", "read", "s2://acme-prod/users/1235/x", tokens=tokens)
            self.has(text, "before it expired: DENIED (stream_out_of_scope)", "they part after 9")

    def test_an_auto_prefix_and_the_name_at_the_server_are_shown(self):
        for tokens in self.tokens, self.image:
            text = self.explain(ALLOWED, "prefixed", "read", "s2://acme-prod/x", tokens=tokens)
            self.has(text, 'prefix   "t/1/", put before its streams',
                     'stream   "t/1/x", as the server calls it')

    def test_each_part_of_a_scope_says_what_matched(self):
        text = self.explain(ALLOWED, "user-1234", "read", "s2://acme-prod/users/1234/x")
        self.has(text, "scope: allows it\n", "operation     yes     read, by op_groups.stream.read",
                 'basin         yes     prefix "acme-"', 'stream        yes     prefix "users/1234/"')

    def test_names_that_part_stand_one_below_the_other_with_a_mark(self):
        for tokens in self.tokens, self.image:
            lines = self.explain(DENIED, "user-1234", "read", "s2://acme-prod/users/1235/inbox",
                                 tokens=tokens).splitlines()
            mark = next(number for number, line in enumerate(lines) if "^" in line)
            rule, asked = lines[mark - 2], lines[mark - 1]
            column = lines[mark].index("^")
            self.assertIn("they part after 9 bytes", lines[mark])
            self.assertEqual(rule[column:], '4/"')
            self.assertEqual(asked[column:], '5/inbox"')
            self.assertEqual(rule[:column][-10:], asked[:column][-10:])

    def test_the_mark_stands_below_the_character_however_it_is_escaped(self):
        path = self.write("one.json", [token("t", scope({"prefix": ""}, {"exact": "\u00e9\"\u65e5x"},
                                                        "read"))])
        lines = self.explain(DENIED, "t", "read", "s2://acme-prod/\u00e9\"\u672cx",
                             tokens=path).splitlines()
        mark = next(number for number, line in enumerate(lines) if "^" in line)
        column = lines[mark].index("^")
        self.assertTrue(lines[mark - 2][column:].startswith(r"\u65e5"), lines)
        self.assertTrue(lines[mark - 1][column:].startswith(r"\u672c"), lines)

    def test_a_name_that_ends_early_or_goes_on_is_called_so(self):
        for tokens in self.tokens, self.image:
            self.has(self.explain(DENIED, "user-1234", "read", "s2://acme-prod/users/",
                                  tokens=tokens), "^ the name asked for ends after 6 bytes")
            self.has(self.explain(DENIED, "several", "append", "s2://acme-prod/logs/us/1/x",
                                  tokens=tokens), "^ the name asked for goes on after 9 bytes")

    def test_of_long_names_what_lies_around_the_mark_is_shown(self):
        name = "n" * 400
        path = self.write("one.json", [token("t", scope({"prefix": ""}, {"prefix": name + "a/"},
                                                        "read"))])
        for tokens in path, self.compile(path, "one.weir"):
            text = self.explain(DENIED, "t", "read", "s2://acme-prod/" + name + "b/", tokens=tokens)
            self.has(text, 'prefix ... "nnn', 'na/"', 'asked  ... "nnn', 'nb/"',
                     "they part after 400 bytes")

    def test_an_operation_that_is_missing_is_beside_those_that_are_there(self):
        text = self.explain(DENIED, "several", "trim", "s2://acme-prod/logs/eu/1")
        self.has(text, 'it would take "trim" among the ops of a scope, or its op_groups.stream.write',
                 "operation     NO      trim is not among append, read")
        text = self.explain(DENIED, "several", "trim", "s2://acme-prod/x", tokens=self.image)
        self.has(text, 'it would take "trim"', "it permits append, read\n")

    def test_scopes_are_numbered_as_in_the_file_and_the_nearest_is_named(self):
        text = self.explain(DENIED, "several", "read", "s2://acme-prod/logs/us/1")
        self.has(text, "the token has 3 scopes; scope 2 came nearest:\n",
                 "scope 1 (scopes[0]): the basin does not match",
                 "scope 2 (scopes[1]), the nearest: the stream does not match",
                 "scope 3 (scopes[2]): the operation does not match")
        text = self.explain(ALLOWED, "several", "append", "s2://acme-prod/logs/us/1")
        self.has(text, "the token has 3 scopes; 1 of them allows it:\n",
                 "scope 3 (scopes[2]): allows it")

    def test_of_very_many_scopes_the_nearest_are_shown_first(self):
        text = self.explain(DENIED, "broker", "read", "s2://acme-prod/device/0123x")
        self.has(text, "the token has 300 scopes; scope 124 came nearest; the nearest first:",
                 "scope 124 (scopes[123]), the nearest: the stream does not match",
                 "and 292 more scopes, none of them nearer\n")
        text = self.explain(ALLOWED, "broker", "read", "s2://acme-prod/device/0123/x")
        self.has(text, "1 of them allows it", "scope 124 (scopes[123]): allows it")
        self.assertLess(len(text.splitlines()), 80)

    def test_from_an_image_the_rules_on_the_way_and_the_nearest_are_shown(self):
        text = self.explain(DENIED, "broker", "read", "s2://acme-prod/device/0123x",
                            tokens=self.image)
        self.has(text, "basins\n", 'yes     exact  "acme-prod"\n', "permits read",
                 "streams, on this basin\n", 'NO      prefix "device/0123/"',
                 'asked  "device/0123x"', "permits read; it came nearest\n")
        text = self.explain(ALLOWED, "broker", "read", "s2://acme-prod/device/0123/x",
                            tokens=self.image)
        self.has(text, 'yes     prefix "device/0123/"\n', "permits read")

    def test_access_tokens_are_explained_likewise(self):
        for tokens in self.tokens, self.image:
            text = self.explain(DENIED, "admin", "revoke-access-token", "team-b/1", tokens=tokens)
            self.has(text, 'asks to  revoke-access-token, access token "team-b/1"',
                     'prefix "team-a/"', 'asked  "team-b/1"', "they part after 5 bytes")

    def test_a_set_of_nothing_is_called_nothing(self):
        self.has(self.explain(DENIED, "admin", "create-basin", "s2://acme-prod"),
                 "basin         NO      nothing\n")

    def test_an_allowed_listing_says_what_it_is_narrowed_to(self):
        for tokens in self.tokens, self.image:
            self.has(self.explain(ALLOWED, "lister", "list-streams", "s2://acme-prod",
                                  tokens=tokens), "the list has only names", 'prefix "a"\n')
            self.has(self.explain(ALLOWED, "lister", "list-basins", tokens=tokens),
                     'prefix "acme-"\n')
            self.has(self.explain(ALLOWED, "lister", "list-access-tokens", tokens=tokens),
                     "the list is empty")

    def test_a_name_that_nothing_can_have_is_shown_with_the_rule(self):
        for tokens in self.tokens, self.image:
            for question, parts in [
                (["read", "s2://ACME-PROD/x"], ['no basin can be called "ACME-PROD" (9 bytes)',
                                                "8 to 48 bytes"]),
                (["read", "s2://acme-prod/.."], ['no stream can be called ".." (2 bytes)',
                                                 "1 to 512 bytes"]),
                (["read", b"s2://acme-prod/\xff"], [r'no stream can be called "\ufffd" (1 bytes)']),
                (["revoke-access-token", ""], ['no access token can be called "" (0 bytes)',
                                               "1 to 96 bytes"]),
            ]:
                self.has(self.explain(DENIED, "user-1234", *question, tokens=tokens), *parts)
            text = self.explain(DENIED, "prefixed", "read", "s2://acme-prod/" + "x" * 512,
                                tokens=tokens)
            self.has(text, "DENIED (invalid_name)", 'no stream can be called "t/1/xxx', "(516 bytes)")

    def test_an_unknown_id_is_beside_those_most_like_it(self):
        for tokens in self.tokens, self.image:
            text = self.explain(DENIED, "user-12", "list-basins", tokens=tokens)
            self.has(text, "ids that begin most like it:\n", '  "user-1234"\n')
            self.assertNotIn("most like", self.explain(DENIED, "zzz", "list-basins", tokens=tokens))

    def test_hostile_names_are_quoted(self):
        for tokens in self.tokens, self.image:
            self.has(self.explain(DENIED, "\u00e9\x1b[31m\n", "read", "s2://acme-prod/\x07\u202e",
                                  tokens=tokens),
                     r'"\u00e9\u001b[31m\u000a"', r'"\u0007\u202e"')

    def test_every_line_ends(self):
        for tokens in self.tokens, self.image:
            for name in "nobody", "old", "several", "lister":
                self.assertTrue(
                    self.explain(DENIED, name, "trim", "s2://acme-prod/x",
                                 tokens=tokens).endswith("\n"))


if __name__ == "__main__":
    main()
