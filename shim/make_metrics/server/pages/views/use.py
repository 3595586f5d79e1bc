"""Use: runs and people of each target, and targets that nobody uses any more."""

from __future__ import annotations

from make_metrics.server.pages import charts
from make_metrics.server.pages.filters import day_text
from make_metrics.server.pages.questions.targets import Totals, steps, totals, totals_by_step, unused
from make_metrics.server.pages.sections import HIDDEN, SHOWN_ROWS, Column, Section, View
from make_metrics.server.pages.views.asked import Asked

DEFAULT_DAYS = 91
_STEPS = (
    Column("from", "from", "day"),
    Column("people", "people", "count"),
    Column("runs", "runs", "count"),
    Column("targets", "targets", "count"),
)
_UNUSED = (
    Column("target", "target", "target"),
    Column("last_day", "last used", "day"),
    Column("runs", "runs", "count"),
    Column("people", "people", "count"),
)


def view(asked: Asked) -> View:
    """The page."""
    return View(
        "Use",
        "How many people use what, and how often. A target that nobody uses any more may be removed, or nobody knows "
        "it.",
        [_over_time(asked), _by_target(asked), _unused(asked)],
        default_days=DEFAULT_DAYS,
    )


def _over_time(asked: Asked) -> Section:
    scope = asked.scope
    by_step = steps(asked.connection, scope)
    rows = [
        (day, *by_step[step]) for step, day in enumerate(scope.steps)
        if step in by_step and not scope.hides(by_step[step][0])
    ]  # fmt: skip
    people = [
        float(by_step[step][0]) if step in by_step and not scope.hides(by_step[step][0]) else None
        for step in range(len(scope.steps))
    ]
    chart = charts.lines(
        [charts.Line("people", people)],
        asked.points,
        f"People for each {asked.each}",
        shown=lambda count: f"{count:,.0f}",
    )
    return Section("weeks", f"For each {asked.each}", _STEPS, rows, chart=chart if rows else None,
                   hidden=len(by_step) - len(rows))  # fmt: skip


def _by_target(asked: Asked) -> Section:
    scope = asked.scope
    by_target = totals(asked.connection, scope)
    shown = {target: each for target, each in by_target.items() if not scope.hides(each.people)}
    names = asked.names(shown)
    order = sorted(shown, key=lambda target: (-shown[target].people, -shown[target].runs, names[target]))
    # The numbers of steps are asked for only where a page or a table shows them.
    listed = order if asked.filters.csv == "targets" else order[:SHOWN_ROWS]
    by_step = totals_by_step(asked.connection, scope, None if len(listed) > SHOWN_ROWS else listed)
    columns = [
        Column("target", "target", "target"),
        Column("people", "people", "count"),
        Column("runs", "runs", "count"),
        *(Column(f"people_from_{day_text(day)}", day_text(day)[5:], "count") for day in scope.steps),
    ]
    rows = [
        (names[target], shown[target].people, shown[target].runs,
         *(_people(scope.smallest, by_step.get((target, step))) for step in range(len(scope.steps))))
        for target in order
    ]  # fmt: skip
    return Section("targets", f"People of each target, for each {asked.each} from", columns, rows,
                   hidden=len(by_target) - len(shown))  # fmt: skip


def _people(smallest: int, totals: Totals | None) -> int | str | None:
    if totals is None:
        return None
    return HIDDEN if totals.people < smallest else totals.people


def _unused(asked: Asked) -> Section:
    scope = asked.scope
    since = asked.now_us // 86_400_000_000 - asked.retention_days
    found = unused(asked.connection, scope, since=since)
    shown = [each for each in found if not scope.hides(each[3])]
    names = asked.names({target for target, *_ in shown})
    rows = [(names[target], day, runs, people) for target, day, runs, people in sorted(shown, key=lambda each: each[1])]
    text = f"They were used before {day_text(scope.first)}, within the {asked.retention_days} days that are kept."
    title = "Targets that nobody used since the period began"
    return Section("unused", title, _UNUSED, rows, text=text, hidden=len(found) - len(shown))
