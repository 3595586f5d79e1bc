"""What a page is given: the connection, its scope, and how to make links."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from make_metrics.server.pages.filters import Filters, day_text
from make_metrics.server.pages.questions.scope import Scope, names_of, number_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a page is given. `now_us` is the time of the request, `retention_days` how long the project keeps events."""

    connection: Connection
    scope: Scope
    filters: Filters
    now_us: int
    retention_days: int

    def names(self, numbers: Collection[int]) -> dict[int, str]:
        """The names of targets by their numbers."""
        return names_of(self.connection, self.scope.project, numbers)

    def target(self) -> int | None:
        """The number of the link's target; None if there is none of that name."""
        return number_of(self.connection, self.scope.project, self.filters.target) if self.filters.target else None

    def to_target(self, name: str) -> str:
        """A link to the page of a target, with the same filters."""
        return f"target{self.filters.query(target=name)}"

    @property
    def points(self) -> Sequence[str]:
        """The dates of the points of a chart over time, without the year."""
        return [day_text(day)[5:] for day in self.scope.steps]

    @property
    def each(self) -> str:
        """What a point of a chart over time is, in words."""
        return {1: "day", 7: "week", 28: "four weeks"}[self.scope.step]
