"""Metrics of a target's resources: what the system told the shim about each recipe line that ended."""

from __future__ import annotations

from make_metrics.properties.facts import TargetFacts
from make_metrics.properties.metric import Metric

_SHIMS = ("make_metrics/hot/line.py", "make_metrics/hot/launcher.c")


class ProcessorTime(Metric):
    """The processor time of the target's own recipe lines, with all processes that they waited for."""

    identifier = "cpu_ms"
    kind = "integer"
    values = "milliseconds of processor time of the target's own recipe lines; left out where there are none"
    purpose = "to tell targets that compute from targets that wait"
    example = 950
    scope = "target"
    most = 2**43
    sources = _SHIMS

    def value(self, target: TargetFacts) -> int | None:
        """The time, rounded to milliseconds; None if it is not known."""
        return None if target.cpu_us is None else (target.cpu_us + 500) // 1000


class PeakMemory(Metric):
    """The most memory that any program of the target's own recipe lines held."""

    identifier = "peak_memory_kib"
    kind = "integer"
    values = "KiB, the most that a program of the target's own recipe lines held; left out where there are none"
    purpose = "how much memory a machine needs for the build"
    example = 51200
    scope = "target"
    most = 2**43
    sources = _SHIMS

    def value(self, target: TargetFacts) -> int | None:
        """The record's number; None if it is not known."""
        return target.peak_kib
