"""Measures what a make process costs: one target, `make help`, and trees of many makes.

    python -m ci.bench.trees [--quick] [--make PATH]

Prints a table: milliseconds of processor time and of waiting for plain make, with the compiled fast path, with the
Python shim, with a wrapper in C (static, -O2), and with the floor (ci/bench/floor.c), a program that only starts the
line, waits and appends. All take turns in one run. Processor time hardly depends on what else the machine does.
"""

from __future__ import annotations

import argparse
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
PLAIN, COMPILED, PYTHON, WRAPPER, FLOOR = "plain make", "compiled", "Python shim", "C wrapper, static", "floor"
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


def submakes(count: int, lines: int, jobs: int, rounds: int) -> Tree:
    """A tree of one make with `count` makes below it, each with so many lines; no lines: nothing is to be done."""
    targets = " ".join(f"t{number}" for number in range(count))
    top = f"all: {targets}\n{targets}:\n\t@$(MAKE) --no-print-directory -C sub\n"
    name = f"{count} sub-makes of {lines} line{'s' * (lines != 1)}, -j{jobs}" if lines else f"{count} no-op sub-makes"
    sub = "all:\n" + "\t@/bin/true\n" * lines if lines else "all: Makefile\n"
    return Tree(name, top, sub, jobs=jobs, rounds=rounds)


TREES = (
    Tree("one trivial target", "all:\n\t@:\n", rounds=40),
    Tree("make help", _HELP, goal="help", rounds=40),
    submakes(10, 1, 1, 20),
    submakes(100, 1, 1, 7),
    submakes(100, 1, 2, 7),
    submakes(100, 20, 1, 3),
    submakes(100, 20, 2, 3),
    submakes(100, 0, 1, 7),
    submakes(500, 1, 1, 3),
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
        WRAPPER: f"SHELL := {static(_HERE / 'wrapper.c', workspace.folder / 'static-wrapper')}\n",
        FLOOR: f"SHELL := {static(_HERE / 'floor.c', workspace.folder / 'floor')}\n",
    }
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
    """The medians as a table of Markdown: processor time, how many times plain make's, and the time that passes."""
    lines = ["| tree | way | CPU ms | times plain | wall ms |", "|---|---|---:|---:|---:|"]
    for tree, ways in results.items():
        plain = Spread.of([one.cpu_seconds for one in ways[PLAIN]]).median
        for way, used in ways.items():
            cpu = Spread.of([one.cpu_seconds for one in used]).median
            wall = Spread.of([one.seconds for one in used]).median
            lines.append(f"| {tree} | {way} | {cpu * 1000:.1f} | {cpu / plain:.2f} | {wall * 1000:.1f} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m ci.bench.trees", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="fewer trees and rounds")
    parser.add_argument("--make", default=shutil.which("make"), help="the make to measure with")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="make-metrics-bench-") as folder:
        workspace = Workspace(Path(folder), options.make)
        trees = QUICK if options.quick else TREES
        results = {tree.name: measure(workspace, tree, 3 if options.quick else tree.rounds) for tree in trees}
    sys.stdout.write(table(results))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
