"""Reads what tests compare in manual pages (mdoc) and in the public headers."""

import pathlib
import re

ESCAPES = {r"\e": "\\", r"\-": "-", r"\&": "",
           r"\(aq": "'", r"\(ga": "`", r"\(ha": "^", r"\(ti": "~"}


def plain(text):
    """The text that stands in a line of mdoc, its escapes resolved."""
    return re.sub("|".join(map(re.escape, ESCAPES)), lambda match: ESCAPES[match[0]], text)


class Page:
    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.name = self.path.stem
        self.lines = self.path.read_text(encoding="utf-8").splitlines()

    def section(self, title):
        """The lines of a section; none if the page has no such section."""
        inside = False
        for line in self.lines:
            if line.startswith(".Sh "):
                inside = line == f".Sh {title}"
            elif inside:
                yield line

    def names(self):
        """What the page says it is about."""
        return [line.split()[1] for line in self.section("NAME") if line.startswith(".Nm ")]

    def references(self):
        """Name and section of each page that this one refers to."""
        pattern = re.compile(r"\bXr (\S+) (\d)")
        return {match.groups() for line in self.lines for match in pattern.finditer(line)}

    def displays(self, title="EXAMPLES"):
        """The literal displays of a section, each as one text."""
        display = None
        for line in self.section(title):
            if line.startswith(".Bd -literal"):
                display = []
            elif line == ".Ed" and display is not None:
                yield "".join(plain(text) + "\n" for text in display)
                display = None
            elif display is not None:
                display.append(line)

    def program(self):
        """The C program of the page, and what it prints; None if there is none."""
        displays = list(self.displays())
        for program, printed in zip(displays, displays[1:]):
            if program.startswith("#include"):
                return program, printed
        return None

    def commands(self):
        """The commands of the examples, each with what it prints."""
        for display in self.displays():
            if display.startswith("$ "):
                for example in re.split(r"^\$ ", display, flags=re.M)[1:]:
                    command, printed = re.match(r"((?:.*\\\n> )*.*\n)((?:.*\n)*)", example).groups()
                    yield command.replace("\\\n> ", ""), printed

    def flags(self):
        """The flags that have a paragraph: --tokens, -o, …"""
        for line in self.lines:
            if line.startswith(".It Fl "):
                for flag in re.findall(r"\bFl (\S+)", line):
                    yield "-" + plain(flag)

    def prototypes(self):
        """What the synopsis declares: result, name and parameters of each function."""
        result = name = None
        for line in self.section("SYNOPSIS"):
            word, _, rest = line.partition(" ")
            rest = rest.strip('"')
            if word == ".Ft":
                result = rest
            elif word == ".Fo":
                name, parameters = rest, []
            elif word == ".Fa":
                parameters.append(rest)
            elif word == ".Fc":
                yield result, name, tuple(parameters)


def pages(folder):
    """All pages of the folder, by file name."""
    return {path.name: Page(path) for path in sorted(pathlib.Path(folder).glob("*.[1-9]"))}


PROTOTYPE = re.compile(
    r"^(?:static inline )?((?:typedef )?(?:const |enum |struct )*\w+ \**)(weir_\w+)"
    r"\(([^;{()]*)\)\s*[;{]",
    re.M,
)


def declared(header):
    """The functions that a header declares, as Page.prototypes tells them."""
    text = pathlib.Path(header).read_text(encoding="utf-8")
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    text = re.sub(r"^[ \t]*#.*(?:\\\n.*)*$", "", text, flags=re.M)
    for result, name, parameters in PROTOTYPE.findall(text):
        parameters = (" ".join(parameter.split()) for parameter in parameters.split(","))
        yield result.strip(), name, tuple(parameters)
