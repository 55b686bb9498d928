"""Counts what the benchmarks' operations take: instructions.py WEIR_BENCH RAW.json.

Adds {"instructions": {benchmark: {"instructions": …, "branches": …, "mispredicted": …, …}}}, each
for one operation, to what the benchmarks have measured. The counts are those of callgrind and of
its simple branch predictor: no machine's own, but the same each time.

What is named alike up to the first / is counted by one process, so that adding a benchmark changes
no count of another kind.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

# What is not Weir's, several threads or processes, times and sizes that are no passes over staged
# requests, and set-ups that would take too long.
NOT_COUNTED = re.compile(r"^(rival|beside|rwlock|swap|revocation|latency|threads|tokens|small_pages)/"
                         r"|/(size|memory|malloc|clocks|copy)(/|$)|^publish/compact")

# At once, however many processors there are: each holds some images of a million tokens.
PROCESSES_MAX = 4

VALGRIND = ["valgrind", "-q", "--tool=callgrind", "--branch-sim=yes",
            "--instr-atstart=no", "--collect-atstart=no"]


def plain_name(name):
    """The name that the benchmarks' table has, without what Google Benchmark appends."""
    return name.split("/iterations:")[0]


def kinds_of(bench):
    """Returns {first part of the name: [benchmark, …]} of those that are counted."""
    listed = subprocess.run([bench, "--benchmark_list_tests"], check=True, text=True,
                            stdout=subprocess.PIPE).stdout
    kinds = {}
    for name in map(plain_name, listed.split()):
        if not NOT_COUNTED.search(name):
            kinds.setdefault(name.split("/")[0], []).append(name)
    return kinds


def count_kind(bench, names):
    """Runs these benchmarks once. Returns {benchmark: counts of one operation}."""
    wanted = "|".join(f"^{re.escape(name)}/iterations" for name in names)
    with tempfile.TemporaryDirectory() as folder:
        run = subprocess.run([*VALGRIND, f"--callgrind-out-file={folder}/counts", bench,
                              "--benchmark_format=json", f"--benchmark_filter={wanted}"],
                             text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if run.returncode != 0:
            raise SystemExit(f"instructions.py: counting {names[0]} and others: {run.stderr}")
        operations = {plain_name(round["name"]): round["counted_operations"]
                      for round in json.loads(run.stdout)["benchmarks"]
                      if "counted_operations" in round}
        totals = dict(read_totals(path.read_text()) for path in Path(folder).glob("counts.*"))
    return {name: counts_of(totals[name], count) for name, count in operations.items()}


def read_totals(text):
    """Returns what one of callgrind's files is about, and {event: count}."""
    lines = dict(line.split(":", 1) for line in text.splitlines()
                 if line.startswith(("events:", "totals:")))
    name = re.search(r"^desc: Trigger: Client Request: (.*)$", text, re.MULTILINE).group(1)
    return name, dict(zip(lines["events"].split(), map(int, lines["totals"].split())))


def counts_of(totals, operations):
    # callgrind leaves zeros at the end of a line out.
    total = {event: totals.get(event, 0) for event in ("Ir", "Bc", "Bcm", "Bi", "Bim")}
    counts = {"instructions": total["Ir"],
              "branches": total["Bc"] + total["Bi"],
              "mispredicted": total["Bcm"] + total["Bim"],
              "indirect": total["Bi"],
              "indirect_mispredicted": total["Bim"]}
    return {what: round(count / operations, 4) for what, count in counts.items()}


def count_all(bench):
    kinds = kinds_of(bench)
    counts = {}
    begin = time.monotonic()
    with ThreadPoolExecutor(min(os.cpu_count() or 1, PROCESSES_MAX)) as processes:
        results = {kind: processes.submit(count_kind, bench, names)
                   for kind, names in kinds.items()}
        for place, (kind, result) in enumerate(results.items(), 1):
            counts.update(result.result())
            print(f"instructions: {kind}: {place} of {len(kinds)} kinds, "
                  f"{time.monotonic() - begin:.0f} seconds", file=sys.stderr)
    return {name: counts[name] for names in kinds.values() for name in names if name in counts}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bench", type=Path)
    parser.add_argument("raw", type=Path)
    arguments = parser.parse_args()

    raw = json.loads(arguments.raw.read_text())
    raw["instructions"] = count_all(arguments.bench)
    arguments.raw.write_text(json.dumps(raw, indent=1) + "\n")


if __name__ == "__main__":
    main()
