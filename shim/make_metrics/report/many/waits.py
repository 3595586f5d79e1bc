"""How long people waited for make, and for what: the table and the JSON of `make-metrics report --by day`. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from make_metrics.combine.event import timestamp
from make_metrics.report.rows import VERSION, duration
from make_metrics.report.table import Column
from make_metrics.store.questions.waits import Wait

FIELDS = ("period", "runs", "failures", "waited_ms", "goals", "targets")
NOTE = (
    "waited: how long the runs took, added up. goals: what was asked for. "
    "targets: their own lines, with the makes that they start."
)
_SHOWN, _LISTED = 3, 20


def table(waits: Sequence[Wait]) -> tuple[list[Column], list[list[str]]]:
    """Columns and rows for people: what took longest comes first."""
    columns = [
        Column("period"),
        Column("runs", number=True),
        Column("failed", number=True, alarm=True),
        Column("waited", number=True),
        Column("goals", shrinks=True),
        Column("targets", shrinks=True, dropped=1),
    ]
    rows = [
        [
            wait.period,
            str(wait.runs),
            str(wait.failures),
            duration(wait.waited_ms),
            _longest({name: ms * 1_000 for name, ms in wait.goals.items()}),
            _longest(wait.targets),
        ]
        for wait in waits
    ]
    return columns, rows


def in_all(waits: Sequence[Wait]) -> str:
    """What the rows add up to, as a sentence."""
    runs, failures = sum(wait.runs for wait in waits), sum(wait.failures for wait in waits)
    waited = duration(sum(wait.waited_ms for wait in waits))
    return f"In all {runs} run{'s' * (runs != 1)}, {failures} of them failed, {waited}. "


def record(wait: Wait) -> dict[str, Any]:
    """A row for programs: times are milliseconds, and up to 20 goals and targets are listed."""
    return {
        "period": wait.period,
        "runs": wait.runs,
        "failures": wait.failures,
        "waited_ms": wait.waited_ms,
        "goals": [[name, ms] for name, ms in islice(wait.goals.items(), _LISTED)],
        "targets": [[name, (us + 500) // 1_000] for name, us in islice(wait.targets.items(), _LISTED)],
    }


def document(
    waits: Sequence[Wait], *, by: str, since_ns: int | None, until_ns: int | None, project: str
) -> dict[str, Any]:
    """The rows as a JSON document. `since`, `until` and `project` are null where it is about all."""
    return {
        "version": VERSION,
        "by": by,
        "since": None if since_ns is None else timestamp(since_ns),
        "until": None if until_ns is None else timestamp(until_ns),
        "project": project or None,
        "periods": [record(wait) for wait in waits],
    }


def _longest(times_us: Mapping[str, int]) -> str:
    shown = [f"{name} {duration((us + 500) // 1_000)}" for name, us in islice(times_us.items(), _SHOWN)]
    return ", ".join(shown) + ", ..." * (len(times_us) > _SHOWN)
