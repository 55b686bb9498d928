"""What the libraries export is what the public headers declare."""

import os
import pathlib
import re
import subprocess
import unittest

from pages import declared

SOURCE = pathlib.Path(os.environ["WEIR_SOURCE"])
LIBRARIES = pathlib.Path(os.environ["WEIR_BUILD"], "lib")

# The headers that libweir_check serves, and what it has of a header that tells of declarations too.
CHECK_HEADERS = {"decision.h", "difference.h", "error.h", "image.h", "instant.h", "listing.h",
                 "name.h", "operation.h"}
CHECK_FUNCTIONS = {"weir_set_matches"}
# What libweir_authority alone has.
AUTHORITY_HEADERS = {"authority.h"}

# Where Debian has each library.
PACKAGES = {"libweir": "libweir0", "libweir_check": "libweir0",
            "libweir_authority": "libweir-authority0"}


def functions(header):
    """The functions of a header that a library must define: no types, none that are inline."""
    text = header.read_text(encoding="utf-8")
    return {name for result, name, _ in declared(header)
            if not result.startswith("typedef")
            and not re.search(rf"^static inline .*\b{name}\(", text, re.M)}


HEADERS = {path.name: functions(path) for path in sorted((SOURCE / "include/weir").glob("*.h"))}


def symbols(library, *flags):
    """Name and kind of each symbol that a library defines for others."""
    listed = subprocess.run(["nm", "--defined-only", *flags, LIBRARIES / library], check=True,
                            capture_output=True, text=True).stdout
    return set(re.findall(r"^[0-9a-f]+ (\w) (\S+)$", listed, re.M))


def dynamic_section(library):
    return subprocess.run(["readelf", "-d", LIBRARIES / library], check=True, capture_output=True,
                          text=True).stdout


def soname(library):
    return re.search(r"\(SONAME\).*\[(.*)\]", dynamic_section(library))[1]


def needed(library):
    """The libraries that it loads, without their versions."""
    return set(re.findall(r"\(NEEDED\).*\[(.*?)\.so", dynamic_section(f"{library}.so")))


class Exports(unittest.TestCase):
    def assert_exports(self, library, names):
        self.assertEqual(names - {name for _, name in symbols(library, "-D")}, set(),
                         "declared, but not exported")
        self.assertEqual(symbols(library, "-D") - {("T", name) for name in names}, set(),
                         "exported, but not declared")

    def test_the_library_with_the_authority_exports_all_that_is_declared_and_nothing_else(self):
        names = set().union(*HEADERS.values())
        self.assertGreater(len(names), 100)
        self.assert_exports("libweir_authority.so", names)

    def test_the_whole_library_exports_the_same_but_for_the_authority(self):
        names = set().union(*(HEADERS[header] for header in HEADERS.keys() - AUTHORITY_HEADERS))
        self.assert_exports("libweir.so", names)

    def test_the_library_that_only_checks_exports_its_headers_and_nothing_else(self):
        names = set().union(CHECK_FUNCTIONS, *(HEADERS[header] for header in CHECK_HEADERS))
        self.assert_exports("libweir_check.so", names)

    def test_the_static_libraries_define_no_names_of_others(self):
        for library in ("libweir.a", "libweir_authority.a", "libweir_check.a"):
            with self.subTest(library=library):
                names = {name for _, name in symbols(library, "-g")}
                self.assertGreater(len(names), 50)
                self.assertEqual({name for name in names if not name.startswith("weir_")}, set())

    def test_the_names_of_the_shared_libraries_carry_the_major_version(self):
        major = os.environ["WEIR_VERSION"].split(".", maxsplit=1)[0]
        for library in ("libweir.so", "libweir_authority.so", "libweir_check.so"):
            self.assertEqual(soname(library), f"{library}.{major}")

    def test_the_library_that_only_checks_needs_libc_only(self):
        self.assertLessEqual(needed("libweir_check"), {"libc"})

    def test_only_the_library_with_the_authority_needs_a_database(self):
        self.assertNotIn("libsqlite3", needed("libweir"))
        self.assertIn("libsqlite3", needed("libweir_authority"))

    def test_the_debian_packages_know_each_symbol(self):
        for library, package in PACKAGES.items():
            text = (SOURCE / f"debian/{package}.symbols").read_text(encoding="utf-8")
            section = re.search(rf"^{library}\.so\.\d+ .*\n((?:[ *] ?.*\n)*)", text, re.M)[1]
            written = set(re.findall(r"^ (\S+)@Base ", section, re.M))
            exported = {name for _, name in symbols(f"{library}.so", "-D")}
            self.assertEqual(exported - written, set(), f"not in debian/{package}.symbols")
            self.assertEqual(written - exported, set(), f"in debian/{package}.symbols only")


if __name__ == "__main__":
    unittest.main()
