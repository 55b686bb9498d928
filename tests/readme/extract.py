"""Takes the C program of the README, and the output that follows it, out of the text."""
import pathlib
import re
import sys

readme, folder = sys.argv[1:]
text = pathlib.Path(readme).read_text(encoding="utf-8")
program, output = re.search(r"```c\n(.*?)```\n\n```\n(.*?)```", text, re.S).groups()
for name, content in (("example.c", program), ("expected.txt", output)):
    path = pathlib.Path(folder, name)
    if not path.exists() or path.read_text(encoding="utf-8") != content:
        path.write_text(content, encoding="utf-8")
