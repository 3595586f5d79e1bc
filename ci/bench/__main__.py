"""Measures what recording costs and writes it down.

    python -m ci.bench [--quick] [--make PATH] [--out FOLDER] [--sources FOLDER]

Writes performance.md and performance.json into docs (or FOLDER): milliseconds a recipe line for plain make, for the
compiled and the Python shim with either hook, and for what one would write first (a shell wrapper, a C wrapper, a
Python wrapper, strace); whole makes; a real project's build; memory of 1,000 lines that wait; when make ends, whatever
a receiver does (alone: python -m ci.bench.ends); growth from 10 to 10,000 lines. Everything is measured against plain
make in the same run, in turn. Takes some minutes; --quick takes under one, with fewer rounds, and is for trying things
out. No test asserts any of it.
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
from ci.bench.place import Place
from ci.bench.real import real
from ci.bench.report import Results, markdown
from ci.bench.waiting import waiting
from ci.build_launcher import ROOT, NotBuilt


def main() -> int:
    """Measure, and write."""
    ask = argparse.ArgumentParser(
        prog="python -m ci.bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    ask.add_argument("--quick", action="store_true", help="fewer rounds; under a minute")
    ask.add_argument("--make", default=shutil.which("make"), help="the make to measure with")
    ask.add_argument("--out", type=Path, default=ROOT / "docs", help="the folder to write to")
    ask.add_argument("--sources", type=Path, help="a folder that keeps the real project's fetched sources")
    given = ask.parse_args()
    said = subprocess.run([given.make, "--version"], capture_output=True, text=True, check=True).stdout
    scenarios = lines.SCENARIOS[:2] if given.quick else lines.SCENARIOS
    machine = whole.machine()
    with tempfile.TemporaryDirectory(prefix="make-metrics-bench-") as folder:
        try:
            place = Place(Path(folder), given.make)
        except NotBuilt as reason:
            sys.stderr.write(f"there is no compiled fast path to measure: {reason}\n")
            return 1
        results = Results(
            machine=machine,
            make=said.splitlines()[0],
            command="python -m ci.bench" + " --quick" * given.quick,
            starts=whole.starts(place, 20 if given.quick else 100),
            lines=lines.measure(place, 3 if given.quick else 7, scenarios),
            makes=whole.makes(place, 10 if given.quick else 40),
            waiting=waiting(place, 128 if given.quick else 1_000),
            real=None if given.quick else real(place, 7, given.sources),
            sending=ends.measure(place, 3 if given.quick else 15),
            growth=whole.growth(place, 1_000 if given.quick else 10_000, 1 if given.quick else 3),
        )
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / "performance.md").write_text(markdown(results))
    (given.out / "performance.json").write_text(json.dumps(asdict(results), indent=1) + "\n")
    sys.stdout.write(markdown(results))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
