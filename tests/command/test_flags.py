"""Flags, operands, help and version of every command."""

import os

from command import NOW, WEIR, CommandTest, main, run, token

COMMANDS = ["check", "eval", "explain", "compile", "inspect", "who"]
BESIDE = ["watch", "publish"]  # test_watch.py and test_publish.py run them
WITH_TOKENS = ["check", "eval", "explain", "compile", "who"]
WITH_NOW = ["check", "eval", "explain", "inspect", "who"]

OPERANDS = {
    "check": ["reader", "list-basins"],
    "explain": ["reader", "list-basins"],
    "eval": ["/dev/null"],
    "who": ["list-basins"],
    "inspect": ["tokens.weir"],
    "compile": [],
}


class Flags(CommandTest):
    def setUp(self):
        super().setUp()
        scope = {"basins": {"prefix": ""}, "ops": ["list-basins"]}
        self.tokens = self.write("tokens.json", [token("reader", scope)])
        self.compile(self.tokens)

    def flags(self, command):
        flags = ["--tokens", "tokens.json"] if command in WITH_TOKENS else []
        return flags + (["-o", "out.weir"] if command == "compile" else [])

    def usage_error(self, command, *arguments, says):
        return self.fails(command, *arguments,
                          says=[f"weir {command}: ", says, f"; try 'weir {command} --help'"])

    def test_every_command_runs_as_these_tests_call_it(self):
        for command in COMMANDS:
            self.succeeds(command, *self.flags(command), *OPERANDS[command])

    def test_every_command_has_a_help(self):
        for command in COMMANDS + BESIDE:
            texts = [self.succeeds(*arguments) for arguments in
                     ([command, "--help"], [command, "-h"], ["help", command],
                      [command, "--tokens", "absent", "--help"] if command in WITH_TOKENS
                      else [command, "--help", "--bogus"])]
            for result in texts:
                self.assertEqual(result.text, texts[0].text)
                self.assertEqual(result.err, b"")
            text = texts[0].text
            self.assertTrue(text.startswith(f"Usage: weir {command} "), text)
            self.assertIn("Example:", text)
            self.assertIn(" -- ", text[text.index("Example:"):])
            self.assertLessEqual(max(map(len, text.splitlines())), 90)
            for flag in self.flags(command)[::2] + (["--now"] if command in WITH_NOW else []):
                self.assertIn(flag, text)

    def test_the_operations_and_the_token_file_have_helps(self):
        operations = self.succeeds("help", "operations").text.splitlines()
        self.assertEqual(25, len(operations))
        self.assertEqual(["12", "get-stream-config", "basin", "read", "s2://BASIN/STREAM"],
                         operations[12].split())
        tokens = self.succeeds("help", "tokens").text
        for field in ("expires_at", "auto_prefix_streams", "credential_digest", "op_groups"):
            self.assertIn(field, tokens)

    def test_weir_has_a_help_that_lists_all_commands(self):
        texts = [self.succeeds(*arguments).text for arguments in (["--help"], ["-h"], ["help"])]
        self.assertEqual(len(set(texts)), 1)
        for command in COMMANDS + BESIDE:
            self.assertIn(f"\n  {command} ", texts[0])

    def test_weir_says_its_version(self):
        self.assertEqual(self.succeeds("--version").text, f"weir {os.environ['WEIR_VERSION']}\n")

    def test_weir_alone_or_with_something_unknown_is_an_error(self):
        for arguments, says in [
            ([], "COMMAND is missing"),
            (["fly"], 'no such command: "fly"'),
            ([""], 'no such command: ""'),
            (["--fly"], 'no such flag: "--fly"'),
            (["--"], 'no such flag: "--"'),
            (["help", "fly"], 'no such command: "fly"'),
            (["help", "check", "x"], 'one argument too many: "x"'),
            (["--version", "x"], 'one argument too many: "x"'),
        ]:
            self.fails(*arguments, says=["weir: ", says, "; try 'weir --help'"])

    def test_without_any_argument_at_all_it_is_an_error_too(self):
        done = run(program="bash", *["-c", 'exec -a "" "$0"', WEIR])
        self.assert_failed(done, "COMMAND is missing")

    def test_unknown_flags_are_errors(self):
        for command in COMMANDS:
            for flag in "--fly", "--tok", "--tokensx", "-x", "-", "---", "--fly=1", "-\xff":
                if flag == "-":
                    continue
                self.usage_error(command, *self.flags(command), flag, *OPERANDS[command],
                                 says="unknown flag \"" + flag[0])
        self.usage_error("inspect", "--tokens", "x", "tokens.weir", says='unknown flag "--tokens"')
        self.usage_error("compile", "--now", NOW, says='unknown flag "--now"')
        self.usage_error("check", "-o", "x", says='unknown flag "-o"')
        for command in BESIDE:
            self.usage_error(command, "--now", NOW, "x", says='unknown flag "--now"')
        for flag in "--json", "--count", "--heartbeats", "--lease", "--resume", "--until-eof":
            self.usage_error("check", flag, says=f'unknown flag "{flag}"')

    def test_a_flag_without_its_value_is_an_error(self):
        for command in WITH_TOKENS:
            self.usage_error(command, "--tokens", says="--tokens needs a value, FILE")
        for command in WITH_NOW:
            self.usage_error(command, "--now", says="--now needs a value, T")
        self.usage_error("compile", "-o", says="--output needs a value, IMAGE")
        self.usage_error("check", "--help=yes", says="--help takes no value")

    def test_a_flag_given_twice_is_an_error(self):
        for command in WITH_TOKENS:
            self.usage_error(command, "--tokens", "a", "--tokens=a",
                             says="--tokens is given twice")
        for command in WITH_NOW:
            self.usage_error(command, "--now", NOW, "--now", NOW, says="--now is given twice")
        self.usage_error("compile", "-o", "a", "--output", "a", says="--output is given twice")

    def test_a_flag_that_is_needed_is_missed(self):
        for command in WITH_TOKENS:
            self.usage_error(command, *OPERANDS[command], says="--tokens FILE is missing")
        self.usage_error("compile", "--tokens", "tokens.json", says="--output IMAGE is missing")

    def test_missing_and_extra_operands_are_errors(self):
        tokens = ["--tokens", "tokens.json"]
        for arguments, says in [
            (["check", *tokens], "TOKEN is missing"),
            (["check", *tokens, "a"], "OP is missing"),
            (["check", *tokens, "a", "read"], "read takes a TARGET s2://BASIN/STREAM"),
            (["check", *tokens, "a", "read", "s2://b/c", "d"], 'one argument too many: "d"'),
            (["explain", *tokens], "TOKEN is missing"),
            (["explain", *tokens, "a"], "OP is missing"),
            (["explain", *tokens, "a", "read", "s2://b/c", "d"], 'one argument too many: "d"'),
            (["who", *tokens], "OP is missing"),
            (["who", *tokens, "read", "s2://b/c", "d"], 'one argument too many: "d"'),
            (["eval", *tokens, "a", "b"], 'one argument too many: "b"'),
            (["compile", *tokens, "-o", "x", "y"], 'one argument too many: "y"'),
            (["inspect"], "IMAGE is missing"),
            (["watch"], "DIR is missing"),
            (["watch", "a", "b"], 'one argument too many: "b"'),
            (["publish", *tokens], "DIR is missing"),
            (["publish", *tokens, "a", "b"], 'one argument too many: "b"'),
            (["inspect", "a", "b", "c"], 'one argument too many: "c"'),
        ]:
            self.usage_error(*arguments, says=says)

    def test_now_has_to_be_an_instant(self):
        for command in WITH_NOW:
            for text in ("", "now", "0", "2026-11-23", "2026-11-23T12:00:00",
                         "2026-11-23 12:00:00Z", "2026-02-29T00:00:00Z", "2026-11-23T12:00:60Z",
                         "2026-11-23T24:00:00Z", "0000-01-01T00:00:00Z", "2026-11-23T12:00:00Z ",
                         "2026-11-23T12:00:00+24:00", "2026-11-23T12:00:00.Z"):
                self.usage_error(command, *self.flags(command), "--now", text, *OPERANDS[command],
                                 says="--now is not an RFC 3339 instant: ")

    def test_flags_may_stand_anywhere_before_the_dashes(self):
        for arguments in (
            ["--tokens", "tokens.json", "--now", NOW, "reader", "list-basins"],
            ["reader", "--tokens", "tokens.json", "list-basins", "--now", NOW],
            ["reader", "list-basins", "--tokens=tokens.json", "--now=" + NOW],
            ["--tokens", "tokens.json", "reader", "--", "list-basins"],
        ):
            self.succeeds("check", *arguments)

    def test_after_the_dashes_nothing_is_a_flag(self):
        result = self.weir("check", "--tokens", "tokens.json", "--", "--help", "list-basins")
        self.assertEqual(result.text, '{"allow":false,"reason":"unknown_token"}\n')
        result = self.weir("check", "--tokens", "tokens.json", "--", "--", "list-basins")
        self.assertEqual(result.text, '{"allow":false,"reason":"unknown_token"}\n')
        self.usage_error("check", "--", "--tokens", "tokens.json", says="--tokens FILE is missing")

    def test_files_that_cannot_be_read_are_errors_that_name_them(self):
        for command in WITH_TOKENS:
            for path, says in [
                ("", 'weir: "": No such file or directory'),
                ("absent", "weir: absent: No such file or directory"),
                (".", "weir: .: Is a directory"),
                ("tokens.json/x", "weir: tokens.json/x: Not a directory"),
                ("a b\n\u00e9", r'weir: "a b\u000a\u00e9": No such file'),
                (b"\xff\x1b", r'weir: "\ufffd\u001b": No such file'),
                ("a:1: b", 'weir: "a:1: b": No such file'),
                ("x" * 5000, "xxx"),
            ]:
                flags = ["-o", "out.weir"] if command == "compile" else []
                self.fails(command, "--tokens", path, *flags, *OPERANDS[command], says=says)
        self.fails("inspect", "absent", says="weir: absent: No such file or directory")
        self.assertFalse(os.path.exists(self.path("out.weir")))


if __name__ == "__main__":
    main()
