"""The manual pages are well-formed and complete: every command, flag, function and status code."""

import os
import pathlib
import re
import shutil
import subprocess
import unittest

from pages import declared, pages

SOURCE = pathlib.Path(os.environ["WEIR_SOURCE"])
PAGES = pages(SOURCE / "docs/man")
HEADERS = sorted((SOURCE / "include/weir").glob("*.h"))

# What mandoc says of pages that are not installed, and of those that are no part of a BSD.
NO_OBJECTIONS = ("mandoc.db", "referenced manual not found", "operating system explicitly")


def weir_help(*arguments):
    return subprocess.run(
        [os.environ["WEIR"], "help", *arguments], check=True, capture_output=True, text=True
    ).stdout


def commands():
    listed = weir_help().split("Commands:\n")[1].split("\n\n")[0]
    return re.findall(r"^  (\S+)", listed, re.M)


class Pages(unittest.TestCase):
    def test_each_command_has_a_page_and_each_such_page_a_command(self):
        documented = [name[5:-2] for name in PAGES if re.fullmatch(r"weir-.*\.1", name)]
        self.assertEqual(sorted(commands()), sorted(documented))
        for command in commands():
            self.assertIn((f"weir-{command}", "1"), PAGES["weir.1"].references())

    def test_each_flag_has_a_paragraph_and_each_such_paragraph_a_flag(self):
        for command in commands():
            with self.subTest(command=command):
                told = re.findall(r"^  (--?[\w-]*)(?:, (--\w+))?", weir_help(command), re.M)
                told = {flag for flags in told for flag in flags if flag}
                written = set(PAGES[f"weir-{command}.1"].flags())
                self.assertLessEqual({"-h", "--help"}, told)
                self.assertEqual(told, written)

    def test_the_synopses_are_the_headers_declarations(self):
        written = [prototype for page in PAGES.values() for prototype in page.prototypes()]
        told = {prototype for header in HEADERS for prototype in declared(header)}
        self.assertGreater(len(told), 100)
        self.assertEqual(told - set(written), set(), "in a header, but in no page")
        self.assertEqual(set(written) - told, set(), "in a page, but in no header")
        self.assertEqual(len(written), len(set(written)), "in two pages")

    def test_each_function_is_found_by_its_name_and_described(self):
        for page in PAGES.values():
            text = "\n".join(line for line in page.lines if re.search(r"\b(Fn|Vt) ", line))
            for result, name, _ in page.prototypes():
                with self.subTest(page=page.path.name, function=name):
                    if not result.startswith("typedef"):
                        self.assertIn(name, page.names())
                    self.assertRegex(text, rf"\b{name}\b")

    def test_each_status_code_is_described(self):
        header = (SOURCE / "include/weir/error.h").read_text(encoding="utf-8")
        codes = set(re.findall(r"^ +(WEIR_ERROR_\w+) =", header, re.M))
        text = "\n".join(PAGES["weir_error.3"].section("ERRORS"))
        self.assertEqual(codes, set(re.findall(r"Dv (WEIR_ERROR_\w+)", text)))

    def test_references_lead_to_pages(self):
        known = {(name, page.path.suffix[1:]) for page in PAGES.values()
                 for name in [page.name, *page.names()]}
        for page in PAGES.values():
            for name, section in page.references():
                if name.startswith("weir"):
                    self.assertIn((name, section), known, page.path.name)

    @unittest.skipUnless(shutil.which("mandoc"), "mandoc is not installed")
    def test_mandoc_has_no_objections(self):
        for page in PAGES.values():
            done = subprocess.run(
                ["mandoc", "-T", "lint", "-W", "style", page.path], capture_output=True, text=True,
                check=False,
            )
            objections = [
                line for line in done.stdout.splitlines()
                if not any(habit in line for habit in NO_OBJECTIONS)
            ]
            self.assertEqual(objections, [])


if __name__ == "__main__":
    unittest.main()
