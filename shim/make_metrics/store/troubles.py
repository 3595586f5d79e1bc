"""The troubles of metrics: how often one failed, took too long, or gave what its declaration does not allow."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from make_metrics.combine.event import timestamp
from make_metrics.metrics.trouble import Trouble, one_line

if TYPE_CHECKING:
    import sqlite3  # the catalogue needs no store

DAY_NS = 86_400_000_000_000
KEEP_NS = 90 * DAY_NS
LIMIT = 100


@dataclass(frozen=True, slots=True)
class Count:
    """How often a trouble was met, and the last time: nanoseconds since the epoch, and its words."""

    metric: str
    kind: str
    count: int
    last_ns: int
    said: str

    @property
    def text(self) -> str:
        """The count as a line for people."""
        times = f"{self.count} time{'s' * (self.count != 1)}, last {timestamp(self.last_ns)}"
        return f"{self.metric} {self.kind} ({times}{': ' + self.said if self.said else ''})"


class Troubles:
    """The table as functions, on the store's connection; failures come out as sqlite3.Error."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Use a connection in autocommit mode; several calls belong together only inside the caller's transaction."""
        self._connection = connection

    def add(self, troubles: Iterable[Trouble], *, now_ns: int) -> None:
        """Count troubles; the hundred latest kinds are kept, for 90 days."""
        self._connection.executemany(
            "INSERT INTO troubles VALUES (?1, ?2, 1, ?3, ?4) ON CONFLICT (metric, kind) "
            "DO UPDATE SET count = count + 1, last_ns = ?3, said = ?4",
            [(one.metric, one.kind, now_ns, one_line(one.said)) for one in troubles],
        )

    def prune(self, *, now_ns: int) -> None:
        """Give up what is old, and more than a hundred."""
        self._connection.execute("DELETE FROM troubles WHERE last_ns < ?", (now_ns - KEEP_NS,))
        self._connection.execute(
            "DELETE FROM troubles WHERE (metric, kind) IN "
            "(SELECT metric, kind FROM troubles ORDER BY last_ns DESC LIMIT -1 OFFSET ?)",
            (LIMIT,),
        )

    def all(self) -> list[Count]:
        """What was counted, by metric."""
        rows = self._connection.execute("SELECT metric, kind, count, last_ns, said FROM troubles ORDER BY metric, kind")
        return [Count(*row) for row in rows]
