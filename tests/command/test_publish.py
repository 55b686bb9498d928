"""weir publish: tokens in a directory, and changes from a pipe."""

import json
import os
import signal
import time

from command import main, token
from published import READ, PublishedTest


class Publish(PublishedTest):
    def error(self, publisher, value, code, *says):
        answer = publisher.ask(value)
        self.assertEqual(list(answer), ["error"])
        self.assertEqual(list(answer["error"]), ["code", "message"])
        self.assertEqual(answer["error"]["code"], code)
        for fragment in says:
            self.assertIn(fragment, answer["error"]["message"])

    def inspect(self, *arguments):
        return self.succeeds("inspect", "--", "DIR", *arguments).text

    def heartbeat(self):
        """The newest heartbeat, as it stands in the directory."""
        return self.read("DIR/control")[192:200]

    def issue_number(self, name):
        return int(self.inspect(name).split("\nissue     ")[1].split("\n")[0])

    def test_each_change_is_answered_with_its_number(self):
        publisher = self.publish([token("a")])
        for number, change in enumerate([
            {"issue": token("b")}, {"replace": token("b")}, {"put": token("b")},
            {"put": token("c")}, {"revoke": "a"}, {"issue": token("a")}, {"revoke": "c"},
        ], 1):
            self.assertEqual(publisher.ask(change), {"sequence": number})
        self.assertIn("tokens       2,", self.inspect())

    def test_a_line_is_as_written_in_the_help(self):
        publisher = self.publish([])
        publisher.write({"put": token("a")})
        self.assertEqual(publisher.line(), '{"sequence":1}')
        publisher.write({"revoke": "b"})
        self.assertEqual(publisher.line(), '{"error":{"code":"not_found","message":'
                                           '"there is no token \\"b\\""}}')

    def test_a_change_that_fails_changes_nothing_and_the_next_is_read(self):
        publisher = self.publish([token("a", credential_digest="ab" * 32)])
        self.error(publisher, {"issue": token("a")}, "duplicate", '"a"')
        self.error(publisher, {"issue": token("b", credential_digest="ab" * 32)}, "duplicate")
        self.error(publisher, {"replace": token("b")}, "not_found", '"b"')
        self.error(publisher, {"revoke": "b"}, "not_found", '"b"')
        self.error(publisher, {"revoke": ""}, "name")
        self.error(publisher, {"revoke": "x" * 97}, "name")
        self.error(publisher, {"revoke": "a\0b"}, "name")
        self.error(publisher, {"revoke": 3}, "schema")
        self.error(publisher, {"compact": False}, "schema")
        self.error(publisher, {"fly": "a"}, "schema", '"fly"')
        self.error(publisher, {"issue": {**token("b"), "expiry": None}}, "schema", "expiry")
        self.error(publisher, {"issue": token("b", {"ops": []})}, "permission")
        self.error(publisher, {"issue": token("b", {**READ, "basins": {"exact": "NO"}})}, "name",
                   "scope.basins")
        for line in (b"", b" ", b"[]", b"{}", b"x", b'{"revoke":"a"', b'{"revoke":"a"}}',
                     b'{"revoke":"a"}{}', b'{"revoke":"a"]', b'{"compact":truex', b'{"revoke":"a","revoke":"a"}', b'{"revoke" "a"}',
                     b'{"revoke":"\xff"}', b'{"revoke":"\\ud800"}', b'{"revoke":"a\x1b"}', b'"',
                     b'{"issue":{"id":"b"', b'{"issue":{},}', b'{"', b"{", b'{"revoke":'):
            with self.subTest(line=line):
                publisher.write(line)
                answer = publisher.value()
                self.assertIn(answer["error"]["code"], ("syntax", "schema"))
        self.error(publisher, b'{"revoke":"a","b":"c"}', "syntax")
        self.error(publisher, b'{"issue":' + json.dumps(token("b")).encode() + b',"put":1}',
                   "syntax", "column ")
        self.assertEqual(publisher.ask({"revoke": "a"}), {"sequence": 1})

    def test_a_column_is_that_of_the_line(self):
        publisher = self.publish([])
        self.error(publisher, b'{"issue": {"id": x}}', "syntax", "column 18: ")
        self.error(publisher, b'  {"issue": {"id": x}}', "syntax", "column 20: ")

    def test_it_ends_at_the_end_of_its_input_only_when_told_so(self):
        publisher = self.publish([token("reader")], "--until-eof")
        publisher.ask({"put": token("a")})
        self.assertEqual(publisher.finish(), 0)
        self.assertEqual(publisher.line(publisher.process.stderr),
                         "weir publish: 1 changes, 0 errors, sequence 1")
        publisher = self.resume()
        publisher.ask({"put": token("b")})
        publisher.process.stdin.close()
        time.sleep(0.3)  # in which it could end
        self.fails("publish", "--resume", "DIR", says="another process publishes there")
        self.assertEqual(self.decision("b"), "allowed")
        self.assertEqual(publisher.end(), 0)

    def test_it_ends_at_a_signal(self):
        for number in signal.SIGTERM, signal.SIGINT:
            publisher = self.publish([])
            publisher.ask({"put": token("a")})
            self.assertEqual(publisher.end(number), 0)
            self.assertEqual(publisher.rest(), [])

    def test_without_a_change_for_longer_than_the_lease_it_stays_fresh(self):
        self.publish([token("reader")], lease="0.3")
        heartbeats = set()

        def has_had_many():
            heartbeats.add(self.heartbeat())
            return len(heartbeats) > 12

        self.until(has_had_many)
        self.until(lambda: self.decision("reader") == "allowed")

    def test_resuming_goes_on_with_what_was_published(self):
        publisher = self.publish([token("a")], lease="33")
        publisher.ask({"put": token("b")})
        publisher.ask({"revoke": "a"})
        publisher.process.kill()
        publisher.process.wait()
        publisher = self.resume()
        self.error(publisher, {"revoke": "a"}, "not_found")
        self.assertEqual(publisher.ask({"revoke": "b"}), {"sequence": 3})
        self.assertIn("lease        33 s\n", self.inspect())

    def test_publishing_again_replaces_what_was_published(self):
        self.publish([token("a")]).end()
        self.publish([token("b")])
        self.assertEqual(self.decision("a"), "unknown_token")
        self.assertEqual(self.decision("b"), "allowed")

    def test_an_image_or_another_directory_is_published_with_its_number(self):
        publisher = self.publish([token("a")])
        publisher.ask({"put": token("b")})
        self.succeeds("compile", "--tokens", "DIR", "-o", "made.weir")
        publisher.end()
        for source in "made.weir", "DIR":
            publisher = self.publisher("--tokens", source)
            self.assertEqual(publisher.ask({"put": token("c")}), {"sequence": 2})
            self.assertEqual(publisher.ask({"revoke": "c"}), {"sequence": 3})
            self.assertEqual(publisher.end(), 0)
            self.publisher("--tokens", "made.weir").end()

    def test_compacting_makes_a_snapshot_without_what_expired_long_ago(self):
        publisher = self.publish([token("old", expires_at="2020-01-01T00:00:00Z"), token("a")])
        self.assertEqual(publisher.ask({"put": token("b")}), {"sequence": 1})
        self.assertEqual(publisher.ask({"compact": True}), {"sequence": 2})
        self.assertIn("snapshot     2\n", self.inspect())
        self.assertIn("tokens       2, 0 of them not in the snapshot\n", self.inspect())
        self.assertEqual(publisher.ask({"compact": True}), {"sequence": 2})
        self.error(publisher, {"revoke": "old"}, "not_found")

    def test_an_issue_has_the_number_of_its_change_and_a_replacement_keeps_it(self):
        publisher = self.publish([token("a")])
        self.assertEqual(self.issue_number("a"), 0)
        publisher.ask({"issue": token("b")})
        publisher.ask({"put": token("c")})
        self.assertEqual((self.issue_number("b"), self.issue_number("c")), (1, 2))
        publisher.ask({"replace": token("b")})
        publisher.ask({"put": token("c")})
        publisher.ask({"replace": token("a")})
        self.assertEqual([self.issue_number(name) for name in "abc"], [0, 1, 2])
        publisher.ask({"revoke": "b"})
        publisher.end()
        publisher = self.resume()
        publisher.ask({"issue": token("b")})
        self.assertEqual(self.issue_number("b"), 7)

    def test_a_directory_that_is_not_to_be_trusted_is_not_published_in(self):
        path = self.write("tokens.json", [])
        os.mkdir(self.path("DIR"))
        os.chmod(self.path("DIR"), 0o777)
        self.fails("publish", "--tokens", path, "DIR", says="weir: DIR: others than its owner")
        self.assertEqual(os.listdir(self.path("DIR")), [])
        os.chmod(self.path("DIR"), 0o755)
        os.symlink("DIR", self.path("link"))
        self.fails("publish", "--tokens", path, "link", says="weir: link: is a link")
        self.fails("publish", "--resume", "DIR", says="nothing is published there")
        self.fails("publish", "--resume", "absent", says="weir: absent: no such directory")
        self.fails("publish", "--tokens", path, path, says="Not a directory")
        self.fails("publish", "--tokens", "absent", "new", says="weir: absent: No such file")
        self.assertFalse(self.exists("new"))

    def test_flags_that_contradict_each_other_are_errors(self):
        path = self.write("tokens.json", [])
        self.fails("publish", "DIR", says="--tokens FILE is missing")
        self.fails("publish", "--resume", "--tokens", path, "DIR", says="takes no --tokens")
        self.fails("publish", "--resume", "--lease", "2", "DIR", says="takes no --lease")
        for lease in ("", "0", "0.009", "86400.1", "-1", "1.", ".5", "1e3", "1 ", "+1", "inf",
                      "99999999999999999999", "0.0100000001"):
            self.fails("publish", "--tokens", path, "--lease", lease, "DIR",
                       says="--lease is not a number of seconds, 0.01 to 86400: ")
        for lease, shown in ("0.01", "0.01"), ("86400", "86400"), ("1.500000000", "1.5"):
            result = self.succeeds("publish", "--tokens", path, "--lease", lease, "--until-eof",
                                   "DIR")
            self.assertIn(f", lease {shown} s\n", result.error)

    def test_an_answer_that_cannot_be_written_ends_it(self):
        path = self.write("tokens.json", [])
        changes = b'{"compact":true}\n'
        with open("/dev/full", "wb") as full:
            result = self.weir("publish", "--tokens", path, "DIR", stdin=changes, stdout=full)
        self.assertEqual(result.code, 2)
        self.assertIn("weir: <stdout>: No space left on device\n", result.error)

    def test_many_changes_in_one_go_are_all_answered(self):
        count = 5000
        changes = "".join(json.dumps({"put": token(f"t{n % 700}")}) + "\n" for n in range(count))
        result = self.succeeds("publish", "--tokens", self.write("tokens.json", []), "--until-eof",
                               "DIR", stdin=changes.encode())
        self.assertEqual(result.text, "".join(f'{{"sequence":{n + 1}}}\n' for n in range(count)))
        self.assertIn("tokens       700,", self.inspect())


if __name__ == "__main__":
    main()
