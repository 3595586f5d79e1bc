"""First day: how long it takes from a new id's first run to its first success."""

from __future__ import annotations

from make_metrics.server.pages import charts
from make_metrics.server.pages.questions.people import CLASSES_S, LATER, NEVER, first_days
from make_metrics.server.pages.sections import HIDDEN, Column, Section, View
from make_metrics.server.pages.views.asked import Asked

DEFAULT_DAYS = 91
_DAY_CLASS = CLASSES_S.index(86_400)
_COLUMNS = (
    Column("from", "from", "day"),
    Column("new", "new ids", "count"),
    Column("first_day_part", "on the first day", "share"),
    Column("to_1_minute", "to 1 min", "count"),
    Column("to_10_minutes", "to 10 min", "count"),
    Column("to_1_hour", "to 1 h", "count"),
    Column("to_1_day", "to 1 day", "count"),
    Column("to_1_week", "to 1 week", "count"),
    Column("later", "later", "count"),
    Column("not_yet", "not yet", "count"),
)


def view(asked: Asked) -> View:
    """The page."""
    scope = asked.scope
    found = first_days(asked.connection, scope)
    rows, parts, hidden = [], list[float | None](), 0
    for step, day in enumerate(scope.steps):
        classes = found.get(step, {})
        new = sum(classes.values())
        if not new or scope.hides(new):
            hidden += bool(new)
            parts.append(None)
            continue
        in_a_day = sum(classes.get(number, 0) for number in range(_DAY_CLASS + 1))
        # Of few, and of all but few, the part would tell what the cells do not.
        few = any(0 < count < scope.smallest for count in (in_a_day, new - in_a_day))
        parts.append(None if few else in_a_day / new)
        cells = [_cell(classes.get(number, 0), scope.smallest) for number in (*range(LATER), LATER, NEVER)]
        rows.append((day, new, HIDDEN if few else in_a_day / new, *cells))
    chart = charts.lines(
        [charts.Line("success on the first day", parts)],
        asked.points,
        f"Part of new ids with a success within a day, for each {asked.each}",
        shown=lambda part: f"{100 * part:.0f}%",
        most=1,
    )
    return View(
        "First day",
        "New ids from their first run to the first target that they asked for and that passed: does onboarding work? "
        "An id is a person in one project on one machine, from the day of the yes.",
        [Section("weeks", f"New ids for each {asked.each}, and how long until the first success", _COLUMNS, rows,
                 chart=chart if rows else None, hidden=hidden)],
        cuts=False,
        default_days=DEFAULT_DAYS,
    )  # fmt: skip


def _cell(people: int, smallest: int) -> int | str:
    return HIDDEN if 0 < people < smallest else people
