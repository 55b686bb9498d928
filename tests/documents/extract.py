"""Takes the C programs of the manual pages, and what they print, out of the pages."""

import pathlib
import sys

from pages import pages


def main(folder, destination):
    for name, page in pages(folder).items():
        if not page.program():
            continue
        for suffix, content in zip((".c", ".txt"), page.program()):
            path = pathlib.Path(destination, name + suffix)
            if not path.exists() or path.read_text(encoding="utf-8") != content:
                path.write_text(content, encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
