"""Weir as a part of another project: fetched, or in a folder of it; what of it is built."""

import pathlib
import tempfile
import unittest

from installed import HERE, SOURCE, cmake, run


class Embedded(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.build = pathlib.Path(folder.name, "build")

    def assert_works(self):
        """The project's program works, and installing the project installs nothing else."""
        prefix = self.build / "installed"
        run("cmake", "--install", self.build, "--prefix", prefix)
        files = [path.relative_to(prefix) for path in prefix.rglob("*") if path.is_file()]
        self.assertEqual(files, [pathlib.Path("bin/embedding")])
        self.assertEqual(run(prefix / "bin/embedding"), "allowed\n")

    def test_all_of_it_by_fetch_content(self):
        cmake(HERE / "embedding", self.build, "FETCH=ON", "WEIR_WIRE=ON",
              f"FETCHCONTENT_SOURCE_DIR_WEIR={SOURCE}", target="embedding")
        self.assert_works()

    def test_the_compiler_and_the_checks_by_add_subdirectory(self):
        cmake(HERE / "embedding", self.build, f"WEIR_FOLDER={SOURCE}", "WEIR_LIVE=OFF")
        self.assert_works()
        self.assertEqual(list(self.build.rglob("*.so")), [])


if __name__ == "__main__":
    unittest.main()
