"""The examples, built from an installed copy in each way that others may choose, work."""

import json
import os
import shutil
import subprocess
import unittest

from installed import HERE, SOURCE, InstalledTest, cmake, run

# Each example, and the library that it is built with.
EXAMPLES = {"check": "weir", "broker": "weir", "follow": "weir", "proxy": "weir",
            "authority": "weir_authority"}
TOKENS = [{"id": "user-1", "scope": {"basins": {"prefix": ""}, "streams": {"prefix": "users/1/"},
                                     "ops": ["read", "list-streams"]}}]


def request(token, stream):
    return json.dumps({"token": token, "op": "read", "basin": "acme-prod", "stream": stream}) + "\n"


class Installed(InstalledTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.tokens = cls.folder / "tokens.json"
        cls.tokens.write_text(json.dumps(TOKENS), encoding="utf-8")
        cls.image = cls.folder / "tokens.weir"
        run(cls.weir, "compile", "--tokens", cls.tokens, "-o", cls.image)

    def loads(self, program, *names):
        """The program loads these libraries of Weir, by the names that carry the version."""
        self.assertEqual(self.needed(program), {f"{name}.so.0" for name in names})

    def run_examples(self, folder, shared):
        """Each example is run, having been built into the folder; each loads its library only."""
        environment = {**os.environ, "LD_LIBRARY_PATH": str(self.libraries)}
        for example, library in EXAMPLES.items():
            with self.subTest(folder=folder.name, example=example):
                self.loads(folder / example, *[f"lib{library}"] * shared)
                getattr(self, f"run_{example}")(folder / example, environment)

    def run_check(self, program, environment):
        def ask(stream, expect):
            return run(program, self.tokens, "user-1", "read", "acme-prod", stream, expect=expect,
                       env=environment)

        self.assertEqual(ask("users/1/inbox", 0), "allowed\n")
        self.assertEqual(ask("users/2/inbox", 1), "stream_out_of_scope\n")

    def run_broker(self, program, environment):
        lines = run(program, env=environment).splitlines()
        self.assertEqual(lines.pop(), "none came through after the revocation")
        self.assertEqual(len(lines), 4)
        for line in lines:
            self.assertRegex(line, r"^connection \d: [1-9]\d* messages$")

    def run_follow(self, program, environment):
        directory = program.parent / "published"
        publish = [self.weir, "publish", "--until-eof", "--lease", "60", "--tokens", self.tokens,
                   "--", directory]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}

        def ask(change):
            publisher.stdin.write(change + "\n")
            publisher.stdin.flush()
            return publisher.stdout.readline()

        with subprocess.Popen(publish, stderr=subprocess.DEVNULL, **pipes) as publisher:
            self.assertEqual(ask('{"compact": true}'), '{"sequence":0}\n')
            follow = [program, directory, "user-1", "acme-prod", "users/1/inbox"]
            with subprocess.Popen(follow, env=environment, **pipes) as follower:
                self.assertEqual(follower.stdout.readline(), "allowed\n")
                self.assertEqual(ask('{"revoke": "user-1"}'), '{"sequence":1}\n')
                self.assertEqual(follower.stdout.read(), "unknown_token\n")
            self.assertEqual(follower.returncode, 0)
            publisher.stdin.close()
        self.assertEqual(publisher.returncode, 0)

    def run_proxy(self, program, environment):
        requests = request("user-1", "users/1/a") * 40 + request("nobody", "users/1/a")
        printed = run(program, self.image, input=requests, env=environment)
        self.assertEqual(printed, "forward\n" * 40 + "unknown_token\n")

    def run_authority(self, program, environment):
        folder = program.parent / "authority-published"
        printed = run(program, program.parent / "tokens.db", folder, env=environment)
        self.assertEqual(printed, "allowed\nunknown_token\n")

    def test_by_cmake(self):
        for kind, static in (("shared", "OFF"), ("static", "ON")):
            build = self.folder / f"cmake-{kind}"
            cmake(SOURCE / "examples", build, f"CMAKE_PREFIX_PATH={self.prefix}",
                  f"WEIR_STATIC={static}")
            self.run_examples(build, kind == "shared")

    def build_with_pkg_config(self, folder, compiler_flags, pkg_config_flags):
        folder.mkdir()
        for example, library in EXAMPLES.items():
            found = self.pkg_config("--cflags", "--libs", *pkg_config_flags, library)
            run(*os.environ["CC"].split(), "-std=c11", "-Wall", "-Werror",
                SOURCE / f"examples/{example}.c", "-o", folder / example, "-pthread",
                *compiler_flags, *found)

    def test_by_pkg_config(self):
        folder = self.folder / "pkg-config-shared"
        self.build_with_pkg_config(folder, [], [])
        self.run_examples(folder, True)

    def test_by_pkg_config_with_everything_static(self):
        folder = self.folder / "pkg-config-static"
        self.build_with_pkg_config(folder, ["-static"], ["--static"])
        for example in EXAMPLES:
            self.assertNotIn("INTERP", run("readelf", "-lW", folder / example))
        self.run_examples(folder, False)

    def test_the_command_keeps_tokens_in_a_store(self):
        store = self.folder / "tokens.db"
        published = self.folder / "published"

        def token(command, *arguments, expect=0):
            printed = run(self.weir, "token", command, "--store", store, *arguments, expect=expect)
            return json.loads(printed) if printed else None

        self.assertRegex(token("init")["access_token"], "^weir_[0-9A-Za-z]{49}$")
        token("issue", "--id", "user-1", "--basins", "", "--streams", "users/1/", "--ops", "read")
        listed = token("list")
        self.assertEqual([each["id"] for each in listed["access_tokens"]], ["root", "user-1"])
        tokens = self.folder / "listed.json"
        tokens.write_text(json.dumps(listed), encoding="utf-8")
        question = ["check", "--tokens", tokens, "--", "user-1", "read",
                    "s2://acme-prod/users/1/inbox"]
        self.assertIn('"allow":true', run(self.weir, *question))
        self.assertEqual(token("revoke", "--", "user-1"), {"revoked": 1})
        self.assertIsNone(token("revoke", "--", "user-1", expect=2))
        self.serve(store, published)

    def serve(self, store, published):
        """The server publishes what the store holds, and lets the command through to it."""
        serve = [self.weir, "serve", "--store", store, "--publish", published, "--lease", "60",
                 "--listen", "127.0.0.1:0"]
        with subprocess.Popen(serve, stderr=subprocess.PIPE, text=True) as server:
            self.addCleanup(server.kill)
            while "listening" not in server.stderr.readline():
                self.assertIsNone(server.poll(), "it has ended")
            run(self.weir, "token", "issue", "--store", store, "--id", "user-2", "--basins", "",
                "--streams", "", "--ops", "read")
            question = ["check", "--tokens", published, "--", "user-2", "read",
                        "s2://acme-prod/users/1/inbox"]
            self.assertIn('"allow":true', run(self.weir, *question))
            server.terminate()
            server.stderr.read()
        self.assertEqual(server.returncode, 0)

    def test_without_the_program_that_keeps_tokens_the_command_says_what_is_missing(self):
        alone = self.folder / "alone" / "weir"
        alone.parent.mkdir()
        shutil.copy(self.weir, alone)
        for command in ("token", "serve"):
            done = subprocess.run([alone, command, "list", "--store", "x"], capture_output=True,
                                  text=True, check=False)
            self.assertEqual((done.returncode, done.stdout), (2, ""))
            self.assertRegex(done.stderr, rf"weir-authority: is not installed: weir {command} ")
            self.assertEqual(done.stderr.count("\n"), 1)

    def assert_lists(self, program, *libraries):
        environment = {**os.environ, "LD_LIBRARY_PATH": str(self.libraries)}
        self.loads(program, *libraries)
        self.assertEqual(run(program, self.image, "user-1", env=environment),
                         "allowed\nusers/1/*\n")
        self.assertEqual(run(program, self.image, "nobody", expect=1, env=environment),
                         "unknown_token\n")

    def test_a_component_from_cxx(self):
        build = self.folder / "consumer"
        cmake(HERE / "consumer", build, f"CMAKE_PREFIX_PATH={self.prefix}")
        self.assert_lists(build / "list_check", "libweir_check")
        self.assert_lists(build / "list_check_static")

    def test_a_component_that_lacks_what_it_needs_is_not_found(self):
        for component, needs in (("weir_static", "jansson"), ("authority_static", "sqlite3")):
            with self.subTest(component=component), self.assertRaises(AssertionError) as raised:
                cmake(HERE / "consumer", self.folder / f"lacks-{component}",
                      f"CMAKE_PREFIX_PATH={self.prefix}", f"COMPONENTS=check;{component}",
                      "CMAKE_DISABLE_FIND_PACKAGE_PkgConfig=ON")
            self.assertRegex(str(raised.exception), rf"weir::{component}\s+needs\s[^.]*{needs}")

    def test_the_library_that_only_checks_by_pkg_config(self):
        found = self.pkg_config("--cflags", "--libs", "weir_check")
        program = self.folder / "list"
        run(*os.environ["CXX"].split(), "-std=c++17", HERE / "consumer/list.cc", "-o", program,
            *found)
        self.assert_lists(program, "libweir_check")

    def test_what_is_not_installed_is_not_found(self):
        for setting, says in (("COMPONENTS=compile", "compile"), ("VERSION=0.2", '"0.2"'),
                              ("VERSION=1.0", '"1.0"')):
            with self.subTest(setting=setting), self.assertRaises(AssertionError) as raised:
                cmake(HERE / "consumer", self.folder / "refused",
                      f"CMAKE_PREFIX_PATH={self.prefix}", setting)
            self.assertIn("find_package", str(raised.exception))
            self.assertIn(says, str(raised.exception))

    def test_pkg_config_tells_the_version(self):
        for name in ("weir", "weir_authority", "weir_check"):
            self.assertEqual(self.pkg_config("--modversion", name), [os.environ["WEIR_VERSION"]])

    def test_the_manual_and_the_licence_are_there(self):
        for file in ("man/man1/weir.1", "man/man1/weir-serve.1", "man/man3/weir.3",
                     "man/man3/weir_authority.3", "doc/weir/LICENSE",
                     "doc/weir/README.md", "doc/weir/SECURITY.md"):
            self.assertTrue((self.prefix / "share" / file).is_file(), file)

    def test_nothing_installed_names_the_places_where_it_was_built_or_first_installed(self):
        for path in self.prefix.rglob("*"):
            if path.suffix in (".cmake", ".pc"):
                text = path.read_text(encoding="utf-8")
                for place in (str(SOURCE), str(self.folder)):
                    self.assertNotIn(place, text, path.name)

    def test_destdir_stands_before_the_prefix(self):
        run("cmake", "--install", os.environ["WEIR_BUILD"], "--prefix", "/opt/weir",
            env={**os.environ, "DESTDIR": str(self.folder / "root")})
        self.assertTrue((self.folder / "root/opt/weir/include/weir/image.h").is_file())


if __name__ == "__main__":
    unittest.main()
