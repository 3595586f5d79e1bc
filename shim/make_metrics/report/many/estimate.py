"""How long a run will likely take: from the runs before it that had the same goals."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from make_metrics.dataclass import dataclass
from make_metrics.report.rows import duration
from make_metrics.report.screen import Part, name

MOST_RUNS = 20  # a project changes: older runs say less
_FOR_RANGE = 4  # runs; quartiles of fewer mean nothing
SCHEMA_VERSION = 1
FIELDS = ("goals", "runs", "median_ms", "low_ms", "high_ms", "running_ms", "left_ms")


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What the runs before say. Times are milliseconds.

    Half of the `runs` took from `low_ms` to `high_ms`; both are None for fewer than four. `running_ms` is how long a
    make with these goals has been running, None if none runs; `left_ms` what it will likely still take, at least 0.
    """

    goals: tuple[str, ...]
    runs: int
    median_ms: int
    low_ms: int | None
    high_ms: int | None
    running_ms: int | None = None

    @property
    def left_ms(self) -> int | None:
        """What is likely left of the make that runs."""
        return None if self.running_ms is None else max(self.median_ms - self.running_ms, 0)


def estimate(goals: Sequence[str], durations_ms: Sequence[int], *, running_ms: int | None = None) -> Estimate:
    """An estimate from the durations of runs; raises ValueError without any."""
    if not durations_ms:
        raise ValueError("there are no runs")
    low = high = None
    if len(durations_ms) >= _FOR_RANGE:
        low, _, high = (round(value) for value in statistics.quantiles(durations_ms, n=4, method="inclusive"))
    return Estimate(
        goals=tuple(goals),
        runs=len(durations_ms),
        median_ms=round(statistics.median(durations_ms)),
        low_ms=low,
        high_ms=high,
        running_ms=running_ms,
    )


def text(estimated: Estimate) -> str:
    """The estimate in words."""
    return "".join(part.text for part in parts(estimated))


def parts(estimated: Estimate) -> list[Part]:
    """The estimate in words: the command, and the rest."""
    return [name(" ".join(("make", *estimated.goals))), Part(_said(estimated))]


def _said(estimated: Estimate) -> str:
    usual = duration(estimated.median_ms)
    if estimated.low_ms is None or estimated.high_ms is None:
        evidence = "as its only run did" if estimated.runs == 1 else f"by its {estimated.runs} runs"
    else:
        span = f"{duration(estimated.low_ms)} to {duration(estimated.high_ms)}"
        evidence = f"half of its newest {estimated.runs} runs took {span}"
    if estimated.running_ms is None:
        return f" takes about {usual}: {evidence}."
    running = f" has been running for {duration(estimated.running_ms)}"
    if estimated.left_ms:
        return f"{running}: about {duration(estimated.left_ms)} to go. It takes about {usual}: {evidence}."
    return f"{running}, longer than the {usual} that it takes: {evidence}."


def document(estimated: Estimate) -> dict[str, object]:
    """The estimate for programs; its version changes if a field changes its meaning or goes away."""
    return {
        "version": SCHEMA_VERSION,
        "goals": list(estimated.goals),
        "runs": estimated.runs,
        "median_ms": estimated.median_ms,
        "low_ms": estimated.low_ms,
        "high_ms": estimated.high_ms,
        "running_ms": estimated.running_ms,
        "left_ms": estimated.left_ms,
    }
