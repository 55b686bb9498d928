"""weir watch: the changes of a published directory, as they come."""

import fcntl
import json
import re
import signal
import sys
import termios

from command import main, token
from published import Process, PublishedTest

STANDING = ["event", "sequence", "published", "fresh", "heartbeat_age_us", "lease_us", "snapshot",
            "newest_snapshot", "tokens", "own_tokens", "unseen"]
CHANGE = ["event", "sequence", "id", "lag_us"]
HOSTILE = "\u00e9\x1b[31m\n\"\\"


class Watch(PublishedTest):
    def watch(self, *flags):
        """A watch that has opened the directory, and its first line."""
        watch = Process(self, "watch", *flags, "--", "DIR")
        return watch, watch.line()

    def watch_json(self, *flags):
        watch, line = self.watch("--json", *flags)
        return watch, json.loads(line)

    def next_of(self, watch, *events):
        """The next line about one of these."""
        while True:
            value = watch.value()
            self.assertEqual(list(value), {"put": CHANGE, "revoke": CHANGE}.get(
                value["event"], STANDING))
            if value["event"] in events:
                return value

    def set_sequence(self, number):
        """Writes the number of the last change published over the one in the directory."""
        with open(self.path("DIR/control"), "r+b", buffering=0) as control:
            control.seek(128)
            control.write(number.to_bytes(8, "little"))

    def test_every_change_is_a_line_in_order(self):
        publisher = self.publish([token("a")])
        watch, line = self.watch("--count", "5")
        self.assertRegex(line, r"^open      at 0 of 0, fresh: heartbeat [0-9.]+ s ago, lease 60 s; "
                               r"1 tokens, 0 beside snapshot 0$")
        for change in ({"issue": token("b")}, {"replace": token("a")}, {"revoke": "b"},
                       {"revoke": "b"}, {"put": token(HOSTILE)}, {"revoke": HOSTILE}):
            publisher.ask(change)
        expected = ['put       1 "b"', 'put       2 "a"', 'revoke    3 "b"',
                    'put       4 "\\u00e9\\u001b[31m\\u000a\\"\\\\"',
                    'revoke    5 "\\u00e9\\u001b[31m\\u000a\\"\\\\"']
        lines = watch.rest()
        self.assertEqual([re.sub(", [0-9]+ us after it was published$", "", line)
                          for line in lines], expected)
        self.assertTrue(all(" us after it was published" in line for line in lines))
        self.assertEqual(watch.process.wait(timeout=60), 0)

    def test_json_has_the_keys_of_the_help(self):
        publisher = self.publish([token("a")])
        watch, value = self.watch_json("--count", "2")
        self.assertEqual(list(value), STANDING)
        self.assertLess(value.pop("heartbeat_age_us"), 60_000_000)
        self.assertEqual(value, {
            "event": "open", "sequence": 0, "published": 0, "fresh": True, "lease_us": 60_000_000,
            "snapshot": 0, "newest_snapshot": 0, "tokens": 1, "own_tokens": 0, "unseen": 0})
        publisher.ask({"put": token(HOSTILE)})
        publisher.ask({"revoke": "a"})
        values = [json.loads(line) for line in watch.rest()]
        for value in values:
            self.assertEqual(list(value), CHANGE)
            self.assertGreaterEqual(value.pop("lag_us"), 0)
        self.assertEqual(values, [{"event": "put", "sequence": 1, "id": HOSTILE},
                                  {"event": "revoke", "sequence": 2, "id": "a"}])
        help_text = " ".join(self.succeeds("help", "watch").text.split())
        for keys in STANDING, CHANGE:
            self.assertEqual(sorted(set(keys) - set(re.findall('"([a-z_]+)":', help_text))), [])

    def test_the_first_line_is_the_state_changes_included(self):
        publisher = self.publish([token("a")])
        for name in "bcd":
            publisher.ask({"put": token(name)})
        watch, value = self.watch_json("--count", "1")
        self.assertEqual((value["sequence"], value["tokens"], value["own_tokens"]), (3, 4, 3))
        publisher.ask({"revoke": "a"})
        self.assertEqual([json.loads(line)["sequence"] for line in watch.rest()], [4])

    def test_a_count_is_exact_however_many_come_at_once(self):
        publisher = self.publish([])
        watch, _ = self.watch_json("--count", "3")
        watch.process.send_signal(signal.SIGSTOP)
        for name in "abcdef":
            publisher.ask({"put": token(name)})
        watch.process.send_signal(signal.SIGCONT)
        self.assertEqual([json.loads(line)["sequence"] for line in watch.rest()], [1, 2, 3])
        self.assertEqual(watch.process.wait(timeout=60), 0)

    def test_no_change_is_left_out_however_many_come_at_once(self):
        publisher = self.publish([])
        watch, _ = self.watch_json("--count", "5000")
        changes = b"".join(json.dumps({"put": token(f"t{number}")}).encode() + b"\n"
                           for number in range(5000))
        place = 0
        sequences = []
        while len(sequences) < 5000:
            publisher.process.stdin.write(changes[place:place + 20000])
            place += 20000
            while len(sequences) < 5000 and len(sequences) * 120 < place - 40000:
                sequences.append(self.next_of(watch, "put")["sequence"])
                publisher.line()
        self.assertEqual(sequences, list(range(1, 5001)))
        self.assertEqual(watch.rest(), [])

    def test_it_tells_when_the_directory_becomes_stale_and_fresh_again(self):
        publisher = self.publish([token("a")], lease="0.5")
        watch, _ = self.watch_json()
        publisher.process.kill()
        publisher.process.wait()
        self.assertEqual(self.next_of(watch, "stale")["fresh"], False)
        self.until(self.is_stale)
        self.resume()
        self.assertEqual(self.next_of(watch, "fresh")["fresh"], True)

    def test_a_new_snapshot_and_a_new_history_are_lines(self):
        publisher = self.publish([token("a")])
        watch, _ = self.watch_json()
        publisher.ask({"put": token("b")})
        publisher.ask({"compact": True})
        value = self.next_of(watch, "snapshot")
        self.assertEqual((value["snapshot"], value["newest_snapshot"]), (0, 1))
        publisher.end()
        publisher = self.publish([token("c"), token("d"), token("e")], lease="50")
        value = self.next_of(watch, "anew")
        self.assertEqual((value["sequence"], value["tokens"], value["lease_us"]), (0, 3, 50_000_000))
        publisher.ask({"revoke": "c"})
        self.assertEqual(self.next_of(watch, "revoke")["sequence"], 1)

    def test_a_history_that_begins_with_the_same_number_is_new_all_the_same(self):
        publisher = self.publish([token("a")])
        watch, _ = self.watch_json()
        publisher.end()
        self.publish([token("b")])
        self.assertEqual(self.next_of(watch, "anew")["sequence"], 0)

    def test_it_adopts_a_snapshot_when_much_is_known_beside_the_old_one(self):
        publisher = self.publish([token("a")])
        watch, _ = self.watch_json()
        for number in range(1200):
            publisher.ask({"put": token(f"t{number}")})
        publisher.ask({"compact": True})
        value = self.next_of(watch, "adopted")
        self.assertEqual((value["snapshot"], value["own_tokens"], value["unseen"]), (1200, 0, 0))
        publisher.ask({"revoke": "t5"})
        value = self.next_of(watch, "revoke")
        self.assertEqual((value["sequence"], value["id"]), (1201, "t5"))

    def test_heartbeats_are_shown_only_when_asked_for(self):
        self.publish([])
        watch, _ = self.watch("--heartbeats")
        for _ in range(2):
            self.assertRegex(watch.line(), "^heartbeat at 0 of 0, fresh: heartbeat [0-9.]+ s ago")
        self.assertEqual(watch.end(), 0)
        watch, _ = self.watch()
        self.assertEqual(watch.end(), 0)
        self.assertEqual(watch.rest(), [])

    def test_it_ends_at_a_signal(self):
        self.publish([])
        for number in signal.SIGINT, signal.SIGTERM:
            watch, _ = self.watch()
            self.assertEqual(watch.end(number), 0)
            self.assertEqual((watch.rest(), watch.process.stderr.read()), ([], b""))

    def test_it_ends_when_nobody_reads_any_more(self):
        publisher = self.publish([])
        for change in None, {"put": token("a")}:
            watch, _ = self.watch()
            watch.process.stdout.close()
            if change is not None:
                publisher.ask(change)
            self.assertEqual(watch.process.wait(timeout=60), 0)
            self.assertEqual(watch.process.stderr.read(), b"")

    def test_it_ends_when_its_reader_goes_while_it_writes(self):
        publisher = self.publish([])
        watch, _ = self.watch()
        for number in range(3000):
            publisher.ask({"put": token(f"t{number}")})
        # A full pipe holds less than its 65536 bytes: no line begins on one page and ends on the next.
        self.until(lambda: self.waiting(watch.process.stdout) > 50000)
        watch.process.stdout.close()
        self.assertEqual(watch.process.wait(timeout=60), 0)
        self.assertEqual(watch.process.stderr.read(), b"")

    @staticmethod
    def waiting(pipe):
        """Bytes in a pipe that nobody has read yet."""
        return int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), sys.byteorder)

    def test_a_full_disk_is_an_error(self):
        self.publish([])
        with open("/dev/full", "wb") as full:
            result = self.weir("watch", "DIR", stdout=full)
        self.assertEqual((result.code, result.err),
                         (2, b"weir: <stdout>: No space left on device\n"))

    def test_what_cannot_be_read_is_a_line_and_is_tried_again(self):
        publisher = self.publish([])
        watch, _ = self.watch_json("--heartbeats")
        publisher.ask({"put": token("a")})
        self.next_of(watch, "put")
        publisher.process.send_signal(signal.SIGSTOP)
        # The next change is said to be there, and is not.
        self.set_sequence(2)
        while (value := watch.value())["event"] == "heartbeat":
            pass
        self.assertEqual(list(value), ["event", "code", "message"])
        self.assertEqual(value["event"], "error")
        self.assertEqual(watch.value()["event"], "heartbeat", "once is enough")
        self.set_sequence(1)
        publisher.process.send_signal(signal.SIGCONT)
        publisher.ask({"put": token("b")})
        self.assertEqual(self.next_of(watch, "put")["sequence"], 2)

    def test_a_count_has_to_be_a_number(self):
        self.publish([])
        for count in "", "0", "-1", "x", "1.5", "18446744073709551616":
            self.fails("watch", "--count", count, "DIR",
                       says="--count is not a number of changes, 1 or more: ")


if __name__ == "__main__":
    main()
