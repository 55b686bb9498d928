"""Every public function is in the table of those that allocate, or in the list of those that never
do: the program test_faults_memory is run with --list, and prints what it calls."""

import pathlib
import re
import subprocess
import sys


def declared(headers):
    """The names of the functions that the headers declare."""
    names = set()
    for header in headers:
        text = re.sub(r"/\*.*?\*/", "", header.read_text(encoding="utf-8"), flags=re.DOTALL)
        text = re.sub(r"^\s*#.*$", "", text, flags=re.MULTILINE)
        for match in re.finditer(r"^(?!typedef|static)\w[^;{}()]*?\b(weir_\w+)\s*\([^;{}]*\)\s*;",
                                 text, flags=re.MULTILINE):
            names.add(match.group(1))
    return names


def main():
    program, folder = sys.argv[1:]
    listed = subprocess.run([program, "--list"], check=True, capture_output=True, text=True)
    called = set(re.findall(r"^calls (\w+)$", listed.stdout, flags=re.MULTILINE))
    names = declared(sorted(pathlib.Path(folder).glob("*.h")))
    for name in sorted(names - called):
        print(f"{name}: is in no table of tests/faults/calls.c or silent_calls.c")
    for name in sorted(called - names):
        print(f"{name}: is in a table of tests/faults, and in no header")
    print(f"{len(names)} public functions")
    return 0 if names and names == called else 1


if __name__ == "__main__":
    sys.exit(main())
