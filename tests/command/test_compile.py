"""weir compile: from tokens to an image, or nothing at all."""

import json
import os
import random
import stat
import subprocess

from command import NOW, WEIR, CommandTest, main, ndjson, token


class Compile(CommandTest):
    def setUp(self):
        super().setUp()
        self.token_list = [token(f"user-{number}") for number in range(500)]
        self.tokens = self.write("tokens.json", self.token_list)

    def names(self):
        return sorted(os.listdir(self.folder))

    def test_it_says_on_standard_error_what_it_made(self):
        result = self.succeeds("compile", "--tokens", self.tokens, "-o", "tokens.weir")
        size = os.path.getsize(self.path("tokens.weir"))
        self.assertEqual(result.out, b"")
        self.assertEqual(result.error, f"weir compile: 500 tokens, {size} bytes, "
                                       f"{size / 500:.1f} bytes a token\n")
        self.assertEqual(self.names(), ["tokens.json", "tokens.weir"])

    def test_the_order_and_the_form_of_the_tokens_make_no_difference(self):
        first = self.compile(self.tokens)
        shuffled = list(self.token_list)
        random.Random(1).shuffle(shuffled)
        forms = {
            "object": json.dumps({"access_tokens": shuffled, "has_more": False}),
            "array": json.dumps(shuffled, indent=2),
            "lines": ndjson(shuffled),
        }
        for name, content in forms.items():
            self.compile(self.write(name, content), name + ".weir")
            self.assertEqual(self.read(name + ".weir"), self.read(first), name)

    def test_an_image_of_an_image_is_the_same_image(self):
        first = self.compile(self.tokens)
        second = self.compile(first, "again.weir")
        self.assertEqual(self.read(second), self.read(first))

    def test_the_output_may_be_the_input(self):
        image = self.read(self.compile(self.tokens))
        self.compile(self.tokens, "tokens.json")
        self.assertEqual(self.read("tokens.json"), image)
        self.compile(self.path("tokens.json"), "tokens.json")
        self.assertEqual(self.read("tokens.json"), image)

    def test_the_output_may_be_named_in_each_way_a_flag_may(self):
        for flags in ["-o", "a"], ["-oa"], ["--output", "a"], ["--output=a"]:
            self.succeeds("compile", "--tokens", self.tokens, *flags)
            os.unlink(self.path("a"))

    def test_no_tokens_make_an_image_that_knows_nobody(self):
        result = self.succeeds("compile", "--tokens", self.write("none.json", []), "-o", "none.weir")
        self.assertIn("0 tokens", result.error)
        self.assertIn("unknown_token",
                      self.check(self.path("none.weir"), "user-1", "list-basins").text)

    def test_tokens_may_come_through_a_pipe(self):
        with open(self.tokens, "rb") as file:
            self.succeeds("compile", "--tokens", "/dev/stdin", "-o", "piped.weir",
                          stdin=file.read())
        self.assertEqual(self.read("piped.weir"), self.read(self.compile(self.tokens)))

    def test_a_new_file_gets_the_mode_the_umask_leaves_and_an_old_one_keeps_its_own(self):
        self.succeeds("compile", "--tokens", self.tokens, "-o", "new.weir", umask=0o027)
        self.assertEqual(stat.S_IMODE(os.stat(self.path("new.weir")).st_mode), 0o640)
        os.chmod(self.path("new.weir"), 0o600)
        self.succeeds("compile", "--tokens", self.tokens, "-o", "new.weir")
        self.assertEqual(stat.S_IMODE(os.stat(self.path("new.weir")).st_mode), 0o600)

    def test_after_an_error_the_output_is_as_it_was(self):
        image = self.compile(self.tokens)
        before, names = self.read(image), self.names()
        bad = self.write("bad.json", [token("a"), token("a")])
        self.fails("compile", "--tokens", bad, "-o", image, says=[bad, "[1]"])
        self.fails("compile", "--tokens", bad, "-o", "never.weir", says=[bad, "[1]"])
        self.assertEqual(self.read(image), before)
        self.assertEqual(self.names(), sorted([*names, "bad.json"]))

    def test_a_name_that_no_image_can_have_is_an_error(self):
        names = self.names()
        for output, says in [("", "weir: \"\": "), ("absent/x.weir", "weir: absent/x.weir: "),
                             (self.folder, self.folder), ("/dev/null", "weir: /dev/null: "),
                             ("x" * 300, "xxx: "), ("tokens.json/x", "weir: tokens.json/x: ")]:
            with self.subTest(output=output):
                self.fails("compile", "--tokens", self.tokens, "-o", output, says=says)
        self.assertEqual(self.names(), names)
        self.assertTrue(stat.S_ISCHR(os.stat("/dev/null").st_mode))

    def test_a_full_disk_leaves_the_old_image(self):
        image = self.compile(self.tokens)
        before, names = self.read(image), self.names()
        # A limit on the size of files stands for the disk: 8 blocks of 512 or 1024 bytes.
        done = subprocess.run(
            ["bash", "-c", 'ulimit -f 8; exec "$0" compile --tokens "$1" -o "$2"', WEIR,
             self.tokens, image], capture_output=True, check=False)
        self.assertEqual(done.returncode, 2, done)
        self.assertEqual(done.stderr.count(b"\n"), 1, done.stderr)
        self.assertEqual(self.read(image), before)
        self.assertEqual(self.names(), names)

    def test_a_damaged_image_is_not_rewritten(self):
        image = self.compile(self.tokens)
        damaged = self.write("damaged.weir", self.read(image)[:-1])
        self.fails("compile", "--tokens", damaged, "-o", "out.weir", says=[damaged, ": "])
        self.assertFalse(os.path.exists(self.path("out.weir")))

    def test_a_digest_that_two_tokens_have_is_an_error(self):
        digest = "0a" * 32
        tokens = [token("a", credential_digest=digest), token("b", credential_digest=digest.upper())]
        path = self.write("twice.ndjson", ndjson(tokens))
        self.fails("compile", "--tokens", path, "-o", "x", says=f"weir: {path}:2: ")

    def test_ten_thousand_scopes_answer_like_one(self):
        scopes = [{"basins": {"exact": f"basin-{number:05}"}, "streams": {"prefix": f"s/{number}/"},
                   "ops": ["read"]} for number in range(10_000)]
        image = self.compile([token("broker", scopes=scopes)])
        self.assertIn("allowed", self.check(image, "broker", "read", "s2://basin-01234/s/1234/x").text)
        self.assertIn("stream_out_of_scope",
                      self.check(image, "broker", "read", "s2://basin-01234/s/1235/x").text)

    def test_eval_reads_an_old_image_while_a_new_one_takes_its_name(self):
        image = self.compile(self.tokens)
        process = subprocess.Popen([WEIR, "eval", "--tokens", image, "--now", NOW],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE)
        request = ndjson([{"token": "user-7", "op": "read", "basin": "basin-one",
                           "stream": "users/1"}])
        process.stdin.write(request)
        process.stdin.flush()
        self.assertIn(b"true", process.stdout.readline())
        self.compile([])
        with open(image, "r+b") as file:
            file.truncate(0)
        out, _ = process.communicate(request, timeout=60)
        self.assertIn(b"true", out)
        self.assertEqual(process.returncode, 0)


if __name__ == "__main__":
    main()
