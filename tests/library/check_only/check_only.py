"""A program that only checks answers as it should: check_only.py CHECK_ONLY MAKE_IMAGE."""

import subprocess
import sys
import tempfile
from pathlib import Path

QUESTIONS = [
    (("reader", "acme-production", "users/1234/inbox"), 0, "allowed"),
    (("reader", "acme-production", "users/1235/inbox"), 1, "stream_out_of_scope"),
    (("reader", "other-basin", "users/1234/inbox"), 1, "basin_out_of_scope"),
    (("reader", "acme-production", ".."), 1, "invalid_name"),
    (("writer", "acme-production", "users/1234/inbox"), 1, "unknown_token"),
]


def main(check_only, make_image):
    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        image = Path(folder, "image")
        subprocess.run([make_image, image], check=True)
        for names, status, reason in QUESTIONS:
            run = subprocess.run([check_only, image, *names], capture_output=True, text=True)
            if (run.returncode, run.stdout, run.stderr) != (status, reason + "\n", ""):
                failures += 1
                print(f"{names}: expected {status} {reason}, got {run}")
        Path(image).write_bytes(b"no image")
        run = subprocess.run([check_only, image, *QUESTIONS[0][0]], capture_output=True, text=True)
        if run.returncode != 2 or run.stderr.count("\n") != 1 or run.stdout:
            failures += 1
            print(f"no image: expected 2 and a line, got {run}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
