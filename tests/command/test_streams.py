"""Standard streams that are full, closed or gone: errors, never a signal, never a clobbered file."""

import os
import signal
import subprocess

from command import NOW, SANITIZE, WEIR, CommandTest, main, ndjson, token

REQUEST = {"token": "reader", "op": "read", "basin": "basin-one", "stream": "users/7"}


class Streams(CommandTest):
    def setUp(self):
        super().setUp()
        self.tokens = self.write("tokens.json", [token("reader")])
        self.image = self.compile(self.tokens)
        question = ["--tokens", self.tokens, "--now", NOW, "--"]
        self.requests = self.write("requests.ndjson", ndjson([REQUEST] * 100))
        self.printing = [
            ["check", *question, "reader", "read", "s2://basin-one/users/7"],
            ["explain", *question, "reader", "read", "s2://basin-one/users/7"],
            ["who", *question, "read", "s2://basin-one/users/7"],
            ["eval", *question, self.requests],
            ["inspect", self.image],
            ["inspect", self.image, "reader"],
            ["--help"],
            ["check", "--help"],
            ["--version"],
        ]

    def shell(self, redirections, *arguments):
        """Runs `weir` with its streams redirected by the shell."""
        return subprocess.run(["bash", "-c", f'exec "$@" {redirections}', "bash", WEIR, *arguments],
                              capture_output=True, check=False, timeout=60, cwd=self.folder)

    def test_a_full_disk_is_an_error(self):
        for arguments in self.printing:
            with self.subTest(arguments=arguments), open("/dev/full", "wb") as full:
                result = self.weir(*arguments, stdout=full)
                self.assertEqual(result.code, 2)
                self.assertEqual(result.err, b"weir: <stdout>: No space left on device\n")

    def test_a_closed_standard_output_is_an_error(self):
        for arguments in self.printing:
            with self.subTest(arguments=arguments):
                done = self.shell(">&-", *arguments)
                self.assertEqual(done.returncode, 2)
                self.assertEqual(done.stderr, b"weir: <stdout>: Bad file descriptor\n")

    def test_a_reader_that_has_gone_is_an_error_not_a_signal(self):
        for arguments in self.printing:
            with self.subTest(arguments=arguments):
                reading, writing = os.pipe()
                os.close(reading)
                result = self.weir(*arguments, stdout=writing)
                os.close(writing)
                self.assertEqual(result.code, 2)
                self.assertEqual(result.err, b"weir: <stdout>: Broken pipe\n")

    def test_eval_ends_soon_after_its_reader_has_gone(self):
        process = subprocess.Popen([WEIR, "eval", "--tokens", self.tokens, "--now", NOW],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE)
        process.stdin.write(ndjson([REQUEST]))
        process.stdin.flush()
        process.stdout.readline()
        process.stdout.close()
        process.stdin.write(ndjson([REQUEST]))
        process.stdin.flush()
        self.assertEqual(process.wait(timeout=60), 2)
        self.assertEqual(process.stderr.read(), b"weir: <stdout>: Broken pipe\n")
        process.stderr.close()
        try:
            process.stdin.close()
        except BrokenPipeError:
            pass

    def test_a_limit_on_the_size_of_files_is_an_error_not_a_signal(self):
        requests = self.write("many.ndjson", ndjson([REQUEST] * 2000))
        done = self.shell(">out", "eval", "--tokens", self.tokens, "--now", NOW, requests)
        self.assertEqual(done.returncode, 0)
        done = subprocess.run(
            ["bash", "-c", 'ulimit -f 8; exec "$@" > out', "bash", WEIR, "eval", "--tokens",
             self.tokens, "--now", NOW, requests], capture_output=True, check=False,
            cwd=self.folder)
        self.assertEqual(done.returncode, 2, done)
        self.assertEqual(done.stderr, b"weir: <stdout>: File too large\n")

    def test_closed_standard_streams_do_not_become_files(self):
        before = self.read(self.tokens)
        for closed in ("<&-", ">&-", "2>&-", "<&- >&-", "<&- 2>&-", ">&- 2>&-", "<&- >&- 2>&-"):
            with self.subTest(closed=closed):
                self.write("out.weir", b"old")
                done = self.shell(closed, "compile", "--tokens", self.tokens, "-o", "out.weir")
                # compile has nothing to print: only standard error closed loses the summary.
                self.assertEqual(self.read("out.weir"), self.read(self.image))
                self.assertEqual(self.read(self.tokens), before)
                self.assertGreaterEqual(done.returncode, 0)
                bad = self.write("bad.json", "{")
                done = self.shell(closed, "check", "--tokens", bad, "reader", "list-basins")
                self.assertEqual(done.returncode, 2)
                self.assertEqual(self.read("bad.json"), b"{")

    def test_tokens_of_any_size_come_from_a_pipe(self):
        tokens = [token(f"reader-{number}") for number in range(20000)]
        path = self.write("many.json", tokens)
        image = self.compile(path, "many.weir")
        self.assertGreater(len(self.read(image)), 1 << 20)
        for source in path, image:
            with self.subTest(source=source):
                result = self.weir("check", "--tokens", "/dev/stdin", "--now", NOW, "--",
                                   "reader-19999", "read", "s2://basin-one/users/7",
                                   stdin=self.read(source))
                self.assertEqual((result.code, result.err), (0, b""))
                self.assertIn('"allow":true', result.text)

    def test_tokens_that_cannot_be_read_are_an_error(self):
        # Nothing is mapped at the beginning of a process's memory.
        self.fails("check", "--tokens", "/proc/self/mem", "reader", "list-basins",
                   says="weir: /proc/self/mem: Input/output error")

    def test_a_closed_standard_input_cannot_be_read(self):
        done = self.shell("<&-", "eval", "--tokens", self.tokens)
        self.assertEqual(done.returncode, 2)
        self.assertEqual(done.stderr, b"weir: <stdin>: Bad file descriptor\n")

    def test_a_closed_standard_error_does_not_change_the_answer(self):
        done = self.shell("2>&-", *self.printing[0])
        self.assertEqual(done.returncode, 0)
        self.assertIn(b'"allow":true', done.stdout)
        done = self.shell("2>&-", "eval", "--tokens", self.tokens, "--now", NOW, self.requests)
        self.assertEqual(done.returncode, 0)
        self.assertEqual(done.stdout.count(b"\n"), 100)

    def test_an_ignored_sigpipe_makes_no_difference(self):
        reading, writing = os.pipe()
        os.close(reading)
        result = self.weir(*self.printing[0], stdout=writing,
                           preexec_fn=lambda: signal.signal(signal.SIGPIPE, signal.SIG_IGN))
        os.close(writing)
        self.assertEqual(result.code, 2)

    def test_the_command_allocates_from_jemalloc(self):
        if SANITIZE:
            self.skipTest("sanitizers bring their own malloc")
        result = self.weir("--version", env={**os.environ, "MALLOC_CONF": "stats_print:true"})
        self.assertIn(b"jemalloc", result.err)


if __name__ == "__main__":
    main()
