"""weir eval: a request a line in, a decision a line out."""

import json
import os
import re
import subprocess
import threading
import time

from command import NOW, SANITIZE, WEIR, CommandTest, main, ndjson, token

READ = {"token": "reader", "op": "read", "basin": "basin-one", "stream": "users/7"}
ALLOW = b'{"allow":true,"reason":"allowed","stream":"users/7"}\n'
UNKNOWN = b'{"allow":false,"reason":"unknown_token"}\n'


class Eval(CommandTest):
    def setUp(self):
        super().setUp()
        self.tokens = self.write("tokens.json", [
            token("reader"), token("old", expires_at="2020-01-01T00:00:00Z")])

    def evaluate(self, requests, *arguments, **options):
        return self.succeeds("eval", "--tokens", self.tokens, "--now", NOW, *arguments,
                             stdin=requests, **options)

    def start(self, *arguments, **options):
        return subprocess.Popen(
            [WEIR, "eval", "--tokens", self.tokens, *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)

    def test_requests_come_from_standard_input_or_a_file(self):
        requests = ndjson([READ, {**READ, "token": "x"}])
        self.assertEqual(self.evaluate(requests).out, ALLOW + UNKNOWN)
        self.assertEqual(self.evaluate(requests, "-").out, ALLOW + UNKNOWN)
        self.assertEqual(self.evaluate(requests, "/dev/stdin").out, ALLOW + UNKNOWN)
        path = self.write("requests.ndjson", requests)
        self.assertEqual(self.evaluate(b"", path).out, ALLOW + UNKNOWN)

    def test_the_last_line_needs_no_end(self):
        self.assertEqual(self.evaluate(ndjson([READ, READ])[:-1]).out, ALLOW * 2)

    def test_lines_may_end_as_on_windows_and_hold_blanks(self):
        line = b' \t{ "token" : "reader" , "op":"read","stream":"users/7","basin":"basin-one"} \r\n'
        self.assertEqual(self.evaluate(line).out, ALLOW)

    def test_no_requests_are_no_decisions(self):
        result = self.evaluate(b"")
        self.assertEqual(result.out, b"")
        self.assertIn("0 requests", result.error)

    def test_the_summary_counts_decisions_by_reason(self):
        requests = [READ] * 5 + [{**READ, "token": "x"}] * 2 + [{**READ, "token": "old"}]
        requests += [{**READ, "op": "append"}] * 3
        line = self.evaluate(ndjson(requests)).error
        self.assertRegex(line, r"^weir eval: 11 requests, 5 allowed, 6 denied: unknown_token 2, "
                               r"expired 1, op_not_permitted 3; [0-9.]+ s, [0-9]+ requests/s\n$")

    def test_names_are_read_as_json_has_them(self):
        request = rb'{"token":"reader","op":"read","basin":"basin-one","stream":"users\/\u00e9"}'
        self.assertEqual(self.evaluate(request + b"\n").out,
                         b'{"allow":true,"reason":"allowed","stream":"users/\\u00e9"}\n')

    def test_it_stops_at_the_first_bad_line_with_what_was_before_it_answered(self):
        for bad in b"", b"{}", b"x", b'{"token":1}', ndjson([READ])[:-2]:
            requests = ndjson([READ, READ]) + bad + b"\n" + ndjson([READ])
            path = self.write("requests.ndjson", requests)
            with self.subTest(bad=bad):
                self.fails("eval", "--tokens", self.tokens, "--now", NOW, path,
                           says=f"weir: {path}:3:", out=ALLOW * 2)
                self.fails("eval", "--tokens", self.tokens, "--now", NOW, stdin=requests,
                           says="weir: <stdin>:3:", out=ALLOW * 2)

    def test_everything_before_a_bad_line_is_answered_however_much_it_is(self):
        count = 20000
        self.fails("eval", "--tokens", self.tokens, "--now", NOW,
                   stdin=ndjson([READ] * count) + b"{\n", says=f"<stdin>:{count + 1}:",
                   out=ALLOW * count)

    def test_a_line_that_is_too_long_is_an_error_before_it_ends(self):
        process = self.start()
        try:
            for _ in range(17):
                process.stdin.write(b" " * (1 << 20))
            process.stdin.flush()
        except BrokenPipeError:
            pass
        _, error = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 2)
        self.assertIn(b"weir: <stdin>:1: ", error)
        self.assertEqual(error.count(b"\n"), 1)

    def test_a_line_of_a_megabyte_is_read(self):
        stream = "users/" + "x" * (1 << 20)
        self.assertEqual(self.evaluate(ndjson([{**READ, "stream": stream}, READ])).out,
                         b'{"allow":false,"reason":"invalid_name"}\n' + ALLOW)

    def test_each_answer_is_out_before_the_next_request_is_waited_for(self):
        process = self.start("--now", NOW)
        for name in ["reader", "x"] * 20:
            process.stdin.write(ndjson([{**READ, "token": name}]))
            process.stdin.flush()
            self.assertEqual(process.stdout.readline(), UNKNOWN if name == "x" else ALLOW)
        process.stdin.close()
        self.assertEqual(process.stdout.read(), b"")
        self.assertEqual(process.wait(timeout=60), 0)
        self.assertIn(b"40 requests", process.stderr.read())
        process.stdout.close()
        process.stderr.close()

    def test_half_a_line_is_waited_for(self):
        process = self.start("--now", NOW)
        line = ndjson([READ])
        for part in line[:10], line[10:30], line[30:]:
            process.stdin.write(part)
            process.stdin.flush()
            time.sleep(0.05)
        self.assertEqual(process.stdout.readline(), ALLOW)
        process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0)

    def test_without_now_the_clock_is_read_for_each_request(self):
        stamp = time.time() + 4
        text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(stamp))
        self.tokens = self.write("short.json",
                                 [token("reader", expires_at=f"{text}.{int(stamp % 1 * 1e9):09}Z")])
        process = self.start()
        process.stdin.write(ndjson([READ]))
        process.stdin.flush()
        self.assertEqual(process.stdout.readline(), ALLOW)
        time.sleep(max(0.0, stamp - time.time()) + 0.05)
        out, _ = process.communicate(ndjson([READ]), timeout=60)
        self.assertEqual(out, b'{"allow":false,"reason":"expired"}\n')

    def peak_memory(self, count):
        """KiB that eval had at most while `count` requests came through a pipe."""
        process = self.start("--now", NOW, bufsize=0)
        answers = []
        reader = threading.Thread(target=lambda: answers.append(self.count(process.stdout)))
        reader.start()
        chunk = ndjson([READ] * 1000)
        for _ in range(count // 1000):
            process.stdin.write(chunk)
        # All but what the pipes still hold has been read; the process waits for more.
        with open(f"/proc/{process.pid}/status", encoding="ascii") as file:
            peak = int(re.search(r"VmHWM:\s+(\d+) kB", file.read()).group(1))
        process.stdin.close()
        reader.join()
        self.assertEqual(process.wait(timeout=60), 0)
        self.assertEqual(answers, [count])
        process.stdout.close()
        process.stderr.close()
        return peak

    @staticmethod
    def count(stream):
        return sum(block.count(b"\n") for block in iter(lambda: stream.read(1 << 16), b""))

    def test_memory_is_flat_however_long_the_pipe_is(self):
        if SANITIZE:
            self.skipTest("a sanitizer keeps what was freed")
        short = self.peak_memory(10_000)
        self.assertLess(self.peak_memory(500_000), short + 2048)

    def test_requests_may_be_read_from_a_named_pipe_and_tokens_from_another(self):
        with open(self.tokens, "rb") as file:
            content = file.read()
        result = self.succeeds("eval", "--tokens", "/dev/stdin", "--now", NOW,
                               self.write("requests.ndjson", ndjson([READ])), stdin=content)
        self.assertEqual(result.out, ALLOW)

    def test_decisions_are_json_with_the_keys_in_order(self):
        line = self.evaluate(ndjson([READ])).text
        self.assertEqual(list(json.loads(line)), ["allow", "reason", "stream"])

    def test_requests_that_are_a_folder_or_missing_are_an_error(self):
        self.fails("eval", "--tokens", self.tokens, self.folder,
                   says=[self.folder, "Is a directory"])
        self.fails("eval", "--tokens", self.tokens, "absent",
                   says="weir: absent: No such file or directory")
        self.assertFalse(os.path.exists(self.path("absent")))


if __name__ == "__main__":
    main()
