"""weir check: one question, one line of JSON, an exit code that says the answer."""

import os
import subprocess
import time

from command import ALLOWED, DENIED, NOW, CommandTest, main, token

EVERYTHING = {
    "basins": {"prefix": ""},
    "streams": {"prefix": ""},
    "access_tokens": {"prefix": ""},
    "op_groups": {
        "account": {"read": True, "write": True},
        "basin": {"read": True, "write": True},
        "stream": {"read": True, "write": True},
    },
}

# Each operation with the target it takes, in the order of their numbers.
OPERATIONS = {
    "list-basins": None, "create-basin": "basin", "delete-basin": "basin",
    "reconfigure-basin": "basin", "get-basin-config": "basin",
    "issue-access-token": "token", "revoke-access-token": "token", "list-access-tokens": None,
    "list-streams": "basin", "create-stream": "stream", "delete-stream": "stream",
    "get-stream-config": "stream", "reconfigure-stream": "stream", "check-tail": "stream",
    "append": "stream", "read": "stream", "trim": "stream", "fence": "stream",
    "account-metrics": None, "basin-metrics": "basin", "stream-metrics": "stream",
    "list-locations": None, "get-default-location": None, "set-default-location": None,
}

TARGETS = {
    None: [],
    "basin": ["s2://basin-one"],
    "stream": ["s2://basin-one/users/1"],
    "token": ["some/token"],
}


class Check(CommandTest):
    def setUp(self):
        super().setUp()
        self.tokens = self.write("tokens.json", [
            token("reader"),
            token("all", EVERYTHING),
            token("old", EVERYTHING, expires_at=NOW),
            token("dying", EVERYTHING, expires_at="2026-11-23T12:00:00.000000001Z"),
            token("prefixed", {"basins": {"exact": "basin-one"}, "streams": {"prefix": "t/1/"},
                               "ops": ["read", "list-streams"]}, auto_prefix_streams=True),
            token("--now"),
            token("caf\u00e9"),
        ])

    def decides(self, line, *question, tokens=None, now=NOW):
        result = self.check(tokens or self.tokens, *question, now=now)
        self.assertEqual(result.text, line + "\n")
        self.assertEqual(result.code, ALLOWED if '"allow":true' in line else DENIED)
        self.assertEqual(result.err, b"")

    def denies(self, reason, *question, **options):
        self.decides('{"allow":false,"reason":"%s"}' % reason, *question, **options)

    def test_an_allowed_stream_is_named_in_the_answer(self):
        self.decides('{"allow":true,"reason":"allowed","stream":"users/7"}',
                     "reader", "read", "s2://basin-one/users/7")

    def test_an_auto_prefixed_stream_is_named_as_the_server_knows_it(self):
        self.decides('{"allow":true,"reason":"allowed","stream":"t/1/x"}',
                     "prefixed", "read", "s2://basin-one/x")

    def test_an_allowed_operation_without_a_stream_names_none(self):
        self.decides('{"allow":true,"reason":"allowed"}',
                     "prefixed", "list-streams", "s2://basin-one")

    def test_each_reason_is_given_in_its_order(self):
        self.denies("unknown_token", "nobody", "read", "s2://x/")
        self.denies("expired", "old", "read", "s2://x/")
        self.denies("invalid_name", "reader", "append", "s2://x/y")
        self.denies("op_not_permitted", "reader", "append", "s2://basin-one/y")
        self.denies("basin_out_of_scope", "prefixed", "read", "s2://basin-two/y")
        self.denies("stream_out_of_scope", "reader", "read", "s2://basin-one/y")
        scope = {"access_tokens": {"exact": "mine"}, "ops": ["revoke-access-token"]}
        tokens = self.write("issuer.json", [token("issuer", scope)])
        self.denies("access_token_out_of_scope", "issuer", "revoke-access-token", "theirs",
                    tokens=tokens)

    def test_a_token_is_valid_strictly_before_its_expiry(self):
        self.denies("expired", "old", "list-basins")
        self.decides('{"allow":true,"reason":"allowed"}', "dying", "list-basins")
        self.denies("expired", "dying", "list-basins", now="2026-11-23T12:00:00.000000001Z")
        self.decides('{"allow":true,"reason":"allowed"}', "old", "list-basins",
                     now="2026-11-23T13:59:59.999999999+02:00")

    def test_every_operation_takes_its_own_target(self):
        self.assertEqual(len(OPERATIONS), 24)
        for operation, kind in OPERATIONS.items():
            line = '{"allow":true,"reason":"allowed"%s}' % (
                ',"stream":"users/1"' if kind == "stream" else "")
            with self.subTest(operation=operation):
                self.decides(line, "all", operation, *TARGETS[kind])

    def test_every_other_target_is_an_error(self):
        targets = [*filter(None, TARGETS.values()), [], ["s2://"], ["s2:/basin-one/x"],
                   ["S2://basin-one/x"], ["basin-one/x"], [""]]
        for operation, kind in OPERATIONS.items():
            for target in targets:
                if self.fits(kind, target):
                    continue
                with self.subTest(operation=operation, target=target):
                    self.fails("check", "--tokens", self.tokens, "--", "all", operation, *target,
                               says=["weir check: ", operation, "; try 'weir check --help'"])

    @staticmethod
    def fits(kind, target):
        """Whether a target may be given, be its names valid or not."""
        if kind is None or not target:
            return kind is None and not target
        location = target[0].startswith("s2://")
        slash = location and "/" in target[0][5:]
        return kind == "token" or (location and slash == (kind == "stream"))

    def test_a_basin_with_a_slash_behind_it_is_no_basin(self):
        self.fails("check", "--tokens", self.tokens, "--", "all", "create-basin",
                   "s2://basin-one/", says="s2://BASIN, not \"s2://basin-one/\"")

    def test_an_empty_stream_is_a_name_that_is_denied(self):
        self.denies("invalid_name", "all", "read", "s2://basin-one/")

    def test_an_empty_basin_is_a_name_that_is_denied(self):
        self.denies("invalid_name", "all", "create-basin", "s2://")
        self.denies("invalid_name", "all", "read", "s2:///x")

    def test_an_empty_id_is_a_name_that_is_denied_or_unknown(self):
        self.denies("invalid_name", "all", "revoke-access-token", "")
        self.denies("unknown_token", "", "list-basins")

    def test_only_the_first_slash_parts_basin_and_stream(self):
        self.decides('{"allow":true,"reason":"allowed","stream":"/a//b/"}',
                     "all", "read", "s2://basin-one//a//b/")

    def test_nothing_is_decoded(self):
        self.decides('{"allow":true,"reason":"allowed","stream":"a%2Fb?c#d+e"}',
                     "all", "read", "s2://basin-one/a%2Fb?c#d+e")
        self.denies("invalid_name", "all", "read", "s2://basin%2Done/a")

    def test_an_access_token_may_look_like_a_location(self):
        self.decides('{"allow":true,"reason":"allowed"}',
                     "all", "revoke-access-token", "s2://basin-one/x")

    def test_names_are_compared_byte_by_byte(self):
        self.denies("stream_out_of_scope", "reader", "read", "s2://basin-one/Users/7")
        self.denies("stream_out_of_scope", "reader", "read", "s2://basin-one/./users/7")
        self.denies("unknown_token", "cafe\u0301", "list-basins")
        self.denies("op_not_permitted", "caf\u00e9", "list-basins")

    def test_what_is_not_utf8_is_an_unknown_id_or_an_invalid_name(self):
        self.denies("unknown_token", b"caf\xe9", "list-basins")
        self.denies("invalid_name", "all", "read", b"s2://basin-one/users/\xff")
        self.denies("invalid_name", "all", "revoke-access-token", b"\xed\xa0\x80")

    def test_a_name_in_the_answer_is_printable_ascii(self):
        self.decides(
            r'{"allow":true,"reason":"allowed","stream":"\u0009\u001b[31m\"\\\u007f\u00e9\u65e5'
            r'\ud83d\ude00/"}',
            "all", "read", "s2://basin-one/\t\x1b[31m\"\\\x7f\u00e9\u65e5\U0001f600/")

    def test_the_longest_names_are_answered_whole(self):
        stream = "\u00e9" * 256
        self.decides('{"allow":true,"reason":"allowed","stream":"%s"}' % (r"\u00e9" * 256),
                     "all", "read", "s2://" + "b" * 48 + "/" + stream)
        self.denies("invalid_name", "all", "read", "s2://" + "b" * 48 + "/" + stream + "x")
        self.denies("invalid_name", "all", "read", "s2://" + "b" * 49 + "/x")

    def test_an_id_that_looks_like_a_flag_goes_after_the_dashes(self):
        self.decides('{"allow":true,"reason":"allowed","stream":"users/7"}',
                     "--now", "read", "s2://basin-one/users/7")

    def test_without_now_the_clock_counts(self):
        stamps = {"past": time.time() - 5, "future": time.time() + 3600}
        tokens = self.write("clock.json", [
            token(name, EVERYTHING,
                  expires_at=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(stamp)))
            for name, stamp in stamps.items()])
        self.assertEqual(self.weir("check", "--tokens", tokens, "past", "list-basins").text,
                         '{"allow":false,"reason":"expired"}\n')
        self.assertEqual(self.weir("check", "--tokens", tokens, "future", "list-basins").text,
                         '{"allow":true,"reason":"allowed"}\n')

    def test_the_file_may_be_a_pipe_whatever_is_in_it(self):
        image = self.compile(self.tokens)
        for source in self.tokens, image:
            with open(source, "rb") as file:
                content = file.read()
            result = self.weir("check", "--tokens", "/dev/stdin", "--now", NOW, "--",
                               "reader", "read", "s2://basin-one/users/7", stdin=content)
            self.assertEqual(result.code, ALLOWED, result.err)

    def test_a_pipe_that_drips_is_told_apart_all_the_same(self):
        image = self.compile(self.tokens)
        for source in self.tokens, image:
            fifo = self.path("fifo")
            os.mkfifo(fifo)
            asked = subprocess.Popen(
                [os.environ["WEIR"], "check", "--tokens", fifo, "--now", NOW, "--", "reader",
                 "read", "s2://basin-one/users/7"], stdout=subprocess.PIPE)
            with open(source, "rb") as file, open(fifo, "wb", buffering=0) as pipe:
                for _ in range(40):
                    pipe.write(file.read(1))
                    time.sleep(0.002)
                pipe.write(file.read())
            self.assertIn(b'"allow":true', asked.communicate()[0])
            self.assertEqual(asked.returncode, ALLOWED)
            os.unlink(fifo)


if __name__ == "__main__":
    main()
