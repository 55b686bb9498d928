"""A directory that is published, in the place of a token file."""

import json
import os
import signal

from command import main, ndjson, token
from published import READ, Process, PublishedTest

HOSTILE = "\u00e9\x1b[31m\n\"\\"
REQUEST = {"token": "reader", "op": "read", "basin": "basin-one", "stream": "users/7"}


class Directory(PublishedTest):
    def test_a_change_is_seen_by_every_command_that_begins_after_its_answer(self):
        publisher = self.publish([token("reader")])
        self.assertEqual(self.decision("reader"), "allowed")
        self.assertEqual(publisher.ask({"revoke": "reader"}), {"sequence": 1})
        self.assertEqual(self.decision("reader"), "unknown_token")
        self.assertEqual(publisher.ask({"issue": token("other")}), {"sequence": 2})
        self.assertEqual(self.decision("other"), "allowed")
        self.assertEqual(self.decision("other", "elsewhere"), "stream_out_of_scope")
        who = self.succeeds("who", "--tokens", "DIR", "--", "read", "s2://basin-one/users/1")
        self.assertEqual(who.text, '"other"\n')
        publisher.ask({"replace": token("other", {**READ, "streams": {"prefix": "else"}})})
        self.assertEqual(self.decision("other", "elsewhere"), "allowed")

    def test_a_running_eval_answers_from_what_was_published_before_each_request(self):
        publisher = self.publish([token("reader")])
        evaluation = Process(self, "eval", "--tokens", "DIR")
        for number in range(1, 200, 2):
            self.assertEqual(evaluation.ask(REQUEST)["reason"], "allowed")
            self.assertEqual(publisher.ask({"revoke": "reader"}), {"sequence": number})
            self.assertEqual(evaluation.ask(REQUEST)["reason"], "unknown_token")
            self.assertEqual(publisher.ask({"issue": token("reader")}), {"sequence": number + 1})
        self.assertEqual(evaluation.finish(), 0)
        self.assertIn("200 requests, 100 allowed, 100 denied: unknown_token 100;",
                      evaluation.line(evaluation.process.stderr))

    def test_answers_are_those_of_the_image_with_the_same_tokens(self):
        tokens = [token(f"t{n}", {**READ, "streams": {"prefix": f"users/{n % 7}"}})
                  for n in range(50)]
        tokens += [token("old", expires_at="2020-01-01T00:00:00Z"),
                   token("auto", READ, auto_prefix_streams=True)]
        publisher = self.publish(tokens[:25])
        for made in tokens[25:]:
            publisher.ask({"issue": made})
        requests = self.write("requests", ndjson(
            {**REQUEST, "token": name, "stream": f"users/{n % 9}"}
            for n, name in enumerate([made["id"] for made in tokens] * 3 + ["nobody"])))
        image = self.compile(tokens)
        answers = [self.succeeds("eval", "--tokens", path, requests) for path in ("DIR", image)]
        self.assertEqual(answers[0].out, answers[1].out)
        self.assertEqual(answers[0].out.count(b"\n"), 157)
        for tail in ["read", "s2://basin-one/users/3"], ["append", "s2://basin-one/users/3"]:
            found = [self.succeeds("who", "--tokens", path, *tail) for path in ("DIR", image)]
            self.assertEqual(found[0].out, found[1].out)
        for name in "t3", "old", "auto", "nobody":
            shown = [self.weir("explain", "--tokens", path, "--now", "2026-11-23T12:00:00Z", "--",
                               name, "read", "s2://basin-one/users/9") for path in ("DIR", image)]
            lines = shown[0].text.splitlines()
            stood = [line for line in lines if line.startswith("as of    change 27, confirmed ")]
            self.assertEqual(len(stood), 1)
            lines.remove(stood[0])
            self.assertEqual(lines, shown[1].text.splitlines())
            self.assertEqual(shown[0].code, shown[1].code)

    def test_now_is_the_instant_for_expiry_and_changes_nothing_about_freshness(self):
        publisher = self.publish([token("reader", expires_at="2020-01-01T00:00:00Z")])
        self.assertEqual(self.decision("reader"), "expired")
        result = self.check("DIR", "reader", "read", "s2://basin-one/users/7",
                            now="2019-12-31T00:00:00Z")
        self.assertEqual((result.code, json.loads(result.text)["reason"]), (0, "allowed"))
        publisher.end()
        self.make_stale([token("reader")])
        result = self.check("DIR", "reader", "read", "s2://basin-one/users/7",
                            now="2019-12-31T00:00:00Z")
        self.assertEqual((result.code, result.text), (1, '{"allow":false,"reason":"stale"}\n'))

    def test_after_its_publisher_was_killed_it_is_stale_until_one_resumes(self):
        publisher = self.publish([token("reader"), token("gone")], lease="0.5")
        publisher.ask({"revoke": "gone"})
        publisher.process.kill()
        publisher.process.wait()
        self.until(self.is_stale)
        self.assertEqual(self.decision("nobody"), "stale")
        evaluation = Process(self, "eval", "--tokens", "DIR")
        self.assertEqual(evaluation.ask(REQUEST), {"allow": False, "reason": "stale"})
        again = self.resume()
        self.until(lambda: evaluation.ask(REQUEST)["reason"] == "allowed")
        self.until(lambda: evaluation.ask({**REQUEST, "token": "gone"})["reason"] ==
                   "unknown_token")
        self.assertEqual(again.ask({"revoke": "reader"}), {"sequence": 2})
        self.assertEqual(evaluation.finish(), 0)
        self.assertRegex(evaluation.line(evaluation.process.stderr), "denied: stale [0-9]+, ")

    def test_who_cannot_tell_of_a_stale_directory(self):
        self.make_stale([token("reader")])
        self.fails("who", "--tokens", "DIR", "--", "read", "s2://basin-one/users/7",
                   says=["weir: DIR: stale", "no heartbeat for ", "the lease is 0.3 s"])

    def test_explain_says_why_it_is_stale(self):
        self.make_stale([token("reader")])
        result = self.weir("explain", "--tokens", "DIR", "--", "reader", "read",
                           "s2://basin-one/users/7")
        self.assertEqual((result.code, result.err), (1, b""))
        self.assertRegex(result.text, r"^DENIED \(stale\): ")
        self.assertRegex(result.text, r"change 0, confirmed [0-9.]+ s ago \(lease 0.3 s\)")
        self.assertRegex(result.text, "no heartbeat for [0-9.]+ s, and the lease is 0.3 s")
        self.assertNotIn("expires", result.text)

    def test_inspect_tells_how_it_stands_be_it_stale(self):
        publisher = self.publish([token("reader"), token("other")], lease="0.5")
        publisher.ask({"issue": token(HOSTILE)})
        text = self.succeeds("inspect", "DIR").text
        for line in "sequence     1", "snapshot     0", "lease        0.5 s":
            self.assertIn(line + "\n", text)
        self.until(lambda: self.succeeds("inspect", "DIR").text.startswith("fresh\n"))
        self.assertIn("tokens       3, 1 of them not in the snapshot\n", text)
        publisher.process.kill()
        self.until(self.is_stale)
        self.assertRegex(self.succeeds("inspect", "DIR").text, "^STALE")
        text = self.succeeds("inspect", "--", "DIR", HOSTILE).text
        self.assertIn('token     "\\u00e9\\u001b[31m\\u000a\\"\\\\"\nissue     1\n', text)
        self.fails("inspect", "--", "DIR", "nobody", says='no such token: "nobody"')

    def test_compile_makes_the_image_of_its_tokens_be_it_stale(self):
        publisher = self.publish([token("reader"), token("gone"),
                                  token("old", expires_at="2020-01-01T00:00:00Z")], lease="0.5")
        publisher.ask({"revoke": "gone"})
        publisher.ask({"issue": token("new")})
        self.succeeds("compile", "--tokens", "DIR", "-o", "made.weir")
        publisher.process.kill()
        self.until(self.is_stale)
        self.succeeds("compile", "--tokens", "DIR", "-o", "stale.weir")
        self.assertEqual(self.read("made.weir"), self.read("stale.weir"))
        who = self.succeeds("who", "--tokens", "made.weir", "read", "s2://basin-one/users/7")
        self.assertEqual(who.text, '"new"\n"reader"\n')
        text = self.succeeds("inspect", "made.weir").text
        self.assertIn("sequence     2\n", text)
        self.assertIn("expiry       1 expired, 0 will expire, 2 never do", text)

    def test_hostile_ids_are_quoted_everywhere(self):
        self.publish([]).ask({"issue": token(HOSTILE)})
        self.assertEqual(self.decision(HOSTILE), "allowed")
        question = ["read", "s2://basin-one/users/7"]
        who = self.succeeds("who", "--tokens", "DIR", "--", *question)
        self.assertEqual(json.loads(who.text), HOSTILE)
        text = self.succeeds("explain", "--tokens", "DIR", "--", HOSTILE, *question).text
        self.assertTrue(all(line.isprintable() for line in text.splitlines()))
        text = self.weir("explain", "--tokens", "DIR", "--", HOSTILE[:3], *question).text
        self.assertIn('ids that begin most like it:\n  "\\u00e9\\u001b[31m', text)
        self.assertTrue(all(line.isprintable() for line in text.splitlines()))

    def test_a_publisher_that_stands_still_makes_it_stale_for_as_long(self):
        publisher = self.publish([token("reader")], lease="0.5")
        publisher.process.send_signal(signal.SIGSTOP)
        self.until(self.is_stale)
        publisher.process.send_signal(signal.SIGCONT)
        self.until(lambda: self.decision("reader") == "allowed")

    def test_an_eval_goes_over_to_a_directory_that_is_created_anew(self):
        publisher = self.publish([token("reader")])
        evaluation = Process(self, "eval", "--tokens", "DIR")
        self.assertEqual(evaluation.ask(REQUEST)["reason"], "allowed")
        publisher.end()
        self.publish([token("other")])
        self.assertEqual(evaluation.ask(REQUEST)["reason"], "unknown_token")
        self.assertEqual(evaluation.ask({**REQUEST, "token": "other"})["reason"], "allowed")


class Refused(PublishedTest):
    COMMANDS = [
        ["check", "--tokens", "DIR", "reader", "list-basins"],
        ["explain", "--tokens", "DIR", "reader", "list-basins"],
        ["who", "--tokens", "DIR", "list-basins"],
        ["eval", "--tokens", "DIR", "/dev/null"],
        ["compile", "--tokens", "DIR", "-o", "out.weir"],
        ["inspect", "DIR"],
        ["watch", "DIR"],
    ]

    def refuses(self, *says):
        for arguments in self.COMMANDS:
            self.fails(*arguments, says=says)
        self.assertFalse(self.exists("out.weir"))

    def test_a_directory_where_nothing_is_published(self):
        os.mkdir(self.path("DIR"))
        self.refuses("weir: DIR: Is a directory, and nothing is published in it")
        self.write("DIR/tokens.json", [token("reader")])
        self.refuses("weir: DIR: Is a directory, and nothing is published in it")

    def test_no_directory(self):
        self.refuses("weir: DIR: No such file or directory")

    def test_a_directory_or_file_that_others_may_write(self):
        self.publish([])
        for mode in 0o777, 0o775, 0o1777:
            os.chmod(self.path("DIR"), mode)
            self.refuses("weir: DIR: others than its owner may write")
        os.chmod(self.path("DIR"), 0o755)
        self.succeeds(*self.COMMANDS[5])
        os.chmod(self.path("DIR/control"), 0o666)
        self.refuses("weir: DIR: control: ")

    def test_a_link(self):
        self.publish([])
        os.rename(self.path("DIR"), self.path("real"))
        os.symlink("real", self.path("DIR"))
        self.refuses("weir: DIR: is a link")

    def test_a_damaged_directory(self):
        self.publish([]).end()
        with open(self.path("DIR/control"), "r+b") as file:
            file.write(b"x")
        self.refuses("weir: DIR: control: ")

    def test_a_directory_of_another_user_unless_named(self):
        if os.geteuid() != 0:
            self.skipTest("only root can give a directory away")
        self.publish([token("reader")])
        for name in [".", *os.listdir(self.path("DIR"))]:
            os.chown(self.path(os.path.join("DIR", name)), 65534, -1)
        self.refuses("weir: DIR: the directory belongs to another user")
        result = self.weir("check", "--tokens", "DIR", "--owner", "65534", "--", "reader", "read",
                           "s2://basin-one/users/7")
        self.assertEqual((result.code, result.err), (0, b""))
        self.fails("check", "--tokens", "DIR", "--owner", "no such user", "reader", "list-basins",
                   says='--owner is no user: "no such user"')


if __name__ == "__main__":
    main()
