"""Who scans texts for secrets recognises credentials by what their manual page says: the program of
that page is run on what the library draws."""

import hashlib
import os
import pathlib
import random
import subprocess
import unittest

from pages import Page

LINES = os.environ["WEIR_CREDENTIAL_LINES"]
PAGE = Page(pathlib.Path(os.environ["WEIR_SOURCE"], "docs/man/weir_credential.3"))
COUNT = 20000


def scanner():
    """The page's function that finds credentials in bytes."""
    program = next(display for display in PAGE.displays("DESCRIPTION")
                   if display.startswith("import"))
    names = {}
    exec(program, names)  # pylint: disable=exec-used
    return names["credentials"]


def draw(count):
    """Credentials and their digests."""
    printed = subprocess.run([LINES, str(count)], check=True, capture_output=True).stdout
    return [tuple(line.split(b" ")) for line in printed.splitlines()]


class Scan(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.find = staticmethod(scanner())
        cls.drawn = draw(COUNT)

    def test_each_credential_is_found_wherever_it_stands(self):
        for before, after in ((b"", b""), (b"Authorization: Bearer ", b"\r\n"),
                              (b"weir_weir_", b"_"), (b"?token=", b"&next"), (b"x", b"zzz")):
            for credential, _ in self.drawn[:1000]:
                self.assertEqual(list(self.find(before + credential + after)), [credential])

    def test_all_are_found_in_one_text_and_nothing_else(self):
        text = b"\n".join(b" ".join(line) for line in self.drawn)
        self.assertEqual(list(self.find(text)), [credential for credential, _ in self.drawn])

    def test_what_looks_like_one_is_not_found(self):
        dice = random.Random(1)
        alphabet = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
        for _ in range(COUNT):
            text = b"weir_" + bytes(dice.choices(alphabet, k=49))
            self.assertEqual(list(self.find(text)), [])

    def test_the_digest_is_sha256_of_the_whole_text(self):
        for credential, digest in self.drawn:
            self.assertEqual(hashlib.sha256(credential).hexdigest().encode(), digest)

    def test_it_is_safe_in_urls_and_headers(self):
        for credential, _ in self.drawn[:100]:
            self.assertRegex(credential, rb"\A[A-Za-z0-9_]{54}\Z")


if __name__ == "__main__":
    unittest.main()
