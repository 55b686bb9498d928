"""The conformance sets, answered from JSON, from NDJSON and from an image."""

import glob
import json
import os

from command import ALLOWED, DENIED, NOW, TEST_DATA, CommandTest, main, ndjson

# More folders of sets, parted by colons, besides the repository's own.
FOLDERS = [os.path.join(TEST_DATA, "conformance")]
FOLDERS += filter(None, os.environ.get("WEIR_CONFORMANCE", "").split(":"))
SETS = sorted(path for folder in FOLDERS for path in glob.glob(os.path.join(folder, "*/")))


def target_of(request):
    """The TARGET argument for the names of a request, if it has a target."""
    if "access_token" in request:
        return [request["access_token"]]
    if "stream" in request:
        return ["s2://" + request["basin"] + "/" + request["stream"]]
    if "basin" in request:
        return ["s2://" + request["basin"]]
    return []


class Conformance(CommandTest):
    def forms(self, folder):
        """The token set as JSON, as NDJSON and as an image of either."""
        as_json = os.path.join(folder, "tokens.json")
        with open(as_json, "rb") as file:
            tokens = json.load(file)["access_tokens"]
        as_lines = self.write("tokens.ndjson", ndjson(tokens))
        as_array = self.write("array.json", tokens)
        return {
            "JSON": as_json,
            "array": as_array,
            "NDJSON": as_lines,
            "image": self.compile(as_json),
        }

    def test_there_are_sets(self):
        self.assertGreaterEqual(len(SETS), 3)

    def test_every_form_of_a_set_gives_the_expected_answers(self):
        for folder in SETS:
            with open(os.path.join(folder, "expected.ndjson"), "rb") as file:
                expected = file.read().decode().splitlines()
            for form, tokens in self.forms(folder).items():
                with self.subTest(set=folder, form=form):
                    requests = os.path.join(folder, "requests.ndjson")
                    result = self.succeeds(
                        "eval", "--tokens", tokens, "--now", NOW, "--", requests
                    )
                    self.assert_lines(result.text.splitlines(), expected)

    def assert_lines(self, lines, expected):
        """The same values with the keys in the same order; how a name is escaped is left open."""
        self.assertEqual(len(lines), len(expected))
        for number, (line, wanted) in enumerate(zip(lines, expected), 1):
            pairs = json.loads(line, object_pairs_hook=list)
            self.assertEqual(pairs, json.loads(wanted, object_pairs_hook=list), f"line {number}")

    def test_json_and_ndjson_compile_to_the_same_bytes(self):
        for folder in SETS:
            forms = self.forms(folder)
            self.compile(forms["JSON"], "a.weir")
            self.compile(forms["NDJSON"], "b.weir")
            self.assertEqual(self.read("a.weir"), self.read("b.weir"))

    def questions(self, folder, count):
        """Some requests that arguments can hold, with their expected lines."""
        with open(os.path.join(folder, "requests.ndjson"), encoding="utf-8") as file:
            requests = [json.loads(line) for line in file]
        with open(os.path.join(folder, "expected.ndjson"), encoding="utf-8") as file:
            pairs = list(zip(requests, file))
        fit = [
            (request, line)
            for request, line in pairs
            if "\0" not in "".join(request.values()) and "/" not in request.get("basin", "")
        ]
        return fit[:: max(1, len(fit) // count)]

    def test_check_answers_as_eval_does(self):
        for folder in SETS:
            image = self.compile(os.path.join(folder, "tokens.json"))
            for request, line in self.questions(folder, 60):
                with self.subTest(set=folder, request=request):
                    result = self.check(
                        image, request["token"], request["op"], *target_of(request)
                    )
                    self.assert_lines(result.text.splitlines(), [line])
                    allow = json.loads(line)["allow"]
                    self.assertEqual(result.code, ALLOWED if allow else DENIED)

    def test_explain_decides_as_check_does_from_json_and_from_an_image(self):
        for folder in SETS:
            as_json = os.path.join(folder, "tokens.json")
            for tokens in as_json, self.compile(as_json):
                for request, line in self.questions(folder, 30):
                    with self.subTest(tokens=tokens, request=request):
                        decision = json.loads(line)
                        result = self.weir(
                            "explain", "--tokens", tokens, "--now", NOW, "--",
                            request["token"], request["op"], *target_of(request),
                        )
                        self.assertEqual(result.code, ALLOWED if decision["allow"] else DENIED)
                        first = result.text.splitlines()[0]
                        if decision["allow"]:
                            self.assertTrue(first.startswith("allowed: "), first)
                        else:
                            self.assertTrue(
                                first.startswith(f"DENIED ({decision['reason']}): "), first
                            )
                        self.assertEqual(result.err, b"")

    def test_who_is_all_tokens_that_eval_allows(self):
        for folder in SETS:
            as_json = os.path.join(folder, "tokens.json")
            image = self.compile(as_json)
            with open(as_json, "rb") as file:
                ids = [token["id"] for token in json.load(file)["access_tokens"]]
            ids.sort(key=lambda name: name.encode())
            for request, _ in self.questions(folder, 40):
                with self.subTest(set=folder, request=request):
                    asked = ndjson({**request, "token": name} for name in ids)
                    answers = self.succeeds(
                        "eval", "--tokens", image, "--now", NOW, stdin=asked
                    ).text.splitlines()
                    may = [name for name, line in zip(ids, answers) if json.loads(line)["allow"]]
                    result = self.succeeds(
                        "who", "--tokens", image, "--now", NOW, "--",
                        request["op"], *target_of(request),
                    )
                    self.assertEqual([json.loads(line) for line in result.text.splitlines()], may)


if __name__ == "__main__":
    main()
