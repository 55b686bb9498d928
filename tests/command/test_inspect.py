"""weir inspect: what is in an image."""

import json
import random
import re
import shutil
import subprocess
import unittest

from command import NOW, CommandTest, main, ndjson, token
from graph import Graph


class Tokens:
    """Tokens and requests by chance, whose names are so much alike that their tries share nodes."""

    BASINS = ["aaaaaaaa", "aaaaaaab", "aabaaaaa", "abaaaaaa", "bbaaaaaa", "aaaaaaaaa"]

    def __init__(self, seed, targets):
        self.dice = random.Random(seed)
        self.targets = targets
        self.operations = sorted(targets)

    def basin(self, shortest):
        return self.dice.choice(self.BASINS)[:self.dice.randint(shortest, 9)]

    def name(self, shortest):
        return "".join(self.dice.choice('aab \\x"&\u00e9\u00e8')
                       for _ in range(self.dice.randint(shortest, 4)))

    def set(self, name, shortest):
        kind = self.dice.choice(["exact", "prefix", "nothing"])
        return {"exact": {"exact": name(shortest)}, "prefix": {"prefix": name(0)}}.get(kind)

    def scope(self, operations):
        return {"basins": self.set(self.basin, 8), "streams": self.set(self.name, 1),
                "access_tokens": self.set(self.name, 1), "ops": operations}

    def token(self, name):
        kinds = [self.dice.sample(self.operations, self.dice.randint(1, 12)) for _ in range(2)]
        return token(name, scopes=[self.scope(self.dice.choice(kinds))
                                   for _ in range(self.dice.randint(2, 12))])

    def request(self):
        operation = self.dice.choice(self.operations)
        names = {"-": {}, "TOKEN": {"access_token": self.name(1)},
                 "s2://BASIN": {"basin": self.basin(8)},
                 "s2://BASIN/STREAM": {"basin": self.basin(8), "stream": self.name(1)}}
        return {"op": operation, **names[self.targets[operation]]}


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
        self.assertIn(r'a\"\\x5cN&amp;lt;\\x5c\l', self.dot('a"\\N&lt;\\'))
        self.fails("inspect", "--dot", self.image, says="--dot needs a TOKEN")

    def answers(self, tokens, requests):
        lines = self.succeeds("eval", "--tokens", tokens, "--now", NOW,
                              stdin=ndjson(requests)).text.splitlines()
        return [json.loads(line)["allow"] for line in lines]

    def test_who_reads_the_graph_comes_to_the_answers(self):
        acme, hostile = "acme-prod", 'caf\u00e9\u0001"&/'
        tokens = self.write("graph.json", [token("t", scopes=[
            {"basins": {"prefix": ""}, "streams": {"prefix": "a/"}, "ops": ["read"]},
            {"basins": {"prefix": "acme-"}, "streams": {"prefix": "a/b"}, "ops": ["append"]},
            {"basins": {"prefix": "acme-"}, "ops": ["get-basin-config"]},
            {"basins": {"exact": acme}, "streams": {"exact": "a/b"},
             "ops": ["trim", "delete-basin"]},
            {"basins": {"prefix": "zeta-dev"}, "streams": {"exact": "q"}, "ops": ["read"]},
            {"basins": {"prefix": "acme-prod-1"}, "ops": ["list-streams"]},
            {"basins": {"prefix": "zeta-"}, "streams": {"exact": hostile}, "ops": ["read"]},
            {"basins": {"exact": "zeta-dev"}, "streams": {"prefix": ""},
             "op_groups": {"stream": {"write": True}, "basin": {"read": True}}},
            {"access_tokens": {"prefix": "u/"}, "ops": ["issue-access-token"]},
            {"access_tokens": {"exact": "u/1"}, "ops": ["revoke-access-token"]}])])
        graph = self.succeeds("inspect", "--dot", self.compile(tokens, "graph.weir"), "t").text
        basins = acme, "acme-prod2", "acme-prod-1x", "zeta-dev", "zeta-dev2", "basin-of-all"
        requests = [
            *({"op": operation, "basin": basin}
              for operation in ("delete-basin", "get-basin-config", "list-streams", "basin-metrics")
              for basin in basins),
            *({"op": operation, "basin": basin, "stream": stream}
              for operation in ("read", "append", "trim", "fence", "get-stream-config")
              for basin in basins
              for stream in ("a", "a/", "a/b", "a/bc", "q", hostile, hostile + "x")),
            *({"op": operation, "access_token": name}
              for operation in ("issue-access-token", "revoke-access-token")
              for name in ("u", "u/", "u/1", "u/12", "v")),
        ]
        allowed = self.answers(tokens, [{"token": "t", **request} for request in requests])
        self.assertEqual([Graph(graph).grants(request) for request in requests], allowed)
        self.assertIn(True, allowed)
        # Of what it inherits nothing is repeated.
        self.assertIn(r'label="\lprefix:\l  read\l"', graph)
        self.assertIn(r'label="rod\lexact:\l', graph)
        self.assertEqual(graph.count("delete-basin"), 1)

    def test_who_reads_graphs_of_shared_nodes_comes_to_the_answers(self):
        rows = self.succeeds("help", "operations").text.splitlines()[1:]
        chance = Tokens(17, {row.split()[1]: row.split()[-1] for row in rows})
        names = [f"t{number}" for number in range(100)]
        image = self.compile([chance.token(name) for name in names], "chance.weir")
        requests = [(name, chance.request()) for name in names for _ in range(200)]
        allowed = self.answers(image, [{"token": name, **request} for name, request in requests])
        graphs = {name: Graph(self.succeeds("inspect", "--dot", image, name).text)
                  for name in names}
        for (name, request), allow in zip(requests, allowed):
            self.assertEqual(graphs[name].grants(request), allow, (name, request))
        self.assertEqual(len(allowed), len(requests))
        self.assertTrue(2000 < sum(allowed) < len(allowed) - 2000)
        shared = [node for graph in graphs.values() for node in graph.nodes.values()
                  if node.arrows > 1]
        self.assertGreater(len(shared), 20)

    def test_the_byte_that_leads_to_a_node_stands_at_the_arrow(self):
        image = self.compile([token("t", scopes=[
            {"basins": {"prefix": ""}, "streams": {"prefix": stream}, "ops": ["read", *others]}
            for stream, others in (("a1/x", ["list-locations"]), (" 1/x", []))])], "alike.weir")
        graph = self.succeeds("inspect", "--dot", image, "t").text
        # The token itself tells only what is checked against no target.
        self.assertIn(r'token [shape=ellipse, label="t\l  list-locations\l"];', graph)
        steps = re.findall(r'-> (n\d+) \[label="(.|\\\\x20)"\];', graph)
        self.assertEqual([step[1] for step in steps], [r"\\x20", "a"])
        self.assertEqual(len({step[0] for step in steps}), 1)
        self.assertIn(rf'{steps[0][0]} [label="1/x\lprefix:\l  read\l"];', graph)

    def test_the_graph_of_one_scope_is_its_sets(self):
        image = self.compile([
            token("all", {"basins": {"exact": "acme-prod"}, "streams": {"prefix": "users/"},
                          "access_tokens": {"prefix": "x"},
                          "op_groups": {"account": {"read": True}},
                          "ops": ["set-default-location", "append"]}),
            token("bare", {"basins": {"prefix": ""}, "ops": ["list-basins"]}),
            token("prefixed", auto_prefix_streams=True)], "one.weir")

        def body(name):
            lines = self.succeeds("inspect", "--dot", image, name).text.splitlines()
            return "\n".join(line.strip() for line in lines[4:-1])

        self.assertEqual(body("all"), r"""
token [shape=ellipse, label="all\l  all of account read\l  append\l  set-default-location\l"];
"basins" [label="exact\lacme-prod\l"];
token -> "basins" [label="basins"];
"streams" [label="prefix\lusers/\l"];
token -> "streams" [label="streams"];
"access tokens" [label="prefix\lx\l"];
token -> "access tokens" [label="access tokens"];""".strip())
        self.assertEqual(body("bare"), r"""
token [shape=ellipse, label="bare\l  list-basins\l"];
"basins" [label="prefix\l\l"];
token -> "basins" [label="basins"];""".strip())
        self.assertIn(r'"prefixed\l  read\lputs the prefix before its streams\l"', body("prefixed"))

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
