"""An installed copy of Weir, moved to where nobody expected it, and how others build against it."""

import os
import pathlib
import re
import shlex
import shutil
import subprocess
import tempfile
import unittest

SOURCE = pathlib.Path(os.environ["WEIR_SOURCE"])
BUILD = pathlib.Path(os.environ["WEIR_BUILD"])
LIBDIR = os.environ["WEIR_LIBDIR"]
HERE = pathlib.Path(__file__).parent


def run(*command, expect=0, **more):
    """Runs a command; returns what it prints."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          timeout=300, check=False, **more)
    if done.returncode != expect:
        raise AssertionError(f"{shlex.join(done.args)}: exits with {done.returncode}, "
                             f"not {expect}\n{done.stdout}{done.stderr}")
    return done.stdout


def cmake(source, build, *settings, target="all"):
    """Configures and builds a project without warnings."""
    run("cmake", "-S", source, "-B", build, "-G", "Ninja",
        *[f"-D{setting}" for setting in settings])
    printed = run("cmake", "--build", build, "--target", target)
    if "warning:" in printed:
        raise AssertionError(printed)


class InstalledTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        run("cmake", "--install", BUILD, "--prefix", cls.folder / "first")
        cls.prefix = cls.folder / "a place"
        shutil.move(cls.folder / "first", cls.prefix)
        cls.weir = cls.prefix / "bin/weir"
        cls.libraries = cls.prefix / LIBDIR

    def pkg_config(self, *arguments):
        environment = {**os.environ, "PKG_CONFIG_PATH": str(self.libraries / "pkgconfig")}
        return shlex.split(run("pkg-config", *arguments, env=environment))

    def needed(self, program):
        """The shared libraries of Weir that a program loads."""
        dynamic = run("readelf", "-d", program)
        return set(re.findall(r"\(NEEDED\).*\[(libweir.*)\]", dynamic))
