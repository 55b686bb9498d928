"""What the benchmarks measured, as it is asked about."""

import re
import statistics


def read_rounds(raw):
    """Returns {benchmark: [round, …]}, in the order of the benchmarks' own table."""
    rounds = {}
    for run in sorted(raw["benchmarks"], key=lambda run: run["family_index"]):
        if run["run_type"] == "iteration":
            name = run["name"].split("/iterations:")[0]
            rounds.setdefault(name, []).append(run)
    return rounds


def errors_of(rounds):
    return sorted({f"{name}: {run['error_message']}"
                   for name, runs in rounds.items() for run in runs if run.get("error_occurred")})


def medians_of(rounds):
    """Returns {benchmark: nanoseconds} of those that tell a time."""
    medians = {name: statistics.median(run["real_time"] for run in runs)
               for name, runs in rounds.items()}
    return {name: median for name, median in medians.items() if median > 0}


def by_number(counter):
    """What counters are put in order by: numbers in them count as such, and 99_9 as 99.9."""
    parts = re.split(r"(\d+(?:_\d+)?)", counter)
    return [float(part.replace("_", ".")) if place % 2 else part
            for place, part in enumerate(parts)]


def counters_of(runs):
    """Returns {counter: median} of what a benchmark counts besides the time."""
    names = [name for name in runs[0]
             if name.endswith(("_token", "_strings", "_ns", "_second", "_checks", "_bytes"))]
    return {name: statistics.median(run[name] for run in runs)
            for name in sorted(names, key=by_number)}


def ratios_of_counters(runs, figure, divisor):
    """The ratio within each round."""
    return [run[figure] / run[divisor] for run in runs]


def ratio_of_counters(runs, figure, divisor):
    """The median of the ratios within each round."""
    return statistics.median(ratios_of_counters(runs, figure, divisor))
