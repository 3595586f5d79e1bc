"""Runs and times whole processes; median and quartiles of several times."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Spread:
    """Median and quartiles of several measurements."""

    median: float
    low: float
    high: float
    count: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """The spread of some values; a single one is also its quartiles."""
        low, median, high = statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else [*values] * 3
        return cls(median, low, high, len(values))


@dataclass(frozen=True)
class Ended:
    """What a process has used that has ended."""

    seconds: float
    cpu_seconds: float  # with the children that it waited for; hardly depends on how busy the machine is
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
    """The seconds that a program runs."""
    return ended(words, folder, environ).seconds


def in_turn(
    runs: Mapping[str, tuple[Sequence[str], Path]],
    environ: Mapping[str, str],
    rounds: int,
    before: Callable[[], None] = lambda: None,
) -> dict[str, Spread]:
    """Milliseconds of several programs, run in turn; `before` is called before each."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, (words, folder) in runs.items():
            before()
            times[name].append(timed(words, folder, environ) * 1000)
    return {name: Spread.of(values) for name, values in times.items()}
