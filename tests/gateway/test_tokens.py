"""Token calls go to the authority, and to nobody else; what it does holds at once."""

from gateway import BASIN, EVERYTHING, TOKENS, GatewayTest, main, quoted


class Tokens(GatewayTest):
    def test_issue_use_list_revoke(self):
        for http in 1, 2:
            name = f"a/b \u00e9 {http}"
            answer = self.ask("POST", TOKENS, self.root, {"id": name, "scope": EVERYTHING},
                              http=http)
            self.assertEqual(answer.status, 201, answer)
            credential = answer.json["access_token"]
            self.assertEqual(self.ask("GET", "/v1/basins", credential, http=http).status, 200)
            listed = self.ask("GET", TOKENS + "?prefix=a%2Fb", self.root, http=http).json
            self.assertEqual([one["id"] for one in listed["access_tokens"]], [name])
            answer = self.ask("DELETE", f"{TOKENS}/{quoted(name)}", self.root, http=http)
            self.assertEqual((answer.status, answer.body), (204, b""))
            self.s2.take()
            self.assert_refused(self.ask("GET", "/v1/basins", credential, http=http), 401,
                                "authn")
            self.assert_refused(self.ask("GET", TOKENS, credential, http=http), 401, "authn")
        self.assertEqual(self.s2.take(), [])

    def test_a_revoked_token_denies_from_the_answer_on(self):
        """Many times: whoever asks after the 204 is denied, by each connection and worker."""
        idle = [self.world.http2() for _ in range(4)]
        for number in range(40):
            name = f"quick-{number}"
            credential = self.world.token(name)
            answer = self.ask("GET", "/v1/basins/basin-one", credential)
            self.assertEqual(answer.status, 200, answer)
            self.assertEqual(self.ask("DELETE", f"{TOKENS}/{name}", self.root).status, 204)
            for client in idle:
                stream = client.open("GET", "/v1/basins/basin-one",
                                     self.world.headers(credential, (), None))
                self.assertEqual(stream.finish().status, 401)

    def test_an_old_credential_is_not_the_next_of_its_name(self):
        old = self.world.token("again")
        self.world.revoke("again")
        new = self.world.token("again")
        self.assertEqual(self.ask("GET", "/v1/basins", old).status, 401)
        self.assertEqual(self.ask("GET", "/v1/basins", new).status, 200)
        self.world.revoke("again")

    def test_what_the_authority_refuses_is_told(self):
        plain = self.token(["read"])
        for answer, status, code in (
                (self.ask("GET", TOKENS), 401, "authn"),
                (self.ask("GET", TOKENS, plain), 403, "permission_denied"),
                (self.ask("POST", TOKENS, self.root, b"{", [("content-type", "application/json")]),
                 400, "bad_json"),
                (self.ask("DELETE", TOKENS + "/none", self.root), 404, "access_token_not_found"),
                (self.ask("POST", TOKENS, self.root, {"id": "root", "scope": EVERYTHING}), 409,
                 "resource_already_exists"),
                (self.ask("DELETE", TOKENS, self.root), 404, "not_found"),
                (self.ask("PUT", TOKENS + "/x", self.root, {}), 404, "not_found")):
            self.assert_refused(answer, status, code)

    def test_paths_that_look_like_it(self):
        for method, path in (("GET", "/v1/access-tokens/"), ("GET", "/v1//access-tokens"),
                             ("GET", "/v1/./access-tokens"), ("DELETE", TOKENS + "/"),
                             ("DELETE", TOKENS + "/.."), ("DELETE", TOKENS + "/a/b"),
                             ("GET", "/v1/access%2Dtokens"), ("GET", "/v1/access-tokens/x"),
                             ("GET", "/v1/basins/../access-tokens"), ("GET", "/metrics"),
                             ("GET", "/v1/ACCESS-TOKENS")):
            with self.subTest(path=path):
                answer = self.ask(method, path, self.root)
                self.assertIn(answer.status, (400, 404), answer)
                self.assertEqual(self.s2.take(), [])

    def test_an_id_is_decoded_once(self):
        for name in "a%2Fb", "..a", "a?b", "\U0001f600", "%":
            with self.subTest(name=name):
                self.world.token(name)
                self.assertEqual(
                    self.ask("DELETE", f"{TOKENS}/{quoted(name)}", self.root).status, 204)

    def test_without_an_authority_there_is_none(self):
        self.world.server.process.kill()
        self.world.server.process.wait()
        for http in 1, 2:
            answer = self.ask("GET", TOKENS, self.root, http=http)
            self.assert_refused(answer, 503, "unavailable")
        self.world.start_authority()
        self.world.configure()
        self.world.reload()
        self.world.until(lambda: self.ask("GET", TOKENS, self.root).status == 200)
        self.world.until(lambda: self.ask("GET", "/v1/basins/" + BASIN, self.root).status == 200)


if __name__ == "__main__":
    main()
