"""Failures: by target over time, with which exit status, given up, and failed once and passed then."""

from __future__ import annotations

from collections.abc import Mapping

from make_metrics.server.pages import charts
from make_metrics.server.pages.questions.targets import Results, results, statuses
from make_metrics.server.pages.sections import Column, Section, View
from make_metrics.server.pages.views.asked import Asked
from make_metrics.server.pages.views.target import status_section

DEFAULT_DAYS = 28
_LINES = 6
_TARGETS = (
    Column("target", "target", "target"),
    Column("people", "people", "count"),
    Column("runs", "runs", "count"),
    Column("failures", "failed", "count"),
    Column("rate", "rate", "share"),
    Column("given_up", "given up", "count"),
    Column("then_passed", "then passed", "count"),
    Column("then_passed_part", "of the failed", "share"),
)
_STEPS = (
    Column("target", "target", "target"),
    Column("from", "from", "day"),
    Column("people", "people", "count"),
    Column("runs", "runs", "count"),
    Column("failures", "failed", "count"),
    Column("rate", "rate", "share"),
)


def view(asked: Asked) -> View:
    """The page."""
    scope = asked.scope
    by_target, by_step = results(asked.connection, scope)
    shown = {target: each for target, each in by_target.items() if not scope.hides(each.people)}
    names = asked.names(shown)
    order = sorted(shown, key=lambda target: (-shown[target].failures, -shown[target].runs, names[target]))
    rows = [
        (
            names[target], each.people, each.runs, each.failures, each.failures / each.runs, each.given_up,
            each.then_passed, each.then_passed / each.failures if each.failures else None,
        )
        for target in order
        for each in (shown[target],)
    ]  # fmt: skip
    return View(
        "Failures",
        "A run failed if its exit status is not 0. Runs that somebody ended with Ctrl-C are “given up”, and not "
        "failed. “Then passed”: the same person's next run of the target on that day passed; where that is most of "
        "the failures, the target may be flaky, or does not say what it needs.",
        [
            Section("targets", "Targets by failures", _TARGETS, rows, hidden=len(by_target) - len(shown)),
            _rates(asked, [target for target in order if shown[target].failures][:_LINES], names, by_step),
            status_section(statuses(asked.connection, scope), scope.smallest),
        ],
    )


def _rates(
    asked: Asked, targets: list[int], names: dict[int, str], by_step: Mapping[tuple[int, int], Results]
) -> Section:
    scope = asked.scope
    rows, series, hidden = [], [], 0
    for target in targets:
        values: list[float | None] = []
        for step, day in enumerate(scope.steps):
            each = by_step.get((target, step))
            hides = each is not None and scope.hides(each.people)
            hidden += hides
            values.append(each.failures / each.runs if each is not None and not hides else None)
            if each is not None and not hides:
                rows.append((names[target], day, each.people, each.runs, each.failures, each.failures / each.runs))
        series.append(charts.Line(names[target], values))
    chart = charts.lines(
        series,
        asked.points,
        f"Part of runs that failed, for each {asked.each}",
        shown=lambda part: f"{100 * part:.0f}%",
    )
    which = f"the {len(targets)} targets that fail most" if len(targets) > 1 else "the target that fails most"
    return Section("rates", f"Rate for each {asked.each}, of {which}", _STEPS, rows,
                   chart=chart if rows else None, hidden=hidden)  # fmt: skip
