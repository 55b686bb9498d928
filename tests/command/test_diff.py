"""weir diff: what a change of tokens changes."""

import json

from command import NOW, CommandTest, main, token

ALL = {"prefix": ""}
LATER = "2027-01-01T00:00:00Z"


def names(exact=(), prefixes=(), but_exact=(), but_prefixes=()):
    return {"exact": list(exact), "prefixes": list(prefixes),
            "except": {"exact": list(but_exact), "prefixes": list(but_prefixes)}}


def scope(ops, **sets):
    return {"ops": ops, **sets}


class Diff(CommandTest):
    def diff_text(self, old, new, now=NOW):
        """What is printed, which is the same of JSON and of images."""
        json_files = [self.write("old.json", old), self.write("new.json", new)]
        images = [self.compile(old, "old.weir"), self.compile(new, "new.weir")]
        result = self.weir("diff", "--now", now, "--", *json_files)
        self.assertEqual(result.err, b"")
        self.assertEqual(result.code, 1 if result.out else 0)
        self.assertEqual(self.weir("diff", "--now", now, "--", *images).out, result.out)
        self.assertEqual(self.weir("diff", "--now", now, images[0], json_files[1]).out, result.out)
        return result.text

    def diff(self, old, new, now=NOW):
        return [json.loads(line) for line in self.diff_text(old, new, now).splitlines()]

    def test_the_same_is_nothing(self):
        tokens = [token("a"), token("b", scope(["list-basins"], basins=ALL))]
        self.assertEqual(self.diff(tokens, tokens[::-1]), [])
        self.assertEqual(self.diff([], []), [])

    def test_the_same_written_otherwise_is_nothing(self):
        bytes_of_basins = "abcdefghijklmnopqrstuvwxyz0123456789-"
        old = scope(["create-basin"], basins={"prefix": "a"})
        new = [scope(["create-basin"], basins={"prefix": "a" + byte}) for byte in bytes_of_basins]
        self.assertEqual(self.diff([token("t", old)], [token("t", scopes=new)]), [])
        self.assertEqual(self.diff([token("t", scopes=new)], [token("t", old)]), [])
        lines = self.diff([token("t", old)], [token("t", scopes=new[1:])])
        self.assertEqual([line["change"] for line in lines], ["lost"])

    def test_a_line_as_it_is_printed(self):
        old = scope(["read"], basins=ALL, streams={"prefix": "users/1"})
        new = scope(["read"], basins=ALL, streams={"prefix": "users/"})
        text = self.diff_text([token("t", old)], [token("t", new)])
        self.assertEqual(
            text,
            '{"token":"t","change":"gained","op":"read",'
            '"basins":{"exact":[],"prefixes":[""],"except":{"exact":[],"prefixes":[]}},'
            '"streams":{"exact":[],"prefixes":["users/"],'
            '"except":{"exact":[],"prefixes":["users/1"]}},'
            '"request":{"op":"read","basin":"aaaaaaaa","stream":"users/a"}}\n')

    def test_each_kind_of_target(self):
        new = scope(["list-locations", "create-basin", "append", "issue-access-token"],
                    basins={"exact": "acme-prod"}, streams={"exact": "s"},
                    access_tokens={"prefix": "t/"})
        lines = self.diff([], [token("t", new)])
        self.assertEqual([line["op"] for line in lines],
                         ["create-basin", "issue-access-token", "append", "list-locations"])
        basins = names(exact=["acme-prod"])
        self.assertEqual(lines[0]["basins"], basins)
        self.assertEqual(lines[0]["request"], {"op": "create-basin", "basin": "acme-prod"})
        self.assertEqual(lines[1]["access_tokens"], names(prefixes=["t/"]))
        self.assertEqual(lines[1]["request"],
                         {"op": "issue-access-token", "access_token": "t/a"})
        self.assertEqual((lines[2]["basins"], lines[2]["streams"]), (basins, names(exact=["s"])))
        self.assertEqual(lines[3], {"token": "t", "change": "gained", "op": "list-locations",
                                    "request": {"op": "list-locations"}})
        lost = self.diff([token("t", new)], [])
        self.assertEqual([{**line, "change": "gained"} for line in lost], lines)
        self.assertEqual({line["change"] for line in lost}, {"lost"})

    def test_examples_are_decided_differently(self):
        old = scope(["read", "append"], basins={"prefix": "a"}, streams={"prefix": "x/"})
        new = [scope(["read"], basins={"prefix": "ab"}, streams=ALL),
               scope(["append", "trim"], basins={"prefix": "a"}, streams={"prefix": "x/1"})]
        lines = self.diff([token("t", old)], [token("t", scopes=new)])
        self.assertGreater(len(lines), 3)
        for line in lines:
            request = line["request"]
            for file, change in ("old.json", "lost"), ("new.json", "gained"):
                target = f"s2://{request['basin']}/{request['stream']}"
                result = self.check(self.path(file), "t", request["op"], target)
                self.assertEqual(result.code, 0 if line["change"] == change else 1, line)

    def test_listings(self):
        ops = ["list-basins", "list-streams", "list-access-tokens"]
        old = scope(ops, basins=ALL, streams={"prefix": "b"}, access_tokens={"exact": "t"})
        new = scope(ops, basins={"prefix": "a"}, streams=ALL)
        lines = self.diff([token("t", old)], [token("t", new)])
        everywhere_else = names(prefixes=[""], but_prefixes=["a"])
        self.assertEqual(lines[0], {"token": "t", "change": "lists_less", "op": "list-basins",
                                    "basins": everywhere_else})
        self.assertEqual(lines[1], {"token": "t", "change": "lists_less",
                                    "op": "list-access-tokens",
                                    "access_tokens": names(exact=["t"])})
        self.assertEqual((lines[2]["change"], lines[2]["basins"]), ("lost", everywhere_else))
        self.assertEqual(lines[3], {"token": "t", "change": "lists_more", "op": "list-streams",
                                    "basins": names(prefixes=["a"]),
                                    "streams": names(prefixes=[""], but_prefixes=["b"])})
        self.assertEqual(len(lines), 4)

    def test_terms(self):
        old = scope(["read"], basins=ALL, streams={"prefix": "p/\u00e9"})
        tokens = [token("t", old, auto_prefix_streams=True, expires_at=LATER)]
        lines = self.diff(tokens, [token("t", {**old, "streams": ALL})])
        self.assertEqual(lines, [
            {"token": "t", "change": "expires", "old": LATER, "new": None},
            {"token": "t", "change": "auto_prefix", "old": "p/\u00e9", "new": None}])

    def test_an_empty_prefix_that_is_put_before_names_is_none(self):
        old = scope(["read"], basins=ALL, streams=ALL)
        self.assertEqual(self.diff([token("t", old, auto_prefix_streams=True)],
                                   [token("t", old)]), [])

    def test_what_has_expired_grants_nothing(self):
        old = [token("t", expires_at=LATER)]
        new = [token("t")]
        self.assertEqual([line["change"] for line in self.diff(old, new)], ["expires"])
        self.assertEqual([line["change"] for line in self.diff(old, new, LATER)], ["gained"])
        self.assertEqual(self.diff(old, [], LATER), [])

    def test_ids_are_in_byte_order_and_quoted(self):
        ids = ["b", "\U0001f600", "a\n\"", "\u00e9", "a"]
        text = self.diff_text([], [token(name) for name in ids])
        self.assertTrue(text.isascii())
        self.assertEqual([json.loads(line)["token"] for line in text.splitlines()],
                         sorted(ids, key=lambda name: name.encode()))

    def test_errors(self):
        path = self.write("tokens.json", [token("a")])
        self.fails("diff", path, says="NEW is missing")
        self.fails("diff", path, "none", says="none")
        self.fails("diff", "none", path, says="none")
        self.fails("diff", path, path, path, says="one argument too many")
        self.fails("diff", "--now", "soon", path, path, says="--now is not an RFC 3339 instant")
        bad = self.write("bad.json", "[{}]")
        self.fails("diff", path, bad, says="bad.json")


if __name__ == "__main__":
    main()
