"""Pages of lists are filled from what a token may see, by few questions."""

import random
import urllib.parse

from gateway import BASIN, GatewayTest, main
from standin import Reply, error

QUESTIONS = 32


class Lists(GatewayTest):
    def page(self, credential, path="/v1/streams", **query):
        text = "?" + urllib.parse.urlencode(query) if query else ""
        answer = self.ask("GET", path + text, credential,
                          basin=BASIN if path == "/v1/streams" else None)
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual(answer.headers["content-type"], "application/json")
        key = path.rsplit("/", 1)[1]
        self.assertEqual(set(answer.json), {key, "has_more"})
        return [one["name"] for one in answer.json[key]], answer.json["has_more"]

    def all_pages(self, credential, limit, **query):
        """The names of all pages."""
        names, after = [], ""
        while True:
            page, more = self.page(credential, limit=limit, start_after=after, **query)
            self.assertLessEqual(len(page), limit)
            names += page
            if not more:
                return names
            self.assertTrue(page)
            after = page[-1]

    def test_streams_are_those_in_scope(self):
        for name in "a", "b/1", "b/2", "b", "c", "bb":
            self.s2.add(BASIN, name)
        for streams, expected in (
                ("", ["a", "b", "b/1", "b/2", "bb", "c", "s"]), ("b/", ["b/1", "b/2"]),
                ({"exact": "b"}, ["b"]), ({"exact": "none"}, []), ({"exact": ""}, [])):
            with self.subTest(streams=streams):
                token = self.token(["list-streams"], streams=streams)
                self.assertEqual(self.page(token), (expected, False))
                self.assertEqual(self.all_pages(token, 1), expected)
                self.assertEqual(self.page(token, prefix="b/"),
                                 ([name for name in expected if name.startswith("b/")], False))
                self.assertEqual(self.page(token, start_after="b/1"),
                                 ([name for name in expected if name > "b/1"], False))

    def test_basins_are_those_in_scope(self):
        for name in "basin-two", "other-one", "basin-three":
            self.s2.add(name, "s")
        for basins, expected in (("basin-", ["basin-one", "basin-three", "basin-two"]),
                                 ({"exact": "other-one"}, ["other-one"]),
                                 ({"exact": "none-here"}, []), ("", sorted(self.s2.basins))):
            with self.subTest(basins=basins):
                token = self.token(["list-basins"], basins=basins)
                self.assertEqual(self.page(token, "/v1/basins"), (expected, False))
                self.assertEqual(self.page(token, "/v1/basins", limit=1),
                                 (expected[:1], len(expected) > 1))

    def test_many_scopes(self):
        rng = random.Random(7)
        names = sorted({f"{rng.choice('abcdef')}/{rng.choice('abcdef')}/{number}"
                        for number in range(300)})
        for name in names:
            self.s2.add(BASIN, name)
        prefixes = ["a/b", "a/b/1", "c/", "f/f/29", "d/a/"]
        scopes = [{"basins": {"prefix": ""}, "streams": {"prefix": prefix},
                   "ops": ["list-streams"]} for prefix in prefixes]
        answer = self.world.server.issue(self.root, {"id": "many", "scopes": scopes})
        token = answer.json["access_token"]
        expected = [name for name in names if name.startswith(tuple(prefixes))]
        for limit in 1, 3, 50, 1000:
            self.assertEqual(self.all_pages(token, limit), expected)
        self.assertEqual(self.all_pages(token, 5, prefix="c/"),
                         [name for name in expected if name.startswith("c/")])
        self.world.revoke("many")

    def test_few_questions_are_asked(self):
        """Of a hundred prefixes, in none of which there is anything."""
        scopes = [{"basins": {"prefix": ""}, "streams": {"prefix": f"p{number:03}/"},
                   "ops": ["list-streams"]} for number in range(100)]
        token = self.world.server.issue(self.root, {"id": "wide", "scopes": scopes}).json[
            "access_token"]
        self.s2.add(BASIN, "p099/x")
        self.s2.take()
        answer = self.ask("GET", "/v1/streams", token, basin=BASIN)
        asked = self.s2.take()
        self.assertLessEqual(len(asked), QUESTIONS)
        if answer.status == 200:
            self.assertTrue(answer.json["streams"] or not answer.json["has_more"], answer)
        else:
            self.assert_error(answer, 503, "unavailable")
        self.s2.add(BASIN, "p000/x")
        self.assertEqual(self.page(token, limit=1), (["p000/x"], True))
        self.assertEqual(len(self.s2.take()), 1)
        self.world.revoke("wide")

    def test_a_limit_is_as_the_server_has_it(self):
        for number in range(1100):
            self.s2.basins[BASIN].streams[f"n{number:04}"] = []
        for limit, count in ((0, 1000), (1, 1), (1000, 1000), (1001, 1000), (5000, 1000)):
            page, more = self.page(self.root, limit=limit)
            self.assertEqual((len(page), more), (count, True))
        self.assertEqual(len(self.all_pages(self.root, 300)), 1101)

    def test_pages_through_a_small_server(self):
        """One whose own pages are short."""
        for number in range(60):
            self.s2.add(BASIN, f"n{number:02}")

        def short(seen):
            path, _, query = seen.path.partition("?")
            query = dict(urllib.parse.parse_qsl(query))
            if path == "/v1/streams":
                return self.s2.page(self.s2.basins[BASIN].streams, "streams",
                                    {**query, "limit": "3"})
            return None
        self.s2.script = short
        page, more = self.page(self.root, limit=50)
        self.assertEqual((len(page), more), (50, True))
        self.assertLessEqual(len(self.s2.take()), QUESTIONS)

    def test_what_the_server_refuses_is_told(self):
        answer = self.ask("GET", "/v1/streams", self.root, basin="no-such-basin")
        self.assert_error(answer, 404, "basin_not_found", "no-such-basin")
        self.s2.script = lambda seen: error(500, "storage", "no")
        self.assert_error(self.ask("GET", "/v1/streams", self.root, basin=BASIN), 503,
                          "unavailable")

    def test_what_is_no_page_is_not_passed_on(self):
        for body in (b"", b"x", b"{}", b'{"streams":{},"has_more":false}', b"[]",
                     b'{"streams":[{"name":1}],"has_more":false}', b'{"streams":[{}]}',
                     b'{"streams":[],"has_more":true}'):
            with self.subTest(body=body):
                self.s2.script = lambda seen: Reply(200, body=body)
                answer = self.ask("GET", "/v1/streams", self.token(["list-streams"]), basin=BASIN)
                self.assertIn(answer.status, (502, 503), answer)

    def test_what_is_listed_beside_the_names_is_kept(self):
        self.s2.script = lambda seen: Reply(200, {"streams": [
            {"name": "s", "created_at": "2026-01-01T00:00:00Z", "deleted_at": None,
             "cipher": "x", "n": 3}], "has_more": False})
        answer = self.ask("GET", "/v1/streams", self.root, basin=BASIN)
        self.assertEqual(answer.json["streams"][0]["cipher"], "x")
        self.assertEqual(answer.json["streams"][0]["deleted_at"], None)

    def test_over_http2_many_at_once(self):
        client = self.world.http2()
        streams = [client.open("GET", "/v1/streams?limit=1",
                               self.world.headers(self.root, (), BASIN)) for _ in range(50)]
        for stream in streams:
            stream.finish()
            self.assertEqual(stream.json["streams"][0]["name"], "s")


if __name__ == "__main__":
    main()
