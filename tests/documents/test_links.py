"""What the documents link to, and the files that they name, are there."""

import os
import pathlib
import re
import unittest

SOURCE = pathlib.Path(os.environ["WEIR_SOURCE"])
DOCUMENTS = [*SOURCE.glob("*.md"), *SOURCE.glob("docs/*.md")]
FOLDERS = "bench|docs|examples|fuzz|include|scripts|src|tests"


class Links(unittest.TestCase):
    def test_links_lead_to_files(self):
        for document in DOCUMENTS:
            for link in re.findall(r"\]\(([^)#:]+)\)", document.read_text(encoding="utf-8")):
                self.assertTrue((document.parent / link).exists(), f"{document.name}: {link}")

    def test_files_that_are_named_exist(self):
        count = 0
        for document in DOCUMENTS:
            text = document.read_text(encoding="utf-8")
            for name in re.findall(rf"(?<![\w/.])(?:{FOLDERS})(?:/[\w.-]+)+(?![\w*…])", text):
                count += 1
                self.assertTrue((SOURCE / name.rstrip(".")).exists(), f"{document.name}: {name}")
        self.assertGreater(count, 20)


if __name__ == "__main__":
    unittest.main()
