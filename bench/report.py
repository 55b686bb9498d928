"""Makes a report of what the benchmarks measured: report.py RAW.json REPORT.md [--strict].

Prints the budgets, too. With --strict the exit status is 1 if one of them is exceeded.
"""

import argparse
import json
import statistics
import sys
from pathlib import Path

# What a benchmark's time is the time of.
UNITS = {"compile": "ns a token", "image": "ns a token", "floor/copy": "ns a token",
         "floor/hash_and_write": "ns a token",
         "compact": "ns a token"}

# Each a ratio within one run: (what, bound, figure, figures whose sum it is divided by).
BUDGETS = [
    ("hot check by id, names validated ÷ (XXH3 + resolved comparison)", 2.5,
     "check/id/hot/loop", ["floor/hash", "floor/resolved"]),
    ("cold check, one at a time ÷ its own cache lines replayed", 1.3,
     "check/id/cold/serial", ["floor/replay/serial"]),
    ("cold checks in a plain loop ÷ one record miss", 1.0,
     "check/id/cold/loop", ["floor/record_miss"]),
    ("batch of 32 ÷ plain loop, cold", 0.25,
     "check/id/cold/batch", ["check/id/cold/loop"]),
    ("batch of 32, cold ÷ two-line prefetch loop over the same memory", 1.5,
     "check/id/cold/batch", ["floor/replay/batch"]),
    ("unknown id, cold ÷ one record miss", 0.35,
     "check/id/unknown/serial", ["floor/record_miss"]),
    ("resolved check ÷ its floor (comparison and names)", 1.25,
     "check/resolved/one_scope", ["floor/resolved_with_names"]),
    ("resolved check, 10 000 prefixes like org-07/audit/1c0ffe/ ÷ one scope", 6,
     "check/resolved/10000_services", ["check/resolved/one_scope"]),
    ("resolved check, 10 000 prefixes like 9f86d081884c/ ÷ one scope", 6,
     "check/resolved/10000_hexadecimal", ["check/resolved/one_scope"]),
    ("resolved check, 10 000 prefixes like users/1234/ ÷ one scope", 6,
     "check/resolved/10000_users", ["check/resolved/one_scope"]),
    ("compile, random order ÷ (hash + write)", 3,
     "compile/random_order", ["floor/hash_and_write"]),
    ("compile, by id ÷ (hash + write)", 3,
     "compile/by_id", ["floor/hash_and_write"]),
    ("read-side protection ÷ XXH3", 0.25,
     "engine/section/inlined", ["floor/hash"]),
    ("replacing a token of the image, cold ÷ (index + record miss)", 1.6,
     "change/replace/of_image", ["floor/index_and_record_miss"]),
    ("revoking a token of the image, cold ÷ (index + record miss)", 1.6,
     "change/revoke/of_image", ["floor/index_and_record_miss"]),
]

# Ratios of what one benchmark measured in turn, chunk by chunk, so that they are tighter than the
# machine's noise: (what, bound or None, benchmark, counter its time is divided by).
IN_TURN = [
    ("a follower's check, instants given ÷ its engine's, hot", 1.15,
     "follow/hot/loop", "by_its_engine_ns"),
    ("the same, cold", 1.15, "follow/cold/loop", "by_its_engine_ns"),
    ("a follower's check ÷ its engine's, cold, one at a time", None,
     "follow/cold/serial", "by_its_engine_ns"),
    ("a follower's batch of 32 ÷ its engine's, cold", None,
     "follow/cold/batch", "by_its_engine_ns"),
]

# Ratios that are bounded from below: (what, bound, figures whose sum is divided, figure).
AT_LEAST = [
    ("a reader's hot checks in its own time, beside 100 000 changes a second ÷ undisturbed", 0.9,
     "beside/nothing/hot", "beside/changes/hot"),
    ("the same, cold", 0.9, "beside/nothing/cold", "beside/changes/cold"),
]

# Ratios that have no bound but say what something costs: (what, figure, figure it is divided by).
COMPARISONS = [
    ("check by id, hot: engine ÷ image", "engine/image/hot/loop", "check/id/hot/loop"),
    ("check by id, cold loop: engine ÷ image", "engine/image/cold/loop", "check/id/cold/loop"),
    ("check by id, cold, one at a time: engine ÷ image",
     "engine/image/cold/serial", "check/id/cold/serial"),
    ("batch of 32, cold: engine ÷ image", "engine/image/cold/batch", "check/id/cold/batch"),
    ("unknown id: engine ÷ image", "engine/image/unknown/serial", "check/id/unknown/serial"),
    ("resolved check: engine ÷ image", "engine/image/resolved", "check/resolved/one_scope"),
    ("cold, one at a time: replaced tokens ÷ the image's",
     "engine/replaced/cold/serial", "engine/image/cold/serial"),
    ("cold, one at a time: issued tokens ÷ the image's",
     "engine/issued/cold/serial", "engine/image/cold/serial"),
    ("batch of 32, cold: replaced tokens ÷ the image's",
     "engine/replaced/cold/batch", "engine/image/cold/batch"),
    ("batch of 32, cold: issued tokens ÷ the image's",
     "engine/issued/cold/batch", "engine/image/cold/batch"),
    ("replacing a replaced token, cold ÷ (index + record miss)",
     "change/replace/of_replaced", "floor/index_and_record_miss"),
    ("revoking a replaced token, cold ÷ (index + record miss)",
     "change/revoke/of_replaced", "floor/index_and_record_miss"),
    ("revoking an issued token, cold ÷ (index + record miss)",
     "change/revoke/of_issued", "floor/index_and_record_miss"),
    ("checks beside another reader ÷ beside nothing, hot",
     "beside/reader/hot", "beside/nothing/hot"),
    ("the same with a read-write lock", "rwlock/beside/reader/hot", "rwlock/beside/nothing/hot"),
    ("checks beside changes, hot: read-write lock that spins ÷ engine",
     "rwlock/beside/changes/hot", "beside/changes/hot"),
    ("checks beside changes, hot: read-write lock that sleeps ÷ engine",
     "rwlock/asleep/beside/changes/hot", "beside/changes/hot"),
    ("compaction ÷ compiling", "compact/of_image", "compile/random_order"),
    ("check by id, hot: follower, image mapped ÷ engine, image allocated",
     "follow/hot/loop", "engine/image/hot/loop"),
    ("the same, cold loop", "follow/cold/loop", "engine/image/cold/loop"),
    ("revoking and telling the followers ÷ revoking in the engine, whole calls",
     "publish/whole/revoke", "change/whole/revoke"),
]

# Likewise, of what one benchmark counts: (what, benchmark, counter, counter it is divided by).
SHARES = [
    ("memory of a hundred followers ÷ the image", "follow/memory",
     "all_of_the_hundred_bytes", "image_bytes"),
    ("the same after a thousand changes", "follow/memory",
     "all_after_changes_bytes", "image_bytes"),
]

UNBOUNDED = """\
Changes of a token that the engine has issued or replaced have no bound: its handle lies between
index and block, a third miss that waits for the one before, where the bound allows for two."""

# Figures that are bounded as they are: (what, bound, benchmark, counter).
SIZES = [
    ("memory beyond the tokens' own strings, bytes a token", 40,
     "image/size", "bytes_a_token_beyond_strings"),
    ("a whole replacement at a million tokens, median ns", 2000,
     "change/whole/replace", "real_time"),
    ("a whole revocation at a million tokens, median ns", 2000,
     "change/whole/revoke", "real_time"),
    ("a whole issue at a million tokens, median ns", 2000,
     "change/whole/issue", "real_time"),
]

# Ratios of two figures that a benchmark counts, and what the first is when nothing happens: where
# that is beyond the bound as well the machine's interrupts hide the answer. (what, bound,
# benchmark, counter, counter it is divided by, counter beside nothing).
WITHIN = [
    ("the longest check beside a swap ÷ 99.9th percentile before", 10,
     "swap/beside_reader/cold", "longest_beside_swap_ns", "p999_before_ns",
     "longest_idle_ns"),
]

VERDICTS = {True: "pass", False: "FAIL", None: "unclear: interrupts"}


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


def unit_of(name):
    fits = [unit for begin, unit in UNITS.items() if name.startswith(begin)]
    return fits[0] if fits else "ns"


def counters_of(runs):
    """Returns {counter: median} of what a benchmark counts besides the time."""
    names = [name for name in runs[0]
             if name.endswith(("_token", "_strings", "_ns", "_second", "_checks", "_bytes"))]
    return {name: statistics.median(run[name] for run in runs) for name in names}


def figures_table(rounds):
    yield "| benchmark | median | lowest | highest | |"
    yield "|---|---:|---:|---:|---|"
    for name, runs in rounds.items():
        times = [run["real_time"] for run in runs]
        if any(times):
            yield (f"| {name} | {statistics.median(times):.1f} | {min(times):.1f} | "
                   f"{max(times):.1f} | {unit_of(name)} |")
        for counter, value in counters_of(runs).items():
            yield f"| {name} | {value:.1f} | | | {counter.replace('_', ' ')} |"


def budgets(rounds):
    """Yields (what, bound in words, value, whether it is kept) of all that was measured; None
    where the machine does not let one say."""
    medians = medians_of(rounds)
    for what, bound, figure, floors in BUDGETS:
        if {figure, *floors} <= medians.keys():
            yield at_most(what, bound, medians[figure] / sum(medians[floor] for floor in floors))
    for what, bound, name, counter in IN_TURN:
        if name in rounds and bound is not None:
            yield at_most(what, bound, in_turn(rounds[name], counter))
    for what, bound, figure, floor in AT_LEAST:
        if {figure, floor} <= medians.keys():
            value = medians[figure] / medians[floor]
            yield what, f"at least {bound:g}", value, value >= bound
    for what, bound, name, counter in SIZES:
        if name in rounds:
            yield at_most(what, bound, statistics.median(run[counter] for run in rounds[name]))
    for what, bound, name, figure, floor, idle in WITHIN:
        if name in rounds:
            value, beside_nothing = (statistics.median(run[counter] / run[floor]
                                                       for run in rounds[name])
                                     for counter in (figure, idle))
            hidden = value > bound and beside_nothing > bound
            yield what, f"{bound:g}", value, None if hidden else value <= bound


def at_most(what, bound, value):
    return what, f"{bound:g}", value, value <= bound


def in_turn(runs, counter):
    return statistics.median(run["real_time"] / run[counter] for run in runs)


def medians_of(rounds):
    return {name: statistics.median(run["real_time"] for run in runs)
            for name, runs in rounds.items()}


def budgets_table(rows):
    yield "| budget | at most | measured | |"
    yield "|---|---:|---:|---|"
    for what, bound, value, kept in rows:
        yield f"| {what} | {bound} | {value:.2f} | {VERDICTS[kept]} |"


def comparisons_table(rounds):
    medians = medians_of(rounds)
    yield "| ratio | measured |"
    yield "|---|---:|"
    for what, figure, floor in COMPARISONS:
        if {figure, floor} <= medians.keys():
            yield f"| {what} | {medians[figure] / medians[floor]:.2f} |"
    for what, bound, name, counter in IN_TURN:
        if name in rounds and bound is None:
            yield f"| {what} | {in_turn(rounds[name], counter):.2f} |"
    for what, name, counter, whole in SHARES:
        if name in rounds:
            value = statistics.median(run[counter] / run[whole] for run in rounds[name])
            yield f"| {what} | {value:.2f} |"


def machine_lines(context, count):
    load = context.get("load_avg") or [0]
    yield (f"{context['num_cpus']} processors at {context['mhz_per_cpu']} MHz; {count} rounds, "
           f"interleaved at random; {context['date']}.")
    if load[0] > 1:
        yield ""
        yield (f"**The machine was busy with other work (load {load[0]:.1f}): "
               "take no figure for granted.**")


def report(raw, rounds, rows):
    count = max(len(runs) for runs in rounds.values())
    lines = ["# Benchmarks", "", *machine_lines(raw["context"], count), "", "## Budgets", "",
             "Ratios of medians within this run.", "", *budgets_table(rows), "",
             "## What things cost", "", "Ratios that have no bound.", "",
             *comparisons_table(rounds), "", UNBOUNDED, "", "## Figures", "",
             "Of one operation, on an image of a million tokens with 52 bytes of names each; "
             "a round's figure is the median of its chunks of 128 requests.", "",
             *figures_table(rounds), ""]
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("raw", type=Path)
    parser.add_argument("report", type=Path)
    parser.add_argument("--strict", action="store_true")
    arguments = parser.parse_args()

    raw = json.loads(arguments.raw.read_text())
    rounds = read_rounds(raw)
    errors = errors_of(rounds)
    if errors:
        print("\n".join(errors), file=sys.stderr)
        return 1
    rows = list(budgets(rounds))
    arguments.report.write_text(report(raw, rounds, rows))
    print("\n".join(budgets_table(rows)))
    exceeded = any(kept is False for *_, kept in rows)
    return 1 if exceeded and arguments.strict else 0


if __name__ == "__main__":
    sys.exit(main())
