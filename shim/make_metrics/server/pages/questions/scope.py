"""Of which project, days and cuts a page speaks, and how that is said in SQL."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select, text

from make_metrics.server.pages.filters import Filters
from make_metrics.server.storage.tables import CUTS, NAMES
from make_metrics.server.storage.weeks import group_number

UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """The days from `first` to `last` of a project; `cuts` are numbers of CUTS, None for all. Where these are a group
    of `storage.weeks`, `group` is its number.

    A cell that fewer than `smallest` people stand behind is not shown.
    """

    project: int
    first: int
    last: int
    cuts: tuple[int, ...] | None = None
    group: int | None = None
    smallest: int = 0

    @property
    def days(self) -> int:
        """The length of the period."""
        return self.last - self.first + 1

    @property
    def step(self) -> int:
        """How many days one point of a chart over time stands for."""
        return 1 if self.days <= 28 else 7 if self.days <= 91 else 28

    @property
    def steps(self) -> list[int]:
        """The first day of each point."""
        return list(range(self.first, self.last + 1, self.step))

    def before(self) -> Scope:
        """The period of the same length right before."""
        return replace(self, first=self.first - self.days, last=self.first - 1)

    def hides(self, people: int) -> bool:
        """Whether a cell that so many people stand behind is not shown."""
        return people < self.smallest


def scope_of(connection: Connection, project: int, filters: Filters, *, smallest: int, today: int, days: int) -> Scope:
    """The scope that a link asks for; `days` is the page's own period. The last day is today unless it says so."""
    last = today if filters.until is None else filters.until
    cuts, group = _cuts(cuts_of(connection, project), filters)
    return Scope(
        project=project,
        first=last - (filters.days or days) + 1,
        last=last,
        cuts=cuts,
        group=group,
        smallest=smallest,
    )


def cuts_of(connection: Connection, project: int) -> Sequence[Row[Any]]:
    """All rows of CUTS of a project. There are few."""
    return connection.execute(select(CUTS).where(CUTS.c.project == project).order_by(CUTS.c.id)).all()


def _cuts(rows: Iterable[Row[Any]], filters: Filters) -> tuple[tuple[int, ...] | None, int | None]:
    """The cuts that a link asks for, None for all, and their group, if they are one."""
    values = {
        "system": filters.system or None,
        "driver": filters.driver or None,
        "jobs": filters.jobs,
        "on_default": {"": None, "default": 1, "other": 0, UNKNOWN: -1}[filters.branch],
        "goal": {"": None, "yes": 1, "no": 0}[filters.goal],
    }
    wanted = {name: value for name, value in values.items() if value is not None}
    if not wanted:
        return None, None
    chosen = [row for row in rows if all(_named(getattr(row, name)) == value for name, value in wanted.items())]
    stored = {getattr(row, name) for row in chosen for name in wanted}
    groups = [group_number(name, which) for name in wanted for which in stored]
    return tuple(row.id for row in chosen), groups[0] if len(groups) == 1 else None


def _named(value: str | int) -> str | int:
    """A value of CUTS as links say it."""
    return UNKNOWN if value == "" else value


def ask(connection: Connection, scope: Scope, statement: str, **values: Any) -> list[Any]:
    """The rows of a statement. `{here}` in it stands for the condition that a roll-up's row is of the scope.

    It may name :project, :first, :last and :step, and what `values` has; a list is for `IN :name`.
    """
    here = "project = :project AND day BETWEEN :first AND :last"
    given: dict[str, Any] = {"project": scope.project, "first": scope.first, "last": scope.last, "step": scope.step}
    if scope.cuts is not None:
        here += " AND cut IN :cuts"
        given["cuts"] = list(scope.cuts)
    given |= values
    sql = statement.format(here=here)
    names = {name: value for name, value in given.items() if f":{name}" in sql}
    lists: list[Any] = [bindparam(name, expanding=True) for name, value in names.items() if isinstance(value, list)]
    return list(connection.execute(text(sql).bindparams(*lists), names))


def names_of(connection: Connection, project: int, numbers: Collection[int]) -> dict[int, str]:
    """The names of targets by their numbers."""
    names: dict[int, str] = {}
    wanted = sorted(set(numbers))
    for start in range(0, len(wanted), 1_000):
        query = select(NAMES.c.id, NAMES.c.name).where(
            NAMES.c.project == project, NAMES.c.id.in_(wanted[start : start + 1_000])
        )
        names |= {row.id: row.name for row in connection.execute(query)}
    return names


def number_of(connection: Connection, project: int, name: str) -> int | None:
    """The number of a name; None if there is none."""
    return connection.scalar(select(NAMES.c.id).where(NAMES.c.project == project, NAMES.c.name == name))
