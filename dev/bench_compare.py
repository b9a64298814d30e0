#!/usr/bin/env python3
"""Runs the micro-benchmarks of two builds in turns and prints how their times compare.

Usage: bench_compare.py OLD_BUILD NEW_BUILD [--rounds N] [--only WORD]

Each round runs every program of both builds, the old one first in even rounds and last in odd ones, so that what else
the machine does falls on both. A ratio is old time over new time within one round (above 1: the new one is faster);
the median over the rounds is printed, with the least and the largest. A program that fails ends the comparison.
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "bench"))
from machine import machine


def programs(build: pathlib.Path, word: str) -> dict[str, pathlib.Path]:
    return {p.name: p for p in sorted(build.glob("signfold_*_bench")) if word in p.name and p.is_file()}


def times(program: pathlib.Path, seconds: float) -> dict[str, float]:
    """Nanoseconds of processor time per call, by the name of the benchmark. Read from a file: a program may print."""
    with tempfile.NamedTemporaryFile() as out:
        command = [program, f"--benchmark_out={out.name}", "--benchmark_out_format=json",
                   f"--benchmark_min_time={seconds}"]
        run = subprocess.run(command, capture_output=True, text=True)
        if run.returncode != 0:
            last = (run.stderr.strip() or "no message").splitlines()[-1]
            raise SystemExit(f"bench_compare: {program} failed with status {run.returncode}: {last}")
        benchmarks = json.loads(out.read())["benchmarks"]
    unit = {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}
    return {b["name"]: b["cpu_time"] * unit[b["time_unit"]] for b in benchmarks}


def ratios(old: list[dict[str, float]], new: list[dict[str, float]], name: str) -> list[float]:
    return [a[name] / b[name] for a, b in zip(old, new)]


def compare(name: str, pair: tuple[pathlib.Path, pathlib.Path], rounds: int, seconds: float) -> None:
    runs: tuple[list[dict[str, float]], list[dict[str, float]]] = ([], [])
    for k in range(rounds):
        for side in (0, 1) if k % 2 == 0 else (1, 0):
            runs[side].append(times(pair[side], seconds))
    print(f"{name}, {rounds} rounds")
    print(f"{'':<44} {'old ns':>12} {'new ns':>12} {'old/new':>8}  {'range':>15}")
    for benchmark in runs[0][0]:
        if benchmark not in runs[1][0]:
            print(f"{benchmark:<44} only in the old build")
            continue
        r = ratios(*runs, benchmark)
        was, now = (statistics.median(t[benchmark] for t in side) for side in runs)
        spread = f"{min(r):.2f} to {max(r):.2f}"
        print(f"{benchmark:<44} {was:>12.0f} {now:>12.0f} {statistics.median(r):>8.2f}  {spread:>15}")
    for benchmark in runs[1][0]:
        if benchmark not in runs[0][0]:
            print(f"{benchmark:<44} only in the new build")
    print()


def main() -> int:
    parser = argparse.ArgumentParser(description="Compare the micro-benchmarks of two builds.")
    parser.add_argument("old", type=pathlib.Path)
    parser.add_argument("new", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", default="")
    parser.add_argument("--seconds", type=float, default=0.05, help="least time of one benchmark in one round")
    options = parser.parse_args()
    old, new = programs(options.old, options.only), programs(options.new, options.only)
    common = old.keys() & new.keys()
    if not common:
        print("bench_compare: the two builds have no benchmark in common", file=sys.stderr)
        return 1
    print(machine())
    for name in sorted(common):
        compare(name, (old[name], new[name]), options.rounds, options.seconds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
