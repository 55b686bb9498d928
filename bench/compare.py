"""Tells whether a change made something slower: compare.py [--check] OLD.json [NEW.json].

Both are what scripts/bench measured. Prints a line for each benchmark, and exits with 1 if one is
slower, 2 if the two cannot be compared. With --check it only tells whether OLD.json is such a file.

Time decides where it can: where there are five rounds of both, and the interval of the ratio of
medians lies wholly beyond a tenth, which is what times of two runs agree to. Elsewhere instructions
and mispredicted branches decide; they know nothing of caches, so a verdict from them is about the
work that is done. Where they are the same, a time that is no further off than some floor's, which
nobody changed, is unclear.
"""

import argparse
import json
import random
import statistics
import sys
from pathlib import Path
from typing import NamedTuple

from rounds import read_rounds

# Beyond which a change is one: of a time, as a factor; of instructions, as a share; of mispredicted
# branches, as a share and as a number an operation, both: where a function lies in memory changes a
# seventh of them.
TIME = 1.10
INSTRUCTIONS = 0.02
MISPREDICTED = 0.25
MISPREDICTED_EACH = 0.25

# What is not Weir's: it does not get slower, but tells what the machine did meanwhile.
FLOORS = "floor/"
RIVALS = ("rival/", "rwlock/")

# Of fewer rounds the interval is not what it says: no resampled median is beyond the extremes.
ROUNDS_LEAST = 5

RESAMPLES = 2000
CONFIDENCE = 0.99

FASTER, SAME, SLOWER, UNCLEAR = "faster", "same", "SLOWER", "unclear"


class Ratio(NamedTuple):
    """New ÷ old, and the interval in which it lies."""
    value: float
    low: float
    high: float


class Drift(NamedTuple):
    """What the machine itself changed: the floors' ratios, their middle half and extremes."""
    value: float = 1
    low: float = 1
    high: float = 1
    least: float = 1
    most: float = 1


class Verdict(NamedTuple):
    what: str
    why: str = ""


def ratio_of_medians(old, new, seed=0):
    """Returns the Ratio of two lists of times, its interval by bootstrap."""
    rng = random.Random(seed)
    ratios = sorted(statistics.median(rng.choices(new, k=len(new))) /
                    statistics.median(rng.choices(old, k=len(old)))
                    for _ in range(RESAMPLES))
    beyond = int(RESAMPLES * (1 - CONFIDENCE) / 2)
    return Ratio(statistics.median(new) / statistics.median(old),
                 ratios[beyond], ratios[-1 - beyond])


def drift_of(floors):
    """Returns the Drift of the floors' ratios: by so much the machine itself changed."""
    if len(floors) < 2:
        return Drift()
    low, middle, high = statistics.quantiles(floors, n=4, method="inclusive")
    return Drift(middle, low, high, min(floors), max(floors))


def without_drift(ratio, drift):
    return Ratio(ratio.value / drift.value, ratio.low / drift.high, ratio.high / drift.low)


def judge_time(ratio):
    if ratio.low > TIME:
        return SLOWER
    if ratio.high < 1 / TIME:
        return FASTER
    if ratio.low >= 1 / TIME and ratio.high <= TIME:
        return SAME
    return UNCLEAR


def sign_of(old, new, share, least=0.0):
    """Returns 1 or -1 if `new` is beyond both the share and the least difference, or else 0."""
    if abs(new - old) < max(old * share, least) or new == old:
        return 0
    return 1 if new > old else -1


def judge_counts(old, new):
    """Judges two counts of one operation. If one of the two got better and the other worse, they
    do not say which matters more."""
    signs = {"instructions": sign_of(old["instructions"], new["instructions"], INSTRUCTIONS),
             "mispredicted branches": sign_of(old["mispredicted"], new["mispredicted"],
                                              MISPREDICTED, MISPREDICTED_EACH)}
    why = " and ".join(what for what, sign in signs.items() if sign != 0)
    if {1, -1} <= set(signs.values()):
        return Verdict(UNCLEAR, why + " disagree")
    if 1 in signs.values():
        return Verdict(SLOWER, why)
    return Verdict(FASTER, why) if -1 in signs.values() else Verdict(SAME, "counts")


def judge(ratio, old_counts, new_counts, drifted=False):
    """The verdict; each of the two sources may be None. `drifted` says whether a floor, which did
    not change, drifted as far as the time."""
    by_time = UNCLEAR if ratio is None else judge_time(ratio)
    by_counts = (None if old_counts is None or new_counts is None
                 else judge_counts(old_counts, new_counts))
    if by_time in (FASTER, SLOWER):
        if drifted and by_counts is not None and by_counts.what == SAME:
            return Verdict(UNCLEAR, "counts are the same, and a floor drifted as far")
        return Verdict(by_time, "time")
    if by_counts is None:
        return Verdict(by_time, "time" if by_time == SAME else "time varies too much")
    if by_counts.what == UNCLEAR and by_time == SAME:
        return Verdict(SAME, "time")
    if ratio is not None and (by_counts.what == SLOWER and ratio.high < 1 or
                              by_counts.what == FASTER and ratio.low > 1):
        return Verdict(UNCLEAR, f"{by_counts.why} and time disagree")
    return by_counts


def differing(old, new, keys):
    """Returns what the two contexts say of these, in words, where they differ or one says
    nothing."""
    return [f"{key}: {old.get(key, 'not said')} → {new.get(key, 'not said')}" for key in keys
            if old.get(key) != new.get(key) or key not in old]


def machine_differs(old, new):
    return differing(old, new, ["processor", "num_cpus"])


def build_differs(old, new):
    return differing(old, new, ["compiler", "flags"])


def times_of(raw):
    """Returns {benchmark: [time, …]} of those that tell times."""
    times = {name: [run["real_time"] for run in runs if not run.get("error_occurred")]
             for name, runs in read_rounds(raw).items()}
    return {name: each for name, each in times.items() if each and all(each)}


class Line(NamedTuple):
    name: str
    old_time: float
    new_time: float
    ratio: Ratio
    old_counts: dict
    new_counts: dict
    verdict: Verdict


def compare(old, new):
    """Returns the lines of the benchmarks that both have, and the Ratio of the floors."""
    times = not machine_differs(old["context"], new["context"])
    counts = not build_differs(old["context"], new["context"])
    old_times, new_times = times_of(old), times_of(new)
    old_counts, new_counts = (raw.get("instructions", {}) if counts else {} for raw in (old, new))
    both = [name for name in new_times if name in old_times]
    drift = drift_of([statistics.median(new_times[name]) / statistics.median(old_times[name])
                      for name in both if name.startswith(FLOORS)])
    lines = []
    for name in both:
        if name.startswith((FLOORS, *RIVALS)):
            continue
        old_median, new_median = (statistics.median(each[name]) for each in (old_times, new_times))
        enough = min(len(old_times[name]), len(new_times[name])) >= ROUNDS_LEAST
        ratio = (without_drift(ratio_of_medians(old_times[name], new_times[name]), drift)
                 if times and enough else None)
        drifted = drift.least <= new_median / old_median <= drift.most
        each = old_counts.get(name), new_counts.get(name)
        lines.append(Line(name, old_median, new_median, ratio, *each,
                          judge(ratio, *each, drifted)))
    return lines, drift if times else None


def change_words(old, new, digits):
    share = f" ({(new / old - 1) * 100:+.1f} %)" if old else ""
    return f"{old:.{digits}f} → {new:.{digits}f}{share}"


def cells_of(line):
    time = interval = instructions = mispredicted = "–"
    if line.ratio is not None:
        time = f"{line.old_time:.1f} → {line.new_time:.1f} ns"
        interval = f"{line.ratio.value:.2f} ({line.ratio.low:.2f} to {line.ratio.high:.2f})"
    if line.old_counts is not None and line.new_counts is not None:
        instructions = change_words(line.old_counts["instructions"],
                                    line.new_counts["instructions"], 1)
        mispredicted = change_words(line.old_counts["mispredicted"],
                                    line.new_counts["mispredicted"], 2)
    verdict = line.verdict.what + (f": {line.verdict.why}" if line.verdict.why else "")
    return [line.name, time, interval, instructions, mispredicted, verdict]


def table(lines):
    rows = [["benchmark", "time", "ratio, 99 % interval", "instructions", "mispredicted", "verdict"],
            *map(cells_of, lines)]
    widths = [max(map(len, column)) for column in zip(*rows)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip()


def remarks(old, new, drift):
    """Says what the verdicts rest on, and what they leave out."""
    machine = machine_differs(old["context"], new["context"])
    build = build_differs(old["context"], new["context"])
    if machine:
        yield f"Another machine: times are not compared. {'; '.join(machine)}"
    if build:
        yield f"Another build: instructions are not compared. {'; '.join(build)}"
    for which, raw in ("old", old), ("new", new):
        if "instructions" not in raw:
            yield f"The {which} file has no counts of instructions."
    if drift is not None:
        yield (f"The floors, which are not Weir's, take {drift.low:.2f} to {drift.high:.2f} of what "
               f"they took: times are divided by {drift.value:.2f}, intervals are wider by that.")
    for which, raw in ("old", old), ("new", new):
        if any(len(each) < ROUNDS_LEAST for each in times_of(raw).values()):
            yield (f"The {which} file has benchmarks of fewer than {ROUNDS_LEAST} rounds: "
                   "their times are not compared.")
    for which, left, right in ("old", old, new), ("new", new, old):
        only = [name for name in times_of(left) if name not in times_of(right)]
        if only:
            yield f"Only in the {which} file: {', '.join(only)}."


class Unusable(Exception):
    """A file that scripts/bench has not made."""


def read(path):
    try:
        raw = json.loads(path.read_text())
        if isinstance(raw["context"], dict) and times_of(raw):
            return raw
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass
    raise Unusable(f"compare: {path} is no file of benchmarks that scripts/bench has made")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true")
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path, nargs="?")
    arguments = parser.parse_args()
    if arguments.new is None and not arguments.check:
        parser.error("NEW.json is missing")

    try:
        old = read(arguments.old)
        if arguments.check:
            return 0
        new = read(arguments.new)
    except Unusable as unusable:
        print(unusable, file=sys.stderr)
        return 2
    lines, drift = compare(old, new)
    if not any(line.verdict.what != UNCLEAR or line.ratio is not None for line in lines):
        print("\n".join([*remarks(old, new, drift), "Nothing can be compared."]), file=sys.stderr)
        return 2
    print("\n".join([*table(lines), "", *remarks(old, new, drift)]))
    for what in SLOWER, FASTER, UNCLEAR, SAME:
        names = [line.name for line in lines if line.verdict.what == what]
        print(f"{what}: {len(names)}" + (f" ({', '.join(names)})" if what == SLOWER and names
                                         else ""))
    return 1 if any(line.verdict.what == SLOWER for line in lines) else 0


if __name__ == "__main__":
    sys.exit(main())
