"""Build generated makefiles with plain make and with the include line, and compare output, status and files.

    python -m ci.differential --seconds 60 --seed 1 --make make

Each program has a number, its seed: `--seed 7 --count 1` repeats number 7. What differs is made small and printed. A
program that plain make does not build the same each time (its recipes race) and of which ours is no known way is
undecided. The exit status is 1 if something differs.
"""

from __future__ import annotations

import argparse
import os
import queue
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ci.conformance.execute import stop_ignoring_signals
from ci.conformance.report import probe
from ci.differential.compare import Comparer
from ci.differential.generate import generate
from ci.differential.shrink import shrink
from make_metrics.setup import fragment

_SHRINK_S = 60
_SHOWN = 30


def arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m ci.differential", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=60, help="how long to generate programs")
    parser.add_argument("--count", type=int, help="how many programs, in place of a time")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="the number of the first program")
    parser.add_argument("--make", type=Path, default=Path("make"), help="the make to examine")
    parser.add_argument("--shim", choices=["compiled", "python", "both"], help="default: both, if both are there")
    parser.add_argument(
        "--without-shell", action="store_true", help="leave out what names SHELL, so that make has the SHELL hook"
    )
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1), help="how many programs at once")
    options = parser.parse_args(words)
    make = shutil.which(options.make)
    if not make:
        parser.error(f"--make: there is no program {options.make}")
    options.make = Path(make).absolute()
    if options.shim in ("compiled", "both") and not fragment.launcher():
        parser.error("the compiled launcher was not built: python ci/build_launcher.py")
    options.shim = options.shim or ("both" if fragment.launcher() else "python")
    return options


@dataclass(slots=True)
class Search:
    """The programs that were run so far, and what they have shown."""

    options: argparse.Namespace
    numbers: queue.SimpleQueue[int] = field(default_factory=queue.SimpleQueue)
    until: float = float("inf")
    programs: int = 0
    recorded: int = 0
    undecided: list[int] = field(default_factory=list)
    differing: list[int] = field(default_factory=list)
    _next: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self) -> int | None:
        """The number of the next program; None at the end."""
        with self._lock:
            if time.monotonic() >= self.until or (self.options.count is not None and self._next >= self.options.count):
                return None
            self._next += 1
            return int(self.options.seed) + self._next - 1

    def work(self, comparer: Comparer) -> None:
        """Run programs until the time is over."""
        while (seed := self.take()) is not None:
            program = generate(seed, names_shell=not self.options.without_shell)
            result = comparer.compare(program)
            with self._lock:
                self.programs += 1
                self.recorded += bool(result.events)
                self.undecided += [seed] if result.undecided else []
            if not result.differences:
                continue
            small = shrink(program, lambda other: bool(comparer.compare(other).differences), seconds=_SHRINK_S)
            lines = comparer.compare(small).differences or result.differences
            with self._lock:
                self.differing.append(seed)
                print(f"## seed {seed}\n{small}" + "\n".join(line[:300] for line in lines[:_SHOWN]), flush=True)


def _listed(seeds: list[int]) -> str:
    """How many, and which."""
    return f"{len(seeds)} ({' '.join(map(str, sorted(seeds)))})" if seeds else "0"


def main(words: Sequence[str] | None = None) -> int:
    """Run generated programs, print what differs and how many there were."""
    options = arguments(words)
    stop_ignoring_signals()
    shims = ("compiled", "python") if options.shim == "both" else (options.shim,)
    search = Search(options)
    if options.count is None:
        search.until = time.monotonic() + options.seconds
    with tempfile.TemporaryDirectory(prefix="mm-") as root:
        workers = [
            threading.Thread(target=search.work, args=(Comparer(Path(root) / f"w{number}", options.make, shims=shims),))
            for number in range(options.jobs)
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    print(f"GNU make {probe(options.make)['version']}, {' and '.join(shims)}: {search.programs} programs from seed "
          f"{options.seed} on, {search.recorded} with events, {_listed(search.undecided)} undecided, "
          f"{_listed(search.differing)} differ")  # fmt: skip
    return 1 if search.differing else 0


if __name__ == "__main__":
    sys.exit(main())
