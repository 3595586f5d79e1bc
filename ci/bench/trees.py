"""Measures what a make process costs: one target, `make help`, and trees of many makes.

    python -m ci.bench.trees [--quick] [--make PATH] [--only TEXT] [--out FILE]

Prints a table: milliseconds of processor time and of waiting for plain make, with the compiled fast path, with the
Python shim, with a wrapper in shell and one in C (static, -O2), and with the floor (ci/bench/floor.c), a program that
only starts the line, waits and appends. All take turns in one run. Processor time depends little on what else the
machine does; the table has the lowest that was seen, and its ratio to plain make's lowest. --only takes the trees whose
name has TEXT in it; each alone takes less than three minutes. --out writes the table, and leaves what follows it in the
page, from the first "## " on.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ci.bench.timing import Ended, Spread, ended
from ci.bench.workspace import Workspace

_HERE = Path(__file__).resolve().parent
PLAIN, COMPILED, PYTHON = "plain make", "compiled", "Python shim"
SHELL_WRAPPER, WRAPPER, FLOOR = "shell wrapper", "C wrapper, static", "floor"
_SLOW = (PYTHON, SHELL_WRAPPER)  # not in the largest trees
_HELP = "help: # this text\n\t@grep -E '^[a-z]+:.*#' $(MAKEFILE_LIST) | sort\n"


@dataclass(frozen=True)
class Tree:
    """A Makefile, and that of the sub-makes if it has any; rounds for a full measurement."""

    name: str
    top: str
    sub: str = ""
    goal: str = "all"
    jobs: int = 1
    rounds: int = 20
    slow: bool = True  # whether the slow ways are measured too


def submakes(count: int, lines: int, jobs: int, rounds: int) -> Tree:
    """A tree of one make with `count` makes below it, each with so many lines; no lines: nothing is to be done."""
    targets = " ".join(f"t{number}" for number in range(count))
    top = f"all: {targets}\n{targets}:\n\t@$(MAKE) --no-print-directory -C sub\n"
    name = f"{count} sub-makes of {lines} line{'s' * (lines != 1)}, -j{jobs}" if lines else f"{count} no-op sub-makes"
    sub = "all:\n" + "\t@/bin/true\n" * lines if lines else "all: Makefile\n"
    return Tree(name, top, sub, jobs=jobs, rounds=rounds, slow=count * max(lines, 1) <= 20)


TREES = (
    Tree("one trivial target", "all:\n\t@:\n", rounds=150),
    Tree("make help", _HELP, goal="help", rounds=150),
    *(submakes(count, 1, jobs, rounds) for count, rounds in ((10, 13), (100, 15), (500, 4)) for jobs in (1, 2)),
    *(submakes(count, 20, jobs, 100 // count + 2) for count in (10, 100) for jobs in (1, 2)),
    submakes(100, 0, 1, 20),
)
QUICK = TREES[:3]


def static(source: Path, target: Path) -> Path:
    """Build a program as the launcher is built: static, with musl where that is there."""
    compiler = "musl-gcc" if shutil.which("musl-gcc") else "cc"
    subprocess.run([compiler, "-O2", "-static", "-s", "-o", target, source], check=True)
    return target


def measure(workspace: Workspace, tree: Tree, rounds: int) -> dict[str, list[Ended]]:
    """What a tree's makes have used, by the way of timing lines."""
    tails = {
        PLAIN: "",
        COMPILED: f"-include {workspace.compiled}\n",
        PYTHON: f"-include {workspace.python}\n",
        SHELL_WRAPPER: f"SHELL := {workspace.shell_wrapper}\n",
        WRAPPER: f"SHELL := {static(_HERE / 'wrapper.c', workspace.folder / 'static-wrapper')}\n",
        FLOOR: f"SHELL := {static(_HERE / 'floor.c', workspace.folder / 'floor')}\n",
    }
    tails = {way: tail for way, tail in tails.items() if tree.slow or way not in _SLOW}
    workspace.clear()
    used: dict[str, list[Ended]] = {way: [] for way in tails}
    for way, tail in tails.items():
        folder = workspace.work / way
        (folder / "sub").mkdir(parents=True)
        (folder / "Makefile").write_text(tree.top + tail)
        (folder / "sub/Makefile").write_text(tree.sub + tail)
    words = [workspace.make, f"-j{tree.jobs}", tree.goal]
    for _ in range(rounds):
        for way in tails:
            for path in workspace.paths.records.glob("*"):  # many records would be combined
                path.unlink()
            used[way].append(ended(words, workspace.work / way, workspace.environment("/bin/sh")))
    return used


def table(results: Mapping[str, Mapping[str, Sequence[Ended]]]) -> str:
    """A table of Markdown: processor time, what is added, how many times plain make's, and the time on the clock."""
    lines = [
        "| tree | way | CPU ms, lowest (median) | added | times plain | wall ms, lowest |",
        "| --- | --- | --: | --: | --: | --: |",
    ]
    for tree, ways in results.items():
        plain = min(one.cpu_seconds for one in ways[PLAIN]) * 1000
        for way, used in ways.items():
            cpu = min(one.cpu_seconds for one in used) * 1000
            median = Spread.of([one.cpu_seconds for one in used]).median * 1000
            wall = min(one.seconds for one in used) * 1000
            added = "" if way == PLAIN else f"{cpu - plain:+.2f}"
            lines.append(f"| {tree} | {way} | {cpu:.2f} ({median:.2f}) | {added} | {cpu / plain:.2f} | {wall:.2f} |")
    return "\n".join(lines) + "\n"


def page(results: Mapping[str, Mapping[str, Sequence[Ended]]], make: str, loads: tuple[float, float]) -> str:
    """The page docs/performance-makes.md."""
    return (
        "# What a make process costs\n\n"
        f"Written by `python -m ci.bench.trees --out docs/performance-makes.md`: {make}, {os.cpu_count()} processors, "
        f"load {loads[0]:.1f} at the start and {loads[1]:.1f} at the end.\n"
        "All ways take turns. Each figure is the lowest of its rounds, as other work on the machine only adds to it.\n"
        "The floor is a static C program that only starts the line, waits and appends; the C wrapper is static too.\n"
        "The trivial target's line is `:`, for which plain make starts nothing.\n\n"
        f"{table(results)}"
    )


def main() -> int:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m ci.bench.trees", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="fewer trees and rounds")
    parser.add_argument("--make", default=shutil.which("make"), help="the make to measure with")
    parser.add_argument("--only", default="", metavar="TEXT", help="the trees whose name has TEXT in it")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the page to FILE too")
    options = parser.parse_args()
    before = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="make-metrics-bench-") as folder:
        workspace = Workspace(Path(folder), options.make)
        trees = [tree for tree in (QUICK if options.quick else TREES) if options.only in tree.name]
        results = {tree.name: measure(workspace, tree, 3 if options.quick else tree.rounds) for tree in trees}
    sys.stdout.write(table(results))
    if options.out:
        done = subprocess.run([options.make, "--version"], capture_output=True, text=True, check=True)
        loads = before, os.getloadavg()[0]
        earlier = options.out.read_text() if options.out.exists() else ""
        rest = "".join(earlier.partition("\n## ")[1:])
        options.out.write_text(page(results, done.stdout.splitlines()[0], loads) + rest)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
