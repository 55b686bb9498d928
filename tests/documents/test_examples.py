"""The examples of the manual pages do what the pages say."""

import os
import pathlib
import subprocess
import tempfile
import unittest

from pages import pages

PAGES = pages(os.environ["WEIR_PAGES"])
PROGRAMS = pathlib.Path(os.environ["WEIR_PROGRAMS"])
WEIR = pathlib.Path(os.environ["WEIR"])
FILES = {"tokens.json": "weir_tokens.5", "requests.ndjson": "weir_requests.5",
         "changes.ndjson": "weir_changes.5"}


class Examples(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        for name, page in FILES.items():
            (self.folder / name).write_text(next(PAGES[page].displays()), encoding="utf-8")
        self.run_here(f"{WEIR} compile --tokens tokens.json -o tokens.weir")

    def run_here(self, command):
        """Runs a shell's command in the folder of the examples; returns what it prints."""
        environment = {**os.environ, "PATH": f"{WEIR.parent}:{os.environ['PATH']}"}
        done = subprocess.run(
            ["sh", "-c", command], cwd=self.folder, env=environment, capture_output=True,
            text=True, timeout=60, check=False,
        )
        self.assertLess(done.returncode, 2, done.stderr)
        return done.stdout

    def test_commands_print_what_their_pages_say(self):
        count = 0
        for name, page in PAGES.items():
            for command, printed in page.commands():
                with self.subTest(page=name, command=command):
                    self.assertEqual(self.run_here(command), printed)
                    count += 1
        self.assertGreater(count, 10)

    def test_programs_print_what_their_pages_say(self):
        for name, page in PAGES.items():
            if name.endswith(".3"):
                with self.subTest(page=name):
                    self.assertIsNotNone(page.program())
                    self.assertEqual(self.run_here(str(PROGRAMS / f"man_{name}")),
                                     page.program()[1])


if __name__ == "__main__":
    unittest.main()
