"""report.py: verdicts, plots and tables of figures that are made up."""

import io
import json
import sys
import tempfile
import unittest
import xml.etree.ElementTree
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from unittest import mock

import budgets
import chart
import report
import rounds

CONTEXT = {"num_cpus": 2, "mhz_per_cpu": 2000, "date": "today"}

HOT = "hot check by id, names validated ÷ (XXH3 + resolved comparison)"


def measured(times, counters=None, errors=None):
    """What a run leaves: {benchmark: [time, …]}, {benchmark: {counter: value}}, {benchmark: error}.
    """
    runs = [{"family_index": index, "run_type": "iteration", "real_time": time,
             "name": f"{name}/iterations:1/manual_time", **(counters or {}).get(name, {}),
             **({"error_occurred": True, "error_message": errors[name]}
                if name in (errors or {}) else {})}
            for index, (name, each) in enumerate(times.items()) for time in each]
    return {"context": CONTEXT, "benchmarks": runs}


def hot(check):
    """A hot check that takes so long, beside floors of 4 and 6."""
    return {"check/id/hot/loop": [check], "floor/hash": [4], "floor/resolved": [6]}


# Of budgets.
TABLES = (budgets.BUDGETS, budgets.BEST_RIVAL, budgets.IN_TURN, budgets.AT_LEAST, budgets.SIZES,
          budgets.WITHIN)


class Reporting(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def run_report(self, *raws, flags=()):
        """Returns (exit status, report, what was printed)."""
        names = []
        for place, raw in enumerate(raws):
            names.append(str(self.folder / f"{place}.json"))
            Path(names[-1]).write_text(json.dumps(raw))
        made = self.folder / "report.md"
        printed = io.StringIO()
        with mock.patch.object(sys, "argv", ["report.py", *names, str(made), *flags]), \
                redirect_stdout(printed), redirect_stderr(printed):
            status = report.main()
        return status, made.read_text() if made.exists() else "", printed.getvalue()


class Verdicts(Reporting):
    def verdicts(self, *arguments):
        rows = list(budgets.budgets(rounds.read_rounds(measured(*arguments))))
        return {each.what: (round(each.value, 6), each.kept) for each in rows}

    def test_a_ratio_at_its_bound_is_kept_and_one_beyond_is_not(self):
        self.assertEqual(self.verdicts(hot(25))[HOT], (2.5, True))
        self.assertEqual(self.verdicts(hot(25.1))[HOT], (2.51, False))

    def test_the_median_of_the_rounds_counts(self):
        rounds_of = {"check/id/hot/loop": [1, 20, 20, 20, 900], "floor/hash": [4] * 5,
                     "floor/resolved": [6] * 5}
        self.assertEqual(self.verdicts(rounds_of)[HOT], (2.0, True))

    def test_rounds_on_both_sides_of_the_bound_are_unclear(self):
        def verdict_of(*checks):
            return self.verdicts({"check/id/hot/loop": list(checks),
                                  "floor/hash": [4] * len(checks),
                                  "floor/resolved": [6] * len(checks)})[HOT][1]

        self.assertIsNone(verdict_of(10, 10, 20, 30, 30))
        self.assertIsNone(verdict_of(20, 20, 30, 40, 40))
        self.assertIs(verdict_of(10, 20, 25, 25, 99), True)
        self.assertIs(verdict_of(10, 26, 30, 30, 40), False)
        raw = measured({"check/id/hot/loop": [20, 30], "floor/hash": [4, 4],
                        "floor/resolved": [6, 6]})
        self.assertIn("| unclear: noise |", self.run_report(raw)[1])

    def test_a_round_is_held_against_the_same_round_of_its_floors(self):
        drifting = {"check/id/hot/loop": [20, 40, 80], "floor/hash": [4, 8, 16],
                    "floor/resolved": [6, 12, 24]}
        self.assertEqual(self.verdicts(drifting)[HOT], (2.0, True))

    def test_rounds_on_both_sides_of_a_lower_bound_are_unclear(self):
        what = ("a reader's cold checks in its own time, beside 100 000 changes a second ÷ "
                "undisturbed")
        found = self.verdicts({"beside/nothing/cold": [50, 50, 95, 99, 99],
                               "beside/changes/cold": [100] * 5})
        self.assertEqual(found[what], (0.95, None))

    def test_what_has_a_lower_bound_must_not_be_below_it(self):
        what = ("a reader's cold checks in its own time, beside 100 000 changes a second ÷ "
                "undisturbed")
        self.assertEqual(self.verdicts({"beside/nothing/cold": [90], "beside/changes/cold": [100]})
                         [what], (0.9, True))
        self.assertEqual(self.verdicts({"beside/nothing/cold": [80], "beside/changes/cold": [100]})
                         [what], (0.8, False))

    def test_what_interrupts_hide_is_unclear(self):
        name = "swap/beside_reader/cold"
        what = "the longest check beside a swap ÷ 99.9th percentile before"
        counted = {"longest_beside_swap_ns": 1100, "p999_before_ns": 100, "longest_idle_ns": 900}
        self.assertEqual(self.verdicts({name: [1]}, {name: counted})[what], (11, False))
        counted["longest_idle_ns"] = 1001
        self.assertEqual(self.verdicts({name: [1]}, {name: counted})[what], (11, None))
        counted["longest_beside_swap_ns"] = 2100
        self.assertEqual(self.verdicts({name: [1]}, {name: counted})[what], (21, False))

    def test_a_budget_of_what_was_not_measured_is_not_told(self):
        self.assertEqual(self.verdicts({"floor/hash": [4]}), {})

    def test_the_faster_set_up_of_a_rival_is_what_counts(self):
        what = "hot check ÷ absl::flat_hash_map from id + two memcmp, the faster set-up"
        for absl, in_slot, best in (20, 40, "absl"), (40, 20, "absl_in_slot"):
            raw = measured(hot(14) | {"rival/absl/hot/loop": [absl],
                                      "rival/absl_in_slot/hot/loop": [in_slot]})
            self.assertIn(f"| {what} | 0.7 | 0.70 | pass (÷ rival/{best}/hot/loop) |",
                          self.run_report(raw)[1])
        found = self.verdicts(hot(28) | {"rival/absl/hot/loop": [20]})
        self.assertEqual(found[what], (1.4, False))

    def test_names_are_different_and_stand_alone(self):
        names = [what for table in (*TABLES, budgets.COMPARISONS, budgets.SHARES)
                 for what, *_ in table]
        self.assertEqual(len(names), len(set(names)))
        self.assertEqual([name for name in names if name.startswith("the same")], [])

    def test_strict_fails_only_if_a_budget_is_exceeded(self):
        self.assertEqual(self.run_report(measured(hot(25)), flags=["--strict"])[0], 0)
        status, text, _ = self.run_report(measured(hot(50)), flags=["--strict"])
        self.assertEqual(status, 1)
        self.assertIn("FAIL by 100 %", text)
        self.assertEqual(self.run_report(measured(hot(50)))[0], 0)

    def test_why_a_budget_is_exceeded_is_told_only_then(self):
        with mock.patch.dict(budgets.WHY, {HOT: "names are long"}):
            self.assertIn("names are long", self.run_report(measured(hot(50)))[1])
            self.assertNotIn("names are long", self.run_report(measured(hot(5)))[1])
            noisy = {"check/id/hot/loop": [20, 40], "floor/hash": [4, 4], "floor/resolved": [6, 6]}
            self.assertIn("names are long", self.run_report(measured(noisy))[1])

    def test_every_reason_is_that_of_a_budget(self):
        known = {what for table in TABLES for what, *_ in table}
        self.assertLessEqual(budgets.WHY.keys(), known)

    def test_wrong_answers_make_no_report(self):
        raw = measured(hot(25), errors={"check/id/hot/loop": "wrong answers"})
        status, text, printed = self.run_report(raw)
        self.assertEqual((status, text), (1, ""))
        self.assertIn("check/id/hot/loop: wrong answers", printed)

    def test_errors_alone_are_told_of_a_run_that_failed(self):
        raw = measured(hot(25), errors={"check/id/hot/loop": "wrong answers"})
        status, text, printed = self.run_report(raw, flags=["--errors"])
        self.assertEqual((status, text, printed), (1, "", "check/id/hot/loop: wrong answers\n"))
        self.assertEqual(self.run_report(measured(hot(25)), flags=["--errors"]), (0, "", ""))


class Contents(Reporting):
    def sizes(self):
        return {f"tokens/{size}/{what}": [figure] for size in ("1k", "1m") for what, figure in
                {"loop": 30, "serial": 40, "batch": 24, "floor/record_miss": 10,
                 "floor/index_and_record_miss": 20, "floor/two_lines": 12}.items()}

    def test_plots_are_pictures_that_the_report_shows(self):
        _, text, _ = self.run_report(measured(self.sizes()))
        self.assertIn("(tokens.svg)", text)
        self.assertIn("one at a time", (self.folder / "tokens.svg").read_text())
        xml.etree.ElementTree.parse(self.folder / "tokens.svg")
        self.assertNotIn("(latency.svg)", text)
        self.assertFalse((self.folder / "latency.svg").exists())

    def test_sizes_stand_beside_their_floors(self):
        _, text, _ = self.run_report(measured(self.sizes()))
        self.assertIn("| 1 000 000 | 40.0 | 30.0 | 24.0 | 20.0 | 10.0 | 12.0 | 2.00 |", text)

    def test_runs_of_different_benchmarks_make_one_report(self):
        _, text, _ = self.run_report(measured(hot(25)), measured(self.sizes()))
        self.assertIn("| check/id/hot/loop | 25.0 |", text)
        self.assertIn("| tokens/1m/batch | 24.0 |", text)

    def test_what_part_of_a_check_is_its_digest(self):
        _, text, _ = self.run_report(measured(
            {"credential/digest": [60], "credential/hot/serial": [80],
             "credential/cold/serial": [240], "credential/sha256/sodium": [40]}))
        self.assertIn("| check by credential | 80.0 | 240.0 |", text)
        self.assertIn("| SHA-256 of 54 bytes, libsodium | 40.0 |", text)
        self.assertIn("| share of form and digest in the check | 75 % | 25 % |", text)

    def test_threads_are_told_by_their_number(self):
        counted = {"checks_of_1_threads_a_second": 2e7, "checks_of_2_threads_a_second": 3e7}
        _, text, _ = self.run_report(measured({"threads/hot": [0]}, {"threads/hot": counted}))
        self.assertIn("| threads/hot | 20.0 | 30.0 |", text)
        self.assertIn("(threads.svg)", text)

    def test_other_engines_are_told_if_they_were_measured(self):
        self.assertIn("scripts/rivals has not been run", self.run_report(measured(hot(25)))[1])
        result = {"rival": "NATS", "case": "one rule", "ns": 17, "spread": [16, 18], "note": "hm",
                  "times_weir": 3.4}
        for load, warns in (0.5, False), (9.75, True):
            (self.folder / "rivals.json").write_text(json.dumps({
                "machine": {"processor": "one of theirs", "processors": 2,
                            "load_when_started": load}, "results": [result]}))
            _, text, _ = self.run_report(measured(hot(25)))
            self.assertIn("| NATS | one rule | 17.0 | 16.0 | 18.0 | 3.4 | hm |", text)
            self.assertIn("2 processors, one of theirs", text)
            self.assertEqual(f"load {load:.1f}" in text, warns)

    def test_counters_are_in_the_order_of_their_numbers(self):
        counters = ["checks_of_1_threads_a_second", "checks_of_2_threads_a_second",
                    "checks_of_16_threads_a_second", "p50_ns", "p99_ns", "p99_9_ns", "p99_99_ns"]
        runs = [{counter: 1 for counter in sorted(counters)}]
        self.assertEqual(list(rounds.counters_of(runs)), counters)


class Charts(unittest.TestCase):
    def test_a_logarithmic_axis_puts_powers_at_equal_distances(self):
        scale = chart.Scale(chart.Axis("n", logarithmic=True, ticks=[(1, "1"), (100, "100")]),
                            [1, 100], 0, 200)
        self.assertAlmostEqual(scale(10), 100)

    def test_a_linear_axis_begins_at_zero(self):
        scale = chart.Scale(chart.Axis("n"), [5, 10], 0, 210)
        self.assertAlmostEqual(scale(0), 0)
        self.assertEqual(scale.ticks[0], (0, "0"))

    def test_names_that_would_overlap_are_moved_apart(self):
        places = chart.spread([100, 101, 300], 0, 400)
        self.assertGreaterEqual(places[1] - places[0], chart.NAME_HEIGHT - 0.01)
        self.assertEqual(places[2], 300)

    def test_one_point_and_equal_points_are_drawn(self):
        for points in ([(1, 5)], [(1, 5), (2, 5)]):
            for logarithmic in (False, True):
                axis = chart.Axis("n", logarithmic=logarithmic)
                drawn = chart.line_chart("t", axis, axis, [chart.Line("a < b", points)])
                xml.etree.ElementTree.fromstring(drawn)


if __name__ == "__main__":
    unittest.main()
