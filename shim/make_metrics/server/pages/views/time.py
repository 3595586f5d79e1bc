"""Where the time goes: what should be made faster first?"""

from __future__ import annotations

from make_metrics.report.rows import duration
from make_metrics.server.pages import charts
from make_metrics.server.pages.questions.targets import costs, histograms
from make_metrics.server.pages.sections import HIDDEN, Column, Section, View
from make_metrics.server.pages.views.asked import Asked
from make_metrics.server.storage.buckets import quantile_ms

DEFAULT_DAYS = 28
_BARS = 15
_COLUMNS = (
    Column("target", "target", "target"),
    Column("people", "people", "count"),
    Column("runs", "runs", "count"),
    Column("own_ms", "own time in all", "ms"),
    Column("share", "share", "share"),
    Column("mean_own_ms", "mean", "ms"),
    Column("median_own_ms", "median", "ms"),
    Column("p95_own_ms", "95%", "ms"),
    Column("waited_ms", "waited for", "ms"),
)


def view(asked: Asked) -> View:
    """The page."""
    scope = asked.scope
    by_target = costs(asked.connection, scope)
    shown = {target: each for target, each in by_target.items() if not scope.hides(each.people)}
    durations, names = histograms(asked.connection, scope), asked.names(shown)
    order = sorted(shown, key=lambda target: (-shown[target].own_ms, names[target]))
    whole_ms = sum(each.own_ms for each in shown.values())
    rows = []
    for target in order:
        each, counts = shown[target], durations.get(target, {})
        hides = scope.hides(each.passed)
        median, p95 = (HIDDEN if hides else quantile_ms(counts, share) for share in (0.5, 0.95))
        rows.append(
            (
                names[target], each.people, each.runs, each.own_ms, each.own_ms / whole_ms if whole_ms else None,
                each.own_ms / each.runs, median, p95, each.waited_ms or None,
            )
        )  # fmt: skip
    chart = charts.bars(
        [
            charts.Bar(
                names[target], shown[target].own_ms, duration(shown[target].own_ms), asked.to_target(names[target])
            )
            for target in order[:_BARS]
            if shown[target].own_ms
        ],
        f"Own time of the {min(_BARS, len(order))} targets that cost most",
    )
    return View(
        "Where the time goes",
        "Own time of all people's runs of each target: people times runs times own time. A target that costs "
        "everybody a little may be the first to make faster. Own time is a target's own recipe, without its "
        "prerequisites; “waited for” is the whole time where a target was asked for. Median and 95% are of runs that "
        "passed.",
        [Section("targets", "Targets by own time", _COLUMNS, rows, chart=chart if rows else None,
                 hidden=len(by_target) - len(shown))],
    )  # fmt: skip
