"""weir serve: what each call does, and how each refusal looks."""

import datetime
import json
import threading
import urllib.parse

from server import TOKENS, ServeTest, main


class Calls(ServeTest):
    def setUp(self):
        super().setUp()
        self.server = self.serve()

    def issue(self, token, credential=None):
        answer = self.server.issue(credential or self.root, token)
        self.assertEqual(answer.status, 201, answer)
        return answer.json["access_token"]

    def ids(self, credential=None, **query):
        answer = self.server.list(credential or self.root, **query)
        self.assertEqual(answer.status, 200, answer)
        return [token["id"] for token in answer.json["access_tokens"]], answer.json["has_more"]

    def test_the_token_of_s2s_documentation_is_issued_listed_and_revoked(self):
        answer = self.server.issue(self.root, {
            "id": "user-1234-rw-token", "expires_at": "2027-01-01T00:00:00Z",
            "auto_prefix_streams": False,
            "scope": {"basins": {"prefix": ""}, "streams": {"prefix": "users/1234/"},
                      "access_tokens": None, "op_groups": {
                          "account": None, "basin": None,
                          "stream": {"read": True, "write": True}}, "ops": None}})
        self.assertEqual(answer.status, 201)
        self.assertEqual(list(answer.json), ["access_token"])
        self.assertRegex(answer.json["access_token"], "^weir_[0-9A-Za-z]{49}$")
        none = {"read": False, "write": False}
        listed = self.server.list(self.root, prefix="user-")
        self.assertEqual(listed.status, 200)
        self.assertEqual(listed.headers["content-type"], "application/json")
        self.assertEqual(listed.json, {"access_tokens": [{
            "id": "user-1234-rw-token", "expires_at": "2027-01-01T00:00:00Z",
            "auto_prefix_streams": False,
            "scope": {"basins": {"prefix": ""}, "streams": {"prefix": "users/1234/"},
                      "access_tokens": None, "op_groups": {
                          "account": none, "basin": none,
                          "stream": {"read": True, "write": True}}, "ops": []}}],
            "has_more": False})
        answer = self.server.revoke(self.root, "user-1234-rw-token")
        self.assertEqual((answer.status, answer.body), (204, b""))
        self.assertEqual(self.ids(), (["root"], False))

    def test_a_change_is_published_when_it_is_answered(self):
        self.assertEqual(self.decision("reader"), "unknown_token")
        self.issue(self.token("reader"))
        self.assertEqual(self.decision("reader"), "allowed")
        self.assertEqual(self.server.revoke(self.root, "reader").status, 204)
        self.assertEqual(self.decision("reader"), "unknown_token")

    def test_an_answer_with_a_secret_is_not_kept_by_caches(self):
        answer = self.server.issue(self.root, self.token("a"))
        self.assertEqual(answer.headers["cache-control"], "no-store")

    def test_every_credential_that_is_none_gets_the_same_answer(self):
        revoked = self.issue(self.token("a"))
        self.assertEqual(self.server.revoke(self.root, "a").status, 204)
        answers = [self.server.ask("GET", TOKENS, headers=headers) for headers in (
            [], [("Authorization", "Bearer " + revoked)], [("Authorization", "")],
            [("Authorization", "Bearer")], [("Authorization", "Bearer ")],
            [("Authorization", "Basic " + self.root)], [("Authorization", self.root)],
            [("Authorization", "Bearer " + self.root + "x")],
            [("Authorization", "Bearer " + self.root[:-1])],
            [("Authorization", "Bearer " + self.root.swapcase())],
            [("Authorization", "Bearer " + self.root + " " + self.root)],
            [("Authorization", "Bearer " + "x" * 8000)])]
        for answer in answers:
            self.assert_error(answer, 401, "authn")
            self.assertEqual(answer.body, answers[0].body)
            self.assertEqual(answer.headers["www-authenticate"], "Bearer")

    def test_the_scheme_is_written_in_any_case(self):
        for scheme in "Bearer", "bearer", "BEARER", "bEaReR ":
            answer = self.server.ask(
                "GET", TOKENS, headers=[("Authorization", scheme + " " + self.root)])
            self.assertEqual(answer.status, 200, scheme)

    def test_what_a_token_may_not_is_denied_with_the_reason(self):
        reader = self.issue(self.token("reader"))
        issuer = self.issuer(self.server, "issuer", "team/")
        self.assert_error(self.server.list(reader), 403, "permission_denied", "op_not_permitted")
        self.assert_error(self.server.issue(reader, self.token("b")), 403, "permission_denied",
                          "op_not_permitted")
        self.assert_error(self.server.issue(issuer, self.token("b")), 403, "permission_denied",
                          "access_token_out_of_scope")
        self.assert_error(self.server.revoke(issuer, "reader"), 403, "permission_denied",
                          "access_token_out_of_scope")
        beyond = {**self.token("team/b"), "scope": {
            "access_tokens": {"prefix": ""}, "ops": ["list-access-tokens"]}}
        self.assert_error(self.server.issue(issuer, beyond), 403, "permission_denied",
                          "scope.access_tokens")

    def test_checks_come_in_the_order_that_is_promised(self):
        """Credential, operation, body, id, meaning: the first that fails is answered."""
        reader = self.issue(self.token("reader"))
        issuer = self.issuer(self.server, "issuer", "team/")
        self.assert_error(self.server.issue("x", b"{"), 401, "authn")
        self.assert_error(self.server.issue(reader, b"{"), 403, "permission_denied")
        self.assert_error(self.server.issue(issuer, b"{"), 400, "bad_json")
        past = {"expires_at": "2020-01-01T00:00:00Z"}
        self.assert_error(self.server.issue(issuer, self.token("b", **past)), 403,
                          "permission_denied")
        self.assert_error(self.server.issue(issuer, self.token("team/b", **past)), 422, "invalid")
        self.assert_error(self.server.issue(self.root, self.token("reader", **past)), 422,
                          "invalid")
        self.assert_error(self.server.issue(self.root, self.token("reader")), 409,
                          "resource_already_exists", '"reader"')

    def test_a_declaration_that_is_none_is_refused_with_its_place(self):
        for body, says in {
                b"": "", b"{": "line 1", b"[]": "", b'{"id": "a"}': "scope",
                b'{"id": "a", "id": "b"}': "", b'{"id": "a", "scope": {}} x': "line 1",
                b'\xef\xbb\xbf{"id": "a"}': "", b'{"id": "\xff"}': "",
                json.dumps({**self.token("a"), "expiry": None}).encode(): "expiry",
                json.dumps({**self.token("a"), "credential_digest": "00" * 32}).encode():
                    "credential_digest",
                json.dumps(self.token("")).encode(): "id",
                json.dumps({"id": "a", "scope": {"ops": ["fly"]}}).encode(): "scope.ops",
                json.dumps({"id": "a", "scope": {"ops": ["read"], "basins": {"exact": "NO"}}})
                .encode(): "scope.basins",
        }.items():
            with self.subTest(body=body):
                self.assert_error(self.server.issue(self.root, body), 400, "bad_json", says)

    def test_what_means_nothing_is_refused_in_s2s_words(self):
        nothing = {"streams": {"exact": "a"}}
        cannot = "Access token permissions cannot be empty"
        for token, message in (
                ({"id": "a", "scope": nothing}, cannot),
                ({"id": "a", "scopes": [self.token("a")["scope"], nothing]}, "scopes[1]: " + cannot),
                ({"id": "a", "auto_prefix_streams": True, "scope": {**nothing, "ops": ["read"]}},
                 "Auto prefixing is only allowed for streams with prefix matching")):
            with self.subTest(token=token):
                answer = self.server.issue(self.root, token)
                self.assert_error(answer, 422, "invalid")
                self.assertEqual(answer.json["message"], message)

    def test_what_means_nothing_is_invalid(self):
        for token in ({"id": "a", "scope": {}},
                      {"id": "a", "auto_prefix_streams": True,
                       "scope": {"streams": {"exact": "a"}, "ops": ["read"]}},
                      self.token("a", expires_at="2020-01-01T00:00:00Z")):
            with self.subTest(token=token):
                self.assert_error(self.server.issue(self.root, token), 422, "invalid")
        soon = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1))
        issuer = self.issuer(self.server, "issuer", "team/", expires_at=soon.isoformat())
        later = (soon + datetime.timedelta(seconds=1)).isoformat()
        self.assert_error(self.server.issue(issuer, self.token("team/a", expires_at=later)), 422,
                          "invalid")

    def test_an_id_is_percent_encoded_once(self):
        for name in ("a/b", "a b", "a%2Fb", "%", "+", "a?b#c", "é✓", "..a", "a..", "count",
                     "~!@$&'()*,;=:[]", '"\\', "\x7f\n", "x" * 96):
            with self.subTest(name=name):
                self.issue(self.token(name))
                self.assertEqual(self.ids(prefix=name)[0], [name])
                self.assertEqual(self.server.revoke(self.root, name).status, 204)
                self.assertEqual(self.ids(prefix=name)[0], [])

    def test_an_id_that_none_can_have_is_a_bad_path(self):
        for segment in (".", "%2E", "%2e%2e", "%00", "a%00", "%", "%2", "%zz", "a%", "%FF", "x" * 97,
                        "%C3%A9" * 49):
            with self.subTest(segment=segment):
                self.assert_error(self.server.ask("DELETE", TOKENS + "/" + segment, self.root),
                                  400, "bad_path")

    def test_what_is_not_there_is_not_found(self):
        self.assert_error(self.server.revoke(self.root, "a"), 404, "access_token_not_found", '"a"')
        self.issue(self.token("a"))
        self.assertEqual(self.server.revoke(self.root, "a").status, 204)
        self.assert_error(self.server.revoke(self.root, "a"), 404, "access_token_not_found")

    def test_a_token_may_revoke_itself(self):
        issuer = self.issuer(self.server, "issuer", "issuer")
        self.assertEqual(self.server.revoke(issuer, "issuer").status, 204)
        self.assert_error(self.server.revoke(issuer, "issuer"), 401, "authn")

    def test_a_list_goes_on_after_its_last_id(self):
        names = [f"t{number}" for number in range(7)]
        for name in names:
            self.issue(self.token(name))
        self.assertEqual(self.ids(prefix="t", limit=3), (names[:3], True))
        self.assertEqual(self.ids(prefix="t", limit=3, start_after="t2"), (names[3:6], True))
        self.assertEqual(self.ids(prefix="t", limit=3, start_after="t5"), (names[6:], False))
        self.assertEqual(self.ids(prefix="t", limit=7), (names, False))
        self.assertEqual(self.ids(prefix="t", limit=0), (names, False))
        self.assertEqual(self.ids(prefix="t", limit=10 ** 30), (names, False))
        self.assertEqual(self.ids(prefix="t", start_after="a", limit=1), (["t0"], True))
        self.assertEqual(self.ids(prefix="t", start_after="u"), ([], False))

    def test_a_query_is_decoded_once(self):
        self.issue(self.token("a b+é%2B"))
        for query in ("prefix=a%20b%2B%C3%A9%252B", "prefix=a+b%2b%c3%a9%252B",
                      "%70refix=a+b%2B&limit=1", "&&prefix=a+b&&", "unknown=1&prefix=a+b"):
            with self.subTest(query=query):
                answer = self.server.ask("GET", TOKENS + "?" + query, self.root)
                self.assertEqual([token["id"] for token in answer.json["access_tokens"]],
                                 ["a b+é%2B"])

    def test_a_query_that_is_none_is_refused(self):
        for query in ("limit=-1", "limit=", "limit=x", "limit=1x", "limit=%31%", "limit=1&limit=1",
                      "limit=1&%6Cimit=2", "prefix=a&prefix=a", "prefix=%zz", "prefix=%FF",
                      "prefix=%00", "prefix=" + "x" * 97, "start_after=" + "x" * 97,
                      "start_after=a&start_after=", "x=1&x=2", "limit",
                      "&".join(f"k{number}=" for number in range(17))):
            with self.subTest(query=query):
                self.assert_error(self.server.ask("GET", TOKENS + "?" + query, self.root),
                                  400, "bad_query")

    def test_a_list_shows_only_what_the_requestor_may_list(self):
        issuer = self.issuer(self.server, "issuer", "team/")
        self.issue(self.token("team/a"))
        self.issue(self.token("other"))
        self.assertEqual(self.ids(issuer), (["team/a"], False))

    def test_a_long_page_ends_early_and_says_so(self):
        """Pages are bounded in bytes, too: 12 tokens of a megabyte are several."""
        scopes = [{"streams": {"prefix": f"{number:0>500}"}, "ops": ["read"]}
                  for number in range(1300)]
        for number in range(12):
            self.issue({"id": f"large{number:0>2}", "scopes": scopes})
        names, pages = [], 0
        while True:
            page, more = self.ids(prefix="large", start_after=names[-1] if names else "")
            names += page
            pages += 1
            self.assertTrue(page)
            if not more:
                break
        self.assertEqual(names, [f"large{number:0>2}" for number in range(12)])
        self.assertGreater(pages, 1)

    def test_of_two_who_race_for_an_id_one_gets_it(self):
        for number in range(10):
            barrier = threading.Barrier(2)
            answers = []

            def race(name=f"raced{number}", barrier=barrier, answers=answers):
                connection = self.server.connection()
                connection.connect()
                barrier.wait()
                answers.append(self.server.issue(self.root, self.token(name),
                                                 connection=connection))
                connection.close()

            threads = [threading.Thread(target=race) for _ in range(2)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.assertEqual(sorted(answer.status for answer in answers), [201, 409])

    def test_a_requestor_revoked_in_between_issues_nothing(self):
        issuer = self.issuer(self.server, "issuer", "team/")
        statuses = []

        def issue():
            connection = self.server.connection()
            for number in range(1000):
                answer = self.server.issue(issuer, self.token(f"team/{number}"),
                                           connection=connection)
                statuses.append(answer.status)
                if answer.status != 201:
                    break
            connection.close()

        thread = threading.Thread(target=issue)
        thread.start()
        while len(statuses) < 3:
            pass
        self.assertEqual(self.server.revoke(self.root, "issuer").status, 204)
        issued = {name for name in self.ids(prefix="team/")[0]}
        thread.join()
        self.assertEqual(statuses[-1], 401)
        self.assertEqual({name for name in self.ids(prefix="team/")[0]}, issued)
        self.assertEqual(len(issued), len(statuses) - 1)

    def test_an_id_of_any_text_is_quoted_in_messages(self):
        name = '"\n\x1b[31mé'
        answer = self.server.ask("DELETE", TOKENS + "/" + urllib.parse.quote(name, safe=""),
                                 self.root)
        self.assert_error(answer, 404, "access_token_not_found", "\\u001b")
        self.assertTrue(all(0x20 <= byte < 0x7F for byte in answer.body), answer.body)


if __name__ == "__main__":
    main()
