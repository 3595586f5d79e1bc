"""Use: runs and people of each target, and targets that nobody uses any more."""

from __future__ import annotations

from make_metrics.server.pages import charts
from make_metrics.server.pages.filters import day_text
from make_metrics.server.pages.questions.use import Use, Used, unused, use
from make_metrics.server.pages.sections import HIDDEN, Column, Section, View
from make_metrics.server.pages.views.asked import Asked
from make_metrics.server.storage.tables import DAY_US

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
    used = use(asked.connection, asked.scope)
    return View(
        "Use",
        "How many people use what, and how often. A target that nobody uses any more may be removed, or nobody knows "
        "it.",
        [_over_time(asked, used), _by_target(asked, used), _unused(asked)],
        default_days=DEFAULT_DAYS,
    )


def _over_time(asked: Asked, used: Use) -> Section:
    scope = asked.scope
    shown = {step: each for step, each in used.by_step.items() if not scope.hides(each.people)}
    rows = [(day, *shown[step]) for step, day in enumerate(scope.steps) if step in shown]
    people = [float(shown[step].people) if step in shown else None for step in range(len(scope.steps))]
    chart = charts.lines(
        [charts.Line("people", people)],
        asked.points,
        f"People for each {asked.each}",
        shown=lambda count: f"{count:,.0f}",
    )
    return Section("weeks", f"For each {asked.each}", _STEPS, rows, chart=chart if rows else None,
                   hidden=len(used.by_step) - len(shown))  # fmt: skip


def _by_target(asked: Asked, used: Use) -> Section:
    scope = asked.scope
    shown = {target: each for target, each in used.by_target.items() if not scope.hides(each.people)}
    names = asked.names(shown)
    columns = [
        Column("target", "target", "target"),
        Column("people", "people", "count"),
        Column("runs", "runs", "count"),
        *(Column(f"people_from_{day_text(day)}", day_text(day)[5:], "count") for day in scope.steps),
    ]
    rows = [
        (names[target], shown[target].people, shown[target].runs,
         *(_people(scope.smallest, used.by_both.get((target, step))) for step in range(len(scope.steps))))
        for target in sorted(shown, key=lambda target: (-shown[target].people, -shown[target].runs, names[target]))
    ]  # fmt: skip
    return Section("targets", f"People of each target, for each {asked.each} from", columns, rows,
                   hidden=len(used.by_target) - len(shown))  # fmt: skip


def _people(smallest: int, used: Used | None) -> int | str | None:
    if used is None:
        return None
    return HIDDEN if used.people < smallest else used.people


def _unused(asked: Asked) -> Section:
    scope = asked.scope
    since = asked.now_us // DAY_US - asked.retention_days
    found = unused(asked.connection, scope, since=since)
    shown = [each for each in found if not scope.hides(each[3])]
    names = asked.names({target for target, *_ in shown})
    rows = [(names[target], day, runs, people) for target, day, runs, people in sorted(shown, key=lambda each: each[1])]
    text = f"They were used before {day_text(scope.first)}, within the {asked.retention_days} days that are kept."
    title = "Targets that nobody used since the period began"
    return Section("unused", title, _UNUSED, rows, text=text, hidden=len(found) - len(shown))
