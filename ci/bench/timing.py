"""Times of whole processes, and what a row of them says."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Spread:
    """The median of several measurements, and the quartiles on either side of it."""

    median: float
    low: float
    high: float
    count: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """What the values say."""
        low, median, high = statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else [*values] * 3
        return cls(median, low, high, len(values))


@dataclass(frozen=True)
class Ended:
    """A process that has ended."""

    seconds: float
    cpu_seconds: float  # with all that it waited for; says the same on a busy machine
    peak_mib: float


def ended(words: Sequence[str], folder: Path, environ: Mapping[str, str]) -> Ended:
    """Run a program to its end in a folder; raises RuntimeError if it fails."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        nowhere = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
        start = time.perf_counter()
        child = os.posix_spawnp(words[0], [*words], environ, file_actions=nowhere)
        _, status, usage = os.wait4(child, 0)
        seconds = time.perf_counter() - start
    finally:
        os.chdir(before)
    if status:
        raise RuntimeError(f"{' '.join(words)} ended with {os.waitstatus_to_exitcode(status)}")
    return Ended(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def timed(words: Sequence[str], folder: Path, environ: Mapping[str, str]) -> float:
    """Seconds that a program takes."""
    return ended(words, folder, environ).seconds


def in_turn(
    runs: Mapping[str, tuple[Sequence[str], Path]],
    environ: Mapping[str, str],
    rounds: int,
    before: Callable[[], None] = lambda: None,
) -> dict[str, Spread]:
    """Milliseconds of several programs, run in turn; `before` is called before each."""
    found: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, (words, folder) in runs.items():
            before()
            found[name].append(timed(words, folder, environ) * 1000)
    return {name: Spread.of(values) for name, values in found.items()}
