"""Every malformed token file, request and target: exit 2, one line that names file and place,
nothing on standard output, no output file touched, never a signal."""

import os

from bad_inputs import BAD_FILES, BAD_REQUESTS, BAD_TARGETS, BAD_TOKENS, GOOD
from command import NOW, CommandTest, main

ALLOW = b'{"allow":true,"reason":"allowed","stream":"users/1"}\n'


def as_bytes(content):
    return content if isinstance(content, bytes) else content.encode()


class Malformed(CommandTest):
    def test_there_are_many_of_each_kind(self):
        self.assertGreaterEqual(len(BAD_TOKENS), 120)
        self.assertGreaterEqual(len(BAD_FILES), 40)
        self.assertGreaterEqual(len(BAD_REQUESTS), 40)
        self.assertGreaterEqual(len(BAD_TARGETS), 25)

    def refuse(self, path, place, says):
        """No command takes the token file, and compile leaves no trace."""
        image = self.write("out.weir", b"what was there")
        before = sorted(os.listdir(self.folder))
        says = [f"weir: {path}{place}:", *says]
        self.fails("check", "--tokens", path, "--", "good", "list-basins", says=says)
        self.fails("compile", "--tokens", path, "-o", image, says=says)
        self.assertEqual(self.read(image), b"what was there")
        self.assertEqual(sorted(os.listdir(self.folder)), before)
        os.unlink(image)
        self.fails("compile", "--tokens", path, "-o", image, says=says)
        self.assertFalse(os.path.exists(image))

    def test_the_good_token_is_good(self):
        for content in GOOD, f"[{GOOD}]", '{"access_tokens":[%s]}' % GOOD:
            path = self.write("good", content)
            self.assertEqual(self.check(path, "good", "read", "s2://basin-one/users/1").out, ALLOW)

    def test_a_bad_token_in_a_line_is_refused_with_its_line(self):
        for content, says in BAD_TOKENS:
            with self.subTest(token=content[:200]):
                path = self.write("lines", as_bytes(GOOD) + b"\n" + as_bytes(content) + b"\n")
                self.refuse(path, ":2", says)

    def test_a_bad_token_in_an_array_is_refused_with_its_place(self):
        for content, says in BAD_TOKENS:
            with self.subTest(token=content[:200]):
                text = as_bytes(content)
                well_formed = any(": " in part for part in says)
                path = self.write("array", b"[" + as_bytes(GOOD) + b"," + text + b"]")
                result = self.fails("check", "--tokens", path, "--", "good", "list-basins",
                                    says=f"weir: {path}:")
                if well_formed:
                    self.assertIn("[1]", result.error)

    def test_a_bad_token_in_an_object_is_refused_with_its_place(self):
        for content, says in BAD_TOKENS:
            with self.subTest(token=content[:200]):
                text = as_bytes(content)
                well_formed = any(": " in part for part in says)
                path = self.write("object", b'{"has_more":false,"access_tokens":[' +
                                  as_bytes(GOOD) + b"," + text + b"]}")
                result = self.fails("check", "--tokens", path, "--", "good", "list-basins",
                                    says=f"weir: {path}:")
                if well_formed:
                    self.assertIn("access_tokens[1]", result.error)

    def test_a_bad_file_is_refused(self):
        for content, place, says in BAD_FILES:
            with self.subTest(file=content[:200]):
                self.refuse(self.write("tokens", as_bytes(content)), place, says)

    def test_every_command_refuses_a_bad_file(self):
        path = self.write("tokens", "[{}]")
        for arguments in (["eval", "--tokens", path], ["who", "--tokens", path, "list-basins"],
                          ["explain", "--tokens", path, "a", "list-basins"]):
            self.fails(*arguments, says=[f"weir: {path}: [0]: "])
        self.fails("inspect", path, says=f"weir: {path}: ")

    def test_a_bad_file_is_refused_through_a_pipe_too(self):
        for content, place, says in BAD_FILES:
            with self.subTest(file=content[:200]):
                self.fails("check", "--tokens", "/dev/stdin", "--", "good", "list-basins",
                           stdin=as_bytes(content), says=[f"weir: /dev/stdin{place}:", *says])

    def test_a_bad_request_is_refused_behind_the_answers_before_it(self):
        tokens = self.write("good", GOOD)
        good = b'{"token":"good","op":"read","basin":"basin-one","stream":"users/1"}\n'
        for content, says in BAD_REQUESTS:
            with self.subTest(request=content[:200]):
                path = self.write("requests", good + as_bytes(content) + b"\n" + good)
                self.fails("eval", "--tokens", tokens, "--now", NOW, path,
                           says=[f"weir: {path}:2:", *says], out=ALLOW)
                self.fails("eval", "--tokens", tokens, "--now", NOW,
                           stdin=as_bytes(content) + b"\n" + good,
                           says=["weir: <stdin>:1:", *says])

    def test_a_bad_target_is_refused_by_each_command_that_takes_one(self):
        tokens = self.write("good", GOOD)
        for question, says in BAD_TARGETS:
            for command in "check", "explain", "who":
                with self.subTest(command=command, question=question):
                    name = [] if command == "who" else ["good"]
                    self.fails(command, "--tokens", tokens, "--", *name, *question,
                               says=[f"weir {command}: ", says, f"; try 'weir {command} --help'"])

    def test_a_bad_target_is_found_before_the_tokens_are_read(self):
        self.fails("check", "--tokens", "absent", "--", "a", "fly", says="weir check: no such op")


if __name__ == "__main__":
    main()
