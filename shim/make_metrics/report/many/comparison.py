"""What became slower or faster: lines, table, Markdown and JSON of `make-metrics compare`. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median
from typing import Any

from make_metrics.analysis.changes import LEAST_RUNS, Change, Changes, Verdict
from make_metrics.combine.event import timestamp
from make_metrics.dataclass import dataclass
from make_metrics.report.rows import duration, jobs_text
from make_metrics.report.screen import Part, name
from make_metrics.report.table import Column
from make_metrics.store.questions.costs import relative
from make_metrics.store.questions.own_times import OneRun, Place

VERSION = 1
FIELDS = (
    "directory", "target", "verdict", "before_runs", "after_runs", "before_ms", "after_ms", "difference_ms", "percent",
    "p",
)  # fmt: skip
RULE = (
    "Counted: medians that differ by 5% and 10ms at least, and by more than chance "
    "(Mann-Whitney, 5% false discoveries)."
)
SINGLE_RULE = (
    "Counted: 5% and 10ms at least, and farther from the median of earlier runs than 3 times 1.4826 times their MAD."
)
_ORDER = {verdict: place for place, verdict in enumerate(Verdict)}
_SHOWN = (Verdict.SLOWER, Verdict.FASTER, Verdict.NEW, Verdict.VANISHED)


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a comparison: its name for people, and its runs, one at least."""

    name: str
    runs: Sequence[OneRun]

    @property
    def median_ms(self) -> int:
        """The median duration of the runs."""
        return round(median(run.duration_ms for run in self.runs))

    @property
    def jobs(self) -> list[int]:
        """The numbers of jobs that its runs had."""
        return sorted({run.jobs for run in self.runs})


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two sides, and what became of each target. `above` is the part that fails, None if nothing does."""

    before: Side
    after: Side
    changes: Changes[Place]
    project: str
    above: float | None = None

    @property
    def ordered(self) -> list[tuple[Place, Change]]:
        """All targets: the slower ones first, the largest difference first."""
        return sorted(
            self.changes.by_key.items(),
            key=lambda item: (_ORDER[item[1].verdict], -abs(item[1].difference_us), item[0]),
        )

    @property
    def too_slow(self) -> list[Place]:
        """The targets that became slower by more than `above`."""
        if self.above is None:
            return []
        slower = [(place, change) for place, change in self.ordered if change.verdict is Verdict.SLOWER]
        return [place for place, change in slower if change.part is None or change.part > self.above]

    @property
    def single(self) -> bool:
        """Whether a side is one run, so that it is compared with what is usual."""
        return min(len(self.before.runs), len(self.after.runs)) == 1


def heading(compared: Comparison) -> Iterator[Sequence[Part]]:
    """The lines above the table: what is compared."""
    for word, side in (("Before", compared.before), ("After", compared.after)):
        many = len(side.runs) != 1
        jobs = ", ".join(map(jobs_text, side.jobs))
        took = f"median {duration(side.median_ms)}" if many else duration(side.median_ms)
        counted = f"{len(side.runs)} runs, " if many else ""
        yield [Part(f"{word + ':':<8}"), name(side.name), Part(f" ({counted}{jobs}, {took})")]
    yield []


def table(compared: Comparison) -> tuple[list[Column], list[list[str]]]:
    """Columns and rows of what changed. The column of directories is there if they differ."""
    columns = [
        Column("target", shrinks=True),
        Column("change"),
        Column("before", number=True),
        Column("after", number=True),
        Column("by", number=True, dropped=2),
        Column("part", number=True),
        Column("runs", number=True, dropped=3),
    ]
    shown = [(place, change) for place, change in compared.ordered if change.verdict in _SHOWN]
    rows = [_cells(place, change) for place, change in shown]
    directories = [relative(compared.project, directory) for (directory, _), _ in shown]
    if len(set(directories)) > 1:
        columns.append(Column("directory", shrinks=True, dropped=1))
        rows = [[*row, directory] for row, directory in zip(rows, directories, strict=True)]
    return columns, rows


def notes(compared: Comparison, shown: int) -> Iterator[Sequence[Part]]:
    """The lines below the table, `shown` rows of which are printed."""
    if shown:
        yield []
    yield from ([Part(text)] for text in _notes(compared, shown))


def _notes(compared: Comparison, shown: int) -> Iterator[str]:
    """What was compared by which rule, and what keeps it from telling more."""
    verdicts = [change.verdict for change in compared.changes.by_key.values()]
    counts = {verdict: verdicts.count(verdict) for verdict in Verdict}
    rows = sum(counts[verdict] for verdict in _SHOWN)
    if shown < rows:
        yield f"{shown} of {rows} rows."
    if not counts[Verdict.SLOWER] and not counts[Verdict.FASTER]:
        yield "No target became slower or faster."
    few = counts[Verdict.TOO_FEW]
    judged = len(verdicts) - few - counts[Verdict.NEW] - counts[Verdict.VANISHED]
    text = f"{judged} target{'s' * (judged != 1)} compared by own time."
    if few:
        where = "earlier runs" if compared.single else "runs on a side"
        text += f" {few} not: fewer than {LEAST_RUNS} {where}."
    yield text
    yield SINGLE_RULE if compared.single else RULE
    if compared.changes.blind:
        yield f"With {compared.changes.tested} targets, so few runs cannot tell a change of one alone from chance."
    if compared.before.jobs != compared.after.jobs:
        yield "The sides differ in their numbers of jobs (-j), and so do times: --jobs N takes those with N."
    if counts[Verdict.VANISHED]:
        yield "vanished: not made in any run after; perhaps it was up to date, or not asked for."


def document(compared: Comparison, limit: int | None) -> dict[str, Any]:
    """The comparison as a JSON document, with all targets or the first `limit`."""
    return {
        "version": VERSION,
        "project": compared.project or None,
        "before": _side(compared.before),
        "after": _side(compared.after),
        "tested": compared.changes.tested,
        "blind": compared.changes.blind,
        "too_slow": len(compared.too_slow),
        "targets": records(compared)[:limit],
    }


def records(compared: Comparison) -> list[dict[str, Any]]:
    """A row for each target for programs. Times are milliseconds."""
    return [
        {
            "directory": directory,
            "target": target,
            "verdict": change.verdict.value,
            "before_runs": change.before_runs,
            "after_runs": change.after_runs,
            "before_ms": _ms(change.before_us),
            "after_ms": _ms(change.after_us),
            "difference_ms": _ms(change.difference_us),
            "percent": None if change.part is None else round(100 * change.part, 1) + 0.0,  # no -0.0
            "p": change.p,
        }
        for (directory, target), change in compared.ordered
    ]


def _side(side: Side) -> dict[str, Any]:
    return {
        "name": side.name,
        "runs": len(side.runs),
        "jobs": side.jobs,
        "median_ms": side.median_ms,
        "first_start": timestamp(min(run.started_ns for run in side.runs)),
        "last_start": timestamp(max(run.started_ns for run in side.runs)),
    }


def _cells(place: Place, change: Change) -> list[str]:
    before, after = ("" if us is None else duration(round(us / 1_000)) for us in (change.before_us, change.after_us))
    both = change.before_us is not None and change.after_us is not None
    sign = "-" if change.difference_us < 0 else "+"
    by = f"{sign}{duration(round(abs(change.difference_us) / 1_000))}" if both else ""
    part = f"{100 * change.part:+.0f}%" if change.part is not None else ""
    runs = f"{change.before_runs}/{change.after_runs}"
    return [place[1], change.verdict.value, before, after, by, part, runs]


def _ms(us: float | None) -> int | None:
    return None if us is None else round(us / 1_000)
