"""instructions.py: what it reads of callgrind's files, and which benchmarks it has counted."""

import stat
import tempfile
import textwrap
import unittest
from pathlib import Path

import instructions

FILE = """\
version: 1
creator: callgrind-3.19.0
desc: Timerange: Basic block 0 - 100
desc: Trigger: Client Request: check/id/hot/loop
positions: line
events: Ir Bc Bcm Bi Bim
summary: 5000 600 40 30 2

fn=(1) weir_check
16 5000 600 40 30 2

totals: 5000 600 40 30 2
"""


class Counts(unittest.TestCase):
    def test_totals_are_those_of_the_named_benchmark(self):
        name, totals = instructions.read_totals(FILE)
        self.assertEqual(name, "check/id/hot/loop")
        self.assertEqual(totals, {"Ir": 5000, "Bc": 600, "Bcm": 40, "Bi": 30, "Bim": 2})

    def test_counts_are_those_of_one_operation(self):
        _, totals = instructions.read_totals(FILE)
        self.assertEqual(instructions.counts_of(totals, 100),
                         {"instructions": 50, "branches": 6.3, "mispredicted": 0.42,
                          "indirect": 0.3, "indirect_mispredicted": 0.02})

    def test_zeros_may_be_left_out(self):
        _, totals = instructions.read_totals(FILE.replace("totals: 5000 600 40 30 2",
                                                          "totals: 5000 600"))
        self.assertEqual(instructions.counts_of(totals, 100),
                         {"instructions": 50, "branches": 6, "mispredicted": 0,
                          "indirect": 0, "indirect_mispredicted": 0})


class Selection(unittest.TestCase):
    def kinds_of(self, *names):
        with tempfile.TemporaryDirectory() as folder:
            bench = Path(folder, "bench")
            lines = "\n".join(f"{name}/iterations:1/manual_time" for name in names)
            bench.write_text(textwrap.dedent("""\
                #!/bin/sh
                cat <<END
                {}
                END
                """).replace("{}", lines))
            bench.chmod(bench.stat().st_mode | stat.S_IXUSR)
            return instructions.kinds_of(bench)

    def test_kinds_are_named_by_their_first_part(self):
        self.assertEqual(self.kinds_of("check/id/hot/loop", "compile/by_id", "check/resolved"),
                         {"check": ["check/id/hot/loop", "check/resolved"],
                          "compile": ["compile/by_id"]})

    def test_threads_sizes_and_rivals_are_left_out(self):
        self.assertEqual(self.kinds_of("beside/nothing/hot", "rival/absl/hot/loop", "image/size",
                                       "follow/memory", "revocation/to_waiting", "image/validate"),
                         {"image": ["image/validate"]})


if __name__ == "__main__":
    unittest.main()
