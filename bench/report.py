"""Makes a report of what the benchmarks measured: report.py RAW.json [MORE.json …] REPORT.md

Its plots are written beside it; rivals.json, which scripts/rivals leaves there, is told as well.
Prints the budgets, too. With --strict the exit status is 1 if one of them is exceeded. With
--errors it writes nothing, but prints what went wrong.
"""

import argparse
import json
import statistics
import sys
from pathlib import Path

from budgets import UNBOUNDED, WHY, budgets, costs
from plots import BY_TOKENS, LATENCIES, PERCENTILES, SCOPES, SIZES, plots, threads_of
from rounds import counters_of, errors_of, medians_of, read_rounds

# What a benchmark's time is the time of.
UNITS = {"compile": "ns a token", "image": "ns a token", "floor/copy": "ns a token",
         "floor/hash_and_write": "ns a token",
         "compact": "ns a token"}

# (who asks, benchmark; /loop, /serial and /batch follow)
WORKLOADS = [("users: one scope, a million, 512 of them asked about", "check/id/hot"),
             ("users: all asked about alike", "check/id/cold"),
             ("users: Zipf 0.99", "workload/users/zipf"),
             ("ids that nobody has", "check/id/unknown"),
             ("services: 2 to 8 scopes, a hundred thousand, alike", "workload/services/uniform"),
             ("services: Zipf 0.99", "workload/services/zipf"),
             ("brokers: 10 to 10 000 scopes, five hundred, alike", "workload/brokers/uniform"),
             ("brokers: Zipf 0.99", "workload/brokers/zipf"),
             ("mixed: a million users, some services, few brokers, alike",
              "workload/mixed/uniform"),
             ("mixed: Zipf 0.99", "workload/mixed/zipf"),
             ("hostile: a thousand ids of one bucket and one tag", "workload/hostile/uniform")]

# (what, benchmark with nothing cold, with everything cold)
CREDENTIALS = [("check by credential", "credential/hot/serial", "credential/cold/serial"),
               ("check by its digest", "credential/by_digest/hot/serial",
                "credential/by_digest/cold/serial"),
               ("check by id", "credential/by_id/hot/serial", "credential/by_id/cold/serial"),
               ("credential that no token has", "credential/unknown/serial", None),
               ("text that is no credential", "credential/malformed/serial", None),
               ("its form, checksum included", "credential/form", None),
               ("its form and its digest", "credential/digest", None),
               ("SHA-256 of 54 bytes, libsodium", "credential/sha256/sodium", None),
               ("SHA-256 of 54 bytes, OpenSSL", "credential/sha256/openssl", None)]

WAYS = ["loop", "serial", "batch"]

HOW = [f"{kind}/{way}" for kind in ("hot", "cold") for way in WAYS]

# (rival's benchmark, what it is held against); {} is a number of scopes.
RIVALS = [*((f"rival/{rival}/{how}", f"check/id/{how}")
            for rival in ("absl", "absl_in_slot", "rte_hash") for how in HOW),
          *((f"rival/lfht/{how}", f"engine/image/{how}") for how in HOW),
          *((f"rival/{rival}/{scopes}", f"check/resolved/{scopes}_services")
            for rival in ("sorted_array", "judy", "darts") for scopes in SCOPES),
          ("rwlock/beside/nothing/hot", "beside/nothing/hot"),
          ("rwlock/beside/changes/hot", "beside/changes/hot"),
          ("rwlock/beside/changes/cold", "beside/changes/cold"),
          ("rwlock/beside/reader/hot", "beside/reader/hot")]

HEADINGS = {"latency.svg": "Single checks", "tokens.svg": "Number of tokens",
            "pages.svg": "Pages", "scopes.svg": "Scopes of a token", "threads.svg": "Threads"}

BUDGETS_TEXT = """\
Medians of the rounds' ratios within this run: the first round of a figure by the first of its
floors, and so on. Where the middle half of them lies on both sides of a bound the verdict is
unclear."""

LATENCY = """\
The engine's checks, each timed by itself, reading the clock included: that is what *nothing* takes.
*Arithmetic* of the same length touches no memory: what makes it take longer now and then is the
machine, not Weir.
Beside changes: another thread makes 100 000 changes a second. Medians of the rounds' percentiles;
the clock goes in steps, which `latency/nothing` tells below."""

REQUESTS = """\
Nine requests in ten are allowed, but for ids that nobody has. Each pass's answers are compared with
what they must be. A hundred and twenty-eight requests at a time are copied to the first caches
before the clock is read: only what they ask about is cold."""

TOKENS = """\
One scope each, all asked about alike; the image in pages of 2 MiB. Hashing and comparing do not
know of the number: floor/hash and floor/resolved hold for each."""

SCOPES_TEXT = """\
One token of so many prefixes, found beforehand; nothing of it is cold. The rivals in the plot have
those like org-07/audit/1c0ffe/."""

THREADS = """\
The sum of the threads' own rates, each what a thread asked by the time that it spent asking:
staging requests is left out. Each has a processor of its own, which may be half a core."""

RIVALS_TEXT = """\
On the same tokens, the same strings, the same staged requests. The rivals do less: none looks
whether names are valid (`floor/names`) or whether a token has expired, none says why it denies, and
but for `lfht` and the read-write lock none can be changed while others read it. The read-write lock
is around Weir's own checks, which do all of that. `absl_in_slot` has the tokens' names in the slots
of its table, 80 bytes at most, and takes 187 bytes a token where `absl` takes 99. `lfht`, which can
be changed, is held against the engine's checks; what has rules in the place of tokens, against
resolved ones."""

CREDENTIALS_TEXT = """\
A million tokens, each with a credential. The text that a client sends is looked at (prefix, digits,
CRC-32), hashed, found by its digest, and the token's answer is read. All but SHA-256 of the library
that Weir was not built with is what a gateway pays for each request, unless it resolves a
connection's token once."""

FIGURES = """\
Of one operation, on an image of a million tokens with 52 bytes of names each unless its name says
otherwise; a round's figure is the median of its chunks of 128 requests."""


def unit_of(name):
    fits = [unit for begin, unit in UNITS.items() if name.startswith(begin)]
    return fits[0] if fits else "ns"


def table(*head):
    """The first two lines of a table: of text the first column, of numbers all others."""
    yield f"| {' | '.join(head)} |"
    yield f"|---|{'---:|' * (len(head) - 1)}"


def row(*cells):
    return f"| {' | '.join('' if cell is None else str(cell) for cell in cells)} |"


def tenths(value):
    return None if value is None else f"{value:.1f}"


def figures_table(rounds, instructions):
    yield from table("benchmark", "median", "lowest", "highest", "instructions", "mispredicted",
                     "of")
    for name, runs in rounds.items():
        times = [run["real_time"] for run in runs]
        counted = instructions.get(name, {})
        if any(times):
            yield row(name, tenths(statistics.median(times)), tenths(min(times)),
                      tenths(max(times)), tenths(counted.get("instructions")),
                      counted.get("mispredicted") and f"{counted['mispredicted']:.2f}",
                      unit_of(name))
        for counter, value in counters_of(runs).items():
            yield row(name, tenths(value), None, None, None, None, counter.replace("_", " "))


def verdict(judged):
    if judged.kept is None:
        words = f"unclear: {judged.unclear}"
    else:
        words = "pass" if judged.kept else f"FAIL by {100 * judged.beyond:.0f} %"
    return f"{words} ({judged.remark})" if judged.remark else words


def budgets_table(rows):
    yield "| budget | bound | measured | |"
    yield "|---|---:|---:|---|"
    for judged in rows:
        yield row(judged.what, judged.bound, f"{judged.value:.2f}", verdict(judged))


def reasons(rows):
    """What is known of the budgets whose medians are exceeded, beyond the noise or not."""
    for judged in rows:
        if judged.kept is not True and judged.beyond > 0 and judged.what in WHY:
            yield f"- {judged.what}: {WHY[judged.what]}"


def costs_table(rounds):
    yield from table("ratio", "measured")
    for what, value in costs(rounds):
        yield row(what, f"{value:.2f}")


def latencies_table(rounds):
    yield from table("ns", *(f"{100 * share:g} %" for _, share in PERCENTILES), "longest")
    for name, benchmark in LATENCIES:
        if benchmark in rounds:
            counters = counters_of(rounds[benchmark])
            yield row(name, *(f"{counters[counter]:.0f}"
                              for counter in [*dict(PERCENTILES), "longest_ns"]))


def workloads_table(rounds):
    medians = medians_of(rounds)
    yield from table("who asks, ns a check", "in a plain loop", "one at a time", "batch of 32")
    for who, benchmark in WORKLOADS:
        figures = [medians.get(f"{benchmark}/{way}") for way in WAYS]
        if any(figures):
            yield row(who, *map(tenths, figures))


def sizes_table(rounds, kind):
    """`kind` is what the benchmarks' names begin with."""
    medians = medians_of(rounds)
    yield from table("tokens, ns", *(name for name, *_ in BY_TOKENS), "batch ÷ two lines")
    for size, count in SIZES.items():
        names = [pattern.format(size).replace("tokens/", f"{kind}/", 1)
                 for _, pattern, _ in BY_TOKENS]
        figures = [medians.get(name) for name in names]
        if all(figures):
            batch, two_lines = figures[2], figures[5]
            yield row(f"{count:,}".replace(",", " "), *map(tenths, figures),
                      f"{batch / two_lines:.2f}")


def credentials_table(rounds):
    medians = medians_of(rounds)
    yield from table("ns, one at a time", "nothing cold", "everything cold")
    for what, *benchmarks in CREDENTIALS:
        figures = [medians.get(benchmark) for benchmark in benchmarks]
        if any(figures):
            yield row(what, *map(tenths, figures))
    digest, checks = medians.get("credential/digest"), [medians.get(name) for name in
                                                        CREDENTIALS[0][1:]]
    if digest and all(checks):
        yield row("share of form and digest in the check",
                  *(f"{100 * digest / check:.0f} %" for check in checks))


def scopes_table(rounds):
    medians = medians_of(rounds)
    kinds = ["services", "hexadecimal", "users"]
    yield from table("scopes, ns a check", "org-07/audit/1c0ffe/", "9f86d081884c/", "users/1234/")
    for scopes in SCOPES:
        yield row(scopes, *(tenths(medians.get(f"check/resolved/{scopes}_{kind}"))
                            for kind in kinds))


def threads_table(rounds):
    counts = {name: threads_of(rounds[name]) for name in
              ("threads/hot", "threads/cold", "rwlock/threads/hot", "rwlock/threads/cold")
              if name in rounds}
    threads = sorted({count for found in counts.values() for count in found})
    yield from table("sum of rates, million checks a second",
                     *(f"{count} threads" if count > 1 else "1 thread" for count in threads))
    for name, found in counts.items():
        yield row(name, *(tenths(found[count] / 1e6) if count in found else None
                          for count in threads))


def rivals_table(rounds):
    medians = medians_of(rounds)
    yield from table("rival", "ns", "Weir, ns", "Weir ÷ rival")
    for rival, figure in RIVALS:
        if {rival, figure} <= medians.keys():
            yield row(rival, tenths(medians[rival]), tenths(medians[figure]),
                      f"{medians[figure] / medians[rival]:.2f}")


def outside_table(rivals):
    yield "| engine | case | ns a check | lowest | highest | ÷ Weir | |"
    yield "|---|---|---:|---:|---:|---:|---|"
    for result in rivals["results"]:
        low, high = result.get("spread", (None, None))
        yield row(result["rival"], result["case"], tenths(result["ns"]), tenths(low),
                  tenths(high), tenths(result.get("times_weir")), result.get("note", ""))


def outside_section(rivals):
    if rivals is None:
        return ["scripts/rivals has not been run: no figures of NATS, Kafka and Casbin."]
    machine = rivals.get("machine", {})
    words = [f"By scripts/rivals, each in its own language, {rivals.get('date', 'undated')}",
             *([f"{machine['processors']} processors, {machine['processor']}"] if machine else [])]
    return [f"{'; '.join(words)}.", busy(machine.get("load_when_started", 0)),
            lines(outside_table(rivals))]


def busy(load):
    """A warning, or nothing."""
    return (f"**The machine was busy with other work (load {load:.1f}): "
            "take no figure for granted.**") if load > 1 else ""


def machine_lines(context, count):
    load = context.get("load_avg") or [0]
    machine = [f"{context['num_cpus']} processors at {context['mhz_per_cpu']} MHz",
               *(context[what] for what in ("processor", "compiler", "flags") if what in context)]
    yield (f"{'; '.join(machine)}. {count} rounds, interleaved at random; {context['date']}.")
    if busy(load[0]):
        yield ""
        yield busy(load[0])


def section(heading, *parts):
    """A part is text, or lines; nothing but a table's head is no part."""
    return "\n".join([f"## {heading}", "", *(f"{part}\n" for part in parts if part)])


def lines(rows, most_head=2):
    """A table as text, or nothing if it has only a head."""
    rows = list(rows)
    return "\n".join(rows) if len(rows) > most_head else ""


def report(raw, rounds, rows, drawn, rivals):
    count = max(len(runs) for runs in rounds.values())

    def plot(name):
        return f"![{HEADINGS[name]}]({name})" if name in drawn else ""

    return "\n".join([
        "# Benchmarks", "", *machine_lines(raw["context"], count), "",
        section("Budgets", BUDGETS_TEXT, lines(budgets_table(rows)),
                "\n".join(reasons(rows))),
        section("Single checks", LATENCY, plot("latency.svg"), lines(latencies_table(rounds))),
        section("Workloads", REQUESTS, lines(workloads_table(rounds))),
        section("Number of tokens", TOKENS, plot("tokens.svg"),
                lines(sizes_table(rounds, "tokens"))),
        section("Pages", "The same images in pages of 4 KiB.", plot("pages.svg"),
                lines(sizes_table(rounds, "small_pages"))),
        section("Scopes of a token", SCOPES_TEXT, plot("scopes.svg"), lines(scopes_table(rounds))),
        section("Threads", THREADS, plot("threads.svg"), lines(threads_table(rounds))),
        section("Credentials", CREDENTIALS_TEXT, lines(credentials_table(rounds))),
        section("Rivals in this run", RIVALS_TEXT, lines(rivals_table(rounds))),
        section("Other engines", *outside_section(rivals)),
        section("What things cost", "Ratios that have no bound.", lines(costs_table(rounds)),
                UNBOUNDED),
        section("Figures", FIGURES, lines(figures_table(rounds, raw.get("instructions", {}))))])


def merge(raws):
    """One of several runs, whose benchmarks are different ones."""
    merged = {"context": raws[0]["context"], "benchmarks": [], "instructions": {}}
    for place, raw in enumerate(raws):
        merged["instructions"].update(raw.get("instructions", {}))
        for run in raw["benchmarks"]:
            merged["benchmarks"].append(run | {"family_index": (place, run["family_index"])})
    return merged


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("raw", type=Path, nargs="+")
    parser.add_argument("report", type=Path)
    parser.add_argument("--strict", action="store_true")
    parser.add_argument("--errors", action="store_true")
    arguments = parser.parse_args()

    try:
        raw = merge([json.loads(path.read_text()) for path in arguments.raw])
    except ValueError as broken:
        print(f"report: what was measured is not complete: {broken}", file=sys.stderr)
        return 1
    rounds = read_rounds(raw)
    errors = errors_of(rounds)
    if errors:
        print("\n".join(errors), file=sys.stderr)
        return 1
    if arguments.errors:
        return 0
    rivals = arguments.report.with_name("rivals.json")
    drawn = dict(plots(rounds))
    for name, picture in drawn.items():
        arguments.report.with_name(name).write_text(picture)
    rows = list(budgets(rounds))
    arguments.report.write_text(report(raw, rounds, rows, drawn,
                                       json.loads(rivals.read_text()) if rivals.exists() else None))
    print("\n".join(budgets_table(rows)))
    exceeded = any(judged.kept is False for judged in rows)
    return 1 if exceeded and arguments.strict else 0


if __name__ == "__main__":
    sys.exit(main())
