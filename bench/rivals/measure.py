"""Measures Weir and the real engines in one run: measure.py [--rounds N] OUT.json COMMAND...

Each command is a program that speaks as README.md says. All of them are started, on one and the
same processor; then each case of each is measured once a round, in an order that differs from round
to round, while the others wait.
"""

import argparse
import datetime
import json
import os
import platform
import random
import shlex
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path


class Wrong(Exception):
    """A program answered wrongly, or not at all."""


@dataclass
class Case:
    engine: "Engine"
    number: int
    workload: str
    by: str
    name: str
    note: str
    rounds: list = field(default_factory=list)

    def measure(self):
        self.rounds.append(self.engine.measure(self.number))


class Engine:
    """A program that measures an engine; its cases are known once it is ready."""

    def __init__(self, command, processor):
        self.command = command
        self.process = subprocess.Popen(["taskset", "-c", str(processor), *shlex.split(command)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.name = None
        self.cases = []

    def read(self):
        line = self.process.stdout.readline().rstrip("\n")
        if not line:
            raise Wrong(f"{self.command}: ended with status {self.process.wait()}")
        return line

    def wait_until_ready(self):
        while (line := self.read()) != "ready":
            kind, *fields = line.split("\t")
            if kind == "rival":
                self.name = fields[0]
            else:
                self.cases.append(Case(self, len(self.cases), *fields))

    def measure(self, number):
        self.process.stdin.write(f"{number}\n")
        self.process.stdin.flush()
        answer = self.read()
        try:
            return float(answer)
        except ValueError:
            raise Wrong(f"{self.name}: {answer}") from None

    def stop(self):
        self.process.kill()
        self.process.wait()


def say(text, end="\n"):
    print(f"\r\033[K{text}" if sys.stdout.isatty() else text, end=end, flush=True)


def start(commands, processor, engines):
    """Starts them one after the other: what they do to get ready takes more than one processor."""
    for command in commands:
        begin = time.monotonic()
        say(f"rivals: starting {Path(shlex.split(command)[0]).name}")
        engines.append(Engine(command, processor))
        engines[-1].wait_until_ready()
        say(f"rivals: {engines[-1].name} is ready after {time.monotonic() - begin:.0f} s")


def measure_all(cases, rounds):
    order = list(cases)
    dice = random.Random(1)
    begin = time.monotonic()
    for done in range(rounds):
        dice.shuffle(order)
        for place, case in enumerate(order):
            if sys.stdout.isatty():
                say(f"rivals: round {done + 1} of {rounds}, {place + 1} of {len(order)}: "
                    f"{case.engine.name}, {case.name}"[:100], end="")
            case.measure()
        left = (time.monotonic() - begin) / (done + 1) * (rounds - done - 1)
        say(f"rivals: round {done + 1} of {rounds} is done; about {left:.0f} s are left")


def machine(load):
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return {"processor": models[0] if models else platform.machine(),
            "processors": os.cpu_count(), "kernel": platform.release(),
            "load_when_started": round(load, 2)}


def results(cases):
    """What each case took, and how often Weir's check of the same workload goes into that."""
    weir = {(case.workload, case.by): statistics.median(case.rounds)
            for case in cases if case.engine.name == "Weir"}
    for case in cases:
        nanoseconds = statistics.median(case.rounds)
        yield {"rival": case.engine.name, "case": case.name, "ns": round(nanoseconds, 1),
               "spread": [round(min(case.rounds), 1), round(max(case.rounds), 1)],
               "times_weir": round(nanoseconds / weir[case.workload, case.by], 1),
               "workload": case.workload, "by": case.by, "note": case.note}


def table(rows):
    yield f"{'':32}{'':70}{'ns':>12}  {'÷ Weir':>9}"
    for row in rows:
        yield f"{row['rival']:32}{row['case']:70}{row['ns']:12.1f}  {row['times_weir']:9.1f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("out", type=Path)
    parser.add_argument("commands", metavar="COMMAND", nargs="+")
    arguments = parser.parse_args()

    load = os.getloadavg()[0]
    engines = []
    try:
        start(arguments.commands, max(os.sched_getaffinity(0)), engines)
        cases = [case for engine in engines for case in engine.cases]
        measure_all(cases, arguments.rounds)
    except Wrong as wrong:
        print(f"rivals: {wrong}", file=sys.stderr)
        return 1
    finally:
        for engine in engines:
            engine.stop()
    rows = list(results(cases))
    date = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
    arguments.out.write_text(json.dumps(
        {"machine": machine(load), "date": date, "rounds": arguments.rounds, "results": rows},
        indent=1, ensure_ascii=False) + "\n")
    print("\n".join(table(rows)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
