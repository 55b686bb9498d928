"""compare.py: which change it calls slower, faster, the same or unclear, and what it compares."""

import copy
import io
import json
import sys
import tempfile
import unittest
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from unittest import mock

import compare

CONTEXT = {"processor": "one", "num_cpus": 2, "compiler": "GNU 12", "flags": "-O3"}

STEADY = [0.98, 0.99, 1.0, 1.0, 1.0, 1.01, 1.02]
NOISY = [0.5, 0.7, 0.9, 1.0, 1.2, 1.6, 2.5]


def measured(times, counts=None, **context):
    """What scripts/bench leaves: {benchmark: [time, …]}, {benchmark: (instructions, mispredicted)}
    and what differs from CONTEXT."""
    runs = [{"family_index": index, "run_type": "iteration", "real_time": time,
             "name": f"{name}/iterations:1/manual_time"}
            for index, (name, each) in enumerate(times.items()) for time in each]
    raw = {"context": {**CONTEXT, **context}, "benchmarks": runs}
    if counts is not None:
        raw["instructions"] = {name: {"instructions": instructions, "mispredicted": mispredicted}
                               for name, (instructions, mispredicted) in counts.items()}
    return raw


def around(time, shape=None):
    return [time * each for each in shape or STEADY]


class Judgement(unittest.TestCase):
    def verdict(self, old, new):
        """The verdict on the only benchmark."""
        (line,), _ = compare.compare(old, new)
        return line.verdict.what

    def verdict_of(self, factor, shape, old_counts=None, new_counts=None):
        counts = [{"check": each} if each else None for each in (old_counts, new_counts)]
        return self.verdict(measured({"check": around(100, shape)}, counts[0]),
                            measured({"check": around(100 * factor, shape)}, counts[1]))

    def test_time_decides_where_it_is_steady(self):
        self.assertEqual(self.verdict_of(1.3, STEADY), "SLOWER")
        self.assertEqual(self.verdict_of(0.7, STEADY), "faster")
        self.assertEqual(self.verdict_of(1.0, STEADY), "same")

    def test_less_than_a_tenth_of_time_is_no_change(self):
        self.assertEqual(self.verdict_of(1.06, STEADY), "same")
        self.assertEqual(self.verdict_of(0.95, STEADY), "same")

    def test_noise_alone_is_unclear(self):
        for factor in 0.8, 1.0, 1.25:
            self.assertEqual(self.verdict_of(factor, NOISY), "unclear")

    def test_instructions_decide_where_time_is_noise(self):
        for shape in NOISY, STEADY:
            self.assertEqual(self.verdict_of(1, shape, (400, 1), (409, 1)), "SLOWER")
            self.assertEqual(self.verdict_of(1, shape, (400, 1), (391, 1)), "faster")
            self.assertEqual(self.verdict_of(1, shape, (400, 1), (407, 1)), "same")
            self.assertEqual(self.verdict_of(1, shape, (400, 1), (393, 1)), "same")

    def test_mispredicted_branches_decide_where_instructions_are_the_same(self):
        self.assertEqual(self.verdict_of(1, NOISY, (400, 1), (400, 1.3)), "SLOWER")
        self.assertEqual(self.verdict_of(1, NOISY, (400, 1), (400, 0.7)), "faster")
        # Few of many, and a large part of next to nothing.
        self.assertEqual(self.verdict_of(1, NOISY, (1600, 9), (1600, 11)), "same")
        self.assertEqual(self.verdict_of(1, NOISY, (40, 0.01), (40, 0.2)), "same")
        self.assertEqual(self.verdict_of(1, NOISY, (40, 0), (40, 1)), "SLOWER")

    def test_counts_that_disagree_say_nothing(self):
        self.assertEqual(self.verdict_of(1, NOISY, (400, 1), (300, 2)), "unclear")
        self.assertEqual(self.verdict_of(1, NOISY, (400, 2), (500, 1)), "unclear")
        self.assertEqual(self.verdict_of(1, STEADY, (400, 1), (300, 2)), "same")

    def test_time_that_is_clear_outweighs_counts(self):
        self.assertEqual(self.verdict_of(1.3, STEADY, (400, 1), (300, 1)), "SLOWER")
        self.assertEqual(self.verdict_of(1.3, STEADY, (400, 1), (400, 1)), "SLOWER")
        self.assertEqual(self.verdict_of(0.7, STEADY, (400, 1), (500, 1)), "faster")

    def test_counts_against_an_interval_that_excludes_them_are_unclear(self):
        self.assertEqual(self.verdict_of(0.93, STEADY, (400, 1), (412, 1)), "unclear")
        self.assertEqual(self.verdict_of(1.07, STEADY, (400, 1), (388, 1)), "unclear")

    def test_time_of_few_rounds_decides_nothing(self):
        few = [1.0] * (compare.ROUNDS_LEAST - 1)
        enough = [1.0] * compare.ROUNDS_LEAST
        for old, new, expected in ((few, enough, "unclear"), (enough, few, "unclear"),
                                   (enough, enough, "SLOWER")):
            self.assertEqual(self.verdict(measured({"check": around(100, old)}),
                                          measured({"check": around(200, new)})), expected)

    def test_counts_decide_where_rounds_are_few(self):
        few = [1.0] * (compare.ROUNDS_LEAST - 1)
        self.assertEqual(self.verdict_of(1, few, (400, 1), (500, 1)), "SLOWER")
        self.assertEqual(self.verdict_of(2, few, (400, 1), (400, 1)), "same")

    def test_counts_of_one_side_are_none(self):
        self.assertEqual(self.verdict_of(1, NOISY, (400, 1), None), "unclear")
        self.assertEqual(self.verdict_of(1, NOISY, None, (400, 1)), "unclear")

    def test_the_interval_holds_the_ratio(self):
        for factor in 0.5, 1, 2:
            ratio = compare.ratio_of_medians(around(100, NOISY), around(100 * factor, NOISY))
            self.assertAlmostEqual(ratio.value, factor)
            self.assertLess(ratio.low, factor)
            self.assertGreater(ratio.high, factor)


class Floors(unittest.TestCase):
    """What the machine did to everything is no change of Weir's."""

    def lines(self, factor, floors):
        old = {"check": around(100), **{f"floor/{i}": around(10) for i in range(len(floors))}}
        new = {"check": around(100 * factor),
               **{f"floor/{i}": around(10 * each) for i, each in enumerate(floors)}}
        return compare.compare(measured(old), measured(new))

    def verdict(self, factor, floors):
        (line,), _ = self.lines(factor, floors)
        return line.verdict.what

    def test_a_machine_that_is_slower_makes_nothing_slower(self):
        self.assertEqual(self.verdict(1.5, [1.5, 1.5, 1.5, 1.5]), "same")

    def test_a_machine_that_is_faster_hides_nothing(self):
        self.assertEqual(self.verdict(1, [0.7, 0.7, 0.7, 0.7]), "SLOWER")

    def test_floors_that_disagree_widen_the_interval(self):
        self.assertEqual(self.verdict(1.3, [1, 1, 1, 1]), "SLOWER")
        self.assertEqual(self.verdict(1.3, [0.9, 1, 1.2, 1.3]), "unclear")

    def test_one_floor_that_was_changed_does_not_count(self):
        self.assertEqual(self.verdict(1.3, [1, 1, 1, 1, 1, 9]), "SLOWER")

    def test_time_as_far_as_a_floor_drifted_is_unclear_if_counts_are_the_same(self):
        drifts = [1, 1, 1, 1, 1, 1.5]
        for factor, counts, expected in ((1.3, (400, 1), "unclear"), (1.7, (400, 1), "SLOWER"),
                                         (1.3, (500, 1), "SLOWER")):
            floors = {f"floor/{i}": around(10) for i in range(len(drifts))}
            (line,), _ = compare.compare(
                measured({"check": around(100), **floors}, {"check": (400, 1)}),
                measured({"check": around(100 * factor),
                          **{f"floor/{i}": around(10 * each) for i, each in enumerate(drifts)}},
                         {"check": counts}))
            self.assertEqual(line.verdict.what, expected)

    def test_what_slows_all_of_weir_is_no_drift(self):
        names = [f"check/{i}" for i in range(9)]
        floors = {f"floor/{i}": around(10) for i in range(3)}
        lines, _ = compare.compare(
            measured({**{name: around(10) for name in names}, **floors}),
            measured({**{name: around(13) for name in names}, **floors}))
        self.assertEqual({line.verdict.what for line in lines}, {"SLOWER"})

    def test_floors_and_rivals_are_not_judged(self):
        old = measured({"floor/hash": around(10), "rival/absl": around(10),
                        "rwlock/beside/reader/hot": around(10), "check": around(10)})
        new = copy.deepcopy(old)
        for run in new["benchmarks"]:
            run["real_time"] *= 1 if run["name"].startswith("check") else 2
        lines, _ = compare.compare(old, new)
        self.assertEqual([line.name for line in lines], ["check"])


class Program(unittest.TestCase):
    def run_it(self, old, new):
        """Returns the exit status, and what it wrote."""
        return self.run_texts(json.dumps(old), json.dumps(new))

    def run_texts(self, *texts, flags=()):
        out, err = io.StringIO(), io.StringIO()
        with tempfile.TemporaryDirectory() as folder:
            paths = [Path(folder, f"{place}.json") for place in range(len(texts))]
            for path, text in zip(paths, texts):
                path.write_text(text)
            with (mock.patch.object(sys, "argv", ["compare.py", *flags, *map(str, paths)]),
                  redirect_stdout(out), redirect_stderr(err)):
                status = compare.main()
        return status, out.getvalue(), err.getvalue()

    def test_unchanged_is_zero(self):
        raw = measured({"check/a": around(10), "check/b": around(20)}, {"check/a": (400, 1)})
        status, out, _ = self.run_it(raw, raw)
        self.assertEqual(status, 0)
        self.assertIn("SLOWER: 0\n", out)
        self.assertIn("same: 2\n", out)

    def test_one_that_is_slower_is_one_and_named(self):
        old = measured({"check/a": around(10), "check/b": around(10)})
        new = measured({"check/a": around(5), "check/b": around(20)})
        status, out, _ = self.run_it(old, new)
        self.assertEqual(status, 1)
        self.assertIn("SLOWER: 1 (check/b)\n", out)

    def test_times_of_another_machine_are_not_compared(self):
        old = measured({"check": around(10)}, {"check": (400, 1)}, processor="another")
        for instructions, expected in (400, 0), (440, 1):
            new = measured({"check": around(99)}, {"check": (instructions, 1)})
            status, out, _ = self.run_it(old, new)
            self.assertEqual(status, expected)
            self.assertIn("Another machine: times are not compared. processor: another → one", out)
            self.assertNotIn(" ns", out)

    def test_counts_of_another_build_are_not_compared(self):
        for other in {"compiler": "Clang 14"}, {"flags": "-O2"}:
            old = measured({"check": around(10)}, {"check": (400, 1)}, **other)
            new = measured({"check": around(10)}, {"check": (800, 1)})
            status, out, _ = self.run_it(old, new)
            self.assertEqual(status, 0)
            self.assertIn("Another build: instructions are not compared.", out)

    def test_a_file_that_does_not_say_its_machine_is_of_another(self):
        old = measured({"check": around(10)}, {"check": (400, 1)})
        del old["context"]["processor"]
        new = measured({"check": around(99)}, {"check": (400, 1)})
        status, out, _ = self.run_it(old, new)
        self.assertEqual(status, 0)
        self.assertIn("processor: not said → one", out)

    def test_nothing_in_common_is_two(self):
        new = measured({"check": around(10)}, {"check": (400, 1)})
        other = measured({"check": around(10)}, {"check": (400, 1)}, processor="two", flags="-O2")
        status, out, err = self.run_it(other, new)
        self.assertEqual((status, out), (2, ""))
        self.assertIn("Nothing can be compared.", err)
        self.assertEqual(self.run_it(measured({"gone": around(10)}), new)[0], 2)

    def test_what_is_no_file_of_benchmarks_is_two(self):
        good = json.dumps(measured({"check": around(10)}))
        for bad in "nothing", "[]", "{}", '{"context": {}, "benchmarks": []}', good[:-9], "\0":
            for pair in (bad, good), (good, bad):
                self.assertEqual(self.run_texts(*pair)[:2], (2, ""))
            status, _, err = self.run_texts(bad, flags=["--check"])
            self.assertEqual(status, 2)
            self.assertIn("0.json is no file of benchmarks", err)
        self.assertEqual(self.run_texts(good, flags=["--check"]), (0, "", ""))

    def test_few_rounds_are_told(self):
        few, enough = measured({"check": [10, 10]}), measured({"check": around(10)})
        said = "has benchmarks of fewer than 5 rounds"
        self.assertIn(f"The old file {said}", "".join(self.run_it(few, enough)[1:]))
        self.assertNotIn(said, "".join(self.run_it(enough, enough)[1:]))

    def test_what_only_one_has_is_named(self):
        old = measured({"check": around(10), "gone": around(10)})
        new = measured({"check": around(10), "come": around(10)})
        _, out, _ = self.run_it(old, new)
        self.assertIn("Only in the old file: gone.", out)
        self.assertIn("Only in the new file: come.", out)

    def test_sizes_have_no_time_and_failed_rounds_do_not_count(self):
        raw = measured({"check": around(10), "size": [0, 0]})
        raw["benchmarks"].append({**raw["benchmarks"][0], "real_time": 0, "error_occurred": True})
        status, out, _ = self.run_it(raw, raw)
        self.assertEqual(status, 0)
        self.assertNotIn("size", out)


if __name__ == "__main__":
    unittest.main()
