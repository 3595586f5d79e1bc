"""What got slower: this period against the one before, by the rule of `make-metrics compare`."""

from __future__ import annotations

from collections.abc import Iterator

from make_metrics.analysis.changes import Sample, Verdict, changes
from make_metrics.report.rows import duration
from make_metrics.server.pages import charts
from make_metrics.server.pages.filters import day_text
from make_metrics.server.pages.questions.targets import Histogram, histograms, people_who_passed
from make_metrics.server.pages.sections import Column, Section, View
from make_metrics.server.pages.views.asked import Asked
from make_metrics.server.storage.buckets import LOWER_MS

DEFAULT_DAYS = 7
_BARS = 15
_MOST = 100  # times of a target on each side: so many tell what more would tell
_ORDER = (Verdict.SLOWER, Verdict.FASTER, Verdict.SAME, Verdict.TOO_FEW, Verdict.NEW, Verdict.VANISHED)
_COLUMNS = (
    Column("target", "target", "target"),
    Column("verdict", "became"),
    Column("before_ms", "median before", "ms"),
    Column("after_ms", "median after", "ms"),
    Column("difference_ms", "difference", "ms"),
    Column("part", "part", "share"),
    Column("runs_before", "runs before", "count"),
    Column("runs_after", "runs after", "count"),
    Column("cost_ms", "in all", "ms"),
)


def view(asked: Asked) -> View:
    """The page."""
    scope, earlier = asked.scope, asked.scope.before()
    after, before = (histograms(asked.connection, each) for each in (scope, earlier))
    people_after, people_before = (people_who_passed(asked.connection, each) for each in (scope, earlier))
    targets = before.keys() | after.keys()
    # A side without any run has nobody behind it, and says only that.
    shown = {
        target
        for target in targets
        if not any(0 < people.get(target, 0) < scope.smallest for people in (people_before, people_after))
    }
    compared = changes({target: Sample(times_us(before.get(target, {})), times_us(after.get(target, {})))
                        for target in sorted(shown)})  # fmt: skip
    names = asked.names(shown)
    cost = {
        target: change.difference_us / 1_000 * sum(after.get(target, {}).values())
        for target, change in compared.by_key.items()
        if change.verdict in (Verdict.SLOWER, Verdict.FASTER)
    }
    order = sorted(
        shown,
        key=lambda target: (
            _ORDER.index(compared.by_key[target].verdict), -abs(cost.get(target, 0)), names[target]
        ),
    )  # fmt: skip
    rows = []
    for target in order:
        change = compared.by_key[target]
        both = change.before_us is not None and change.after_us is not None
        rows.append(
            (
                names[target],
                change.verdict.value,
                None if change.before_us is None else change.before_us / 1_000,
                None if change.after_us is None else change.after_us / 1_000,
                change.difference_us / 1_000 if both else None,
                change.part,
                sum(before.get(target, {}).values()),
                sum(after.get(target, {}).values()),
                cost.get(target),
            )
        )
    bars = [
        charts.Bar(names[target], cost[target], f"{'-' * (cost[target] < 0)}{duration(round(abs(cost[target])))}",
                   asked.to_target(names[target]))
        for target in order[:_BARS]
        if target in cost
    ]  # fmt: skip
    chart = charts.bars(bars, "Slower and faster targets, by what the change cost in all") if bars else None
    return View(
        "What got slower",
        f"{day_text(scope.first)} to {day_text(scope.last)} against {day_text(earlier.first)} to "
        f"{day_text(earlier.last)}: own time of runs that passed, by the rule of make-metrics compare. A change counts"
        " if the medians differ by 5% and 10 ms at least, and by more than chance (Mann and Whitney's test, 5% false "
        "discoveries). “In all” is the difference of the medians times the runs after it. Times are kept in steps of "
        "9%, and spread evenly in each step.",
        [Section("changes", "Targets", _COLUMNS, rows, hidden=len(targets) - len(shown), chart=chart)],
        default_days=DEFAULT_DAYS,
    )  # fmt: skip


def times_us(histogram: Histogram) -> list[float]:
    """The times of a target's runs in microseconds: those of a bucket lie evenly between its bounds.

    Of more than `_MOST` only as many, evenly from the shortest to the longest: the test then finds a little less.
    """
    times = list(_spread(histogram))
    if len(times) <= _MOST:
        return times
    return [times[(2 * place + 1) * len(times) // (2 * _MOST)] for place in range(_MOST)]


def _spread(histogram: Histogram) -> Iterator[float]:
    total = sum(histogram.values())
    # Enough of each bucket to choose from: a million values would only be made to be left out.
    scale = min(1.0, 20 * _MOST / total) if total else 1.0
    for number in sorted(histogram):
        count = max(1, round(histogram[number] * scale))
        lower = LOWER_MS[number]
        upper = LOWER_MS[number + 1] if number + 1 < len(LOWER_MS) else lower + 1
        for place in range(count):
            yield 1_000 * (lower + (upper - lower) * (place + 0.5) / count - 0.5 * (upper - lower == 1))
