"""Tests of bench_compare on programs that only pretend to measure: each run takes the next number of its list."""

import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import bench_compare

FAKE = """#!{python}
import json, pathlib, sys
here = pathlib.Path(__file__)
with (here.parent.parent / "order").open("a") as order:
    print(here.parent.name, file=order)
turn = len(list(here.parent.glob(here.name + ".turn*")))
pathlib.Path(f"{{here}}.turn{{turn}}").touch()
{extra}
out = next(a.partition("=")[2] for a in sys.argv if a.startswith("--benchmark_out="))
benchmarks = [{{"name": name, "cpu_time": times[turn], "real_time": 1, "time_unit": {unit!r}}}
              for name, times in {runs}.items()]
pathlib.Path(out).write_text(json.dumps({{"benchmarks": benchmarks}}))
"""


class Compare(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)

    def program(self, build, runs, unit="ns", extra="", name="signfold_x_bench"):
        """`runs`: by benchmark, the time that each run of the program reports."""
        path = self.root / build / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(FAKE.format(python=sys.executable, runs=runs, unit=unit, extra=extra))
        path.chmod(0o755)

    def compare(self, *words):
        """Exit status, output and standard error of the script."""
        script = [sys.executable, "-B", bench_compare.__file__]
        run = subprocess.run([*script, self.root / "old", self.root / "new", *words], capture_output=True, text=True)
        return run.returncode, run.stdout, run.stderr

    def row(self, out, benchmark):
        """Old time, new time, ratio, least and largest."""
        line = next(line for line in out.splitlines() if line.startswith(benchmark + " "))
        return [float(word) for word in re.findall(r"[0-9.]+", line.removeprefix(benchmark))]

    def test_a_faster_new_build_has_a_ratio_above_one(self):
        self.program("old", {"encode": [200, 200, 200]})
        self.program("new", {"encode": [100, 100, 100]})
        status, out, _ = self.compare("--rounds", "3")
        self.assertEqual(status, 0)
        self.assertEqual(self.row(out, "encode"), [200, 100, 2, 2, 2])

    def test_ratios_are_taken_within_rounds(self):
        # 1, 4 and 1.5: their median is not the ratio of the medians, 300 / 100
        self.program("old", {"encode": [100, 400, 300]})
        self.program("new", {"encode": [100, 100, 200]})
        self.assertEqual(self.row(self.compare("--rounds", "3")[1], "encode"), [300, 100, 1.5, 1, 4])

    def test_units(self):
        self.program("old", {"encode": [3]}, unit="us")
        self.program("new", {"encode": [1500]})
        self.assertEqual(self.row(self.compare("--rounds", "1")[1], "encode"), [3000, 1500, 2, 2, 2])

    def test_builds_take_turns_at_being_first(self):
        self.program("old", {"encode": [1, 1, 1]})
        self.program("new", {"encode": [1, 1, 1]})
        self.compare("--rounds", "3")
        self.assertEqual((self.root / "order").read_text().split(), ["old", "new", "new", "old", "old", "new"])

    def test_the_machine_is_named(self):
        self.program("old", {"encode": [1]})
        self.program("new", {"encode": [1]})
        self.assertRegex(self.compare("--rounds", "1")[1].splitlines()[0], r"^\S.*, \d+ cores$")

    def test_other_lines_do_no_harm(self):
        self.program("old", {"encode": [1]}, extra="print('{ warming up'); print('warning', file=sys.stderr)")
        self.program("new", {"encode": [1]}, extra="print('encode 1 2 3')")
        status, out, _ = self.compare("--rounds", "1")
        self.assertEqual(status, 0)
        self.assertEqual(self.row(out, "encode"), [1, 1, 1, 1, 1])

    def test_a_program_that_fails_ends_it(self):
        self.program("old", {"encode": [1]})
        self.program("new", {"encode": [1]}, extra="sys.exit('no such kernel')")
        status, out, err = self.compare("--rounds", "1")
        self.assertEqual(status, 1)
        self.assertNotIn("encode", out)
        self.assertRegex(err, r"^bench_compare: .*/new/signfold_x_bench failed with status 1: no such kernel\n$")

    def test_benchmarks_of_one_build_only(self):
        self.program("old", {"gone": [1], "both": [1]})
        self.program("new", {"both": [1], "fresh": [1]})
        out = self.compare("--rounds", "1")[1]
        self.assertRegex(out, r"(?m)^gone +only in the old build$")
        self.assertRegex(out, r"(?m)^fresh +only in the new build$")
        self.assertEqual(self.row(out, "both"), [1, 1, 1, 1, 1])

    def test_only_selects_programs(self):
        for build in ("old", "new"):
            for name in ("signfold_codec_bench", "signfold_simd_bench"):
                self.program(build, {name: [1]}, name=name)
        status, out, _ = self.compare("--rounds", "1", "--only", "codec")
        self.assertEqual(status, 0)
        self.assertIn("signfold_codec_bench", out)
        self.assertNotIn("signfold_simd_bench", out)

    def test_nothing_in_common(self):
        self.program("old", {"encode": [1]}, name="signfold_a_bench")
        self.program("new", {"encode": [1]}, name="signfold_b_bench")
        status, _, err = self.compare()
        self.assertEqual((status, err), (1, "bench_compare: the two builds have no benchmark in common\n"))


if __name__ == "__main__":
    unittest.main()
