"""The plots of the report: what is drawn in which, of what was measured."""

import re

from chart import Axis, Line, line_chart, number
from rounds import counters_of, medians_of

# As the benchmarks call them, and how many they are.
SIZES = {"1k": 10 ** 3, "10k": 10 ** 4, "100k": 10 ** 5, "1m": 10 ** 6, "10m": 10 ** 7,
         "100m": 10 ** 8}
SCOPES = [1, 10, 100, 1000, 10000]

# (counter, share of checks that took no longer)
PERCENTILES = [("p50_ns", 0.5), ("p75_ns", 0.75), ("p90_ns", 0.9), ("p95_ns", 0.95),
               ("p99_ns", 0.99), ("p99_9_ns", 0.999), ("p99_99_ns", 0.9999)]

LATENCIES = [("cold, beside changes", "latency/beside_changes/cold"),
             ("hot, beside changes", "latency/beside_changes/hot"),
             ("cold", "latency/cold"),
             ("hot", "latency/hot"),
             ("hot, beside changes: rwlock", "rwlock/latency/beside_changes/hot"),
             ("arithmetic, as long as cold", "latency/arithmetic/cold"),
             ("arithmetic, as long as hot", "latency/arithmetic/hot"),
             ("nothing", "latency/nothing")]

# What is timed in the place of checks.
IDLE = ("nothing", "arithmetic")

# (name, benchmark of each size, whether it is a floor)
BY_TOKENS = [("one at a time", "tokens/{}/serial", False),
             ("in a plain loop", "tokens/{}/loop", False),
             ("in batches of 32", "tokens/{}/batch", False),
             ("floor: index + record miss", "tokens/{}/floor/index_and_record_miss", True),
             ("floor: record miss", "tokens/{}/floor/record_miss", True),
             ("floor: two lines prefetched", "tokens/{}/floor/two_lines", True)]

BY_PAGES = [("4 KiB, one at a time", "small_pages/{}/serial", False),
            ("2 MiB, one at a time", "tokens/{}/serial", False),
            ("4 KiB, batches of 32", "small_pages/{}/batch", False),
            ("2 MiB, batches of 32", "tokens/{}/batch", False),
            ("4 KiB, two lines prefetched", "small_pages/{}/floor/two_lines", True),
            ("2 MiB, two lines prefetched", "tokens/{}/floor/two_lines", True)]

BY_SCOPES = [("Weir, org-07/audit/1c0ffe/", "check/resolved/{}_services", False),
             ("Weir, 9f86d081884c/", "check/resolved/{}_hexadecimal", False),
             ("Weir, users/1234/", "check/resolved/{}_users", False),
             ("sorted array", "rival/sorted_array/{}", True),
             ("Judy", "rival/judy/{}", True),
             ("double-array trie", "rival/darts/{}", True)]

BY_THREADS = [("hot", "threads/hot"), ("cold", "threads/cold"),
              ("hot, rwlock", "rwlock/threads/hot"), ("cold, rwlock", "rwlock/threads/cold")]

NANOSECONDS = Axis("nanoseconds a check", logarithmic=True)


def lines_by(rounds, table, places):
    """`places` is {what stands in the benchmark's name: its place on the axis}."""
    medians = medians_of(rounds)
    for name, pattern, is_floor in table:
        points = [(place, medians[pattern.format(part)]) for part, place in places.items()
                  if pattern.format(part) in medians]
        if points:
            yield Line(name, points, dashed=is_floor)


def latency_lines(rounds):
    """How rare a check is that takes longer: 1 in 10 stands at 10."""
    for name, benchmark in LATENCIES:
        if benchmark in rounds:
            counters = counters_of(rounds[benchmark])
            yield Line(name, [(1 / (1 - share), counters[counter])
                              for counter, share in PERCENTILES if counter in counters],
                       dashed=name.startswith(IDLE))


def threads_of(runs):
    """Returns {number of threads: checks a second}."""
    found = {}
    for counter, value in counters_of(runs).items():
        match = re.fullmatch(r"checks_of_(\d+)_threads_a_second", counter)
        if match:
            found[int(match[1])] = value
    return dict(sorted(found.items()))


def thread_lines(rounds):
    for name, benchmark in BY_THREADS:
        if benchmark in rounds:
            found = threads_of(rounds[benchmark])
            yield Line(name, [(count, checks / 1e6) for count, checks in found.items()],
                       dashed=benchmark.startswith("rwlock"))


def tokens_axis(rounds):
    ticks = [(count, number(count)) for size, count in SIZES.items()
             if f"tokens/{size}/loop" in rounds or f"small_pages/{size}/loop" in rounds]
    return Axis("tokens", logarithmic=True, ticks=ticks)


def plots(rounds):
    """Yields (file name, SVG) of those for which there are figures."""
    percentiles = Axis("share of checks that took no longer", logarithmic=True, ticks=[
        (1 / (1 - share), f"{100 * share:g} %") for _, share in PERCENTILES
        if share not in (0.75, 0.95)])
    scopes = Axis("scopes of the token", logarithmic=True,
                  ticks=[(count, number(count)) for count in SCOPES])
    counts = sorted({x for line in thread_lines(rounds) for x, _ in line.points})
    threads = Axis("threads", logarithmic=True, ticks=[(count, str(count)) for count in counts])
    drawings = [
        ("latency", "Single checks of a million tokens, each timed by itself", percentiles,
         Axis("nanoseconds, reading the clock included", logarithmic=True), latency_lines(rounds)),
        ("tokens", "Checks by id, cold, in pages of 2 MiB", tokens_axis(rounds), NANOSECONDS,
         lines_by(rounds, BY_TOKENS, SIZES)),
        ("pages", "Checks by id, cold, in pages of 4 KiB and of 2 MiB", tokens_axis(rounds),
         NANOSECONDS, lines_by(rounds, BY_PAGES, SIZES)),
        ("scopes", "Checks of a token of many prefixes", scopes, NANOSECONDS,
         lines_by(rounds, BY_SCOPES, {count: count for count in SCOPES})),
        ("threads", "Sum of the rates of threads that ask together", threads,
         Axis("million checks a second"), thread_lines(rounds))]
    for name, title, x_axis, y_axis, lines in drawings:
        lines = list(lines)
        if lines:
            yield f"{name}.svg", line_chart(title, x_axis, y_axis, lines)
