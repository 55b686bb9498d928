"""The commands of the README print what it says, with the token file that it shows."""

import os
import pathlib
import re
import subprocess
import tempfile
import unittest

README = pathlib.Path(os.environ["WEIR_README"]).read_text(encoding="utf-8")
WEIR = pathlib.Path(os.environ["WEIR"])


class Commands(unittest.TestCase):
    def test_commands_print_what_the_readme_says(self):
        environment = {**os.environ, "PATH": f"{WEIR.parent}:{os.environ['PATH']}"}
        console = re.search(r"```console\n(.*?)```", README, re.S)[1]
        examples = re.findall(r"^\$ (.*)\n((?:[^$].*\n)*)", console, re.M)
        self.assertEqual(len(examples), console.count("$ "))
        with tempfile.TemporaryDirectory() as folder:
            tokens = re.search(r"```json\n(.*?)```", README, re.S)[1]
            pathlib.Path(folder, "tokens.json").write_text(tokens, encoding="utf-8")
            for command, printed in examples:
                done = subprocess.run(
                    ["sh", "-c", command], cwd=folder, env=environment, capture_output=True,
                    text=True, timeout=60, check=False,
                )
                self.assertEqual(done.stdout, printed, done.stderr)


if __name__ == "__main__":
    unittest.main()
