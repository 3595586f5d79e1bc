"""Measures what recording costs and writes it down.

    python -m ci.bench [--quick] [--part NAME ...] [--make PATH] [--out FOLDER] [--sources FOLDER]

Writes performance.md and performance.json to docs (or FOLDER). Its parts:

  - starts: how long an interpreter takes to start
  - lines: milliseconds of a recipe line: plain make, the compiled and the Python shim with either hook, and simpler
    ways to time a line (a wrapper in shell, in C, in Python; strace)
  - makes and real: whole makes, and a real project's build
  - waiting: memory of 1,000 lines that wait for their recipes
  - sending: when make ends, with receivers that answer, refuse or hang (alone: python -m ci.bench.ends)
  - growth: from 10 to 10,000 lines

With --part only these are measured; the others stay as performance.json has them from an earlier run.

What a make process costs, also in trees of many makes, is measured alone: python -m ci.bench.trees.

All ways take turns with plain make in one run. It takes some minutes; --quick takes less than one, with fewer rounds.
No test compares with the figures.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from ci.bench import parts, whole
from ci.bench.report import Results, markdown
from ci.bench.workspace import Workspace
from ci.build_launcher import ROOT, NotBuilt


def main() -> int:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(
        prog="python -m ci.bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="fewer rounds; under a minute")
    parser.add_argument("--part", nargs="+", choices=parts.PARTS, metavar="NAME", help="only these parts")
    parser.add_argument("--make", default=shutil.which("make"), help="the make to measure with")
    parser.add_argument("--out", type=Path, default=ROOT / "docs", help="the folder to write to")
    parser.add_argument("--sources", type=Path, help="a folder that keeps the real project's fetched sources")
    options = parser.parse_args()
    done = subprocess.run([options.make, "--version"], capture_output=True, text=True, check=True)
    kept = options.out / "performance.json"
    earlier: Results | None = None
    if options.part:
        try:
            earlier = parts.read(kept)
        except (OSError, ValueError) as error:
            parser.error(f"--part adds to the results of a whole run, and there are none: {error}")
    machine = whole.machine()
    with tempfile.TemporaryDirectory(prefix="make-metrics-bench-") as folder:
        try:
            workspace = Workspace(Path(folder), options.make)
        except NotBuilt as reason:
            sys.stderr.write(f"the compiled launcher cannot be built: {reason}\n")
            return 1
        measured = parts.measure(
            workspace, options.part or [*parts.PARTS], quick=options.quick, sources=options.sources
        )
    if earlier:
        results = replace(earlier, **measured)
    else:
        command = "python -m ci.bench" + " --quick" * options.quick
        results = Results(machine=machine, make=done.stdout.splitlines()[0], command=command, **measured)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "performance.md").write_text(markdown(results))
    parts.write(results, kept)
    sys.stdout.write(markdown(results))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
