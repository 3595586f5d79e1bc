"""Measures what recording costs and writes it down.

    python -m ci.bench [--quick] [--make PATH] [--out FOLDER] [--sources FOLDER]

Writes performance.md and performance.json to docs (or FOLDER):

  - milliseconds of a recipe line: plain make, the compiled and the Python shim with either hook, and simpler ways to
    time a line (a wrapper in shell, in C, in Python; strace)
  - whole makes, and a real project's build
  - memory of 1,000 lines that wait for their recipes
  - when make ends, with receivers that answer, refuse or hang (alone: python -m ci.bench.ends)
  - growth from 10 to 10,000 lines

What a make process costs, also in trees of many makes, is measured alone: python -m ci.bench.trees.

All ways take turns with plain make in one run. It takes some minutes; --quick takes less than one, with fewer rounds.
No test compares with the figures.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from ci.bench import ends, lines, whole
from ci.bench.real import real
from ci.bench.report import Results, markdown
from ci.bench.waiting import waiting
from ci.bench.workspace import Workspace
from ci.build_launcher import ROOT, NotBuilt


def main() -> int:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(
        prog="python -m ci.bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="fewer rounds; under a minute")
    parser.add_argument("--make", default=shutil.which("make"), help="the make to measure with")
    parser.add_argument("--out", type=Path, default=ROOT / "docs", help="the folder to write to")
    parser.add_argument("--sources", type=Path, help="a folder that keeps the real project's fetched sources")
    options = parser.parse_args()
    done = subprocess.run([options.make, "--version"], capture_output=True, text=True, check=True)
    scenarios = lines.SCENARIOS[:2] if options.quick else lines.SCENARIOS
    machine = whole.machine()
    with tempfile.TemporaryDirectory(prefix="make-metrics-bench-") as folder:
        try:
            workspace = Workspace(Path(folder), options.make)
        except NotBuilt as reason:
            sys.stderr.write(f"the compiled launcher cannot be built: {reason}\n")
            return 1
        results = Results(
            machine=machine,
            make=done.stdout.splitlines()[0],
            command="python -m ci.bench" + " --quick" * options.quick,
            starts=whole.starts(workspace, 20 if options.quick else 100),
            lines=lines.measure(workspace, 3 if options.quick else 7, scenarios),
            makes=whole.makes(workspace, 10 if options.quick else 40),
            waiting=waiting(workspace, 128 if options.quick else 1_000),
            real=None if options.quick else real(workspace, 7, options.sources),
            sending=ends.measure(workspace, 3 if options.quick else 15),
            growth=whole.growth(workspace, 1_000 if options.quick else 10_000, 1 if options.quick else 3),
        )
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "performance.md").write_text(markdown(results))
    (options.out / "performance.json").write_text(json.dumps(asdict(results), indent=1) + "\n")
    sys.stdout.write(markdown(results))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
